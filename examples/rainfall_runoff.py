"""A river from rain: a hydrological model calibrated by its gradient, snow, soil and groundwater included.

The model is one of buckets, after HBV (Bergström 1976): snow that melts by the day-degree, a soil whose
wetness decides how much rain runs off, a fast and a slow store. It is full of thresholds; the gradient goes
through ten years of days in one sweep. Two years to warm up count for nothing, as usual.
"""

import argparse
import time

import numpy as np
from matplotlib.figure import Figure
from numba import njit

from adcompiler import value_and_grad
from adcompiler.optim import adam, adam_init

NAMES = ("melt", "field capacity", "shape", "fast outflow", "slow outflow", "percolation")
LOW = np.array([1.0, 50.0, 1.0, 0.1, 0.01, 0.3])
HIGH = np.array([8.0, 500.0, 6.0, 0.6, 0.1, 3.0])
TRUE = np.array([3.5, 220.0, 2.5, 0.35, 0.03, 1.2])


@njit
def discharge(parameters, rain, temperature, evaporation):
    """Return the flow of each day, in mm."""
    melt, capacity, shape, fast_rate, slow_rate, percolation = parameters
    snow, soil, upper, lower = 0.0, 0.5 * capacity, 5.0, 10.0
    flow = np.empty(len(rain))
    for t in range(len(rain)):
        if temperature[t] < 0.0:
            snow += rain[t]
            water = 0.0
        else:
            melted = min(snow, melt * temperature[t])
            snow -= melted
            water = rain[t] + melted
        runoff = water * (soil / capacity) ** shape
        soil = soil + water - runoff
        soil -= evaporation[t] * min(soil / (0.7 * capacity), 1.0)
        spilled = max(soil - capacity, 0.0)
        soil = max(soil - spilled, 1e-6)
        upper += runoff + spilled
        down = min(percolation, upper)
        upper -= down
        lower += down
        flow[t] = fast_rate * upper + slow_rate * lower
        upper -= fast_rate * upper
        lower -= slow_rate * lower
    return flow


@njit
def natural(z):
    """Return parameters inside their bounds."""
    return LOW + (HIGH - LOW) / (1.0 + np.exp(-z))


@value_and_grad
def misfit(z, rain, temperature, evaporation, seen, warm):
    """One minus the efficiency of Nash and Sutcliffe (1970)."""
    flow = discharge(natural(z), rain, temperature, evaporation)
    error = flow[warm:] - seen[warm:]
    return np.sum(error**2) / np.sum((seen[warm:] - np.mean(seen[warm:])) ** 2)


@njit
def calibrated(z, rain, temperature, evaporation, seen, warm, steps):
    """Return parameters after so many steps of Adam, and the misfit of each."""
    state, found = adam_init(z), np.empty(steps)
    for k in range(steps):
        found[k], slope = misfit(z, rain, temperature, evaporation, seen, warm)
        z, state = adam(z, slope, state, 0.1 * 0.995**k)
    return natural(z), found


def weather(days, seed):
    """Return rain, temperature and potential evaporation of each day of a mountain climate."""
    rng = np.random.default_rng(seed)
    season = -np.cos(2.0 * np.pi * np.arange(days) / 365.25)
    temperature = 6.0 + 10.0 * season + 3.0 * rng.normal(size=days)
    rain = np.where(rng.random(days) < 0.4, rng.gamma(0.8, 8.0, days), 0.0)
    return rain, temperature, np.maximum(1.8 + 1.6 * season, 0.1)


def draw(path, seen, flow, guess, rain):
    days = np.arange(780, 1000)
    figure = Figure(figsize=(8.5, 3.8), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(days, seen[days], "k.", ms=3, label="gauged")
    axes.plot(days, guess[days], color="tab:orange", lw=1, label="before calibration")
    axes.plot(days, flow[days], color="tab:blue", lw=1.2, label="calibrated")
    axes.set(xlabel="day", ylabel="discharge (mm per day)", ylim=(0.0, 1.5 * seen[days].max()))
    axes.legend(fontsize="small", loc="center right")
    above = axes.twinx()
    above.bar(days, rain[days], color="tab:cyan", width=1.0, alpha=0.6)
    above.set(ylabel="rain (mm per day)", ylim=(3.0 * rain.max(), 0.0))
    figure.savefig(path, dpi=100)


def main(years=10, steps=800, picture=None):
    """Calibrate to a river that the model made, with noise; return the parameters and the efficiency."""
    rain, temperature, evaporation = weather(365 * years, seed=5)
    noise = np.exp(0.05 * np.random.default_rng(6).normal(size=len(rain)))
    seen = discharge(TRUE, rain, temperature, evaporation) * noise
    start = time.perf_counter()
    found, history = calibrated(np.zeros(6), rain, temperature, evaporation, seen, 730, steps)
    print(f"{steps} steps over {len(rain)} days in {time.perf_counter() - start:.1f} s with compiling")
    for name, true, value in zip(NAMES, TRUE, found, strict=True):
        print(f"{name:>15}: {value:8.3f} (true {true})")
    print(f"efficiency {1.0 - history[0]:.3f} → {1.0 - history[-1]:.4f}")
    if picture:
        flow, guess = (discharge(p, rain, temperature, evaporation) for p in (found, natural(np.zeros(6))))
        draw(picture, seen, flow, guess, rain)
    return found, 1.0 - history[-1]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", help="where to save a picture")
    main(picture=parser.parse_args().picture)
