"""Random programs some of whose arguments are captured arrays: data that a module or closure holds."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable
from typing import Any

import numpy as np

Inputs = Callable[[random.Random], tuple[Any, ...]]


def with_captured_arrays(
    source: str, make: Callable[[str, str], Any], make_inputs: Inputs, rng: random.Random
) -> tuple[str, Inputs] | None:
    """Return a program that calls another one with arrays of its module, and what makes the other inputs.

    None where there is no array that the program only reads, or no other argument.
    """
    function = make(source, f"whole {rng.random()}")
    args = make_inputs(rng)
    copies = [a.copy() if isinstance(a, np.ndarray) else a for a in args]
    try:
        with np.errstate(all="ignore"):
            function(*copies)
    except (ArithmeticError, ValueError, IndexError):
        return None
    arrays = [k for k, a in enumerate(args) if isinstance(a, np.ndarray)]
    read = [k for k in arrays if np.array_equal(args[k], copies[k], equal_nan=True)]
    held = [k for k in read if rng.random() < 0.7] or read[:1]
    if not held or len(held) == len(args):
        return None
    names = [*inspect.signature(function).parameters]
    free = [name for k, name in enumerate(names) if k not in held]
    given = ", ".join(f"DATA_{k}" if k in held else name for k, name in enumerate(names))
    data = [f"DATA_{k} = np.array({args[k].tolist()!r})\nDATA_{k}.setflags(write=False)" for k in held]
    main = f"def program({', '.join(free)}):\n    return whole({given})\n"
    text = source.replace("def program(", "def whole(") + "\n\n" + "\n".join(data) + f"\n\n\n{main}"

    def others(rng: random.Random) -> tuple[Any, ...]:
        return tuple(arg for k, arg in enumerate(make_inputs(rng)) if k not in held)

    return text, others
