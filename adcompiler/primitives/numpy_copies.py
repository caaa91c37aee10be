"""Views and copies: the same elements, in another shape, order or type."""

# mypy: disable-error-code="no-untyped-def,no-redef,no-untyped-call"

from typing import Any

import numpy as np

from adcompiler.primitives.card import Follows, Shows, Spelling, Triangle, Vanishes
from adcompiler.primitives.deck import RANKS, enter, vjp

_SAME: dict[str, Any] = {"is_linear": True, "is_analytic": True}
enter(
    "copy",
    in_sets="copy",
    in_lanes="copy",
    spelling=Spelling.METHOD,
    arity=(1, 2),
    also="np.copy",
    method="copy",
    triangle=Triangle.SAME,
    follows=Follows.SAME_SHAPE,
    vanishes=Vanishes.WITH_FIRST,
    example="v.copy()",
    **_SAME,
)
enter(
    "astype",
    in_sets="copy",
    spelling=Spelling.METHOD,
    arity=(2, 2),
    method="astype",
    follows=Follows.SAME_SHAPE,
    vanishes=Vanishes.WITH_FIRST,
    is_of_first=True,
    is_conversion=True,
    example="v.astype(np.float64)",
    **_SAME,
)
enter(
    "item",
    spelling=Spelling.METHOD,
    arity=(1, None),
    method="item",
    follows=Follows.NUMBER,
    is_linear=True,
    example="v[:1].item()",
)
enter(
    "np.ascontiguousarray",
    in_sets="np.ascontiguousarray",
    in_lanes="np.ascontiguousarray",
    arity=(1, 1),
    follows=Follows.SAME_SHAPE,
    triangle=Triangle.SAME,
    shows=Shows.FIRST_IF_CONTIGUOUS,
    example="np.ascontiguousarray(v)",
    **_SAME,
)
enter(
    "np.asfortranarray",
    in_sets="np.asfortranarray",
    arity=(1, 1),
    follows=Follows.SAME_RANK,
    shows=Shows.MAYBE_FIRST,
    example="np.asfortranarray(m)",
    **_SAME,
)
enter(
    "np.asarray",
    also="np.asanyarray",
    arity=(1, 2),
    takes_list=True,
    shows=Shows.MAYBE_FIRST,
    is_of_first=True,
    example="np.asarray(v)",
    **_SAME,
)
enter(
    "np.asarray_chkfinite",
    arity=(1, 2),
    shows=Shows.MAYBE_FIRST,
    is_linear=True,
    is_analytic=True,
    example="np.asarray_chkfinite(v)",
)
enter("np.array", in_sets="np.array", takes_list=True, is_analytic=True)
enter("np.squeeze", method="squeeze", shows=Shows.MAYBE_FIRST)
enter("np.swapaxes", method="swapaxes", shows=Shows.MAYBE_FIRST)
enter("np.broadcast_to np.moveaxis np.expand_dims", shows=Shows.MAYBE_FIRST)
enter("np.clip", method="clip", follows=Follows.BROADCAST)
enter("np.repeat", method="repeat")
enter("np.diagonal", method="diagonal")
enter("np.compress", method="compress")
enter("np.atleast_1d np.atleast_2d np.atleast_3d", shows=Shows.MAYBE_FIRST)
enter(
    "T",
    in_sets="T",
    in_lanes="T",
    spelling=Spelling.ATTRIBUTE,
    arity=(1, 1),
    is_written_where_used=True,
    hint="transposed",
    also="np.transpose np.permute_dims np.matrix_transpose",
    method="transpose",
    triangle=Triangle.OTHER,
    follows=Follows.SAME_RANK,
    takes_array=True,
    shows=Shows.FIRST,
    example="m.T",
    **_SAME,
)
enter(
    "np.transpose",
    in_sets="np.transpose",
    in_lanes="np.transpose",
    spelling=Spelling.FORM,
    arity=(2, None),
    follows=Follows.SAME_RANK,
    shows=Shows.FIRST,
    **_SAME,
)
enter(
    "reshape",
    in_sets="reshape",
    in_lanes="reshape",
    spelling=Spelling.METHOD,
    arity=(2, 2),
    also="np.reshape",
    method="reshape",
    takes_array=True,
    shows=Shows.FIRST_IF_CONTIGUOUS,
    is_of_first=True,
    example="m.reshape(m.size)",
    **_SAME,
)
enter(
    "ravel",
    in_sets="ravel",
    in_lanes="ravel",
    spelling=Spelling.METHOD,
    arity=(1, 1),
    also="np.ravel",
    method="ravel",
    follows=Follows.VECTOR,
    takes_array=True,
    shows=Shows.FIRST_IF_CONTIGUOUS,
    example="m.ravel()",
    **_SAME,
)
enter(
    "flatten",
    in_sets="flatten",
    in_lanes="flatten",
    spelling=Spelling.METHOD,
    arity=(1, 1),
    method="flatten",
    follows=Follows.VECTOR,
    takes_array=True,
    example="m.flatten()",
    **_SAME,
)
enter(
    "np.flip",
    in_sets="np.flip",
    follows=Follows.SAME_RANK,
    shows=Shows.MAYBE_FIRST,
    example="np.flip(v)",
    **_SAME,
)
enter("np.roll", in_sets="np.roll", follows=Follows.SAME_RANK, example="np.roll(v, 1)", **_SAME)
enter("np.flipud np.fliplr np.rot90 np.unwrap", follows=Follows.SAME_RANK)
enter("np.diff", follows=Follows.SAME_RANK, takes_array=True)
enter("np.diag", in_sets="np.diag", arity=(1, 2), example="np.diag(v)", **_SAME)
for _name, _half in (("tril", Triangle.LOWER), ("triu", Triangle.UPPER)):
    enter(
        f"np.{_name}",
        in_sets=f"np.{_name}",
        arity=(1, 2),
        follows=Follows.SAME_RANK,
        triangle=_half,
        order_of_matrix="C",
        example=f"np.{_name}(m)",
        **_SAME,
    )
for _name in ("np.float32", "np.float64"):
    enter(
        _name,
        arity=(1, 1),
        follows=Follows.NUMBER,
        vanishes=Vanishes.WITH_FIRST,
        is_cheap=True,
        is_instruction=True,
        is_linear=True,
        is_conversion=_name == "np.float32",
        example=f"{_name}(x)",
    )
enter("np.complex64", arity=(1, 1), is_analytic=True, is_linear=True)
enter("np.complex128", arity=(1, 1), is_analytic=True, is_linear=True, is_conversion=True)
enter("np.int8 np.int16 np.int32 np.int64 np.intp", arity=(1, 1), follows=Follows.NUMBER, is_constant=True)
enter(
    "np.uint8 np.uint16 np.uint32 np.uint64 np.bool_", arity=(1, 1), follows=Follows.NUMBER, is_constant=True
)
enter("np.concatenate", in_sets="np.concatenate", spelling=Spelling.JOIN, also="np.concat", takes_array=True)
enter("np.column_stack", in_sets="np.column_stack", spelling=Spelling.JOIN, follows=Follows.MATRIX)
enter("np.hstack", in_sets="np.hstack", spelling=Spelling.JOIN)
enter("np.stack", in_sets="np.stack", spelling=Spelling.JOIN)
enter("np.vstack", in_sets="np.vstack", spelling=Spelling.JOIN, also="np.row_stack")


def flip(x, y, d):
    return np.flip(d)


def rolled(x, shift, y, d):
    return np.roll(d, -shift), 0


for _rank in RANKS:
    vjp("np.flip", _rank)(flip)
    vjp("np.roll", _rank, 0)(rolled)


@vjp("np.complex64 np.complex128", 0)
def complex_number(x, y, d):
    return d


@vjp("np.diag", 1)
def diagonal_matrix(x, y, d):
    return np.diag(d).copy()  # NumPy's is a view that cannot be written


@vjp("np.diag", 2)
def diagonal(x, y, d):
    z = np.zeros_like(x)
    for i in range(d.size):
        z[i, i] = d[i]
    return z


@vjp("np.tril", 2)
def lower_triangle(x, y, d):
    return np.tril(d)


@vjp("np.triu", 2)
def upper_triangle(x, y, d):
    return np.triu(d)


def transpose(x, y, d):
    return d.T


def _reshaped(x, y, d):
    return np.ascontiguousarray(d).reshape(x.shape)


for _rank in RANKS:
    vjp("T", _rank)(transpose)
    vjp("reshape ravel flatten", _rank)(_reshaped)


def _same(x, y, d):
    return d


for _rank in (0, *RANKS):
    vjp(
        "copy astype np.ascontiguousarray np.asfortranarray np.asarray np.asarray_chkfinite np.float32 "
        "np.float64",
        _rank,
    )(_same)


def _of_the_only_element(x, y, d):
    return d * np.ones_like(x)


vjp("item", 0)(_same)
for _rank in RANKS:
    vjp("item", _rank)(_of_the_only_element)
