"""Functions of public packages that use Numba, unmodified, against central differences."""

import numpy as np
import pytest
from numba import njit

from adcompiler import vjp
from adcompiler.testing import central_difference, check_grad

RNG = np.random.default_rng(5)
X, Y = RNG.uniform(0.2, 1.5, 12), RNG.uniform(0.2, 1.5, 12)


@pytest.mark.parametrize(
    "name",
    ["euclidean", "canberra", "minkowski", "bray_curtis", "cosine", "correlation", "manhattan", "chebyshev"]
    + ["symmetric_kl_divergence", "jensen_shannon_divergence"],
)
def test_distances_of_pynndescent(name):
    distances = pytest.importorskip("pynndescent.distances")
    check_grad(getattr(distances, name), (X, Y), jit=False, rtol=1e-5)


@njit
def cubic(x, a):
    return x**3 - a


@njit
def slope(x, a):
    return 3 * x * x


@njit
def hill(x, a):
    return -((x - a) ** 2)


@pytest.mark.parametrize("method", ["newton", "newton_secant", "brentq"])
def test_root_finders_of_quantecon(method):
    """The functions to solve are arguments of the solver."""
    solvers = pytest.importorskip("quantecon.optimize.root_finding")
    newton, secant, brentq = solvers.newton, solvers.newton_secant, solvers.brentq

    def root(a):
        if method == "newton":
            return newton(cubic, 1.0, slope, args=(a,)).root
        if method == "newton_secant":
            return secant(cubic, 1.0, args=(a,)).root
        return brentq(cubic, 0.0, 3.0, args=(a,)).root

    _, (derivative,) = check_grad(root, (2.0,), jit=method == "newton", rtol=1e-4)
    np.testing.assert_allclose(derivative, 2.0 ** (-2 / 3) / 3, rtol=1e-4)


def test_maximum_of_quantecon():
    optimize = pytest.importorskip("quantecon.optimize.scalar_maximization")
    brent_max = optimize.brent_max
    check_grad(lambda a: brent_max(hill, -2.0, 2.0, args=(a,))[0], (0.3,), jit=False, rtol=1e-4)


def test_inequality_of_quantecon():
    inequality = pytest.importorskip("quantecon._inequality")
    check_grad(inequality.gini_coefficient, (X,), jit=False)


@pytest.mark.parametrize("name", ["norm", "laplace", "expon"])
def test_likelihoods_of_numba_stats(name):
    distribution = pytest.importorskip(f"numba_stats.{name}")
    logpdf = distribution._logpdf

    def likelihood(x, location, scale):
        return np.sum(logpdf(x, location, scale))

    check_grad(likelihood, (X, 0.1, 1.3), jit=name == "norm")


def test_garch_recursion_of_arch():
    recursions = pytest.importorskip("arch.univariate.recursions_python")
    garch_recursion = recursions.garch_recursion
    returns = RNG.normal(size=30)
    bounds = np.ones((30, 2)) * np.array([1e-8, 1e8])

    def likelihood(parameters, returns):
        variance = np.zeros(30)
        garch_recursion(parameters, returns**2, np.sign(returns), variance, 1, 0, 1, 30, 0.5, bounds)
        return np.sum(np.log(variance) + returns**2 / variance)

    check_grad(likelihood, (np.array([0.1, 0.1, 0.8]), returns), argnums=(0,))


def test_lambert_solver_of_lamberthub():
    """An orbit between two positions: a whole solver, with two vectors as its result."""
    lamberthub = pytest.importorskip("lamberthub")
    start = np.array([0.159321004, 0.579266185, 0.052359607])
    end = np.array([0.057594337, 0.605750797, 0.068345246])
    args = 39.47692641, start, end, 0.010794065
    weights = RNG.normal(size=3), RNG.normal(size=3)

    def total(*given):
        return float(sum(np.sum(w * v) for w, v in zip(weights, lamberthub.izzo2015(*given), strict=True)))

    _, pullback = vjp(lamberthub.izzo2015, *args, jit=False)
    for position, found in enumerate(pullback(weights)[:4]):
        expected = central_difference(total, args, position)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.max(np.abs(expected)))
