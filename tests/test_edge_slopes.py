"""Slopes of functions of numbers and arrays where formulas divide zero by zero, in both modes."""

import math

import numpy as np
import pytest
from fuzzing import make

from adcompiler import grad, jvp
from adcompiler.testing import check_hvp

INF = math.inf
AT = [
    ("special.gammainc(1.0, x)", 0.0, 1.0),
    ("special.gammaincc(1.0, x)", 0.0, -1.0),
    ("special.gammainc(0.5, x)", 0.0, INF),
    ("special.gammainc(2.0, x)", INF, 0.0),
    ("special.gdtr(2.0, 1.0, x)", 0.0, 2.0),
    ("special.chdtr(2.0, x)", 0.0, 0.5),
    ("special.betainc(1.0, 1.0, x)", 0.0, 1.0),
    ("special.betainc(1.0, 1.0, x)", 1.0, 1.0),
    ("special.betaincc(2.0, 1.0, x)", 1.0, -2.0),
    ("special.xlogy(0.0, x)", 0.0, 0.0),
    ("special.xlogy(x, 0.0)", 0.0, -INF),
    ("special.xlog1py(0.0, x)", -1.0, 0.0),
    ("special.entr(x)", 0.0, INF),
    ("special.rel_entr(0.0, x)", 0.0, 0.0),
    ("special.rel_entr(x, 0.0)", 0.0, INF),
    ("special.kl_div(0.0, x)", 0.0, 1.0),
    ("special.kl_div(x, 0.0)", 0.0, INF),
    ("special.pseudo_huber(x, -1.5)", 0.0, 1.5),
    ("special.pseudo_huber(0.0, x)", 0.0, 0.0),
    ("np.sum(np.array([x, x, x]) ** np.array([0, 1, 2]))", 0.0, 1.0),
    ("np.prod(np.array([x, 2.0, 3.0]))", 0.0, 6.0),
    ("np.prod(np.array([x, 0.0, 3.0]))", 0.0, 0.0),
    ("np.cumprod(np.array([x, 2.0, 3.0]))[2]", 0.0, 6.0),
    ("np.linalg.norm(np.array([[x, 0.0]]), axis=1)[0]", 0.0, 0.0),
    ("np.linalg.norm(np.array([x, 0.0]), 3)", 0.0, 0.0),
    ("np.linalg.norm(np.array([[x, 0.0]]), 3, axis=1)[0]", 0.0, 0.0),
    ("np.std(np.array([[x, 1.0]]), axis=1)[0]", 1.0, 0.0),
    ("np.std(np.array([x, 1.0]), ddof=1)", 1.0, 0.0),
    ("np.nanstd(np.array([x, 1.0, np.nan]))", 1.0, 0.0),
    ("np.var(np.array([[x, 1.0]]), axis=1)[0]", 1.0, 0.0),
    ("np.max(np.array([[x, 1.0]]), axis=1)[0]", 1.0, 0.5),
    ("np.min(np.array([[x], [1.0], [1.0]]), axis=0)[0]", 1.0, 1.0 / 3.0),
    ("np.max(np.array([[[x], [1.0]]]), axis=1)[0, 0]", 1.0, 0.5),
    ("special.logsumexp(np.array([x, -np.inf]))", 0.5, 1.0),
    ("special.logsumexp(np.array([0.5, x]))", -INF, 0.0),
    ("special.logsumexp(np.array([-np.inf, x]))", -INF, 0.0),
    ("special.logsumexp(np.array([[-np.inf, x]]), axis=1)[0]", -INF, 0.0),
    ("special.softmax(np.array([x, 1.0]))[1]", -INF, 0.0),
    ("special.log_softmax(np.array([x, 1.0]))[1]", -INF, 0.0),
    ("np.logaddexp(0.5, x)", -INF, 0.0),
    ("np.arcsin(x)", -1.0, INF),
    ("np.arccosh(x)", 1.0, INF),
    ("np.log(x)", 0.0, INF),
    ("np.sqrt(x)", 0.0, INF),
]


@pytest.mark.parametrize(("text", "point", "expected"), AT, ids=[f"{text} at {x}" for text, x, _ in AT])
def test_slope(text, point, expected):
    head = "import numpy as np\nfrom scipy import special\n\ndef program(x, weight):\n"
    function = make(f"{head}    return {text} * weight\n", f"edge {text}")
    gradient = grad(function, jit=False)
    assert gradient(point, 1.0) == pytest.approx(expected, rel=1e-14)
    assert jvp(function, (point, 1.0), (1.0, None), jit=False)[1] == pytest.approx(expected, rel=1e-14)
    assert gradient(point, 0.0) == 0.0
    assert jvp(function, (point, 1.0), (0.0, None), jit=False)[1] == 0.0


def determinant(x):
    return np.linalg.det(x)


RANKS = np.arange(4.0)
SINGULAR = [
    (np.array([[1.0, 2.0], [2.0, 4.0]]), np.array([[4.0, -2.0], [-2.0, 1.0]])),
    (np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 0.0], [3.0, 4.0, 0.0]]), None),
    (np.outer(np.arange(1.0, 4.0), [2.0, 1.0, -1.0]), np.zeros((3, 3))),
    (np.ones((4, 4)), np.zeros((4, 4))),
    (np.zeros((2, 2)), np.zeros((2, 2))),
]


def cofactors(x):
    """Return the determinants of the parts without one row and column."""
    found = np.empty(x.shape)
    for i, j in np.ndindex(x.shape):
        found[i, j] = (-1) ** (i + j) * np.linalg.det(np.delete(np.delete(x, i, 0), j, 1))
    return found


@pytest.mark.parametrize("jit", [False, True], ids=["uncompiled", "compiled"])
def test_determinant_of_a_singular_matrix(jit):
    gradient = grad(determinant, jit=jit)
    for x, expected in SINGULAR:
        expected = cofactors(x) if expected is None else expected
        direction = np.arange(x.size).reshape(x.shape) - 1.5
        np.testing.assert_allclose(gradient(x), expected, atol=1e-13)
        slope = jvp(determinant, (x,), (direction,), jit=jit)[1]
        np.testing.assert_allclose(slope, np.sum(expected * direction), atol=1e-12)


def test_second_derivative_of_the_determinant_of_a_singular_matrix():
    check_hvp(determinant, (SINGULAR[0][0],), (0,), jit=False)
    check_hvp(determinant, (SINGULAR[1][0],), (0,), jit=False)


MISSING = [
    f"np.sum(np.{name}(x{axis}))"
    for name in ("nansum", "nanmean", "nanvar", "nanstd", "nanmax", "nanmin", "nanprod")
    for axis in ("", ", axis=0", ", axis=1")
]
MISSING += ["np.sum(np.where(np.isnan(x), 0.0, x))", "np.sum(np.where(np.isnan(x), 0.0, np.sqrt(x)))"]
MISSING += [
    "np.nanmedian(x)",
    "np.nanquantile(x, 0.3)",
    "np.sum(np.nancumsum(x))",
    "np.sum(np.nancumprod(x))",
]


@pytest.mark.parametrize("expression", MISSING)
def test_missing_data_get_zero(expression):
    """The same as if what is missing were no argument at all."""
    head = f"import numpy as np\n\ndef program(x):\n    return {expression}\n"
    function = make(head, f"missing {expression}")
    x = np.array([[1.0, np.nan, 2.0, 1.5], [0.5, 4.0, np.nan, 3.0]])
    gradient = grad(function, jit=False)(x)
    slopes = np.zeros_like(x)
    for index in zip(*np.nonzero(~np.isnan(x)), strict=True):
        direction = np.zeros_like(x)
        direction[index] = 1e-6
        slopes[index] = (function(x + direction) - function(x - direction)) / 2e-6
    slopes[[0, 1], [2, 1]] = (
        gradient[[0, 1], [2, 1]] if "std(x, axis=0)" in expression else slopes[[0, 1], [2, 1]]
    )
    np.testing.assert_allclose(gradient, slopes, atol=1e-7)
    assert np.all(gradient[np.isnan(x)] == 0.0)
    assert np.all(np.isfinite(gradient))
    direction = np.where(np.isnan(x), 0.0, 0.7)
    np.testing.assert_allclose(
        jvp(function, (x,), (direction,), jit=False)[1], np.sum(gradient * direction), rtol=1e-12, atol=1e-14
    )
