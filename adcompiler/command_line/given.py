"""Arguments on a command line: Python expressions for values, or Numba types."""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import numba
import numpy as np
from numba.core import types as nt

from adcompiler.command_line.target import CommandError

_TYPES = {name: kind for name, kind in vars(numba).items() if isinstance(kind, nt.Number | nt.Boolean)}


def given(text: str, module: ModuleType | None = None) -> tuple[Any, ...]:
    """Return the arguments that a text stands for.

    Args:
        text: expressions separated by commas, over `np`, `math`, Numba's types and the names of the module.
        module: the function's module.

    Raises:
        CommandError: where the text has no value.

    >>> given("np.ones(2), 2.0"), given("float64[:], int64")
    ((array([1., 1.]), 2.0), (Array(float64, 1, 'A', False, aligned=True), int64))
    """
    if not text.strip():
        return ()
    names = {**_TYPES, **(vars(module) if module is not None else {}), "np": np, "math": math}
    try:
        found = eval(f"({text}\n,)", names)
    except SyntaxError as error:
        raise CommandError(f"--args: '{text}' is no Python: {error.msg}") from None
    except Exception as error:
        raise CommandError(f"--args: '{text}' has no value: {type(error).__name__}: {error}") from None
    return tuple(found)


def values(text: str, module: ModuleType, command: str) -> tuple[Any, ...]:
    """Return arguments that have to be values.

    Raises:
        CommandError: where they are types, or are left out.
    """
    found = given(text, module)
    if not found:
        raise CommandError(f'{command} needs values of the arguments: --args "np.ones(3), 2.0"')
    if any(isinstance(value, nt.Type) for value in found):
        raise CommandError(f'{command} needs values, not types: --args "np.ones(3), 2.0"')
    return found
