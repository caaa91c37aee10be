"""What a primitive computes of Python values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adcompiler.primitives import Spelling, card, library_function, part_of
from adcompiler.runtime.guards import GUARDS
from adcompiler.runtime.helpers import HELPERS
from adcompiler.runtime.vector_math import UNCOMPILED


def primitive(fn: str, args: Sequence[Any], keywords: dict[str, Any]) -> Any:
    """Apply a primitive to Python values."""
    known = card(fn)
    if known.spelling is Spelling.JOIN:
        args = [tuple(args)]
    position = part_of(fn, len(args))
    if position is not None:
        return args[position]
    if fn == "np.transpose":
        return np.transpose(args[0], args[1:])
    if fn in GUARDS:
        return GUARDS[fn](*args)
    found = known.compute or HELPERS.get(fn) or _vector_function(fn) or library_function(fn)
    if callable(found):
        return found(*args, **keywords)
    member = getattr(args[0], fn)  # an attribute or method of an array
    return member(*args[1:], **keywords) if callable(member) else member


def _vector_function(fn: str) -> Any:
    return getattr(UNCOMPILED, fn.removeprefix("fast.")) if fn.startswith("fast.") else None
