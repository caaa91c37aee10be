"""Volatility of the S&P 500: a GARCH(1,1) model by maximum likelihood, with standard errors.

The conditional variance is a recurrence, h[t] = omega + alpha e[t-1]² + beta h[t-1] (Bollerslev 1986). The
gradient of the likelihood goes through twenty years of days in one sweep; differences take a run for each
parameter. The Hessian gives the standard errors.
"""

import argparse
import math
import time

import numpy as np
from arch.data import sp500
from matplotlib.figure import Figure
from numba import njit
from scipy.optimize import minimize

from adcompiler import hessian, value_and_grad

NAMES = ("mu", "omega", "alpha", "beta")


@njit
def variances(theta, r):
    """Return the conditional variance of each day, which begins at the variance of all of them."""
    mu, omega, alpha, beta = theta
    h = np.empty(len(r))
    h[0] = np.mean((r - np.mean(r)) ** 2)
    for t in range(1, len(r)):
        h[t] = omega + alpha * (r[t - 1] - mu) ** 2 + beta * h[t - 1]
    return h


@njit
def natural(z):
    """Return mu, omega, alpha and beta of numbers that may be anything; alpha + beta stays below one."""
    persistence, share = 1.0 / (1.0 + math.exp(-z[2])), 1.0 / (1.0 + math.exp(-z[3]))
    return np.array([z[0], math.exp(z[1]), persistence * share, persistence * (1.0 - share)])


def negative_log_likelihood(theta, r):
    h = variances(theta, r)
    return 0.5 * np.sum(np.log(2.0 * math.pi * h) + (r - theta[0]) ** 2 / h)


@value_and_grad
def misfit(z, r):
    return negative_log_likelihood(natural(z), r) / len(r)


def fit(function, jac, start, r):
    """Return what BFGS finds, and how long it took."""
    begin = time.perf_counter()
    found = minimize(function, start, args=(r,), jac=jac, method="BFGS", options={"gtol": 1e-6})
    return found, time.perf_counter() - begin


def draw(path, days, r, theta):
    figure = Figure(figsize=(8, 3.8), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(days, r, color="0.75", lw=0.5, label="return of a day")
    band = 1.96 * np.sqrt(variances(theta, r))
    axes.plot(days, theta[0] + band, color="tab:blue", lw=1, label="where 95 % should lie")
    axes.plot(days, theta[0] - band, color="tab:blue", lw=1)
    axes.set(ylabel="S&P 500 (% a day)", title="GARCH(1,1): calm and storm")
    axes.legend(fontsize="small")
    figure.savefig(path, dpi=100)


def main(days=None, picture=None):
    """Fit by exact gradients and by differences; return both, the parameters and their standard errors."""
    prices = sp500.load()["Adj Close"].iloc[:days]
    r = 100.0 * np.diff(np.log(prices.to_numpy()))
    start = np.array([0.0, math.log(0.1), 2.0, -2.0])
    misfit(start, r), misfit.primal(start, r)
    exact, own = fit(misfit, True, start, r)
    differences, other = fit(misfit.primal, None, start, r)
    theta = natural(exact.x)
    curvature = hessian(negative_log_likelihood)(theta, r)
    errors = np.sqrt(np.diag(np.linalg.inv(curvature)))
    for name, value, error in zip(NAMES, theta, errors, strict=True):
        print(f"{name:>6} {value:.4f} ± {error:.4f}")
    print(f"log likelihood {-exact.fun * len(r):.4f} of {len(r)} days")
    print(f"exact gradient: {exact.nfev} evaluations, {1e3 * own:.0f} ms")
    print(f"differences: {differences.nfev} evaluations, {1e3 * other:.0f} ms")
    if picture:
        draw(picture, prices.index[1:], r, theta)
    return exact, differences, theta, errors


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", help="where to save a picture")
    main(picture=parser.parse_args().picture)
