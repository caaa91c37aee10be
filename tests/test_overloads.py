"""Functions, methods and attributes with an overload: what compiled code runs is what is differentiated."""

import math

import numpy as np
import pytest
from numba import njit, types
from numba.extending import (
    lower_builtin,
    overload,
    overload_attribute,
    overload_method,
    register_jitable,
    type_callable,
)
from scipy import special

from adcompiler import DifferentiationError, grad, hvp, jvp, value_and_grad, vjp


def cubed(x):
    return x


@overload(cubed)
def _cubed(x):
    return lambda x: x * x * x


def power(x, n=2):
    raise NotImplementedError("compiled code only")


@overload(power)
def _power(x, n=2):
    if isinstance(x, types.Array):
        return lambda x, n=2: np.sum(x**n)
    if isinstance(x, types.Float):
        return lambda x, n=2: x**n
    if isinstance(x, types.Integer):
        return lambda x, n=2: x * 100.0


@overload_method(types.Array, "times_sum")
def _times_sum(self, factor):
    return lambda self, factor: np.sum(self) * factor


@overload_attribute(types.Array, "squares")
def _squares(self):
    return lambda self: np.sum(self * self)


@register_jitable
def squared(x):
    return x * x


def by_hand(x):
    return x


@type_callable(by_hand)
def _type_by_hand(context):
    return lambda x: x


@lower_builtin(by_hand, types.Float)
def _lower_by_hand(context, builder, sig, args):
    return builder.fmul(args[0], args[0])


def calls_overload(x):
    return cubed(x) * 2.0


def by_rank(x):
    return power(np.sum(x), n=3) + power(x, 3) + squared(x[0]) + cubed(x[1])


def members(x):
    return x.times_sum(3.0) + x.squares


X = np.array([1.0, 2.0, 3.0])


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize(
    ("function", "argument", "slope"),
    [
        (calls_overload, 0.7, 6.0 * 0.7**2),
        (by_rank, X, 108.0 + 3.0 * X**2 + np.array([2.0, 12.0, 0.0])),
        (members, X, 3.0 + 2.0 * X),
    ],
)
def test_the_implementation_is_differentiated(function, argument, slope, jit):
    value, found = value_and_grad(function, jit=jit)(argument)
    np.testing.assert_allclose(value, njit(function)(argument))
    np.testing.assert_allclose(found, slope)


def test_all_modes_of_a_function_with_an_overload():
    assert value_and_grad(cubed)(2.0) == (8.0, 12.0)
    assert vjp(cubed, 2.0)[1](1.0) == (12.0,)
    assert jvp(power, (2.0, 3.0), (1.0, None)) == (8.0, 12.0)
    assert hvp(calls_overload)(2.0, 1.0) == 24.0
    gradient = grad(cubed)
    assert grad(lambda x: gradient(x))(2.0) == 12.0


def test_a_dispatcher_is_its_own_body():
    assert value_and_grad(njit(cubed))(2.0) == (2.0, 1.0)


def of_a_whole_number(x, n):
    return power(n) * x


def test_types_that_lead_to_another_implementation():
    assert grad(of_a_whole_number)(2.0, 3.0) == 9.0
    with pytest.raises(
        DifferentiationError, match=r"AD202.*another overload of 'power' for \(int64\)"
    ) as info:
        grad(of_a_whole_number)(2.0, 3)
    assert info.value.location.statement == "return power(n) * x"
    assert "custom_vjp" in info.value.cure


def of_text(x):
    return power("text") * x


def of_something_compiled_by_hand(x):
    return by_hand(x) * x


@pytest.mark.parametrize("function", [of_text, of_something_compiled_by_hand])
def test_no_implementation(function):
    with pytest.raises(DifferentiationError, match=r"AD202.*overload of") as info:
        grad(function)(2.0)
    assert info.value.location is not None


def test_functions_that_have_overloads_of_numba_and_of_this_package():
    def f(x):
        return special.erf(x[0]) * math.tanh(x[1]) + np.mean(x) + special.logsumexp(x)

    p = np.exp(X) / np.sum(np.exp(X))
    first = 2 / math.sqrt(math.pi) * math.exp(-1.0) * math.tanh(2.0)
    second = special.erf(1.0) * (1 - math.tanh(2.0) ** 2)
    np.testing.assert_allclose(grad(f)(X), p + 1 / 3 + np.array([first, second, 0.0]))
