"""Calls of functions with rules of their own: what they return, as functions of the arguments.

In the graph, `custom` calls the function, and `custom[0]` is a single value of what it returned, which
carries the derivative. The latter reads the function, the arguments, what was returned and, where that is
several values, which of these it is, and this value once more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import gast
from numba.core import types as nt

from adcompiler.custom import CustomFunction
from adcompiler.frontend.bindings import Binding, Closure, Inner, Record, Transformation, label
from adcompiler.frontend.dispatchers import name_of
from adcompiler.frontend.flat_rules import FlatFunction, flat_function, form_of
from adcompiler.frontend.lifting import laid_out
from adcompiler.frontend.overloads import likely_result
from adcompiler.frontend.ranks import Ranks
from adcompiler.frontend.standalone import standalone
from adcompiler.frontend.state import Lowering
from adcompiler.graph.kinds import rank
from adcompiler.graph.layout import Layout, Leaf, Packed, build, is_bare
from adcompiler.graph.nodes import Apply, Atom, Global, Literal, Value


def custom_call(
    state: Lowering, node: gast.AST, callee: Global, args: Sequence[Binding], name: str | None
) -> Binding:
    """Lower a call of a function with a rule of its own.

    Args:
        state: the state.
        node: the call.
        callee: the function.
        args: what its parameters are bound to.
        name: the variable that the result is for.
    """
    args = [standalone(state, node, callee.name, arg) if isinstance(arg, Closure) else arg for arg in args]
    found = [laid_out(state, node, arg) for arg in args]
    for layout, _ in found:
        _check(state, node, callee, layout)
    form = form_of(callee.value, tuple(layout for layout, _ in found), state.where(node))
    if form.is_flat and not callee.value.nondiff:
        atoms = [arg for arg in args if isinstance(arg, Atom)]
        return _results(state, node, callee, atoms, [name])[0]
    flat = flat_function(callee.value, form, state.where(node))
    atoms = [atom for _, given in found for atom in given]
    names = [*_names(form.result, name, callee.name)]
    supply = iter(_results(state, node, Global(name_of(flat.function), flat), atoms, names))
    made: Binding = build(form.result, supply, _packed)
    return made


def _check(state: Lowering, node: gast.AST, callee: Global, layout: Layout) -> None:
    """Refuse arguments that compiled code cannot put together from single values (AD203)."""
    if not isinstance(layout, Packed):
        return
    if isinstance(layout.maker, Inner | Transformation):
        reason = f"'{callee.name}' has a rule of its own, and is given a function made inside"
        raise state.refuse("AD203", reason, node, "define that function outside, as a plain function")
    if is_bare(layout.maker) and layout.maker not in (tuple, list, dict):
        reason = f"'{callee.name}' has a rule of its own, and is given a {layout.maker.__name__}"
        raise state.refuse("AD203", reason, node, "pass a named tuple or a dictionary, not a dataclass")
    for part in layout.parts:
        _check(state, node, callee, part)


def _packed(layout: Packed, parts: list[Any]) -> Binding:
    return tuple(parts) if layout.maker is tuple else Record(parts, layout.names, layout.maker)


def _names(layout: Layout, name: str | None, otherwise: str) -> Iterator[str | None]:
    """Yield a name for each result: that of its field, or the function's with its position."""
    if isinstance(layout, Leaf):
        yield name
    elif isinstance(layout, Packed):
        for k, part in enumerate(layout.parts):
            own = label(layout.names[k]) if layout.names else ""
            yield from _names(part, own or f"{otherwise}_{k}", own or f"{otherwise}_{k}")


def _results(
    state: Lowering, node: gast.AST, callee: Global, args: Sequence[Atom], names: Sequence[str | None]
) -> list[Value]:
    whole = state.apply(node, "custom", (callee, *args), callee.name)
    if len(names) == 1:
        return [state.apply(node, "custom[0]", (callee, *args, whole), names[0] or callee.name)]
    raws = [state.apply(node, "getitem", (whole, Literal(k)), name) for k, name in enumerate(names)]
    found: list[Value] = []
    for k, (raw, name) in enumerate(zip(raws, names, strict=True)):
        found.append(state.apply(node, "custom[0]", (callee, *args, *raws, Literal(k), raw), name))
        found[-1].temporary = raw.temporary = True
    return found


@dataclass(frozen=True)
class Custom:
    """One of the values that a function with rules of its own returned, as a function of the arguments.

    Attributes:
        callee: the function.
        args: its arguments.
        raws: all single values that were returned: results, and residuals where a rule has left some.
        position: which of them it is.
    """

    callee: Global
    args: tuple[Atom, ...]
    raws: tuple[Atom, ...]
    position: int

    @property
    def function(self) -> CustomFunction[..., Any]:
        function = self.callee.value
        assert isinstance(function, CustomFunction)
        return function


def taken_apart(node: Apply) -> Custom:
    """Return what `custom[0]` reads."""
    callee, *rest = node.args
    assert isinstance(callee, Global)
    is_flat = isinstance(callee.value, FlatFunction)
    count = len(callee.value.signature.parameters) if is_flat else len(rest) - 1
    args, raws = tuple(rest[:count]), tuple(rest[count:])
    if len(raws) == 1:
        return Custom(callee, args, raws, 0)
    *own, position, _ = raws
    assert isinstance(position, Literal)
    return Custom(callee, args, tuple(own), position.value)


def rank_of_result(node: Apply, ranks: Ranks) -> int | None:
    """Return the number of axes of what `custom[0]` is, for likely types of the arguments."""
    found = taken_apart(node)
    kind = likely_result(found.function.dispatcher, found.args, ranks)
    if len(found.raws) > 1:
        kind = kind.types[found.position] if isinstance(kind, nt.BaseTuple) else None
    return rank(kind) if isinstance(kind, nt.Array | nt.Number) else None
