"""Time generated gradients against the primal, adjoints by hand, JAX, PyTorch and HIPS autograd.

`python -m benchmarks [NAME ...]` runs all workloads, or some; `--suite users npbench` those of some suites.
One thread; repetitions of all contestants are interleaved; value and gradients of all must agree before
anything is timed. The peers, from the extra `bench`, are left out where they are not installed. The table
goes to the terminal, figures to JSON, ratios to a picture.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from adcompiler import value_and_grad
from benchmarks.workload import Workload
from benchmarks.workloads import SUITES

OURS, PRIMAL, BY_HAND, JAX = "adcompiler", "primal", "by hand", "JAX"
TORCH, AUTOGRAD = "PyTorch", "autograd"
BATCH_SECONDS = 0.01


def contestants(work: Workload) -> dict[str, Callable[..., Any]]:
    """Return what is timed for a workload, each a function of its arguments."""
    found: dict[str, Callable[..., Any]] = {
        OURS: value_and_grad(work.primal, argnums=work.wrt),
        PRIMAL: work.compiled,
    }
    if work.by_hand is not None:
        found[BY_HAND] = work.by_hand
    for name, make in ((JAX, work.jax), (TORCH, work.torch), (AUTOGRAD, work.autograd)):
        try:
            if make is not None:
                found[name] = make()
        except ImportError:
            pass
    return found


def check(work: Workload, found: dict[str, Callable[..., Any]], args: tuple[Any, ...]) -> None:
    """Let all contestants agree on value and gradients to 1e-8 of their size."""
    value, gradients = found[OURS](*args)
    for name, function in found.items():
        result = function(*args)
        other, others = (result, gradients) if name == PRIMAL else result
        pairs = [(value, other), *zip(gradients, others, strict=True)]
        for k, (one, two) in enumerate(pairs):
            scale = float(np.max(np.abs(one)))
            np.testing.assert_allclose(
                one, two, rtol=1e-8, atol=1e-8 * scale, err_msg=f"{work.name}: {name}, {k}"
            )


def timed(
    found: dict[str, Callable[..., Any]], args: tuple[Any, ...], repetitions: int
) -> dict[str, list[float]]:
    """Return seconds per call, for each contestant and repetition."""
    batches: dict[str, int] = {}
    for name, function in found.items():
        begin = time.perf_counter()
        function(*args)
        batches[name] = max(1, round(BATCH_SECONDS / (time.perf_counter() - begin)))
    times: dict[str, list[float]] = {name: [] for name in found}
    for _ in range(repetitions):
        for name, function in found.items():
            begin = time.perf_counter()
            for _ in range(batches[name]):
                function(*args)
            times[name].append((time.perf_counter() - begin) / batches[name])
    return times


def geometric_mean(ratios: Iterable[float]) -> float:
    """Return the geometric mean, NaN of nothing."""
    logarithms = [math.log(ratio) for ratio in ratios]
    return math.exp(statistics.fmean(logarithms)) if logarithms else math.nan


def table(results: dict[str, dict[str, float]], least: dict[str, float], groups: dict[str, list[str]]) -> str:
    """Return times in microseconds and ratios, a line per workload, and geometric means.

    Args:
        results: for each workload the median of each contestant, in seconds.
        least: the minimum of ours.
        groups: workloads of which a mean is shown, by the name of the line.
    """
    peers = [peer for peer in (JAX, TORCH, AUTOGRAD) if any(peer in m for m in results.values())]
    heads = "".join(f"{f'{peer} to ours':>17}" for peer in peers)
    lines = [f"{'':22}{'adcompiler':>12}{'minimum':>12}{'to primal':>11}{'to by hand':>12}{heads}"]

    def ratios(medians: Callable[[str, str], float]) -> str:
        pairs = [(OURS, PRIMAL, 10), (OURS, BY_HAND, 11), *((peer, OURS, 16) for peer in peers)]
        found = [(medians(one, two), width) for one, two, width in pairs]
        return "".join(f"{'':{w + 1}}" if math.isnan(r) else f"{r:{w}.2f}x" for r, w in found)

    for name, medians in results.items():

        def ratio(one: str, two: str, medians: dict[str, float] = medians) -> float:
            return medians[one] / medians[two] if one in medians and two in medians else math.nan

        lines.append(f"{name:22}{medians[OURS] * 1e6:9.1f} µs{least[name] * 1e6:9.1f} µs{ratios(ratio)}")

    for title, names in groups.items():

        def mean(one: str, two: str, names: list[str] = names) -> float:
            known = [results[name] for name in names if one in results[name] and two in results[name]]
            return geometric_mean(medians[one] / medians[two] for medians in known)

        lines.append(f"{title:22}{'':24}{ratios(mean)}")
    return "\n".join(lines)


def picture(results: dict[str, dict[str, float]], path: Path) -> None:
    """Draw the ratios to the adjoint written by hand, where there is one."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = [name for name in results if BY_HAND in results[name]][::-1]
    figure, axes = pyplot.subplots(figsize=(8, 0.36 * len(names) + 1.2), layout="constrained")
    for kind, colour in ((PRIMAL, "0.6"), (OURS, "tab:blue"), (JAX, "tab:orange")):
        known = [
            (results[n][kind] / results[n][BY_HAND], k) for k, n in enumerate(names) if kind in results[n]
        ]
        axes.plot([x for x, _ in known], [y for _, y in known], "o", color=colour, label=kind)
    axes.axvline(1.0, color="0.8", zorder=0)
    axes.set(xscale="log", yticks=range(len(names)), yticklabels=names)
    axes.set_xlabel("time relative to the adjoint written by hand")
    axes.legend(loc="upper right", fontsize="small")
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", help="workloads; all if none is named")
    parser.add_argument("--suite", nargs="+", choices=SUITES, default=list(SUITES), help="suites to run")
    parser.add_argument("--repetitions", type=int, default=15)
    parser.add_argument(
        "--out", type=Path, default=Path("benchmarks/results"), help="folder for JSON and picture"
    )
    options = parser.parse_args()
    suites = {
        suite: [w for w in SUITES[suite] if not options.names or w.name in options.names]
        for suite in options.suite
    }
    warnings.simplefilter("ignore")
    results: dict[str, dict[str, float]] = {}
    minima: dict[str, dict[str, float]] = {}
    for work in tqdm([work for works in suites.values() for work in works], disable=None):
        args = work.inputs(np.random.default_rng(0))
        found = contestants(work)
        check(work, found, args)
        times = timed(found, args, options.repetitions)
        results[work.name] = {name: statistics.median(times[name]) for name in found}
        minima[work.name] = {name: min(times[name]) for name in found}
    groups = {f"mean of {suite}": [work.name for work in works] for suite, works in suites.items() if works}
    groups["geometric mean"] = list(results)
    print(table(results, {name: times[OURS] for name, times in minima.items()}, groups))
    options.out.mkdir(exist_ok=True, parents=True)
    figures = {"median": results, "minimum": minima}
    (options.out / "results.json").write_text(json.dumps(figures, indent=1))
    try:
        picture(results, options.out / "ratios.png")
    except ImportError:
        print("no picture: matplotlib is not installed")


if __name__ == "__main__":
    main()
