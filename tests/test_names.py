"""Values of classes of their own, and parameters named like what generated code uses."""

import enum
import linecache
import math
from collections import namedtuple

import numpy as np
import pytest
from numba import njit

from adcompiler import DifferentiationError, grad, hvp, jvp, value_and_grad, vjp


class Count(enum.IntEnum):
    ONE = 1
    TWO = 2


class Bits(enum.IntFlag):
    LOW = 1
    HIGH = 2


class Side(enum.Enum):
    LEFT = 1
    RIGHT = 2


class Word(str, enum.Enum):  # noqa: UP042
    UP = "up"


class OwnFloat(float):
    pass


class OwnInt(int):
    pass


class OwnText(str):
    pass


class OwnDouble(np.float64):
    pass


OWN = (Count.TWO, OwnFloat(3.0), OwnDouble(0.5))
own_float, own_int, own_text, own_double = OwnFloat(3.0), OwnInt(2), OwnText("up"), OwnDouble(0.5)
X = np.array([1.0, 2.0, 3.0])


def enum_default(x, k=Count.TWO):
    return x[0] * k


def flag_default(x, f=Bits.LOW | Bits.HIGH):
    return x[0] * f if f & Bits.LOW else x[1]


def text_enum_default(x, s=Word.UP):
    return x[0] * 2.0 if s == Word.UP else x[1]


def own_defaults(x, a=own_float, b=own_int, s=own_text, d=own_double):
    return x[0] * a * b * d if s == "up" else x[1]


def captured(x):
    return x[Count.ONE] * own_float * own_int * own_double if own_text == "up" else x[0]


def captured_tuple(x):
    return x[OWN[0]] * OWN[1] * OWN[2]


def plain_enum(x, side=Side.RIGHT):
    return x[0] if side == Side.LEFT else x[1] * 2.0


def identical_constants(x):
    return x[0] * 2.0 if Side.LEFT is Side.LEFT else x[1]


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize(
    ("function", "gradient"),
    [
        (enum_default, [2, 0, 0]),
        (flag_default, [3, 0, 0]),
        (text_enum_default, [2, 0, 0]),
        (own_defaults, [3, 0, 0]),
        (captured, [0, 3, 0]),
        (captured_tuple, [0, 0, 1.5]),
        (plain_enum, [0, 2, 0]),
        (identical_constants, [2, 0, 0]),
    ],
)
def test_values_of_classes_of_their_own(function, gradient, jit):
    np.testing.assert_array_equal(grad(function, jit=jit)(X), gradient)
    value, pullback = vjp(function, X, jit=jit)
    assert value == function(X)
    np.testing.assert_array_equal(pullback(1.0)[0], gradient)


def test_enums_as_arguments_and_defaults_inside_compiled_code():
    f = grad(enum_default)
    np.testing.assert_array_equal(f(X, Count.ONE), [1.0, 0.0, 0.0])
    np.testing.assert_array_equal(njit(lambda x: f(x))(X), [2.0, 0.0, 0.0])
    assert grad(lambda p: p[0] * p[1], jit=False)((2.0, Count.TWO)) == (2.0, None)
    assert grad(lambda x, k: x * k)(OwnFloat(2.0), OwnInt(3)) == 3.0


def by_identity(x, side=Side.LEFT):
    return x[0] if side is Side.LEFT else x[1]


def test_identity_of_an_argument_is_refused():
    with pytest.raises(DifferentiationError, match=r"AD102.*'is' compares with None only"):
        grad(by_identity, jit=False)(X)


def made(parameters, body):
    """Return a function with parameters of these names, with its text at hand."""
    text, file = f"def f({parameters}):\n{body}\n", f"<{parameters} {hash(body)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    namespace = {"math": math}
    exec(compile(text, file, "exec"), namespace)
    return namespace["f"]


PAIRS = [
    *("np, math", "njit, fast", "d_x, x", "x_tape, d_x", "value, result", "k, i", "special, factors"),
    *("f, f_grad", "x, v", "len, range", "same_size, at_least", "Path, numba", "unrank, sum_to", "_, __"),
    *("ä, ö", "x_1, x_2", "self, cls", "n, size", "abs, float"),
]


@pytest.mark.parametrize("pair", PAIRS)
def test_parameters_named_like_generated_names(pair):
    a, b = pair.split(", ")
    f = made(pair, f"    return {a} * {a} * {b} + {b}")
    for jit in (False, True):
        assert grad(f, argnums=(0, 1), jit=jit)(2.0, 3.0) == (12.0, 5.0)
    gradient = grad(f)
    assert gradient(**{a: 2.0, b: 3.0}) == 12.0
    assert njit(lambda p, q: gradient(p, q))(2.0, 3.0) == 12.0
    assert hvp(f)(2.0, 3.0, 1.0) == 6.0
    assert jvp(f, (2.0, 3.0), (1.0, None)) == (15.0, 12.0)


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if "range" not in pair and "math" not in pair])
def test_parameters_of_loops_named_like_generated_names(pair):
    a, b = pair.split(", ")
    loop = f"    for j in range({b}.shape[0]):\n        s = math.sin(s * {a}) + {b}[j] * {a}\n"
    body = f"    s = 0.0\n{loop}    return s"
    f, like = (
        made(pair, body),
        made("p, q", body.replace(f"{b}.", "q.").replace(f"{b}[", "q[").replace(f"* {a}", "* p")),
    )
    expected, (d_a, d_b) = value_and_grad(like, argnums=(0, 1), jit=False)(0.5, X)
    value, (slope, slopes) = value_and_grad(f, argnums=(0, 1))(0.5, X)
    assert value == pytest.approx(expected)
    assert slope == pytest.approx(d_a)
    np.testing.assert_allclose(slopes, d_b)


Pair = namedtuple("Pair", "a b")
Other = namedtuple("Pair", "c")
Named = namedtuple("x", "a b")
LikeNumpy = namedtuple("np", "a b")


def of_pairs(p, q):
    return p.a * p.b * q.c


def of_its_class(Pair):  # noqa: N803
    return Pair.a * Pair.b


def of_a_class_named_like_it(x):
    return x.a * x.b


def of_a_class_named_like_numpy(p):
    return np.sum(p.a) * p.b


@pytest.mark.parametrize("jit", [False, True])
def test_classes_of_named_tuples(jit):
    found = grad(of_pairs, argnums=(0, 1), jit=jit)(Pair(2.0, 3.0), Other(4.0))
    assert found == (Pair(12.0, 8.0), Other(6.0))
    assert [type(part) for part in found] == [Pair, Other]
    assert grad(of_its_class, jit=jit)(Pair(2.0, 3.0)) == (3.0, 2.0)
    found = grad(of_a_class_named_like_it, jit=jit)(Named(2.0, 3.0))
    assert (type(found), found) == (Named, (3.0, 2.0))
    found = grad(of_a_class_named_like_numpy, jit=jit)(LikeNumpy(np.ones(2), 3.0))
    np.testing.assert_array_equal(found.a, [3.0, 3.0])
    assert found.b == 2.0


@pytest.mark.parametrize("text", ['Say """hello"""', "a \\ b\\", 'ends "so"', "sur\udcff", "größe"])
def test_texts_of_docstrings(text):
    def f(x):
        return x * x

    f.__doc__ = text
    assert grad(f)(3.0) == 6.0
    assert grad(f).primal(3.0) == 9.0


def huber(error, width):
    if abs(error) < width:
        return 0.5 * error * error
    return width * (abs(error) - 0.5 * width)


def test_an_argument_keeps_its_name_for_itself():
    derivative = grad(huber, jit=False)
    assert (derivative(0.3, 1.0), derivative(3.0, 1.0)) == (0.3, 1.0)
    assert "width = " not in derivative.source
