"""What is taken out of a formula and put back: where it cancels, and where it only looks as if it did."""

import math

import numpy as np
import pytest

from adcompiler import hvp, value_and_grad
from adcompiler.testing import central_difference


def logsumexp(x, w):
    m = np.max(x)
    return m + np.log(np.sum(np.exp(x - m)))


def softmax_in_loops(x, w):
    m, temperature = x[0], w[0]
    for i in range(1, len(x)):
        m = max(m, x[i])
    e = np.empty(len(x))
    total = 0.0
    for i in range(len(x)):
        e[i] = math.exp((x[i] - m) / temperature)
        total += e[i]
    result = 0.0
    for i in range(len(x)):
        result += w[i] * e[i] / total
    return result


def soft_minimum(x, w):
    m, sharpness = np.min(x), w[1]
    total = 0.0
    for i in range(len(x)):
        total += np.exp(-(x[i] - m) * sharpness)
    return m - np.log(total) / sharpness


def products_of_scales(x, w):
    m = np.max(x)
    e = np.exp(x - m)
    return np.sum(e**1) * (w @ e) / np.sum(e * e) + np.sqrt(np.sum(np.square(e))) / np.mean(e)


SAME = [logsumexp, softmax_in_loops, soft_minimum, products_of_scales]


def not_put_back(x, w):
    m = np.max(x)
    return np.log(np.sum(np.exp(x - m)))


def one_term_is_left_out(x, w):
    m = np.max(x)
    e = np.empty(len(x))
    e[0] = 1.0
    for i in range(1, len(x)):
        e[i] = math.exp(x[i] - m)
    return m + math.log(np.sum(e))


def terms_of_unlike_scale(x, w):
    m = np.max(x)
    total = 0.0
    for i in range(len(x)):
        k = w[i]
        total += math.exp((x[i] - m) * k)
    return m * w[3] + math.log(total)


def array_of_scales(x, w):
    m = np.max(x)
    return m + np.log(np.sum(np.exp((x - m) * w)))


def begins_with_one(x, w):
    m = np.max(x)
    total = 1.0
    for i in range(len(x)):
        total += math.exp(x[i] - m)
    return m + math.log(total)


def something_else_is_added(x, w):
    m = np.max(x)
    total = 0.0
    for i in range(len(x)):
        total += math.exp(x[i] - m)
        total += w[i] ** 2
    return m + math.log(total)


def begins_as_a_sum_of_others(x, w):
    m = np.max(x)
    own, total = 0.0, 0.0
    for i in range(len(x)):
        total += math.exp(x[i] - m) + own
        own += w[i] ** 2
    return m + math.log(total)


def kept_outside(x, w):
    kept = np.zeros(3)
    total = 0.0
    for k in range(2):
        m = np.max(x * w[k])
        total += m + math.log(np.sum(np.exp(x * w[k] - m)))
        kept[k] = m
    return total * kept[0] + kept[1]


def scaled_back(x, w):
    m = np.max(x)
    return np.exp(m) * np.sum(np.exp(x - m)) + np.exp(2 * m) * np.mean(np.exp(x - m)) ** 2


def filled_elsewhere(x, w):
    m = np.max(x)
    e = np.zeros(len(x))
    e += 1.0
    for i in range(2):
        e[i] += math.exp(x[i] - m)
    return m + math.log(np.sum(e))


DIFFERENT = [
    not_put_back,
    one_term_is_left_out,
    terms_of_unlike_scale,
    array_of_scales,
    begins_with_one,
    something_else_is_added,
    begins_as_a_sum_of_others,
    kept_outside,
    scaled_back,
    filled_elsewhere,
]


@pytest.mark.parametrize("program", SAME + DIFFERENT, ids=lambda program: program.__name__)
def test_against_differences(program):
    rng = np.random.default_rng(3)
    args = rng.normal(size=4), rng.uniform(0.5, 2.0, size=4)
    value, gradients = value_and_grad(program, argnums=(0, 1), jit=False)(*args)
    assert np.isclose(value, program(*args), rtol=1e-12)
    for k in (0, 1):
        np.testing.assert_allclose(gradients[k], central_difference(program, args, k), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("program", SAME, ids=lambda program: program.__name__)
def test_second_derivatives(program):
    rng = np.random.default_rng(4)
    x, w, v = rng.normal(size=4), rng.uniform(0.5, 2.0, size=4), rng.normal(size=4)
    gradient = value_and_grad(program, jit=False)
    found = hvp(program, jit=False)(x, w, v)
    expected = (gradient(x + 1e-6 * v, w)[1] - gradient(x - 1e-6 * v, w)[1]) / 2e-6
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("program", [logsumexp, softmax_in_loops, soft_minimum], ids=lambda p: p.__name__)
def test_no_adjoint_is_computed_for_what_cancels(program):
    derivative = value_and_grad(program, jit=False)
    derivative(np.arange(4.0), np.ones(4))
    assert "d_m" not in derivative.source.replace("d_mul", "")
