"""Arrays without axes: what is not read or written by elements is right, the rest is refused."""

import numpy as np
import pytest

from adcompiler import DifferentiationError, grad, jvp


def filled(x):
    a = np.full((), x)
    return a.sum() * x + np.sum(a * a)


def grown(x):
    a = np.zeros(())
    a += 2.0 * x
    return a.item() * x


def written(x):
    a = np.empty(())
    a[()] = x * 2.0
    return a.item()


def of_argument(x):
    a = x.copy()
    a[...] = x * 3.0
    return a.item()


def read(x):
    return x[()] * 2.0


@pytest.mark.parametrize(("function", "slope"), [(filled, 6.0), (grown, 6.0)])
def test_as_a_whole(function, slope):
    assert grad(function, jit=False)(1.5) == pytest.approx(slope)


@pytest.mark.parametrize("jit", [False, True])
def test_item_reads_an_argument(jit):
    assert grad(lambda x: x.item() ** 2, jit=jit)(np.array(1.5)) == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("function", "x"), [(written, 1.5), (of_argument, np.array(1.5)), (read, np.array(1.5))]
)
def test_elements_are_refused(function, x):
    with pytest.raises(DifferentiationError, match=r"AD304.*no axes(.|\n)*x.item\(\) reads"):
        grad(function, jit=False)(x)
    with pytest.raises(DifferentiationError, match=r"AD304.*no axes"):
        jvp(function, (x,), (x,), jit=False)
