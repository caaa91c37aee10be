"""`derivative.check`: gradients that are right pass, those that are not fail, and the line is named."""

import copy
import math
from dataclasses import dataclass

import numpy as np
import pytest
from corpus import CORPUS
from numba import njit

from adcompiler import (
    DifferentiationError,
    custom_jvp,
    custom_vjp,
    grad,
    jacobian,
    stop_gradient,
    value_and_grad,
)
from adcompiler.api.differences import central_difference, complex_step, is_continuous
from adcompiler.api.explaining import typed_primal
from adcompiler.api.faulty_line import faulty_line


@custom_vjp
def root(a):
    return a**0.5


@root.defvjp
def root_vjp(a, x, d):
    return 0.4 * d / x


@custom_jvp
def rows(m):
    return np.sum(m, axis=1)


@rows.defjvp
def rows_jvp(m, y, t):
    return np.sum(t, axis=1) * 1.01


def analytic(x, k):
    return math.sin(k * x[0]) * np.sum(np.exp(x) / (1.0 + x**2))


def cut(x, k):
    y = np.zeros(3)
    for i in range(3):
        y[i] = max(x[i], 0.25) * k
    return np.sum(y * y)


def off_in_a_loop(x, k):
    total = 0.0
    for i in range(len(x)):
        z = x[i] * x[i] + 1.0
        if i > 0:
            total += root(z) * k
    return total


def off_in_an_array(x, k):
    m = np.outer(x, x)
    return k * np.sum(rows(m) ** 2)


def stopped(x, k):
    return k * np.sum(x) + np.sum(stop_gradient(x))


ARGS = np.array([0.1, 0.2, 3.0]), 2.0


@pytest.mark.parametrize("jit", [False, True], ids=["uncompiled", "compiled"])
@pytest.mark.parametrize(("function", "method"), [(analytic, "complex steps"), (cut, "differences")])
def test_right_gradients_pass(function, method, jit):
    found = grad(function, ("x", "k"), jit=jit).check(*ARGS)
    assert found and found.count == 4 and found.method == method and found.fault is None
    assert f"4 of 4 derivatives agree with {method}" in str(found)
    assert {part.name for parts in found.arguments for part in parts} == {"x[0]", "x[1]", "x[2]", "k"}


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (off_in_a_loop, "total += root(z) * k"),
        (off_in_an_array, "rows(m) ** 2"),
        (stopped, "stop_gradient(x)"),
    ],
)
def test_wrong_gradients_fail_and_the_line_is_named(function, text):
    found = grad(function).check(*ARGS)
    assert not found and found.fault is not None
    assert text in found.fault.node.loc.statement
    assert "FAIL" in str(found) and text in str(found) and __file__ in str(found)


def test_a_derivative_that_is_off_by_little_is_found():
    @custom_vjp
    def thrice(a):
        return 3.0 * a

    @thrice.defvjp
    def rule(a, y, d):
        return 3.001 * d

    assert not grad(lambda x: 1e-9 * thrice(x)).check(0.5), "the tolerance is relative"
    assert grad(lambda x: 1e-9 * thrice(x)).check(0.5, rtol=1e-2)


@pytest.mark.parametrize("k", range(1, len(CORPUS), 45))
def test_no_line_of_the_corpus_is_blamed(k):
    function, args = CORPUS[k]
    derivative = grad(function, [j for j, a in enumerate(args) if is_continuous(a)], jit=False)
    try:
        derivative(*copy.deepcopy(args))
    except DifferentiationError:
        return
    bound = derivative.bound(copy.deepcopy(args))
    assert derivative.check(*bound)
    assert faulty_line(*typed_primal(derivative, bound), 1e-5) is None


def test_structures_and_auxiliary_values():
    @dataclass
    class Spring:
        k: float
        x: np.ndarray
        n: int

    def energy(spring, more):
        return spring.k * np.sum(spring.x**2) * more["a"][1], spring.n

    found = value_and_grad(energy, (0, 1), has_aux=True).check(Spring(2.0, np.ones(2), 3), {"a": (1, 2.0)})
    assert found and [part.name for parts in found.arguments for part in parts] == [
        "spring.k", "spring.x[0]", "spring.x[1]", "more['a'][1]",
    ]  # fmt: skip


def test_second_derivatives():
    assert grad(grad(lambda x: math.sin(x) * x)).check(0.4).count == 1


def test_functions_that_numba_compiles():
    @njit
    def inner(x):
        return abs(x) * x

    assert grad(lambda x: inner(x) * 2.0).check(-0.7)
    assert value_and_grad(inner).check(0.7)


def test_where_there_is_no_derivative():
    found = grad(lambda x: x if x > 0 else 3.0 * x).check(0.0)
    assert not found and found.fault is None and "is the function differentiable" in str(found)


def test_others_are_refused():
    with pytest.raises(DifferentiationError, match="jacobian is no gradient"):
        jacobian(lambda x: x * x).check(np.ones(2))


def test_differences_of_small_and_large_numbers():
    assert central_difference(np.log, (1e-7,), 0) == pytest.approx(1e7, rel=1e-6)
    assert central_difference(lambda x: x * x, (1e8,), 0) == pytest.approx(2e8, rel=1e-8)
    assert complex_step(lambda x: x[0] ** 3 * x[1], (np.array([2.0, 5.0]),), 0) == pytest.approx([60.0, 8.0])
