"""Calls: primitives become nodes, Python and `@njit` functions are followed into their source."""

from __future__ import annotations

import types
from typing import Any

import gast
import numba
import numba.typed
import numpy as np

from adcompiler.custom import CustomFunction, stop_gradient
from adcompiler.definitions import refuse
from adcompiler.frontend import defined, overloads, primitives, resolve, scope, tuples
from adcompiler.frontend.bindings import Binding, Closure, Environment, Record, TypeOf
from adcompiler.frontend.buffers import writable
from adcompiler.frontend.dispatchers import name_of
from adcompiler.frontend.inlining import bind_parameters, inline, raises_inside
from adcompiler.frontend.parse import Source, parse
from adcompiler.frontend.ranks import atom_rank
from adcompiler.frontend.recursion import Callee, is_recursive
from adcompiler.frontend.state import Lowering
from adcompiler.graph.nodes import Atom, Effect, Global, Literal, Store, Value
from adcompiler.graph.steps import Chain, Step

_LISTS = (numba.typed.List, numba.typed.List.empty_list)


def call(state: Lowering, node: gast.Call, name: str | None) -> Binding:
    """Lower a call; `name` is the variable that its result is assigned to."""
    if any(k.arg is None for k in node.keywords):
        raise state.refuse("AD102", "'**' arguments are not part of the language", node)
    primitive = scope.called(state, node)
    if primitive is not None:
        return primitives.primitive(state, node, primitive, name)
    if isinstance(node.func, gast.Attribute) and _is_method(scope.dotted(state, node.func)):
        return _method(state, node, node.func, name)
    return _called_value(state, node, state.binding(node.func), name)


def _is_method(found: object) -> bool:
    """Tell whether what stands before the last dot is a value, perhaps a captured array, and no module."""
    return found is resolve.MISSING or isinstance(getattr(found, "__self__", None), np.ndarray | np.generic)


def _called_value(state: Lowering, node: gast.Call, callee: Binding, name: str | None) -> Binding:
    if isinstance(callee, TypeOf):
        return state.apply(node, "cast", (callee.value, *_arguments(state, node)[0]), name)
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
        return state.apply(node, "stop_gradient", _arguments(state, node)[0], name)
    if isinstance(function, CustomFunction):
        return _custom(state, node, callee, function, name)
    if isinstance(function, Callee):  # in loops over directions
        args, _ = _arguments(state, node)
        return state.apply(node, "derivative", (callee, *args), name)
    if getattr(function, "is_derivative", False):
        return _derivative(state, node, function, name)
    if _is_own(function):
        reason = f"'{callee.name}' is called inside the function that is differentiated"
        cure = "make the derivative outside, as in g = grad(f), and call g inside"
        raise state.refuse("AD203", reason, node, cure)
    return _outside(state, node, callee, name)


def _outside(state: Lowering, node: gast.Call, callee: Global, name: str | None) -> Binding:
    """Lower a call of a function that this package knows nothing of, or by its name only."""
    function = callee.value
    primitive = resolve.primitive(function)
    if primitive is not None:
        return primitives.primitive(state, node, primitive, name)
    if (find := overloads.finder(function)) is not None:
        return _overloaded(state, node, callee.name, find, None, name)
    if resolve.is_followed(function):
        plain = resolve.unwrap(function)
        if is_recursive(plain):
            return _call_itself(state, node, function, name)
        return _follow(state, node, parse(function), None, name)
    if isinstance(function, type) and issubclass(function, tuple) and hasattr(function, "_fields"):
        return _named_tuple(state, node, function)
    if function in _LISTS:
        return state.apply(node, "list", (), name)
    args, keywords = _arguments(state, node)
    return state.apply(node, "call", (callee, *args), name or callee.name, keywords)


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
        keywords = {str(k.arg): state.binding(k.value) for k in node.keywords}
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
    module = str(getattr(function, "__module__", None))
    is_here = module.startswith("adcompiler.api.") or module == "adcompiler.custom"
    return is_here and isinstance(function, types.FunctionType)


def _single_values(
    state: Lowering, node: gast.Call, source: Source, code: str, what: str
) -> tuple[Environment, list[Atom]]:
    """Return what the parameters of a function that stays a call are bound to, and the arguments.

    Raises:
        DifferentiationError: `code`, where an argument is not a single value.
    """
    given = tuples.items(state, node.args)
    named = {str(k.arg): state.binding(k.value) for k in node.keywords}
    bound = bind_parameters(state, node, source, None, given, named)
    atoms = [item for item in bound.values() if isinstance(item, Atom)]
    if len(atoms) < len(bound):
        reason = f"{what}, and one of its arguments is a tuple or function"
        raise state.refuse(code, reason, node, "pass the items of the tuple as arguments of their own")
    return bound, atoms


def _call_itself(state: Lowering, node: gast.Call, called: Any, name: str | None) -> Binding:
    """A function that calls itself stays a call; its arguments are single values."""
    source = parse(called)
    function = source.function
    _, args = _single_values(state, node, source, "AD201", f"'{function.__name__}' calls itself")
    callee = Global(function.__name__, Callee(function, raises=raises_inside(state, source)))
    return state.apply(node, "recurse", (callee, *args), name or function.__name__)


def _derivative(state: Lowering, node: gast.Call, derivative: Any, name: str | None) -> Binding:
    """A gradient stays a call; the module gets a function for it, which can be differentiated again."""
    chain: Chain = derivative.chain
    if not chain or not all(step.kind in ("grad", "value_and_grad", "slope") for step in chain):
        cure = "grad and value_and_grad can be called there"
        raise state.refuse("AD203", f"{derivative!r} is called inside the function", node, cure)
    source = parse(derivative.python)
    what = f"{derivative!r} is called inside the function"
    bound, args = _single_values(state, node, source, "AD203", what)
    first, *rest = chain
    raises = state.raises if derivative.raises is None else derivative.raises
    gradients: list[Binding] = []
    for k in first.wrt:
        callee = Callee(derivative.python, (Step("grad", (k,)), *rest), True, raises)
        atoms = (Global(name_of(derivative.python), callee), *args)
        out = state.apply(node, "derivative", atoms, name if derivative.style.single else None)
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
    result = state.apply(node, "custom", (callee, *atoms), callee.name)
    return state.apply(node, "custom[0]", (callee, *atoms, result), name or callee.name)


def _named_tuple(state: Lowering, node: gast.Call, kind: Any) -> Record:
    given = tuples.items(state, node.args)
    named = {k.arg: state.binding(k.value) for k in node.keywords}
    defaults = {key: resolve.constant(key, value) for key, value in kind._field_defaults.items()}
    found = dict(zip(kind._fields, given, strict=False))
    unknown = [key for key in named if key not in kind._fields or key in found]
    found = defaults | found | named
    if unknown or len(given) > len(kind._fields) or set(found) != set(kind._fields):
        raise state.refuse("AD107", f"expected the fields ({', '.join(kind._fields)})", node)
    return Record([found[key] for key in kind._fields], kind._fields, kind)


def _arguments(state: Lowering, node: gast.Call) -> tuple[tuple[Atom, ...], tuple[tuple[str, Atom], ...]]:
    given = tuples.items(state, node.args)
    args = tuple(state.materialise(arg, node) for arg in given)
    keywords = tuple((k.arg, state.atom(k.value)) for k in node.keywords)
    return args, keywords


def _method(state: Lowering, node: gast.Call, func: gast.Attribute, name: str | None) -> Binding:
    method = func.attr
    found = state.binding(func.value)
    if isinstance(found, Record) and method in found.names:
        return _called_value(state, node, found[found.names.index(method)], name)
    owner = state.materialise(found, node)
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
    if method == "append" and len(args) == 1:
        return _append(state, node, owner, args[0])
    if method == "fill" and len(args) == 1 and _fills(state, node, owner, args[0]):
        return Literal(None)
    if method == "pop" and not args:
        return state.apply(node, "pop", (owner,), name)
    return state.apply(node, "method", (owner, Literal(method), *args), name or method, keywords)


def _append(state: Lowering, node: gast.Call, owner: Atom, item: Atom) -> Literal:
    """Lower `v.append(a)`."""
    state.nodes.append(Effect("append", (owner, item), loc=state.where(node)))
    return Literal(None)


def _fills(state: Lowering, node: gast.Call, owner: Atom, item: Atom) -> bool:
    """Lower `a.fill(v)` where a is an array; tell whether it is."""
    array = writable(state, owner, node)
    if isinstance(array, Value):
        state.nodes.append(Store(array, (), item, False, loc=state.where(node)))
    return isinstance(array, Value)


def _follow(
    state: Lowering, node: gast.Call, source: Source, enclosing: Lowering | None, target: str | None
) -> Binding:
    """Inline a call: lower the callee's body in place, its parameters bound to the arguments."""
    name = getattr(source.tree, "name", "lambda")
    identity = source.tree
    if identity in state.stack or (source.function.__code__ in state.stack and enclosing is None):
        raise state.refuse("AD201", f"'{name}' calls itself", node)
    args = tuples.items(state, node.args)
    keywords = {str(k.arg): state.binding(k.value) for k in node.keywords}
    env = bind_parameters(state, node, source, enclosing, args, keywords)
    return inline(state, source, env, enclosing, target)
