"""Calls: primitives become nodes, Python and `@njit` functions are followed into their source."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import TYPE_CHECKING

import gast

from adcompiler.frontend import expressions, lower, resolve
from adcompiler.frontend.bindings import Binding, Closure, Environment
from adcompiler.frontend.parse import Source, parse
from adcompiler.graph.nodes import Apply, Atom, Global, Literal, Value

if TYPE_CHECKING:
    from adcompiler.frontend.lower import Lowering

UNSUPPORTED_HERE = {"enumerate", "zip", "reversed", "list", "dict", "set", "sorted", "map", "filter", "sum"}


def call(state: Lowering, node: gast.Call, name: str | None) -> Binding:
    """Lower a call; `name` is the variable that its result is assigned to."""
    if any(isinstance(arg, gast.Starred) for arg in node.args) or any(k.arg is None for k in node.keywords):
        raise state.refuse("AD102", "starred arguments are not part of the language", node)
    primitive = expressions.called(state, node)
    if primitive is not None:
        return _primitive(state, node, primitive, name)
    if isinstance(node.func, gast.Attribute) and expressions.dotted(state, node.func) is resolve.MISSING:
        return _method(state, node, node.func, name)
    callee = expressions.binding(state, node.func)
    if isinstance(callee, Closure):
        return _follow(state, node, callee.source, callee.env, name)
    if isinstance(callee, Global):
        return _global(state, node, callee, name)
    raise state.refuse("AD102", "this value cannot be called", node)


def _global(state: Lowering, node: gast.Call, callee: Global, name: str | None) -> Binding:
    function = callee.value
    if getattr(function, "is_derivative", False):
        reason = "a gradient is called inside the function to differentiate"
        raise state.refuse("AD203", reason, node, "differentiate the function outside")
    if resolve.is_followed(function):
        return _follow(state, node, parse(resolve.unwrap(function)), None, name)  # type: ignore[arg-type]
    primitive = resolve.primitive(function)
    if primitive is not None:
        return _primitive(state, node, primitive, name)
    raise state.refuse("AD102", f"'{callee.name}' has no Python source to go into", node)


def _arguments(state: Lowering, node: gast.Call) -> tuple[tuple[Atom, ...], tuple[tuple[str, Atom], ...]]:
    args = tuple(expressions.atom(state, arg) for arg in node.args)
    keywords = tuple((k.arg, expressions.atom(state, k.value)) for k in node.keywords)
    return args, keywords


def _primitive(state: Lowering, node: gast.Call, fn: str, name: str | None) -> Binding:
    if fn in UNSUPPORTED_HERE:
        raise state.refuse("AD102", f"'{fn}' is not part of the language", node)
    args, keywords = _arguments(state, node)
    if fn in ("max", "min") and len(args) > 2:  # max(a, b, c) is max(max(a, b), c)
        first = expressions.apply(state, node, fn, args[:2])
        for arg in args[2:-1]:
            first = expressions.apply(state, node, fn, (first, arg))
        args = (first, args[-1])
    if fn == "float" and len(args) == 1 and isinstance(args[0], Literal) and args[0].value != "":
        value = args[0].value
        assert isinstance(value, int | float | str)
        return Literal(float(value))
    if fn == "reshape":
        args = _reshape_arguments(state, node, args)
    return expressions.apply(state, node, fn, args, name, keywords)


def _reshape_arguments(state: Lowering, node: gast.Call, args: tuple[Atom, ...]) -> tuple[Atom, ...]:
    """`x.reshape(2, 3)` and `x.reshape((2, 3))` are one thing."""
    if len(args) > 2:
        return args[0], expressions.apply(state, node, "tuple", args[1:])
    return args


def _method(state: Lowering, node: gast.Call, func: gast.Attribute, name: str | None) -> Binding:
    method = func.attr
    if method not in resolve.METHODS:
        raise state.refuse("AD102", f"method '.{method}()' is not part of the language", node)
    owner = expressions.atom(state, func.value)
    args, keywords = _arguments(state, node)
    fn = resolve.METHODS[method]
    if fn == "T" and args:
        raise state.refuse("AD102", "transpose with axes is not part of the language", node)
    all_args = (owner, *args)
    if fn == "reshape":
        all_args = _reshape_arguments(state, node, all_args)
    return expressions.apply(state, node, fn, all_args, name, keywords)


def _follow(
    state: Lowering, node: gast.Call, source: Source, enclosing: Environment | None, target: str | None
) -> Binding:
    """Inline a call: lower the callee's body in place, its parameters bound to the arguments."""
    name = getattr(source.tree, "name", "lambda")
    identity = source.tree
    if identity in state.stack or (source.function.__code__ in state.stack and enclosing is None):
        raise state.refuse("AD201", f"'{name}' calls itself", node)
    env = _bind_parameters(state, node, source, enclosing)
    statement = state.statement
    stack = (*state.stack, identity, source.function.__code__)
    result = lower.lower_body(source, env, state.nodes, stack, enclosing)
    state.statement = statement
    last = state.nodes[-1] if state.nodes else None
    if target is not None and isinstance(last, Apply) and last.out is result and last.out.temporary:
        result = Value(target)
        state.nodes[-1] = replace(last, out=result)
    return result


def _bind_parameters(
    state: Lowering, node: gast.Call, source: Source, enclosing: Environment | None
) -> Environment:
    args = [expressions.binding(state, arg) for arg in node.args]
    keywords = {k.arg: expressions.binding(state, k.value) for k in node.keywords}
    tree = source.tree.args
    names = [a.id for a in tree.posonlyargs + tree.args + tree.kwonlyargs]
    count = len(tree.posonlyargs + tree.args)
    env: Environment = dict(zip(names[:count], args, strict=False))
    unknown = [key for key in keywords if key not in names or key in env]
    if tree.vararg or tree.kwarg or len(args) > count or unknown:
        raise state.refuse("AD107", f"expected the parameters ({', '.join(names)})", node)
    env |= keywords
    for name in names:
        if name not in env:
            env[name] = _default(state, node, source, name, enclosing)
    return env


def _default(
    state: Lowering, node: gast.Call, source: Source, name: str, enclosing: Environment | None
) -> Binding:
    tree = source.tree.args
    positional = tree.posonlyargs + tree.args
    trees = dict(zip([a.id for a in reversed(positional)], reversed(tree.defaults), strict=False))
    trees |= {a.id: d for a, d in zip(tree.kwonlyargs, tree.kw_defaults, strict=True) if d is not None}
    if name not in trees:
        raise state.refuse("AD107", f"parameter '{name}' is missing", node)
    if enclosing is not None:  # a nested function: its defaults are expressions of this scope
        return expressions.binding(state, trees[name])
    default = inspect.signature(source.function).parameters[name].default
    return resolve.constant(name, default)
