"""Derivatives that users give, and `stop_gradient`."""

import math

import numpy as np
import pytest
from numba import njit

from adcompiler import (
    DifferentiationError,
    custom_jvp,
    custom_vjp,
    grad,
    hvp,
    jacrev,
    jvp,
    stop_gradient,
    value_and_grad,
    vjp,
)
from adcompiler.testing import check_grad, check_hvp, check_jvp

JIT = pytest.mark.parametrize("jit", [False, True], ids=["uncompiled", "compiled"])


@custom_vjp
def root(a, b=2.0):
    x = 1.0
    for _ in range(50):
        x -= (x**3 + a * x - b) / (3 * x * x + a)
    return x


@root.defvjp
def root_vjp(a, b, x, d):
    w = d / (3 * x * x + a)
    return -w * x, w


@custom_vjp
@njit
def solution(a, b):
    return np.linalg.solve(a, b)


@solution.defvjp
def solution_vjp(a, b, x, d):
    w = np.linalg.solve(a.T, d)
    return -np.outer(w, x), w


@custom_vjp
def as_it_is(x):
    return x.copy()


@as_it_is.defvjp
def clipped(x, y, d):
    return np.minimum(np.maximum(d, -1.0), 1.0)


@custom_jvp
def logistic(x):
    return 1.0 / (1.0 + math.exp(-x))


@logistic.defjvp
def logistic_jvp(x, y, t):
    return y * (1.0 - y) * t


@custom_jvp
def product(x, y):
    return x * y


@product.defjvp
def product_jvp(x, y, z, t_x, t_y):
    return t_x * y + x * t_y


@custom_vjp
def without_rule(x):
    return x


@JIT
def test_rule_of_numbers_in_a_loop(jit):
    def program(a, b):
        total = 0.0
        for k in range(3):
            total += root(a + k, b=b) * a
        return total + root(a)

    check_grad(program, (1.2, 2.0), jit=jit)


@JIT
def test_rule_of_arrays(jit):
    def program(a, b):
        x = solution(a, b)
        return np.sum(x * solution(a, x))

    rng = np.random.default_rng(1)
    check_grad(program, (rng.normal(size=(3, 3)) + 3 * np.eye(3), rng.normal(size=3)), jit=jit)


@JIT
def test_rule_is_used_instead_of_the_derivative(jit):
    gradient = grad(lambda x: 3.0 * np.sum(as_it_is(x * x)), jit=jit)
    np.testing.assert_allclose(gradient(np.array([1.0, -2.0])), [2.0, -4.0])


@JIT
def test_tangent_rules(jit):
    check_grad(lambda x, y: product(logistic(x), y * y), (0.3, 1.2), jit=jit)


@JIT
def test_results_are_stored_once(jit):
    def program(a):
        x = 1.0
        for k in range(3):
            x = x * root(a + x, 2.0)
        return x

    gradient = grad(program, jit=jit)
    gradient(1.2)
    assert gradient.source.count("_tape = ") == 2  # x, and the root


@njit
def compiled_caller(x):
    return root(x) * stop_gradient(x) + logistic(x)


def test_custom_functions_are_called_by_compiled_code():
    assert compiled_caller(1.2) == pytest.approx(root(1.2) * 1.2 + logistic(1.2))
    expected = 1.2 * root_vjp(1.2, 2.0, root(1.2), 1.0)[0] + logistic_jvp(1.2, logistic(1.2), 1.0)
    assert grad(compiled_caller)(1.2) == pytest.approx(expected)


@JIT
def test_stop_gradient(jit):
    def program(x, s):
        y = stop_gradient(x * s)
        return np.sum(x * y) + stop_gradient(s) * s + np.sum(stop_gradient(x))

    x = np.array([1.0, 2.0])
    value, (d_x, d_s) = value_and_grad(program, argnums=(0, 1), jit=jit)(x, 3.0)
    assert value == np.sum(x * x * 3) + 9 + 3
    np.testing.assert_allclose(d_x, 3 * x)
    assert d_s == 3.0


def test_a_stopped_value_keeps_its_axes():
    gradient = grad(lambda x: np.sum(np.max(stop_gradient(x) * x, axis=0)), jit=False)
    np.testing.assert_array_equal(gradient(np.array([[1.0, 4.0], [3.0, 2.0]])), [[0.0, 4.0], [3.0, 0.0]])


def test_a_function_without_a_rule_is_refused():
    with pytest.raises(DifferentiationError, match="'without_rule' has been given no rule") as caught:
        grad(lambda x: without_rule(x), jit=False)(1.0)
    assert caught.value.code == "AD202"


@custom_jvp
def scaled(x, s):
    return x * s


@scaled.defjvp
def scaled_jvp(x, s, y, t_x, t_s):
    return t_x * s + x * t_s


@custom_jvp
def length(x):
    return math.sqrt(np.sum(x * x))


@length.defjvp
def length_jvp(x, y, t):
    return np.sum(x * t) / y


@custom_vjp
def squared(x):
    return x * x


@squared.defvjp
def squared_vjp(x, y, d):
    return 2.0 * x * d


def by_rules(x, s):
    y = scaled(x, s) + squared(x)
    for _ in range(2):
        y = scaled(y, length(y) * s)
    return np.sum(squared(y) * x)


@JIT
def test_either_rule_serves_both_modes(jit):
    """A rule is linear in what it is given: its pullback with respect to that is the other rule."""
    args = (np.array([0.3, -0.4, 0.5]), 0.7)
    check_grad(by_rules, args, jit=jit)
    check_jvp(by_rules, args, (0, 1), jit=jit)
    check_hvp(by_rules, args, (0, 1), jit=jit)


def with_rule(count, rule, jvp=False):
    """Return a function of some arguments, the sum of their squares or their squares, with a rule."""
    if count == 1:
        function = custom_jvp(lambda x: x * x) if jvp else custom_vjp(lambda x: x * x)
    else:
        function = custom_vjp(lambda x, y: np.sum(x * x) + np.sum(y * y))
    (function.defjvp if jvp else function.defvjp)(rule)
    return function


X, Y = np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.25])


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (lambda x, y, z, d: 2.0 * x * d, "returns an array of 1 axis for 2 arguments"),
        (lambda x, y, z, d: (2.0 * x * d, 2.0 * y * d, 0.0), "returns a tuple of 3 for 2 arguments"),
        (lambda x, y, z, d: (np.outer(x, x) * d, 2.0 * y * d), "returns an array of 2 axes for 'x'"),
        (lambda x, y, z: (x, y), "cannot compile the rule"),
    ],
)
def test_rules_of_the_wrong_form(rule, reason):
    f = with_rule(2, rule)
    with pytest.raises(DifferentiationError, match=reason) as caught:
        grad(lambda x, y: f(x, y) * 2.0, jit=False)(X, Y)
    assert caught.value.code == "AD204"
    assert caught.value.location.statement.startswith("grad(lambda x, y: f(x, y)")


@JIT
@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (lambda x, y, z, d: (2.0 * x[:1] * d, 2.0 * y * d), r"for 'x' an array of shape.*\(1,\).*\(3,\)"),
        (lambda x, y, z, d: (2.0 * d, 2.0 * y * d), "for 'x' a number"),
        (lambda x, y, z, d: (2.0 * x * d, 2.0 * x * d), r"for 'y' an array of shape.*\(3,\).*\(2,\)"),
    ],
)
def test_adjoints_of_the_wrong_shape(rule, reason, jit):
    f = with_rule(2, rule)
    with pytest.raises(ValueError, match=reason):
        grad(lambda x, y: f(x, y) * 2.0, argnums=(0, 1), jit=jit)(X, Y)


@JIT
def test_an_argument_without_an_adjoint(jit):
    f = with_rule(2, lambda x, y, z, d: (2.0 * x * d, 0.0))
    d_x, d_y = grad(lambda x, y: f(x, y) * 2.0, argnums=(0, 1), jit=jit)(X, Y)
    np.testing.assert_array_equal(d_x, 4.0 * X)
    np.testing.assert_array_equal(d_y, [0.0, 0.0])


@JIT
def test_tangents_of_the_wrong_form(jit):
    f = with_rule(1, lambda x, y, t: np.sum(2.0 * x * t), jvp=True)
    with pytest.raises(DifferentiationError, match=r"AD204.*returns a number for its result"):
        jvp(lambda x: f(x) * 2.0, (X,), (X,), jit=jit)
    f = with_rule(1, lambda x, y, t: 2.0 * x[1:] * t[1:], jvp=True)
    with pytest.raises(ValueError, match=r"for its result an array of shape.*\(2,\).*\(3,\)"):
        jvp(lambda x: f(x) * 2.0, (X,), (X,), jit=jit)


def test_missing_arguments_are_refused():
    with pytest.raises(DifferentiationError, match="missing a required argument"):
        grad(lambda x: product(x), jit=False)(1.0)


@pytest.mark.parametrize("define", ["vjp", "jvp"])
def test_derivatives_of_the_gradient_of_a_function_with_a_rule(define):
    if define == "vjp":
        cube = custom_vjp(lambda t: t * t * t)
        cube.defvjp(lambda t, y, d: d * 3.0 * t * t)
    else:
        cube = custom_jvp(lambda t: t * t * t)
        cube.defjvp(lambda t, y, dt: 3.0 * t * t * dt)
    assert grad(grad(cube))(0.5) == pytest.approx(3.0)
    assert grad(grad(grad(cube)))(0.5) == pytest.approx(6.0)
    assert jvp(grad(cube), (0.5,), (1.0,)) == pytest.approx((0.75, 3.0))
    assert vjp(grad(cube), 0.5)[1](1.0) == pytest.approx((3.0,))
    assert hvp(grad(cube))(0.5, 1.0) == pytest.approx(6.0)


def test_a_rule_may_have_the_name_of_a_generated_function():
    @custom_vjp
    def cube(t):
        return t * t * t

    @cube.defvjp
    def twice_grad(t, y, d):
        return d * 3.0 * t * t

    def twice(t):
        return 2.0 * cube(t)

    assert grad(twice)(2.0) == pytest.approx(24.0)


def test_a_dispatcher_is_called_as_it_is():
    @custom_vjp
    @njit
    def total(n):
        return n * (n + 1) / 2

    assert total(4) == 10.0
    assert total.dispatcher.signatures


def test_derivatives_inside_functions_follow_the_rule():
    @custom_vjp
    def doubled(x):
        return 2.0 * x

    @doubled.defvjp
    def doubled_vjp(x, y, d):
        return 3.0 * d

    assert grad(lambda x: x * grad(doubled)(x), jit=False)(2.0) == pytest.approx(3.0)
    assert jacrev(doubled, jit=False)(1.0) == pytest.approx(3.0)


def doubled(x):
    return twice_of(x) * 1.0


def twice_of(x):
    return x + x


def make_scaled(factor):
    def scale(x):
        return factor * x

    @custom_vjp
    def scaled(x):
        return scale(x)

    @scaled.defvjp
    def of_scaled(x, y, d):
        return scale(doubled(d)) / 2.0

    return scaled


@pytest.mark.parametrize("jit", [False, True], ids=["uncompiled", "compiled"])
def test_rules_and_functions_call_plain_functions(jit):
    scaled = make_scaled(3.0)
    assert grad(lambda x: scaled(x) * x, jit=jit)(2.0) == 12.0
    assert grad(grad(lambda x: scaled(x) * x, jit=jit), jit=jit)(2.0) == 6.0
    assert scaled(2.0) == 6.0


@custom_vjp
def both(x):
    return pair_of(x)


def pair_of(x):
    return x, x * x


@both.defvjp
def both_vjp(x, y, d):
    return d[0] + 2.0 * x * d[1]


def test_a_tuple_that_is_not_written_out_is_refused():
    with pytest.raises(DifferentiationError, match="'both' has a rule of its own, and returns") as caught:
        grad(lambda x: both(x)[0], jit=False)(2.0)
    assert "write tuples of them out" in caught.value.cure
