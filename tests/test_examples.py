"""Every example runs and reaches what it says."""

import itertools
import math

import numpy as np
import pytest

import examples.bundle_adjustment as bundle_adjustment
import examples.calibrate_garch as garch
import examples.computation_graph as computation_graph
import examples.implicit_function as implicit
import examples.layers_and_learner as layers
import examples.least_squares as least_squares
import examples.node_network as node_network
import examples.scalar_operations as scalar
import examples.sparse_newton as sparse_newton
import examples.square_exp_square as square
from adcompiler import value_and_grad


@pytest.mark.parametrize(
    ("function", "point", "value", "gradient"), scalar.CHECKS, ids=[c[0].__name__ for c in scalar.CHECKS]
)
@pytest.mark.parametrize("jit", [False, True], ids=["uncompiled", "compiled"])
def test_scalar_operations(function, point, value, gradient, jit):
    found = value_and_grad(function, argnums=range(len(point)), jit=jit)(*point)
    assert found[0] == pytest.approx(value, rel=1e-15)
    assert found[1] == pytest.approx(gradient, rel=1e-14)


def test_sum_over_paths():
    graph = value_and_grad(scalar.two_paths).graph
    at = graph.evaluate(a=2.0, b=1.0)
    assert (at.values["e"], at.adjoints["a"], at.adjoints["b"]) == (6.0, 2.0, 5.0)
    paths = graph.paths("b", "e")
    assert paths == [["b", "c", "e"], ["b", "d", "e"]]
    products = [math.prod(at.partials[edge] for edge in itertools.pairwise(path)) for path in paths]
    assert sum(products) == at.adjoints["b"]


def test_scalar_operations_prints(capsys):
    scalar.main()
    assert "ZeroDivisionError" in capsys.readouterr().out


def test_computation_graph(capsys):
    graph = computation_graph.network
    order = graph.topological_order()
    assert order == ["k1", "x", "b1", "k2", "b2", "y", "L1", "sigmoid", "L2", "loss"]
    assert graph.chain("k1") == "∂loss/∂L2 * ∂L2/∂sigmoid * ∂sigmoid/∂L1 * ∂L1/∂k1"
    assert graph.chain("b2") == "∂loss/∂L2 * ∂L2/∂b2"
    point = {"k1": 0.5, "b1": -0.2, "k2": 1.5, "b2": 0.1, "x": 2.0, "y": 1.0}
    at = graph.evaluate(**point)
    s = 1 / (1 + math.exp(-0.8))
    assert at.values["sigmoid"] == pytest.approx(s)
    assert at.adjoints["k1"] == pytest.approx(2 * (1.5 * s + 0.1 - 1) * 1.5 * s * (1 - s) * 2.0)
    computation_graph.main()
    assert "goes in a circle" in capsys.readouterr().out


def test_implicit_function(capsys):
    one, other, orbit = implicit.main()
    np.testing.assert_allclose(one, other, rtol=1e-9)
    np.testing.assert_allclose(orbit, implicit.TRUE, atol=2e-3)
    assert "times as long" in capsys.readouterr().out


def test_square_exp_square():
    value, slope = square.composed(0.5)
    assert value == pytest.approx(math.exp(0.25) ** 2)
    assert slope == pytest.approx(3.297442541400256, rel=1e-15)


def test_layers_and_learner():
    np.testing.assert_allclose(layers.main(), [*range(1, 11), 3.0], atol=1e-3)


def test_node_network():
    np.testing.assert_allclose(node_network.main(), node_network.TARGET, atol=1e-3)


def test_calibrate_garch():
    exact, differences = garch.main()
    assert exact.nfev < differences.nfev / 2
    np.testing.assert_allclose(garch.natural(exact.x), garch.natural(differences.x), atol=1e-4)
    assert exact.fun == pytest.approx(differences.fun, abs=1e-9)


def test_least_squares(tmp_path, monkeypatch):
    monkeypatch.setattr(least_squares, "PICTURE", tmp_path / "fit.png")
    rates, errors, other = least_squares.main()
    np.testing.assert_allclose(rates, other, rtol=1e-5)
    assert np.all(np.abs(rates - least_squares.TRUE) < 4.0 * errors)
    assert np.all(errors < 0.05 * least_squares.TRUE)
    assert (tmp_path / "fit.png").stat().st_size > 5000


def test_sparse_newton():
    u, errors = sparse_newton.main(n=20)
    assert errors[-1] < 1e-12 < errors[-2]
    assert np.abs(u - u.T).max() < 1e-12


def test_bundle_adjustment():
    before, after = bundle_adjustment.main(count=6)
    assert after < bundle_adjustment.NOISE < before


def test_train_digits(tmp_path, monkeypatch):
    import examples.train_digits as digits

    monkeypatch.setattr(digits, "PICTURE", tmp_path / "loss.png")
    assert digits.main() >= 0.96
    assert (tmp_path / "loss.png").stat().st_size > 5000
