"""`adcompiler doctor`: what an installation consists of, and whether it works."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Iterator
from importlib import metadata
from typing import Any

import numpy as np

from adcompiler.api.derivative import Derivative
from adcompiler.emit.disk import cache_folder, kept, writable_folder

_PACKAGES = ("adcompiler", "numba", "llvmlite", "numpy", "scipy", "gast", "astunparse")


def _recurrence(w: float, x: np.ndarray) -> float:
    h = 0.0
    for i in range(len(x)):
        h = math.tanh(w * h + x[i])
    return h


def facts() -> Iterator[tuple[str, str]]:
    """Yield what somebody who is to help has to know."""
    yield "Python", f"{platform.python_version()} ({platform.python_implementation()})"
    yield "system", platform.platform()
    yield "processor", f"{platform.machine()}, {os.cpu_count()} cores"
    for package in _PACKAGES:
        yield package, version_of(package)
    folder, size = cache_folder(), sum(file.size for file in kept())
    is_own = writable_folder() == folder
    yield (
        "cache",
        f"{folder}, {size / 2**20:.1f} MB" + ("" if is_own else f", not writable: {writable_folder()}"),
    )
    for name in sorted(os.environ):
        if name.startswith(("NUMBA_", "ADCOMPILER_")):
            yield name, os.environ[name]


def version_of(package: str) -> str:
    """Return the version of an installed package."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def self_test() -> str:
    """Differentiate a small function; return what is wrong, or nothing."""
    derivative: Derivative[..., Any] = Derivative(_recurrence, "value_and_grad", "w", True, {})
    x, h = np.array([0.1, 0.2]), 1e-6
    try:
        _, slope = derivative(0.5, x)
        ends = [derivative.primal(0.5 + step, x) for step in (h, -h)]
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    expected = (ends[0] - ends[1]) / (2 * h)
    return "" if abs(slope - expected) < 1e-8 else f"the gradient is {slope}, differences say {expected}"
