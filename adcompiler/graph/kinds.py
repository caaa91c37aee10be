"""What Numba types are: arrays, numbers, memory, and whether they can carry a derivative."""

from __future__ import annotations

import numpy as np
from numba.core import types

DOUBLE_OF = {"float32": "np.float64", "complex64": "np.complex128"}
"""The type in double precision for each in single precision."""


def is_array(kind: types.Type | None) -> bool:
    """Tell whether a type is a NumPy array."""
    return isinstance(kind, types.Array)


def is_list(kind: types.Type | None) -> bool:
    """Tell whether a type is a list."""
    return isinstance(kind, types.List)


def is_list_of_arrays(kind: types.Type | None) -> bool:
    """Tell whether a type is a list of something else than numbers."""
    item = getattr(kind, "item_type" if isinstance(kind, types.ListType) else "dtype", None)
    return isinstance(kind, types.List | types.ListType) and not isinstance(item, types.Number)


def is_memory(kind: types.Type | None) -> bool:
    """Tell whether values of a type are references to numbers that can be written."""
    return is_array(kind) or is_list(kind)


_IMMUTABLE = (
    types.Number,
    types.Boolean,
    types.BaseTuple,
    types.UnicodeType,
    types.RangeType,
    types.SliceType,
    types.NoneType,
    types.Function,
    types.Dispatcher,
    types.DType,
    types.NumberClass,
)


def is_mutable(kind: types.Type | None) -> bool:
    """Tell whether what a value holds may change: arrays, lists, and whatever is not known."""
    return kind is not None and kind is not types.undefined and not isinstance(kind, _IMMUTABLE)


def is_float(kind: types.Type | None) -> bool:
    """Tell whether a type is a real floating-point scalar."""
    return isinstance(kind, types.Float)


def zero_of(kind: types.Type) -> complex | np.float32:
    """Return zero as a constant of a type of numbers, in its precision.

    >>> zero_of(types.float32), zero_of(types.int64), zero_of(types.float64)
    (np.float32(0.0), 0, 0.0)
    """
    if isinstance(kind, types.Integer):
        return 0
    return np.float32(0.0) if kind == types.float32 else 0j if isinstance(kind, types.Complex) else 0.0


def dtype_name(kind: str) -> str:
    """Return NumPy's name for a type of numbers.

    >>> dtype_name("int64"), dtype_name("bool")
    ('np.int64', 'np.bool_')
    """
    return {"bool": "np.bool_", "boolean": "np.bool_"}.get(kind, f"np.{kind}")


def is_scalar(kind: types.Type | None) -> bool:
    """Tell whether a type is a number or a boolean."""
    return isinstance(kind, types.Number | types.Boolean)


def element(kind: types.Type) -> types.Type:
    """Return the scalar type of a number, or of the elements of an array or list."""
    while isinstance(kind, types.Array | types.List):
        kind = kind.dtype
    return kind


def bytes_of(kind: types.Type) -> int:
    """Return how many bytes a number, or an element of an array or list, takes.

    >>> bytes_of(types.float32), bytes_of(types.Array(types.boolean, 2, "C"))
    (4, 1)
    """
    number = element(kind)
    return 1 if isinstance(number, types.Boolean) else int(number.bitwidth) // 8


def rank(kind: types.Type) -> int:
    """Return the number of axes: 0 for a scalar."""
    return kind.ndim if isinstance(kind, types.Array) else 0


class OfComplex(int):
    """The number of axes of an argument that holds complex numbers."""


def is_continuous(kind: types.Type | None) -> bool:
    """Tell whether values of the type can carry a derivative."""
    return kind is not None and (is_float(element(kind)) or is_complex(kind))


def is_complex(kind: types.Type | None) -> bool:
    """Tell whether a type is a complex number, or an array or list of such."""
    return kind is not None and isinstance(element(kind), types.Complex)


def describe(kind: types.Type) -> str:
    """Return the short form of a type, as in `float64[:, :]`."""
    if isinstance(kind, types.Array):
        return f"{kind.dtype}[{', '.join(':' * kind.ndim)}]"
    return str(kind)
