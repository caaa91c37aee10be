"""Random programs whose arguments come otherwise: arrays of the module, or parts of one vector."""

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


def with_one_vector(
    source: str, make: Callable[[str, str], Any], make_inputs: Inputs, rng: random.Random
) -> tuple[str, Inputs] | None:
    """Return a program that takes all arrays of floats from one vector, and what makes its inputs.

    None where there are no such arrays. Some programs take them in each iteration of a loop.
    """
    function = make(source, f"whole {rng.random()}")
    args = make_inputs(rng)
    packed = [k for k, a in enumerate(args) if isinstance(a, np.ndarray) and a.dtype == np.float64]
    if not packed:
        return None
    names = [*inspect.signature(function).parameters]
    free = [name for k, name in enumerate(names) if k not in packed]
    parts: dict[int, str] = {}
    start = 0
    for k in rng.sample(packed, len(packed)):
        stop = start + args[k].size
        is_reshaped = args[k].ndim > 1 or rng.random() < 0.3
        parts[k] = f"flat[{start}:{stop}]" + (f".reshape({args[k].shape})" if is_reshaped else "")
        start = stop
    call = f"whole({', '.join(parts.get(k, name) for k, name in enumerate(names))})"
    loop = f"    total = 0.0\n    for _ in range(2):\n        total += {call}\n    return total\n"
    body = loop if rng.random() < 0.5 else f"    return {call}\n"
    main = f"def program({', '.join([*free, 'flat'])}):\n{body}"
    text = f"{source.replace('def program(', 'def whole(')}\n\n{main}"

    def one_vector(rng: random.Random) -> tuple[Any, ...]:
        args = make_inputs(rng)
        others = [arg for k, arg in enumerate(args) if k not in packed]
        return *others, np.concatenate([np.ravel(args[k]) for k in parts])

    return text, one_vector
