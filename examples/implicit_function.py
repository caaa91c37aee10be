"""An orbit fitted through Kepler's equation: the derivative of a root without its iterations.

The eccentric anomaly E solves E - e sin(E) = M, which Newton's method does in a few iterations. The
derivative of the root follows from the equation alone, by the implicit function theorem:
dE/dM = 1 / (1 - e cos(E)) and dE/de = sin(E) / (1 - e cos(E)). `custom_vjp` gives the function this
derivative, whatever the iteration does.
"""

import argparse
import math
import time

import numpy as np
from matplotlib.figure import Figure
from numba import njit
from scipy.optimize import minimize

from adcompiler import custom_vjp, value_and_grad

TRUE = (0.6, 1.3, 0.4)


@njit
def newton(eccentricity, mean_anomaly):
    """Solve Kepler's equation."""
    anomaly = mean_anomaly
    for _ in range(50):
        error = anomaly - eccentricity * math.sin(anomaly) - mean_anomaly
        anomaly -= error / (1.0 - eccentricity * math.cos(anomaly))
        if abs(error) < 1e-14:
            break
    return anomaly


@custom_vjp
@njit
def kepler(eccentricity, mean_anomaly):
    """The same function, with a derivative of its own."""
    return newton(eccentricity, mean_anomaly)


@kepler.defvjp
def kepler_vjp(eccentricity, mean_anomaly, anomaly, adjoint):
    """Return the adjoints of eccentricity and mean anomaly."""
    weight = adjoint / (1.0 - eccentricity * math.cos(anomaly))
    return weight * math.sin(anomaly), weight


def misfit_by(solve):
    """Return the misfit of an orbit, with Kepler's equation solved by this function."""

    def misfit(orbit, times, x, y):
        """Mean of squared distances of an orbit (eccentricity, motion, phase) from observed positions."""
        e, total = orbit[0], 0.0
        for k in range(len(times)):
            anomaly = solve(e, orbit[1] * times[k] + orbit[2])
            total += (math.cos(anomaly) - e - x[k]) ** 2
            total += (math.sqrt(1.0 - e * e) * math.sin(anomaly) - y[k]) ** 2
        return total / len(times)

    return misfit


def observe(n, seed):
    """Times, and positions on the orbit TRUE with a little noise."""
    rng = np.random.default_rng(seed)
    e, motion, phase = TRUE
    times = np.sort(rng.uniform(0.0, 5.0, n))
    anomalies = np.array([newton(e, motion * t + phase) for t in times])
    x = np.cos(anomalies) - e + 0.01 * rng.normal(size=n)
    y = math.sqrt(1.0 - e * e) * np.sin(anomalies) + 0.01 * rng.normal(size=n)
    return times, x, y


def seconds(function, *args):
    """Return the shortest of 20 runs."""
    found = []
    for _ in range(20):
        begin = time.perf_counter()
        function(*args)
        found.append(time.perf_counter() - begin)
    return min(found)


def draw(path, orbit, x, y):
    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.add_subplot()
    t = np.linspace(0.0, 2.0 * np.pi, 200)
    for e, style, name in ((0.3, "--", "first guess"), (orbit[0], "-", "fitted")):
        axes.plot(np.cos(t) - e, math.sqrt(1.0 - e * e) * np.sin(t), style, color="tab:blue", label=name)
    axes.plot(x[::20], y[::20], ".", color="k", ms=4, label="some of the observations")
    axes.plot(0.0, 0.0, "o", color="tab:orange", ms=9)
    axes.set(aspect="equal", xlabel="x", ylabel="y", title="An orbit through Kepler's equation")
    axes.legend(fontsize="small", loc=(0.1, 0.42))
    figure.savefig(path, dpi=100)


def main(count=2000, picture=None):
    """Fit; return the gradient by the equation and by the iterations, and the orbit."""
    data = observe(count, seed=4)
    start = np.array([0.3, 1.2, 0.5])
    implicit, explicit = value_and_grad(misfit_by(kepler)), value_and_grad(misfit_by(newton))
    (_, one), (_, other) = implicit(start, *data), explicit(start, *data)
    print("by the equation  ", one)
    print("by the iterations", other)
    ratio = seconds(explicit, start, *data) / seconds(implicit, start, *data)
    print(f"through the iterations it takes {ratio:.1f} times as long")
    bounds = [(0.0, 0.95), (0.1, 5.0), (-3.0, 3.0)]
    found = minimize(implicit, start, args=data, jac=True, method="L-BFGS-B", bounds=bounds)
    print("fitted", np.round(found.x, 4), "from", TRUE)
    if picture:
        draw(picture, found.x, *data[1:])
    return one, other, found.x


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", help="where to save a picture")
    main(picture=parser.parse_args().picture)
