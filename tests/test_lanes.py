"""Jacobians and Hessians along several directions at once, against one at a time, and differences."""

import math
import random
from dataclasses import dataclass, replace

import numpy as np
import pytest
from corpus import CORPUS
from function_generator import FunctionGenerator
from fuzzing import fails, function_inputs, inputs, make
from nest_generator import NestGenerator
from numba import njit
from numba.extending import register_jitable
from program_generator import ProgramGenerator
from small_generator import SmallGenerator

from adcompiler import DifferentiationError, grad, hessian, jacfwd, jacobian, jacrev
from adcompiler.runtime import lanes
from adcompiler.runtime.plain_lanes import WIDTH

RNG = np.random.default_rng(7)


def arm(q, lengths):
    """Where the hand of an arm with turning joints is."""
    place, angle = np.zeros(3), 0.0
    for i in range(len(q)):
        angle += q[i]
        place[0] += lengths[i] * math.cos(angle)
        place[1] += lengths[i] * math.sin(angle)
        place[2] += 0.1 * lengths[i] * math.cos(2.0 * angle)
    return place


def chained(q):
    """The same by products of matrices."""
    whole = np.eye(3)
    for i in range(len(q)):
        c, s = math.cos(q[i]), math.sin(q[i])
        whole = whole @ np.array([[c, -s, 0.3], [s, c, 0.0], [0.0, 0.0, 1.0]])
    return whole


def orbit(rates, start, steps):
    """A differential equation, by Euler's method."""
    state = start.copy()
    for _ in range(steps):
        x, y = state
        state[0] += 0.05 * (rates[0] * x - rates[1] * x * y + rates[2])
        state[1] += 0.05 * (rates[3] * x * y - rates[4] * y + rates[5] * x)
    return state


def curve(p, t):
    return p[0] * np.exp(-p[1] * t) + p[2] * np.cos(p[3] * t) + p[4]


def reaction(u):
    """Two substances that react and spread, side by side in one vector."""
    n = len(u) // 2
    change = np.empty(2 * n)
    for i in range(n):
        left, right = (u[i - 1] if i > 0 else 1.0), (u[i + 1] if i < n - 1 else 1.0)
        change[i] = 1.0 + u[i] ** 2 * u[n + i] - 4.0 * u[i] + 0.3 * (left - 2.0 * u[i] + right)
        change[n + i] = 3.0 * u[i] - u[i] ** 2 * u[n + i]
    return change


def solved(a, b):
    return np.linalg.solve(a @ a.T + 3.0 * np.eye(len(a)), b)


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def logistic(w, x, y):
    return np.sum(np.log(1.0 + np.exp(-y * (x @ w)))) + 0.5 * np.sum(w * w)


def network(w, x, y):
    hidden = np.tanh(x @ w[:6].reshape(2, 3))
    return np.mean((hidden @ w[6:9] + w[9] - y) ** 2)


def on_a_list(x):
    kept = [x[0]]
    while kept[-1] < 4.0 and len(kept) < 6:
        kept.append(kept[-1] * x[1] + x[2])
    total = 0.0
    for item in kept:
        total += item * item
    return total * kept[-1]


Q, RATES, P = RNG.normal(size=7), RNG.uniform(size=6), np.array([1.0, 0.5, 0.3, 2.0, 0.1])
X, Y = RNG.normal(size=(6, 2)), np.sign(RNG.normal(size=6))
VECTORS = {
    "arm": (arm, (Q, np.ones(7))),
    "chained": (chained, (RNG.normal(size=9),)),
    "orbit": (orbit, (RATES, np.array([0.4, 0.7]), 9)),
    "curve": (curve, (P, np.linspace(0.0, 3.0, 11))),
    "reaction": (reaction, (RNG.uniform(size=10),)),
    "solved": (solved, (RNG.normal(size=(3, 3)), RNG.normal(size=3))),
}
NUMBERS = {
    "rosenbrock": (rosenbrock, (RNG.normal(size=11),)),
    "logistic": (logistic, (RNG.normal(size=2), X, Y)),
    "network": (network, (RNG.normal(size=10), X, Y)),
    "list": (on_a_list, (np.array([0.5, 1.4, 0.3]),)),
}


def one_at_a_time(derivative):
    """Return a derivative that goes along one direction at a time."""
    derivative.style = replace(derivative.style, in_lanes=False)
    return derivative


def leaves(found):
    return [leaf for part in found for leaf in leaves(part)] if isinstance(found, tuple) else [found]


def floats(args):
    return tuple(k for k, arg in enumerate(args) if np.asarray(arg).dtype.kind == "f")


def assert_same(make_derivative, function, args, jit=False, **options):
    """Hold a derivative against the same along one direction at a time; return whether there is one."""
    options = {"argnums": floats(args), "jit": jit} | options
    try:
        expected = one_at_a_time(make_derivative(function, **options))(*args)
    except DifferentiationError:
        return False
    found = make_derivative(function, **options)(*args)
    for one, two in zip(leaves(found), leaves(expected), strict=True):
        assert np.shape(one) == np.shape(two)
        np.testing.assert_allclose(one, two, rtol=1e-10, atol=1e-11)
    return True


def by_differences(function, args, step=1e-6):
    """Return the Jacobian by the first argument."""
    x, columns = args[0], []
    for k in range(x.size):
        moved = [x.copy(), x.copy()]
        moved[0].flat[k] += step
        moved[1].flat[k] -= step
        high, low = (np.asarray(function(at, *args[1:])) for at in moved)
        columns.append((high - low) / (2.0 * step))
    return np.stack(columns, axis=-1).reshape(*columns[0].shape, *x.shape)


@pytest.mark.parametrize("mode", [jacobian, jacrev])
@pytest.mark.parametrize("name", VECTORS)
def test_jacobians(name, mode):
    function, args = VECTORS[name]
    expected = by_differences(function, args)
    is_compiled = (mode is jacobian) == (name in ("arm", "chained", "reaction"))
    found = mode(function, jit=is_compiled)(*args)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)
    assert_same(mode, function, args, argnums=0)


@pytest.mark.parametrize("name", NUMBERS)
def test_compiled_hessians(name):
    function, args = NUMBERS[name]
    made = hessian(function)
    expected = by_differences(grad(function), args)
    np.testing.assert_allclose(made(*args), expected, rtol=1e-6, atol=1e-6)
    assert "lanes.of" in made.source


@pytest.mark.parametrize("start", range(2))
def test_jacobians_of_the_corpus(start):
    for function, args in CORPUS[start::20]:
        assert_same(jacfwd, function, (*args, *(function.__defaults__ or ())))


def test_hessians_of_the_corpus():
    for function, args in CORPUS[4::30]:
        assert_same(hessian, function, (*args, *(function.__defaults__ or ())))


@pytest.mark.parametrize("generator", [ProgramGenerator, NestGenerator, SmallGenerator, FunctionGenerator])
def test_random_programs(generator):
    for seed in range(2000, 2002):
        rng = random.Random(seed)
        function = make(generator(rng).program(), f"lanes {generator.__name__} {seed}")
        args = (function_inputs if generator is FunctionGenerator else inputs)(rng)
        if not fails(function, args):
            assert_same(jacfwd, function, args)


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 17])
def test_any_number_of_directions(count):
    x = np.linspace(0.1, 1.0, count)
    np.testing.assert_allclose(hessian(lambda x: np.sum(x**3), jit=False)(x), np.diag(6.0 * x))
    np.testing.assert_allclose(jacrev(lambda x: x * x, jit=False)(x), np.diag(2.0 * x))
    if count:
        np.testing.assert_allclose(jacfwd(lambda x: x * x, jit=False)(x), np.diag(2.0 * x))


@dataclass
class Joint:
    angle: float
    axis: np.ndarray


@pytest.mark.parametrize("jit", [False, True])
def test_structures(jit):
    def parts(p, k):
        return {"sum": p["u"] * k + p["v"][0], "pair": (p["v"] * p["u"], k * k)}

    p = {"u": 1.5, "v": np.array([0.2, -0.4, 1.1])}
    by_p, by_k = jacobian(parts, argnums=(0, 1), jit=jit)(p, 0.3)["sum"]
    assert by_p["u"] == 0.3 and by_k == 1.5
    np.testing.assert_allclose(by_p["v"], [1.0, 0.0, 0.0])
    pair = jacobian(parts, jit=jit)(p, 0.3)["pair"]
    np.testing.assert_allclose(pair[0]["v"], 1.5 * np.eye(3))
    np.testing.assert_allclose(pair[0]["u"], p["v"])
    stacked = jacobian(parts, argnums=("p", "k"), stacked=True, jit=jit)(p, 0.3)
    assert stacked["pair"][0].shape == (3, 5) and stacked["sum"].shape == (5,)
    second = hessian(lambda j: j.angle**2 * np.sum(j.axis**3), jit=jit)(Joint(2.0, p["v"]))
    np.testing.assert_allclose(second.angle.axis, 12.0 * p["v"] ** 2)
    np.testing.assert_allclose(second.axis.angle, 12.0 * p["v"] ** 2)
    np.testing.assert_allclose(second.axis.axis, 24.0 * np.diag(p["v"]))
    np.testing.assert_allclose(second.angle.angle, 2.0 * np.sum(p["v"] ** 3))


def test_in_compiled_code_and_of_each_other():
    slopes, curvature = jacobian(reaction), hessian(rosenbrock)

    @njit
    def both(u, x):
        return slopes(u), curvature(x)

    u, x = RNG.uniform(size=10), RNG.normal(size=11)
    first, second = both(u, x)
    np.testing.assert_allclose(first, slopes(u))
    np.testing.assert_allclose(second, jacobian(grad(rosenbrock), jit=False)(x))
    third = jacobian(hessian(rosenbrock), jit=False)(x[:3])
    np.testing.assert_allclose(third, by_differences(hessian(rosenbrock, jit=False), (x[:3],)), atol=1e-4)
    bent = grad(lambda u: np.sum(jacobian(reaction)(u) ** 2), jit=False)(u[:4])
    expected = by_differences(lambda u: np.sum(slopes(u) ** 2), (u[:4],))
    np.testing.assert_allclose(bent, expected, rtol=1e-5)


def test_rows_of_a_gradient_are_products_with_the_hessian():
    x = RNG.normal(size=11)
    found = jacrev(grad(rosenbrock), jit=False)(x)
    np.testing.assert_allclose(found, hessian(rosenbrock, jit=False)(x), rtol=1e-12)


def test_a_number_by_arrays_is_reversed():
    made = jacobian(rosenbrock)
    np.testing.assert_allclose(made(np.ones(5) * 0.3), grad(rosenbrock, jit=False)(np.ones(5) * 0.3))
    assert "rosenbrock_grad" in made.source and "lanes" not in made.source


def spiral(x):
    z = complex(x[0], x[1])
    for _ in range(3):
        z = z * z + 0.1
    return np.array([z.real, z.imag])


def with_a_slope(x):
    return x * grad(lambda s: s**3)(x[0])


@pytest.mark.parametrize("function", [spiral, with_a_slope])
def test_what_takes_no_lanes_goes_one_direction_at_a_time(function):
    x = np.array([0.3, 0.4])
    made = jacobian(function, jit=False)
    np.testing.assert_allclose(made(x), by_differences(function, (x,)), rtol=1e-6)
    assert "lanes" not in made.source


def test_integers_among_the_arguments():
    by_u, by_k = jacobian(lambda p: p[0] * np.ones(2) * p[1], jit=False)((2.0, 3))
    np.testing.assert_allclose(by_u, [3.0, 3.0])
    np.testing.assert_allclose(by_k, [0.0, 0.0])
    assert hessian(lambda p: p[0] ** 2 * p[1], jit=False)((2.0, 3)) == ((6.0, None), (0.0, None))


def test_single_precision_stays_single():
    found = jacobian(lambda x: x * x, jit=False)(np.array([1.0, 2.0], np.float32))
    assert found.dtype == np.float32


A, B, V = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 5)), RNG.normal(size=4)
WIDE = {array.shape: RNG.normal(size=(*array.shape, WIDTH)) for array in (A, B, V)}
OF_ARRAYS = {
    "matrix": (lambda a, b: lanes.matmul(a, lanes.of(b)), [(A, WIDE[4,]), (V, WIDE[4, 5]), (A, WIDE[4, 5])]),
    "lanes": (lambda a, b: lanes.matmul(lanes.of(a), b), [(WIDE[3, 4], V), (WIDE[3, 4], B), (WIDE[4,], B)]),
    "dot": (lambda a, b: lanes.matmul(lanes.of(a), b), [(WIDE[4,], V)]),
    "add": (lambda a, b: lanes.add(lanes.of(a), lanes.of(b)), [(WIDE[3, 4], WIDE[4,])]),
    "sub": (lambda a, b: lanes.sub(b, lanes.of(a)), [(WIDE[3, 4], V), (WIDE[4,], A)]),
    "mul": (lambda a, b: lanes.mul(lanes.of(a), b), [(WIDE[3, 4], A[:, :1]), (WIDE[4,], 2.0)]),
    "ratio": (lambda a, b: lanes.truediv(lanes.of(a), b), [(WIDE[3, 4], V)]),
    "times": (lambda a, b: lanes.times(lanes.of(a), b), [(WIDE[3, 4], V)]),
    "neg": (lambda a, b: lanes.neg(lanes.of(a).T), [(WIDE[3, 4], V)]),
    "full": (lambda a, b: lanes.full_like(b, lanes.of(a)), [(WIDE[4,][0], A)]),
    "sized": (lambda a, b: lanes.full((2, 3), lanes.of(a)), [(WIDE[4,][0], A)]),
    "longer": (lambda a, b: lanes.longer(lanes.of(a))[:4], [(WIDE[4,], V)]),
}


@pytest.mark.parametrize("name", OF_ARRAYS)
def test_functions_of_whole_arrays(name):
    function, cases = OF_ARRAYS[name]
    inner = register_jitable(function)

    @njit
    def run(a, b):
        return lanes.numbers(inner(a, b))

    for a, b in cases:
        expected = lanes.numbers(function(a, b))
        np.testing.assert_allclose(run(a, b), expected)


def test_adding_to_an_array_in_place():
    def run(a, b):
        whole = lanes.of(a)
        lanes.add_to(whole[1:], lanes.of(b))
        return lanes.numbers(whole)

    expected = WIDE[3, 4].copy()
    expected[1:] += WIDE[4,]
    np.testing.assert_allclose(run(WIDE[3, 4].copy(), WIDE[4,]), expected)
    np.testing.assert_allclose(njit(run)(WIDE[3, 4].copy(), WIDE[4,]), expected)


def test_what_numba_does_with_arrays_of_lanes():
    order, mask = np.array([2, 0, 1]), np.array([True, False, True])

    def run(a):
        whole = lanes.of(a)
        turned = np.transpose(whole, (1, 0)).copy()
        turned[1:, 0] = whole[order][1, 1:]
        whole[mask] = 0.0
        whole[order, 3] = whole[order, 1]
        whole[1] = turned.T[1]
        turned[-1, 1] += 2.0
        whole[:, 1:3] = turned.T[:, ::2]
        return lanes.numbers(np.ascontiguousarray(turned.T).ravel()), lanes.numbers(whole.T.flatten())

    for one, two in zip(njit(run)(WIDE[3, 4].copy()), run(WIDE[3, 4].copy()), strict=True):
        np.testing.assert_allclose(one, two)


def overlaps(x):
    return np.array([np.dot(x[:-1], x[1:]), np.dot(x[:8], x[-8:])])


def test_numbers_with_lanes_and_arrays_as_long_as_there_are_lanes():
    x = np.sqrt(np.arange(1.0, 10.0))
    found = jacrev(overlaps, jit=False, broadcasting=True)(x)
    assert np.allclose(found, jacobian(overlaps, jit=False)(x))
