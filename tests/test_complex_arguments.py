"""Complex arguments and results, with the conventions of JAX."""

import cmath
import math
import pickle
from dataclasses import dataclass

import numpy as np
import pytest
import scipy.linalg
from numba import complex128, njit

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
    linearize,
    value_and_grad,
    vjp,
)
from adcompiler.testing import check_grad, check_hvp, check_jvp

Z = 1.0 + 2.0j
W = np.array([1.0 + 2.0j, -0.3j, 0.4 - 0.7j])
MODES = pytest.mark.parametrize("jit", [False, True], ids=["uncompiled", "compiled"])


@dataclass
class Beam:
    amplitude: complex
    phase: float


def modulus(z):
    return abs(z) ** 2


def recurrence(z, w, x):
    total = 0.0
    v = w.copy()
    for k in range(1, len(v)):
        v[k] = v[k - 1] * z + x * np.conj(v[k])
        if v[k].real > 0.0:
            v[k] *= 1j
        total += abs(v[k])
    return total + np.sum(v).imag


def in_place(z, w, x):
    w[0] = z * w[1]
    w[1:] *= np.exp(1j * x)
    return np.sum(np.abs(w) ** 2) + w[2].real


def while_it_is_small(z, w, x):
    for v in w:
        z = z * z + v
        if abs(z) > 2.0:
            break
    return math.log(abs(z)) * x


def structures(pair, d):
    return abs(pair[0] * d["w"][0] + d["z"]) * pair[1]


def matrices(m, w):
    u = np.linalg.solve(m, w) + np.linalg.inv(m).T @ w
    return np.linalg.norm(u) + np.linalg.norm(m) + abs(np.linalg.det(m)) + np.vdot(u, w).real


def cube(z):
    return z * z * z


def polynomial(z, w):
    for k in range(len(w)):
        z = z * z + np.exp(w[k] * z)
    return z


@MODES
def test_a_gradient_is_the_conjugate_of_the_steepest_direction(jit):
    assert grad(modulus, jit=jit)(Z) == 2.0 - 4.0j
    assert grad(lambda z: (z * z).imag, jit=jit)(Z) == 4.0 - 2.0j
    assert value_and_grad(lambda x, z: (x * z).real, argnums=(0, 1), jit=jit)(3.0, Z) == (3.0, (1.0, 3.0))


@MODES
@pytest.mark.parametrize("function", [recurrence, in_place, while_it_is_small])
def test_programs(function, jit):
    args = (0.5 + 0.2j, W, 0.3)
    check_grad(function, args, jit=jit)
    check_jvp(function, args, (0, 1, 2), jit=jit)
    check_hvp(function, args, (0, 1, 2), jit=jit)


@MODES
def test_structures(jit):
    check_grad(structures, ((Z, 0.5), {"z": 1j, "w": W}), jit=jit)
    found = grad(lambda beam: abs(beam.amplitude) * beam.phase, jit=jit)(Beam(3.0 + 4.0j, 2.0))
    np.testing.assert_allclose((found.amplitude, found.phase), (1.2 - 1.6j, 5.0))


@MODES
def test_linear_algebra(jit):
    args = (np.outer(W, W[::-1]) + 2.0 * np.eye(3), W)
    check_grad(matrices, args, jit=jit)
    check_jvp(matrices, args, (0, 1), jit=jit)


def test_single_precision():
    args = np.complex64(0.5 + 0.2j), W.astype(np.complex64), np.float32(0.3)
    found = grad(recurrence, argnums=(0, 1), jit=False)(*args)
    assert [part.dtype for part in found] == [np.complex64, np.complex64]
    expected = grad(recurrence, argnums=(0, 1), jit=False)(0.5 + 0.2j, W, 0.3)
    for one, two in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-4)


@MODES
def test_holomorphic_functions(jit):
    hol = {"jit": jit, "holomorphic": True}
    assert grad(cube, **hol)(Z) == 3 * Z * Z
    assert value_and_grad(cube, **hol)(Z) == (Z**3, 3 * Z * Z)
    np.testing.assert_allclose(grad(grad(cube, **hol), **hol)(Z), 6 * Z)
    np.testing.assert_allclose(grad(grad(grad(cube, **hol), **hol), **hol)(Z), 6)
    np.testing.assert_allclose(hessian(cube, **hol)(Z), 6 * Z)
    d_z, d_w = grad(polynomial, argnums=("z", "w"), **hol)(0.3 + 0.1j, W * 0.2)
    step = 1e-6j
    np.testing.assert_allclose(
        d_z, (polynomial(0.3 + 0.1j + step, W * 0.2) - polynomial(0.3 + 0.1j, W * 0.2)) / step, rtol=1e-4
    )
    moved = W * 0.2 + step * np.eye(3)[1]
    np.testing.assert_allclose(
        d_w[1], (polynomial(0.3 + 0.1j, moved) - polynomial(0.3 + 0.1j, W * 0.2)) / step, rtol=1e-4
    )


@MODES
@pytest.mark.parametrize("take", [jacobian, jacfwd, jacrev])
def test_holomorphic_jacobians(take, jit):
    expected = np.array([[2 * W[0], 0, 0], [W[1], W[0], 0], [W[2], 0, W[0]]])
    np.testing.assert_allclose(take(lambda w: w * w[0], jit=jit, holomorphic=True)(W), expected)
    number = take(lambda w: w[1] * w[0], jit=jit, holomorphic=True)(W)
    np.testing.assert_allclose(number, [W[1], W[0], 0])
    np.testing.assert_allclose(take(lambda z: W * z * z, jit=jit, holomorphic=True)(Z), 2 * W * Z)
    assert take(cube, jit=jit, holomorphic=True)(Z) == 3 * Z * Z


@MODES
def test_jacobians_with_one_real_side(jit):
    np.testing.assert_allclose(jacrev(np_abs, jit=jit)(W), np.diag(np.conj(W) / np.abs(W)))
    np.testing.assert_allclose(jacfwd(lambda x: x * W, jit=jit)(W.real), np.diag(W))
    np.testing.assert_allclose(jacfwd(lambda x: np.sum(x * x) * Z, jit=jit)(W.real), 2 * Z * W.real)
    np.testing.assert_allclose(jacobian(lambda x: x * W, jit=jit)(2.0), W)


def np_abs(w):
    return np.abs(w)


def mixed(z, x, w):
    return z * np.conj(z) * x + z, abs(w[0] * z), np.conj(w) * z


@MODES
def test_pullbacks_and_pushforwards_are_transposed(jit):
    """Re(adjoint * change) is the same on both sides, with nothing conjugated."""
    args, changes = (Z, 0.7, W), (0.3 - 1j, -0.4, W[::-1] * 1j)
    outputs, pullback = vjp(mixed, *args, jit=jit)
    values, tangents = jvp(mixed, args, changes, jit=jit)
    assert linearize(mixed, *args, jit=jit)[1](*changes)[0] == tangents[0]
    step = 1e-6
    moved = mixed(*(a + step * t for a, t in zip(args, changes, strict=True)))
    back = mixed(*(a - step * t for a, t in zip(args, changes, strict=True)))
    for tangent, one, two, value in zip(tangents, moved, back, outputs, strict=True):
        np.testing.assert_allclose(tangent, (one - two) / (2 * step), rtol=1e-6)
        assert np.iscomplexobj(tangent) == np.iscomplexobj(value)
    adjoints = (2.0 - 1j, 0.3, W * W)
    found = pullback(adjoints)
    left = sum(np.sum(np.real(a * t)) for a, t in zip(found, changes, strict=True))
    right = sum(np.sum(np.real(d * t)) for d, t in zip(adjoints, tangents, strict=True))
    np.testing.assert_allclose(left, right)
    assert isinstance(found[1], float)
    np.testing.assert_equal(values[1], outputs[1])


def test_as_jax_documents_it():
    assert vjp(lambda z: z * z, Z, jit=False)[1](1.0 + 0j) == (2 * Z,)
    assert vjp(np_conj, Z, jit=False)[1](1j) == (-1j,)
    assert vjp(lambda x: x * 1j, 2.0, jit=False)[1](1.0 + 3.0j) == (-3.0,)


def np_conj(z):
    return np.conj(z)


def test_against_jax():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy

    def of_jax(z, w):
        return jnp.sum(jnp.abs(w * z + jnp.conj(w)) ** 2) + jnp.angle(z) * (w[0] ** 2).imag

    def of_numba(z, w):
        return np.sum(np.abs(w * z + np.conj(w)) ** 2) + np.angle(z) * (w[0] ** 2).imag

    for one, two in zip(grad(of_numba, (0, 1))(Z, W), jax.grad(of_jax, (0, 1))(Z, W), strict=True):
        np.testing.assert_allclose(one, two)
    theirs = jax.vjp(lambda z, w: jnp.conj(w) * z * jnp.abs(z), Z, W)[1](W * 1j)
    for one, two in zip(vjp(lambda z, w: np.conj(w) * z * np.abs(z), Z, W)[1](W * 1j), theirs, strict=True):
        np.testing.assert_allclose(one, two)


@MODES
def test_inside_functions_that_are_differentiated(jit):
    def outer(x):
        z = x * 1j + 1.0
        slope = grad(lambda u: u * u * u * x, holomorphic=True)(z)
        value, change = jvp(lambda u: u * u * x, (z,), (1.0,))
        pulled = vjp(lambda u: u * np.conj(u) * x, z)[1](1j)[0]
        matrix = jacfwd(lambda v: v * v[0] * x, holomorphic=True)(np.array([z, 2.0 - 1j]))
        return abs(slope) + abs(change * value) + pulled.imag + np.sum(np.abs(matrix)) + grad(modulus)(z).imag

    check_grad(outer, (0.8,), jit=jit)


def test_inside_compiled_code():
    holomorphic, real, square = grad(cube, holomorphic=True), grad(modulus), njit(lambda z: z * z)

    @njit
    def program(z):
        for _ in range(90):
            z = z - 0.1 * np.conj(real(z))
        pullback = vjp(square, z + Z)[1]
        return z, holomorphic(z + Z), pullback(1.0)[0], jvp(square, (z + Z,), (1j,))[1]

    z, slope, pulled, pushed = program(3.0 + 4.0j)
    np.testing.assert_allclose((z, slope, pulled, pushed), (0, 3 * Z * Z, 2 * Z, 2j * Z), atol=1e-6)


def test_a_check_has_both_parts():
    found = grad(recurrence, argnums=(0, 1), jit=False).check(0.5 + 0.2j, W, 0.3)
    assert not found.failed
    assert {"z.real", "z.imag", "w[1].imag"} <= {one.name for part in found.arguments for one in part}
    assert not grad(polynomial, holomorphic=True, jit=False).check(0.3 + 0.1j, W * 0.2).failed


def test_text_for_annotations():
    def energy(z: complex, w: complex128[:]):
        return np.sum(np.abs(w * z))

    assert "types from annotations: z: complex128, w: complex128[:]" in grad(energy).source
    assert "z: complex128" in grad(cube, holomorphic=True).source


def test_pickles():
    derivative = pickle.loads(pickle.dumps(grad(cube, holomorphic=True, jit=False)))
    assert derivative(Z) == 3 * Z * Z


def refusal(call):
    with pytest.raises(DifferentiationError) as caught:
        call()
    return caught.value.code, caught.value.cure


def test_refusals():
    code, cure = refusal(lambda: grad(cube, jit=False)(Z))
    assert code == "AD302" and "holomorphic=True" in cure
    code, cure = refusal(lambda: grad(modulus, jit=False, holomorphic=True)(Z))
    assert code == "AD302" and "real result" in cure
    code, cure = refusal(lambda: grad(cube, jit=False, holomorphic=True)(2.0))
    assert code == "AD301" and "z + 0j" in cure
    assert refusal(lambda: jacrev(lambda w: w * w[0], jit=False)(W))[0] == "AD302"
    assert refusal(lambda: grad(grad(cube, jit=False, holomorphic=True), jit=False)(Z))[0] == "AD302"
    for take in (jacfwd, jacobian, hessian):
        assert refusal(lambda take=take: take(np_abs, jit=False)(W))[0] == "AD301"
    assert refusal(lambda: vjp(np_abs, W, jit=False)[1](W))[0] == "AD305"
    assert refusal(lambda: jvp(lambda x: x * 1j, (1.0,), (1j,), jit=False))[0] == "AD305"


def test_a_contour_integral():
    def mean_on_a_circle(centre, radius, n):
        total = 0j
        for k in range(n):
            total += cmath.exp(centre + radius * cmath.exp(2j * cmath.pi * k / n))
        return total / n

    assert abs(grad(mean_on_a_circle, holomorphic=True)(0.2 + 0.1j, 0.5, 32) - cmath.exp(0.2 + 0.1j)) < 1e-12


def test_hvp_of_complex_arguments():
    found = hvp(lambda w: np.sum(np.abs(w) ** 2), jit=False)(W, W * 1j)
    np.testing.assert_allclose(found, 2 * np.conj(W * 1j))


@custom_vjp
def squared_modulus(z):
    return z.real**2 + z.imag**2


@squared_modulus.defvjp
def of_squared_modulus(z, y, d):
    return 2 * d * np.conj(z)


@custom_jvp
def turned(z, x):
    return np.conj(z) * z * x + z


@turned.defjvp
def of_turned(z, x, y, t_z, t_x):
    return (np.conj(t_z) * z + np.conj(z) * t_z) * x + np.conj(z) * z * t_x + t_z


@custom_jvp
def folded(w):
    return np.conj(w) * w[0]


@folded.defjvp
def of_folded(w, y, t):
    return np.conj(t) * w[0] + np.conj(w) * t[0]


@MODES
def test_rules_of_ones_own(jit):
    for function, args in (
        (lambda z: squared_modulus(z * z) * squared_modulus(z), (1 + 0.5j,)),
        (lambda z, x: abs(turned(z * z, x) + 1), (1 + 0.5j, 0.7)),
        (lambda w: np.sum(np.abs(folded(w) + 1)), (W,)),
    ):
        check_grad(function, args, jit=jit)
        check_jvp(function, args, range(len(args)), jit=jit)


@custom_vjp
def square(z):
    return z * z


@square.defvjp
def of_square(z, y, d):
    return 2 * d * z


def test_a_complex_result_with_a_rule_for_adjoints_only():
    check_grad(lambda z: abs(square(z) + 1), (1 + 0.5j,), jit=False)
    code, cure = refusal(lambda: jvp(lambda z: square(z), (Z,), (1j,), jit=False))
    assert code == "AD202" and "defjvp" in cure


def nested_root(z, n):
    return z if n == 0 else np.sqrt(nested_root(z, n - 1) + z)


@MODES
def test_recursion(jit):
    check_grad(lambda z: abs(nested_root(z * z, 3)), (1 + 0.5j,), jit=jit)
    assert grad(lambda z: nested_root(z, 0), jit=jit, holomorphic=True)(Z) == 1


M = np.array([[0.3 + 0.2j, -0.1j, 0.4], [0.2, 0.5 - 0.3j, 0.1j], [-0.6j, 0.3, 0.1 + 0.1j]])


@MODES
def test_products_of_kronecker_and_exponentials_of_matrices(jit):
    def program(a):
        return np.sum(np.abs(np.kron(a, M)) ** 2) + np.sum(np.abs(scipy.linalg.expm(a)) ** 2)

    along, step = M.T * (1.0 - 0.5j), 1e-6
    found = grad(program, jit=jit)(M)
    ends = [program(M + h * along) for h in (step, -step)]
    assert np.real(np.sum(found * along)) == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-7)
    ends = [grad(program, jit=jit)(M + h * along) for h in (step, -step)]
    np.testing.assert_allclose(hvp(program, jit=jit)(M, along), (ends[0] - ends[1]) / (2 * step), rtol=1e-6)


@MODES
@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 2)])
def test_vdot_conjugates_its_first_argument(shape, jit):
    def program(a, b):
        found = np.vdot(a, b)
        return abs(found) ** 2 + found.real + found.imag

    random = np.random.default_rng(1)
    args = [random.normal(size=shape) + 1j * random.normal(size=shape) for _ in range(2)]
    check_grad(program, args, jit=jit)
    check_jvp(program, args, (0, 1), jit=jit)
