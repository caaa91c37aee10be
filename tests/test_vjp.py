"""`vjp`: outputs of any structure, functions that write their arguments, adjoints of several outputs."""

import math
import random
from collections import namedtuple

import numpy as np
import pytest
from fuzzing import fails, inputs, make
from nest_generator import NestGenerator

from adcompiler import DifferentiationError, vjp
from adcompiler.testing import central_difference

MODES = pytest.mark.parametrize("jit", [False, True], ids=["uncompiled", "compiled"])
Orbit = namedtuple("Orbit", "radius phase")
X = np.array([0.3, -1.2, 2.0])


def weighted(function, args, position, weights):
    """Return the derivative of the weighted sum of a function's outputs by differences."""

    def total(*given):
        found = function(*given)
        parts = found if isinstance(found, tuple) else (found,)
        return float(sum(np.sum(w * part) for w, part in zip(weights, parts, strict=True)))

    return central_difference(total, args, position)


@MODES
def test_arrays_and_numbers(jit):
    def f(x, a):
        return np.sin(x) * a, np.sum(x * x), 3

    outputs, pullback = vjp(f, X, 0.7, jit=jit)
    np.testing.assert_allclose(outputs[0], np.sin(X) * 0.7)
    weights = (np.array([1.0, -2.0, 0.5]), 0.3, 0)
    found = pullback(weights)
    np.testing.assert_allclose(found[0], weighted(f, (X, 0.7), 0, weights), rtol=1e-6)
    np.testing.assert_allclose(found[1], weighted(f, (X, 0.7), 1, weights), rtol=1e-6)


@MODES
def test_named_and_nested_outputs(jit):
    def f(x, y):
        return Orbit(math.hypot(x, y), math.atan2(y, x)), (x * y,)

    outputs, pullback = vjp(f, 1.0, 2.0, jit=jit)
    assert type(outputs[0]) is Orbit
    found = pullback((Orbit(1.0, 0.0), (0.0,)))
    np.testing.assert_allclose(found, (1 / math.sqrt(5), 2 / math.sqrt(5)))
    found = pullback((Orbit(0.0, 1.0), (10.0,)))
    np.testing.assert_allclose(found, (20.0 - 0.4, 10.0 + 0.2))


@MODES
def test_written_arguments_are_outputs(jit):
    def smooth(u, k, scratch):
        for i in range(1, len(u) - 1):
            scratch[i] = u[i] + k * (u[i - 1] - 2.0 * u[i] + u[i + 1])
        for i in range(1, len(u) - 1):
            u[i] = scratch[i] * scratch[i]

    u = np.array([0.5, 1.5, -0.3, 0.8, 2.2])
    kept = u.copy()
    (out, _), pullback = vjp(smooth, u, 0.1, np.zeros(5), jit=jit)
    np.testing.assert_array_equal(u, kept)

    def after(u, k):
        u, scratch = u.copy(), np.zeros(5)
        smooth(u, k, scratch)
        return u

    np.testing.assert_allclose(out, after(u, 0.1))
    seed = np.arange(5.0)
    d_u, d_k, _ = pullback((seed, np.zeros(5)))
    np.testing.assert_allclose(d_u, weighted(after, (u, 0.1), 0, (seed,)), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(d_k, weighted(after, (u, 0.1), 1, (seed,)), rtol=1e-6)


@MODES
def test_one_output_is_also_an_argument(jit):
    outputs, pullback = vjp(lambda x, n: x, X, 3, jit=jit)
    np.testing.assert_array_equal(outputs, X)
    seed = np.ones(3)
    found, nothing = pullback(seed)
    assert nothing is None
    found[0] = 5.0
    assert seed[0] == 1.0


@MODES
def test_single_precision(jit):
    def f(x, a):
        return x * a

    _, pullback = vjp(f, X.astype(np.float32), np.float32(2.0), jit=jit)
    found = pullback(np.ones(3))
    assert found[0].dtype == np.float32


def test_the_pullback_keeps_the_arguments_as_they_were():
    x = X.copy()
    _, pullback = vjp(lambda x: x * x, x)
    x[:] = 0.0
    np.testing.assert_array_equal(pullback(np.ones(3))[0], 2 * X)


def test_adjoints_of_another_structure_are_refused():
    _, pullback = vjp(lambda x: (x, np.sum(x)), X)
    for wrong in (1.0, (X,), (X, 1.0, 2.0), (X[:2], 1.0), (1.0, 1.0)):
        with pytest.raises(DifferentiationError, match="AD305"):
            pullback(wrong)


def test_the_last_of_several_writes_takes_the_adjoint():
    def f(x, places):
        y = np.zeros(3)
        for i in range(len(x)):
            y[places[i]] = math.sin(x[i])
        return y

    x = np.array([0.3, -0.4, 0.5, 0.7, 0.2])
    _, pullback = vjp(f, x, np.array([0, 1, 0, 2, 1]), jit=False)
    found = pullback(np.array([1.0, 10.0, 100.0]))
    found = found[0] if isinstance(found, tuple) else found
    np.testing.assert_allclose(found, [0.0, 0.0, math.cos(0.5), 100.0 * math.cos(0.7), 10.0 * math.cos(0.2)])


@pytest.mark.parametrize("seed", range(2000, 2030))
def test_arrays_out_of_nests_of_loops(seed):
    rng = random.Random(seed)
    source = NestGenerator(rng).program()
    source = source[: source.rindex("    return")] + "    return a, b, m, t + x * y\n"
    f, args = make(source, f"nest {seed}"), inputs(rng)
    weights = [np.cos(np.arange(4.0)), np.sin(np.arange(4.0)), np.cos(np.arange(16.0)).reshape(4, 4), 0.7]
    if fails(lambda *given: float(f(*given)[3]), args):
        return
    try:
        _, pullback = vjp(f, *args, jit=False)
        found = pullback(tuple(weights))
    except DifferentiationError as refusal:
        assert refusal.code == "AD303"
        return
    for position, gradient in enumerate(found):
        expected = weighted(f, args, position, weights)
        np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-6, err_msg=source)
