"""Differentiate the kernels of NPBench as their authors wrote them, and time that beside JAX.

`python -m benchmarks.npbench FOLDER [NAME ...]` takes a checkout of NPBench (github.com/spcl/npbench; Ziogas
et al. 2021, "NPBench: a benchmarking suite for high-performance NumPy"). What is differentiated is the sum of
squares of all that a kernel returns or writes, by all arguments of floating point. The NumPy form is the one
that the suite has for NumPy, and JAX's the one that it has for JAX, jitted. Derivatives are held against
differences along one direction first. Each kernel has a process of its own, on one core; each time is the
median of several calls.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import inspect
import json
import os
import subprocess
import sys
import tempfile
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from tqdm import tqdm

from adcompiler import value_and_grad

OBJECTIVE = '''\
import numpy as np

from {module}_numpy import {kernel}


def objective({arguments}):
    """Return the sum of squares of all that the kernel computes."""
    {results}{kernel}({arguments})
    return {total}
'''


SQUARE, SQUARES = "np.sum({0} * {0})", "np.sum(({0} * np.conj({0})).real)"


def inputs(facts: dict[str, Any], size: str) -> dict[str, Any]:
    """Return a kernel's arguments by name, as the suite makes them."""
    known = dict(facts["parameters"][size])
    if "init" in facts:
        module = importlib.import_module(module_of(facts))
        init = facts["init"]
        made = getattr(module, init["func_name"])(*[known[name] for name in init["input_args"]])
        names = init["output_args"]
        known |= dict(zip(names, made if len(names) > 1 else (made,), strict=True))
    return {name: known[name] for name in facts["input_args"]}


def module_of(facts: dict[str, Any]) -> str:
    return ".".join(["npbench", "benchmarks", *facts["relative_path"].split("/"), facts["module_name"]])


def is_float(value: Any) -> bool:
    return np.asarray(value).dtype.kind in "fc"


def outputs(facts: dict[str, Any], args: dict[str, Any]) -> tuple[int, dict[str, bool]]:
    """Return how many results the kernel returns, and whether each name of what it computes is complex."""
    kernel = getattr(importlib.import_module(module_of(facts) + "_numpy"), facts["func_name"])
    result = kernel(*[np.copy(a) if isinstance(a, np.ndarray) else a for a in args.values()])
    returned = result if isinstance(result, tuple) else () if result is None else (result,)
    names = {f"result_{k}": np.iscomplexobj(value) for k, value in enumerate(returned) if is_float(value)}
    arrays = facts["output_args"] or facts["array_args"]
    written = {name: np.iscomplexobj(args[name]) for name in arrays if is_float(args[name])}
    return len(returned), names or written


def objective(facts: dict[str, Any], args: dict[str, Any], folder: Path) -> Callable[..., Any]:
    """Return the function to differentiate, written to a file, since its source is read."""
    count, found = outputs(facts, args)
    results = [f"result_{k}" for k in range(count)]
    text = OBJECTIVE.format(
        module=module_of(facts),
        kernel=facts["func_name"],
        arguments=", ".join(args),
        results=", ".join(results) + " = " * bool(results),
        total=" + ".join(
            (SQUARES if is_complex else SQUARE).format(name) for name, is_complex in found.items()
        ),
    )
    path = folder / f"{facts['module_name']}_objective.py"
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module.objective  # type: ignore[no-any-return]


def in_jax(facts: dict[str, Any], args: dict[str, Any], wrt: tuple[int, ...]) -> Callable[..., Any]:
    """Return JAX's value and gradients as a function of the arguments of floating point."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    kernel = getattr(importlib.import_module(module_of(facts) + "_jax"), facts["func_name"])
    values = list(args.values())

    def total(*floats: Any) -> Any:
        given = list(values)
        for k, value in zip(wrt, floats, strict=True):
            given[k] = value
        results = jax.tree.leaves(kernel(*given))
        return sum(jnp.sum((result * jnp.conj(result)).real) for result in results)

    compiled = jax.jit(jax.value_and_grad(total, argnums=tuple(range(len(wrt)))))
    return lambda *floats: jax.block_until_ready(compiled(*floats))


def median_time(run: Callable[[], Any], seconds: float = 2.0) -> float:
    times = []
    while (sum(times) < seconds and len(times) < 50) or len(times) < 3:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def slope_by_differences(
    f: Callable[..., Any], args: list[Any], wrt: tuple[int, ...], along: list[Any]
) -> float:
    """Return the directional derivative by central differences, extrapolated once."""

    def at(step: float) -> float:
        moved = [np.copy(a) if isinstance(a, np.ndarray) else a for a in args]
        for k, direction in zip(wrt, along, strict=True):
            moved[k] = moved[k] + step * direction
        return float(f(*moved))

    step = 1e-5
    wide, narrow = ((at(h) - at(-h)) / (2 * h) for h in (2 * step, step))
    return (4 * narrow - wide) / 3


def slope(gradients: Any, along: list[Any]) -> float:
    return float(sum(np.real(np.sum(np.asarray(g) * d)) for g, d in zip(gradients, along, strict=True)))


def measured(folder: Path, name: str, size: str) -> dict[str, Any]:
    """Return times and deviations of one kernel, or what went wrong."""
    facts = json.loads((folder / "bench_info" / f"{name}.json").read_text())["benchmark"]
    args = inputs(facts, size)
    values = list(args.values())
    wrt = tuple(k for k, value in enumerate(values) if is_float(value))
    if not wrt:
        return {"left out": "no argument of floating point"}
    generator = np.random.default_rng(0)
    along = [generator.normal(size=np.shape(values[k])) for k in wrt]
    with tempfile.TemporaryDirectory() as scratch:
        f = objective(facts, args, Path(scratch))
        expected = slope_by_differences(f, values, wrt, along)
        row: dict[str, Any] = {"slope": expected}
        start = time.process_time()
        try:
            gradient = value_and_grad(f, argnums=wrt)
            _, ours = gradient(*values)
        except Exception as error:  # what is refused is a row of the table
            return row | {"ours failed": str(error)[:600]}
        row["first call"] = time.process_time() - start
        row["deviation"] = abs(slope(ours, along) - expected) / max(abs(expected), 1e-12)
        row["ours"] = median_time(lambda: gradient(*values))
        row |= primal_time(f, gradient, values)
        return row | jax_time(facts, args, wrt, along, slope(ours, along))


def by_numba(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function compiled by Numba, with all functions of the kernel's module."""
    (kernel,) = [value for value in f.__globals__.values() if inspect.isfunction(value) and value is not f]
    module = importlib.import_module(kernel.__module__)
    for name, value in list(vars(module).items()):
        if inspect.isfunction(value) and value.__module__ == module.__name__:
            setattr(module, name, njit(value, error_model="numpy"))
    named = {**f.__globals__, kernel.__name__: getattr(module, kernel.__name__)}
    return njit(types.FunctionType(f.__code__, named), error_model="numpy")  # type: ignore[no-any-return]


def primal_time(f: Callable[..., Any], gradient: Any, values: list[Any]) -> dict[str, Any]:
    """Time the function itself, compiled by Numba if it can do that, else as we compile it."""

    def fresh() -> list[Any]:
        return [np.copy(a) if isinstance(a, np.ndarray) else a for a in values]

    try:
        compiled = by_numba(f)
        compiled(*fresh())
        by = "numba"
    except Exception:  # much array code is none that Numba compiles
        compiled, by = gradient.primal, "adcompiler"
        compiled(*fresh())
    return {"primal": median_time(lambda: compiled(*fresh())), "primal by": by}


def jax_time(
    facts: dict[str, Any], args: dict[str, Any], wrt: tuple[int, ...], along: list[Any], ours: float
) -> dict[str, Any]:
    try:
        start = time.process_time()
        run = in_jax(facts, args, wrt)
        floats = [list(args.values())[k] for k in wrt]
        _, theirs = run(*floats)
    except Exception as error:  # JAX cannot differentiate all of its forms
        return {"jax failed": str(error)[:300]}
    first = time.process_time() - start
    deviation = abs(slope(theirs, along) - ours) / max(abs(ours), 1e-12)
    return {"jax": median_time(lambda: run(*floats)), "jax first call": first, "from jax": deviation}


def in_its_own_process(folder: Path, name: str, size: str, limit: float) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.npbench", str(folder), name, "--size", size, "--one"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return {"ours failed": f"took more than {limit} s"}
    try:
        return dict(json.loads(done.stdout.splitlines()[-1]))
    except (IndexError, ValueError):
        return {"ours failed": done.stderr[-400:]}


def line(name: str, row: dict[str, Any]) -> str:
    """Return a row of the table; its columns are those of `HEAD`."""
    if "ours" not in row:
        return f"{name:<24} {row.get('left out', row.get('ours failed'))}"
    off = min(row["deviation"], row.get("from jax", np.inf))  # a difference may go across a jump
    right = "" if off < 1e-4 else f"  DEVIATES by {off:.1e}"
    primal = f"{row['ours'] / row['primal']:8.2f}{'' if row['primal by'] == 'numba' else '*':1}"
    jax = f"{row['jax'] / row['ours']:8.2f}" if "jax" in row else f"{'failed':>8}"
    return f"{name:<24} {row['ours'] * 1e3:10.3f} {primal} {jax} {row['first call']:8.1f}{right}"


HEAD = f"{'kernel':<24} {'ms':>10} {'/ primal':>8}  {'JAX /':>8} {'first, s':>8}"


def means(found: dict[str, dict[str, Any]]) -> str:
    """Return geometric means over the kernels that have both times."""
    primal = [r["ours"] / r["primal"] for r in found.values() if "primal" in r]
    jax = [r["jax"] / r["ours"] for r in found.values() if "jax" in r]
    both = [float(np.exp(np.mean(np.log(ratios)))) if ratios else np.nan for ratios in (primal, jax)]
    return f"geometric means: {both[0]:.2f} of the primal ({len(primal)}), JAX {both[1]:.2f} ({len(jax)})"


def main() -> None:
    """Measure all kernels that were asked for, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a checkout of NPBench")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--size", default="S", help="a preset of the suite: S, M, L or paper")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds for one kernel")
    parser.add_argument("--out", type=Path, help="file for all that was measured, as JSON")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        sys.path.insert(0, str(given.folder))
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # JAX has no other way to one thread
        print(json.dumps(measured(given.folder, given.names[0], given.size)))
        return
    names = given.names or sorted(path.stem for path in (given.folder / "bench_info").glob("*.json"))
    found = {}
    tqdm.write(HEAD)
    for name in tqdm(names):
        found[name] = in_its_own_process(given.folder, name, given.size, given.limit)
        tqdm.write(line(name, found[name]))
        if given.out:
            given.out.write_text(json.dumps(found, indent=1))
    print(means(found))


if __name__ == "__main__":
    main()
