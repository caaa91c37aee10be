"""Arrays of which NumPy shows a part where compiled code holds a copy: nothing may come between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from adcompiler.analysis.alias import Memory, shared_memory, typed_memory, written_arrays
from adcompiler.analysis.types import is_array
from adcompiler.definitions import SHOWN
from adcompiler.errors import DifferentiationError
from adcompiler.graph.nodes import Apply, Graph, Literal, Node, Region, Value, type_of
from adcompiler.graph.walk import free, operands, regions, results, values, walk, walk_regions

Classes = Mapping[Value, Value]


def check_shown(graph: Graph) -> None:
    """Refuse writing an array of which NumPy would show a part.

    Raises:
        DifferentiationError: AD303 where what is shown is read after its array may have been written.
    """
    nodes = [*walk(graph.body)]
    marks = [node for node in nodes if is_marked_as_shown(node)]
    diagonals = {node for node in nodes if isinstance(node, Apply) and is_diagonal(node)}
    if not marks and not diagonals:
        return
    info, classes = typed_memory(graph.body), shared_memory(graph.body)
    for mark in marks:
        array, fn = operands(mark)
        if isinstance(array, Value) and is_array(array.type) and info.written_after(array, mark):
            raise _refused(getattr(fn, "value", ""), mark)
    for region in walk_regions(graph.body):
        for k, node in enumerate(region.nodes):
            if node in diagonals and _is_written_between(region, k, classes, info):
                raise _refused("np.diag", node)


def is_diagonal(node: Apply) -> bool:
    """Tell whether a node reads the diagonal of a matrix: NumPy shows it, compiled code copies it."""
    return node.fn == "np.diag" and is_array(kind := type_of(node.args[0])) and kind.ndim == 2


def is_marked_as_shown(node: Node) -> bool:
    """Tell whether a node marks an argument of which a definition holds a copy."""
    return (
        isinstance(node, Apply)
        and node.fn == "of_reals"
        and isinstance(node.args[1], Literal)
        and node.args[1].value in SHOWN
    )


def _refused(name: str, node: Node) -> DifferentiationError:
    reason = f"'{name}' shows an array that is written afterwards"
    return DifferentiationError("AD303", reason, node.loc, "write .copy() of the array inside")


def _is_written_between(region: Region, place: int, classes: Classes, info: Memory) -> bool:
    """Tell whether the array of a node may be written before the last read of what the node shows."""
    node = region.nodes[place]
    array = operands(node)[0]
    assert isinstance(array, Value)
    shown, later = _class(results(node)[0], classes), region.nodes[place + 1 :]
    if _meets(shown, values(region.yields), classes):
        return info.written_after(array, node)
    reads = [k for k, other in enumerate(later) if _meets(shown, free(_alone(other)), classes)]
    if not reads:
        return False
    last = reads[-1]
    between = [*later[:last], *(inner for part in regions(later[last]) for inner in part.nodes)]
    return _meets(_class(array, classes), written_arrays(Region((), tuple(between), ())), classes)


def _alone(node: Node) -> Region:
    return Region((), (node,), ())


def _meets(memory: Value, found: Iterable[Value], classes: Classes) -> bool:
    return any(_class(value, classes) == memory for value in found)


def _class(value: Value, classes: Classes) -> Value:
    return classes.get(value, value)
