"""Convolution, and the special functions that are made of others."""

import numpy as np
import scipy

from adcompiler.definitions.common import conjugate, zeros
from adcompiler.definitions.table import define, refuse


@define("np.convolve", is_analytic=True)
def convolve(a, v, mode="full"):
    if mode == "full":
        return _convolved(a, v, 0, a.size + v.size - 1)
    if mode == "same":
        shorter = min(a.size, v.size)
        return _convolved(a, v, (shorter - 1) // 2, max(a.size, v.size))
    if mode == "valid":
        shorter = min(a.size, v.size)
        return _convolved(a, v, shorter - 1, max(a.size, v.size) - shorter + 1)
    return refuse("np.convolve in a mode other than full, same and valid")


def _convolved(a, v, first, count):
    y = zeros(count, a, v)
    for k in range(count):
        place = first + k
        for i in range(max(place - v.size + 1, 0), min(place + 1, a.size)):
            y[k] += a[i] * v[place - i]
    return y


@define("np.correlate", is_analytic=True)
def correlate(a, v, mode="valid"):
    if mode == "same":
        longer, shorter = max(a.size, v.size), min(a.size, v.size)
        first = (shorter - 1) // 2 if a.size >= v.size else shorter // 2
        return _convolved(a, conjugate(v[::-1]), first, longer)
    return np.convolve(a, conjugate(v[::-1]), mode)


@define("special.polygamma")
def polygamma(n, x):
    if n == 0:
        return scipy.special.psi(x)
    return (-1.0) ** (n + 1) * scipy.special.gamma(n + 1.0) * scipy.special.zeta(n + 1.0, x)


@define("np.unwrap")
def unwrap(p, discont=None, axis=-1, period=6.283185307179586):
    if p.ndim > 1:
        refuse("np.unwrap of more than one axis")
    least = period / 2 if discont is None else max(discont, period / 2)
    y = p.copy()
    turns = 0.0
    for k in range(1, p.size):
        step = p[k] - p[k - 1]
        if abs(step) >= least:
            rest = (step + period / 2) % period - period / 2
            if rest == -period / 2 and step > 0:
                rest = period / 2
            turns = turns + np.round((rest - step) / period)
        y[k] = p[k] + period * turns
    return y


@define("np.heaviside")
def heaviside(x1, x2):
    return np.where(x1 == 0.0, x2, 0.5 * (np.sign(x1) + 1.0))


@define("np.fix")
def fix(x):
    return np.trunc(x)


@define("np.modf")
def modf(x):
    whole = np.trunc(x)
    return x - whole, whole


@define("np.divmod")
def divmod_(x1, x2):
    return x1 // x2, x1 % x2
