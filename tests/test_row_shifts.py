"""Rows that are taken out and put back in array code: where they cancel, and where they only look so."""

import numpy as np
import pytest

from adcompiler import grad, hvp

_rng = np.random.default_rng(3)
X, W = _rng.normal(size=(4, 4)), _rng.normal(size=(4, 4))


def softmax_of_rows(x, w):
    e = np.exp(x - np.max(x, axis=1, keepdims=True))
    return np.sum(w * e / np.sum(e, axis=1, keepdims=True))


def softmax_of_columns(x, w):
    e = np.exp((x - np.max(x, axis=0)) / w[0, 0])
    return np.sum(w * (e / e.sum(axis=0)))


def logsumexp_of_rows(x, w):
    m = np.max(x, axis=-1)
    return np.sum(w[0] * (m + np.log(np.sum(np.exp(x - m[:, None]), axis=-1))))


def cross_entropy(x, w):
    shifted = x - x.max(axis=1).reshape(-1, 1)
    logp = shifted - np.log(np.exp(shifted).sum(axis=1))[:, None]
    return -np.sum(np.abs(w) * logp)


def attention(x, w):
    scores = x @ w.T / 2.0
    e = np.exp(scores - np.max(scores, axis=1)[:, np.newaxis])
    return np.sum((e @ w / np.sum(e, axis=1)[:, np.newaxis]) ** 2)


def of_three_axes(x, w):
    y = x.reshape(2, 2, 4)
    e = np.exp(y - np.max(y, axis=2, keepdims=True))
    return np.sum((e / np.sum(e, axis=2, keepdims=True)) * w.reshape(2, 2, 4))


CANCEL = [softmax_of_rows, softmax_of_columns, logsumexp_of_rows, cross_entropy, attention, of_three_axes]


def sums_along_the_other_axis(x, w):
    e = np.exp(x - np.max(x, axis=1, keepdims=True))
    return np.sum(w * e / np.sum(e, axis=0))


def rows_beside_columns(x, w):
    e = np.exp(x - np.max(x, axis=1)[:, None])
    return np.sum(w * e / np.sum(e, axis=1))


def columns_taken_out_of_rows(x, w):
    e = np.exp(x - np.max(x, axis=1))
    return np.sum(w * e / np.sum(e, axis=1)[:, None])


def used_elsewhere(x, w):
    m = np.max(x, axis=1, keepdims=True)
    e = np.exp(x - m)
    return np.sum(w * e / np.sum(e, axis=1, keepdims=True)) + np.sum(m * m)


def not_put_back(x, w):
    return np.sum(w[0] * np.log(np.sum(np.exp(x - np.max(x, axis=1)[:, None]), axis=1)))


def a_small_number_is_added(x, w):
    e = np.exp(x - np.max(x, axis=1)[:, None])
    return np.sum(w * e / (np.sum(e, axis=1)[:, None] + 0.1))


def rows_are_turned(x, w):
    m = np.max(x, axis=1)
    e = np.exp(x - m[::-1][:, None])
    return np.sum(w[0] * (m + np.log(np.sum(e, axis=1))))


def changed_between(x, w):
    m = np.max(x, axis=1).copy()
    e = np.exp(x - m[:, None])
    m *= 2.0
    return np.sum(w[0] * (m + np.log(np.sum(e, axis=1))))


def a_row_of_the_result(x, w):
    e = np.exp(x - np.max(x, axis=1, keepdims=True))
    return e[0] @ w[0] / np.sum(e[1]) + e[2, 1]


REMAIN = [
    sums_along_the_other_axis,
    rows_beside_columns,
    columns_taken_out_of_rows,
    used_elsewhere,
    not_put_back,
    a_small_number_is_added,
    rows_are_turned,
    changed_between,
    a_row_of_the_result,
]


def slopes(program):
    step = 1e-6
    found = np.zeros_like(X)
    for k in np.ndindex(*X.shape):
        unit = np.zeros_like(X)
        unit[k] = step
        found[k] = (program(X + unit, W) - program(X - unit, W)) / (2 * step)
    return found


@pytest.mark.parametrize("program", [*CANCEL, *REMAIN])
def test_against_differences(program):
    np.testing.assert_allclose(grad(program, jit=False)(X, W), slopes(program), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("program", CANCEL)
def test_no_adjoint_of_what_cancels(program):
    derivative = grad(program, jit=False)
    derivative(X, W)
    assert "== larger" not in derivative.source and "d_best" not in derivative.source


@pytest.mark.parametrize("program", [softmax_of_rows, cross_entropy, used_elsewhere])
def test_second_derivatives_and_compiled(program):
    v = _rng.normal(size=X.shape)
    first = grad(program)
    expected = (first(X + 1e-6 * v, W) - first(X - 1e-6 * v, W)) / 2e-6
    np.testing.assert_allclose(hvp(program, jit=False)(X, W, v), expected, rtol=1e-5, atol=1e-7)
