"""Functions with a derivative of their own, and whether what a rule returns has the form that it is to have.

The form is checked when the rule is compiled, and when it is run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from numba.core import types as nt
from numba.core.errors import NumbaError
from numba.core.registry import cpu_target

from adcompiler.analysis.types import is_array, rank
from adcompiler.custom import CustomFunction
from adcompiler.errors import DifferentiationError
from adcompiler.frontend.custom_calls import Custom, taken_apart
from adcompiler.frontend.dispatchers import name_of
from adcompiler.frontend.flat_rules import FlatFunction
from adcompiler.frontend.overloads import constant_kind
from adcompiler.frontend.recursion import Callee
from adcompiler.graph.nodes import Apply, Atom, Effect, Global, If, Literal, Node, Region, Role, Value
from adcompiler.graph.steps import Step
from adcompiler.source import Location


class Sweep(Protocol):
    """What both sweeps have: nodes, and the place of the node that is differentiated."""

    nodes: list[Node]
    loc: Location
    role: Role

    def apply(self, fn: str, *args: Atom) -> Value: ...


def with_rules(node: Apply) -> tuple[Custom, CustomFunction[..., Any]]:
    """Return what `custom[0]` reads, and the function with the rules for these types.

    Raises:
        DifferentiationError: AD202 where the function has no rule.
    """
    found = taken_apart(node)
    function = found.function.variant([kind_of(atom) for atom in (*found.args, *found.raws)])
    if function.vjp is None and function.jvp is None:
        reason = f"'{function.__name__}' has been given no rule: defvjp or defjvp"
        raise DifferentiationError("AD202", reason, node.loc)
    return found, function


def moved_arguments(function: CustomFunction[..., Any], args: Sequence[Atom]) -> tuple[int, ...]:
    """Return the positions of the arguments that the rules of a function are about."""
    return function.moved if isinstance(function, FlatFunction) else tuple(range(len(args)))


def global_of(rule: Any) -> Global:
    return Global(name_of(rule.py_func), rule)


def transposed(rule: Any, given: Sequence[int], picks: tuple[int, ...] | None) -> Global:
    """Return the pullback of a rule with respect to the adjoints or tangents that it is given.

    Args:
        rule: the rule.
        given: positions of these.
        picks: which of the values count that the rule returns; None for all, where it is one.
    """
    callee = Callee(rule.py_func, (Step("pullback", tuple(given)),), picks=picks)
    return Global(name_of(rule.py_func), callee)


def adjoint_kinds(
    function: CustomFunction[..., Any],
    rule: Any,
    args: Sequence[Atom],
    given: Sequence[Atom],
    where: Location,
) -> dict[int, nt.Type]:
    """Return the types of the adjoints that a rule returns, for each argument that it is about.

    Args:
        function: the function.
        rule: its rule.
        args: its arguments.
        given: all that the rule is given: of adjoints, what they belong to.
        where: the call.

    Raises:
        DifferentiationError: AD204 where their number or their numbers of axes do not fit the arguments.
    """
    own, moved = [*map(kind_of, args)], moved_arguments(function, args)
    count = function.results if isinstance(function, FlatFunction) else 1
    kinds = [*map(kind_of, given)]
    returned = returned_kind(function, rule, [*kinds[:-count], *map(_fresh, kinds[-count:])], where)
    if len(moved) == 1:
        found = [returned]
    elif isinstance(returned, nt.BaseTuple) and len(returned.types) == len(moved):
        found = list(returned.types)
    else:
        reason = f"the rule of '{function.__name__}' returns {_shown(returned)} for {len(moved)} arguments"
        raise DifferentiationError("AD204", reason, where, "return a tuple of one adjoint for each argument")
    names = [*function.signature.parameters]
    for k, kind in zip(moved, found, strict=True):
        if not _fits(kind, own[k], allows_none=True):
            name = names[k] if k < len(names) else names[-1]
            reason = (
                f"the rule of '{function.__name__}' returns {_shown(kind)} for '{name}', {_shown(own[k])}"
            )
            raise DifferentiationError("AD204", reason, where, "return an adjoint of the argument's shape")
    return dict(zip(moved, found, strict=True))


def tangent_kinds(
    function: CustomFunction[..., Any], args: Sequence[Atom], results: Sequence[Atom], where: Location
) -> list[nt.Type]:
    """Return the types of the tangents that a rule returns, one for each result.

    Raises:
        DifferentiationError: AD204 where their numbers of axes are not those of the function's results.
    """
    own, given = [*map(kind_of, args)], [*map(kind_of, results)]
    tangents = [_fresh(own[k]) for k in moved_arguments(function, args)]
    returned = returned_kind(function, function.jvp, [*own, *given, *tangents], where)
    found = [returned] if len(given) == 1 else [*getattr(returned, "types", ())]
    if len(found) != len(given) or not all(map(_fits, found, given, [False] * len(given))):
        wanted = _shown(given[0] if len(given) == 1 else nt.Tuple(given))
        reason = f"the rule of '{function.__name__}' returns {_shown(returned)} for its result, {wanted}"
        raise DifferentiationError("AD204", reason, where, "return a tangent of the result's shape")
    return found


def check_part(
    sweep: Sweep,
    function: CustomFunction[..., Any],
    k: int | None,
    part: tuple[Value, nt.Type],
    of: Atom,
) -> None:
    """Append the check that an adjoint has the shape of its argument, or a tangent that of the result.

    Args:
        sweep: where the check goes.
        function: the function whose rule it is.
        k: number of the argument; None for the result.
        part: the adjoint or tangent, and its type.
        of: the argument or the result.
    """
    atom, kind = part
    if not isinstance(of, Value) or not is_array(of.type):
        return
    name = "its result" if k is None else f"'{[*function.signature.parameters][k]}'"
    returned = f"the rule of '{function.__name__}' returns for {name}"
    args: tuple[Atom, ...]
    if is_array(kind):
        found, wanted = sweep.apply("shape", atom), sweep.apply("shape", of)
        test = sweep.apply("ne", found, wanted)
        args = Literal(f"{returned} an array of shape"), found, Literal("instead of"), wanted
    else:
        test = sweep.apply("ne", atom, Literal(0.0))
        args = (Literal(f"{returned} a number, which is not 0, instead of an array"),)
    error = Effect("raise", (Global("ValueError", ValueError), *args), loc=sweep.loc, role=sweep.role)
    sweep.nodes.append(
        If(test, Region((), (error,), ()), Region((), (), ()), (), loc=sweep.loc, role=sweep.role)
    )


def kind_of(atom: Atom) -> nt.Type:
    return atom.type if isinstance(atom, Value) else constant_kind(atom)


def _fresh(kind: nt.Type) -> nt.Type:
    """Return the type of an adjoint or tangent of a value."""
    if is_array(kind):
        return kind.copy(layout="C", readonly=False)
    return nt.float64 if isinstance(kind, nt.Integer | nt.Boolean) else kind


def returned_kind(
    function: CustomFunction[..., Any], rule: Any, kinds: Sequence[nt.Type], where: Location
) -> nt.Type:
    """Return the type of what a rule returns.

    Raises:
        DifferentiationError: AD204 where Numba cannot compile it.
    """
    try:
        found = nt.Dispatcher(rule).get_call_type(cpu_target.typing_context, tuple(kinds), {})
    except (NumbaError, TypeError) as error:
        reason = f"Numba cannot compile the rule of '{function.__name__}': {str(error)[:400]}"
        cure = "make the rule take the inputs, the result and its adjoint, or the inputs' tangents"
        raise DifferentiationError("AD204", reason, where, cure) from error
    return nt.unliteral(found.return_type)


def _fits(kind: nt.Type, own: nt.Type, allows_none: bool) -> bool:
    """Tell whether an adjoint may have a type; a number in place of an array is 0.0, for none."""
    is_number = isinstance(kind, nt.Number | nt.Boolean)
    if is_array(kind):
        return rank(kind) == rank(own) or not isinstance(own, nt.Number | nt.Array)
    return is_number and (not is_array(own) or allows_none)


def _shown(kind: nt.Type) -> str:
    if is_array(kind):
        return f"an array of {kind.ndim} {'axis' if kind.ndim == 1 else 'axes'}"
    if isinstance(kind, nt.BaseTuple):
        return f"a tuple of {len(kind.types)}"
    return "a number" if isinstance(kind, nt.Number | nt.Boolean) else str(kind)
