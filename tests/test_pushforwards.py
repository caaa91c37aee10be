"""Pushforwards of `linearize`: they read what the forward sweep has kept, and run nothing of it again."""

import math
import random
from collections import namedtuple

import numpy as np
import pytest
from array_generator import ArrayGenerator
from fuzzing import fails, inputs, make
from nest_generator import NestGenerator
from numba import njit
from program_generator import ProgramGenerator

from adcompiler import DifferentiationError, jvp, linearize

X, W = np.linspace(-1.0, 1.2, 5), np.cos(np.arange(5.0))
Pair = namedtuple("Pair", "values total")


def recurrence(w, x):
    h, out = 0.0, np.zeros(len(x))
    for i in range(len(x)):
        h = math.tanh(w[i] * h + x[i])
        out[i] = h * h
    return Pair(out, h)


def layers(w, x):
    return np.tanh(np.outer(x, w) @ x) ** 2


def in_place(w, x):
    u = x.copy()
    for _ in range(4):
        u[1:-1] = u[1:-1] + w[0] * (u[2:] - 2.0 * u[1:-1] + u[:-2]) * u[1:-1]
    return u


def until_small(w, x):
    y, k = x.copy(), 0
    while np.sum(y * y) > 0.1 and k < 50:
        y = 0.8 * np.sin(y * w)
        k += 1
    return {"y": y, "steps": k}


def largest(w, x):
    best = -1.0
    for i in range(len(x)):
        if x[i] * w[i] > best:
            best = x[i] * w[i]
    return best


def all_zero(w, x):
    y = 0.0 * x
    total = 0.0
    for i in range(len(x)):
        total = total * w[i] + y[i] * x[i]
        if w[i] > 0.0:
            total = 0.0 * total
    return y * w, total, np.maximum(0.0 * w, y)


def weights(w, x):
    scores = np.outer(w, x) * x
    e = np.exp(scores - np.max(scores, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True) * w.reshape((5, 1))


def handed_on(w, x):
    return x, 1.0, 3, x.sum() * 0.0 + 2.0, w


PROGRAMS = [handed_on, weights, recurrence, layers, in_place, until_small, largest, all_zero]


def assert_same(found, expected):
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        found, expected = [*found.values()], [*expected.values()]
    if isinstance(expected, tuple | list):
        assert type(found) is type(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    elif expected is None:
        assert found is None
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def second_text(pushforward):
    """The text of what a call of a pushforward runs."""
    source = pushforward.made.source
    start = source.index("_pushforward(")
    lines = source[start : source.index("\n\n\n", start)].splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("#"))


@pytest.mark.parametrize("function", PROGRAMS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("jit", [False, True])
def test_tangents_are_those_of_forward_mode(function, jit):
    outputs, pushforward = linearize(function, W, X, jit=jit)
    for tangents in ((np.sin(X), X * X), (np.zeros(5), W), (None, X), (np.ones(5), None)):
        given = [np.zeros(5) if tangent is None else tangent for tangent in tangents]
        expected, along = jvp(function, (W, X), given, jit=jit)
        assert_same(outputs, expected)
        assert_same(pushforward(*tangents), along)


def test_nothing_is_run_again():
    assert "tanh(" not in second_text(linearize(recurrence, W, X, jit=False)[1])
    assert "np.outer" not in second_text(linearize(layers, W, X, jit=False)[1])
    assert "sin(" not in second_text(linearize(in_place, W, X, jit=False)[1])


def test_arguments_may_change_afterwards():
    x = X.copy()
    outputs, pushforward = linearize(layers, W, x, jit=False)
    expected = pushforward(X, W)
    x[:] = 7.0
    outputs[:] = 5.0
    np.testing.assert_array_equal(pushforward(X, W), expected)


@pytest.mark.parametrize("jit", [False, True])
def test_arrays_that_are_stretched(jit):
    def product(x, y):
        return np.sum(x * y, axis=0) + x[0] * y

    x, y = np.outer(W[:3], X), X.reshape((1, 5))
    for args in ((x, y), (x[:1], y), (x, x + 1.0)):
        expected = jvp(product, args, args[::-1] if args[0].shape == args[1].shape else args)[1]
        tangents = args[::-1] if args[0].shape == args[1].shape else args
        assert_same(linearize(product, *args, jit=jit)[1](*tangents), expected)


def test_what_cannot_be_kept_is_run_again():
    def with_lists(w, x):
        rows = [x]
        for k in range(4):
            rows.append(np.sin(rows[-1] * w) + rows[k // 2])
        return rows[-1] * rows[1]

    def powers(x, n):
        return x if n < 2 else powers(0.9 * x, n - 1) + powers(x * x, n - 2)

    assert linearize(powers, 0.7, 6, jit=False)[1](1.0, None) == jvp(powers, (0.7, 6), (1.0, None))[1]
    tangents = np.sin(X), X * X
    assert_same(linearize(with_lists, W, X, jit=False)[1](*tangents), jvp(with_lists, (W, X), tangents)[1])


@pytest.mark.parametrize("kind", [np.float32, np.complex128])
def test_other_numbers(kind):
    w, x = W.astype(kind), X.astype(kind)
    tangents = np.sin(x), x * x
    found = linearize(layers, w, x, jit=False)[1](*tangents)
    expected = jvp(layers, (w, x), tangents, jit=False)[1]
    assert found.dtype == kind
    np.testing.assert_allclose(found, expected, rtol=1e-5 if kind is np.float32 else 1e-12)


def test_inside_compiled_code():
    function = njit(layers)

    @njit
    def along_axes(w, x):
        outputs, pushforward = linearize(function, w, x)
        found = np.empty((len(w), len(outputs)))
        for k in range(len(w)):
            axis = np.zeros(len(w))
            axis[k] = 1.0
            found[k] = pushforward(axis, None)
        return found

    expected = [jvp(layers, (W, X), (axis, np.zeros(5)))[1] for axis in np.eye(5)]
    np.testing.assert_allclose(along_axes(W, X), expected, rtol=1e-9)


@pytest.mark.parametrize("generator", [ProgramGenerator, NestGenerator, ArrayGenerator])
@pytest.mark.parametrize("start", [0, 4])
def test_random_programs(generator, start):
    for seed in range(start, start + 4):
        rng = random.Random(seed)
        source = generator(rng).program()
        function, args = make(source, f"linearize {seed}"), inputs(rng)
        if fails(function, args):
            continue
        tangents = [np.cos(np.arange(np.size(a)).reshape(np.shape(a))) + 0.0 * a for a in args]
        tangents = [float(t) if np.ndim(t) == 0 else t for t in tangents]
        with np.errstate(all="ignore"):
            try:
                expected, along = jvp(function, args, tangents, jit=False)
            except DifferentiationError:
                continue
            outputs, pushforward = linearize(function, *args, jit=False)
            assert outputs == pytest.approx(expected, nan_ok=True)
            for _ in range(2):
                assert pushforward(*tangents) == pytest.approx(along, rel=1e-8, nan_ok=True), source
