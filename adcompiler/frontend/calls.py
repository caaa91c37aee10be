"""Calls: primitives become nodes, Python and `@njit` functions are followed into their source."""

from __future__ import annotations

import inspect
import types
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gast
import numba
import numba.typed
import numpy as np

from adcompiler.custom import CustomFunction, stop_gradient
from adcompiler.definitions import refuse
from adcompiler.frontend import defined, expressions, lower, overloads, primitives, resolve, tuples
from adcompiler.frontend.bindings import Binding, Closure, Environment, Record, TypeOf
from adcompiler.frontend.buffers import writable
from adcompiler.frontend.parse import Source, parse
from adcompiler.frontend.ranks import atom_rank
from adcompiler.frontend.recursion import Callee, is_recursive
from adcompiler.graph.nodes import Apply, Atom, Effect, Global, Literal, Store, Value
from adcompiler.graph.steps import Chain, Step

if TYPE_CHECKING:
    from adcompiler.frontend.lower import Lowering

_LISTS = (numba.typed.List, numba.typed.List.empty_list)


def call(state: Lowering, node: gast.Call, name: str | None) -> Binding:
    """Lower a call; `name` is the variable that its result is assigned to."""
    if any(k.arg is None for k in node.keywords):
        raise state.refuse("AD102", "'**' arguments are not part of the language", node)
    primitive = expressions.called(state, node)
    if primitive is not None:
        return primitives.primitive(state, node, primitive, name)
    if isinstance(node.func, gast.Attribute) and _is_method(expressions.dotted(state, node.func)):
        return _method(state, node, node.func, name)
    return _called_value(state, node, expressions.binding(state, node.func), name)


def _is_method(found: object) -> bool:
    """Tell whether what stands before the last dot is a value, perhaps a captured array, and no module."""
    return found is resolve.MISSING or isinstance(getattr(found, "__self__", None), np.ndarray | np.generic)


def _called_value(state: Lowering, node: gast.Call, callee: Binding, name: str | None) -> Binding:
    if isinstance(callee, TypeOf):
        return expressions.apply(state, node, "cast", (callee.value, *_arguments(state, node)[0]), name)
    if isinstance(callee, Closure):
        return _follow(state, node, callee.source, callee.frame, name)
    if isinstance(callee, Global):
        return _global(state, node, callee, name)
    raise state.refuse("AD102", "this value cannot be called", node)


def _global(state: Lowering, node: gast.Call, callee: Global, name: str | None) -> Binding:
    function = callee.value
    if function is refuse:
        raise state.refuse("AD202", str(getattr(node.args[0], "value", "")), node)
    if function is stop_gradient:
        return expressions.apply(state, node, "stop_gradient", _arguments(state, node)[0], name)
    if isinstance(function, CustomFunction):
        return _custom(state, node, callee, function, name)
    if isinstance(function, Callee):  # in loops over directions
        args, _ = _arguments(state, node)
        return expressions.apply(state, node, "derivative", (callee, *args), name)
    if getattr(function, "is_derivative", False):
        return _derivative(state, node, function, name)
    if _is_own(function):
        reason = f"'{callee.name}' is called inside the function that is differentiated"
        cure = "make the derivative outside, as in g = grad(f), and call g inside"
        raise state.refuse("AD203", reason, node, cure)
    primitive = resolve.primitive(function)
    if primitive is None and (find := overloads.finder(function)) is not None:
        return _overloaded(state, node, callee.name, find, None, name)
    if resolve.is_followed(function) and primitive is None:
        plain = resolve.unwrap(function)  # type: ignore[arg-type]
        if is_recursive(plain):
            return _call_itself(state, node, function, name)
        return _follow(state, node, parse(function), None, name)  # type: ignore[arg-type]
    if primitive is not None:
        return primitives.primitive(state, node, primitive, name)
    if isinstance(function, type) and issubclass(function, tuple) and hasattr(function, "_fields"):
        return _named_tuple(state, node, function)
    if function in _LISTS:
        return expressions.apply(state, node, "list", (), name)
    args, keywords = _arguments(state, node)
    return expressions.apply(state, node, "call", (callee, *args), name or callee.name, keywords)


def _overloaded(
    state: Lowering,
    node: gast.expr,
    name: str,
    find: overloads.Finder,
    owner: Atom | None,
    target: str | None,
) -> Binding:
    """Follow what compiled code runs in place of a function or, of an owner, its method or attribute."""
    args = [] if owner is None else [owner]
    keywords: dict[str, Binding] = {}
    if isinstance(node, gast.Call):
        args += tuples.items(state, node.args)  # type: ignore[arg-type]
        keywords = {str(k.arg): expressions.binding(state, k.value) for k in node.keywords}
    choice = overloads.choose(name, find, args, keywords, state.ranks)
    if choice is None:
        reason = f"compiled code runs an overload of '{name}', and none was found for these arguments"
        raise state.refuse("AD202", reason, node, overloads.CURE)
    state.nodes.append(overloads.noted(choice, state.where(node)))
    source = parse(choice.function)
    if source.function.__code__ in state.stack:
        raise state.refuse("AD201", f"'{name}' calls itself", node)
    env = bind_parameters(state, node, source, None, args, keywords)
    return inline(state, source, env, None, target)


def member(state: Lowering, node: gast.expr, owner: Atom, attribute: str, name: str | None) -> Binding | None:
    """Follow an overload of a method or attribute that users gave a type; None where there is none."""
    find = overloads.member_finder(attribute, isinstance(node, gast.Call), owner, state.ranks)
    return None if find is None else _overloaded(state, node, attribute, find, owner, name)


def _is_own(function: object) -> bool:
    """Tell whether a function is one of this package that makes derivatives: `grad`, `vjp` and the like."""
    homes = ("api", "pullback", "pushforward", "second_order", "custom")
    return getattr(function, "__module__", None) in [f"adcompiler.{home}" for home in homes] and (
        isinstance(function, types.FunctionType)
    )


def _call_itself(state: Lowering, node: gast.Call, called: Any, name: str | None) -> Binding:
    """A function that calls itself stays a call; its arguments are single values."""
    source = parse(called)
    function = source.function
    given = tuples.items(state, node.args)
    named = {str(k.arg): expressions.binding(state, k.value) for k in node.keywords}
    bound = bind_parameters(state, node, source, None, given, named)
    if not all(isinstance(item, Atom) for item in bound.values()):
        reason = f"'{function.__name__}' calls itself, and one of its arguments is a tuple or function"
        raise state.refuse("AD201", reason, node, "pass the items of the tuple as arguments of their own")
    callee = Global(function.__name__, Callee(function, raises=_raises(state, source)))
    args = tuple(expressions.materialise(state, item, node) for item in bound.values())
    return expressions.apply(state, node, "recurse", (callee, *args), name or function.__name__)


def _derivative(state: Lowering, node: gast.Call, derivative: Any, name: str | None) -> Binding:
    """A gradient stays a call; the module gets a function for it, which can be differentiated again."""
    chain: Chain = derivative.chain
    if not chain or not all(step.kind in ("grad", "value_and_grad", "slope") for step in chain):
        cure = "grad and value_and_grad can be called there"
        raise state.refuse("AD203", f"{derivative!r} is called inside the function", node, cure)
    source = parse(derivative.python)
    given = tuples.items(state, node.args)
    named = {str(k.arg): expressions.binding(state, k.value) for k in node.keywords}
    bound = bind_parameters(state, node, source, None, given, named)
    if not all(isinstance(item, Atom) for item in bound.values()):
        reason = (
            f"{derivative!r} is called inside the function, and one of its arguments is a tuple or function"
        )
        raise state.refuse("AD203", reason, node, "pass the items of the tuple as arguments of their own")
    args = tuple(expressions.materialise(state, item, node) for item in bound.values())
    first, *rest = chain
    raises = state.raises if derivative.raises is None else derivative.raises
    gradients: list[Binding] = []
    for k in first.wrt:
        callee = Callee(derivative.python, (Step("grad", (k,)), *rest), True, raises)
        atoms = (Global(resolve.name_of(derivative.python), callee), *args)
        out = expressions.apply(state, node, "derivative", atoms, name if derivative.style.single else None)
        state.ranks[out] = atom_rank(args[k], state.ranks)
        gradients.append(out)
    packed = gradients[0] if derivative.style.single else tuple(gradients)
    if first.kind == "grad":
        return packed
    if is_recursive(derivative.python):
        return _call_itself(state, node, derivative.python, None), packed
    return inline(state, source, bound, None, None), packed


def _custom(
    state: Lowering, node: gast.Call, callee: Global, function: CustomFunction, name: str | None
) -> Value:
    """A function with a rule of its own: its call, and the result as a function of the arguments."""
    args, keywords = _arguments(state, node)
    try:
        bound = function.signature.bind(*args, **dict(keywords))
    except TypeError as error:
        raise state.refuse("AD107", str(error), node) from error
    bound.apply_defaults()
    atoms = [arg if isinstance(arg, Atom) else resolve.constant("default", arg) for arg in bound.args]
    result = expressions.apply(state, node, "custom", (callee, *atoms), callee.name)
    return expressions.apply(state, node, "custom[0]", (callee, *atoms, result), name or callee.name)


def _named_tuple(state: Lowering, node: gast.Call, kind: Any) -> Record:
    given = tuples.items(state, node.args)
    named = {k.arg: expressions.binding(state, k.value) for k in node.keywords}
    defaults = {key: resolve.constant(key, value) for key, value in kind._field_defaults.items()}
    found = dict(zip(kind._fields, given, strict=False))
    unknown = [key for key in named if key not in kind._fields or key in found]
    found = defaults | found | named
    if unknown or len(given) > len(kind._fields) or set(found) != set(kind._fields):
        raise state.refuse("AD107", f"expected the fields ({', '.join(kind._fields)})", node)
    return Record([found[key] for key in kind._fields], kind._fields, kind)


def _arguments(state: Lowering, node: gast.Call) -> tuple[tuple[Atom, ...], tuple[tuple[str, Atom], ...]]:
    given = tuples.items(state, node.args)
    args = tuple(expressions.materialise(state, arg, node) for arg in given)
    keywords = tuple((k.arg, expressions.atom(state, k.value)) for k in node.keywords)
    return args, keywords


def _method(state: Lowering, node: gast.Call, func: gast.Attribute, name: str | None) -> Binding:
    method = func.attr
    found = expressions.binding(state, func.value)
    if isinstance(found, Record) and method in found.names:
        return _called_value(state, node, found[found.names.index(method)], name)
    owner = expressions.materialise(state, found, node)
    followed = member(state, node, owner, method, name)
    if followed is not None:
        return followed
    fn = resolve.METHODS.get(method)
    if fn == "T" and node.args:
        return primitives.transposed(state, node, owner, node.args, name)
    if fn is not None:
        given = [owner, *(defined.argument(state, arg) for arg in node.args)]
        named = {str(k.arg): defined.argument(state, k.value) for k in node.keywords}
        return primitives.applied(state, node, fn, given, named, name)
    args, keywords = _arguments(state, node)
    if method == "fill" and len(args) == 1:
        owner = writable(state, owner, node)
    if method == "fill" and len(args) == 1 and isinstance(owner, Value):
        state.nodes.append(Store(owner, (), args[0], False, state.where(node)))
        return Literal(None)
    if method == "append" and len(args) == 1:
        state.nodes.append(Effect("append", (owner, *args), state.where(node)))
        return Literal(None)
    if method == "pop" and not args:
        return expressions.apply(state, node, "pop", (owner,), name)
    return expressions.apply(state, node, "method", (owner, Literal(method), *args), name or method, keywords)


def _follow(
    state: Lowering, node: gast.Call, source: Source, enclosing: Lowering | None, target: str | None
) -> Binding:
    """Inline a call: lower the callee's body in place, its parameters bound to the arguments."""
    name = getattr(source.tree, "name", "lambda")
    identity = source.tree
    if identity in state.stack or (source.function.__code__ in state.stack and enclosing is None):
        raise state.refuse("AD201", f"'{name}' calls itself", node)
    args = tuples.items(state, node.args)
    keywords = {str(k.arg): expressions.binding(state, k.value) for k in node.keywords}
    env = bind_parameters(state, node, source, enclosing, args, keywords)
    return inline(state, source, env, enclosing, target)


def inline(
    state: Lowering, source: Source, env: Environment, enclosing: Lowering | None, target: str | None
) -> Binding:
    """Lower a function's body, its parameters bound; `target` is the variable that the result is for."""
    statement = state.statement
    stack = (*state.stack, source.tree, source.function.__code__)
    raises = _raises(state, source)
    result = lower.lower_body(source, env, state.nodes, stack, enclosing, state.ranks, raises)
    state.statement = statement
    last = state.nodes[-1] if state.nodes else None
    if target is not None and isinstance(last, Apply) and last.out is result and last.out.temporary:
        result = Value(target)
        state.ranks[result] = state.ranks.get(last.out)
        state.nodes[-1] = replace(last, out=result)
    return result


def _raises(state: Lowering, source: Source) -> bool | None:
    """Tell whether a division by zero raises in a function that is called.

    One that does not say follows its caller, as in Numba; an `@njit` function in a plain one follows Python.
    """
    if source.model is None:
        return state.raises
    return source.model == "python" if source.model else state.raises is not False


def bind_parameters(
    state: Lowering,
    node: gast.expr,
    source: Source,
    enclosing: Lowering | None,
    args: Sequence[Binding],
    keywords: Mapping[str, Binding],
) -> Environment:
    """Bind the parameters of a function to the arguments of a call, and to defaults."""
    tree = source.tree.args
    names = [a.id for a in tree.posonlyargs + tree.args + tree.kwonlyargs]
    count = len(tree.posonlyargs + tree.args)
    env: Environment = dict(zip(names[:count], args, strict=False))
    if tree.vararg is not None:
        env[tree.vararg.id], args = tuple(args[count:]), args[:count]
    unknown = [key for key in keywords if key not in names or key in env]
    if tree.kwarg or len(args) > count or unknown:
        raise state.refuse("AD107", f"expected the parameters ({', '.join(names)})", node)
    env |= keywords
    for name in names:
        if name not in env:
            env[name] = _default(state, node, source, name, enclosing)
    return env


def _default(
    state: Lowering, node: gast.expr, source: Source, name: str, enclosing: Lowering | None
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
