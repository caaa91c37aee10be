"""The options of a derivative that say what its text is to be like."""

from __future__ import annotations

from typing import Any

from adcompiler.api.room import room_of
from adcompiler.graph.steps import Style


def style_of(options: dict[str, Any]) -> Style:
    """Take the options that are no business of Numba's out of all options, and return what they say.

    Raises:
        DifferentiationError: AD305 for values that an option cannot have.

    >>> given = {"accurate_math": True, "fastmath": True}
    >>> style_of(given).accurate, given
    (True, {'fastmath': True})
    """
    names = ("accurate_math", "broadcasting", "debug_nans", "wide_sums")
    accurate, broadcasts, checks, wide = (bool(options.pop(name, False)) for name in names)
    return Style(
        accurate=accurate or checks,
        broadcasts=broadcasts,
        checks=checks,
        wide_sums=wide,
        room=room_of(options.pop("checkpoints", None), options.pop("memory", None)),
    )
