"""Values in a few characters, for pictures and tables."""

from __future__ import annotations

from typing import Any

import numpy as np

_SHOWN = 6
"""How many elements of an array are written out."""


def shown(value: Any) -> str:
    """Return a value in a few characters.

    >>> shown(1 / 3), shown(np.array([1.0, 0.25])), shown(np.ones((20, 20))), shown((1, 2.5))
    ('0.333333', '[1, 0.25]', '20×20 from 1 to 1', '(1, 2.5)')
    """
    match value:
        case np.ndarray() if value.size > _SHOWN:
            size = "×".join(map(str, value.shape))
            is_ordered = value.dtype.kind in "fiu"
            return f"{size} from {value.min():.6g} to {value.max():.6g}" if is_ordered else f"array of {size}"
        case np.ndarray(shape=()):
            return shown(value[()])
        case np.ndarray() | list():
            return f"[{', '.join(map(shown, value))}]"
        case tuple():
            return f"({', '.join(map(shown, value))})"
        case float() | np.floating():
            return f"{value:.6g}"
    return str(value)
