"""Carbon dioxide on Mauna Loa: a Gaussian process that learns its kernel from the marginal likelihood.

Trend, season and weather are three kernels (Rasmussen and Williams, "Gaussian processes for machine
learning", 2006, section 5.4.3). Their seven parameters, and the noise, are learnt from the years before 1985
by the exact gradient, which goes through a Cholesky factor; later years are a forecast of what was not seen.
"""

import argparse
import math

import numpy as np
from matplotlib.figure import Figure
from numba import njit
from scipy.optimize import minimize
from statsmodels.datasets import co2

from adcompiler import value_and_grad

START = np.log([50.0, 50.0, 3.0, 80.0, 1.3, 0.7, 1.5, 0.2])
NAMES = ("trend", "its length", "season", "its decay", "its shape", "weather", "its length", "noise")


@njit
def kernel(log_p, t, u):
    """Return the covariance of the values at times t and u, without noise."""
    p = np.exp(log_p)
    found = np.empty((len(t), len(u)))
    for i in range(len(t)):
        for j in range(len(u)):
            d2 = (t[i] - u[j]) ** 2
            trend = p[0] ** 2 * math.exp(-0.5 * d2 / p[1] ** 2)
            wave = math.sin(math.pi * (t[i] - u[j])) / p[4]
            season = p[2] ** 2 * math.exp(-0.5 * d2 / p[3] ** 2 - 2.0 * wave * wave)
            weather = p[5] ** 2 * math.exp(-0.5 * d2 / p[6] ** 2)
            found[i, j] = trend + season + weather
    return found


@value_and_grad
def negative_log_likelihood(log_p, t, y):
    covariance = kernel(log_p, t, t) + math.exp(2.0 * log_p[7]) * np.eye(len(t))
    factor = np.linalg.cholesky(covariance)
    white = np.linalg.solve(factor, y)
    return 0.5 * white @ white + np.sum(np.log(np.diag(factor))) + 0.5 * len(t) * math.log(2.0 * math.pi)


def learn(t, y, steps):
    """Return the logarithms of the parameters that make y most likely."""
    options = {"maxiter": steps}
    found = minimize(
        negative_log_likelihood, START, args=(t, y), jac=True, method="L-BFGS-B", options=options
    )
    return found.x


def forecast(log_p, t, y, times):
    """Return the mean and the standard deviation of the values at other times."""
    covariance = kernel(log_p, t, t) + math.exp(2.0 * log_p[7]) * np.eye(len(t))
    across = kernel(log_p, times, t)
    weights = np.linalg.solve(covariance, across.T)
    variance = np.diag(kernel(log_p, times, times) - across @ weights) + math.exp(2.0 * log_p[7])
    return weights.T @ y, np.sqrt(variance)


def measured(every):
    """Return times in years and monthly means, every so many months, with those that are missing left out."""
    monthly = co2.load_pandas().data["co2"].resample("MS").mean().dropna().iloc[::every]
    times = monthly.index.year + (monthly.index.month - 0.5) / 12.0
    return times.to_numpy(), monthly.to_numpy()


def draw(path, times, values, is_known, mean, error):
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(times[is_known], values[is_known], "k.", ms=3, label="learnt from")
    axes.plot(times[~is_known], values[~is_known], ".", color="tab:red", ms=4, label="came after")
    axes.plot(times, mean, color="tab:blue", lw=1, label="mean of the process")
    axes.fill_between(times, mean - 1.96 * error, mean + 1.96 * error, color="tab:blue", alpha=0.2, lw=0)
    axes.set(
        xlabel="year", ylabel="CO₂ on Mauna Loa (ppm)", title="A Gaussian process, asked for 17 years ahead"
    )
    axes.legend(fontsize="small")
    figure.savefig(path, dpi=100)


def main(every=2, steps=60, picture=None):
    """Learn and forecast; return the error of the forecast, and the part of it inside its bounds."""
    times, values = measured(every)
    is_known = times < 1985.0
    t, y, centre = times[is_known], values[is_known], values[is_known].mean()
    log_p = learn(t, y - centre, steps)
    mean, error = forecast(log_p, t, y - centre, times)
    miss = values - centre - mean
    off, inside = (
        np.sqrt(np.mean(miss[~is_known] ** 2)),
        np.mean(np.abs(miss[~is_known]) < 1.96 * error[~is_known]),
    )
    print(", ".join(f"{name} {p:.3g}" for name, p in zip(NAMES, np.exp(log_p), strict=True)))
    print(f"{len(t)} months learnt; {len(times) - len(t)} forecast with an error of {off:.2f} ppm")
    print(f"{100 * inside:.0f} % of them lie where 95 % should")
    if picture:
        draw(picture, times, values, is_known, centre + mean, error)
    return off, inside


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", help="where to save a picture")
    main(picture=parser.parse_args().picture)
