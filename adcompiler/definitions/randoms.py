"""Random numbers whose distribution is moved and stretched: derivatives go along each draw.

Kingma and Welling (2014) call it reparameterisation: the draw itself carries no derivative, and the reverse
sweep never draws again. Location and scale do not change which numbers are drawn.
"""

import numpy as np

from adcompiler.definitions.table import define, has


@define("np.random.normal", when=has("loc", "scale"))
def normal(loc=0.0, scale=1.0, size=None):
    if size is None:
        return loc + scale * np.random.standard_normal()
    return loc + scale * np.random.standard_normal(size)


@define("np.random.uniform", when=has("low", "high"))
def uniform(low=0.0, high=1.0, size=None):
    if size is None:
        return low + (high - low) * np.random.random_sample()
    return low + (high - low) * np.random.random_sample(size)


@define("np.random.exponential", when=has("scale"))
def exponential(scale=1.0, size=None):
    if size is None:
        return scale * np.random.standard_exponential()
    return scale * np.random.standard_exponential(size)


@define("np.random.lognormal", when=has("mean", "sigma"))
def lognormal(mean=0.0, sigma=1.0, size=None):
    if size is None:
        return np.exp(mean + sigma * np.random.standard_normal())
    return np.exp(mean + sigma * np.random.standard_normal(size))
