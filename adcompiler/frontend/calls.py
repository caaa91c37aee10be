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
from adcompiler.definitions import DEFINITIONS, refuse
from adcompiler.frontend import defined, einsum, expressions, lower, resolve, tuples
from adcompiler.frontend.bindings import Binding, Closure, Environment, Record, TypeOf
from adcompiler.frontend.parse import Source, parse
from adcompiler.frontend.recursion import Callee, is_recursive
from adcompiler.graph.nodes import Apply, Atom, Effect, Global, Literal, Store, Value
from adcompiler.graph.syntax import DECOMPOSITIONS, JOINS

if TYPE_CHECKING:
    from adcompiler.frontend.lower import Lowering

_LISTS = (numba.typed.List, numba.typed.List.empty_list)
UNKNOWN_TO_NUMBA = {"isinstance", "hasattr", "callable", "getattr", "eval", "exec", "open", "input"}
OUTSIDE_LOOPS = {"enumerate", "zip", "reversed", "map", "filter"}


def call(state: Lowering, node: gast.Call, name: str | None) -> Binding:
    """Lower a call; `name` is the variable that its result is assigned to."""
    if any(k.arg is None for k in node.keywords):
        raise state.refuse("AD102", "'**' arguments are not part of the language", node)
    primitive = expressions.called(state, node)
    if primitive is not None:
        return _primitive(state, node, primitive, name)
    if isinstance(node.func, gast.Attribute) and expressions.dotted(state, node.func) is resolve.MISSING:
        return _method(state, node, node.func, name)
    return _called_value(state, node, expressions.binding(state, node.func), name)


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
    if getattr(function, "is_derivative", False):
        reason = "a gradient is called inside the function to differentiate"
        raise state.refuse("AD203", reason, node, "differentiate the function outside")
    if resolve.is_followed(function) and resolve.primitive(function) is None:
        plain = resolve.unwrap(function)  # type: ignore[arg-type]
        if is_recursive(plain):
            return _call_itself(state, node, plain, name)
        return _follow(state, node, parse(plain), None, name)
    primitive = resolve.primitive(function)
    if primitive is not None:
        return _primitive(state, node, primitive, name)
    if isinstance(function, type) and issubclass(function, tuple) and hasattr(function, "_fields"):
        return _named_tuple(state, node, function)
    if function in _LISTS:
        return expressions.apply(state, node, "list", (), name)
    args, keywords = _arguments(state, node)
    return expressions.apply(state, node, "call", (callee, *args), name or callee.name, keywords)


def _call_itself(state: Lowering, node: gast.Call, function: types.FunctionType, name: str | None) -> Binding:
    """A function that calls itself stays a call; its arguments are single values."""
    given = tuples.items(state, node.args)
    named = {str(k.arg): expressions.binding(state, k.value) for k in node.keywords}
    bound = bind_parameters(state, node, parse(function), None, given, named)
    if not all(isinstance(item, Atom) for item in bound.values()):
        reason = f"'{function.__name__}' calls itself, and one of its arguments is a tuple or function"
        raise state.refuse("AD201", reason, node, "pass the items of the tuple as arguments of their own")
    callee = Global(function.__name__, Callee(function))
    args = tuple(expressions.materialise(state, item, node) for item in bound.values())
    return expressions.apply(state, node, "recurse", (callee, *args), name or function.__name__)


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


def _transposed(
    state: Lowering, node: gast.Call, array: Atom, axes: Sequence[gast.expr], name: str | None
) -> Atom:
    """`np.transpose(x, (0, 2, 1))`: the axes become arguments of their own."""
    given = tuples.items(state, [*axes])
    order = given[0] if len(given) == 1 and isinstance(given[0], tuple) else tuple(given)
    if not all(isinstance(k, Literal) and type(k.value) is int for k in order):
        raise state.refuse("AD102", "the order of axes has to be constant", node)
    places = [int(k.value) % len(order) for k in order]  # type: ignore[union-attr, call-overload, arg-type]
    if places == sorted(places):
        return array
    if places == sorted(places, reverse=True):
        return expressions.apply(state, node, "T", (array,), name)
    return expressions.apply(state, node, "np.transpose", (array, *map(Literal, places)), name)


def _clipped(state: Lowering, node: gast.Call, args: tuple[Atom, ...], name: str | None) -> Atom:
    """`np.clip(x, a, b)` is `np.minimum(np.maximum(x, a), b)`; a bound that is None is left out."""
    bounds = [
        (fn, atom)
        for fn, atom in zip(("np.maximum", "np.minimum"), args[1:], strict=True)
        if atom != Literal(None)
    ]
    if not bounds:
        raise state.refuse("AD102", "'np.clip' without a bound does nothing", node)
    found = args[0]
    for k, (fn, bound) in enumerate(bounds):
        found = expressions.apply(state, node, fn, (found, bound), name if k == len(bounds) - 1 else None)
    return found


def _primitive(state: Lowering, node: gast.Call, fn: str, name: str | None) -> Binding:
    if fn == "T" and len(node.args) + len(node.keywords) > 1:
        axes = [*node.args[1:], *(k.value for k in node.keywords)]
        return _transposed(state, node, expressions.atom(state, node.args[0]), axes, name)
    if fn == "np.einsum" and node.args:
        return einsum.contracted(state, node, name)
    if fn in OUTSIDE_LOOPS:
        raise state.refuse("AD102", f"'{fn}' is part of the language in the head of a loop only", node)
    if fn == "isinstance" and (kind := _is_tuple(state, node)) is not None:
        return Literal(kind)
    if fn in UNKNOWN_TO_NUMBA:
        raise state.refuse("AD102", f"'{fn}' is not part of the language", node)
    if fn == "type" and len(node.args) == 1:
        return TypeOf(expressions.atom(state, node.args[0]))
    if fn in JOINS and node.args:
        return _joined(state, node, fn, name)
    known = _on_tuple(state, node, fn)
    if known is not None:
        return known
    if fn in DEFINITIONS:
        given = [defined.argument(state, arg) for arg in node.args]
        named = {str(k.arg): defined.argument(state, k.value) for k in node.keywords}
        found = defined.inlined(state, node, fn, given, named, name)
        if found is not None:
            return found
        args, keywords = _positional(fn, *defined.as_given(state, node, fn, given, named))
    else:
        args, keywords = _positional(fn, *_arguments(state, node))
    if fn == "np.clip" and len(args) == 3 and not keywords:
        return _clipped(state, node, args, name)
    if fn == "divmod" and len(args) == 2:
        return tuple(expressions.apply(state, node, op, args) for op in ("floordiv", "mod"))
    places = [atom for key, atom in keywords if key == "out"]
    count = _UFUNC_INPUTS.get(fn, len(args))
    if len(args) == count + 1 and not places and fn in _UFUNC_INPUTS:
        args, places = args[:-1], [args[-1]]
    if fn == "np.copyto" and len(args) == 2 and isinstance(args[0], Value) and not keywords:
        state.nodes.append(Store(args[0], (), args[1], False, state.where(node)))
        return Literal(None)
    if places:
        return _into(state, node, fn, args, places[0], keywords)
    if fn in ("max", "min") and all(_is_whole(arg) for arg in args) and not keywords:
        return Literal(_LARGEST[fn](arg.value for arg in args))  # type: ignore[union-attr]
    if fn in ("max", "min") and len(args) > 2:  # max(a, b, c) is max(max(a, b), c)
        first = expressions.apply(state, node, fn, args[:2])
        for arg in args[2:-1]:
            first = expressions.apply(state, node, fn, (first, arg))
        args = (first, args[-1])
    if fn == "float" and len(args) == 1 and isinstance(args[0], Literal):
        value = args[0].value
        if isinstance(value, int | float):
            return Literal(float(value))
    axes = [*args[1:], *(atom for _, atom in keywords)]
    if (
        fn == "np.expand_dims"
        and len(axes) == 1
        and isinstance(axes[0], Literal)
        and axes[0].value in (-1, 0, 1, 2, 3, 4, 5)
    ):
        return _with_new_axis(state, node, args, int(axes[0].value))  # type: ignore[call-overload]
    if fn == "reshape":
        args = _reshape_arguments(state, node, args)
    if fn in DECOMPOSITIONS:
        return _decomposed(state, node, fn, args, keywords)
    return expressions.apply(state, node, fn, args, name, keywords)


def _decomposed(
    state: Lowering,
    node: gast.Call,
    fn: str,
    args: tuple[Atom, ...],
    keywords: tuple[tuple[str, Atom], ...],
) -> Binding:
    """`q, r = np.linalg.qr(a)`: each result becomes a primitive of its own, with a rule of its own."""
    whole = expressions.apply(state, node, fn, args, None, keywords)
    names = DECOMPOSITIONS[fn]
    parts = [
        expressions.apply(state, node, "getitem", (whole, Literal(k)), name) for k, name in enumerate(names)
    ]
    found = [
        expressions.apply(state, node, f"{fn}[{k}]", (args[0], *parts), name) for k, name in enumerate(names)
    ]
    for out, name in zip(found, names, strict=True):
        state.ranks[out] = _RANKS[name]
    return tuple(found)


_RANKS = {"values": 1, "vectors": 2, "q": 2, "r": 2, "u": 2, "s": 1, "vt": 2, "sign": 0, "logarithm": 0}


_LARGEST: dict[str, Any] = {"max": max, "min": min}


def _is_whole(atom: Atom) -> bool:
    return isinstance(atom, Literal) and type(atom.value) is int


def _is_tuple(state: Lowering, node: gast.Call) -> bool | None:
    """Answer `isinstance(x, tuple)` where that is known; None where it is another question."""
    if len(node.args) != 2 or expressions.dotted(state, node.args[1]) is not tuple:
        return None
    found = expressions.binding(state, node.args[0])
    is_number = isinstance(found, Value) and state.ranks.get(found) is not None
    if isinstance(found, tuple | Literal) or is_number:
        return isinstance(found, tuple)
    return None


def _positional(
    fn: str, args: tuple[Atom, ...], keywords: tuple[tuple[str, Atom], ...]
) -> tuple[tuple[Atom, ...], tuple[tuple[str, Atom], ...]]:
    """`np.full(n, fill_value=x)` is `np.full(n, x)`; options such as `axis` stay keywords."""
    function = resolve.numpy_function(fn)
    given = dict(keywords)
    try:
        names = [*inspect.signature(function).parameters] if given and callable(function) else []
    except ValueError:  # written in C, without a signature
        names = []
    while len(args) < len(names) and names[len(args)] in given.keys() - _OPTIONS:
        args = (*args, given.pop(names[len(args)]))
    return args, tuple(given.items())


_OPTIONS = {"axis", "dtype", "out", "where", "keepdims", "ddof"}


def _joined(state: Lowering, node: gast.Call, fn: str, name: str | None) -> Binding:
    """`np.concatenate((a, b), 0)`: the arrays become arguments, the axis a keyword."""
    parts = expressions.binding(state, node.args[0])
    if not isinstance(parts, tuple) or not parts:
        reason = f"'{fn}' needs a tuple of arrays"
        raise state.refuse("AD102", reason, node, "write the arrays down: np.concatenate((a, b))")
    arrays = tuple(expressions.materialise(state, part, node) for part in parts)
    keywords = [(k.arg, expressions.atom(state, k.value)) for k in node.keywords]
    keywords += [("axis", expressions.atom(state, axis)) for axis in node.args[1:]]
    return expressions.apply(state, node, fn, arrays, name, tuple(keywords))


def _with_new_axis(state: Lowering, node: gast.Call, args: tuple[Atom, ...], axis: int) -> Binding:
    """`np.expand_dims(x, 1)` is `x[:, None]`."""
    whole = expressions.apply(state, node, "slice", (Literal(None), Literal(None)))
    before: list[Atom] = [Literal(...)] if axis == -1 else [whole] * axis
    return expressions.apply(state, node, "getitem", (args[0], *before, Literal(None)))


_UFUNC_INPUTS = {f"np.{name}": f.nin for name, f in vars(np).items() if isinstance(f, np.ufunc)} | {
    "np.dot": 2,
    "matmul": 2,
}


def _into(
    state: Lowering,
    node: gast.Call,
    fn: str,
    args: tuple[Atom, ...],
    place: Atom,
    keywords: tuple[tuple[str, Atom], ...],
) -> Atom:
    """`np.add(a, b, out=c)` is `c[:] = np.add(a, b)`."""
    rest = tuple(pair for pair in keywords if pair[0] != "out")
    value = expressions.apply(state, node, fn, args, None, rest)
    if not isinstance(place, Value):
        raise state.refuse("AD102", "'out' needs an array", node)
    state.nodes.append(Store(place, (), value, False, state.where(node)))
    return place


def _on_tuple(state: Lowering, node: gast.Call, fn: str) -> Binding | None:
    """Functions of a tuple that is known here: `len`, `sum`, `max`, `min`, `tuple`."""
    if fn not in ("len", "sum", "max", "min", "tuple") or len(node.args) != 1 or node.keywords:
        return None
    found = None
    if isinstance(node.args[0], gast.Tuple | gast.Name | gast.Subscript | gast.Attribute | gast.Starred):
        given = tuples.items(state, node.args)
        found = given[0] if len(given) == 1 else tuple(given)
    if not isinstance(found, tuple):
        return None
    if fn in ("len", "tuple"):
        return Literal(len(found)) if fn == "len" else tuple(found)
    atoms = [expressions.materialise(state, item, node) for item in found]
    total: Atom = Literal(0) if fn == "sum" else atoms[0]
    for atom in atoms[fn != "sum" :]:
        total = expressions.apply(state, node, "add" if fn == "sum" else fn, (total, atom))
    return total


def _reshape_arguments(state: Lowering, node: gast.Call, args: tuple[Atom, ...]) -> tuple[Atom, ...]:
    """`x.reshape(2, 3)` and `x.reshape((2, 3))` are one thing."""
    if len(args) > 2:
        return args[0], expressions.apply(state, node, "tuple", args[1:])
    return args


def _method(state: Lowering, node: gast.Call, func: gast.Attribute, name: str | None) -> Binding:
    method = func.attr
    found = expressions.binding(state, func.value)
    if isinstance(found, Record) and method in found.names:
        return _called_value(state, node, found[found.names.index(method)], name)
    owner = expressions.materialise(state, found, node)
    args, keywords = _arguments(state, node)
    if method == "fill" and len(args) == 1 and isinstance(owner, Value):
        state.nodes.append(Store(owner, (), args[0], False, state.where(node)))
        return Literal(None)
    if method == "append" and len(args) == 1:
        state.nodes.append(Effect("append", (owner, *args), state.where(node)))
        return Literal(None)
    if method == "pop" and not args:
        return expressions.apply(state, node, "pop", (owner,), name)
    if method not in resolve.METHODS:
        return expressions.apply(
            state, node, "method", (owner, Literal(method), *args), name or method, keywords
        )
    fn = resolve.METHODS[method]
    named = dict(keywords)
    inlined = defined.inlined(state, node, fn, (owner, *args), named, name)  # type: ignore[arg-type]
    if inlined is not None:
        return inlined
    if fn == "T" and args:
        return _transposed(state, node, owner, node.args, name)
    all_args = (owner, *args)
    if fn == "reshape":
        all_args = _reshape_arguments(state, node, all_args)
    return expressions.apply(state, node, fn, all_args, name, keywords)


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
    result = lower.lower_body(source, env, state.nodes, stack, enclosing, state.ranks)
    state.statement = statement
    last = state.nodes[-1] if state.nodes else None
    if target is not None and isinstance(last, Apply) and last.out is result and last.out.temporary:
        result = Value(target)
        state.ranks[result] = state.ranks.get(last.out)
        state.nodes[-1] = replace(last, out=result)
    return result


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
