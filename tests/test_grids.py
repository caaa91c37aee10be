"""`np.mgrid` and `np.ogrid`: coordinates of grids."""

import numpy as np
import pytest

from adcompiler import DifferentiationError, grad
from adcompiler.testing import check_grad


def fourier(x):
    n = x.shape[0]
    i, j = np.mgrid[0:n, 1:4]
    z = np.exp(-2.0j * np.pi * i * j / n) @ (x + 0j)
    return np.sum(np.abs(z) ** 2) + np.sum(np.mgrid[1:n:2]) * x[0, 0]


def beams(x):
    y, z = np.ogrid[0 : x.shape[0], 2:6]
    return np.sum(np.sin(x * y) * z)


def first_axis(x):
    grid = np.mgrid[: x.shape[0], 0 : x.shape[1]]
    return np.sum(np.cos(x * grid[0] + grid[1]))


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("function", [fourier, beams, first_axis])
def test_grid(function, jit):
    x = np.random.default_rng(0).normal(size=(3, 4))
    np.testing.assert_allclose(grad(function, jit=jit).primal(x), function(x), rtol=1e-12)
    check_grad(function, (x,), jit=jit, rtol=2e-6)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x: np.sum(np.mgrid[0:2, 0:2, 0:2][0] * x), "np.mgrid needs one or two ranges"),
        (lambda x: np.sum(np.mgrid[0:] * x), "np.mgrid needs one or two ranges"),
        (lambda x: np.sum(np.ogrid[0:2:5j] * x), "a number of points"),
    ],
)
def test_other_grids_are_refused(function, reason):
    with pytest.raises(DifferentiationError, match=reason) as caught:
        grad(function)(2.0)
    assert caught.value.code == "AD102"
