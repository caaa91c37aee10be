"""A nonlinear differential equation with 100,000 unknowns, by Newton's method with sparse Jacobians.

Heat that a reaction sets free flows to the edge of a square: -Δu = λ exp(u), u = 0 outside (the equation of
Liouville, Bratu and Gelfand). `sparse_jacobian` finds by itself that a residual depends on five unknowns,
and colours the columns; each Newton step evaluates all entries by one run along eight directions at once.
"""

import time

import numpy as np
from numba import njit
from scipy.sparse.linalg import splu

from adcompiler import sparse_jacobian

HEAT = 5.0


@njit
def residual(u, heat):
    """Return what the equation leaves over at the points of an n × n grid."""
    n = u.shape[0]
    h = 1.0 / (n + 1)
    r = np.empty_like(u)
    for i in range(n):
        for j in range(n):
            flow = 4.0 * u[i, j]
            if i > 0:
                flow -= u[i - 1, j]
            if i < n - 1:
                flow -= u[i + 1, j]
            if j > 0:
                flow -= u[i, j - 1]
            if j < n - 1:
                flow -= u[i, j + 1]
            r[i, j] = flow - h * h * heat * np.exp(u[i, j])
    return r


jacobian_of_residual = sparse_jacobian(residual, format="csc")


def solve(n, heat=HEAT, tolerance=1e-12):
    """Return the solution on an n × n grid, and the greatest residual after each step."""
    u, errors = np.zeros((n, n)), []
    for _ in range(20):
        left = residual(u, heat)
        errors.append(np.abs(left).max())
        if errors[-1] < tolerance:
            break
        u = u - splu(jacobian_of_residual(u, heat)).solve(left.ravel()).reshape(n, n)
    return u, errors


def main(n=316):
    """Solve, and print what each part takes; return the solution and the errors."""
    u = np.zeros((n, n))
    start = time.perf_counter()
    evaluation = jacobian_of_residual.evaluation(u, HEAT)
    found = time.perf_counter()
    evaluation(u, HEAT)
    first = time.perf_counter()
    evaluation(u, HEAT)
    print(f"{evaluation.pattern}, {evaluation.colouring}")
    print(f"compiled, found and coloured in {found - start:.2f} s, entries compiled in {first - found:.2f} s")
    print(f"evaluated in {1e3 * (time.perf_counter() - first):.1f} ms")
    start = time.perf_counter()
    u, errors = solve(n)
    seconds = time.perf_counter() - start
    print(f"{len(errors) - 1} steps of Newton's method in {seconds:.2f} s; greatest u: {u.max():.6f}")
    for step, error in enumerate(errors):
        print(f"  {step}: {error:.1e}")
    return u, errors


if __name__ == "__main__":
    main()
