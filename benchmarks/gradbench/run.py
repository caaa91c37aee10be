"""Check the evals and time them: `python -m benchmarks.gradbench.run [EVAL …]`.

Outputs are held against those of GradBench's reference, and derivatives timed next to their own primal, and
next to JAX and PyTorch (extra `bench`) where these have the eval. Times are the least of several runs.
"""

from __future__ import annotations

import argparse
import importlib
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from adcompiler.runtime.workspace import keep_freed_memory
from benchmarks.gradbench.__main__ import EVALS, eval_named
from benchmarks.gradbench.checking import cases, check
from benchmarks.gradbench.evaluation import Task, timed
from benchmarks.gradbench.sizes import SIZES

LIMITS = {"min_runs": 5, "min_seconds": 0.3}
PEERS = {"JAX": "benchmarks.gradbench.in_jax", "PyTorch": "benchmarks.gradbench.in_torch"}


def peers(name: str) -> dict[str, Any]:
    """Return the modules of those peers that are installed and have an eval."""
    found = {}
    for peer, module in PEERS.items():
        try:
            found[peer] = importlib.import_module(module)
        except ImportError:
            continue
    return {peer: module for peer, module in found.items() if name in module.FORMS}


def checked(name: str) -> int:
    """Hold an eval against its reference outputs, and return how many there are."""
    tasks, known = eval_named(name).tasks, cases(name)
    for case in known:
        check(timed(tasks[case["function"]], case["input"])[0], case["output"])
    return len(known)


def seconds(run: Callable[..., Any], args: tuple[Any, ...]) -> float:
    run(*args)
    return min(timed(Task(lambda _: args, run), LIMITS)[1]) / 1e9


def by_peer(name: str, module: Any, args: tuple[Any, ...], expected: Any) -> float:
    """Return the seconds of a peer, after its gradient has agreed with ours."""
    args = module.placed(args)
    found = module.FORMS[name](*args)
    parts = [np.asarray(part) for part in found] if isinstance(found, tuple) else np.asarray(found)
    check(parts, list(expected) if isinstance(expected, tuple) else expected)
    return seconds(module.FORMS[name], args)


def measured(name: str) -> list[tuple[str, dict[str, float]]]:
    """Return the sizes of an eval, and seconds of primal, derivative and peers for each."""
    primal, derivative = eval_named(name).tasks.values()
    found = []
    for label, given in SIZES[name](np.random.default_rng(0)):
        args = primal.read(given)
        times = {"primal": seconds(primal.run, args), "derivative": seconds(derivative.run, args)}
        for peer, module in peers(name).items():
            times[peer] = by_peer(name, module, args, derivative.run(*args))
        found.append((label, times))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("evals", nargs="*", help="evals; all if none is named", metavar="EVAL")
    chosen = parser.parse_args().evals or EVALS
    keep_freed_memory()
    console = Console()
    table = Table("eval", "size", "primal, ms", "derivative, ms", "to primal", *PEERS)
    for name in track(chosen, "evals", console=console):
        console.print(f"{name}: {checked(name)} outputs are those of the reference")
        ratios = []
        for label, times in measured(name) if name in SIZES else []:
            ours = times["derivative"]
            ratios.append(ours / times["primal"])
            others = [f"{times[peer] / ours:.2f}" if peer in times else "" for peer in PEERS]
            row = f"{times['primal'] * 1e3:.3f}", f"{ours * 1e3:.3f}", f"{ratios[-1]:.2f}"
            table.add_row(name, label, *row, *others)
        if ratios:
            mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
            table.add_row(name, "geometric mean", "", "", f"{mean:.2f}", end_section=True)
    table.caption = "the last columns: their time to ours"
    console.print(table)


if __name__ == "__main__":
    main()
