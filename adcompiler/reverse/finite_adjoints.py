"""With `debug_nans=True`: the reversal of a checked node checks each adjoint that it adds to."""

from __future__ import annotations

from dataclasses import replace

from adcompiler.analysis.types import is_array
from adcompiler.graph.nodes import Apply, Effect, Literal, Region, Value
from adcompiler.graph.walk import operands, values, walk
from adcompiler.prepare.finite_values import computes, may_be_checked, named
from adcompiler.reverse.adjoints import AdjointSweep


def checks_of(body: Region) -> dict[Value, Effect]:
    """Return the check of each value that a primal checks."""
    found: dict[Value, Effect] = {}
    for node in walk(body):
        if isinstance(node, Effect) and node.fn == "finite" and isinstance(node.args[0], Value):
            found.setdefault(node.args[0], node)  # others stand where it is known to have the same value
    return found


def check_adjoints(sweep: AdjointSweep, node: Apply) -> None:
    """Append the checks of what the reversal of a node has added to, if the node is checked."""
    check = sweep.checks.get(node.out)
    if check is None or not computes(node):
        return
    for value in dict.fromkeys(values(operands(node))):
        adjoint = _adjoint(sweep, value)
        if adjoint is not None and adjoint not in sweep.checked:
            sweep.checked |= set() if is_array(value.type) else {adjoint}
            made = sweep.definitions.get(value)
            what = Literal(f"the adjoint of {value.name if made is None else named(value, made.loc)}")
            args = (adjoint, what, *check.args[2:])
            sweep.nodes.append(replace(check, args=args, role=sweep.role))


def _adjoint(sweep: AdjointSweep, value: Value) -> Value | None:
    """Return the adjoint of a value as far as it is known, or its shadow; None for a constant."""
    if value not in sweep.active or not may_be_checked(value):
        return None
    if sweep.is_buffered(value):
        return sweep.shadow(value) if value in sweep.views or value in sweep.shadows else None
    found = sweep.adjoints.get(value)
    return found.atom if found is not None and isinstance(found.atom, Value) else None
