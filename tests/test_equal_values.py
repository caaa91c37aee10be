"""Equal eigenvalues and singular values: what is not determined is NaN, never zero."""

import numpy as np
import pytest
import scipy.linalg

from adcompiler import grad, jvp
from adcompiler.testing import check_grad, check_hvp, check_jvp

_rng = np.random.default_rng(4)


def turned(values, seed=1):
    """Return a symmetric matrix with these eigenvalues: equal ones differ by rounding errors."""
    q = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(values), len(values))))[0]
    x = (q * np.array(values)) @ q.T
    return 0.5 * (x + x.T)


def sheared(values, rows, seed=1):
    """Return a matrix with these singular values."""
    rng = np.random.default_rng(seed)
    u = np.linalg.qr(rng.normal(size=(rows, len(values))))[0]
    v = np.linalg.qr(rng.normal(size=(len(values), len(values))))[0]
    return (u * np.array(values)) @ v.T


def exponential(x):
    w, v = np.linalg.eigh(x)
    return np.sum(((v * np.exp(w)) @ v.T)[0])


def nearest_rotation(x):
    u, _, vt = np.linalg.svd(x, full_matrices=False)
    return (u @ vt)[0, 1]


def squares(x):
    return np.sum(np.linalg.eigh(x)[0] ** 2)


def first_vector(x):
    _, v = np.linalg.eigh(x)
    return v[0, 0] * v[1, 0]


def first_left(x):
    u = np.linalg.svd(x, full_matrices=False)[0]
    return u[0, 0] * u[1, 0]


def first_right(x):
    vt = np.linalg.svd(x, full_matrices=False)[2]
    return vt[0, 0] * vt[0, 1]


def both_modes(function, x, direction, jit=False):
    return grad(function, jit=jit)(x), jvp(function, (x,), (direction,), jit=jit)[1]


@pytest.mark.parametrize("jit", [False, True], ids=["uncompiled", "compiled"])
def test_vectors_of_equal_eigenvalues_are_not_known(jit):
    for x in (np.eye(3), np.diag([1.0, 1.0, 2.0]), turned([1.0, 1.0, 2.0])):
        _are_not_known(x, jit)


def _are_not_known(x, jit):
    gradient, slope = both_modes(exponential, x, np.ones((3, 3)), jit)
    assert np.all(np.isnan(gradient[np.tril_indices(3)]))
    assert np.isnan(slope)


@pytest.mark.parametrize("jit", [False, True], ids=["uncompiled", "compiled"])
@pytest.mark.parametrize("rows", [2, 4])
def test_vectors_of_equal_singular_values_are_not_known(rows, jit):
    gradient, slope = both_modes(nearest_rotation, sheared([2.0, 2.0], rows), np.ones((rows, 2)), jit)
    assert np.all(np.isnan(gradient))
    assert np.isnan(slope)


ALL_EIGENVECTORS = grad(lambda x: np.sum(np.linalg.eigh(x)[1] ** 3), jit=False)
ALL_SINGULAR_VECTORS = grad(lambda x: np.sum(np.linalg.svd(x)[0] ** 3), jit=False)


@pytest.mark.parametrize("seed", range(20))
def test_differences_of_rounding_errors_are_none(seed):
    """Gaps that are noise do not become large finite slopes."""
    values = np.random.default_rng(seed).choice([1.0, 2.0, 300.0, -0.1], 6)
    for scale in (1e-9, 1.0, 1e5):
        x = scale * turned(values, seed)
        assert np.any(np.isnan(ALL_EIGENVECTORS(x)))
        assert np.any(np.isnan(ALL_SINGULAR_VECTORS(x)))


def test_eigenvalues_alone_stay_right():
    for x in (np.eye(3), turned([1.0, 1.0, 2.0])):
        check_grad(squares, (x,), jit=False)
        check_jvp(squares, (x,), (0,), jit=False)


@pytest.mark.parametrize(
    ("function", "x"),
    [
        (first_vector, turned([1.0, 2.0, 2.0, 2.0])),
        (first_vector, np.diag([1.0, 2.0, 2.0, 2.0]) + 0.0),
        (first_left, sheared([3.0, 1.0, 1.0], 3)),
        (first_left, sheared([3.0, 1.0, 1.0], 5)),
        (first_right, sheared([3.0, 1.0, 1.0], 3)),
        (first_right, sheared([3.0, 1.0, 1.0], 5).T.copy()),
    ],
)
def test_a_vector_that_is_alone_is_known(function, x):
    """Equal values elsewhere do no harm to it."""
    check_grad(function, (x,), jit=False)
    direction = _rng.normal(size=x.shape)
    gradient, slope = both_modes(function, x, direction)
    np.testing.assert_allclose(np.sum(gradient * direction), slope, rtol=1e-9, atol=1e-12)


def test_a_square_matrix_without_full_rank_has_singular_vectors():
    x = sheared([3.0, 1.0, 0.0], 3)
    for function in (first_left, first_right):
        check_grad(function, (x,), jit=False)
        check_jvp(function, (x,), (0,), jit=False)


def root(x, c):
    return np.sum(scipy.linalg.sqrtm(0.5 * (x + x.T)) * c)


def logarithm(x, c):
    return np.sum(scipy.linalg.logm(0.5 * (x + x.T)) * c)


ROOT, LOGARITHM = grad(root, jit=False), grad(logarithm, jit=False)
POSITIVE = [[1.0, 1.0, 1.0], [2.0, 2.0, 5.0], [1e-3, 1.0, 1.0 + 1e-9], [1e-5, 1e-5, 50.0]]


@pytest.mark.filterwarnings("ignore:logm result may be inaccurate")
@pytest.mark.parametrize("gradient", [ROOT, LOGARITHM], ids=["sqrtm", "logm"])
@pytest.mark.parametrize("values", POSITIVE, ids=str)
def test_functions_of_matrices_are_smooth(gradient, values):
    x, c = turned(values), np.arange(9.0).reshape(3, 3)
    found, expected = gradient(x, c), _by_blocks(gradient, x, c)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-7 * np.max(np.abs(expected)))


@pytest.mark.parametrize("function", [root, logarithm])
def test_second_derivatives_of_functions_of_matrices(function):
    for values in POSITIVE[:2]:
        check_hvp(function, (turned(values), np.arange(9.0).reshape(3, 3)), (0,), jit=False)


def _by_blocks(gradient, x, c):
    """Return the gradient from the function of the block matrix [[x, dx], [0, x]] (Mathias 1996)."""
    plain = scipy.linalg.sqrtm if gradient is ROOT else scipy.linalg.logm
    total = np.zeros((3, 3))
    for index in np.ndindex(3, 3):
        dx = np.zeros((3, 3))
        dx[index] += 0.5
        dx[index[::-1]] += 0.5
        block = np.block([[x, dx], [np.zeros((3, 3)), x]])
        total[index] = np.sum(np.real(plain(block))[:3, 3:] * c)
    return total


@pytest.mark.parametrize("x", [np.array([[1.0, 0.5], [0.0, 1.0]]), np.diag([1.0, -1.0]), np.diag([1.0, 0.0])])
def test_functions_of_other_matrices_are_refused(x):
    with pytest.raises(AssertionError):
        grad(lambda x: np.sum(scipy.linalg.sqrtm(x)), jit=False)(x)
