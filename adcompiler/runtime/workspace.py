"""Memory that is given back stays with the process, so that the next call need not ask for it again.

The C library takes large arrays from the operating system one by one, and returns them at once. Each call of
a derivative then finds pages that the system has to clear first, which for tapes of many megabytes takes
longer than to fill them.
"""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_MOST = 2**31 - 1


def keep_freed_memory() -> bool:
    """Let the C library keep up to 2 GB of freed memory for later; return whether it can (glibc only).

    This holds for the whole process, from then on.

    >>> isinstance(keep_freed_memory(), bool)
    True
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if set_option is None:
        return False
    return bool(set_option(_TRIM_THRESHOLD, _MOST)) and bool(set_option(_MMAP_THRESHOLD, _MOST))
