"""Calls: primitives become nodes, Python and `@njit` functions are followed into their source."""

from __future__ import annotations

import dataclasses
import inspect
import types
from collections.abc import Sequence
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

import gast
import numba
import numba.typed
import numpy as np

from adcompiler.custom import CustomFunction, checkpointed, stop_gradient
from adcompiler.definitions import refuse
from adcompiler.frontend import (
    defined,
    overloads,
    primitives,
    resolve,
    scope,
    staying,
    transforms,
    tuples,
    vectorized,
)
from adcompiler.frontend.bindings import Binding, Closure, Environment, Operation, Record, Transform, TypeOf
from adcompiler.frontend.buffers import writable
from adcompiler.frontend.custom_calls import custom_call
from adcompiler.frontend.dictionaries import VIEWS, view
from adcompiler.frontend.facts import of_elements
from adcompiler.frontend.inlining import bind_parameters, calls_itself, inline, raises_inside
from adcompiler.frontend.lifting import signature_of, without_lists
from adcompiler.frontend.parse import Source, parse
from adcompiler.frontend.ranks import atom_rank
from adcompiler.frontend.recursion import Callee, is_recursive, results_in_tuple
from adcompiler.frontend.solvers import in_place_of
from adcompiler.frontend.state import Lowering
from adcompiler.graph.nodes import Atom, Global, Literal, Store, Value

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
        return _follow(state, node, callee.source, callee, name)
    if isinstance(callee, Global):
        return _global(state, node, callee, name)
    if isinstance(callee, Transform):
        return _transform(state, node, callee, name)
    if isinstance(callee, Operation):
        return callee.run(state, node, tuples.items(state, node.args), name)
    raise state.refuse("AD102", "this value cannot be called", node)


def _global(state: Lowering, node: gast.Call, callee: Global, name: str | None) -> Binding:
    function = callee.value
    if function is refuse:
        raise state.refuse("AD202", str(getattr(node.args[0], "value", "")), node)
    if function is stop_gradient:
        return state.apply(node, "stop_gradient", _arguments(state, node)[0], name)
    if isinstance(function, CustomFunction):
        return _custom(state, node, callee, (), name)
    if getattr(function, "is_derivative", False):
        return _transform(state, node, transforms.transform_of(function), name)
    if function is checkpointed:
        cure = "write for … in checkpointed(…, slots=10)"
        raise state.refuse("AD103", "it does not stand around all that a loop goes over", node, cure)
    if resolve.makes_derivatives(function):
        if function.__name__ in (*transforms.MAKERS, *transforms.EVALUATED):
            return _made_inside(state, node, function.__name__)
        reason = f"'{callee.name}' is called inside the function that is differentiated"
        cure = "make the derivative outside, as in g = grad(f), and call g inside"
        raise state.refuse("AD203", reason, node, cure)
    return _outside(state, node, callee, name)


def _outside(state: Lowering, node: gast.Call, callee: Global, name: str | None) -> Binding:
    """Lower a call of a function that this package knows nothing of, or by its name only."""
    function = callee.value
    if (cure := in_place_of(function)) is not None:
        raise state.refuse("AD202", f"no derivative can go through '{callee.name}'", node, cure)
    primitive = resolve.primitive(function)
    if primitive is not None:
        return primitives.primitive(state, node, primitive, name)
    if (find := overloads.finder(function)) is not None:
        return _overloaded(state, node, callee.name, find, None, name)
    if function is dataclasses.replace:
        record = state.binding(node.args[0]) if node.args else None
        if isinstance(record, Record) and is_dataclass(record.maker):
            return _replaced(state, node, record, node.args[1:])
    if of_elements(function) is not None:
        return vectorized.applied(state, node, callee, tuples.items(state, node.args), run, name)
    if resolve.is_followed(function):
        plain = resolve.unwrap(function)
        if is_recursive(plain):
            return _call_itself(state, node, function, name)
        return _follow(state, node, parse(function), None, name)
    if isinstance(function, type) and issubclass(function, tuple) and hasattr(function, "_fields"):
        fields_of: Any = function
        return _record(state, node, function, fields_of._fields, fields_of._field_defaults)
    if isinstance(function, type) and is_dataclass(function):
        return _dataclass(state, node, function)
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
    count = results_in_tuple(function)
    if count is None:
        return state.apply(node, "recurse", (callee, *args), name or function.__name__)
    whole = state.apply(node, "recurse_parts", (callee, *args), function.__name__)
    parts = tuple(state.apply(node, "getitem", (whole, Literal(k)), None) for k in range(count))
    state.ranks.update(dict.fromkeys(parts, 0))
    return parts


def _transform(state: Lowering, node: gast.Call, transform: Transform, name: str | None) -> Binding:
    """A derivative stays a call; the module gets a function for it, which can be differentiated again."""
    args, keywords = _bindings(state, node)
    given = transforms.bound(state, node, transform, args, keywords)
    return transforms.applied(state, node, transform, given, run, name)


def _made_inside(state: Lowering, node: gast.Call, maker: str) -> Binding:
    """`grad(f)` or `jvp(f, (x,), (v,))` inside the function that is differentiated."""
    args, keywords = _bindings(state, node)
    if maker in transforms.MAKERS:
        return transforms.made(state, node, maker, args, keywords)
    return transforms.evaluated(state, node, maker, args, keywords, run)


def run(state: Lowering, node: gast.AST, function: Binding, args: Sequence[Binding]) -> Binding:
    """Lower a call of a function that is differentiated, given one binding for each of its parameters."""
    if isinstance(function, Transform):
        return transforms.applied(state, node, function, args, run, None)
    if isinstance(function, Global) and isinstance(function.value, CustomFunction):
        return custom_call(state, node, function, args, None)
    args = [without_lists(arg) for arg in args]
    enclosing = function.frame if isinstance(function, Closure) else None
    plain: Any = getattr(function, "value", None)
    source = function.source if isinstance(function, Closure) else parse(plain)
    if calls_itself(state, source, enclosing):
        raise state.refuse("AD201", f"'{getattr(source.tree, 'name', 'lambda')}' calls itself", node)
    if enclosing is None and is_recursive(source.function):
        atoms = [state.materialise(arg, node) for arg in args]
        callee = Global(
            source.function.__name__, Callee(source.function, raises=raises_inside(state, source))
        )
        return state.apply(node, "recurse", (callee, *atoms), source.function.__name__)
    names = signature_of(function).parameters
    return inline(state, source, dict(zip(names, args, strict=True)), enclosing, None)


def _bindings(state: Lowering, node: gast.Call) -> tuple[list[Binding], dict[str, Binding]]:
    return tuples.items(state, node.args), {str(k.arg): state.binding(k.value) for k in node.keywords}


def _custom(
    state: Lowering, node: gast.Call, callee: Global, args: Sequence[Binding], name: str | None
) -> Binding:
    """A call of a function with a rule of its own."""
    given, keywords = _bindings(state, node)
    try:
        bound = callee.value.signature.bind(*args, *given, **keywords)
    except TypeError as error:
        raise state.refuse("AD107", str(error), node) from error
    own = {*bound.arguments}
    bound.apply_defaults()
    if bound.kwargs:
        key = next(iter(bound.kwargs))
        reason = f"'{callee.name}' has a rule of its own, and takes '{key}' by keyword only"
        raise state.refuse("AD107", reason, node, "let it take the argument by its position, too")
    found: list[Binding] = []
    for key, value in bound.arguments.items():
        is_rest = callee.value.signature.parameters[key].kind is inspect.Parameter.VAR_POSITIONAL
        atoms = value if is_rest else (value,) if key in own else (resolve.constant(key, value),)
        found += atoms
    return custom_call(state, node, callee, found, name)


def _dataclass(state: Lowering, node: gast.Call, kind: Any) -> Record:
    """Make a dataclass, of which nothing is known but its fields."""
    own = fields(kind)
    if hasattr(kind, "__post_init__") or any(not f.init or f.default_factory is not MISSING for f in own):
        reason = f"making a {kind.__name__} does more than setting its fields"
        raise state.refuse("AD102", reason, node, "use a dataclass without __post_init__ and factories")
    defaults = {f.name: f.default for f in own if f.default is not MISSING}
    return _record(state, node, kind, tuple(f.name for f in own), defaults)


def _record(
    state: Lowering, node: gast.Call, kind: Any, names: tuple[str, ...], given_defaults: dict[str, Any]
) -> Record:
    given = tuples.items(state, node.args)
    named = {k.arg: state.binding(k.value) for k in node.keywords}
    defaults = {key: resolve.constant(key, value) for key, value in given_defaults.items()}
    found = dict(zip(names, given, strict=False))
    unknown = [key for key in named if key not in names or key in found]
    found = defaults | found | named
    if unknown or len(given) > len(names) or set(found) != set(names):
        raise state.refuse("AD107", f"expected the fields ({', '.join(names)})", node)
    return Record([found[key] for key in names], names, kind)


def _replaced(state: Lowering, node: gast.Call, record: Record, args: Sequence[gast.expr]) -> Record:
    """`p._replace(x=1.0)` and `dataclasses.replace(p, x=1.0)`: the record with other fields."""
    named = {str(k.arg): state.binding(k.value) for k in node.keywords}
    if args or not named.keys() <= {*record.names}:
        raise state.refuse("AD107", f"expected the fields ({', '.join(record.names)})", node)
    items = [named.get(key, item) for key, item in zip(record.names, record, strict=True)]
    return Record(items, record.names, record.maker)


def _arguments(state: Lowering, node: gast.Call) -> tuple[tuple[Atom, ...], tuple[tuple[str, Atom], ...]]:
    given = tuples.items(state, node.args)
    args = tuple(state.materialise(arg, node) for arg in given)
    keywords = tuple((k.arg, state.atom(k.value)) for k in node.keywords)
    return args, keywords


def _method(state: Lowering, node: gast.Call, func: gast.Attribute, name: str | None) -> Binding:
    method = func.attr
    found = state.binding(func.value)
    if isinstance(found, Record) and found.maker is dict and method in VIEWS and not node.keywords:
        known = view(found, method, tuple(_bindings(state, node)[0]))
        if known is not None:
            return known
    if isinstance(found, Record) and method in found.names:
        return _called_value(state, node, found[found.names.index(method)], name)
    if isinstance(found, Record) and method == "_replace" and hasattr(found.maker, "_fields"):
        return _replaced(state, node, found, node.args)
    own = getattr(found.maker, method, None) if isinstance(found, Record) else None
    if isinstance(found, Record) and isinstance(own, CustomFunction):
        return _custom(state, node, Global(own.__name__, own), (found,), name)
    if isinstance(found, Record) and isinstance(own, types.FunctionType):
        return _own_method(state, node, found, own, name)
    if method == "type" and isinstance(func.value, gast.Attribute) and func.value.attr == "dtype":
        return _cast(state, node, state.atom(func.value.value), name)
    owner = state.materialise(found, node)
    followed = member(state, node, owner, method, name)
    if followed is not None:
        return followed
    fn = resolve.METHODS.get(method)
    if fn == "T" and node.args:
        return primitives.transposed(state, node, owner, node.args, name)
    if fn is not None:
        given = [owner, *defined.arguments(state, node.args)]
        named = {str(k.arg): defined.argument(state, k.value) for k in node.keywords}
        return primitives.applied(state, node, fn, given, named, name)
    if method == "extend" and len(node.args) == 1 and isinstance(node.args[0], gast.List | gast.Tuple):
        for item in [state.atom(part) for part in node.args[0].elts]:
            state.append(node, owner, item)
        return Literal(None)
    args, keywords = _arguments(state, node)
    if method == "append" and len(args) == 1:
        return _append(state, node, owner, args[0])
    if method == "fill" and len(args) == 1 and _fills(state, node, owner, args[0]):
        return Literal(None)
    if method == "sort" and not args and type(atom_rank(owner, state.ranks)) is int:
        return _sorted(state, node, owner)
    if method == "pop" and not args:
        return state.apply(node, "pop", (owner,), name)
    return state.apply(node, "method", (owner, Literal(method), *args), name or method, keywords)


def _cast(state: Lowering, node: gast.Call, like: Atom, name: str | None) -> Atom:
    """`a.dtype.type(x)`: a number of the type of an array's items, or of the type of a number."""
    if atom_rank(like, state.ranks) != 0:
        like = state.apply(node, "getitem", (state.apply(node, "ravel", (like,)), Literal(0)))
    return state.apply(node, "cast", (like, *_arguments(state, node)[0]), name)


def _own_method(
    state: Lowering, node: gast.Call, owner: Record, method: types.FunctionType, name: str | None
) -> Binding:
    """Follow a method of a named tuple or dataclass."""
    args, keywords = _bindings(state, node)
    source = parse(method)
    if source.function.__code__ in state.stack:
        raise state.refuse("AD201", f"'{method.__name__}' calls itself", node)
    env = bind_parameters(state, node, source, None, [owner, *args], keywords)
    return inline(state, source, env, None, name)


def _append(state: Lowering, node: gast.Call, owner: Atom, item: Atom) -> Literal:
    """Lower `v.append(a)`."""
    state.append(node, owner, item)
    return Literal(None)


def _sorted(state: Lowering, node: gast.Call, owner: Atom) -> Literal:
    """Lower `a.sort()` of an array."""
    options = {str(k.arg): state.binding(k.value) for k in node.keywords}
    found = state.materialise(primitives.applied(state, node, "np.sort", [owner], options, None), node)
    if isinstance(array := writable(state, owner, node), Value):
        state.nodes.append(Store(array, (), found, False, loc=state.where(node)))
    return Literal(None)


def _fills(state: Lowering, node: gast.Call, owner: Atom, item: Atom) -> bool:
    """Lower `a.fill(v)` where a is an array; tell whether it is."""
    array = writable(state, owner, node)
    if isinstance(array, Value):
        state.nodes.append(Store(array, (), item, False, loc=state.where(node)))
    return isinstance(array, Value)


def _follow(
    state: Lowering, node: gast.Call, source: Source, closure: Closure | None, target: str | None
) -> Binding:
    """Inline a call: lower the callee's body in place, its parameters bound to the arguments."""
    enclosing, defaults = (closure.frame, closure.defaults) if closure is not None else (None, None)
    name = getattr(source.tree, "name", "lambda")
    if calls_itself(state, source, enclosing):
        raise state.refuse("AD201", f"'{name}' calls itself", node)
    args = tuples.items(state, node.args)
    keywords = {str(k.arg): state.binding(k.value) for k in node.keywords}
    env = bind_parameters(state, node, source, defaults, args, keywords)
    if enclosing is None and source.function in state.staying:
        found = staying.call(state, node, source, env, target)
        if found is not None:
            return found
    return inline(state, source, env, enclosing, target)
