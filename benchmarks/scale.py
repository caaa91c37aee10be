"""Measure long loops in bounded memory: bytes and time against slots, beside what theory says.

`python -m benchmarks.scale [--steps 4000] [--cells 2000] [--picture scale.png]` runs a wave equation; each
number of slots has a process of its own, which tells its peak of memory. Times are ratios to the function
itself, theory's are iterations run for each of the loop's: one for the forward sweep and its reruns, and two
more for the reversals, which is what a gradient that keeps everything takes.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import timeit
from typing import Any

import numpy as np
from numba import njit
from tqdm import tqdm

from adcompiler import grad
from adcompiler.storage.run_again import iterations_run

SLOTS = (3, 5, 10, 20, 50, 100, 300, 1000)


def wave(start: Any, speed: Any, steps: Any) -> Any:
    """Return the energy of a string at the end, whose speed of sound changes along it."""
    before, now = start.copy(), start.copy()
    for _ in range(steps):
        after = np.zeros_like(now)
        for i in range(1, len(now) - 1):
            bend = now[i - 1] - 2.0 * now[i] + now[i + 1]
            after[i] = 2.0 * now[i] - before[i] + speed[i] * speed[i] * bend - 0.001 * now[i] ** 3
        before, now = now, after
    return np.sum((now - before) ** 2)


def peak() -> int:
    """Return the largest memory that this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measured(slots: int, cells: int, steps: int) -> dict[str, float]:
    """Return the bytes of one gradient, beyond those of two steps, and its time over that of the function."""
    start = np.sin(np.linspace(0.0, np.pi, cells))
    args = start, np.full(cells, 0.4)
    derivative = grad(wave, argnums=(0, 1), **({"checkpoints": slots} if slots else {}))
    primal = njit(wave)
    derivative(*args, 2)
    primal(*args, 2)
    before = peak()
    derivative(*args, steps)
    used = peak() - before
    times = [
        min(timeit.repeat(lambda f=f: f(*args, steps), number=1, repeat=5)) for f in (derivative, primal)
    ]
    return {"bytes": used, "seconds": times[0], "ratio": times[0] / times[1]}


def in_a_process(slots: int, cells: int, steps: int) -> Any:
    """Measure in a process of its own: a peak of memory does not go down again."""
    command = [sys.executable, "-m", "benchmarks.scale", "--one", str(slots)]
    command += ["--cells", str(cells), "--steps", str(steps)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def draw(path: str, found: dict[int, Any], cells: int, steps: int) -> None:
    """Save a picture: memory and time against slots."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    slots = [n for n in found if n]
    seen = [n for n in slots if found[n]["bytes"] > 300_000]  # less is in pages that the process had before
    left.loglog(seen, [found[n]["bytes"] / 1e6 for n in seen], "o-", label="measured")
    left.loglog(slots, [2 * 8 * cells * n / 1e6 for n in slots], "k--", label="the states")
    left.axhline(found[0]["bytes"] / 1e6, color="0.6", label="everything kept")
    left.set(xlabel="slots", ylabel="MB", title=f"memory, {steps} steps of {cells} cells")
    left.legend()
    right.semilogx(slots, [found[n]["ratio"] for n in slots], "o-", label="measured")
    right.semilogx(slots, [iterations_run(steps, n) / steps + 2.0 for n in slots], "k--", label="theory")
    right.axhline(found[0]["ratio"], color="0.6", label="everything kept")
    right.set(xlabel="slots", title="time of the gradient / the function", ylim=(0, None))
    right.legend()
    figure.savefig(path, dpi=100)


def main() -> None:
    """Measure all numbers of slots, print a table, and draw it if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--cells", type=int, default=2000)
    parser.add_argument("--picture")
    parser.add_argument("--one", type=int, help="slots of one measurement, 0 for none; prints JSON")
    given = parser.parse_args()
    if given.one is not None:
        print(json.dumps(measured(given.one, given.cells, given.steps)))
        return
    found = {n: in_a_process(n, given.cells, given.steps) for n in tqdm((0, *SLOTS))}
    print(f"{'slots':>8} {'MB':>8} {'time / function':>16} {'iterations / steps':>20}")
    for n, one in found.items():
        runs = f"{iterations_run(given.steps, n) / given.steps:.2f}" if n else ""
        print(f"{n or 'all':>8} {one['bytes'] / 1e6:8.1f} {one['ratio']:16.2f} {runs:>20}")
    if given.picture:
        draw(given.picture, found, given.cells, given.steps)


if __name__ == "__main__":
    main()
