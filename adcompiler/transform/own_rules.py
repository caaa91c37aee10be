"""Functions with a derivative of their own, in both modes.

A rule for adjoints serves forward mode, too, and one for tangents reverse mode: what a rule computes is
linear in the adjoint or tangents that it is given, and its pullback with respect to these is the other rule.
"""

from __future__ import annotations

from typing import Any

from adcompiler.analysis.types import is_array
from adcompiler.custom import CustomFunction
from adcompiler.errors import DifferentiationError
from adcompiler.frontend.recursion import Callee
from adcompiler.frontend.resolve import name_of
from adcompiler.graph.nodes import Apply, Atom, Global, Literal, Value
from adcompiler.graph.steps import Step
from adcompiler.rules.find import atom_rank
from adcompiler.transform.adjoints import AdjointSweep, Contribution
from adcompiler.transform.rule_checks import adjoint_kinds, check_part, tangent_kind
from adcompiler.transform.tangents import TangentSweep


def _taken_apart(node: Apply) -> tuple[CustomFunction, tuple[Atom, ...], Atom]:
    """Return the function, its arguments and its result.

    Raises:
        DifferentiationError: AD202 where the function has no rule.
    """
    callee, *args, result = node.args
    assert isinstance(callee, Global) and isinstance(callee.value, CustomFunction)
    function = callee.value
    if function.vjp is None and function.jvp is None:
        reason = f"'{callee.name}' has been given no rule: defvjp or defjvp"
        raise DifferentiationError("AD202", reason, node.loc)
    return function, tuple(args), result


def _rule(rule: Any) -> Global:
    return Global(name_of(rule.py_func), rule)


def _transposed(rule: Any, given: list[int]) -> Global:
    """Return the pullback of a rule with respect to the adjoints or tangents that it is given."""
    return Global(name_of(rule.py_func), Callee(rule.py_func, (Step("pullback", tuple(given)),)))


def reverse_custom(sweep: AdjointSweep, node: Apply, adjoint: Contribution) -> None:
    """Add to the adjoints of the arguments, given that of the result."""
    function, args, result = _taken_apart(node)
    seed = sweep.cast(node.out, Contribution(sweep.full(node.out, adjoint)))
    if isinstance(seed, Literal):
        seed = Literal(float(seed.value))
    active = [k for k, arg in enumerate(args) if isinstance(arg, Value) and arg in sweep.active]
    if function.vjp is not None:
        kinds = adjoint_kinds(function, args, result, node.loc)
        found = sweep.apply("rule", _rule(function.vjp), *args, result, seed, name="adjoints")
        for k in active:
            part = found if len(args) == 1 else sweep.apply("getitem", found, Literal(k))
            check_part(sweep, function, k, (part, kinds[k]), args[k])
            if is_array(kinds[k]) or not atom_rank(args[k]):
                sweep.contribute(args[k], Contribution(part))
    elif any(atom_rank(atom) for atom in (*args, result)):
        _reverse_tangent_rule(sweep, function.jvp, (args, result, seed), active)
    else:
        tangent_kind(function, args, result, node.loc)
        for k in active:
            unit = [Literal(1.0 if other == k else 0.0) for other in range(len(args))]
            slope = sweep.apply("rule", _rule(function.jvp), *args, result, *unit)
            sweep.contribute(args[k], Contribution(sweep.apply("mul", seed, slope)))


def _reverse_tangent_rule(
    sweep: AdjointSweep, rule: Any, given: tuple[tuple[Atom, ...], Atom, Atom], active: list[int]
) -> None:
    """Add to the adjoints of arguments by the pullback of a rule for tangents.

    Args:
        sweep: the reverse sweep.
        rule: the rule.
        given: the arguments, the result and its adjoint.
        active: positions of the arguments that carry a derivative.
    """
    args, result, seed = given
    zeros = [_zero(sweep, arg) for arg in args]
    if atom_rank(result):
        seed = sweep.apply("np.ascontiguousarray", seed)
    callee = _transposed(rule, [len(args) + 1 + k for k in active])
    found = sweep.apply("derivative", callee, *args, result, *zeros, seed, name="adjoints")
    for position, k in enumerate(active):
        sweep.contribute(args[k], Contribution(sweep.apply("getitem", found, Literal(position))))


def _zero(sweep: AdjointSweep, arg: Atom) -> Atom:
    is_vector = isinstance(arg, Value) and is_array(arg.type)
    return sweep.apply("np.zeros_like", arg) if is_vector else Literal(0.0)


def forward_custom(sweep: TangentSweep, node: Apply) -> Atom:
    """Return the tangent of the result.

    Raises:
        DifferentiationError: AD202 for a function of several arguments that returns an array, and has a
            rule for adjoints only.
    """
    function, args, result = _taken_apart(node)
    if function.jvp is not None:
        kind = tangent_kind(function, args, result, node.loc)
        found = sweep.apply("rule", _rule(function.jvp), *args, result, *map(sweep.whole, args))
        check_part(sweep, function, None, (found, kind), result)
        return found
    if not atom_rank(result):
        return _from_gradient(sweep, function, args, result)
    if len(args) > 1:
        reason = f"'{function.__name__}' has a rule for adjoints only, and its result is an array"
        raise DifferentiationError("AD202", reason, node.loc, "give it one for tangents, too: defjvp")
    seed = sweep.contiguous(args[0])
    callee = _transposed(function.vjp, [2])
    found = sweep.apply("derivative", callee, args[0], result, sweep.apply("np.zeros_like", result), seed)
    return sweep.apply("getitem", found, Literal(0))


def _from_gradient(
    sweep: TangentSweep, function: CustomFunction, args: tuple[Atom, ...], result: Atom
) -> Atom:
    """The tangent of a number is the sum of gradient times tangent."""
    kinds = adjoint_kinds(function, args, result, sweep.loc)
    found = sweep.apply("rule", _rule(function.vjp), *args, result, Literal(1.0))
    total: Atom | None = None
    for k, arg in enumerate(args):
        tangent = sweep.tangent(arg)
        if tangent is None:
            continue
        part = found if len(args) == 1 else sweep.apply("getitem", found, Literal(k))
        check_part(sweep, function, k, (part, kinds[k]), arg)
        term: Atom = sweep.apply("mul", part, tangent)
        if atom_rank(arg):
            term = sweep.apply("np.sum", term)
        total = term if total is None else sweep.apply("add", total, term)
    assert total is not None
    return total
