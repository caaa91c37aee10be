"""Functions with a derivative of their own in forward mode.

A rule for adjoints serves, too: it is linear in the adjoint, and its pullback with respect to that is the
rule for tangents.
"""

from __future__ import annotations

from typing import Any

from adcompiler.analysis.types import is_complex
from adcompiler.custom import CustomFunction
from adcompiler.errors import DifferentiationError
from adcompiler.forward.tangents import TangentSweep
from adcompiler.graph.nodes import Apply, Atom, Literal, type_of
from adcompiler.rules.find import atom_rank
from adcompiler.rules.own_rules import (
    adjoint_kinds,
    check_part,
    global_of,
    taken_apart,
    tangent_kind,
    transposed,
)


def forward_custom(sweep: TangentSweep, node: Apply) -> Atom:
    """Return the tangent of the result.

    Raises:
        DifferentiationError: AD202 for a function of several arguments that returns an array, and has a
            rule for adjoints only.
    """
    function, args, result = taken_apart(node)
    if function.jvp is not None:
        kind = tangent_kind(function, args, result, node.loc)
        found = sweep.apply("rule", global_of(function.jvp), *args, result, *map(sweep.whole, args))
        check_part(sweep, function, None, (found, kind), result)
        return found
    if is_complex(type_of(result)) and (not atom_rank(result) or len(args) > 1):
        reason = f"'{function.__name__}' has a rule for adjoints only, and its result is complex"
        raise DifferentiationError("AD202", reason, node.loc, "give it one for tangents, too: defjvp")
    if not atom_rank(result):
        return _from_gradient(sweep, function, args, result)
    if len(args) > 1:
        reason = f"'{function.__name__}' has a rule for adjoints only, and its result is an array"
        raise DifferentiationError("AD202", reason, node.loc, "give it one for tangents, too: defjvp")
    seed = sweep.contiguous(args[0])
    callee = transposed(function.vjp, [2])
    found = sweep.apply("derivative", callee, args[0], result, sweep.apply("np.zeros_like", result), seed)
    return sweep.apply("getitem", found, Literal(0))


def _from_gradient(
    sweep: TangentSweep, function: CustomFunction[..., Any], args: tuple[Atom, ...], result: Atom
) -> Atom:
    """The tangent of a number is the sum of gradient times tangent."""
    kinds = adjoint_kinds(function, args, result, sweep.loc)
    found = sweep.apply("rule", global_of(function.vjp), *args, result, Literal(1.0))
    total: Atom | None = None
    for k, arg in enumerate(args):
        tangent = sweep.tangent(arg)
        if tangent is None:
            continue
        part = found if len(args) == 1 else sweep.apply("getitem", found, Literal(k))
        check_part(sweep, function, k, (part, kinds[k]), arg)
        term: Atom = sweep.apply("mul", part, tangent)
        if is_complex(type_of(arg)):
            term = sweep.apply("np.real", term)
        if atom_rank(arg):
            term = sweep.apply("np.sum", term)
        total = term if total is None else sweep.apply("add", total, term)
    assert total is not None
    return total
