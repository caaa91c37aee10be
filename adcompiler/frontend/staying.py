"""Functions that stay functions: those that are called more than once and are long.

Their bodies stand in the derivative once, however often they are called, as they do in the user's text. All
others are inlined, as are those that are given or return something else than numbers, or that do anything but
compute.
"""

from __future__ import annotations

import types
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import gast

from adcompiler.errors import DifferentiationError
from adcompiler.frontend.bindings import Binding, Environment, flatten, rebuild
from adcompiler.frontend.inlining import lower_body, raises_inside
from adcompiler.frontend.parse import Source, parse
from adcompiler.frontend.ranks import atom_rank
from adcompiler.frontend.recursion import Callee, called, is_recursive
from adcompiler.frontend.state import Lowering
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    Effect,
    For,
    Global,
    Literal,
    Node,
    Region,
    Store,
    Value,
    While,
)
from adcompiler.graph.roots import is_root
from adcompiler.graph.walk import walk
from adcompiler.primitives import card

WORTH = 150
"""So many operations have to be saved: two more functions take as long to compile, and calls cost time."""
_OPERATIONS = (gast.BinOp, gast.UnaryOp, gast.Call, gast.Compare, gast.Subscript, gast.stmt)


class CannotStayError(Exception):
    """A function has to be inlined after all, as its types show, or what its reversal reads.

    Attributes:
        function: the function.
    """

    def __init__(self, function: object) -> None:
        self.function = function
        super().__init__(function)


def staying_functions(function: types.FunctionType) -> frozenset[types.FunctionType]:
    """Return the functions below a function that are called more than once and are long.

    >>> def power(x):
    ...     return x * x
    >>> def twice(x):
    ...     return power(x) + power(2.0 * x)
    >>> staying_functions(twice)  # they are short
    frozenset()
    """
    try:
        order = _callers_first(function)
    except DifferentiationError:  # a text that is not there is only missed where it is needed
        return frozenset()
    sizes = _sizes(order)
    copies = Counter({function: 1})
    found: set[types.FunctionType] = set()
    for each in order:
        if each is not function and (copies[each] - 1) * sizes[each] >= WORTH:
            found.add(each)
        for callee, count in called(each).items():
            copies[callee] += count * (1 if each in found else copies[each])
    return frozenset(found)


def inlined_size(function: Any) -> int:
    """Return how many operations a function has, with those of the functions that it calls."""
    return _sizes(_callers_first(function))[function]


def _sizes(callers_first: Sequence[types.FunctionType]) -> dict[types.FunctionType, int]:
    sizes: dict[types.FunctionType, int] = {}
    for each in reversed(callers_first):
        sizes[each] = _size(each) + sum(sizes.get(callee, 0) * n for callee, n in called(each).items())
    return sizes


def _callers_first(function: types.FunctionType) -> list[types.FunctionType]:
    """Return a function and those that it calls, callers first, without those that call themselves."""
    found: list[types.FunctionType] = []
    seen: set[types.FunctionType] = set()

    def visit(each: types.FunctionType) -> None:
        seen.add(each)
        for callee in called(each):
            if callee not in seen and not is_recursive(callee):
                visit(callee)
        found.append(each)

    visit(function)
    return found[::-1]


def _size(function: types.FunctionType) -> int:
    return sum(isinstance(node, _OPERATIONS) for node in gast.walk(parse(function).tree))


def call(
    state: Lowering, node: gast.Call, source: Source, env: Environment, name: str | None
) -> Binding | None:
    """Lower a call of a function that stays one; None if it has to be inlined.

    Args:
        state: the state.
        node: the call.
        source: the function.
        env: what its parameters are bound to.
        name: the variable that the result is for.
    """
    function = source.function
    tree = source.tree.args
    names = [a.id for a in tree.posonlyargs + tree.args + tree.kwonlyargs]
    args = [arg for parameter in names if isinstance(arg := env[parameter], Atom)]
    if tree.vararg or len(args) < len(names) or not all(_may_be_number(arg, state.ranks) for arg in args):
        return None
    raises = raises_inside(state, source)
    key = function, raises
    if key not in state.staying_results:
        state.staying_results[key] = _result(state, source, names, raises)
    found = state.staying_results[key]
    if found is None:
        return None
    result, callee = found
    whole = name if isinstance(result, Atom) else None
    out = state.apply(node, "called", (Global(callee.name, callee), *args), whole or function.__name__)
    if isinstance(result, Atom):
        state.ranks[out] = 0
        return out
    return _parts(state, node, out, result)


def _parts(state: Lowering, node: gast.Call, whole: Value, result: Binding) -> Binding:
    """Return what a function returns, in the structure in which it returns it."""
    made: list[Value] = []
    for k, leaf in enumerate(flatten(result)):
        part = state.apply(node, "getitem", (whole, Literal(k)), getattr(leaf, "name", None))
        part.temporary = getattr(leaf, "temporary", True)
        state.ranks[part] = 0
        made.append(part)
    supply = iter(made)
    found: Binding = rebuild(result, lambda _: next(supply))
    return found


def _may_be_number(binding: Binding, ranks: dict[Value, int | None]) -> bool:
    """Tell whether a binding is a number, as far as is known."""
    if isinstance(binding, Literal):
        return isinstance(binding.value, int | float)
    return isinstance(binding, Value) and atom_rank(binding, ranks) in (0, None)


def _result(
    state: Lowering, source: Source, names: Sequence[str], raises: bool | None
) -> tuple[Binding, Callee] | None:
    """Return what a function returns, given numbers, and how it is called; None if it cannot stay."""
    params = [Value(name) for name in names]
    env: Environment = dict(zip(names, params, strict=True))
    nodes: list[Node] = []
    ranks: dict[Value, int | None] = dict.fromkeys(params, 0)
    stack = (*state.stack, source.function, source.function.__code__)
    inner = replace(
        state, source=source, env=env, nodes=nodes, enclosing=None, stack=stack, ranks=ranks, raises=raises
    )
    result = lower_body(inner)
    inside = [*walk(Region((), tuple(nodes), ()))]
    is_plain = all(map(_only_computes, inside)) and all(_may_be_number(x, ranks) for x in flatten(result))
    if not is_plain:
        return None
    steep, loops = any(map(is_root, inside)), any(map(_has_loops, inside))
    return result, Callee(source.function, (), False, raises, (), None, state.staying, steep, loops)


def _has_loops(node: Node) -> bool:
    called = node.args[0] if isinstance(node, Apply) and node.fn == "called" else None
    return isinstance(node, For | While) or bool(getattr(getattr(called, "value", None), "has_loops", False))


def _only_computes(node: Node) -> bool:
    """Tell whether a node has no effect outside, so that it may run once more."""
    match node:
        case Effect(fn=fn):
            return fn in ("assert", "raise")
        case Store(array=array):
            return isinstance(array, Value)
        case Apply(fn=fn):
            return card(fn).is_pure and not card(fn).writes_first
    return True
