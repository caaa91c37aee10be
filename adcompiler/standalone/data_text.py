"""Captured arrays as the text of expressions that make them."""

from __future__ import annotations

import base64
import textwrap

import numpy as np

from adcompiler.emit.module import literal

_READABLE = 200


def array_text(array: np.ndarray) -> str | None:
    """Return the text of an expression that makes an array, to the last bit; None for one of no numbers.

    Above 200 elements it is the array's bytes: nobody would read the numbers.

    >>> array_text(np.array([[1.0, np.nan]])), array_text(np.array(["text"]))
    ("np.array([[1.0, float('nan')]], dtype=np.float64)", None)
    """
    if array.dtype.kind not in "biufc":
        return None
    dtype = {"bool": "bool_"}.get(array.dtype.name, array.dtype.name)
    if 0 < array.size <= _READABLE:
        return f"np.array({_nested(array.tolist())}, dtype=np.{dtype})"
    if array.size == 0:
        return f"np.empty({array.shape}, dtype=np.{dtype})"
    lines = textwrap.wrap(base64.b85encode(array.tobytes()).decode(), 80)
    data = "\n".join(f"    {line!r}" for line in lines)
    return f"np.frombuffer(base64.b85decode(\n{data}\n), np.{dtype}).reshape({array.shape})"


def _nested(items: object) -> str:
    if isinstance(items, list):
        return f"[{', '.join(map(_nested, items))}]"
    return literal(items)
