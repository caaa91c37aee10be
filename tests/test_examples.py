"""Every example runs and reaches what it says."""

import itertools
import math

import numpy as np
import pytest

import examples.bundle_adjustment as bundle_adjustment
import examples.calibrate_garch as garch
import examples.character_lstm as lstm
import examples.computation_graph as computation_graph
import examples.fourier_deblurring as deblurring
import examples.gaussian_process as process
import examples.hamiltonian_monte_carlo as monte_carlo
import examples.heat_flux as heat
import examples.implicit_function as implicit
import examples.kalman_smoother as kalman
import examples.layers_and_learner as layers
import examples.least_squares as least_squares
import examples.node_network as node_network
import examples.option_greeks as greeks
import examples.pendulum_control as pendulum
import examples.power_grid as grid
import examples.rainfall_runoff as river
import examples.robot_arm as arm
import examples.scalar_operations as scalar
import examples.sparse_newton as sparse_newton
import examples.square_exp_square as square
import examples.time_series_average as series
import examples.train_digits as digits
import examples.wave_inversion as wave
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


def test_calibrate_garch(tmp_path):
    from arch import arch_model

    exact, differences, theta, errors = garch.main(picture=tmp_path / "picture.png")
    assert exact.nfev < differences.nfev / 2
    np.testing.assert_allclose(garch.natural(exact.x), garch.natural(differences.x), atol=1e-3)
    r = 100.0 * np.diff(np.log(garch.sp500.load()["Adj Close"].to_numpy()))
    found = arch_model(r).fit(disp="off")
    np.testing.assert_allclose(theta, found.params, rtol=0.05)
    assert -exact.fun * len(r) == pytest.approx(found.loglikelihood, abs=5.0)
    assert np.all(errors < 0.3 * theta)


def test_least_squares(tmp_path):
    rates, errors, other = least_squares.main(picture=tmp_path / "picture.png")
    np.testing.assert_allclose(rates, other, rtol=1e-5)
    assert np.all(np.abs(rates - least_squares.TRUE) < 4.0 * errors)
    assert np.all(errors < 0.05 * least_squares.TRUE)


def test_sparse_newton():
    u, errors = sparse_newton.main(n=20)
    assert errors[-1] < 1e-12 < errors[-2]
    assert np.abs(u - u.T).max() < 1e-12


def test_bundle_adjustment():
    before, after = bundle_adjustment.main(count=6)
    assert after < bundle_adjustment.NOISE < before


def test_train_digits(tmp_path):
    assert digits.main(tmp_path / "digits.png") >= 0.96
    assert (tmp_path / "digits.png").stat().st_size > 5000


def test_kalman_smoother(tmp_path):
    import statsmodels.api as sm

    variances, level, error = kalman.main(picture=tmp_path / "picture.png")
    flow = kalman.nile.load_pandas().data["volume"].to_numpy().copy()
    for years in kalman.LOST:
        flow[years] = np.nan
    model = sm.tsa.UnobservedComponents(flow, "llevel")
    model.ssm.initialize_known(np.zeros(1), np.full((1, 1), kalman.DIFFUSE))
    found = model.smooth(variances)
    np.testing.assert_allclose(level, found.smoothed_state[0], rtol=1e-6)
    np.testing.assert_allclose(error, np.sqrt(found.smoothed_state_cov[0, 0]), rtol=1e-4)
    for k in range(2):  # no other variances are more likely
        for factor in (0.9, 1.1):
            other = variances * np.where(np.arange(2) == k, factor, 1.0)
            assert model.loglike(other) < model.loglike(variances)


def test_fourier_deblurring(tmp_path):
    n = 16
    image, response = np.random.default_rng(0).random((n, n)), deblurring.bell(n, 1.2)
    wanted = np.fft.ifft2(np.fft.fft2(image) * response).real
    np.testing.assert_allclose(deblurring.blurred(image, response, *deblurring.tables(n)), wanted, rtol=1e-12)
    before, after = deblurring.main(n=64, steps=60, picture=tmp_path / "picture.png")
    assert after > before + 1.5


def test_hamiltonian_monte_carlo(tmp_path):
    mean, spread, r_hat = monte_carlo.main(count=4000, picture=tmp_path / "picture.png")
    assert mean == pytest.approx(4.4, abs=0.3)
    assert spread == pytest.approx(3.6, abs=0.4)
    assert r_hat < 1.01


def test_gaussian_process(tmp_path):
    off, inside = process.main(every=4, steps=30, picture=tmp_path / "picture.png")
    assert off < 2.0
    assert inside > 0.8


def test_option_greeks(tmp_path):
    found, delta, rho = greeks.main(count=5, picture=tmp_path / "picture.png")
    np.testing.assert_allclose(found, greeks.TRUE, rtol=1e-5)
    h = 1e-3
    call = greeks.heston
    up, down = (call(greeks.SPOT + d, 100.0, 1.0, greeks.RATE, greeks.TRUE) for d in (h, -h))
    assert delta == pytest.approx((up - down) / (2 * h), rel=1e-6)
    up, down = (call(greeks.SPOT, 100.0, 1.0, greeks.RATE + d, greeks.TRUE) for d in (h, -h))
    assert rho == pytest.approx((up - down) / (2 * h), rel=1e-5)
    calm = np.array([0.04, 1.0, 0.04, 1e-2, 0.0])  # a variance that stays is Black and Scholes'
    assert call(100.0, 110.0, 1.0, 0.02, calm) == pytest.approx(
        greeks.black_scholes(100.0, 110.0, 1.0, 0.02, 0.2), abs=1e-3
    )
    volatility = greeks.implied_volatility(9.0, 100.0, 1.0)
    assert greeks.black_scholes(100.0, 100.0, 1.0, greeks.RATE, volatility) == pytest.approx(9.0, rel=1e-12)


def test_pendulum_control(tmp_path):
    last, forces = pendulum.main(count=50, steps=120, picture=tmp_path / "picture.png")
    np.testing.assert_allclose(last, [0.0, math.pi, 0.0, 0.0], atol=0.1)
    assert np.max(np.abs(forces)) < 12.0


def test_robot_arm(tmp_path):
    off, angles = arm.main(count=40, picture=tmp_path / "picture.png")
    assert off < 1e-6
    places = arm.frames(angles[7])[:, :3, 3]
    lengths = np.linalg.norm(np.diff(places, axis=0), axis=1)
    np.testing.assert_allclose(lengths, arm.OFFSET, atol=1e-12)


def test_heat_flux(tmp_path):
    error, fit = heat.main(cells=100, steps=2000, count=20, place=6, picture=tmp_path / "picture.png")
    assert error < 0.05
    assert fit < 0.3


def test_wave_inversion(tmp_path):
    losses, missed = wave.main(n=24, shots=4, steps=25, picture=tmp_path / "picture.png")
    assert losses[-1] < 0.02 * losses[0]
    assert missed < 0.5


def test_time_series_average(tmp_path):
    mean, found, average = series.main(count=8, length=60, steps=40, picture=tmp_path / "picture.png")
    assert mean < 0.7 < 0.85 < found < 1.05
    assert series.soft_dtw(average, average, 1e-6) == pytest.approx(0.0, abs=1e-3)


def test_power_grid(tmp_path):
    flow, before, after, voltages = grid.main(picture=tmp_path / "picture.png")
    np.testing.assert_allclose(np.degrees(flow[:2]), [9.28, 4.66], atol=0.01)  # of the book
    assert before == pytest.approx(4.64, abs=0.01)
    assert after < 0.9 * before
    assert np.all(voltages <= 1.1)
    y = grid.admittances()
    for k in range(3):
        up, down = (grid.losses(voltages + d * (np.arange(3) == k), *y)[0] for d in (1e-6, -1e-6))
        assert grid.losses(voltages, *y)[1][k] == pytest.approx((up - down) / 2e-6, abs=1e-3)


def test_rainfall_runoff(tmp_path):
    found, efficiency = river.main(years=5, steps=500, picture=tmp_path / "picture.png")
    assert efficiency > 0.97
    np.testing.assert_allclose(found, river.TRUE, rtol=0.15)


def test_character_lstm(tmp_path):
    last, by_chance = lstm.main(size=32, length=20, batch=16, steps=300, picture=tmp_path / "picture.png")
    assert last < 0.85 * by_chance
