"""The options `checkpoints` and `memory`: how much a loop may keep for its reversal."""

from __future__ import annotations

import re
from typing import Any

from adcompiler.errors import DifferentiationError
from adcompiler.graph.steps import Room

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}
_CURE = (
    "checkpoints=10 is a number of states; memory='200MB' (kB, MB, GB, KiB, MiB, GiB), or a number of bytes"
)


def room_of(checkpoints: Any, memory: Any) -> Room | None:
    """Return what the two options say; None if neither is given.

    Raises:
        DifferentiationError: AD305 for both, or for what is no positive number.

    >>> room_of(None, "1.5 GB").memory, room_of(10, None).slots, room_of(None, None)
    (1500000000, 10, None)
    """
    if checkpoints is None and memory is None:
        return None
    if checkpoints is not None and memory is not None:
        raise DifferentiationError("AD305", "checkpoints and memory are both given", None, _CURE)
    if memory is not None:
        return Room(memory=_bytes(memory))
    if not isinstance(checkpoints, int) or isinstance(checkpoints, bool) or checkpoints < 1:
        raise DifferentiationError("AD305", f"checkpoints={checkpoints!r}", None, _CURE)
    return Room(checkpoints)


def _bytes(memory: Any) -> int:
    found = re.fullmatch(r"\s*([0-9.]+)\s*([kmg]i?)?b?\s*", str(memory).lower())
    try:
        size = int(float(found[1]) * _UNITS[found[2] or ""]) if found else 0
    except ValueError:
        size = 0
    if size < 1:
        raise DifferentiationError("AD305", f"memory={memory!r}", None, _CURE)
    return size
