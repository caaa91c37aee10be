"""What Numba cannot type is refused in the user's words, at the user's line."""

import math
import re

import numpy as np
import pytest

from adcompiler import DifferentiationError, custom_root, grad, jacobian, jvp, vjp

X = np.array([1.0, 2.0, 3.0])


class Callable:
    def __call__(self, x):
        return x


an_object = Callable()


def tuple_and_array(x):
    pair = (x, x)
    return np.sum(pair + x)  # here


def added_at_places(x):
    y = np.zeros(3)
    np.multiply.at(y, np.array([0, 1, 1]), x)  # here
    return np.sum(y)


def reshaped_after_transposing(x):
    y = np.outer(x, x).reshape(3, 3, 1)
    z = y.transpose(1, 0, 2).reshape(9)  # here
    y[0, 0, 0] = 2.0
    return np.sum(z * 2.0)


def unknown_method(x):
    y = x * 2.0
    return y.frobnicate()  # here


def unknown_attribute(x):
    return np.sum(x.frobnicated)  # here


def object_called(x):
    return np.sum(an_object(x))  # here


def mixed_in_branches(x):
    if x[0] > 0:  # here
        y = x
    else:
        y = 1.0
    return np.sum(y)


def grows_in_a_loop(x):
    total = 0.0
    for v in x:  # here
        total = total + v * x
    return np.sum(total)


def math_of_an_array(x):
    return np.sum(math.sin(x))  # here


def nothing_added(x):
    y = x + None  # here
    return np.sum(y)


def appended(x):
    x.append(1.0)  # here
    return x[0]


def unsupported_function(x):
    return np.polyfit(x, x, 1)[0]  # here


def misspelt_function(x):
    return np.frobenius(x)  # here


def number_indexed(x):
    y = x[0]
    y[1] = 3.0  # here
    return y


def inner(u):
    return u.shape[0].frobnicated  # here


def in_a_helper(x):
    return inner(x) * x[0]


def empty_dictionary(x):
    known = {}  # here
    known["a"] = x[0]
    return known["a"]


def list_left_empty(x):
    items = []  # here
    while len(items) > 0:
        x = x + items.pop()
    return np.sum(x)


def mixed_list(x):
    items = [x, 1.0]  # here
    return items[1]


CASES = [
    (tuple_and_array, "AD304", "Numba has no 'add' for (2 of float64[:], float64[:])"),
    (added_at_places, "AD304", "'multiply'"),
    (reshaped_after_transposing, "AD304", "Numba reshapes no array whose axes were moved or cut"),
    (unknown_method, "AD304", "float64[:] has no attribute or method 'frobnicate'"),
    (unknown_attribute, "AD304", "float64[:] has no attribute or method 'frobnicated'"),
    (object_called, "AD304", "'an_object', an object of class 'Callable'"),
    (mixed_in_branches, "AD104", "'y' is float64 on one path and float64[:] on another"),
    (grows_in_a_loop, "AD104", "'total' is float64 on one path and float64[:] on another"),
    (math_of_an_array, "AD304", "Numba has no 'sin' for (float64[:])"),
    (nothing_added, "AD304", "Numba has no 'add' for (float64[:], None)"),
    (appended, "AD304", "float64[:] has no attribute or method 'append'"),
    (unsupported_function, "AD304", "'numpy.polyfit'"),
    (misspelt_function, "AD106", "'numpy' has no 'frobenius'"),
    (number_indexed, "AD304", "Numba has no 'setitem' for (float64, int64, float64)"),
    (in_a_helper, "AD304", "int64 has no attribute or method 'frobnicated'"),
    (empty_dictionary, "AD304", "cannot be told from what it holds"),
    (list_left_empty, "AD304", "the type of 'items' cannot be told from what it holds"),
    (mixed_list, "AD202", "a list of float64[:], float64"),
]
CALLS = {
    "grad": lambda f: grad(f)(X),
    "uncompiled": lambda f: grad(f, jit=False)(X),
    "vjp": lambda f: vjp(f, X)[1](1.0),
    "jvp": lambda f: jvp(f, (X,), (X,)),
}


@pytest.mark.parametrize(("function", "code", "reason"), CASES, ids=[f.__name__ for f, *_ in CASES])
@pytest.mark.parametrize("call", CALLS)
def test_complaint(function, code, reason, call):
    with pytest.raises(DifferentiationError) as caught:
        CALLS[call](function)
    error, text = caught.value, str(caught.value)
    assert error.code == code
    assert reason in error.reason
    assert f"{__file__}:{error.location.line}:" in text
    assert "# here" in text.splitlines()[2]
    assert "^" in text.splitlines()[3]
    assert text.splitlines()[-1].startswith("  way out: ")
    assert not re.search(r"\bv\d+_|<typing|g_\w+_\d|stand_in|primal|Poison|\$\d", text), text


@pytest.mark.parametrize("jit", [False, True])
def test_a_range_with_a_name(jit):
    def f(x):
        steps, total = range(1, len(x)), 0.0
        for i in steps:
            total += x[i] * x[i]
        for i in reversed(steps):
            total += x[i]
        return total * len(steps)

    np.testing.assert_allclose(grad(f, jit=jit)(X), [0.0, 10.0, 14.0])


def test_a_solver_that_calls_a_plain_function():
    def residual(x, a):
        return x * x - a

    @custom_root(residual)
    def root(x, a):
        for _ in range(30):
            x = x - residual(x, a) / (2.0 * x)
        return x

    assert abs(grad(root, argnums="a", jit=False)(1.0, 2.0) - 0.5 / 2.0**0.5) < 1e-12


def puts(x):
    y = x * 2.0
    np.put(y, np.array([0]), x[1:])
    return y


def test_jacobians_complain_of_the_users_line():
    with pytest.raises(DifferentiationError, match=r"np\.put\(y") as caught:
        jacobian(puts, jit=False)(np.ones(3))
    assert caught.value.location.file == __file__


def test_a_call_that_does_nothing():
    def f(x):
        np.sum(x)
        return np.sum(x * x)

    def nothing(x):
        np.sum(x * x)

    np.testing.assert_allclose(grad(f, jit=False)(X), 2 * X)
    with pytest.raises(DifferentiationError, match="returns nothing"):
        grad(nothing, jit=False)(X)


@pytest.mark.parametrize("jit", [False, True])
def test_a_call_that_is_given_an_array_to_write_is_not_dropped(jit):
    def written(x):
        y = np.empty_like(x)
        np.cumsum(x, 0, None, y)
        return np.sum(y * y)

    with pytest.raises(DifferentiationError, match="cumsum"):
        grad(written, jit=jit)(X)
