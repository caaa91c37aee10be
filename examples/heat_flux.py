"""How hot was the fire, from a thermometer inside the wall: inverse heat conduction over 10,000 steps.

One side of a wall is heated; its conductivity grows with temperature. A thermometer some way inside is read
all the time. The flux that came in is what fits these readings, smoothed a little (Beck, Blackwell and
St. Clair 1985). The states of all steps would take 80 MB for 1,000 cells; the gradient keeps what 2 MB have
room for, and runs steps again.
"""

import argparse

import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import minimize

from adcompiler import value_and_grad


def temperatures(flux, cells, steps, place):
    """Return what the thermometer reads in each step; the flux is given at a few times, linear in between."""
    u, flow = np.zeros(cells), np.zeros(cells + 1)
    read = np.empty(steps)
    for t in range(steps):
        at = t / steps * (len(flux) - 1)
        k = int(at)
        flow[0] = flux[k] + (at - k) * (flux[k + 1] - flux[k])
        for i in range(1, cells):
            conductivity = 0.3 + 0.1 * u[i] / (1.0 + u[i])
            flow[i] = conductivity * (u[i - 1] - u[i])
        for i in range(cells):
            u[i] += flow[i] - flow[i + 1]
        read[t] = u[place]
    return read


@value_and_grad(memory="2MB")
def misfit(flux, read, cells, place, smoothing):
    """Half the squared distance from what was read, and the roughness of the flux."""
    bends = flux[2:] - 2.0 * flux[1:-1] + flux[:-2]
    error = temperatures(flux, cells, len(read), place) - read
    return 0.5 * np.sum(error * error) + smoothing * np.sum(bends * bends)


def fire(count):
    """Return the flux that is to be found: a fire that flares up twice."""
    t = np.linspace(0.0, 1.0, count)
    return 0.05 * np.exp(-(((t - 0.3) / 0.1) ** 2)) + 0.03 * np.exp(-(((t - 0.65) / 0.06) ** 2))


def draw(path, true, found, read, fitted):
    figure = Figure(figsize=(9, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    t = np.linspace(0.0, 1.0, len(true))
    left.plot(t, true, "k", label="true flux")
    left.plot(t, found, "o", markersize=4, label="found")
    left.set(xlabel="time", title="what came in")
    left.legend()
    right.plot(np.linspace(0.0, 1.0, len(read)), read, color="0.7", label="read")
    right.plot(np.linspace(0.0, 1.0, len(read)), fitted, label="fitted")
    right.set(xlabel="time", title="the thermometer inside")
    right.legend()
    figure.savefig(path, dpi=100)


def main(cells=1000, steps=10_000, count=40, place=12, noise=0.01, picture=None):
    """Find the flux; return its largest error, and that of the fit, in units of the noise."""
    true = fire(count)
    exact = temperatures(true, cells, steps, place)
    read = exact + noise * np.random.default_rng(0).normal(size=steps)
    args = read, cells, place, 2e3 * noise
    options = {"maxiter": 300, "ftol": 1e-12}
    found = minimize(misfit, np.zeros(count), args, jac=True, method="L-BFGS-B", options=options).x
    fitted = temperatures(found, cells, steps, place)
    error = np.max(np.abs(found - true)) / np.max(true)
    fit = np.sqrt(np.mean((fitted - exact) ** 2)) / noise
    print(f"{steps} steps of {cells} cells: the flux is off by {100 * error:.1f} % of its peak at most")
    if picture:
        draw(picture, true, found, read, fitted)
    return error, fit


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", help="where to save a picture")
    main(picture=parser.parse_args().picture)
