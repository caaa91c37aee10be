"""The vector functions against mpmath, over the whole range, with and without fused multiply-add."""

import math

import mpmath
import numpy as np
import pytest
import scipy.special
from numba import float32, njit

from adcompiler import value_and_grad
from adcompiler.primitives import CARDS
from adcompiler.runtime import straight, vector_math

SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 5e-324, -5e-324, 1e308, -1e308, 1e-300]
BORDERS = [20.0, -20.0, 709.0, 709.78, 709.79, 710.4, 710.5, -708.4, -745.13, -745.14, 36.7, -37.5, 5.9, 6.1]
RANGES = {
    "exp": [(-746, 710), (-2, 2)],
    "expm1": [(-40, 710), (-0.6, 1.2)],
    "log": [(0.4, 2.2), (0, 1e9)],
    "log1p": [(-1, 2), (0, 1e9)],
    "log2": [(0.4, 2.2), (0, 1e9)],
    "tanh": [(-22, 22), (-1, 1)],
    "sinh": [(-711, 711), (-2, 2)],
    "cosh": [(-711, 711), (-2, 2)],
    "erf": [(-6.5, 6.5), (-1.5, 1.5)],
    "sin": [(-7, 7), (-1e5, 1e5), (9e4, 1e9)],
    "cos": [(-7, 7), (-1e5, 1e5), (9e4, 1e9)],
    "atan": [(-5, 5), (-100, 100)],
}
OF_TWO = ("atan2", "pow")
NEAR_TURNS = [
    6381956970095103.0 * 2.0**797,
    *(np.arange(1, 400) * np.pi / 2),
    *(np.arange(7, 3e6, 9973) * np.pi / 2),
]


def exact(name):
    if name == "log2":
        return lambda x: mpmath.log(x, 2)
    return getattr(mpmath, name)


def points(name):
    rng = np.random.default_rng(3)
    parts = [rng.uniform(low, high, 1500) for low, high in RANGES[name]]
    sizes = 10.0 ** rng.uniform(-322, 300, 700)
    small = 10.0 ** rng.uniform(-20, 0, 700)
    parts += [sizes, -sizes, small, -small, 1 + small, 1 - small, SPECIAL, BORDERS]
    parts += [NEAR_TURNS] if name in ("sin", "cos") else []
    return np.concatenate(parts)


def error(found, x, reference):
    """Return the error in units in the last place; special values must be exactly right."""
    with mpmath.workprec(1300):  # angles up to 1e308
        true = reference(mpmath.mpf(float(x)))
        if isinstance(true, mpmath.mpc) or mpmath.isnan(true):
            return 0.0 if math.isnan(found) else math.inf
        rounded = float(true)
        if math.isinf(rounded) or math.isinf(found) or rounded == 0.0:
            same = found == rounded and (
                rounded != 0.0 or math.copysign(1, found) == sign_of_zero(x, rounded)
            )
            return 0.0 if same else math.inf
        return abs(float((found - true) / np.spacing(abs(rounded))))


def sign_of_zero(x, rounded):
    return math.copysign(1, x) if x == 0.0 else math.copysign(1, rounded)


def over(function):
    @njit
    def loop(x):
        y = np.empty_like(x)
        for i in range(len(x)):
            y[i] = function(x[i])
        return y

    return loop


@pytest.fixture
def unfused(monkeypatch):
    """Code for a machine without fused multiply-add."""
    monkeypatch.setattr(straight, "FLAGS", ())


def check(name, function):
    reference, x = exact(name), points(name)
    found = over(function)(x)
    errors = [error(float(y), float(at), reference) for y, at in zip(found, x)]
    if name in ("log", "log2"):  # zeros have no sign there
        errors = [e for e, at in zip(errors, x) if at not in (0.0, 1.0)]
        assert over(function)(np.array([1.0]))[0] == 0.0
        assert over(function)(np.array([0.0, -0.0])).tolist() == [-np.inf, -np.inf]
    worst = int(np.argmax(errors))
    assert errors[worst] <= 2.0, (x[worst], found[worst])


@pytest.mark.parametrize("name", RANGES)
def test_two_units_in_the_last_place(name):
    check(name, getattr(vector_math, name))


@pytest.mark.parametrize("name", RANGES)
def test_without_fused_multiply_add(name, unfused):
    check(name, getattr(vector_math, name))


EDGES = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    np.inf,
    -np.inf,
    np.nan,
    2.0,
    -2.0,
    0.5,
    -0.5,
    3.0,
    1e308,
    -1e308,
    5e-324,
    1e-5,
]
EDGES += [2.0**53, -(2.0**53)]


def pairs(name):
    rng = np.random.default_rng(4)
    many = 10.0 ** rng.uniform(-300, 300, 1500)
    if name == "atan2":
        return np.concatenate([rng.normal(size=1500), many]), np.concatenate(
            [rng.normal(size=1500), -many[::-1]]
        )
    close = 1 + rng.normal(size=1500) * 1e-6
    powers = rng.normal(size=1500) * 3, rng.uniform(-1, 1, 1500), rng.normal(size=1500) * 1e8
    return np.concatenate([rng.uniform(0, 5, 1500), many, close]), np.concatenate(powers)


def check_two(name, function):
    @njit
    def loop(x, y):
        found = np.empty_like(x)
        for i in range(len(x)):
            found[i] = function(x[i], y[i])
        return found

    one, two = pairs(name)
    reference = getattr(mpmath, {"pow": "power"}.get(name, name))
    for x, y, found in zip(one, two, loop(one, two), strict=True):
        assert error(float(found), x, lambda at: reference(at, mpmath.mpf(float(y)))) <= 2.0, (x, y)
    one, two = (np.ravel(part) for part in np.meshgrid(EDGES, EDGES))
    with np.errstate(all="ignore"):
        expected = {"pow": np.power, "atan2": np.arctan2}[name](one, two)
    found = loop(one, two)
    np.testing.assert_allclose(found, expected, rtol=1e-15)
    assert np.array_equal(np.signbit(found)[expected == 0], np.signbit(expected)[expected == 0])


@pytest.mark.parametrize("name", OF_TWO)
def test_functions_of_two_numbers(name):
    check_two(name, getattr(vector_math, name))


@pytest.mark.parametrize("name", OF_TWO)
def test_functions_of_two_numbers_without_fused_multiply_add(name, unfused):
    check_two(name, getattr(vector_math, name))


NAMES = sorted({c.fast for c in CARDS.values() if c.fast})
IN_DOUBLE = ("sin", "cos", "atan2", "pow")
"""Functions whose results in double precision are rounded."""


def single_points(name):
    """Floats of all sizes, and those between which formulas change."""
    patterns = np.arange(0, 2**32, 19_997, dtype=np.uint64).astype(np.uint32)
    ranges = np.concatenate([np.linspace(low, high, 5_000) for low, high in RANGES[name][1:]])
    special = [
        0.0,
        -0.0,
        np.inf,
        -np.inf,
        np.nan,
        1.0,
        -1.0,
        1e-45,
        3.4e38,
        88.7228,
        88.73,
        -103.9,
        -104.1,
        -87.4,
    ]
    return np.concatenate([patterns.view(np.float32), ranges.astype(np.float32), np.float32(special)])


def check_single(name):
    x = single_points(name)
    with np.errstate(all="ignore"):
        true = (getattr(np, name, None) or {"atan": np.arctan, "erf": scipy.special.erf}[name])(
            x.astype(float)
        )
        rounded = true.astype(np.float32)
        found = over(getattr(vector_math, f"{name}32"))(x)
        errors = np.abs(found - true) / np.spacing(np.abs(rounded))
    is_exact = np.isnan(true) | np.isinf(rounded) | (rounded == 0)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found[is_exact], rounded[is_exact])
    assert np.array_equal(np.signbit(found[rounded == 0]), np.signbit(rounded[rounded == 0]))
    worst = np.argmax(np.where(is_exact, 0.0, errors))
    assert errors[worst] <= 2.0, (x[worst], found[worst])


@pytest.mark.parametrize("name", [name for name in RANGES if name not in IN_DOUBLE])
def test_two_units_in_the_last_place_of_single_precision(name):
    check_single(name)


@pytest.mark.parametrize("name", [name for name in RANGES if name not in IN_DOUBLE])
def test_single_precision_without_fused_multiply_add(name, unfused):
    check_single(name)


@pytest.mark.parametrize("name", IN_DOUBLE)
def test_rounded_from_double_precision(name):
    x = np.random.default_rng(5).uniform(0.1, 2.0, 50).astype(np.float32)
    arguments = (x, x[::-1].copy()) if name in OF_TWO else (x,)
    single, double = (getattr(vector_math, name + suffix) for suffix in ("32", ""))
    if len(arguments) == 1:
        found, expected = (njit(lambda x, f=f: f(x)) for f in (single, double))
    else:
        found, expected = (njit(lambda x, y, f=f: f(x, y)) for f in (single, double))
    for values in zip(*arguments, strict=True):
        assert found(*values) == np.float32(expected(*map(float, values)))
    assert found.nopython_signatures[0].return_type == float32


def test_every_function_is_tested():
    assert {*RANGES, *OF_TWO} == set(NAMES)


def energy(x):
    total = 0.0
    for i in range(len(x)):
        total += math.exp(-x[i]) * math.tanh(x[i])
    return total


def test_used_in_loops_and_left_out_on_request():
    x = np.linspace(-1, 1, 37)
    fast, accurate = value_and_grad(energy), value_and_grad(energy, accurate_math=True)
    assert fast(x)[0] == pytest.approx(accurate(x)[0], rel=1e-14)
    np.testing.assert_allclose(fast(x)[1], accurate(x)[1], rtol=1e-13)
    assert "fast.exp" in fast.source and "fast.add_up" in fast.source
    assert "fast." not in accurate.source
    np.testing.assert_allclose(value_and_grad(energy, jit=False)(x)[1], fast(x)[1], rtol=1e-13)


def recurrence(w, x):
    h = 0.0
    for i in range(len(x)):
        h = math.tanh(w * h + x[i])
    return h


def compensated(x):
    """Kahan's sum: its order and its cancellations are meant."""
    total = 0.0
    lost = 0.0
    for i in range(len(x)):
        term = x[i] - lost
        new = total + term
        lost = (new - total) - term
        total = new
    return total


@pytest.mark.parametrize("function", [recurrence, compensated])
def test_other_loops_are_left_alone(function):
    derivative = value_and_grad(function, argnums="x")
    args = (0.5, np.ones(3)) if function is recurrence else (np.ones(3),)
    derivative(*args)
    assert "fast." not in derivative.source


def test_compensated_sum_keeps_its_accuracy():
    x = np.array([1.0, *[1e-17] * 1000, -1.0])
    assert value_and_grad(compensated)(x)[0] == pytest.approx(1e-14, rel=1e-12)
