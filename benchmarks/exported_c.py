"""Exported C next to Numba: `python -m benchmarks.exported_c [name …]`."""

from __future__ import annotations

import ctypes
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from adcompiler import DifferentiationError, value_and_grad
from benchmarks.c_calls import FAST, CFunction, single_values
from benchmarks.workloads import WORKLOADS

SECONDS = 0.4


def prepared_call(function: CFunction, args: tuple[Any, ...]) -> Callable[[], None]:
    """Return a call of a function in C without the work of preparing its arguments."""
    given, results = function.prepared(args)
    pointers = [ctypes.byref(result) for result in results]
    arrays = [result for result in results if isinstance(result, ctypes.Structure)]

    def call() -> None:
        function.function(*given, *pointers)
        for array in arrays:
            function.release(ctypes.c_void_p(array.owner))
            array.data = None

    return call


def best(*calls: Callable[[], object]) -> list[float]:
    """Return the shortest time of each call in seconds; they take turns."""
    found = [float("inf")] * len(calls)
    end = time.perf_counter() + SECONDS * len(calls)
    while time.perf_counter() < end:
        for k, call in enumerate(calls):
            start = time.perf_counter()
            call()
            found[k] = min(found[k], time.perf_counter() - start)
    return found


def main(names: list[str]) -> None:
    """Print the time of each gradient in C relative to the one that Numba compiles."""
    print(f"{'workload':28} {'Numba':>10} {'C':>10} {'ratio':>6}")
    for workload in WORKLOADS:
        if names and workload.name not in names:
            continue
        args = workload.inputs(np.random.default_rng(0))
        derivative = value_and_grad(workload.primal, argnums=workload.wrt)
        try:
            with tempfile.TemporaryDirectory() as folder:
                function = CFunction(derivative, args, Path(folder), FAST)
        except DifferentiationError as error:
            print(f"{workload.name:28} refused: {error.reason}")
            continue
        expected = single_values(derivative(*args))
        agree = all(
            np.allclose(one, two, rtol=1e-7) for one, two in zip(function(*args), expected, strict=True)
        )
        numba, c = best(lambda: derivative(*args), prepared_call(function, args))  # noqa: B023
        times = f"{numba * 1e6:8.1f}us {c * 1e6:8.1f}us {c / numba:6.2f}"
        print(f"{workload.name:28} {times}{'' if agree else ' DIFFERS'}")


if __name__ == "__main__":
    main(sys.argv[1:])
