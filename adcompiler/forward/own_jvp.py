"""Functions with a derivative of their own in forward mode.

A rule for adjoints serves, too: it is linear in the adjoint, and its pullback with respect to that is the
rule for tangents.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adcompiler.analysis.types import is_array, is_complex
from adcompiler.custom import CustomFunction
from adcompiler.errors import DifferentiationError
from adcompiler.forward.tangents import TangentSweep
from adcompiler.frontend.flat_rules import FlatFunction
from adcompiler.graph.nodes import Apply, Atom, Literal, type_of
from adcompiler.rules.find import atom_rank
from adcompiler.rules.own_rules import (
    adjoint_kinds,
    check_part,
    global_of,
    moved_arguments,
    tangent_kinds,
    transposed,
    with_rules,
)


def forward_custom(sweep: TangentSweep, node: Apply) -> Atom:
    """Return the tangent of one of the results.

    Raises:
        DifferentiationError: AD202 for a function of complex numbers that has a rule for adjoints only.
    """
    found, function = with_rules(node)
    args, place = found.args, found.position
    results = found.raws[: function.results] if isinstance(function, FlatFunction) else found.raws
    if function.jvp is not None:
        kinds = tangent_kinds(function, args, results, node.loc)
        tangents = [sweep.whole(args[k]) for k in moved_arguments(function, args)]
        whole = sweep.apply("rule", global_of(function.jvp), *args, *results, *tangents)
        part = whole if len(results) == 1 else sweep.apply("getitem", whole, Literal(place))
        check_part(sweep, function, None, (part, kinds[place]), results[place])
        return part
    if is_complex(type_of(results[place])) and (not atom_rank(results[place]) or len(args) > 1):
        reason = f"'{function.__name__}' has a rule for adjoints only, and its result is complex"
        raise DifferentiationError("AD202", reason, node.loc, "give it one for tangents, too: defjvp")
    if len(results) == 1 and not atom_rank(results[0]):
        return _from_gradient(sweep, function, args, results[0])
    return _from_transposed_rule(sweep, function, args, results, place)


def _from_transposed_rule(
    sweep: TangentSweep,
    function: CustomFunction[..., Any],
    args: Sequence[Atom],
    results: Sequence[Atom],
    place: int,
) -> Atom:
    """The rule is linear in the adjoints: its pullback by these, along the tangents, is the tangent."""
    kinds = adjoint_kinds(function, function.vjp, args, (*args, *results, *results), sweep.loc)
    varied = [k for k in kinds if sweep.tangent(args[k]) is not None]
    varied = [k for k in varied if is_array(kinds[k]) == bool(atom_rank(args[k]))]  # the others are 0.0
    picks = tuple([*kinds].index(k) for k in varied)
    callee = transposed(function.vjp, [len(args) + len(results) + place], picks if len(kinds) > 1 else None)
    zeros = [sweep.zero(result, type_of(result)) for result in results]
    tangents = [sweep.contiguous(args[k]) for k in varied]
    found = sweep.apply("derivative", callee, *args, *results, *zeros, *tangents)
    return sweep.apply("getitem", found, Literal(0))


def _from_gradient(
    sweep: TangentSweep, function: CustomFunction[..., Any], args: Sequence[Atom], result: Atom
) -> Atom:
    """The tangent of a number is the sum of gradient times tangent."""
    kinds = adjoint_kinds(function, function.vjp, args, (*args, result, result), sweep.loc)
    found = sweep.apply("rule", global_of(function.vjp), *args, result, Literal(1.0))
    total: Atom | None = None
    for place, k in enumerate(kinds):
        arg = args[k]
        tangent = sweep.tangent(arg)
        if tangent is None:
            continue
        part = found if len(kinds) == 1 else sweep.apply("getitem", found, Literal(place))
        check_part(sweep, function, k, (part, kinds[k]), arg)
        term: Atom = sweep.apply("mul", part, tangent)
        if is_complex(type_of(arg)):
            term = sweep.apply("np.real", term)
        if atom_rank(arg):
            term = sweep.apply("np.sum", term)
        total = term if total is None else sweep.apply("add", total, term)
    return Literal(0.0) if total is None else total
