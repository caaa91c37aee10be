"""Measure past one memory, one core and one example: slots, threads, batches, all as ratios.

`python -m benchmarks.scale [--steps 4000] [--cells 2000] [--rounds 5] [--picture scale.png]` has three parts.
A wave equation in bounded memory: bytes and time against slots, beside what theory says; each number of slots
has a process of its own, which tells its peak of memory. Times are ratios to the function, theory's are
iterations run for each of the loop's: one for the forward sweep and its reruns, and two more for the
reversals, which is what a gradient that keeps everything takes. Then functions and gradients on 1, 2, 4 …
threads (`benchmarks.threads`), and gradients for each example of a batch (`benchmarks.batches`). Least times
count.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import timeit
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from tqdm import tqdm

from adcompiler import grad
from adcompiler.storage.run_again import iterations_run
from benchmarks.batches import table

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
    """Return the largest memory of this process since it was last told to forget, in bytes (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def measured(slots: int, cells: int, steps: int) -> dict[str, float]:
    """Return the bytes of one gradient, beyond those of two steps, and its time over that of the function."""
    start = np.sin(np.linspace(0.0, np.pi, cells))
    args = start, np.full(cells, 0.4)
    derivative = grad(wave, argnums=(0, 1), **({"checkpoints": slots} if slots else {}))
    primal = njit(wave)
    derivative(*args, 2)
    primal(*args, 2)
    Path("/proc/self/clear_refs").write_text("5")  # what compiling took does not count
    before = peak()
    derivative(*args, steps)
    used = peak() - before
    times = [
        min(timeit.repeat(lambda f=f: f(*args, steps), number=1, repeat=5)) for f in (derivative, primal)
    ]
    return {"bytes": used, "seconds": times[0], "ratio": times[0] / times[1]}


def in_a_process(module: str, *options: object) -> Any:
    """Measure in a process of its own: for a peak of memory, and for as many threads as there are cores."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, options)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def draw_slots(left: Any, right: Any, found: dict[int, Any], cells: int, steps: int) -> None:
    """Draw memory and time against slots."""
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


def draw_threads(axes: Any, found: dict[str, Any]) -> None:
    """Draw how much faster functions and gradients are on several threads."""
    for k, (name, times) in enumerate(found.items()):
        for what, style in (("function", "--"), ("gradient", "-")):
            faster = [times[what][0] / each for each in times[what]]
            axes.plot(times["threads"], faster, f"C{k}o{style}", label=name if style == "-" else None)
    most = max(times["threads"])
    axes.plot([1, most], [1, most], color="0.8", zorder=0)
    axes.set(xlabel="threads", title="speed-up: gradients, and functions (dashed)", ylim=(0, None))
    axes.set_xticks(times["threads"])
    axes.legend()


def draw_batches(axes: Any, found: dict[str, dict[str, float]]) -> None:
    """Draw the time of an example's gradient in a batch, over that of `vmap` for one example."""
    sizes, one = [*map(int, found)], found[next(iter(found))]["vmap"]
    for name in next(iter(found.values())):
        axes.loglog(sizes, [found[str(n)][name] / n / one for n in sizes], "o-", label=name)
    axes.set(xlabel="examples", title="time per example / vmap of one")
    axes.set_xticks(sizes, [*map(str, sizes)])
    axes.legend()


def main() -> None:
    """Measure all three, print tables, and draw them if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--cells", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--picture")
    parser.add_argument("--one", type=int, help="slots of one measurement, 0 for none; prints JSON")
    given = parser.parse_args()
    if given.one is not None:
        print(json.dumps(measured(given.one, given.cells, given.steps)))
        return
    size = "--cells", given.cells, "--steps", given.steps
    slots = {n: in_a_process("scale", "--one", n, *size) for n in tqdm((0, *SLOTS))}
    print_slots(slots, given.steps)
    threads = in_a_process("threads", "--json", "--rounds", given.rounds)
    print_threads(threads)
    batches = in_a_process("batches", "--json", "--repeat", given.rounds)
    print("\nother ways / vmap, for gradients of each example\n" + table(batches))
    if given.picture:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9, 6.4), layout="constrained")
        (memory, time), (speed, batch) = figure.subplots(2, 2)
        draw_slots(memory, time, slots, given.cells, given.steps)
        draw_threads(speed, threads)
        draw_batches(batch, batches)
        figure.savefig(given.picture, dpi=100)


def print_slots(found: dict[int, Any], steps: int) -> None:
    """Print memory and time for each number of slots."""
    print(f"{'slots':>8} {'MB':>8} {'time / function':>16} {'iterations / steps':>20}")
    for n, one in found.items():
        runs = f"{iterations_run(steps, n) / steps:.2f}" if n else ""
        print(f"{n or 'all':>8} {one['bytes'] / 1e6:8.1f} {one['ratio']:16.2f} {runs:>20}")


def print_threads(found: dict[str, Any]) -> None:
    """Print how much faster functions and gradients are on several threads."""
    counts = next(iter(found.values()))["threads"][1:]
    print(f"\n{'speed-up on':>12}" + "".join(f"{n:>6} threads: function, gradient" for n in counts))
    for name, times in found.items():
        pairs = [
            [times[what][0] / times[what][k + 1] for what in ("function", "gradient")]
            for k in range(len(counts))
        ]
        print(f"{name:>12}" + "".join(f"{one:27.2f}{two:10.2f}" for one, two in pairs))


if __name__ == "__main__":
    main()
