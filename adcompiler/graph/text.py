"""Print a graph as SSA text."""

from __future__ import annotations

from adcompiler.graph.nodes import (
    Apply,
    Atom,
    Effect,
    For,
    Global,
    Graph,
    If,
    Literal,
    Node,
    Region,
    Role,
    Store,
    Value,
    While,
)
from adcompiler.graph.walk import defined, regions, results, walk

_MARK = "  <-- here"


def expected_role(is_reversing: bool) -> Role:
    """Return the role of a node whose line names none: it is that of the sweep that it stands in."""
    return Role.ADJOINT if is_reversing else Role.PRIMAL


def unique_names(region: Region) -> dict[Value, str]:
    """Give every value in the region a name of its own: `h`, `h_1`, `h_2`, … in order of definition."""
    taken: set[str] = set()
    names: dict[Value, str] = {}

    def visit(value: Value) -> None:
        name, k = value.name, 0
        while name in taken:
            k += 1
            name = f"{value.name}_{k}"
        taken.add(name)
        names[value] = name

    for value in sorted(defined(region), key=_definition_order(region).__getitem__):
        visit(value)
    return names


def _reverse_sweep(body: Region) -> set[Node]:
    """Return the nodes that stand behind `reverse_sweep()`, also inside others."""
    marks = [
        k for k, node in enumerate(body.nodes) if isinstance(node, Effect) and node.fn == "reverse_sweep"
    ]
    return {*walk(Region((), body.nodes[marks[0] + 1 :], ()))} if marks else set()


def _definition_order(region: Region) -> dict[Value, int]:
    order: dict[Value, int] = {}

    def go(inner: Region) -> None:
        for value in inner.params:
            order[value] = len(order)
        for node in inner.nodes:
            for sub in reversed(regions(node)) if isinstance(node, While) else regions(node):
                go(sub)
            for value in results(node):
                order[value] = len(order)

    go(region)
    return order


def to_text(graph: Graph, marked: Node | None = None) -> str:
    """Return the graph as text, one node a line; where its role is not the expected one, it is named.

    Args:
        graph: the graph.
        marked: a node of a graph that need not be well formed; its first line gets a mark.

    >>> from adcompiler.graph.nodes import Apply
    >>> x, y = Value("x"), Value("y")
    >>> square = Apply(y, "mul", (x, x))
    >>> print(to_text(Graph("square", Region((x,), (square,), (y,)))))
    graph square(x):
      y = mul(x, x)
      return y
    """
    names = unique_names(graph.body)
    reverse = _reverse_sweep(graph.body)

    def show(atom: Atom) -> str:
        match atom:
            case Value():
                return names[atom] if marked is None else names.get(atom, atom.name)
            case Literal():
                return repr(atom.value)
            case Global():
                return atom.name

    def shows(atoms: tuple[Atom, ...]) -> str:
        return ", ".join(map(show, atoms))

    def lines(region: Region, depth: int, last: str) -> list[str]:
        pad = "  " * depth
        found = [pad + line for node in region.nodes for line in with_mark(node)]
        return [*found, f"{pad}{last} {shows(region.yields)}".rstrip()] if last else found

    def with_mark(node: Node) -> list[str]:
        first, *rest = node_lines(node)
        first += "" if node.role is expected_role(node in reverse) else f"  # {node.role.name.lower()}"
        return [f"{first}{_MARK}" if node is marked else first, *rest]

    def node_lines(node: Node) -> list[str]:
        match node:
            case Apply():
                keywords = "".join(f", {key}={show(atom)}" for key, atom in node.keywords)
                return [f"{names[node.out]} = {node.fn}({shows(node.args)}{keywords})"]
            case Store():
                sign = "+=" if node.accumulate else "="
                return [f"{show(node.array)}[{shows(node.index) or '...'}] {sign} {show(node.value)}"]
            case Effect():
                keywords = "".join(f", {key}={show(atom)}" for key, atom in node.keywords)
                return [f"{node.fn}({shows(node.args)}{keywords})"]
            case If():
                head = f"{shows(node.outs)} = if {show(node.test)}:".removeprefix(" = ")
                return [head, *lines(node.then, 1, "yield"), "else:", *lines(node.orelse, 1, "yield")]
            case For():
                index, *params = node.body.params
                bounds = shows((node.start, node.stop, node.step))
                head = f"for {names[index]} in {'prange' if node.independent else 'range'}({bounds})"
                return loop_lines(node, head, tuple(params), lines(node.body, 1, "yield"))
            case While():
                body = [*lines(node.cond, 1, "while"), *lines(node.body, 1, "yield")]
                return loop_lines(node, "while", node.body.params, body)

    def loop_lines(node: For | While, head: str, params: tuple[Value, ...], body: list[str]) -> list[str]:
        pairs = zip(params, node.inits, strict=marked is None)
        carried = ", ".join(f"{names[p]}={show(init)}" for p, init in pairs)
        flag = " breaking" if node.breaks else " parallel" if getattr(node, "parallel", False) else ""
        text = f"{shows(node.outs)} = {head} with ({carried}){flag}:".removeprefix(" = ")
        return [text, *body]

    head = f"graph {graph.name}({shows(graph.body.params)}):"
    found = [head, *lines(graph.body, 1, "return")]
    if marked is not None:
        found = [f"> {line.removesuffix(_MARK)}" if line.endswith(_MARK) else f"  {line}" for line in found]
    return "\n".join(found)
