"""Second derivatives and Jacobians: products with Hessians, matrices, gradients called inside."""

import math

import numpy as np
import pytest
from numba import njit

from adcompiler import (
    DifferentiationError,
    grad,
    hessian,
    hvp,
    jacfwd,
    jacobian,
    jacrev,
    jvp,
    value_and_grad,
    vjp,
)
from adcompiler.testing import check_grad, check_hvp, check_jvp

MODES = pytest.mark.parametrize("jit", [False, True], ids=["uncompiled", "compiled"])
M = np.array([[0.3, -1.2], [0.7, 0.4], [-0.5, 1.1]])
X = np.array([0.6, -0.8])
V = np.array([1.0, 0.5])


def bent(x, m, s):
    y = np.sin(m @ x) * s
    y[0] += x[0] ** 2
    return y


def misfit(x, m, s):
    return np.sum(bent(x, m, s) ** 2) * s


def rosenbrock(x):
    total = 0.0
    for i in range(len(x) - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return total


def hessian_of_rosenbrock(x):
    """By hand."""
    h = np.zeros((len(x), len(x)))
    for i in range(len(x) - 1):
        h[i, i] += 1200.0 * x[i] ** 2 - 400.0 * x[i + 1] + 2.0
        h[i + 1, i + 1] += 200.0
        h[i, i + 1] -= 400.0 * x[i]
        h[i + 1, i] -= 400.0 * x[i]
    return h


def differences(function, args, position, step=1e-6):
    """Return the Jacobian by central differences; the axes of the argument come last."""
    base = np.asarray(args[position], dtype=float)

    def at(move):
        moved = base + move if base.shape else float(base + move)
        return np.asarray(function(*args[:position], moved, *args[position + 1 :]))

    slopes = []
    for index in np.ndindex(base.shape):
        move = np.zeros(base.shape)
        move[index] = step
        slopes.append((at(move) - at(-move)) / (2 * step))
    shape = slopes[0].shape
    return np.moveaxis(np.array(slopes), 0, -1).reshape(shape + base.shape)


@MODES
def test_hessian_of_a_loop(jit):
    x = np.array([0.3, -0.2, 1.4, 0.9])
    expected = hessian_of_rosenbrock(x)
    np.testing.assert_allclose(hessian(rosenbrock, jit=jit)(x), expected, rtol=1e-12)
    product = hvp(rosenbrock, jit=jit)
    for k in range(4):
        np.testing.assert_allclose(product(x, np.eye(4)[k]), expected[k], rtol=1e-12)
    np.testing.assert_allclose(jacfwd(grad(rosenbrock), jit=jit)(x), expected, rtol=1e-12)


@MODES
@pytest.mark.parametrize("jacobian", [jacfwd, jacrev])
def test_jacobians_of_every_shape(jacobian, jit):
    args = (X, M, 0.7)
    for function in (bent, misfit):
        for k in range(3):
            found = jacobian(function, argnums=k, jit=jit)(*args)
            expected = differences(function, args, k)
            assert np.shape(found) == expected.shape
            np.testing.assert_allclose(found, expected, atol=1e-8)
    several = jacobian(bent, argnums=("s", "x"), jit=jit)(*args)
    assert [part.shape for part in several] == [(3,), (3, 2)]


@MODES
def test_blocks_of_a_hessian(jit):
    args = (X, M, 0.7)
    blocks = hessian(misfit, argnums=(0, 1, 2), jit=jit)(*args)
    for i in range(3):
        gradient = grad(misfit, argnums=i, jit=False)
        for j in range(3):
            expected = differences(gradient, args, j)
            assert np.shape(blocks[i][j]) == expected.shape
            np.testing.assert_allclose(blocks[i][j], expected, atol=1e-7)


@MODES
def test_products_with_directions_of_several_parts(jit):
    def energy(state, k):
        return k * state["x"] ** 2 * np.sum(state["u"] ** 3)

    state = {"x": 1.5, "u": X}
    found = hvp(energy, jit=jit)(state, 2.0, {"x": 1.0, "u": V})
    assert found["x"] == pytest.approx(4.0 * np.sum(X**3) + 12.0 * 1.5 * np.sum(X**2 * V))
    np.testing.assert_allclose(found["u"], 12.0 * 1.5 * X**2 + 12.0 * 1.5**2 * X * V)
    pair = hvp(misfit, argnums=("x", "s"), jit=jit)(X, M, 0.7, (V, 0.3))
    blocks = hessian(misfit, argnums=("x", "s"), jit=jit)(X, M, 0.7)
    np.testing.assert_allclose(pair[0], blocks[0][0] @ V + blocks[0][1] * 0.3)
    np.testing.assert_allclose(pair[1], blocks[1][0] @ V + blocks[1][1] * 0.3)


@MODES
def test_gradients_of_gradients(jit):
    def f(x):
        return math.sin(x) * x**3

    second = grad(grad(f, jit=jit), jit=jit)
    third = grad(second, jit=jit)
    x = 0.7
    s, c = math.sin(x), math.cos(x)
    assert second(x) == pytest.approx(-s * x**3 + 6 * c * x**2 + 6 * s * x)
    assert third(x) == pytest.approx(-c * x**3 - 9 * s * x**2 + 18 * c * x + 6 * s)
    mixed = grad(grad(lambda x, y: x**2 * y**3), argnums="y", jit=jit)
    assert mixed(2.0, 3.0) == pytest.approx(4.0 * 27.0)
    by_array = grad(grad(lambda s, u: s**2 * np.sum(u**3)), argnums=1, jit=jit)
    np.testing.assert_allclose(by_array(2.0, X), 12.0 * X**2)


@MODES
def test_a_gradient_in_forward_and_reverse_mode(jit):
    gradient = grad(misfit)
    h = hessian(misfit, argnums=("x", "s"))(X, M, 0.7)
    value, tangent = jvp(gradient, (X, M, 0.7), (V, None, 0.3), jit=jit)
    np.testing.assert_allclose(value, gradient(X, M, 0.7))
    np.testing.assert_allclose(tangent, h[0][0] @ V + h[0][1] * 0.3)
    value, pullback = vjp(gradient, X, M, 0.7, jit=jit)
    found = pullback(V)
    np.testing.assert_allclose(found[0], h[0][0] @ V)
    np.testing.assert_allclose(found[2], h[1][0] @ V)
    np.testing.assert_allclose(found[1], differences(lambda m: gradient(X, m, 0.7) @ V, (M,), 0), atol=1e-8)


@grad
def force(x, k):
    return 0.25 * k * np.sum(x**4) + x[0] * x[1] * k


@value_and_grad(argnums=(0, 1))
def energy(x, k):
    return 0.25 * k * np.sum(x**4) + x[0] * x[1] * k * k


slope = grad(lambda s: math.sin(s) * s)
curvature = grad(slope)


def penalty(x, k):
    g = force(x, k)
    return np.sum(g * g) + x[0]


def value_times_gradients(x, k):
    v, (g, dk) = energy(x, k)
    return v * dk + np.sum(np.sin(g))


def leapfrog(x, k):
    p = np.zeros(len(x))
    for _ in range(3):
        p -= 0.05 * force(x, k)
        x = x + 0.1 * p
        p -= 0.05 * force(x, k)
    return np.sum(x * x) + 0.5 * np.sum(p * p)


def newton(x, k):
    s = 2.0 * k + 0.1 * x[0]
    for _ in range(3):
        s = s - slope(s) / curvature(s)
    return s * x[1]


@pytest.mark.parametrize(
    "function", [penalty, value_times_gradients, leapfrog, newton], ids=lambda f: f.__name__
)
def test_gradients_called_inside(function):
    args = (X, 1.1)
    for jit in (False, True):
        check_grad(function, args, jit=jit)
        check_jvp(function, args, (0, 1), jit=jit)
    check_hvp(function, args, (0, 1), jit=False)


def test_all_of_it_inside_compiled_code():
    product, matrix, jacobian = hvp(misfit), hessian(misfit), jacfwd(bent)
    both = hvp(misfit, argnums=("x", "s"))

    @njit
    def outer(x, m, s, v):
        step = np.linalg.solve(matrix(x, m, s), product(x, m, s, v))
        return step, jacobian(x, m, s), curvature(s), both(x, m, s, (v, 0.3))

    step, found, curve, pair = outer(X, M, 0.7, V)
    np.testing.assert_allclose(step, V)
    np.testing.assert_allclose(found, jacfwd(bent, jit=False)(X, M, 0.7))
    assert curve == pytest.approx(curvature(0.7))
    np.testing.assert_allclose(pair[0], both(X, M, 0.7, (V, 0.3))[0])


@pytest.mark.parametrize("call", ["inv", "solve", "det", "cholesky", "eigh", "svd", "qr"])
def test_decompositions_twice(call):
    """The rules of a gradient read what a decomposition returned: that depends on the matrix, too."""

    def of_inverse(a):
        return np.sum(np.sin(np.linalg.inv(a)))

    def of_solution(a):
        return np.sum(np.linalg.solve(a, np.ones(2)) ** 2)

    def of_determinant(a):
        return np.linalg.det(a) ** 2 + np.linalg.slogdet(a)[1]

    def of_factor(a):
        return np.sum(np.cos(np.linalg.cholesky(a @ a.T + np.eye(2))))

    def of_eigenvectors(a):
        values, vectors = np.linalg.eigh(a + a.T)
        return np.sum(np.sin(values) * vectors[0] ** 2)

    def of_singular_vectors(a):
        u, s, vt = np.linalg.svd(a)
        return np.sum(u[0] ** 2 * s * vt[:, 1] ** 2)

    def of_orthogonal_factor(a):
        q, r = np.linalg.qr(a)
        return np.sum(q**3) + np.sum(r**2 * np.abs(r))

    functions = [of_inverse, of_solution, of_determinant, of_factor, of_eigenvectors]
    functions += [of_singular_vectors, of_orthogonal_factor]
    names = ["inv", "solve", "det", "cholesky", "eigh", "svd", "qr"]
    function = dict(zip(names, functions, strict=True))[call]
    check_hvp(function, (np.array([[1.3, 0.4], [-0.2, 0.9]]),), (0,), jit=False)


def test_decompositions_twice_in_loops():
    """Each iteration keeps what the decomposition returned, which depends on the matrix, too."""

    def factors(x, a):
        for i in range(len(x)):
            a = np.sin(np.linalg.qr(x + a)[1]) + a * np.linalg.qr(a * x[i])[0]
        return np.sum(a * a)

    def singular_values(x, a):
        for _ in range(len(x)):
            a = np.sin(np.linalg.svd(x + a)[1]) * x + a
        return np.sum(a)

    args = np.array([0.3, 0.8]), np.array([[1.3, 0.4], [-0.2, 0.9]])
    check_hvp(factors, args, (0,), jit=False)
    check_hvp(singular_values, args, (0, 1), jit=False)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: grad(grad(rosenbrock))(X), "AD302"),
        (lambda: jacobian(lambda x: x.fill(1.0))(X), "AD302"),
        (lambda: hvp(rosenbrock)(X, np.ones(3)), "AD305"),
        (lambda: hvp(rosenbrock)(X), "AD305"),
    ],
)
def test_what_cannot_be_done_is_refused(make, code):
    with pytest.raises(DifferentiationError, match=code):
        make()


def test_stretched_arrays_in_a_jacobian():
    """Where an array is stretched because its size is 1, the code without assumptions is used, here too."""
    found = jacfwd(lambda x, a: x * a + a * a, argnums=1, jit=False)(X, np.array([3.0]))
    np.testing.assert_allclose(found, (X + 6.0)[:, None])


def test_product_reads_as_written_by_hand():
    product = hvp(lambda x, k: 0.5 * k * np.sum(x * x) ** 2)
    product(X, 3.0, V)
    assert "    for i in range(size):\n        t_d_x[i] = t_mul * x[i] + v[i] * mul\n" in product.source


def cube(x):
    return x * x * x


@pytest.mark.parametrize(
    "function",
    [
        lambda x: grad(cube)(x),
        lambda x: value_and_grad(cube)(x)[1],
        lambda x: jvp(cube, (x,), (1.0,))[1],
        lambda x: vjp(cube, x)[1](1.0)[0],
        lambda x: jacobian(cube)(x),
        lambda x: 0.5 * hvp(cube)(x, x),
    ],
)
def test_derivatives_made_inside(function):
    assert grad(function, jit=False)(2.0) == pytest.approx(12.0)


def test_decorators_inside():
    def compiled_inside(x):
        @njit(fastmath=True)
        def square(y):
            return y * y

        return square(x)

    def gradient_inside(x):
        @grad
        def square(y):
            return y * y

        return square(x)

    assert grad(compiled_inside, jit=False)(3.0) == 6.0
    with pytest.raises(DifferentiationError, match=r"AD101.*'square' is decorated inside"):
        grad(gradient_inside, jit=False)(3.0)
