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
from adcompiler.frontend.dispatchers import name_of
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


def taken_apart(node: Apply) -> tuple[CustomFunction[..., Any], tuple[Atom, ...], Atom]:
    """Return the function, its arguments and its result.

    Raises:
        DifferentiationError: AD202 where the function has no rule.
    """
    callee, *args, result = node.args
    assert isinstance(callee, Global) and isinstance(callee.value, CustomFunction)
    function = callee.value.variant([_kind(atom) for atom in (*args, result)])
    if function.vjp is None and function.jvp is None:
        reason = f"'{callee.name}' has been given no rule: defvjp or defjvp"
        raise DifferentiationError("AD202", reason, node.loc)
    return function, tuple(args), result


def global_of(rule: Any) -> Global:
    return Global(name_of(rule.py_func), rule)


def transposed(rule: Any, given: list[int]) -> Global:
    """Return the pullback of a rule with respect to the adjoints or tangents that it is given."""
    return Global(name_of(rule.py_func), Callee(rule.py_func, (Step("pullback", tuple(given)),)))


def adjoint_kinds(
    function: CustomFunction[..., Any], args: Sequence[Atom], result: Atom, where: Location
) -> list[nt.Type]:
    """Return the types of the adjoints that a rule returns, one for each argument.

    Raises:
        DifferentiationError: AD204 where their number or their numbers of axes do not fit the arguments.
    """
    kinds = [_kind(atom) for atom in (*args, result)]
    returned = _returned(function, function.vjp, [*kinds, _fresh(kinds[-1])], where)
    if len(args) == 1:
        found = [returned]
    elif isinstance(returned, nt.BaseTuple) and len(returned.types) == len(args):
        found = list(returned.types)
    else:
        reason = f"the rule of '{function.__name__}' returns {_shown(returned)} for {len(args)} arguments"
        raise DifferentiationError("AD204", reason, where, "return a tuple of one adjoint for each argument")
    for name, own, kind in zip(function.signature.parameters, kinds, found, strict=False):
        if not _fits(kind, own, allows_none=True):
            reason = f"the rule of '{function.__name__}' returns {_shown(kind)} for '{name}', {_shown(own)}"
            raise DifferentiationError("AD204", reason, where, "return an adjoint of the argument's shape")
    return found


def tangent_kind(
    function: CustomFunction[..., Any], args: Sequence[Atom], result: Atom, where: Location
) -> nt.Type:
    """Return the type of the tangent that a rule returns.

    Raises:
        DifferentiationError: AD204 where its number of axes is not that of the function's result.
    """
    kinds = [_kind(atom) for atom in (*args, result)]
    returned = _returned(function, function.jvp, [*kinds, *map(_fresh, kinds[:-1])], where)
    if not _fits(returned, kinds[-1], allows_none=False):
        own = _shown(kinds[-1])
        reason = f"the rule of '{function.__name__}' returns {_shown(returned)} for its result, {own}"
        raise DifferentiationError("AD204", reason, where, "return a tangent of the result's shape")
    return returned


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


def _kind(atom: Atom) -> nt.Type:
    return atom.type if isinstance(atom, Value) else constant_kind(atom)


def _fresh(kind: nt.Type) -> nt.Type:
    """Return the type of an adjoint or tangent of a value."""
    if is_array(kind):
        return kind.copy(layout="C", readonly=False)
    return nt.float64 if isinstance(kind, nt.Integer | nt.Boolean) else kind


def _returned(
    function: CustomFunction[..., Any], rule: Any, kinds: Sequence[nt.Type], where: Location
) -> nt.Type:
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
