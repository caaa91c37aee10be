"""Maximum likelihood of a GARCH(1,1) model: exact gradient against finite differences.

The conditional variance is a recurrence, h[t] = omega + alpha r[t-1]^2 + beta h[t-1] (Bollerslev 1986).
"""

import math
import time

import numpy as np
from scipy.optimize import minimize

from adcompiler import value_and_grad

TRUE = (0.05, 0.09, 0.88)


def simulate(n, seed):
    """Daily returns in percent from a GARCH(1,1) with the parameters in TRUE."""
    omega, alpha, beta = TRUE
    rng = np.random.default_rng(seed)
    h = omega / (1.0 - alpha - beta)
    returns = np.empty(n)
    for t in range(n):
        returns[t] = math.sqrt(h) * rng.standard_normal()
        h = omega + alpha * returns[t] ** 2 + beta * h
    return returns


@value_and_grad
def negative_log_likelihood(theta, r):
    """Mean negative log-likelihood; theta is unconstrained: log omega, and two logits."""
    omega = math.exp(theta[0])
    persistence = 1.0 / (1.0 + math.exp(-theta[1]))
    share = 1.0 / (1.0 + math.exp(-theta[2]))
    alpha = persistence * share
    beta = persistence - alpha
    h = omega / (1.0 - persistence)
    total = 0.0
    for t in range(len(r)):
        total += math.log(h) + r[t] ** 2 / h
        h = omega + alpha * r[t] ** 2 + beta * h
    return 0.5 * total / len(r) + 0.5 * math.log(2.0 * math.pi)


def natural(theta):
    """Return (omega, alpha, beta) of unconstrained parameters."""
    persistence, share = 1.0 / (1.0 + np.exp(-theta[1:]))
    return np.array([np.exp(theta[0]), persistence * share, persistence * (1.0 - share)])


def main():
    r = simulate(5000, seed=7)
    start = np.array([math.log(0.1), 2.0, -2.0])
    negative_log_likelihood(start, r)
    results = []
    primal = negative_log_likelihood.primal
    primal(start, r)
    for name, function, exact in (
        ("exact gradient", negative_log_likelihood, True),
        ("finite differences", primal, None),
    ):
        begin = time.perf_counter()
        found = minimize(function, start, args=(r,), jac=exact, method="BFGS", options={"gtol": 1e-5})
        seconds = time.perf_counter() - begin
        results.append(found)
        print(
            f"{name:>18}: {found.nfev:3d} evaluations, {1e3 * seconds:6.1f} ms, "
            f"likelihood {-found.fun:.8f}, omega alpha beta {np.round(natural(found.x), 4)}"
        )
    print(f"{'simulated with':>18}: omega alpha beta {np.array(TRUE)}")
    return results


if __name__ == "__main__":
    main()
