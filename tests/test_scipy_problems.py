"""Problems for SciPy's minimisers, of parameters of any structure."""

from typing import NamedTuple

import numpy as np
import pytest
from scipy.optimize import minimize

from adcompiler.bridges.scipy_problems import scipy_problem


class Curve(NamedTuple):
    height: float
    rates: np.ndarray


T = np.linspace(0.0, 2.0, 30)
SEEN = 2.0 * np.exp(-1.5 * T) * np.cos(0.7 * T)


def misfit(curve, t, seen):
    return np.sum((curve.height * np.exp(-curve.rates[0] * t) * np.cos(curve.rates[1] * t) - seen) ** 2)


START = Curve(1.0, np.array([1.0, 0.5]))


@pytest.mark.parametrize("method", ["L-BFGS-B", "trust-constr"])
def test_a_fit_with_bounds(method):
    is_second = method == "trust-constr"
    low, high = 0.0, Curve(1.8, np.array([9.0, 9.0]))
    problem = scipy_problem(misfit, START, T, SEEN, bounds=(low, high), second_order=is_second)
    assert problem.arguments["bounds"].tolist() == [[0.0, 1.8], [0.0, 9.0], [0.0, 9.0]]
    found = problem.parameters(minimize(**problem.arguments, method=method, tol=1e-10).x)
    assert type(found) is Curve and type(found.height) is float
    assert found.height == pytest.approx(1.8, abs=1e-4)
    free = scipy_problem(misfit, START, T, SEEN)
    best = free.parameters(minimize(**free.arguments).x)
    np.testing.assert_allclose([best.height, *best.rates], [2.0, 1.5, 0.7], rtol=1e-3)


def test_products_with_the_hessian():
    problem = scipy_problem(misfit, START, T, SEEN, second_order=True)
    x, v, h = problem.arguments["x0"], np.array([0.3, -1.0, 0.5]), 1e-5
    slope = lambda x: problem.arguments["fun"](x)[1]  # noqa: E731
    expected = (slope(x + h * v) - slope(x - h * v)) / (2 * h)
    np.testing.assert_allclose(problem.arguments["hessp"](x, v), expected, rtol=1e-6)


def test_constraints_of_several_values():
    def cost(x, centre):
        return np.sum((x - centre) ** 2)

    def plane(x, centre):
        return np.sum(x)

    def ball_and_wall(x, centre):
        return np.array([np.sum(x * x), x[1] - x[2]])

    centre = np.array([2.0, 0.0, 0.0])
    limits = (plane, 0.5, 0.5), (ball_and_wall, np.array([-np.inf, 0.2]), np.array([1.0, np.inf]))
    problem = scipy_problem(cost, np.zeros(3), centre, constraints=limits)
    found = minimize(**problem.arguments, method="SLSQP")
    x = problem.parameters(found.x)
    assert found.success and np.sum(x) == pytest.approx(0.5)
    assert np.sum(x * x) <= 1.0 + 1e-6 and x[1] - x[2] >= 0.2 - 1e-6
    of_plane, of_both = (one.jac(x) for one in problem.arguments["constraints"])
    np.testing.assert_allclose(of_plane, [np.ones(3)])
    np.testing.assert_allclose(of_both, [2.0 * x, [0.0, 1.0, -1.0]])


def test_parameters_that_are_not_varied_are_refused():
    with pytest.raises(TypeError, match="no float"):
        scipy_problem(lambda p: p[0] * p[1], (1.0, 3))
