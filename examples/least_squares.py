"""Predators and prey: a differential equation fitted by Levenberg and Marquardt, with standard errors.

The residuals come out of a Runge-Kutta loop. `jacobian` differentiates them by the four rates in forward
mode, and the whole fit, Jacobians included, is one native function. At the end, `hessian` of the misfit
gives the standard errors. SciPy does the same fit with a Jacobian from finite differences.
"""

import argparse
import time

import numpy as np
from matplotlib.figure import Figure
from numba import njit
from scipy.optimize import least_squares

from adcompiler import hessian, jacobian

TRUE = np.array([1.1, 0.4, 0.1, 0.4])
NAMES = ("growth of prey", "predation", "growth of predators", "death of predators")
START, SPAN, COUNT, NOISE = (10.0, 5.0), 30.0, 60, 0.4
GUESS = np.array([1.0, 0.3, 0.15, 0.5])


@njit
def flow(prey, predators, rates):
    """Return the changes of prey and predators per unit of time."""
    met = prey * predators
    return rates[0] * prey - rates[1] * met, rates[2] * met - rates[3] * predators


@njit
def simulate(rates, count):
    """Return prey and predators at `count` equidistant times, by the classical Runge-Kutta method."""
    steps = 20
    h = SPAN / (count * steps)
    states = np.empty((count, 2))
    u, v = START
    for k in range(count):
        for _ in range(steps):
            du1, dv1 = flow(u, v, rates)
            du2, dv2 = flow(u + 0.5 * h * du1, v + 0.5 * h * dv1, rates)
            du3, dv3 = flow(u + 0.5 * h * du2, v + 0.5 * h * dv2, rates)
            du4, dv4 = flow(u + h * du3, v + h * dv3, rates)
            u += h / 6.0 * (du1 + 2.0 * du2 + 2.0 * du3 + du4)
            v += h / 6.0 * (dv1 + 2.0 * dv2 + 2.0 * dv3 + dv4)
        states[k, 0], states[k, 1] = u, v
    return states


@njit
def residuals(rates, data):
    """Return simulation minus data, as one vector."""
    return (simulate(rates, len(data)) - data).ravel()


@njit
def misfit(rates, data):
    """Return half the sum of squared residuals."""
    return 0.5 * np.sum(residuals(rates, data) ** 2)


slopes = jacobian(residuals)
curvature = hessian(misfit)


@njit
def fit(rates, data):
    """Minimise the misfit by damped Gauss-Newton steps (Levenberg 1944, Marquardt 1963)."""
    damping, best, steps = 1e-3, misfit(rates, data), 0
    for _ in range(100):
        steps += 1
        j = slopes(rates, data)
        normal, pull = j.T @ j, j.T @ residuals(rates, data)
        move = np.linalg.solve(normal + damping * np.diag(np.diag(normal)), pull)
        now = misfit(rates - move, data)
        if now < best:
            is_done = best - now < 1e-12 * best
            rates, best, damping = rates - move, now, 0.1 * damping
            if is_done:
                break
        else:
            damping *= 4.0
    return rates, steps


def draw(path, rates, data):
    times = np.linspace(SPAN / COUNT, SPAN, COUNT)
    fine = simulate(rates, 10 * COUNT)
    figure = Figure(figsize=(7, 3.5), layout="constrained")
    axes = figure.add_subplot()
    for k, (name, color) in enumerate((("prey", "tab:blue"), ("predators", "tab:red"))):
        axes.plot(np.linspace(SPAN / (10 * COUNT), SPAN, 10 * COUNT), fine[:, k], color=color, label=name)
        axes.plot(times, data[:, k], ".", color=color, alpha=0.6)
    axes.set(xlabel="time", ylabel="population", title="Predators and prey, fitted")
    axes.legend()
    figure.savefig(path, dpi=100)


def main(picture=None):
    """Fit, compare with SciPy, print a table; return rates, standard errors, and SciPy's rates."""
    data = simulate(TRUE, COUNT) + NOISE * np.random.default_rng(3).standard_normal((COUNT, 2))
    fit(GUESS, data)  # compiles
    start = time.perf_counter()
    rates, steps = fit(GUESS, data)
    own = time.perf_counter() - start
    start = time.perf_counter()
    other = least_squares(residuals, GUESS, args=(data,), method="lm", xtol=1e-12)
    theirs = time.perf_counter() - start
    variance = 2.0 * misfit(rates, data) / (2 * COUNT - 4)
    errors = np.sqrt(variance * np.diag(np.linalg.inv(curvature(rates, data))))
    for name, true, rate, error in zip(NAMES, TRUE, rates, errors, strict=True):
        print(f"{name:>20}: {rate:.4f} ± {error:.4f} (true {true})")
    print(f"{steps} steps in {1e3 * own:.1f} ms; SciPy: {other.nfev} runs in {1e3 * theirs:.1f} ms")
    if picture:
        draw(picture, rates, data)
    return rates, errors, other.x


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", help="where to save a picture")
    main(picture=parser.parse_args().picture)
