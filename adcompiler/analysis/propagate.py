"""Types of a gradient's values from those of its primal, without asking Numba where the answer is plain.

Numba's type inference takes as long as all other stages together. Of the values of a gradient, many stand in
the primal, and most others are numbers and arrays of floats made by arithmetic. What is not known for sure
is left to Numba.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

import numpy as np
from numba import boolean, float32, float64, int64
from numba.core import types
from numba.core.typing.arraydecl import get_array_index_type

from adcompiler.analysis.types import Types, element, is_array
from adcompiler.graph.nodes import (
    UNDEFINED,
    Apply,
    Atom,
    Effect,
    For,
    Global,
    Graph,
    If,
    Literal,
    Node,
    Region,
    Role,
    Store,
    Value,
    While,
)
from adcompiler.primitives import Card, Gives, card

_LITERALS = {float: float64, np.float32: float32, int: int64, bool: boolean, type(None): types.none}
_FLOATS = (float64, float32)


class UnknownTypeError(Exception):
    """Numba has to tell."""


def propagated(graph: Graph, arguments: Sequence[types.Type]) -> Types | None:
    """Return the type of every value of a gradient; None where some are not plain.

    Args:
        graph: the graph of the gradient.
        arguments: types of its arguments.
    """
    found: Types = dict(zip(graph.body.params, arguments, strict=True))
    try:
        _region(graph.body, found)
    except UnknownTypeError:
        return None
    return found


def _region(region: Region, found: Types) -> None:
    for node in region.nodes:
        match node:
            case Apply():
                found[node.out] = _known(node.out) or _applied(node, found)
            case Effect(fn="append", args=(Value() as items, item)) if _is_empty(items, found):
                found[items] = types.List(_whole(kind_of(item, found)))
            case If():
                _region(node.then, found)
                _region(node.orelse, found)
                for out, one, two in zip(node.outs, node.then.yields, node.orelse.yields, strict=True):
                    is_single = out.type is None and _becomes_single(node, (one, two), found)
                    found[out] = out.type or (float32 if is_single else _unified(one, two, found))
            case For():
                found[node.body.params[0]] = int64
                _loop(node, node.carried, found)
            case While():
                _loop(node, node.body.params, found)
            case Store() | Effect():
                pass


def _known(value: Value) -> types.Type | None:
    """Return the type that a value has, None if a copy of it, in the order of C, may be in its place."""
    is_in_columns = is_array(value.type) and value.type.layout == "F"
    return None if is_in_columns else value.type


def _iteration(node: For | While, found: Types) -> None:
    if isinstance(node, While):
        _region(node.cond, found)
    _region(node.body, found)


def _becomes_single(node: Node, atoms: Iterable[Atom], found: Types) -> bool:
    """Tell whether a derivative merges single precision with a constant, which takes its precision."""
    kinds = {isinstance(atom, Literal): kind_of(atom, found) for atom in atoms}
    return node.role is not Role.PRIMAL and kinds == {True: float64, False: float32}


def _is_empty(items: Value, found: Types) -> bool:
    """Tell whether a value is a list of which nothing is known yet."""
    kind = found.get(items)
    return items.type is None and isinstance(kind, types.List) and kind.dtype is types.undefined


def _loop(node: For | While, params: tuple[Value, ...], found: Types) -> None:
    """Type what a loop carries: what it begins with and what an iteration hands on have to be of one type."""
    for param, init in zip(params, node.inits, strict=True):
        found[param] = param.type or kind_of(init, found)
    _iteration(node, found)
    ends = zip(params, node.inits, node.next_values, strict=True)
    single = {p: float32 for p, *both in ends if p.type is None and _becomes_single(node, both, found)}
    if single:
        found |= single
        _iteration(node, found)
    for param, last, out in zip(params, node.next_values, node.outs, strict=True):
        if param.type is None and kind_of(last, found) != found[param]:
            raise UnknownTypeError
        found[out] = out.type or found[param]


def kind_of(atom: Atom, found: Types) -> types.Type:
    """Return the type of an atom.

    Raises:
        UnknownTypeError: where it is not plain.
    """
    kind = None
    if isinstance(atom, Value):
        kind = found.get(atom)
    elif isinstance(atom, Literal):
        kind = _LITERALS.get(type(atom.value))
    if kind is None:
        raise UnknownTypeError
    return kind


def _whole(kind: types.Type) -> types.Type:
    """Return a type that is known in all its parts: what will be in an empty list, Numba sees."""
    if isinstance(kind, types.List) and kind.dtype is types.undefined:
        raise UnknownTypeError
    return kind


def _unified(one: Atom, two: Atom, found: Types) -> types.Type:
    kinds = [kind_of(atom, found) for atom in (one, two) if atom != UNDEFINED]
    if not kinds or any(kind != kinds[0] for kind in kinds):
        raise UnknownTypeError
    return kinds[0]


def _applied(node: Apply, found: Types) -> types.Type:
    """Return the type of what a primitive returns."""
    match node:
        case Apply(fn="getitem" | "nth", args=(base, *index), keywords=()):
            return kind_of_item(kind_of(base, found), [kind_of(atom, found) for atom in index], index)
        case Apply(fn="seed", args=(given,)):
            return kind_of(given, found)
        case Apply(fn="tuple", keywords=()):
            return types.Tuple.from_types([kind_of(atom, found) for atom in node.args])
        case Apply(fn="slice", keywords=()) if len(node.args) in (2, 3):
            return types.slice2_type if len(node.args) == 2 else types.slice3_type
        case Apply(fn="len" | "size", keywords=()):
            return int64
        case Apply(fn="shape", args=(array,)) if is_array(kind := kind_of(array, found)):
            return types.UniTuple(int64, kind.ndim)
        case Apply(fn="pop", args=(items,)) if isinstance(kind := kind_of(items, found), types.List):
            return kind.dtype
        case Apply(fn="list", args=(), keywords=()):
            return types.List(types.undefined)
        case Apply(fn="list", args=args, keywords=()):
            return _display([kind_of(atom, found) for atom in args])
        case Apply(fn="iadd" | "isub" | "imul", args=(one, two)):
            return _in_place(kind_of(one, found), kind_of(two, found))
        case Apply(fn="floordiv", args=(one, two)) if kind_of(one, found) == kind_of(two, found):
            return _one_of(kind_of(one, found), int64, float64)
        case Apply(fn="itruediv", args=(one, two)) if is_array(kind := kind_of(one, found)):
            return _in_place(kind, kind_of(two, found))
        case Apply(fn="itruediv", args=(one, two)) if kind_of(one, found) == kind_of(two, found):
            return _one_of(kind_of(one, found), *_FLOATS)
        case Apply(fn="np.float32", args=(number,), keywords=()):
            _one_of(kind_of(number, found), *_FLOATS, int64)
            return float32
        case Apply(fn="astype", args=(array, Global(name="np.float32" | "np.float64" as name)), keywords=()):
            return _plain(kind_of(array, found)).copy(dtype=float32 if name == "np.float32" else float64)
        case Apply(fn="np.float64", args=(number,), keywords=()) if kind_of(number, found) == float32:
            return float64
        case Apply(fn="float" | "np.float64", args=(number,)):
            _one_of(kind_of(number, found), int64, float64)
            return float64
        case Apply(fn="mul", args=(items, count)) if isinstance(kind_of(items, found), types.List):
            _one_of(kind_of(count, found), int64)
            return _whole(kind_of(items, found))
        case Apply(fn="np.array", args=(items,), keywords=()):
            _one_of(kind_of(items, found), types.List(float64))
            return types.Array(float64, 1, "C")
        case Apply(fn="np.empty" | "np.zeros" | "np.ones", keywords=()):
            return _allocated(node.args, found)
        case Apply(fn="common.zeros" | "common.empty", args=(_, *others)):
            return _of_reals(_allocated(node.args[:1], found), others, found)
        case Apply(fn="common.conjugate" | "common.real" | "common.number" | "common.within", args=(one, *_)):
            return _of_reals(kind_of(one, found), node.args, found)
        case Apply(fn="np.zeros_like" | "np.empty_like" | "copy", args=(array,), keywords=()):
            return _plain(kind_of(array, found))
        case Apply(fn="np.sum" | "np.mean" | "np.max" | "np.min", args=(array,), keywords=()):
            return _plain(kind_of(array, found)).dtype
        case Apply(fn="np.sum", args=(array,), keywords=(("axis", Literal(value=int())),)):
            kind = _plain(kind_of(array, found))
            return kind.copy(ndim=kind.ndim - 1) if kind.ndim > 1 else kind.dtype
        case Apply(fn="np.outer", args=(one, two), keywords=()):
            kinds = [_plain(kind_of(atom, found)).dtype for atom in (one, two)]
            return types.Array(_one_of(kinds[0], kinds[1]), 2, "C")
        case Apply(fn="T", args=(array,)) if is_array(kind := kind_of(array, found)):
            turned = {"C": "F", "F": "C"}.get(kind.layout, "A") if kind.ndim > 1 else kind.layout
            return kind.copy(layout=turned)
        case Apply(fn="matmul" | "np.dot", args=(one, two), keywords=()):
            return _product(_plain(kind_of(one, found), "CFA"), _plain(kind_of(two, found), "CFA"))
        case Apply(fn=fn, keywords=()) if (order := card(fn).order_of_matrix) is not None:
            return _of_matrix(order, [kind_of(atom, found) for atom in node.args[:2]])
        case Apply(fn="np.linalg.svd", args=(matrix,), keywords=()):
            sides = _of_matrix("F", [kind_of(matrix, found)])
            return types.Tuple((sides, types.Array(float64, 1, "C"), sides))
        case Apply(fn="np.diag", args=(array,), keywords=()) if is_array(kind := kind_of(array, found)):
            return _plain(kind).copy(ndim=1 if kind.ndim > 1 else 2)
        case Apply(fn="flatten", args=(array,), keywords=()):
            return _plain(kind_of(array, found), "CFA").copy(ndim=1)
        case Apply(fn="np.concatenate", keywords=()):
            return _joined([kind_of(part, found) for part in node.args])
        case Apply(fn="np.eye" | "np.identity", args=(count,), keywords=()):
            _one_of(kind_of(count, found), int64)
            return types.Array(float64, 2, "C")
        case Apply(fn="np.where", args=(test, one, two), keywords=()):
            return _chosen(kind_of(test, found), [kind_of(one, found), kind_of(two, found)])
        case Apply(keywords=()):
            return _elementwise(node, [kind_of(atom, found) for atom in node.args])
    raise UnknownTypeError


def kind_of_item(base: types.Type, kinds: list[types.Type], index: Sequence[Atom]) -> types.Type:
    """Return the type of what an index of some types picks of a value of another.

    Raises:
        UnknownTypeError: where it is not plain.
    """
    if isinstance(base, types.BaseTuple) and isinstance(index[0], Literal) and len(index) == 1:
        return base.types[index[0].value]
    if isinstance(base, types.List) and kinds == [int64] and base.dtype is not types.undefined:
        return base.dtype
    if not is_array(base) or not all(
        kind in (int64, types.slice2_type, types.slice3_type, types.none) for kind in kinds
    ):
        raise UnknownTypeError
    made = get_array_index_type(base, kinds[0] if len(kinds) == 1 else types.Tuple.from_types(kinds))
    if made is None:
        raise UnknownTypeError
    return made.result


def _one_of(kind: types.Type, *known: types.Type) -> types.Type:
    if kind not in known:
        raise UnknownTypeError
    return kind


def _display(kinds: list[types.Type]) -> types.Type:
    """Return the type of a list of numbers or arrays; whole numbers Numba takes for constants."""
    if len({*kinds}) != 1 or not (kinds[0] in _FLOATS or is_array(kinds[0])):
        raise UnknownTypeError
    return types.List(kinds[0])


def _in_place(one: types.Type, two: types.Type) -> types.Type:
    """Return the type of `one += two`: of arrays, the array itself."""
    number = one.dtype if is_array(one) else one
    numbers = (number, int64)
    fits = two in numbers or (
        is_array(two) and is_array(one) and two.ndim <= one.ndim and two.dtype == number
    )
    if is_array(one) and number in _FLOATS and one.mutable and fits:
        return one
    if one == two == float32:
        return float32
    if one not in (float64, int64) or two not in (float64, int64):
        raise UnknownTypeError
    return float64 if float64 in (one, two) else int64


def _of_reals(kind: types.Type, atoms: Iterable[Atom], found: Types) -> types.Type:
    """Return a type that is right where no number is complex."""
    for atom in atoms:
        _one_of(element(kind_of(atom, found)), *_FLOATS, int64)
    return kind


def _allocated(args: tuple[Atom, ...], found: Types) -> types.Type:
    shape = kind_of(args[0], found)
    rank = len(shape) if isinstance(shape, types.UniTuple) else 1 if shape == int64 else 0
    kind = float64
    if len(args) == 2 and isinstance(args[1], Global):
        kind = _DTYPES.get(args[1].name)
    if rank == 0 or kind is None or len(args) > 2:
        raise UnknownTypeError
    return types.Array(kind, rank, "C")


_DTYPES = {"np.float64": float64, "np.float32": float32, "np.int64": int64, "np.bool_": boolean}


def _plain(kind: types.Type, layouts: str = "CA") -> types.Array:
    """Return a new array like one of floats."""
    if not is_array(kind) or kind.dtype not in _FLOATS or kind.layout not in layouts:
        raise UnknownTypeError
    return types.Array(kind.dtype, kind.ndim, "C")


def _product(one: types.Array, two: types.Array) -> types.Type:
    rank = one.ndim + two.ndim - 2
    if not (1 <= one.ndim <= 2 and 1 <= two.ndim <= 2) or one.dtype != two.dtype:
        raise UnknownTypeError
    return types.Array(one.dtype, rank, "C") if rank else one.dtype


def _of_matrix(order: str, kinds: Sequence[types.Type]) -> types.Type:
    """Return the type of a function of a matrix, or of a matrix and what stands on the right of a system."""
    if not all(is_array(kind) and kind.dtype == float64 and kind.layout in "CF" for kind in kinds[:2]):
        raise UnknownTypeError
    if kinds[0].ndim != 2:
        raise UnknownTypeError
    if not order:
        return float64
    *_, last = kinds
    return types.Array(float64, last.ndim, order if last.ndim > 1 else "C")


def _joined(parts: Sequence[types.Type]) -> types.Type:
    """Return the type of vectors one after another."""
    kind = _one_of(_plain(parts[0]), *(types.Array(number, 1, "C") for number in _FLOATS))
    for part in parts[1:]:
        _one_of(_plain(part), kind)
    return kind


def _chosen(test: types.Type, kinds: list[types.Type]) -> types.Type:
    numbers = {kind.dtype if is_array(kind) else kind for kind in kinds}
    arrays = [kind for kind in (test, *kinds) if is_array(kind)]
    is_mask = is_array(test) and test.dtype == boolean
    is_single = numbers == {float32}
    if not is_mask or not (is_single or (float64 in numbers and numbers <= {*_FLOATS, int64})):
        raise UnknownTypeError
    return types.Array(float32 if is_single else float64, max(kind.ndim for kind in arrays), "C")


def _elementwise(node: Apply, kinds: list[types.Type]) -> types.Type:
    arrays = [kind for kind in kinds if is_array(kind)]
    numbers = {kind.dtype if is_array(kind) else kind for kind in kinds}
    if not kinds or not numbers <= {*_FLOATS, int64, boolean}:
        raise UnknownTypeError
    if {kind.dtype for kind in arrays} == {float32} and numbers == {float32, int64}:
        numbers = {float32}  # to an array, a whole number adds no precision
    if node.role is not Role.PRIMAL and _is_of_singles(node, kinds):
        numbers = {float32}
    known = card(node.fn)
    if known.gives is Gives.TEST and arrays and not any(kind.layout == "F" for kind in arrays):
        return types.Array(boolean, max(kind.ndim for kind in arrays), "C")
    result = _number(node, known, numbers, bool(arrays))
    if result is None or (arrays and result not in _FLOATS):
        raise UnknownTypeError
    if not arrays:
        return result
    layouts = {kind.layout for kind in arrays}
    return types.Array(
        result, max(kind.ndim for kind in arrays), "F" if layouts in ({"F"}, {"F", "A"}) else "C"
    )


def _is_of_singles(node: Apply, kinds: list[types.Type]) -> bool:
    """Tell whether a derivative combines single precision and constants, which take its precision."""
    met = {element(kind) for atom, kind in zip(node.args, kinds, strict=True) if isinstance(atom, Value)}
    return met == {float32}


def _number(node: Apply, known: Card, numbers: set[types.Type], has_arrays: bool) -> types.Type | None:
    """Return the type of the numbers that an elementwise function makes of others, None if not plain."""
    if known.operator is ast.Not or node.fn in ("and", "or"):
        return boolean if numbers == {boolean} and not has_arrays else None
    match known.gives:
        case Gives.TEST:
            return None if has_arrays else boolean
        case _ if boolean in numbers:
            return None
        case Gives.WIDEST:
            return next(iter(numbers)) if len(numbers) == 1 else float64
        case Gives.SAME:
            return next(iter(numbers)) if len(numbers) == 1 else None
        case Gives.REAL if numbers == {float32}:
            return float32 if known.is_instruction or known.fast else None
        case Gives.REAL if known.operator or (known.is_elementwise and numbers == {float64}):
            return float64
        case Gives.REAL if known.is_elementwise and numbers == {int64} and not has_arrays:
            return float64
    if node.fn == "pow" and numbers <= {float32, int64} and float32 in numbers:
        return float32 if numbers == {float32} or isinstance(node.args[1], Literal) else None
    return float64 if node.fn == "pow" and float64 in numbers else None
