"""Forward mode: outputs and arguments of any structure, shared memory, functions that are called."""

import math
from collections import namedtuple

import numpy as np
import pytest

from adcompiler import DifferentiationError, custom_jvp, custom_vjp, grad, jvp, linearize, stop_gradient, vjp
from adcompiler.api.pullback import derivative_of
from adcompiler.testing import check_jvp

MODES = pytest.mark.parametrize("jit", [False, True], ids=["uncompiled", "compiled"])
Orbit = namedtuple("Orbit", "radius phase")
X = np.array([0.3, -1.2, 2.0])
T = np.array([1.0, 0.5, -2.0])


@MODES
def test_outputs_of_several_kinds(jit):
    def f(x, a):
        return np.sin(x) * a, Orbit(np.sum(x * x), 2.0), 3

    value, tangent = jvp(f, (X, 0.7), (T, 2.0), jit=jit)
    np.testing.assert_allclose(value[0], np.sin(X) * 0.7)
    np.testing.assert_allclose(tangent[0], np.cos(X) * T * 0.7 + np.sin(X) * 2.0)
    assert type(tangent[1]) is Orbit
    assert tangent[1] == pytest.approx((2 * X @ T, 0.0))
    assert tangent[2] is None


@MODES
def test_arguments_without_a_tangent(jit):
    def f(x, n, scale, name):
        assert name == "f"
        for _ in range(n):
            x = x * x
        return x * scale

    assert jvp(f, (1.1, 2, 3.0, "f"), (1.0, None, None, None), jit=jit)[1] == pytest.approx(12 * 1.1**3)
    assert jvp(f, (1.1, 2, 3.0, "f"), (None, None, 1.0, None), jit=jit)[1] == pytest.approx(1.1**4)


@MODES
def test_arguments_of_several_parts(jit):
    def f(model, x):
        return model["w"] @ x + model["b"][0]

    model = {"w": np.array([[1.0, 2.0, 3.0], [0.5, 0.0, -1.0]]), "b": (2.0, 3)}
    change = {"w": np.ones((2, 3)), "b": (0.25, None)}
    value, tangent = jvp(f, (model, X), (change, T), jit=jit)
    np.testing.assert_allclose(value, model["w"] @ X + 2.0)
    np.testing.assert_allclose(tangent, change["w"] @ X + model["w"] @ T + 0.25)
    _, some = jvp(f, (model, X), ({"w": None, "b": (0.25, None)}, None), jit=jit)
    np.testing.assert_allclose(some, 0.25)


@MODES
def test_any_number_of_arguments(jit):
    def f(x, *factors, scale=2.0):
        for factor in factors:
            x = x * factor
        return scale * x

    assert jvp(f, (1.5, 2.0, 3.0), (1.0, None, 0.5), jit=jit)[1] == pytest.approx(12.0 + 2 * 1.5 * 2.0 * 0.5)


@MODES
def test_written_arguments_are_outputs(jit):
    def smooth(u, k):
        for i in range(1, len(u) - 1):
            u[i] = u[i] + k * (u[i - 1] - 2 * u[i] + u[i + 1])

    u, t = X.copy(), T.copy()
    value, tangent = jvp(smooth, (u, 0.1), (t, None), jit=jit)
    expected, other = X.copy(), T.copy()
    smooth(expected, 0.1)
    smooth(other, 0.1)  # it is linear
    np.testing.assert_allclose(value, expected)
    np.testing.assert_allclose(tangent, other)
    np.testing.assert_array_equal(u, X)
    np.testing.assert_array_equal(t, T)


@MODES
def test_what_is_returned_is_nobody_elses(jit):
    def f(x):
        return x + 1.0, x[1:], x * 1.0

    t = T.copy()
    _, tangents = jvp(f, (X,), (t,), jit=jit)
    for tangent in tangents:
        assert not np.shares_memory(tangent, t)
        tangent[:] = 7.0
    np.testing.assert_array_equal(t, T)
    assert not np.shares_memory(tangents[0], tangents[2])


def shifted(x):
    y = x + 1.0
    y[0] = 3.0 * y[1]
    z = y[1:]
    z *= y[:-1]
    return np.sum(y * x)


def passed_on(x):
    a, b = x * 2.0, x + 1.0
    for i in range(4):
        a, b = b, a
        a[i % 3] = a[i % 3] * b[0]
    return np.sum(a) * b[1]


def in_lists(x):
    rows = [x * 1.0, x + 0.5]
    rows.append(rows[0] * rows[1])
    rows[1][0] = x[2] * x[1]
    last = rows.pop()
    return np.sum(last * rows[1]) + len(rows)


def laid_out(x):
    m = np.outer(x, x).T + np.ones((3, 3))
    flat = m.ravel()
    flat[1] = x[0] ** 3
    return np.sum(m[0] * x) + flat[4]


def power(x, n):
    return 1.0 if n == 0 else x * power(x, n - 1)


def called(x):
    return power(x[0], 3) * x[1]


def ended_early(x):
    total = 0.0
    for i in range(len(x)):
        if x[i] < -1.0:
            return total
        total += math.exp(x[i])
    return 2.0 * total


def through_complex_numbers(x):
    z = np.exp(1j * x[0]) * (x[1] + 2j * x[2])
    return abs(z + 1.0) + np.angle(z) + z.real * np.conj(z).imag


@pytest.mark.parametrize(
    "function",
    [shifted, passed_on, in_lists, laid_out, called, ended_early, through_complex_numbers],
    ids=lambda f: f.__name__,
)
def test_programs(function):
    check_jvp(function, (X,), (0,), jit=False)
    check_jvp(function, (X,), (0,))


@MODES
def test_products_with_the_jacobian_and_its_transpose_agree(jit):
    """For any u and t, u · (J t) is (Jᵀ u) · t."""

    def f(x, m):
        y = np.tanh(m @ x)
        y[0] += x[0] * x[1]
        return y, np.cumsum(x)[::-1] * m[0, 0]

    rng = np.random.default_rng(4)
    x, m, tx, tm = (rng.normal(size=s) for s in (3, (2, 3), 3, (2, 3)))
    adjoints = rng.normal(size=2), rng.normal(size=3)
    _, tangents = jvp(f, (x, m), (tx, tm), jit=jit)
    _, pullback = vjp(f, x, m, jit=jit)
    dx, dm = pullback(adjoints)
    one = sum(np.sum(u * t) for u, t in zip(adjoints, tangents, strict=True))
    assert one == pytest.approx(np.sum(dx * tx) + np.sum(dm * tm), rel=1e-13)


def test_single_precision_stays_single():
    def f(x):
        return np.exp(x) * x, np.sum(x)

    _, (tangent, total) = jvp(f, (X.astype(np.float32),), (T,), jit=False)
    assert tangent.dtype == np.float32 and total.dtype == np.float32
    _, (tangent, _) = jvp(lambda x, c: (x + c, 0.0), (X.astype(np.float32), X), (T, None))
    assert tangent.dtype == np.float64  # as the result


@MODES
def test_stopped_values_have_no_tangent(jit):
    assert jvp(lambda x: x * stop_gradient(x), (3.0,), (1.0,), jit=jit)[1] == 3.0


@custom_jvp
def cubed(x):
    return x**3


@cubed.defjvp
def tangent_of_cubed(x, y, t):
    return 3.0 * x * x * t


@custom_jvp
def rotated(x, angle):
    c, s = math.cos(angle), math.sin(angle)
    return np.array([c * x[0] - s * x[1], s * x[0] + c * x[1]])


@rotated.defjvp
def tangent_of_rotated(x, angle, y, t, t_angle):
    c, s = math.cos(angle), math.sin(angle)
    return np.array([c * t[0] - s * t[1] - y[1] * t_angle, s * t[0] + c * t[1] + y[0] * t_angle])


@custom_vjp
def length(x):
    return math.sqrt(np.sum(x * x))


@length.defvjp
def adjoint_of_length(x, y, d):
    return d * x / y


@custom_vjp
def doubled(x):
    return 2.0 * x


@doubled.defvjp
def adjoint_of_doubled(x, y, d):
    return 2.0 * d


@custom_vjp
def stretched(x, s):
    return s * x


@stretched.defvjp
def adjoint_of_stretched(x, s, y, d):
    return s * d, np.sum(x * d)


@MODES
def test_rules_of_users(jit):
    assert jvp(lambda x: cubed(x) * x, (2.0,), (1.0,), jit=jit)[1] == 32.0
    x, t = np.array([0.3, -1.2]), np.array([1.0, 2.0])
    _, found = jvp(lambda x, a: rotated(x, a), (x, 0.4), (t, 0.5), jit=jit)
    ends = [rotated(x + h * t, 0.4 + h * 0.5) for h in (1e-6, -1e-6)]
    np.testing.assert_allclose(found, (ends[0] - ends[1]) / 2e-6, rtol=1e-8)
    assert jvp(lambda x: length(x), (x,), (t,), jit=jit)[1] == pytest.approx(x @ t / length(x))
    np.testing.assert_allclose(jvp(lambda x: doubled(x), (x,), (t,), jit=jit)[1], 2.0 * t)
    ends = [stretched(x + h * t, 2.0) for h in (1e-6, -1e-6)]
    found = jvp(lambda x: stretched(x, 2.0), (x,), (t,), jit=jit)[1]
    np.testing.assert_allclose(found, (ends[0] - ends[1]) / 2e-6, rtol=1e-8)


@pytest.mark.parametrize(
    ("tangents", "reason"),
    [
        ((np.ones(2), None), r"shape \(3,\) has shape \(2,\)"),
        ((T,), "2 arguments and 1 tangents"),
        ((None, 1.0), "int"),
    ],
)
def test_tangents_that_do_not_fit(tangents, reason):
    with pytest.raises(DifferentiationError, match=reason):
        jvp(lambda x, n: x * n, (X, 2), tangents)


def test_source_reads_as_written_by_hand():
    def decay(x, k, n: int):
        for _ in range(n):
            x = x * math.exp(-k)
        return x

    jvp(decay, (1.0, 0.1, 3), (1.0, 1.0, None), jit=False)
    source = derivative_of(decay, "jvp", (0, 1), False, ()).source
    assert "\n        t_x = t_x * exp - mul * x\n        x *= exp\n" in source


def test_one_run_for_many_outputs_equals_the_gradients():
    def f(x):
        return np.array([x[0] * x[1], math.sin(x[2])])

    _, tangent = jvp(f, (X,), (T,), jit=False)
    for k in range(2):
        assert tangent[k] == pytest.approx(grad(lambda x, k=k: f(x)[k], jit=False)(X) @ T)


def scaled_square(x, factor=3.0):
    return factor * x * x


def test_a_pushforward_takes_no_tangent_of_a_default():
    pushforward = linearize(scaled_square, 2.0, jit=False)[1]
    assert pushforward(1.0) == pushforward(1.0, None) == 12.0
    assert pushforward(1.0, 1.0) == 16.0
    with pytest.raises(DifferentiationError, match="there are 2 arguments and 1 tangents"):
        linearize(scaled_square, 2.0, 3.0, jit=False)[1](1.0)
