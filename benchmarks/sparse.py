"""Time sparse Jacobians: pattern, colours and evaluation, beside dense ones, by hand, and other packages.

`python -m benchmarks.sparse [NAME ...]` runs all programs, or some, on one thread, after all have agreed.
CasADi, asdex and sparsejac take part where they are installed; the latter two are compiled by JAX, in
double precision.
"""

from __future__ import annotations

import argparse
import importlib
import timeit
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numba import njit

from adcompiler import jacobian, sparse_jacobian
from adcompiler.sparse.compression import colouring_of

ALPHA = 0.02


def diffusion(u: Any) -> Any:
    """Return how a rod cools whose conductivity grows with its heat."""
    r = np.zeros(len(u))
    for i in range(1, len(u) - 1):
        r[i] = (1.0 + u[i] * u[i]) * (u[i - 1] - 2.0 * u[i] + u[i + 1])
    return r


@njit
def diffusion_by_hand(u: Any) -> Any:
    """Return the three diagonals, one below the other."""
    n = len(u)
    bands = np.zeros((3, n))
    for i in range(1, n - 1):
        k = 1.0 + u[i] * u[i]
        bands[0, i], bands[2, i] = k, k
        bands[1, i] = 2.0 * u[i] * (u[i - 1] - 2.0 * u[i] + u[i + 1]) - 2.0 * k
    return bands


def brusselator(x: Any) -> Any:
    """Return the changes of two substances on a square with opposite edges glued together."""
    n = x.shape[1]
    out = np.empty_like(x)
    for i in range(n):
        up, down = i + 1 if i < n - 1 else 0, i - 1 if i > 0 else n - 1
        for j in range(n):
            right, left = j + 1 if j < n - 1 else 0, j - 1 if j > 0 else n - 1
            u, v = x[0, i, j], x[1, i, j]
            spread = x[0, up, j] + x[0, down, j] + x[0, i, left] + x[0, i, right] - 4.0 * u
            out[0, i, j] = ALPHA * spread + 1.0 + u * u * v - 4.4 * u
            spread = x[1, up, j] + x[1, down, j] + x[1, i, left] + x[1, i, right] - 4.0 * v
            out[1, i, j] = ALPHA * spread + 3.4 * u - u * u * v
    return out


def diffusion_by_slices(np: Any, u: Any) -> Any:
    """Return the same for arrays of another package."""
    inside = (1.0 + u[1:-1] * u[1:-1]) * (u[:-2] - 2.0 * u[1:-1] + u[2:])
    return np.concatenate((np.zeros(1), inside, np.zeros(1)))


def brusselator_by_rolls(np: Any, x: Any) -> Any:
    """Return the same for arrays of another package."""
    spread = sum(np.roll(x, shift, axis) for shift in (1, -1) for axis in (1, 2)) - 4.0 * x
    u, v = x[0], x[1]
    return ALPHA * spread + np.stack((1.0 + u * u * v - 4.4 * u, 3.4 * u - u * u * v))


CASES: dict[str, tuple[Callable[..., Any], Callable[..., Any], list[tuple[int, ...]]]] = {
    "diffusion": (diffusion, diffusion_by_slices, [(1_000,), (10_000,), (100_000,)]),
    "brusselator": (brusselator, brusselator_by_rolls, [(2, 32, 32), (2, 128, 128), (2, 1000, 1000)]),
}
LARGEST = 40_000
"""The greatest number of unknowns that other packages are given: some compile for minutes beyond."""
DENSE = 5_000
"""The greatest number of unknowns of which a dense matrix is made."""


def best(function: Callable[..., Any], *args: Any) -> float:
    """Return the shortest of several times of one call, in microseconds."""
    function(*args)
    timer = timeit.Timer(lambda: function(*args))
    seconds = timer.timeit(1)
    number = max(1, int(0.1 / seconds))
    return 1e6 * min(timer.repeat(5 if seconds < 1.0 else 1, number)) / number


def of_dense(function: Callable[..., Any], x: Any) -> tuple[dict[str, float], Any]:
    """Return the time of a dense Jacobian, and the matrix."""
    made = jacobian(function)
    return {"matrix": best(made, x)}, made(x).reshape(x.size, x.size)


def of_casadi(function: Callable[..., Any], x: Any) -> tuple[dict[str, float], Any]:
    """Return the times of CasADi, whose graph of scalars is run by its virtual machine."""
    casadi: Any = importlib.import_module("casadi")
    symbols = casadi.SX.sym("x", x.size)
    elements = np.array(casadi.vertsplit(symbols), object).reshape(x.shape)
    outputs = casadi.vertcat(*np.ravel(function(_Objects, elements)))
    primal = casadi.Function("f", [symbols], [outputs])
    run = casadi.Function("entries", [symbols], [casadi.jacobian(outputs, symbols)])
    find = lambda: casadi.Function("f", [symbols], [outputs]).jac_sparsity(0, 0)  # noqa: E731
    given = casadi.DM(x.ravel())
    assert primal.size_out(0)[0] == x.size
    dense = np.asarray(run(given).full()) if x.size <= DENSE else None
    return {"pattern": best(find), "matrix": best(run, given)}, dense


class _Objects:
    """NumPy for arrays of symbols."""

    concatenate, stack, roll = np.concatenate, np.stack, np.roll

    @staticmethod
    def zeros(count: int) -> Any:
        return np.zeros(count).astype(object)


def of_asdex(function: Callable[..., Any], x: Any) -> tuple[dict[str, float], Any]:
    """Return the times of asdex; the run is compiled by JAX."""
    asdex: Any = importlib.import_module("asdex")
    flat, given, jax = _flat(function, x)
    found = asdex.jacobian_sparsity(flat, given)
    coloured = asdex.jacobian_coloring_from_sparsity(found)
    run = jax.jit(asdex.jacobian_from_coloring(flat, coloured))
    times = {
        "pattern": best(asdex.jacobian_sparsity, flat, given),
        "colours": best(asdex.jacobian_coloring_from_sparsity, found),
        "matrix": best(lambda: jax.block_until_ready(run(given).data)),
    }
    return times, np.asarray(run(given).todense()) if x.size <= DENSE else None


def of_sparsejac(function: Callable[..., Any], x: Any) -> tuple[dict[str, float], Any]:
    """Return the time of sparsejac, which is given the pattern; the run is compiled by JAX."""
    sparsejac: Any = importlib.import_module("sparsejac")
    flat, given, jax = _flat(function, x)
    pattern = sparse_jacobian({id(c[1]): c[0] for c in CASES.values()}[id(function)]).pattern(x)
    matrix = jax.experimental.sparse.BCOO.from_scipy_sparse(pattern.matrix().tocoo())
    run = jax.jit(sparsejac.jacfwd(flat, sparsity=matrix))
    dense = np.asarray(run(given).todense()) if x.size <= DENSE else None
    return {"matrix": best(lambda: jax.block_until_ready(run(given).data))}, dense


def _flat(function: Callable[..., Any], x: Any) -> tuple[Callable[..., Any], Any, Any]:
    """Return a function for JAX from vectors to vectors, its argument, and JAX."""
    jax: Any = importlib.import_module("jax")
    importlib.import_module("jax.experimental.sparse")
    jax.config.update("jax_enable_x64", True)

    def flat(u: Any) -> Any:
        return function(jax.numpy, u.reshape(x.shape)).ravel()

    return flat, jax.numpy.asarray(x.ravel()), jax


def own(function: Callable[..., Any], x: Any) -> tuple[dict[str, float], Any]:
    """Return the times of all parts, and the matrix."""
    jac = sparse_jacobian(function)
    evaluation = jac.evaluation(x)
    pattern = evaluation.pattern
    times = {
        "pattern": best(jac.sparsity, x),
        "colours": best(lambda: colouring_of(replace(pattern))),
        "values": best(evaluation.values, x, evaluation.entries),
        "matrix": best(jac, x),
    }
    return times, jac(x)


PEERS = {"casadi": of_casadi, "asdex": of_asdex, "sparsejac": of_sparsejac}


def compared(name: str, shape: tuple[int, ...]) -> None:
    """Print the times for one program and size."""
    function, of_arrays, _ = CASES[name]
    x = np.random.default_rng(0).uniform(0.5, 1.5, shape)
    times, matrix = own(function, x)
    primal = best(njit(function), x)
    print(f"{name}, {x.size} unknowns, {matrix.nnz} entries; the function itself: {primal:.1f} µs")
    show("adcompiler", times, times["matrix"])
    if name == "diffusion":
        show("by hand, three bands", {"values": best(diffusion_by_hand, x)}, times["values"])
    others: dict[str, Any] = {"dense": lambda: of_dense(function, x)} if x.size <= DENSE else {}
    if x.size <= LARGEST:
        for peer, run in PEERS.items():
            others[peer] = lambda run=run: run(of_arrays, x)
    for other, measure in others.items():
        try:
            found, values = measure()
        except ImportError:
            continue
        if values is not None:
            np.testing.assert_allclose(values, matrix.toarray(), rtol=1e-10, atol=1e-12)
        show(other, found, times["matrix"])


def show(what: str, times: dict[str, float], reference: float) -> None:
    """Print times in microseconds, and how many times the reference the last one is."""
    parts = ", ".join(f"{part} {time:.1f}" for part, time in times.items())
    print(f"  {what:>20}: {parts}  ({[*times.values()][-1] / reference:.2f} ×)")


def main() -> None:
    """Run the programs that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*CASES, []], default=[])
    parser.add_argument("--largest", type=int, default=10**9, help="unknowns at most")
    given = parser.parse_args()
    for name in given.names or CASES:
        for shape in CASES[name][2]:
            if np.prod(shape) <= given.largest:
                compared(name, shape)


if __name__ == "__main__":
    main()
