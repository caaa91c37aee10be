"""Calls of functions that are defined in the language: the definition is lowered in place of the call."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import gast

from adcompiler.definitions import DEFINITIONS, SHOWN, Definition
from adcompiler.errors import DifferentiationError
from adcompiler.frontend import inlining, tuples
from adcompiler.frontend.bindings import Binding, Environment
from adcompiler.frontend.parse import parse
from adcompiler.frontend.state import Lowering
from adcompiler.graph.nodes import Apply, Atom, Global, Literal, Node, Region, Store, Value
from adcompiler.graph.walk import regions, walk, with_regions
from adcompiler.primitives import card
from adcompiler.source import Location


def arguments(state: Lowering, nodes: Sequence[gast.expr]) -> list[Binding]:
    """Lower the arguments of a call; `*t` stands for the items of a tuple."""
    found: list[Binding] = []
    for node in nodes:
        found += tuples.items(state, [node]) if isinstance(node, gast.Starred) else [argument(state, node)]
    return found


def argument(state: Lowering, node: gast.expr) -> Binding:
    """Lower an argument; lists of known length are as good as tuples here."""
    if isinstance(node, gast.List | gast.Tuple) and not any(isinstance(e, gast.Starred) for e in node.elts):
        return tuple(argument(state, part) for part in node.elts)
    return state.binding(node)


def inlined(
    state: Lowering,
    node: gast.expr,
    fn: str,
    args: Sequence[Binding],
    keywords: dict[str, Binding],
    name: str | None,
) -> Binding | None:
    """Lower the definition of a function in place of a call; None where the primitive is meant.

    Raises:
        DifferentiationError: what the definition refuses, at the place of the call.
    """
    fitting = (d for d in DEFINITIONS.get(fn, ()) if _fits(state, d, args, keywords))
    definition = next(fitting, None)
    if definition is None:
        return None
    _check_options(state, node, definition, args, keywords)
    start, where = len(state.nodes), state.where(node)
    names = [*inspect.signature(definition.function).parameters]
    marked = names if not definition.is_analytic or fn in SHOWN else definition.reals
    args = [of_reals(state, node, fn, a) if k in marked else a for k, a in zip(names, args, strict=False)]
    keywords = {k: of_reals(state, node, fn, a) if k in marked else a for k, a in keywords.items()}
    source = parse(definition.function)
    try:
        env = inlining.bind_parameters(state, node, source, None, args, keywords)
        result = inlining.inline(state, source, env, None, name)
    except DifferentiationError as error:
        raise DifferentiationError(error.code, error.reason, where, error.cure) from error
    made = [*walk(Region((), tuple(state.nodes[start:]), ()))]
    if any(isinstance(inner, Store) for inner in made):
        result = _apart(state, node, result, {n.out: n for n in made if isinstance(n, Apply)}, name)
    state.nodes[start:] = [relocated(made, where) for made in state.nodes[start:]]
    return result


def _check_options(
    state: Lowering,
    node: gast.expr,
    definition: Definition,
    args: Sequence[Binding],
    keywords: dict[str, Binding],
) -> None:
    """Refuse an axis that is a variable: what the definition is written out as depends on it."""
    names = inspect.signature(definition.function).parameters
    for name, binding in [*zip(names, args, strict=False), *keywords.items()]:
        if name in _OPTIONS and isinstance(binding, Value):
            raise state.refuse("AD102", f"'{name}' has to be a constant here", node, "write a number")


_OPTIONS = {
    "axis",
    "axes",
    "axis1",
    "axis2",
    "source",
    "destination",
    "keepdims",
    "mode",
    "indexing",
    "rowvar",
}


def _apart(
    state: Lowering, node: gast.expr, result: Binding, makers: dict[Value, Apply], name: str | None
) -> Binding:
    """Return a copy of an array that a definition has filled, so that to the program it is never written."""
    if isinstance(result, tuple):
        return tuple(_apart(state, node, part, makers, None) for part in result)
    owner = result
    while isinstance(owner, Value) and owner in makers and card(makers[owner].fn).is_view:
        owner = makers[owner].args[0]
    is_filled = isinstance(owner, Value) and owner in makers and makers[owner].fn != "copy"
    if is_filled and isinstance(result, Value) and state.ranks.get(result):
        return state.apply(node, "copy", (result,), name)
    return result


def of_reals(state: Lowering, node: gast.expr, fn: str, binding: Binding) -> Binding:
    """Mark an argument of a definition that has to be real, or may not be written afterwards."""
    if isinstance(binding, Value):
        marked = state.apply(node, "of_reals", (binding, Literal(fn)), binding.name)
        state.ranks[marked] = state.ranks.get(binding)
        return marked
    return binding


def as_given(
    state: Lowering, node: gast.Call, fn: str, args: Sequence[Binding], keywords: dict[str, Binding]
) -> tuple[tuple[Atom, ...], tuple[tuple[str, Atom], ...]]:
    """Return the arguments of a primitive, without those that say nothing, such as `keepdims=False`."""
    known = DEFINITIONS.get(fn)
    parameters = inspect.signature(known[-1].function).parameters if known else {}
    defaults = {key: Literal(parameter.default) for key, parameter in parameters.items()}
    said, names = [*args], [*parameters]
    while 1 < len(said) <= len(names) and said[-1] == defaults.get(names[len(said) - 1]):
        said.pop()
    named = {key: value for key, value in keywords.items() if value != defaults.get(key)}
    return (
        tuple(state.materialise(arg, node) for arg in said),
        tuple((key, state.materialise(value, node)) for key, value in named.items()),
    )


def _fits(
    state: Lowering, definition: Definition, args: Sequence[Binding], keywords: dict[str, Binding]
) -> bool:
    parameters = inspect.signature(definition.function).parameters
    positional = [name for name, p in parameters.items() if p.kind is not p.KEYWORD_ONLY]
    if len(args) > len(positional) or not keywords.keys() <= parameters.keys():
        return False
    bound: Environment = dict(zip(positional, args, strict=False)) | keywords
    given = {key: _static(value) for key, value in bound.items()}
    ranks = {key: _rank(state, value) for key, value in bound.items()}
    return definition.when(given, ranks)


def _static(binding: Binding) -> Any:
    """Return what is known of an argument: a constant, a tuple of such, or else its atom."""
    if isinstance(binding, tuple):
        return tuple(map(_static, binding))
    return binding.value if isinstance(binding, Literal) else binding


def _rank(state: Lowering, binding: Binding) -> int | None:
    match binding:
        case Value():
            return state.ranks.get(binding)
        case Literal():
            return 0
        case Global():
            return getattr(binding.value, "ndim", None)
    return None


def relocated(node: Node, where: Location) -> Node:
    """Let a node of a definition stand for the user's line."""
    inner = tuple(
        replace(part, nodes=tuple(relocated(made, where) for made in part.nodes)) for part in regions(node)
    )
    return replace(with_regions(node, inner), loc=where)
