"""Functions as layouts: a closure is a record of what it captures, a derivative a record of its function.

So a function that stays a call, because it is differentiated, gets what it captures as further arguments,
and the derivative by its own argument is another one than the derivative by what it captures.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gast
import numpy as np

from adcompiler.frontend import resolve, scope
from adcompiler.frontend.bindings import (
    Ambiguous,
    Binding,
    Closure,
    Inner,
    Record,
    Transform,
    Transformation,
    TypeOf,
    like,
)
from adcompiler.frontend.dispatchers import name_of
from adcompiler.frontend.parse import Source, assigned, default_trees, parse
from adcompiler.frontend.state import Lowering
from adcompiler.graph.layout import Layout, Leaf, Packed, Static, derived_name
from adcompiler.graph.nodes import UNDEFINED, Atom, Global, Literal, Value
from adcompiler.graph.steps import extended


def laid_out(state: Lowering, node: gast.AST, binding: Binding) -> tuple[Layout, list[Atom]]:
    """Return how a binding is built from single values, and these.

    Raises:
        DifferentiationError: AD203 for what no argument can be, such as a pullback.
    """
    match binding:
        case Literal(value=None | str()):
            return Static(binding.value), []
        case Value() | Literal() | Global(value=np.ndarray() | np.generic()):
            return Leaf(), [binding]
        case Global():
            return Static(binding.value), []
        case Closure():
            return _of_closure(state, node, binding)
        case Transform():
            layout, atoms = laid_out(state, node, binding.function)
            return Packed((layout,), ("function",), binding.how), atoms
        case tuple():
            layouts, found = [], []
            for item in binding:
                layout, atoms = laid_out(state, node, item)
                layouts.append(layout)
                found += atoms
            if isinstance(binding, Record):
                return Packed(tuple(layouts), binding.names, binding.maker), found
            return Packed(tuple(layouts)), found
    reason = "a function that is differentiated reads a pullback or type made outside of it"
    raise state.refuse("AD203", reason, node, "make it inside of that function")


def layout_of_function(function: Binding) -> Layout:
    """Return the layout of a function that captures nothing of functions around it."""
    match function:
        case Transform():
            return Packed((layout_of_function(function.function),), ("function",), function.how)
        case Global(value=value):
            return Static(value)
    raise AssertionError(function)


def _of_closure(state: Lowering, node: gast.AST, closure: Closure) -> tuple[Layout, list[Atom]]:
    captured = {name: found for name in free(closure) if (found := around(closure, name)) is not None}
    captured = closure.defaults | captured  # no parameter is free
    record = Record([*captured.values()], tuple(captured), Inner(closure.source))
    return laid_out(state, node, record)


def around(closure: Closure, name: str) -> Binding | None:
    found = scope.variable(closure.frame, name)
    return None if found == UNDEFINED or isinstance(found, Ambiguous | TypeOf) else found


def free(closure: Closure) -> list[str]:
    """Return the names that a nested function may read of the variables around it, in their order."""
    tree = closure.source.tree
    own = {a.id for a in (*tree.args.posonlyargs, *tree.args.args, *tree.args.kwonlyargs)}
    if isinstance(tree, gast.FunctionDef):
        own |= {*assigned(tree.body)} | {tree.name}
    body = tree.body if isinstance(tree, gast.FunctionDef) else [tree.body]
    names = (n.id for stmt in body for n in gast.walk(stmt) if isinstance(n, gast.Name))
    return [*dict.fromkeys(name for name in names if name not in own)]


def put_back(state: Lowering, binding: Binding) -> Binding:
    """Return a binding in which records of captured variables are closures again.

    Args:
        state: the state in which they are called.
        binding: what a parameter is bound to.
    """
    match binding:
        case Record(maker=Inner() as inner):
            env = {name: put_back(state, item) for name, item in zip(binding.names, binding, strict=True)}
            defaults = {name: env.pop(name) for name in default_trees(inner.source.tree.args)}
            frame = replace(state, source=inner.source, env=env, local_names=set(env), enclosing=None)
            return Closure(inner.source, frame, defaults)
        case Record(maker=Transformation() as how):
            return Transform(how, put_back(state, binding[0]))
        case Record():
            return Record([put_back(state, item) for item in binding], binding.names, binding.maker)
        case tuple():
            return tuple(put_back(state, item) for item in binding)
    return binding


def with_lists(binding: Binding, layout: Layout) -> Binding:
    """Return a binding in which tuples that stand for lists say so."""
    if not isinstance(layout, Packed) or not isinstance(binding, tuple):
        return binding
    items = [with_lists(item, part) for item, part in zip(binding, layout.parts, strict=True)]
    return Record(items, (), list) if layout.maker is list else like(binding, items)


def without_lists(binding: Binding) -> Binding:
    """Return a binding in which lists are tuples, as functions take them."""
    if not isinstance(binding, tuple):
        return binding
    items = [without_lists(item) for item in binding]
    return tuple(items) if isinstance(binding, Record) and binding.maker is list else like(binding, items)


def source_of(what: Layout) -> Source:
    """Return the function at the bottom of a layout of functions."""
    match what:
        case Packed(maker=Inner() as inner):
            return inner.source
        case Packed():
            return source_of(what.parts[0])
        case Static(value=value):
            return parse(value)
    raise AssertionError(what)


def name_of_layout(what: Layout) -> str:
    """Return the name of the function at the bottom of a layout of functions."""
    match what:
        case Packed(maker=Inner() as inner):
            return str(getattr(inner.source.tree, "name", "lambda_"))
        case Packed(maker=Transformation() as how):
            return derived_name(name_of_layout(what.parts[0]), how.mode)
        case Static(value=value):
            return name_of(value)
    raise AssertionError(what)


def signature_of(function: Binding) -> inspect.Signature:
    """Return the parameters of a function; those of a nested one without defaults have none."""
    match function:
        case Closure():
            return inspect.Signature([*_parameters(function.source.tree.args)])
        case Transform():
            return extended(function.how.mode, signature_of(function.function))
        case Global(value=value):
            return inspect.signature(getattr(value, "py_func", value))
    raise AssertionError(function)


def _parameters(tree: Any) -> Iterator[inspect.Parameter]:
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    trees = default_trees(tree)
    for arg in tree.posonlyargs + tree.args:
        yield inspect.Parameter(arg.id, kind, default=trees.get(arg.id, inspect.Parameter.empty))
    for arg in tree.kwonlyargs:
        default = trees.get(arg.id, inspect.Parameter.empty)
        yield inspect.Parameter(arg.id, inspect.Parameter.KEYWORD_ONLY, default=default)


def default_of(function: Binding, name: str) -> Binding:
    """Return what a parameter is bound to where no argument is given."""
    match function:
        case Closure():
            return function.defaults[name]
        case Transform():
            return default_of(function.function, name)
    return resolve.constant(name, signature_of(function).parameters[name].default)
