"""Let LLVM vectorise innermost loops: sums in any order, elementary functions without calls.

LLVM keeps the order of floating-point additions unless it is told that it does not matter, and cannot look
into libm. In a loop whose iterations depend on each other through sums only, `s += v` is therefore written
`s = fast.add_up(s, v)` and `math.exp(x)` is written `fast.exp(x)`, where `fast` is
`adcompiler.runtime.vector_math`. Anywhere else libm is as fast.
"""

from __future__ import annotations

from dataclasses import replace

from numba import float32, float64

from adcompiler.analysis.dependence import Loops
from adcompiler.analysis.iterations import Iterations
from adcompiler.analysis.sums import SUM, carried_kinds, running_sum
from adcompiler.analysis.types import is_scalar, precision
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    For,
    Graph,
    If,
    Literal,
    Node,
    Region,
    Store,
    Value,
    While,
    type_of,
)
from adcompiler.graph.walk import regions, walk, with_regions
from adcompiler.loops.late_checks import checked_afterwards, is_check
from adcompiler.primitives import card


def vectorise(graph: Graph) -> Graph:
    """Return the graph with the loops that LLVM can vectorise written so that it does.

    Args:
        graph: the final graph of a function.
    """
    iterations = Iterations(graph)

    def region(body: Region, loops: Loops) -> Region:
        nodes: list[Node] = []
        for node in body.nodes:
            if isinstance(node, For) and _is_vectorisable(node, loops, iterations):
                nodes += checked_afterwards(_rewritten(node))
                continue
            inner = (*loops, node) if isinstance(node, For | While) else loops
            nodes.append(with_regions(node, tuple(region(part, inner) for part in regions(node))))
        return replace(body, nodes=tuple(nodes))

    return replace(graph, body=region(graph.body, ()))


def _is_vectorisable(loop: For, loops: Loops, iterations: Iterations) -> bool:
    if loop.breaks or not isinstance(loop.step, Literal) or None in carried_kinds(loop.body):
        return False
    late = () if loop.parallel else tuple(filter(is_check, loop.body.nodes))  # threads share no flag
    nodes = (node for node in walk(loop.body) if node not in late)
    return all(map(is_simple, nodes)) and iterations.are_apart(loop, loops, sums_are_apart=True)


def is_simple(node: Node) -> bool:
    """Tell whether LLVM can do a node for several iterations at once."""
    match node:
        case Apply():
            is_inline = card(node.fn).is_instruction and (node.fn != "pow" or _is_whole(node.args[1]))
            is_number = is_scalar(node.out.type)
            return (is_number and (is_inline or _fast(node) is not None)) or node.fn == "shape"
        case Store():
            return bool(node.index)
        case If():
            return True
        case _:
            return False


def _is_whole(atom: Atom) -> bool:
    return isinstance(atom, Literal) and isinstance(atom.value, int)


def _fast(node: Apply) -> str | None:
    """Return the vector function for a node, if there is one."""
    if not card(node.fn).fast or (node.fn == "pow" and _is_whole(node.args[1])):
        return None
    kinds = {precision(atom) for atom in node.args}
    ends = {float64: "", float32: "32"}
    return f"fast.{card(node.fn).fast}{ends[kinds.pop()]}" if len(kinds) == 1 and kinds <= {*ends} else None


def _rewritten(loop: For) -> For:
    chain: set[Value] = set()
    kinds = zip(loop.carried, loop.body.yields, carried_kinds(loop.body), strict=True)
    for entry, last, kind in kinds:
        if kind == SUM and precision(entry) is not None and precision(entry) == precision(last):
            chain |= running_sum(loop.body, entry) or set()

    def region(body: Region) -> Region:
        nodes: list[Node] = []
        for node in body.nodes:
            match node:
                case Apply(fn="add") if node.out in chain:
                    term = node.args[0] if node.args[1] in chain else node.args[1]
                    total = node.args[1] if node.args[1] in chain else node.args[0]
                    nodes.append(replace(node, fn="fast.add_up", args=(total, term)))
                case Apply(fn="sub") if node.out in chain and precision(node.args[1]) is not None:
                    minus = Value("neg", temporary=True, type=type_of(node.args[1]))
                    nodes.append(Apply(minus, "neg", (node.args[1],), loc=node.loc, role=node.role))
                    nodes.append(replace(node, fn="fast.add_up", args=(node.args[0], minus)))
                case Apply() if fast := _fast(node):
                    nodes.append(replace(node, fn=fast))
                case _:
                    nodes.append(with_regions(node, tuple(map(region, regions(node)))))
        return replace(body, nodes=tuple(nodes))

    return replace(loop, body=region(loop.body))
