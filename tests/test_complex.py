"""Complex numbers between real arguments and a real result."""

import cmath
import math

import numpy as np
import pytest

from adcompiler import DifferentiationError, grad
from adcompiler.testing import check_grad, check_jvp


def polynomial(x, y):
    z = complex(x, y)
    w = z * z + 1j * z - 2.0
    return abs(w) + w.real * w.imag


def angle_and_conjugate(x, y):
    z = x + 1j * y
    return np.angle(np.exp(z) / (z + 2.0)) + (z.conjugate() * z).real


def amplitudes(omega, delta):
    c0, c1 = 1.0 + 0j, 0.0 + 0j
    for _ in range(40):
        d0 = -0.5j * omega * c1
        d1 = -0.5j * omega * c0 - 1j * delta * c1
        c0, c1 = c0 + 0.05 * d0, c1 + 0.05 * d1
    return abs(c1) ** 2 / (abs(c0) ** 2 + abs(c1) ** 2)


def spectrum(x):
    total = 0.0
    for k in range(len(x)):
        s = 0j
        for t in range(len(x)):
            s += x[t] * np.exp(-2j * np.pi * k * t / len(x))
        total += np.abs(s) ** 2 * k
    return total


def elementwise(x, y):
    z = x + 1j * y
    w = np.exp(1j * z) * z
    return np.sum(np.abs(w) ** 2) + np.sum(w.real * w.imag)


def matrices(x, y):
    a = np.outer(x, y) + 1j * np.diag(x)
    u = a @ (x + 1j * y)
    u = np.linalg.solve(a + 3.0 * np.eye(4), u)
    return np.sum(np.abs(u) ** 2) + np.real(np.linalg.det(a + 2.0 * np.eye(4)))


def loop_that_breaks(cr, ci):
    c = complex(cr, ci)
    z = 0j
    for _ in range(20):
        if abs(z) > 4.0:
            break
        z = z * z + c
    return math.log(abs(z) + 1.0)


def filtered(x):
    z = np.zeros(len(x), np.complex128)
    for k in range(1, len(x)):
        z[k] = (0.5 + 0.3j) * z[k - 1] + x[k] * x[k]
    return np.sum(np.abs(z)) + np.sum(z.imag)


def impedance(r, ell, c):
    total = 0.0
    for k in range(1, 6):
        w = 0.5 * k
        z = r + 1j * w * ell + 1.0 / (1j * w * c)
        total += np.log(np.abs(1.0 / z)) + np.angle(z)
    return total


def chosen(x, y):
    z = x + 1j * y
    w = np.where(x > 0, z, np.conj(z) * 2.0)
    return np.sum((w * w).imag) + np.mean(w).real


def joined_and_defined(x, y):
    z = np.concatenate((x + 0j, 1j * y))
    w = np.cumsum(z.reshape(2, 4), axis=1) * np.sum(z.reshape(2, 4), axis=0, keepdims=True)
    return np.sum(np.abs(np.mean(w, axis=0)))


def wave(x, y):
    z = x + 1j * y
    field = np.exp(1j * np.abs(z) ** 2) * z / (2.0 + z)
    field = np.where(x > 0, field**2, np.conj(field))
    return np.sum(field.real * np.abs(field)) + np.sum(field.imag**2)


def escapes(x, y):
    c = x + y[:, None] * 1j
    z = np.zeros(c.shape, dtype=np.complex128)
    for _ in range(3):
        inside = np.less(abs(z), 2.0)
        z[inside] = z[inside] ** 2 + c[inside]
    return np.sum((z * np.conj(z)).real)


def sums_of_parts(x, y):
    z = np.outer(x + 1j * y, y - 1j * x)
    rows = np.sum(z, axis=1)
    z[1] *= rows
    z.imag[0] = x  # the parts below are those of what was written
    return np.sum(z.real * z.imag) + np.abs(np.mean(rows)) + np.sum(z).imag


def single(x, y):
    z = (x + 1j * y).astype(np.complex64)
    return np.sum((z * np.conj(z)).real)


RNG = np.random.default_rng(2)
VECTORS = (RNG.normal(size=4), RNG.normal(size=4))
PROGRAMS = [
    (polynomial, (0.3, 0.7)),
    (angle_and_conjugate, (0.3, 0.7)),
    (amplitudes, (1.1, 0.4)),
    (spectrum, VECTORS[:1]),
    (elementwise, VECTORS),
    (matrices, VECTORS),
    (loop_that_breaks, (-0.3, 0.4)),
    (filtered, VECTORS[:1]),
    (impedance, (1.0, 2.0, 0.7)),
    (chosen, VECTORS),
    (joined_and_defined, VECTORS),
    (wave, VECTORS),
    (escapes, VECTORS),
    (sums_of_parts, VECTORS),
]


@pytest.mark.parametrize("jit", [False, True], ids=["uncompiled", "compiled"])
@pytest.mark.parametrize(("function", "args"), PROGRAMS, ids=[f.__name__ for f, _ in PROGRAMS])
def test_program(function, args, jit):
    check_grad(function, args, jit=jit, rtol=2e-6)


def test_array_code_is_written_as_one_loop():
    derivative = grad(wave, argnums=(0, 1), jit=False)
    derivative(*VECTORS)
    forward = derivative.source.split("    # return")[0]
    assert forward.count("for i in range(") == 1
    assert "np.zeros" not in forward


def moduli(x, y):
    z = x + 1j * y
    w = z * z - 1.0
    return np.sum((w * np.conj(w)).real) + np.sum(np.abs(z))


def test_both_sweeps_share_a_loop():
    derivative = grad(moduli, argnums=(0, 1), jit=False)
    derivative(*VECTORS)
    assert derivative.source.count("for i in range(") == 1
    assert "complex128" not in derivative.source.split('"""')[-1]
    check_grad(moduli, VECTORS, jit=False)


def test_complex_numbers_of_single_precision():
    found = grad(single, argnums=(0, 1))(*VECTORS)
    np.testing.assert_allclose(found, [2 * v for v in VECTORS], rtol=1e-6)


@pytest.mark.parametrize("options", [{}, {"broadcasting": True}])
@pytest.mark.parametrize("factor", [1.0, 1.0 + 0.5j])
def test_builtin_abs_takes_arrays(factor, options):
    def distance(x, y):
        weights = np.linspace(0.2, 1.0, 4)
        gaps = abs(factor * (x - y)) * weights
        return np.sum(gaps[gaps > 0.1])

    found = grad(distance, argnums=(0, 1), jit=False, **options)(*VECTORS)
    weights = np.linspace(0.2, 1.0, 4)
    gaps = VECTORS[0] - VECTORS[1]
    expected = np.where(abs(factor * gaps) * weights > 0.1, abs(factor) * np.sign(gaps) * weights, 0.0)
    np.testing.assert_allclose(found[0], expected, rtol=1e-12)
    np.testing.assert_allclose(found[1], -expected, rtol=1e-12)


ANALYTIC = (
    "exp expm1 log log1p log2 log10 sqrt sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arctanh"
)


@pytest.mark.parametrize(
    "name", [*ANALYTIC.split(), "square", "reciprocal", "conj", "real", "imag", "abs", "angle"]
)
def test_function(name):
    function = getattr(np, name)

    def of_array(x, y):
        return np.sum(np.abs(function(x + 1j * y) * (0.3 + 1j)) ** 2)

    def number(x, y):
        w = function(complex(x, y)) * (1.0 + 0.5j)
        return (w * w).real + 2.0 * w.imag

    check_grad(number, (0.3, 0.4), jit=False)
    check_grad(of_array, (np.array([0.3, -0.2]), np.array([0.4, 0.7])), jit=False)


def refused(function, *args):
    with pytest.raises(DifferentiationError) as caught:
        grad(function, jit=False)(*args)
    return caught.value


def test_functions_of_real_numbers_are_refused():
    error = refused(lambda x: np.sum(np.abs(np.sinh(np.maximum(x + 1j * x, 0.0)))), np.ones(2))
    assert (error.code, "'np.maximum'" in error.reason) == ("AD202", True)
    error = refused(lambda x: abs(np.median(x + 1j * x)), np.ones(3))
    assert (error.code, "real numbers only" in error.reason) == ("AD202", True)


def test_parts_are_views():
    def program(x, z):
        part = z.imag
        for k in range(2):
            part[k] = part[k] * x[k] + z[k + 1].real
            z[k] = z[k] * z[k + 1]
        z.real[1:] *= x[:-1]
        part += x * x
        part[part > 2.0] = 1.5
        return np.sum(part[::-1] * part[1]) + np.sum(np.abs(z) ** 3)

    x = np.array([0.5, 0.3, -0.7])
    for jit in (False, True):
        check_grad(program, (x, x[::-1] + 1j * x), jit=jit)
        check_jvp(program, (x, x[::-1] + 1j * x), (0, 1), jit=jit)


def test_a_part_of_a_matrix():
    def program(x, m):
        rows = m.T.real
        rows[0] = x
        rows[:, 1] += 2 * x
        m.imag[...] = rows.T * 2
        return np.sum(np.abs(m) ** 3)

    x = np.array([0.5, 0.3, -0.7])
    check_grad(program, (x, np.outer(x, x) + 1j), jit=False)


def test_a_part_that_loops_hand_on_is_refused():
    def program(x):
        z, part = x + 0j, x
        for _ in range(2):
            z = z * 2.0
            part = z.imag
        z[0] = 1j
        return np.sum(part)

    error = refused(program, np.ones(2))
    assert (error.code, "z.real.copy()" in error.cure) == ("AD303", True)


def test_steps_of_real_numbers_are_refused():
    assert refused(lambda x: np.sign(x * 1j).real, 1.0).code == "AD202"
    assert refused(lambda x: np.linalg.slogdet(x * 1j)[0].real, np.eye(2)).code == "AD202"


ON_THE_CUT = "exp sqrt log log10 sin cos tan sinh cosh tanh asin acos atan asinh acosh atanh"


@pytest.mark.parametrize("name", ON_THE_CUT.split())
def test_function_of_cmath(name):
    function = getattr(cmath, name)

    def number(z, x):
        return abs(function(z) * function(x)) + function(x).real + 2.0 * function(x).imag

    for z, x in ((-0.3 - 0.4j, 0.3), (1.3 + 0.4j, 1.3)):
        check_grad(number, (z, x), jit=False)
        check_jvp(number, (z, x), (0, 1), jit=False)


def test_phases_and_moduli_of_cmath():
    def number(z, x):
        r, phi = cmath.polar(z)
        return cmath.phase(z) * abs(cmath.rect(r, phi * x) - x) + abs(cmath.log(z, 3.0)) + complex(x).real

    check_grad(number, (-0.3 - 0.4j, 0.3), jit=False)
