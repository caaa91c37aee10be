"""Derivatives that are made or called inside a function: calls that can be differentiated again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

import gast

from adcompiler.custom import CustomFunction
from adcompiler.frontend import matrices
from adcompiler.frontend.batches import batched
from adcompiler.frontend.bindings import (
    Binding,
    Closure,
    Operation,
    Record,
    Transform,
    Transformation,
    flatten,
    rebuild,
)
from adcompiler.frontend.differentiated import Differentiated, Run
from adcompiler.frontend.entries import sparse_entries
from adcompiler.frontend.lifting import (
    default_of,
    laid_out,
    layout_of_function,
    name_of_layout,
    signature_of,
)
from adcompiler.frontend.ranks import atom_rank
from adcompiler.frontend.recursion import Lifted
from adcompiler.frontend.state import Lowering
from adcompiler.graph.nodes import Atom, Global, Literal
from adcompiler.graph.steps import Axes, Entries, Matrix, NamedAxes, Step

MAKERS = ("grad", "value_and_grad", "hvp", "jacobian", "jacfwd", "jacrev", "hessian", "vmap")
_FLAGS = ("has_aux", "stacked", "holomorphic")
EVALUATED = ("vjp", "jvp", "linearize")


def transform_of(derivative: Any, in_lanes: bool = False) -> Transform:
    """Return what a derivative that was made outside is inside: which one, of what function.

    Args:
        derivative: the derivative.
        in_lanes: whether it is computed along several directions at once: it is not differentiated again.
    """
    inner, single = derivative.function, derivative.style.single
    if derivative.chain and derivative.mode not in ("hvp", *get_args(Matrix)) and not derivative.is_nested:
        first, *rest = derivative.chain  # derivatives by numbers, taken one after the other
        aux, steps = derivative.has_aux, tuple(rest)
        how = Transformation(first.kind, first.wrt, single, aux, steps, holomorphic=bool(first.holomorphic))
        return Transform(how, _function(derivative.base))
    aux, wrt, holomorphic = derivative.has_aux, tuple(derivative.wrt), derivative.holomorphic
    in_lanes = in_lanes and not holomorphic  # lanes are real
    axes = (*derivative.axes, holomorphic)
    how = Transformation(derivative.mode, wrt, single, aux, (), derivative.stacked, in_lanes, *axes)
    return Transform(how, transform_of(inner) if getattr(inner, "is_derivative", False) else _function(inner))


def lifted(called: Any, in_lanes: bool = False) -> Lifted:
    """Return a function that calls a derivative made outside, or a function with a rule of its own."""
    is_function = isinstance(called, CustomFunction)
    what = layout_of_function(_function(called) if is_function else transform_of(called, in_lanes))
    return Lifted(what, name_of_layout(what))


def _function(function: Any) -> Global:
    return Global(getattr(function, "__name__", "function"), function)


def made(
    state: Lowering, node: gast.Call, maker: str, args: Sequence[Binding], keywords: Mapping[str, Binding]
) -> Binding:
    """Lower `grad(f, argnums=1)` and its like.

    Raises:
        DifferentiationError: AD107 for options that there are not here, AD305 for arguments that there are
            not.
    """
    if maker == "vmap":
        return _over_batches(state, node, args, keywords)
    given = dict(zip(("function", "argnums"), args, strict=False)) | dict(keywords)
    unknown = given.keys() - {"function", "argnums", *_FLAGS}
    if unknown or "function" not in given or len(args) > 2:
        cure = "make it outside, where it can be used by its name"
        raise state.refuse("AD107", f"{maker} takes a function, argnums and has_aux here", node, cure)
    function = differentiable(state, node, given["function"])
    names = [*signature_of(function).parameters]
    wrt, single = _positions(state, node, given.get("argnums", Literal(0)), names)
    aux, stacked, holomorphic = (given.get(name) == Literal(True) for name in _FLAGS)
    how = Transformation(maker, wrt, single, aux, (), stacked, holomorphic=holomorphic)
    return Transform(how, function)


def _over_batches(
    state: Lowering, node: gast.Call, args: Sequence[Binding], keywords: Mapping[str, Binding]
) -> Transform:
    """Lower `vmap(f, in_axes=0, out_axes=0)`."""
    given = dict(zip(("function", "in_axes", "out_axes"), args, strict=False)) | dict(keywords)
    if "function" not in given or given.keys() - {"function", "in_axes", "out_axes"} or len(args) > 3:
        cure = "make it outside, where it can be used by its name"
        raise state.refuse("AD107", "vmap takes a function, in_axes and out_axes here", node, cure)
    function = differentiable(state, node, given["function"])
    in_axes, out_axes = (_axes(state, node, given.get(key, Literal(0))) for key in ("in_axes", "out_axes"))
    return Transform(Transformation("vmap", (), in_axes=in_axes, out_axes=out_axes), function)


def _axes(state: Lowering, node: gast.AST, binding: Binding) -> Axes:
    match binding:
        case Literal(value=None | int() as axis):
            return axis
        case Record():
            return NamedAxes(binding.names, tuple(_axes(state, node, part) for part in binding))
        case tuple():
            return tuple(_axes(state, node, part) for part in binding)
    raise state.refuse("AD305", "the axes of vmap are no constants", node, "write them as numbers")


def differentiable(state: Lowering, node: gast.AST, function: Binding) -> Binding:
    """Return a function that is to be differentiated, or refuse it (AD203)."""
    match function:
        case Closure() | Transform():
            return function
        case Global(value=value) if getattr(value, "is_derivative", False):
            return transform_of(value)
        case Global(value=CustomFunction()):
            return function
        case Global(value=value) if callable(value) and hasattr(getattr(value, "py_func", value), "__code__"):
            return function
    raise state.refuse("AD203", "what is differentiated here is no Python function", node, "pass a function")


def _positions(
    state: Lowering, node: gast.AST, argnums: Binding, names: list[str]
) -> tuple[tuple[int, ...], bool]:
    if isinstance(argnums, Global) and isinstance(argnums.value, tuple | list):
        argnums = tuple(map(Literal, argnums.value))  # captured
    single = not isinstance(argnums, tuple)
    if not all(isinstance(atom, Literal) for atom in flatten(argnums)):
        reason, cure = "argnums is computed", "write numbers or names out, or capture a tuple of them"
        raise state.refuse("AD305", reason, node, cure)
    items = [getattr(atom, "value", None) for atom in flatten(argnums)]
    found = []
    for item in items:
        position = names.index(item) if item in names else item
        if not isinstance(position, int) or not -len(names) <= position < len(names):
            reason = f"the function has no argument {item!r}; it has ({', '.join(names)})"
            raise state.refuse("AD305", reason, node)
        found.append(position % len(names))
    return tuple(found), single


def bound(
    state: Lowering,
    node: gast.AST,
    function: Binding,
    args: Sequence[Binding],
    keywords: Mapping[str, Binding],
) -> list[Binding]:
    """Return one binding for each parameter of a function.

    Raises:
        DifferentiationError: AD107.
    """
    signature = signature_of(function)
    try:
        found = signature.bind(*args, **keywords)
    except TypeError as error:
        raise state.refuse("AD107", str(error), node) from error
    given = found.arguments
    result: list[Binding] = []
    for name, parameter in signature.parameters.items():
        if name in given:
            result.append(given[name])
        elif parameter.kind is parameter.VAR_POSITIONAL:
            result.append(())
        else:
            result.append(default_of(function, name))
    return result


def applied(
    state: Lowering, node: gast.AST, transform: Transform, args: Sequence[Binding], run: Run, name: str | None
) -> Binding:
    """Lower a call of a derivative, given one binding for each of its parameters."""
    how = transform.how
    if how.mode == "hvp":
        *own, direction = args
        return _product_with_hessian(
            Differentiated(state, node, transform.function, own, run), how, direction
        )
    if how.mode in get_args(Entries):
        *own, places = args
        return sparse_entries(Differentiated(state, node, transform.function, own, run), how, places)
    call = Differentiated(state, node, transform.function, args, run)
    match how.mode:
        case "jacobian" | "jacfwd" | "jacrev":
            return matrices.jacobian(call, how)
        case "hessian":
            return matrices.hessian(call, how)
        case "vmap":
            return batched(call, how)
    return _gradient(call, how, name)


def _gradient(call: Differentiated, how: Transformation, name: str | None) -> Binding:
    call.places(how.wrt)
    picks = (0,) if how.has_aux else None

    def one(k: int) -> Binding:
        chain = (Step("grad", (k,), holomorphic=how.holomorphic), *how.steps)
        return call.derivative(chain, (), picks, call.rank(k), name if how.single else None)

    found = call.like_arguments(how.wrt, how.single, one)
    if how.mode == "grad" and not how.has_aux:
        return found
    whole = call.value()
    value, aux = matrices.parted(call, whole, how.has_aux)
    if how.mode == "grad":
        return found, aux
    return (whole if how.has_aux else value), found


def _product_with_hessian(call: Differentiated, how: Transformation, direction: Binding) -> Binding:
    places = call.places(how.wrt)
    given = direction if not how.single else (direction,)
    seeds = _seeds(call, given, len(places))
    steps = (Step("tangent", places),)
    return call.like_arguments(
        how.wrt,
        how.single,
        lambda k: call.derivative((Step("grad", (k,)), *steps), seeds, None, call.rank(k)),
    )


def _seeds(call: Differentiated, given: Binding, count: int) -> list[Atom]:
    """Return adjoints or tangents as single values.

    Raises:
        DifferentiationError: AD305 where their number is another one.
    """
    found = laid_out(call.state, call.node, given)[1]
    if len(found) != count:
        reason = f"a direction or adjoint of {len(found)} values is given for {count}"
        raise call.state.refuse("AD305", reason, call.node, "give it the structure of what it belongs to")
    return [_as_float(atom) for atom in found]


def _as_float(atom: Atom) -> Atom:
    return Literal(float(atom.value)) if isinstance(atom, Literal) and type(atom.value) is int else atom


def evaluated(
    state: Lowering, node: gast.Call, maker: str, args: list[Binding], keywords: dict[str, Binding], run: Run
) -> Binding:
    """Lower `vjp(f, x)`, `jvp(f, (x,), (v,))` and `linearize(f, x)`."""
    function, *rest = args
    function = differentiable(state, node, function)
    has_aux = keywords.pop("has_aux", Literal(False)) == Literal(True)
    if keywords:
        cure = "make it outside, where it can be used by its name"
        raise state.refuse("AD107", f"{maker} takes no option '{next(iter(keywords))}' here", node, cure)
    if maker != "jvp":
        call = _with_defaults(state, node, function, rest, run)
        return _pulled(call, has_aux) if maker == "vjp" else _linear(call)
    primals, tangents = [found if isinstance(found, tuple) else () for found in rest[:2]]
    if len(rest) != 2 or len(primals) != len(tangents):
        reason = f"there are {len(primals)} arguments and {len(tangents)} tangents"
        raise state.refuse("AD305", reason, node, "pass two tuples: jvp(f, (x, y), (t_x, t_y))")
    call = _with_defaults(state, node, function, primals, run)
    value, aux = matrices.parted(call, call.value(), has_aux)
    found = _along(call, value, tangents)
    return (value, found, aux) if has_aux else (value, found)


def _with_defaults(
    state: Lowering, node: gast.AST, function: Binding, args: Sequence[Binding], run: Run
) -> Differentiated:
    given = bound(state, node, function, args, {})
    return Differentiated(state, node, function, given, run)


def _along(call: Differentiated, value: Binding, tangents: Sequence[Binding]) -> Binding:
    """Return the derivative of each part of a result along a direction."""
    wrt = [k for k, tangent in enumerate(tangents) if tangent != Literal(None)]
    places = call.places(wrt)
    seeds = _seeds(call, tuple(tangents[k] for k in wrt), len(places))
    ranks = [atom_rank(part, call.state.ranks) for part in flatten(value)]
    supply = iter(range(len(ranks)))

    def one(part: Atom) -> Binding:
        pick = next(supply)
        if isinstance(part, Literal):
            return Literal(0.0)
        return call.derivative((Step("tangent", places),), seeds, (pick,), ranks[pick])

    found: Binding = rebuild(value, one)
    return found


def _pulled(call: Differentiated, has_aux: bool) -> Binding:
    """Return the outputs of a function and its pullback."""
    value, aux = matrices.parted(call, call.value(), has_aux)
    parts = [*flatten(value)]
    picks = tuple(k for k, part in enumerate(parts) if not isinstance(part, Literal))

    def run(state: Lowering, node: gast.AST, args: Sequence[Binding], name: str | None) -> Binding:
        inner = call.moved(state, node)
        if len(args) != 1:
            raise state.refuse("AD107", "a pullback takes the adjoints of the outputs", node)
        given = _seeds(inner, args[0], len(parts))
        seeds = [given[k] for k in picks]

        def one(k: int) -> Binding:
            if isinstance(inner.atoms[k], Literal) and _as_float(inner.atoms[k]) != inner.atoms[k]:
                return Literal(None)  # an integer has no adjoint
            return inner.derivative((Step("pullback", (k,)),), seeds, picks, inner.rank(k))

        return tuple(inner.like_argument(position, one) for position in range(len(inner.args)))

    pullback = Operation(run)
    return (value, pullback, aux) if has_aux else (value, pullback)


def _linear(call: Differentiated) -> Binding:
    """Return the outputs of a function and the function of tangents that it is close to."""
    value = call.value()

    def run(state: Lowering, node: gast.AST, args: Sequence[Binding], name: str | None) -> Binding:
        return _along(call.moved(state, node), value, args)

    return value, Operation(run)
