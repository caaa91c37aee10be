"""Gradients with the labels of pandas and xarray."""

from typing import NamedTuple

import numpy as np
import pytest

from adcompiler import grad, hvp, jacobian, value_and_grad
from adcompiler.bridges.labelled_arrays import with_labels

pd = pytest.importorskip("pandas")


def energy(x, k):
    total = 0.0
    for i in range(len(x)):
        total += k * x[i] ** 3
    return total


def fit(w, table, y):
    return np.sum((table @ w - y) ** 2)


SERIES = pd.Series([1.0, 2.0, 3.0], ["a", "b", "c"], name="x")
TABLE = pd.DataFrame({"one": [1.0, 2.0, 3.0], "two": [0.0, 1.0, -1.0]}, ["a", "b", "c"])


def test_series():
    value, slope = with_labels(value_and_grad(energy))(SERIES, k=2.0)
    assert value == 72.0
    pd.testing.assert_series_equal(slope, pd.Series([6.0, 24.0, 54.0], SERIES.index, name="x"))
    both = with_labels(grad(energy, argnums=("x", "k")))(SERIES, 2.0)
    assert both[0].index.equals(SERIES.index) and both[1] == 36.0


def test_frames_and_several_arguments():
    w = pd.Series([0.5, -1.0], TABLE.columns)
    d_w, d_table = with_labels(grad(fit, argnums=("w", "table")))(w, TABLE, SERIES)
    plain = grad(fit, argnums=("w", "table"))(w.to_numpy(), np.array(TABLE, order="C"), SERIES.to_numpy())
    np.testing.assert_array_equal(d_w, plain[0])
    np.testing.assert_array_equal(d_table, plain[1])
    assert d_w.index.equals(TABLE.columns)
    assert d_table.index.equals(TABLE.index) and d_table.columns.equals(TABLE.columns)


class Pair(NamedTuple):
    scale: float
    values: object


def test_structures_keep_what_has_no_labels():
    slope = with_labels(grad(lambda p: p["in"].scale * np.sum(p["in"].values * p["plain"])))
    found = slope({"in": Pair(2.0, SERIES), "plain": np.ones(3)})
    assert found["in"].scale == 6.0 and type(found["plain"]) is np.ndarray
    pd.testing.assert_series_equal(found["in"].values, pd.Series([2.0] * 3, SERIES.index, name="x"))


def test_products_with_a_hessian():
    found = with_labels(hvp(energy))(SERIES, 1.0, pd.Series(np.ones(3), SERIES.index))
    pd.testing.assert_series_equal(found, 6.0 * SERIES)


def test_what_is_returned_beside():
    slope, aux = with_labels(grad(lambda x: (np.sum(x * x), x[0]), has_aux=True))(SERIES)
    assert slope.index.equals(SERIES.index) and aux == 1.0


def test_data_arrays():
    xarray = pytest.importorskip("xarray")
    x = xarray.DataArray(
        [[1.0, 2.0], [3.0, 4.0]], {"t": [0, 10]}, ("t", "place"), name="heat", attrs={"units": "K"}
    )
    scale = xarray.DataArray(2.0)
    d_x, d_scale = with_labels(grad(lambda x, s: s * np.sum(x * x), argnums=(0, 1)))(x, scale)
    xarray.testing.assert_identical(
        d_x, xarray.DataArray(4.0 * x.to_numpy(), {"t": [0, 10]}, ("t", "place"), name="heat")
    )
    xarray.testing.assert_identical(d_scale, xarray.DataArray(30.0))


def test_labels_in_another_order_are_refused():
    slope = with_labels(grad(lambda x, y: np.sum(x * y)))
    with pytest.raises(ValueError, match="same labels in different orders"):
        slope(SERIES, SERIES[::-1])
    assert slope(SERIES, pd.Series([1.0, 1.0, 1.0], ["u", "v", "w"])).index.equals(SERIES.index)


def test_what_holds_no_numbers_is_refused():
    with pytest.raises(TypeError, match="a Series holds object"):
        with_labels(grad(energy))(pd.Series(["a", 1.0]), 1.0)


def test_other_derivatives_are_refused():
    with pytest.raises(TypeError, match="one of grad, value_and_grad, hvp makes"):
        with_labels(jacobian(lambda x: x * x))
