"""Memory that is given back stays with the process, so that the next call need not ask for it again.

The C library returns large arrays to the operating system as soon as they are freed. Each call of a
derivative then finds pages that the system has to clear first, which takes several times as long as to fill
them.
"""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_MOST = 2**31 - 1
_LARGEST = 2**25
"""The size of an array, in bytes, up to which older versions of glibc can keep its memory."""
_kept = [0]
"""How many bytes the C library has been told to keep."""


def keep_freed_memory(most: int = _MOST) -> bool:
    """Let the C library keep freed memory for later; return whether it can (glibc only).

    This holds for the whole process, from then on.

    Args:
        most: how many bytes it keeps.

    >>> isinstance(keep_freed_memory(), bool)
    True
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if set_option is None or most <= max(_kept):
        return set_option is not None
    _kept.append(most)
    return any(set_option(_MMAP_THRESHOLD, size) for size in (most, _LARGEST)) and bool(
        set_option(_TRIM_THRESHOLD, most)
    )


@cache
def keep_some_freed_memory() -> None:
    """Let it keep as much as most derivatives allocate, the first time that one is compiled.

    It is `ADCOMPILER_WORKSPACE_MB` megabytes, 256 where the environment does not say; 0 leaves it alone.
    """
    most = int(os.environ.get("ADCOMPILER_WORKSPACE_MB", "256")) << 20
    if most > 0:
        keep_freed_memory(min(most, _MOST))
