"""Zeros on all cores: a large array is cleared by the threads that will use it, which find its pages, too."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
from __future__ import annotations

from numba.core import cgutils

from adcompiler.runtime.shares import LARGE, in_shares, is_around_loops


def fill_with_zeros(builder, data, size):
    """Write the instructions that clear memory: on all cores where a function has parallel loops.

    Args:
        builder: what writes them.
        data: where it begins.
        size: how many bytes it has.
    """
    if not is_around_loops(builder):
        _clear(builder, data, size)
        return
    is_large = builder.icmp_unsigned(">=", size, size.type(LARGE))
    with builder.if_else(is_large, likely=False) as (large, small):
        with large:
            in_shares(builder, "adcompiler.zeros", _clear, data, size)
        with small:
            _clear(builder, data, size)


def _clear(builder, data, size):
    cgutils.memset(builder, data, size, 0)
