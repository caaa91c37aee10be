"""Eight schools: the posterior of a hierarchical model, sampled by Hamiltonian Monte Carlo in native code.

Eight schools tried a coaching programme (Rubin 1981): each effect is known with its standard error, and the
effects vary about a common mean. The sampler moves along the gradient of the log density by leapfrog steps
(Neal, "MCMC using Hamiltonian dynamics", 2011). Chains, gradients and random numbers are one `@njit`
function; 10,000 trajectories take a fraction of a second.
"""

import argparse
import math
import time

import numpy as np
from matplotlib.figure import Figure
from numba import njit

from adcompiler import value_and_grad

EFFECT = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
ERROR = np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])


@njit
def effects(q):
    """Mean, spread, and the effect of each school, of the ten numbers that are sampled."""
    mean, spread = q[0], math.exp(q[1])
    return mean, spread, mean + spread * q[2:]


@value_and_grad
def log_density(q, seen, error):
    """The log posterior: priors N(0, 5) for the mean, half-Cauchy(5) for the spread, N(0, 1) for the rest."""
    mean, spread, effect = effects(q)
    likelihood = -0.5 * np.sum(((seen - effect) / error) ** 2)
    prior = -0.5 * (mean / 5.0) ** 2 - math.log1p((spread / 5.0) ** 2) + q[1]
    return likelihood + prior - 0.5 * np.sum(q[2:] ** 2)


@njit
def trajectory(q, momentum, slope, step, count, seen, error):
    """Leapfrog steps: where they end, with the log density and its gradient there."""
    value = 0.0
    for _ in range(count):
        momentum = momentum + 0.5 * step * slope
        q = q + step * momentum
        value, slope = log_density(q, seen, error)
        momentum = momentum + 0.5 * step * slope
    return q, momentum, value, slope


@njit
def chain(seed, count, step, longest, seen, error):
    """Return samples, and the part of the trajectories that was accepted."""
    np.random.seed(seed)
    q = 0.1 * np.random.normal(0.0, 1.0, len(seen) + 2)
    value, slope = log_density(q, seen, error)
    samples, accepted = np.empty((count, len(q))), 0
    for k in range(count):
        momentum = np.random.normal(0.0, 1.0, len(q))
        steps = np.random.randint(1, longest + 1)
        end, pushed, found, tilt = trajectory(q, momentum, slope, step, steps, seen, error)
        gain = found - value - 0.5 * np.sum(pushed**2) + 0.5 * np.sum(momentum**2)
        if math.log(np.random.random()) < gain:
            q, value, slope = end, found, tilt
            accepted += 1
        samples[k] = q
    return samples, accepted / count


def split_r_hat(draws):
    """Gelman and Rubin's measure of agreement between halves of chains; 1 where they agree."""
    halves = draws.reshape(2 * len(draws), -1)
    within, between = halves.var(axis=1, ddof=1).mean(), halves.mean(axis=1).var(ddof=1)
    return math.sqrt(1.0 + between / within)


def draw(path, mean, spread, schools):
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.hexbin(mean, np.log(spread), gridsize=45, cmap="Blues", bins="log", mincnt=1)
    left.set(xlabel="mean effect (points)", ylabel="log of the spread between schools")
    places = np.arange(len(EFFECT))
    right.errorbar(places - 0.12, EFFECT, ERROR, fmt="o", color="0.6", label="reported alone")
    found = schools.mean(axis=0), schools.std(axis=0)
    right.errorbar(places + 0.12, *found, fmt="o", color="tab:blue", label="given all schools")
    right.set(xlabel="school", ylabel="effect (points)", xticks=places, xticklabels=[*"ABCDEFGH"])
    right.legend(fontsize="small")
    figure.savefig(path, dpi=100)


def main(count=10_000, chains=4, picture=None):
    """Sample; return the posterior mean of the common effect and of the spread, and the worst R-hat."""
    start = time.perf_counter()
    runs = [chain(seed, count, 0.4, 8, EFFECT, ERROR) for seed in range(chains)]
    samples = np.array([samples[count // 10 :] for samples, _ in runs])
    mean, spread = samples[:, :, 0], np.exp(samples[:, :, 1])
    schools = mean[:, :, None] + spread[:, :, None] * samples[:, :, 2:]
    r_hat = max(split_r_hat(samples[:, :, k]) for k in range(samples.shape[2]))
    rate = np.mean([rate for _, rate in runs])
    print(f"{chains} chains of {count} trajectories in {time.perf_counter() - start:.1f} s with compiling")
    print(f"accepted {100 * rate:.0f} %, R-hat {r_hat:.4f}")
    print(f"mean effect {mean.mean():.2f} ± {mean.std():.2f}, spread {spread.mean():.2f}")
    if picture:
        draw(picture, mean.ravel(), spread.ravel(), schools.reshape(-1, len(EFFECT)))
    return mean.mean(), spread.mean(), r_hat


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", help="where to save a picture")
    main(picture=parser.parse_args().picture)
