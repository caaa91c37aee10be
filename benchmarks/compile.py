"""Measure what compiling costs: `python -m benchmarks.compile [NAME ...] [--processes N]`.

For each workload, CPU seconds in fresh processes, each the least of N: of the plain `njit` compilation of the
function and of its first gradient, with empty caches; the share of our own stages in the latter; and both
again in a second process, where the caches are full. Imports of Numba and of this package are left out; the
compiler, which the first gradient loads, is not.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable

from tqdm import tqdm

from benchmarks.workloads import WORKLOADS

WIDTHS = (9, 10, 8, 7, 13, 16, 10)
BYTECODE = tempfile.TemporaryDirectory()  # of modules: an installed package has it
WORKER = """
import json, sys, time
import numpy as np
from numba import njit
import numba.core.event as events
from adcompiler import value_and_grad
from benchmarks.workloads import WORKLOADS

class Compiled(events.Listener):
    depth, seconds, count, start = 0, 0.0, 0, 0.0

    def on_start(self, event):
        Compiled.depth, Compiled.count = Compiled.depth + 1, Compiled.count + 1
        if Compiled.depth == 1:
            Compiled.start = time.process_time()

    def on_end(self, event):
        Compiled.depth -= 1
        if Compiled.depth == 0:
            Compiled.seconds += time.process_time() - Compiled.start

events.register("numba:compile", Compiled())
work = next(work for work in WORKLOADS if work.name == sys.argv[1])
args = work.inputs(np.random.default_rng(0))
if sys.argv[2] == "primal":
    made = njit(work.primal, error_model="numpy", cache=True)
else:
    made = value_and_grad(work.primal, argnums=work.wrt)
start = time.process_time()
made(*args)
print(json.dumps([time.process_time() - start, Compiled.seconds, Compiled.count]))
"""


def measured(name: str, what: str, folder: str) -> tuple[float, float, int]:
    """Return the CPU seconds of a first call, those of them in Numba's compiler, and its compilations."""
    caches = {"NUMBA_CACHE_DIR": f"{folder}/numba", "ADCOMPILER_CACHE": f"{folder}/own"}
    caches |= {"PYTHONPYCACHEPREFIX": BYTECODE.name, "PYTHONDONTWRITEBYTECODE": ""}
    found = subprocess.run(
        [sys.executable, "-c", WORKER, name, what],
        env=os.environ | caches,
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, compiling, count = json.loads(found.stdout.splitlines()[-1])
    return seconds, compiling, count


def costs(name: str, processes: int) -> dict[str, float]:
    """Return what compiling a workload costs."""
    least = dict.fromkeys(
        ("primal", "gradient", "own", "primal again", "gradient again", "compiled again"), math.inf
    )
    for _ in range(processes):
        with tempfile.TemporaryDirectory() as folder:
            first = [measured(name, what, folder) for what in ("primal", "gradient")]
            again = [measured(name, what, folder) for what in ("primal", "gradient")]
        own = first[1][0] - first[1][1]
        figures = (first[0][0], first[1][0], own, again[0][0], again[1][0], again[1][2])
        least = {key: min(old, new) for (key, old), new in zip(least.items(), figures, strict=True)}
    return least


def geometric_mean(ratios: Iterable[float]) -> float:
    logarithms = [math.log(ratio) for ratio in ratios]
    return math.exp(sum(logarithms) / len(logarithms))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", help="workloads; all if none is named")
    parser.add_argument("--processes", type=int, default=1)
    given = parser.parse_args()
    measured(WORKLOADS[0].name, "gradient", BYTECODE.name)
    names = given.names or [work.name for work in WORKLOADS if work.by_numba]
    found = {name: costs(name, given.processes) for name in tqdm(names, disable=None)}
    heads = ("njit", "gradient", "ratio", "own", "njit again", "gradient again", "compiled")
    print(" " * 20 + "".join(f"{head:>{width}}" for head, width in zip(heads, WIDTHS, strict=True)))
    for name, row in found.items():
        shown = (
            f"{row['primal']:.2f} s",
            f"{row['gradient']:.2f} s",
            f"{row['gradient'] / row['primal']:.2f}",
            f"{row['own'] / row['gradient']:.0%}",
            f"{row['primal again']:.3f} s",
            f"{row['gradient again']:.3f} s",
            f"{row['compiled again']:.0f}",
        )
        print(f"{name:20}" + "".join(f"{text:>{width}}" for text, width in zip(shown, WIDTHS, strict=True)))
    ratio = geometric_mean(row["gradient"] / row["primal"] for row in found.values())
    again = geometric_mean(row["gradient again"] / row["primal again"] for row in found.values())
    print(f"geometric means: first {ratio:.2f}, again {again:.2f}")


if __name__ == "__main__":
    main()
