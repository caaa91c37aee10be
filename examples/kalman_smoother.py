"""The Nile at Aswan, with years lost: a Kalman filter whose gradient is the smoother.

The annual flow is a level that wanders, seen with noise: y[t] = level[t] + e[t], level[t+1] = level[t] +
w[t]. The filter's log likelihood is maximised over both variances, by its gradient. A second gradient of
the same function needs no new code: by a shift of the predicted level at each time it is r[t-1] of Durbin
and Koopman ("Time series analysis by state space methods", 2012, section 4.4), and level + P r[t-1] is the
smoothed level, also in the forty years that are left out here.
"""

import argparse
import math

import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import minimize
from statsmodels.datasets import nile

from adcompiler import grad, hessian, value_and_grad

DIFFUSE = 1e7  # the variance of a level that nothing is known of
LOST = (slice(20, 40), slice(60, 80))


def filtered(log_variances, shift, y):
    """Return the log likelihood, and for each time the predicted level and its variance.

    `shift` is added to the predicted levels: zeros, unless one differentiates by it. Years without a value
    are not a number.
    """
    noise, wander = math.exp(log_variances[0]), math.exp(log_variances[1])
    level, variance = np.empty(len(y)), np.empty(len(y))
    a, p, total = 0.0, DIFFUSE, 0.0
    for t in range(len(y)):
        a += shift[t]
        level[t], variance[t] = a, p
        if not math.isnan(y[t]):
            surprise, spread = y[t] - a, p + noise
            total -= 0.5 * (math.log(2.0 * math.pi * spread) + surprise * surprise / spread)
            a += p / spread * surprise
            p *= noise / spread
        p += wander
    return total, level, variance


def log_likelihood(log_variances, shift, y):
    return filtered(log_variances, shift, y)[0]


by_variances = value_and_grad(log_likelihood)
by_levels = grad(log_likelihood, argnums="shift")
by_levels_twice = hessian(log_likelihood, argnums="shift")


def fit(y):
    """Return the logarithms of both variances that make the observations most likely."""

    def misfit(log_variances):
        value, gradient = by_variances(log_variances, np.zeros(len(y)), y)
        return -value, -gradient

    start = np.full(2, math.log(np.nanvar(y) / 2.0))
    return minimize(misfit, start, jac=True, method="L-BFGS-B").x


def smooth(log_variances, y):
    """Return the level at each time given all observations, and its standard error."""
    nothing = np.zeros(len(y))
    _, level, variance = filtered(log_variances, nothing, y)
    slope = by_levels(log_variances, nothing, y)
    curvature = np.diag(by_levels_twice(log_variances, nothing, y))
    return level + variance * slope, np.sqrt(variance + variance**2 * curvature)


def draw(path, years, flow, known, level, error):
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(
        years, np.where(np.isnan(known), flow, np.nan), "o", mfc="none", mec="0.6", ms=4, label="left out"
    )
    axes.plot(years, known, "ko", ms=4, label="observed")
    axes.plot(years, level, color="tab:blue", label="smoothed level")
    bounds = level - 1.96 * error, level + 1.96 * error
    axes.fill_between(years, *bounds, color="tab:blue", alpha=0.2, lw=0, label="95 %")
    axes.set(
        xlabel="year", ylabel="flow of the Nile (10⁸ m³)", title="The smoother is the gradient of the filter"
    )
    axes.legend(ncols=2, fontsize="small")
    figure.savefig(path, dpi=110)


def main(picture=None):
    """Fit and smooth; return the variances, the level and its standard error."""
    data = nile.load_pandas().data
    flow = data["volume"].to_numpy()
    known = flow.copy()
    for years in LOST:
        known[years] = np.nan
    log_variances = fit(known)
    level, error = smooth(log_variances, known)
    inside = np.mean(np.abs(flow - level) < 1.96 * np.hypot(error, math.exp(log_variances[0] / 2)))
    noise, wander = np.exp(log_variances)
    print(f"variance of the noise {noise:.0f}, of a year's change {wander:.0f}")
    print(f"{100 * inside:.0f} % of all years, those left out included, lie where 95 % should")
    if picture:
        draw(picture, data["year"], flow, known, level, error)
    return np.exp(log_variances), level, error


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", help="where to save a picture")
    main(parser.parse_args().picture)
