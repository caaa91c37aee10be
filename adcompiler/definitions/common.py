"""What definitions say of numbers that may be real or complex; it is settled when types are known.

Of real numbers, `conjugate(x)`, `real(x)` and `number(x, a)` are x itself, `zeros(n, a)` is `np.zeros(n)`.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def conjugate(x: Any) -> Any:
    """Return the conjugate, which is not written."""
    return np.conj(x)


def real(x: Any) -> Any:
    """Return the real part, which is not written."""
    return np.real(x)


def number(x: Any, *others: Any) -> Any:
    """Return a number or array in the type that all of these have in common.

    >>> number(1.0, 2.0), number(1.0, 2.0j)
    (1.0, np.complex128(1+0j))
    """
    kind = _common(x, *others)
    return x if kind is np.float64 else x.astype(kind) if np.ndim(x) else kind(x)


def within(x: Any, a: Any) -> Any:
    """Return what NumPy would take the real part of without a word if `a` is real: it is refused then."""
    return x


def zeros(shape: Any, *others: Any) -> Any:
    """Return zeros in the type that all of these have in common."""
    return np.zeros(shape, _common(*others))


def empty(shape: Any, *others: Any) -> Any:
    """Return an array that is not filled, in the type that all of these have in common."""
    return np.empty(shape, _common(*others))


def _common(*values: Any) -> Any:
    """Return float64, or where one of the values is complex a complex type: single if none is double."""
    kinds = [np.asarray(value).dtype for value in values]
    if not any(kind.kind == "c" for kind in kinds):
        return np.float64
    return np.complex64 if all(kind in (np.complex64, np.float32) for kind in kinds) else np.complex128
