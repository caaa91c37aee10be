"""Drop copies of arrays that nothing uses any more, or nothing writes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from adcompiler.analysis.alias import shared_memory, written_arrays
from adcompiler.analysis.types import is_array
from adcompiler.graph.atoms import is_adjoint
from adcompiler.graph.nodes import Apply, Atom, Effect, Graph, Region, Role, Value, entry, type_of
from adcompiler.graph.walk import (
    operands,
    regions,
    rename,
    substitute,
    values,
    walk,
    walk_regions,
    with_regions,
)
from adcompiler.primitives import card


def drop_copies(graph: Graph) -> Graph:
    """Return the graph without copies that may as well be their source.

    Either the source is made in the same region and not used afterwards, or neither of the two is written.

    >>> from numba import float64
    >>> from adcompiler.graph.nodes import Literal
    >>> from adcompiler.graph.text import to_text
    >>> x, y = Value("x", type=float64[:]), Value("y", type=float64[:])
    >>> nodes = (Apply(x, "np.zeros", (Literal(3),)), Apply(y, "copy", (x,)))
    >>> print(to_text(drop_copies(Graph("f", Region((), nodes, (y,))))))
    graph f():
      x = np.zeros(3)
      return x
    """
    same = {
        node.out: node.args[0]
        for node in walk(graph.body)
        if isinstance(node, Apply) and node.fn == "np.ascontiguousarray" and _has_no_gaps(node.args[0])
    }
    graph = replace(graph, body=substitute(graph.body, same))  # it returns such an array as it is
    graph = replace(graph, body=_without_unwritten(graph.body))
    makers = {node.out: node for node in walk(graph.body) if isinstance(node, Apply)}
    return replace(graph, body=_region(graph.body, makers))


def _without_unwritten(body: Region) -> Region:
    """Replace copies that nobody writes by their sources; these have their names where they are adjoints."""
    copies = _only_read(body)
    new: dict[Value, Value] = {}
    made = {node.out for node in walk(body) if isinstance(node, Apply) and node.role is Role.ADJOINT}
    for copy, source in copies.items():
        assert isinstance(source, Value)
        is_unnamed = source in made and source.temporary and source not in new
        if is_unnamed and is_adjoint(copy) and not is_adjoint(source):
            new[source] = Value(copy.name, copy.temporary, source.type)
    return rename(substitute(body, copies), new)


def _only_read(body: Region) -> dict[Value, Atom]:
    """Map each copy to its source if neither is written and the copy is not kept."""
    classes = shared_memory(body)

    def memory(atoms: Iterable[Atom]) -> set[Value]:
        return {classes.get(value, value) for value in values(atoms)}

    nodes = [*walk(body)]
    touched = memory(written_arrays(body))
    kept = memory(atom for region in walk_regions(body) for atom in region.yields)
    for node in nodes:
        if isinstance(node, Effect) or (isinstance(node, Apply) and card(node.fn).may_keep):
            kept |= memory(operands(node))
    found: dict[Value, Atom] = {}
    for node in nodes:
        if isinstance(node, Apply) and node.fn == "copy" and type_of(node.args[0]) == node.out.type:
            source, out = memory(node.args), memory((node.out,))
            if is_array(node.out.type) and not (source | out) & touched and not out & kept:
                found[node.out] = entry(found, node.args[0]) or node.args[0]
    return found


def _has_no_gaps(atom: Atom) -> bool:
    kind = type_of(atom)
    return kind is not None and is_array(kind) and kind.layout == "C"


def _region(body: Region, makers: dict[Value, Apply]) -> Region:
    nodes = [
        with_regions(node, tuple(_region(part, makers) for part in regions(node))) for node in body.nodes
    ]
    body = replace(body, nodes=tuple(nodes))
    for node in nodes:
        if isinstance(node, Apply) and node.fn == "copy" and _is_last_use(node, body, makers):
            kept = replace(body, nodes=tuple(n for n in body.nodes if n is not node))
            body = substitute(kept, {node.out: node.args[0]})
            makers.update({n.out: n for n in body.nodes if isinstance(n, Apply)})
    return body


def _is_last_use(copy: Apply, body: Region, makers: dict[Value, Apply]) -> bool:
    source = copy.args[0]
    if not isinstance(source, Value) or not is_array(type_of(source)):
        return False
    owner = _owner(source, makers)
    made = makers.get(owner)
    if made is None or card(made.fn).allocates is None or type_of(source) != type_of(copy.out):
        return False
    positions = {n.out: k for k, n in enumerate(body.nodes) if isinstance(n, Apply)}
    if owner not in positions or copy.out not in positions:
        return False
    used: list[Atom] = [*body.yields]
    for node in walk(Region((), body.nodes[positions[copy.out] + 1 :], ())):
        if not (isinstance(node, Apply) and not card(node.fn).reads_elements):  # both have the same shape
            used += operands(node)
        used += [*(atom for part in regions(node) for atom in part.yields)]
    if any(_owner(value, makers) is owner for value in values(used)):
        return False
    classes = shared_memory(body)  # a loop or a choice may have given what it shows another name
    memory = classes.get(owner, owner)
    return not any(classes.get(value, value) is memory for value in values(used))


def _owner(value: Value, makers: dict[Value, Apply]) -> Value:
    while value in makers and card(makers[value].fn).is_view:
        base = makers[value].args[0]
        if not isinstance(base, Value):
            break
        value = base
    return value
