"""Structures as arguments and results, auxiliary values, and Jacobians in one matrix."""

import inspect
from collections import namedtuple
from dataclasses import dataclass

import numpy as np
import pytest
from numba import njit
from scipy.optimize import curve_fit

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

JIT = pytest.mark.parametrize("jit", [False, True], ids=["uncompiled", "compiled"])
JACOBIANS = pytest.mark.parametrize("jacobian", [jacfwd, jacrev])
X = np.array([0.5, -1.2, 2.0])
Pair = namedtuple("Pair", "u rate")


@dataclass(frozen=True)
class Layer:
    w: np.ndarray
    b: float = 0.3
    name: str = "layer"

    def apply(self, x):
        return self.w * x + self.b


@dataclass
class Busy:
    w: float

    def __post_init__(self):
        self.w *= 2.0


def parts(p, k):
    return {"energy": k * np.sum(p["u"] ** 2), "flow": (p["u"] * p["rate"], p["rate"] ** 2)}


def blocks_by_hand(p, k):
    zero = np.zeros(3)
    return {
        "energy": {"u": 2.0 * k * p["u"], "rate": 0.0},
        "flow": ({"u": p["rate"] * np.eye(3), "rate": p["u"]}, {"u": zero, "rate": 2.0 * p["rate"]}),
    }


def same(found, expected):
    assert type(found) is type(expected) or np.ndim(found) == np.ndim(expected)
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        found, expected = tuple(found.values()), tuple(expected.values())
    if isinstance(expected, tuple):
        assert len(found) == len(expected)
        for one, two in zip(found, expected, strict=True):
            same(one, two)
    else:
        np.testing.assert_allclose(found, expected, atol=1e-14)


@JACOBIANS
@JIT
def test_jacobian_of_a_dictionary_by_a_dictionary(jacobian, jit):
    p = {"u": X, "rate": 0.7}
    found = jacobian(parts, jit=jit)(p, 1.5)
    same(found, blocks_by_hand(p, 1.5))
    by_name, by_number = jacobian(parts, argnums=("p", -1), jit=jit)(p, 1.5)["energy"]
    same(by_name, {"u": 3.0 * X, "rate": 0.0})
    same(by_number, np.sum(X**2))


@JIT
def test_other_structures(jit):
    by_list = jacfwd(lambda t: Pair(t[0] * t[1], t[1]), jit=jit)([X, 2.0])
    assert type(by_list) is Pair and type(by_list.u) is list
    np.testing.assert_allclose(by_list.u[0], 2.0 * np.eye(3))
    np.testing.assert_allclose(by_list.rate[1], 1.0)

    def energy(layer, x):
        return np.sum(layer.apply(x) ** 2)

    layer = Layer(X, 0.1)
    slope = grad(energy, jit=jit)(layer, X)
    assert type(slope) is Layer and slope.name is None
    np.testing.assert_allclose(slope.w, 2.0 * (X * X + 0.1) * X)
    curvature = hessian(energy, jit=jit)(layer, X)
    np.testing.assert_allclose(curvature.w.b, 2.0 * X)
    np.testing.assert_allclose(hvp(energy, jit=jit)(layer, X, Layer(X, 1.0, None)).b, 2.0 * X @ X + 6.0)


@JIT
def test_pullbacks_and_tangents_of_dictionaries_and_dataclasses(jit):
    p = {"u": X, "rate": 0.7}
    outputs, pullback = vjp(parts, p, 1.5, jit=jit)
    assert list(outputs) == ["energy", "flow"]
    found, _ = pullback({"energy": 1.0, "flow": (X, 2.0)})
    np.testing.assert_allclose(found["u"], 3.0 * X + 0.7 * X)
    np.testing.assert_allclose(found["rate"], X @ X + 4.0 * 0.7)
    _, tangents = jvp(parts, (p, 1.5), (p, 0.0), jit=jit)
    np.testing.assert_allclose(tangents["flow"][0], 2.0 * 0.7 * X)
    copied, _ = vjp(lambda layer: Layer(layer.w * 2.0, name="other"), Layer(X), jit=jit)
    assert copied.name == "other" and copied.b == 0.3


def with_parts(x, k):
    return k * np.sum(x**2), {"twice": 2.0 * x, "given": x, "n": 3}


@JIT
def test_auxiliary_values(jit):
    slope, aux = grad(with_parts, has_aux=True, jit=jit)(X, 1.5)
    np.testing.assert_allclose(slope, 3.0 * X)
    np.testing.assert_allclose(aux["twice"], 2.0 * X)
    assert aux["given"] is not X and aux["n"] == 3
    (value, aux), (_, by_k) = value_and_grad(with_parts, argnums=(0, 1), has_aux=True, jit=jit)(X, 1.5)
    np.testing.assert_allclose((value, by_k), (1.5 * X @ X, X @ X))
    np.testing.assert_allclose(aux["given"], X)
    value, pullback, aux = vjp(with_parts, X, 1.5, has_aux=True, jit=jit)
    np.testing.assert_allclose(pullback(2.0)[0], 6.0 * X)
    np.testing.assert_allclose(aux["twice"], 2.0 * X)
    _, tangent, aux = jvp(with_parts, (X, 1.5), (X, None), has_aux=True, jit=jit)
    assert tangent == pytest.approx(3.0 * X @ X)
    found, aux = jacfwd(with_parts, has_aux=True, jit=jit)(X, 1.5)
    np.testing.assert_allclose(found, 3.0 * X)
    np.testing.assert_allclose(aux["given"], X)


def test_auxiliary_values_of_a_loop_that_stores():
    def settled(x):
        history = np.zeros(4)
        y = x
        for k in range(4):
            y = np.sin(y) * x
            history[k] = y
        return y, history

    slope, history = grad(settled, has_aux=True)(0.8)
    np.testing.assert_allclose(history, settled(0.8)[1])
    step = 1e-6
    assert slope == pytest.approx((settled(0.8 + step)[0] - settled(0.8 - step)[0]) / (2 * step))


@JACOBIANS
def test_one_matrix(jacobian):
    def model(t, a, b):
        return a * np.exp(-b * t)

    t = np.linspace(0.0, 2.0, 9)
    found = jacobian(model, argnums=("a", "b"), stacked=True)(t, 2.0, 0.5)
    np.testing.assert_allclose(found, np.stack([np.exp(-0.5 * t), -2.0 * t * np.exp(-0.5 * t)], axis=1))
    slopes = jacobian(model, argnums=(1, 2), stacked=True)
    fitted, _ = curve_fit(model, t, model(t, 2.0, 0.5), p0=(1.0, 1.0), jac=slopes)
    np.testing.assert_allclose(fitted, (2.0, 0.5))
    wide = jacobian(parts, argnums=("p", "k"), stacked=True, jit=False)({"u": X, "rate": 0.7}, 1.5)
    np.testing.assert_allclose(wide["flow"][0], np.hstack([0.7 * np.eye(3), X[:, None], np.zeros((3, 1))]))
    np.testing.assert_allclose(wide["energy"], [*(3.0 * X), 0.0, X @ X])


def test_in_compiled_code():
    by_pair = jacobian(lambda pair: (pair.u * pair.rate, pair.rate))

    @njit
    def outer(u):
        found = by_pair(Pair(u, 2.0))
        return found[0].u, found[0].rate, found[1].rate

    by_u, by_rate, one = outer(X)
    np.testing.assert_allclose(by_u, 2.0 * np.eye(3))
    np.testing.assert_allclose(by_rate, X)
    assert one == 1.0


def test_signatures_and_options():
    def f(x, k=2.0):
        return k * x * x

    assert str(inspect.signature(hvp(f))) == "(x, k, v)"
    assert hvp(f)(3.0, 2.0, v=1.0) == 4.0
    for make in (grad, value_and_grad, hvp, hessian, jacfwd, jacrev):
        with pytest.raises(DifferentiationError, match=r"AD305.*there is no option 'parralel'"):
            make(f, parralel=True)
    for make in (hvp, hessian):
        with pytest.raises(DifferentiationError, match=r"AD305.*there is no option 'has_aux'"):
            make(f, has_aux=True)


@pytest.mark.parametrize("make", [grad, value_and_grad, jacfwd, jacrev])
def test_functions_that_return_no_pair(make):
    with pytest.raises(DifferentiationError, match=r"AD302.*no pair"):
        make(lambda x: x * x, has_aux=True, jit=False)(2.0)


def test_dataclasses_that_are_more_than_their_fields():
    with pytest.raises(DifferentiationError, match=r"AD301.*more than its fields"):
        grad(lambda busy: busy.w * 2.0)(Busy(1.0))
    with pytest.raises(DifferentiationError, match=r"AD102.*does more than setting its fields"):
        grad(lambda w: Busy(w).w, jit=False)(1.0)


def test_records_of_different_fields_are_not_mixed_up():
    def chosen(x):
        p = {"a": x, "b": 2.0 * x} if x > 0.0 else {"b": x, "a": 2.0 * x}
        return p["a"]

    with pytest.raises(DifferentiationError, match=r"AD104"):
        grad(chosen, jit=False)(1.0)


def network(p, x):
    h = x
    for layer in ("one", "two"):
        h = np.tanh(h @ p[layer]["w"] + p[layer]["b"])
    penalty = 0.0
    for part in p.values():
        for name, value in part.items():
            if name == "w":
                penalty += np.sum(value**2)
    return np.sum(h) + 0.1 * penalty


def keyed(d):
    a, b = d
    found = d[a] * d[b] ** 2 * len(d)
    for k, key in enumerate(d):
        found += k * d[key] if key in d.keys() else 1e9
    if "c" in d or 2.0 in d:
        found = 1e9 * found
    return found + d.get("b", 7.0) * d.get("c", 3.0) + max(*d.values()) + sum(v * v for v in d.values())


@JIT
def test_dictionaries_are_gone_over_and_searched_by_their_keys(jit):
    rng = np.random.default_rng(0)
    p = {k: {"w": rng.normal(size=(2, 2)), "b": rng.normal(size=2)} for k in ("one", "two")}
    assert value_and_grad(network, jit=jit)(p, np.ones(2))[0] == pytest.approx(network(p, np.ones(2)))
    assert grad(network, jit=jit).check(p, np.ones(2))
    d = {"a": 1.0, "b": 2.0}
    value, found = value_and_grad(keyed, jit=jit)(d)
    assert value == pytest.approx(keyed(d)) and found == pytest.approx({"a": 10.0, "b": 17.0})


def test_options_that_are_not_given():
    def scaled(x, **options):
        return x * options.get("rate", 2.0) + (1.0 if "shift" in options else 0.0)

    derivative = value_and_grad(scaled, jit=False)
    assert derivative(3.0) == (6.0, 2.0)
    assert derivative(3.0, rate=5.0) == (15.0, 5.0) and derivative(3.0, shift=1.0) == (7.0, 2.0)


def test_numbers_are_no_keys_of_dictionaries():
    with pytest.raises(DifferentiationError, match=r"AD102.*no item 0\n(.*\n)+.*its keys are 'a', 'b'"):
        grad(lambda d: d[0] * d["a"])({"a": 1.0, "b": 2.0})
