"""Arrays put together in reverse: each part gains its own slice of the adjoint."""

from __future__ import annotations

from adcompiler.errors import DifferentiationError
from adcompiler.graph.nodes import Apply, Atom, Literal, Value
from adcompiler.reverse.adjoints import AdjointSweep, Contribution
from adcompiler.rules.find import atom_rank


def reverse_join(sweep: AdjointSweep, node: Apply, adjoint: Contribution) -> None:
    """`y = np.concatenate((a, b))`: a gains y[:len(a)], b the rest.

    Raises:
        DifferentiationError: AD202 where the axis is not a constant.
    """
    found = sweep.full(node.out, adjoint)
    axis, is_new = _axis(sweep, node)
    start: Atom = Literal(0)
    place: Atom
    for position, part in enumerate(node.args):
        if is_new:
            end, place = start, Literal(position)
        else:
            shape = sweep.apply("shape", part)
            size = sweep.apply("getitem", shape, Literal(axis), name="size")
            is_first = start == Literal(0)
            end = size if is_first else sweep.apply("add", start, size)
            place = sweep.apply("slice", Literal(None) if is_first else start, end)
        if isinstance(part, Value) and part in sweep.active:
            whole = [sweep.apply("slice", Literal(None), Literal(None)) for _ in range(axis)]
            sweep.contribute(part, Contribution(sweep.apply("getitem", found, *whole, place)))
        start = end


def _axis(sweep: AdjointSweep, node: Apply) -> tuple[int, bool]:
    """Return the axis along which the parts stand, and whether it is a new one."""
    axes = atom_rank(node.args[0])
    given = dict(node.keywords).get("axis", Literal(0))
    if not isinstance(given, Literal) or not isinstance(given.value, int):
        raise DifferentiationError("AD202", f"the axis of '{node.fn}' is not a constant", node.loc)
    match node.fn:
        case "np.stack":
            return given.value % (axes + 1), True
        case "np.vstack" | "np.row_stack":
            return 0, axes == 1
        case "np.hstack":
            return int(axes > 1), False
        case "np.column_stack":
            return 1, axes == 1
        case _:
            return given.value % axes, False
