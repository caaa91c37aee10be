"""Greeks of options under Black and Scholes, and under Heston's stochastic volatility.

The price of a call under Heston (1993) is an integral of a complex characteristic function, here in the form
of Albrecher and others ("The little Heston trap", 2007), by the midpoint rule. The formula is typed in as it
stands in the paper; all first derivatives come out together, and a Jacobian calibrates the model to prices.
"""

import argparse
import math

import numpy as np
from matplotlib.figure import Figure
from numba import njit
from scipy.optimize import least_squares

from adcompiler import grad, jacobian, value_and_grad

TRUE = np.array([0.04, 1.5, 0.06, 0.5, -0.7])
NAMES = ("variance today", "reversion", "long-run variance", "volatility of variance", "correlation")
SPOT, RATE = 100.0, 0.02


def black_scholes(spot, strike, years, rate, volatility):
    """Return the price of a European call (Black and Scholes 1973)."""
    spread = volatility * math.sqrt(years)
    d = (math.log(spot / strike) + rate * years) / spread + 0.5 * spread
    discounted = strike * math.exp(-rate * years)
    return spot * normal(d) - discounted * normal(d - spread)


@njit
def normal(x):
    """The distribution function of the standard normal distribution."""
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


@njit
def characteristic(u, years, rate, parameters):
    """Return the expected exp(iu log(S/S0)) under Heston's model."""
    variance, reversion, level, wildness, correlation = parameters
    b = reversion - 1j * correlation * wildness * u
    d = np.sqrt(b * b + wildness**2 * (u * u + 1j * u))
    g = (b - d) / (b + d)
    fading = np.exp(-d * years)
    c = reversion * level / wildness**2 * ((b - d) * years - 2.0 * np.log((1.0 - g * fading) / (1.0 - g)))
    return np.exp(
        1j * u * rate * years + c + variance / wildness**2 * (b - d) * (1.0 - fading) / (1.0 - g * fading)
    )


@njit
def heston(spot, strike, years, rate, parameters):
    """Return the price of a European call (Lewis 2001: one integral)."""
    log_ratio, width, total = math.log(spot / strike), 0.25, 0.0
    for k in range(400):
        u = (k + 0.5) * width
        wave = np.exp(1j * u * log_ratio) * characteristic(u - 0.5j, years, rate, parameters)
        total += wave.real / (u * u + 0.25)
    return spot - math.sqrt(spot * strike) * math.exp(-rate * years) / math.pi * width * total


@value_and_grad(argnums=("spot", "years", "rate", "parameters"))
def heston_with_greeks(spot, strike, years, rate, parameters):
    return heston(spot, strike, years, rate, parameters)


def book(parameters, strikes, years):
    """Return the prices of many calls."""
    prices = np.empty(len(strikes))
    for k in range(len(strikes)):
        prices[k] = heston(SPOT, strikes[k], years[k], RATE, parameters)
    return prices


slopes = jacobian(book)
vega = grad(black_scholes, argnums="volatility")


def implied_volatility(price, strike, years):
    """Return the volatility at which Black and Scholes' price is this one, by Newton's method."""
    volatility = 0.3
    for _ in range(50):
        error = black_scholes(SPOT, strike, years, RATE, volatility) - price
        volatility -= error / vega(SPOT, strike, years, RATE, volatility)
        if abs(error) < 1e-12:
            break
    return volatility


def calibrate(prices, strikes, years):
    """Return the parameters of the model whose prices are nearest."""
    start = np.array([0.1, 3.0, 0.1, 1.0, -0.3])
    bounds = [1e-3, 0.1, 1e-3, 0.05, -0.98], [1.0, 10.0, 1.0, 3.0, 0.5]
    found = least_squares(
        lambda p, *args: book(p, *args) - prices, start, slopes, bounds, xtol=1e-12, args=(strikes, years)
    )
    return found.x, found.nfev


def draw(path, strikes, prices, found):
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for k, years in enumerate((0.5, 1.0, 2.0)):
        smile = [implied_volatility(p, s, years) for p, s in zip(prices[k], strikes, strict=True)]
        fine = np.linspace(strikes[0], strikes[-1], 60)
        model = book(found, fine, 0 * fine + years)
        line = [implied_volatility(p, s, years) for p, s in zip(model, fine, strict=True)]
        left.plot(strikes, 100 * np.array(smile), "o", color=f"C{k}")
        left.plot(fine, 100 * np.array(line), color=f"C{k}", label=f"{years:g} years")
    left.set(xlabel="strike", ylabel="implied volatility (%)", title="Market (dots) and calibrated model")
    left.legend(fontsize="small")
    spots = np.linspace(60.0, 140.0, 81)
    greeks = [heston_with_greeks(s, 100.0, 1.0, RATE, found)[1] for s in spots]
    right.plot(spots, [g[0] for g in greeks], label="delta")
    right.plot(spots, [-g[1] / 10.0 for g in greeks], label="theta / 10")
    right.plot(spots, [g[3][0] / 50.0 for g in greeks], label="by variance today / 50")
    right.set(xlabel="spot", title="Greeks of a call at 100, one year")
    right.legend(fontsize="small")
    figure.savefig(path, dpi=100)


def main(count=9, picture=None):
    """Calibrate to prices of `count` strikes at three maturities; return parameters, delta and rho."""
    strikes = np.linspace(75.0, 130.0, count)
    years = np.repeat((0.5, 1.0, 2.0), count)
    prices = book(TRUE, np.tile(strikes, 3), years)
    found, runs = calibrate(prices, np.tile(strikes, 3), years)
    value, (delta, theta, rho, by_parameters) = heston_with_greeks(SPOT, 100.0, 1.0, RATE, found)
    print(
        f"calibrated in {runs} runs: " + ", ".join(f"{n} {p:.4f}" for n, p in zip(NAMES, found, strict=True))
    )
    print(f"a call at the money costs {value:.4f}; delta {delta:.4f}, theta {-theta:.4f}, rho {rho:.4f}")
    print("by the parameters:", np.round(by_parameters, 4))
    if picture:
        draw(picture, strikes, prices.reshape(3, count), found)
    return found, delta, rho


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", help="where to save a picture")
    main(picture=parser.parse_args().picture)
