"""Functions with rules of their own that take and return tuples, and that hand residuals on."""

import math
from typing import NamedTuple

import numpy as np
import pytest
from numba import njit

from adcompiler import (
    DifferentiationError,
    custom_jvp,
    custom_vjp,
    grad,
    hessian,
    hvp,
    jacfwd,
    jacobian,
    jacrev,
    jvp,
    value_and_grad,
    vjp,
    vmap,
)
from adcompiler.custom import checkpointed
from adcompiler.testing import check_grad, check_hvp, check_jvp

JIT = pytest.mark.parametrize("jit", [False, True], ids=["uncompiled", "compiled"])


class Polar(NamedTuple):
    r: float
    angle: float


class Vectors(NamedTuple):
    x: np.ndarray
    scale: float

    @custom_vjp
    def energy(self, w):
        return self.scale * np.sum(w * self.x**2)


@Vectors.energy.defvjp
def energy_vjp(self, w, y, d):
    return (2.0 * d * self.scale * w * self.x, d * y / self.scale), d * self.scale * self.x**2


@custom_vjp
def polar(x, y):
    return math.hypot(x, y), math.atan2(y, x)


@polar.defvjp
def polar_vjp(x, y, result, d):
    r, _ = result
    d_r, d_angle = d
    return (d_r * x - d_angle * y / r) / r, (d_r * y + d_angle * x / r) / r


@custom_vjp
def polar_kept(x, y):
    return Polar(math.hypot(x, y), math.atan2(y, x))


def polar_forward(x, y):
    found = polar_kept(x, y)
    return found, (x, y, found.r)


def polar_backward(kept, d):
    x, y, r = kept
    return (d.r * x - d.angle * y / r) / r, (d.r * y + d.angle * x / r) / r


polar_kept.defvjp(polar_forward, polar_backward)


@custom_vjp
def polar_named(x, y):
    return {"r": math.hypot(x, y), "angle": math.atan2(y, x)}


@polar_named.defvjp
def polar_named_vjp(x, y, result, d):
    r = result["r"]
    return (d["r"] * x - d["angle"] * y / r) / r, (d["r"] * y + d["angle"] * x / r) / r


@custom_jvp
def polar_pushed(x, y):
    return math.hypot(x, y), math.atan2(y, x)


@polar_pushed.defjvp
def polar_jvp(x, y, result, t_x, t_y):
    r = result[0]
    return (x * t_x + y * t_y) / r, (x * t_y - y * t_x) / r**2


def by_tuple(x, y):
    r, angle = polar(x, y)
    return r * angle**2 + math.sin(r)


def by_residuals(x, y):
    found = polar_kept(x, y)
    return found.r * found.angle**2 + math.sin(found.r)


def by_dictionary(x, y):
    found = polar_named(x, y)
    return found["r"] * found["angle"] ** 2 + math.sin(found["r"])


def by_tangents(x, y):
    r, angle = polar_pushed(x, y)
    return r * angle**2 + math.sin(r)


@custom_vjp
def scaled(x, s):
    return np.exp(s * x), np.sum(x) * s, x * s


def scaled_forward(x, s):
    e = np.exp(s * x)
    return (e, np.sum(x) * s, x * s), (e, x, s)


def scaled_backward(kept, d):
    e, x, s = kept
    d_e, d_sum, d_x = d
    return s * (e * d_e + d_sum + d_x), np.sum(x * e * d_e) + np.sum(x) * d_sum + np.sum(x * d_x)


scaled.defvjp(scaled_forward, scaled_backward)


def by_arrays(x, s):
    e, total, moved = scaled(x, s)
    for k in range(2):
        e, _, moved = scaled(moved * 0.5, s + 0.1 * k)
    return np.sum(e * x) + total * np.sum(moved**2)


X = np.array([0.3, -0.4, 0.5])


@JIT
@pytest.mark.parametrize("function", [by_tuple, by_residuals, by_dictionary, by_tangents])
def test_results_in_structures(function, jit):
    check_grad(function, (1.2, 0.7), jit=jit)
    check_jvp(function, (1.2, 0.7), (0, 1), jit=jit)
    check_hvp(function, (1.2, 0.7), (0, 1), jit=jit)


@JIT
def test_results_that_are_arrays(jit):
    check_grad(by_arrays, (X, 0.7), jit=jit)
    check_jvp(by_arrays, (X, 0.7), (0, 1), jit=jit)
    check_hvp(by_arrays, (X, 0.7), (0, 1), jit=jit)


@pytest.mark.parametrize("function", [by_tuple, by_residuals, by_dictionary, by_tangents])
def test_hessians(function):
    found = hessian(function, argnums=(0, 1))(1.2, 0.7)
    plain = hessian(
        lambda x, y: math.hypot(x, y) * math.atan2(y, x) ** 2 + math.sin(math.hypot(x, y)), (0, 1)
    )
    np.testing.assert_allclose(found, plain(1.2, 0.7), rtol=1e-10)


def test_residuals_are_read_and_the_rule_is_called_once():
    source = grad(by_residuals)
    source(1.2, 0.7)
    assert source.source.count("polar_kept_forward(") == 1
    assert source.source.count("polar_kept_backward(") == 1


@njit
def compiled_caller(x, y):
    r, angle = polar(x, y)
    found = polar_kept(x, y)
    return r * found.angle + angle * found.r


def test_inside_compiled_code():
    assert compiled_caller(3.0, 4.0) == pytest.approx(2 * 5.0 * math.atan2(4.0, 3.0))
    check_grad(compiled_caller, (3.0, 4.0))
    derivative = grad(by_residuals)

    @njit
    def step(x, y):
        return x - 0.1 * derivative(x, y)

    assert step(1.2, 0.7) == pytest.approx(1.2 - 0.1 * derivative(1.2, 0.7))


def test_jacobians_and_batches():
    expected = np.array([[3 / 5, 4 / 5], [-4 / 25, 3 / 25]])
    for make in (jacobian, jacfwd, jacrev):
        for function in (polar, polar_pushed, polar_kept):
            found = make(function, argnums=(0, 1))(3.0, 4.0)
            np.testing.assert_allclose(np.array([[*row] for row in found]), expected, rtol=1e-12)
    x, y = np.array([1.0, 3.0]), np.array([2.0, 4.0])
    r, angle = vmap(polar)(x, y)
    np.testing.assert_allclose((r, angle), (np.hypot(x, y), np.arctan2(y, x)))
    np.testing.assert_allclose(vmap(grad(by_residuals))(x, y), [grad(by_residuals)(*p) for p in zip(x, y)])


def test_pullbacks_of_the_function_itself():
    for function in (polar, polar_pushed):
        (r, angle), pull = vjp(function, 3.0, 4.0)
        assert (r, angle) == pytest.approx((5.0, math.atan2(4.0, 3.0)))
        assert pull((1.0, 0.0)) == pytest.approx((0.6, 0.8))
    assert jvp(polar, (3.0, 4.0), (1.0, 0.0))[1] == pytest.approx((0.6, -0.16))


@JIT
def test_loops_with_checkpoints(jit):
    def walk(x, y):
        for _ in checkpointed(range(7), slots=2):
            r, angle = polar(x, y)
            x, y = 0.9 * r, y + 0.1 * angle
        found = polar_kept(x, y)
        return found.r * found.angle

    check_grad(walk, (1.2, 0.7), jit=jit)


@custom_vjp
def blend(pair, named, w):
    return pair[0] * named["a"] + pair[1] * named["b"] * w


@blend.defvjp
def blend_vjp(pair, named, w, y, d):
    adjoints = {"a": d * pair[0], "b": np.sum(d * pair[1]) * w}
    return (d * named["a"], d * named["b"] * w), adjoints, np.sum(d * pair[1]) * named["b"]


@JIT
def test_arguments_in_structures(jit):
    def program(x, s, w):
        return np.sum(blend((x, x * s), {"a": x * x, "b": s}, w) ** 2)

    check_grad(program, (X, 0.7, 1.3), jit=jit)
    check_jvp(program, (X, 0.7, 1.3), (0, 1, 2), jit=jit)
    check_hvp(program, (X, 0.7, 1.3), (0, 1, 2), jit=jit)


@JIT
def test_methods(jit):
    def program(x, s, w):
        return Vectors(x * s, s).energy(w) ** 2

    check_grad(program, (X, 0.7, X + 1.0), jit=jit)
    assert Vectors(X, 2.0).energy(X) == pytest.approx(2.0 * np.sum(X**3))


def square(x):
    return x * x


@custom_vjp(nondiff_argnums=("fun", "steps"))
def iterated(fun, steps, x):
    for _ in range(steps):
        x = fun(x)
    return x


@iterated.defvjp
def iterated_vjp(fun, steps, x, y, d):
    return d * 2.0**steps * y / x


@custom_vjp(nondiff_argnums=(1,))
def power(x, n):
    return x**n


def power_forward(x, n):
    return x**n, (x,)


def power_backward(n, kept, d):
    return (d * n * kept[0] ** (n - 1),)


power.defvjp(power_forward, power_backward)


@JIT
def test_arguments_without_derivative(jit):
    check_grad(lambda x: iterated(square, 3, x) + iterated(steps=2, x=x, fun=square), (1.1,), jit=jit)
    check_grad(lambda x: power(x, 3) * power(x, 2), (1.1,), jit=jit)
    check_hvp(lambda x: power(x, 3) * power(x, 2), (1.1,), (0,), jit=jit)
    value, found = value_and_grad(lambda x, n: power(x, n), argnums=(0, 1), jit=jit)(2.0, 3.0)
    assert (value, found) == (8.0, (12.0, 0.0))


def test_the_second_derivative_is_that_of_the_rules():
    @custom_vjp
    def cube(x):
        return x * x * x

    def forward(x):
        return cube(x), x * x

    def backward(kept, d):
        return d * 3.0 * kept

    cube.defvjp(forward, backward)
    assert grad(grad(cube))(0.5) == pytest.approx(3.0)
    assert grad(grad(grad(cube)))(0.5) == pytest.approx(6.0)
    assert hvp(lambda x: cube(x) * x)(0.5, 1.0) == pytest.approx(12 * 0.25)


def refused(function, *args):
    with pytest.raises(DifferentiationError) as caught:
        grad(function, jit=False)(*args)
    assert caught.value.code == "AD204"
    return str(caught.value)


def test_rules_of_the_wrong_structure():
    pair = custom_vjp(lambda x, y: (x, y))
    pair.defvjp(lambda x, y, result, d: (d[0], d[1], 0.0))
    assert "a tuple of 3 for 2 arguments" in refused(lambda x: pair(x, x)[0], 1.0)

    pair = custom_vjp(lambda x, y: (x, y))
    pair.defvjp(lambda x, y: (x, y), lambda kept, d: (d[0], d[1]))
    pair.forward = custom_vjp(lambda x, y: x).dispatcher
    assert "returns no pair" in refused(lambda x: pair(x, x)[0], 1.0)

    pair = custom_jvp(lambda x, y: (x, y))
    pair.defjvp(lambda x, y, result, t, u: (t, u, t))
    with pytest.raises(DifferentiationError, match="returns a tuple of 3 for 2 results"):
        jvp(lambda x: pair(x, x)[0], (1.0,), (1.0,), jit=False)

    pair = custom_vjp(lambda x: (x, x * x))
    pair.defvjp(lambda x, result, d: (d[0] + d[1]) * X)
    assert "returns an array of 1 axis for 'x', a number" in refused(lambda x: pair(x)[0], 1.0)


def test_residuals_that_are_not_written_out():
    def both_of(x):
        return x, x

    single = custom_vjp(lambda x: x * x)
    single.defvjp(lambda x: (x * x, both_of(x)), lambda kept, d: d * kept[0] * 2.0)
    assert "a residual of '<lambda>' has type" in refused(lambda x: single(x) * x, 1.0)


@JIT
def test_results_that_carry_no_derivative(jit):
    @custom_vjp
    def stepped(x, n=3):
        return x * n, n + 1, x > 0.0

    def forward(x, n=3):
        return stepped(x, n), (n, x > 0.0, None)

    def backward(kept, d):
        return d[0] * kept[0], None

    stepped.defvjp(forward, backward)

    def program(x):
        y, count, is_positive = stepped(x)
        return y * count if is_positive else y

    assert grad(program, jit=jit)(2.0) == 12.0
    assert grad(program, jit=jit)(-2.0) == 3.0


@custom_jvp
def pushed(x, s):
    return np.exp(s * x), np.sum(x) * s


@pushed.defjvp
def pushed_jvp(x, s, y, t_x, t_s):
    return y[0] * (s * t_x + x * t_s), np.sum(t_x) * s + np.sum(x) * t_s


@JIT
def test_rules_for_tangents_of_arrays(jit):
    def program(x, s):
        e, total = pushed(x, s)
        if total > 0.0:
            e, _ = pushed(e * total, s)
        return np.sum(e * x) * total

    check_grad(program, (X, 0.7), jit=jit)
    check_jvp(program, (X, 0.7), (0, 1), jit=jit)
    check_hvp(program, (X, 0.7), (0, 1), jit=jit)


@JIT
def test_complex_results(jit):
    @custom_vjp
    def square_and_modulus(z):
        return z * z, np.conj(z) * z

    @square_and_modulus.defvjp
    def rule(z, y, d):
        return 2 * z * d[0] + np.conj(z) * d[1] + np.conj(d[1]) * np.conj(z)

    def program(z):
        square, modulus = square_and_modulus(z)
        return np.sum(np.abs(square) ** 2) + np.sum(np.real(modulus))

    z = np.array([1 + 2j, 0.5 - 0.3j])
    np.testing.assert_allclose(grad(program, jit=jit)(z), 4 * np.abs(z) ** 2 * np.conj(z) + 2 * np.conj(z))


@JIT
def test_functions_made_inside_are_given(jit):
    @custom_vjp(nondiff_argnums=("f",))
    def applied(f, x):
        return f(x)

    applied.defvjp(lambda f, x, y, d: 10.0 * d * f(x))

    def with_scale(scale):
        def program(x):
            offset = 3.0

            def line(t):
                total = offset
                for _ in range(2):
                    total += scale * t
                return total

            def twice(t):
                return line(t) + line(t)

            return applied(lambda t: (t *
                                      scale), x) + applied(twice, x)  # fmt: skip

        return program

    for scale in (2.0, 3.0):
        expected = 1.5 * scale, 2 * (3.0 + 2 * 1.5 * scale)
        value, slope = value_and_grad(with_scale(scale), jit=jit)(1.5)
        assert value == pytest.approx(sum(expected)) and slope == pytest.approx(10 * sum(expected))


def test_what_cannot_be_given():
    @custom_vjp(nondiff_argnums=(0,))
    def applied(f, x):
        return f(x)

    applied.defvjp(lambda f, x, y, d: d)

    def closure(a):
        return applied(lambda x: a * x, a)

    with pytest.raises(DifferentiationError, match="is given a function made inside") as caught:
        grad(closure, jit=False)(1.0)
    assert caught.value.code == "AD203" and "reads 'a'" in str(caught.value)
    by_keyword = custom_vjp(keyword_only)
    by_keyword.defvjp(lambda x, y, d: d)
    with pytest.raises(DifferentiationError, match="takes 'n' by keyword only"):
        grad(lambda x: by_keyword(x, n=3), jit=False)(1.0)


def keyword_only(x, *, n):
    return x * n
