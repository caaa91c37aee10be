"""The truth of lists and dictionaries, which may be longer or shorter when the reverse sweep runs."""

import numpy as np
import pytest

from adcompiler import grad, jvp

ROUNDS = 3


def asked_in_a_loop(x):
    h, t = [], 0.0
    for _ in range(ROUNDS):
        if h:
            t += x**2
        else:
            t += 5 * x
        h.append(x)
    return t


def asked_whether_not(x):
    h, t = [], 0.0
    for _ in range(ROUNDS):
        if not h:
            t += x**2
        else:
            t += 5 * x
        h.append(x)
    return t


def chosen(x):
    h, t = [], 0.0
    for _ in range(ROUNDS):
        t += x**2 if h else 5 * x
        h.append(x)
    return t


def one_test_of_two(x):
    h, t = [], 0.0
    for k in range(ROUNDS):
        if (k < 10 and h) or k == 7:
            t += x**2
        else:
            t += 5 * x
        if h and h[-1] > 0.1:
            t += x**3
        h.append(x)
    return t


def of_numbers(x):
    h, t = [1, 2], 0.0
    while h:
        k = h.pop()
        if h:
            t += k * x**2
        else:
            t += 5 * x
    return t


def kept_in_a_name(x):
    h, t = [], 0.0
    for _ in range(ROUNDS):
        some = bool(h)
        none = not h
        if some:
            t += x**2
        if none:
            t += 5 * x
        h.append(x)
    return t


def without_a_loop(x):
    h, t = [x], 0.0
    if h:
        t += x**2
    h.pop()
    if h:
        t += 7 * x
    return t


def of_arrays(x):
    h, t = [], 0.0
    for _ in range(ROUNDS):
        last = h[-1] if h else np.full(2, x)
        t += np.sum(last * x)
        h.append(np.sin(last))
    while h:
        t += np.sum(h.pop() ** 2)
    return t


def of_a_dictionary(x):
    d, t = {0: 1}, 0.0
    for k in range(ROUNDS):
        if d:
            t += x**2
        if len(d) > 1:
            t += 5 * x
        d[k] = k
    return t


FUNCTIONS = [
    *(asked_in_a_loop, asked_whether_not, chosen, one_test_of_two, of_numbers),
    *(kept_in_a_name, without_a_loop, of_arrays, of_a_dictionary),
]


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_truth(function, jit):
    x, h = 0.7, 1e-6
    expected = (function(x + h) - function(x - h)) / (2 * h)
    np.testing.assert_allclose(grad(function, jit=jit)(x), expected, rtol=1e-7)
    np.testing.assert_allclose(jvp(function, (x,), (1.0,), jit=jit)[1], expected, rtol=1e-7)


def compared(x):
    h, g, t = [x], [x, x * x], 0.0
    for _ in range(ROUNDS):
        if h == g:
            t += x**2
        elif h < g:
            t += 3 * x
        h.append(x * x)
    return t


def filled_while_it_is_emptied(x):
    h, t = [x], 0.0
    while h:
        v = h.pop()
        t += v * v
        if v < 2:
            h.append(v + 0.5)
            if h:
                h.append(v * 2 + 1)
    return t


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("function", [compared, filled_while_it_is_emptied])
def test_lists_that_change(function, jit):
    test_truth(function, jit)
