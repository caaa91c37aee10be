"""Functions of this package as operations of PyTensor; where it is installed."""

import warnings

import numpy as np
import pytest
from numba import njit

pytestmark = pytest.mark.filterwarnings("ignore")  # that of other packages
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytensor = pytest.importorskip("pytensor")
    import pytensor.tensor as pt

    from adcompiler.bridges.pytensor_functions import to_pytensor

X, V = np.array([0.3, -0.7, 1.1]), np.array([0.5, 0.2, -0.4])


def energy(x, k):
    total = 0.0
    for i in range(1, len(x)):
        total += k * (x[i] - x[i - 1]) ** 2 + np.sin(x[i])
    return total


@njit
def step(x, v, n):
    a = x.copy()
    for _ in range(n):
        a = a + 0.1 * v * np.sin(a)
    return a


def pair(x, k):
    return np.exp(-k * x), np.sum(x * x) * k


@pytest.fixture(params=["FAST_RUN", "NUMBA"])
def mode(request):
    with pytensor.config.change_flags(mode=request.param):
        yield


def test_values_gradients_and_hessians(mode):
    x, k = pt.dvector(), pt.dscalar()
    found = to_pytensor(energy)(x, k)
    d_x, d_k = pytensor.grad(found, [x, k])
    run = pytensor.function([x, k], [found, d_x, d_k, pytensor.gradient.hessian(found, x)])
    value, by_x, by_k, second = run(X, 0.5)
    np.testing.assert_allclose(value, energy(X, 0.5))
    gaps = X[1:] - X[:-1]
    expected = np.append(0.0, gaps) - np.append(gaps, 0.0) + np.append(0.0, np.cos(X[1:]))
    np.testing.assert_allclose(by_x, expected)
    np.testing.assert_allclose(by_k, np.sum(gaps**2))
    ends = np.array([[1.0, -1.0, 0.0], [-1.0, 2.0, -1.0], [0.0, -1.0, 1.0]])
    np.testing.assert_allclose(second, ends - np.diag(np.append(0.0, np.sin(X[1:]))), atol=1e-12)


def test_arrays_whole_numbers_and_tuples(mode):
    x, v, n = pt.dvector(), pt.dvector(), pt.iscalar()
    moved = to_pytensor(step)(x, v, n)
    d_v = pytensor.grad(pt.sum(moved), v)
    h = 1e-6
    expected = [(np.sum(step(X, V + h * e, 3)) - np.sum(step(X, V - h * e, 3))) / (2 * h) for e in np.eye(3)]
    np.testing.assert_allclose(d_v.eval({x: X, v: V, n: 3}), expected, rtol=1e-6)
    first, second = to_pytensor(pair)(x, 0.5)
    d_first, d_second = pytensor.grad(pt.sum(first), x), pytensor.grad(second, x)
    np.testing.assert_allclose(d_first.eval({x: X}), -0.5 * np.exp(-0.5 * X))
    np.testing.assert_allclose(d_second.eval({x: X}), X)


def test_results_share_no_memory_with_arguments(mode):
    x = pt.dvector()
    run = pytensor.function([x], to_pytensor(lambda x: x)(x))
    given = X.copy()
    run(given)[0] = 5.0
    np.testing.assert_array_equal(given, X)


def test_results_of_other_kinds_are_refused():
    with pytest.raises(TypeError, match="has to return a number, an array, or a tuple"):
        to_pytensor(lambda x: (x, (x, x)))(pt.dscalar())


def infected(rate, recovery, days):
    s, i = 0.99, 0.01
    found = np.empty(days)
    for t in range(days):
        new = rate * s * i
        s, i = s - new, i + new - recovery * i
        found[t] = i
    return found


@pytest.mark.parametrize("sampler", ["pymc", "nutpie"])
def test_a_model_is_sampled(sampler):
    pymc = pytest.importorskip("pymc")
    found = pytest.importorskip(sampler)
    seen = infected(0.6, 0.2, 40) + 0.01 * np.random.default_rng(0).normal(size=40)
    with pymc.Model() as model:
        rate, recovery = pymc.HalfNormal("rate", 1.0), pymc.HalfNormal("recovery", 1.0)
        pymc.Normal("seen", to_pytensor(infected)(rate, recovery, 40), 0.01, observed=seen)
    if sampler == "nutpie":
        compiled = found.compile_pymc_model(model)
        trace = found.sample(compiled, draws=200, tune=300, chains=2, seed=1, progress_bar=False)
    else:
        options = dict(chains=2, cores=1, random_seed=1, progressbar=False)
        trace = found.sample(200, tune=300, model=model, **options)
    means = [float(trace.posterior[name].mean()) for name in ("rate", "recovery")]
    np.testing.assert_allclose(means, [0.6, 0.2], atol=0.02)
