"""Functions of numbers that stay functions in the derivative, instead of being inlined at every call."""

import math
import random

import numpy as np
import pytest
from call_generator import CallGenerator
from fuzzing import disagreement, make
from numba import njit

from adcompiler import grad, value_and_grad, vjp
from adcompiler.frontend import staying
from adcompiler.testing import check_grad


@pytest.fixture
def eager(monkeypatch):
    """Let every function stay that can."""
    monkeypatch.setattr(staying, "WORTH", 0)


def functions_in(source):
    return [line.split("(")[0][4:] for line in source.splitlines() if line.startswith("def ")]


def tree(depth):
    """Return a function that calls another one twice, and so on."""
    lines = [
        "import math",
        "def f0(x, y):",
        "    r = math.sqrt(x * x + y * y + 1.0)",
        "    return math.sin(x * y) / r + math.exp(-r)",
    ]
    for k in range(1, depth + 1):
        lines += [
            f"def f{k}(x, y):",
            f"    a = f{k - 1}(x, y * 0.5)",
            f"    return math.cos(a * f{k - 1}(a, x) + x)",
        ]
    lines += ["def program(x, y):", f"    return f{depth}(x, y)"]
    return make("\n".join(lines) + "\n", f"tree {depth}")


def test_text_grows_with_the_program_and_not_with_its_calls():
    lines = []
    for depth in (6, 8, 10):
        derivative = value_and_grad(tree(depth), argnums=(0, 1), jit=False)
        derivative(0.3, 0.4)
        lines.append(len(derivative.source.splitlines()))
    assert abs(lines[2] - 2 * lines[1] + lines[0]) < 10 and lines[2] < 400
    check_grad(tree(8), (0.3, 0.4), jit=False)


def test_other_derivatives_of_such_a_program():
    function = tree(6)
    value, pull = vjp(function, 0.3, 0.4)
    assert np.isclose(value, function(0.3, 0.4), rtol=1e-13)
    expected = grad(function, argnums=(0, 1), jit=False)(0.3, 0.4)
    assert np.allclose(pull(1.0), expected, rtol=1e-12)


def step(x, v, k, h):
    force = -k * math.sin(x) - 0.1 * v * abs(v)
    return x + h * v, v + h * force


def swing(p):
    x, v = p[0], p[1]
    for i in range(6):
        if i % 2 == 0:
            x, v = step(x, v, p[2], 0.1)
        else:
            x, v = step(x, v, 2.0, h=0.05)
    return x * x + v


def early(x, n=3):
    if x > 1.0:
        return x * x
    for i in range(n):
        if x * i > 0.9:
            return math.sin(x) * i
    return x**3


def leaves_early(p):
    total = 0.0
    for q in p:
        total += early(q) * early(0.3 * q, 5) + early(n=2, x=2.0 * q)
    return total


def several(x, y):
    return x * x * y, 3.0 * y, 7.0, x


def reads_some(p):
    a, b, c, _ = several(p[0], p[1])
    e = several(a, p[2])
    return a * b + e[0] * c + e[3]


def logarithm(x):
    return np.log(x) + x * x


def leaves_out(p):
    values, mean = np.empty(len(p)), 0.0
    for i in range(len(p)):
        values[i] = logarithm(p[i] - 0.4)
        mean = 0.9 * mean + 0.1 * p[i]
    return np.sum(np.where(p > 0.5, values, p)) + logarithm(p[1] + 1.0) + mean


def distance(a, b):
    return math.sqrt(a * a + b * b)


def pairs(p):
    total = 0.0
    for i in range(len(p)):
        for j in range(len(p)):
            r = distance(p[i] - p[j], 0.5 * (p[i] - p[j]))
            total = 0.9 * total + r * r + distance(p[i], 1.0)  # one after the other
    return total


@njit
def decay(x, rate):
    return x * math.exp(-rate * x) / (1.0 + x)


def dispatchers(p):
    return decay(p[0], p[1]) * decay(p[1], 0.3) + decay(0.2, p[2])


def constants(p):
    return decay(0.3, 0.1) * p[0] + decay(0.1, 0.2) * p[1] + p[2]


def square(a):
    return a * a + (2.0 * a) ** 2


def root(s):
    return math.sqrt(s)


def root_of_another_function(p):
    total = 0.0
    for i in range(len(p)):
        for j in range(len(p)):
            total = 0.9 * total + root(square(p[i] - p[j])) + root(square(p[i] - 1.0))
    return total


PROGRAMS = [
    swing,
    leaves_early,
    reads_some,
    leaves_out,
    pairs,
    root_of_another_function,
    dispatchers,
    constants,
]
POINT = np.array([0.7, 0.4, 1.3])


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # of what is left out
def test_program(program, jit, eager):
    derivative = value_and_grad(program, jit=jit)
    value, gradient = derivative(POINT)
    assert len(functions_in(derivative.source)) > 1
    staying.WORTH = math.inf
    inlined = value_and_grad(program, jit=False)
    expected = inlined(POINT)
    assert len(functions_in(inlined.source)) == 1
    assert np.isclose(value, expected[0], rtol=1e-13)
    assert np.allclose(gradient, expected[1], rtol=1e-12)
    assert np.all(np.isfinite(gradient))


def test_sums_that_are_doubled_again_and_again(eager):
    lines = ["import math", "def helper(x):", "    y0 = math.exp(x)"]
    lines += [f"    y{k + 1} = y{k} + y{k}" for k in range(60)]
    lines += ["    return math.sin(1e-18 * y60)", "def program(x):", "    return helper(x) * helper(2.0 * x)"]
    program = make("\n".join(lines) + "\n", "doubled")
    check_grad(program, (0.1,), jit=False)


def test_one_function_for_calls_with_different_active_arguments(eager):
    derivative = value_and_grad(swing, jit=False)
    derivative(POINT)
    assert functions_in(derivative.source) == ["step", "step_adjoint", "swing_value_and_grad"]


def scaled(x, n):
    total = 0.0
    for k in range(n):
        total += math.sin(x * k) * math.exp(total)
    return total


def of_arrays(x):
    return np.sum(x * x) * x[0]


def inlined_after_all(p):
    return scaled(p[0], 3) * scaled(p[1], 4) + of_arrays(p) * of_arrays(2.0 * p)


def test_what_needs_arrays_is_inlined(eager):
    derivative = value_and_grad(inlined_after_all, jit=False)
    derivative(POINT)
    assert functions_in(derivative.source) == ["inlined_after_all_value_and_grad"]
    check_grad(inlined_after_all, (POINT,), jit=False)


def book(p, strikes):
    total = 0.0
    for i in range(len(strikes)):
        total += decay(p[0], strikes[i]) * decay(strikes[i], p[1])
    return total


def stepped(p, strikes):
    x = p[0]
    for i in range(len(strikes)):
        x = decay(x, strikes[i]) + decay(strikes[i], p[1])
    return x


def test_what_llvm_can_vectorise_is_inlined(eager):
    for program, count in ((book, 1), (stepped, 3)):
        derivative = value_and_grad(program, jit=False)
        derivative(POINT, np.array([0.2, 0.5]))
        assert len(functions_in(derivative.source)) == count
        check_grad(program, (POINT, np.array([0.2, 0.5])), jit=False)


def test_arguments_of_several_types(eager):
    derivative = grad(lambda x, n: decay(x, n) + decay(n * x, x) + decay(x, 1), jit=False)
    assert np.isclose(
        derivative(0.5, 2), grad(lambda x: decay(x, 2.0) + decay(2.0 * x, x) + decay(x, 1.0))(0.5)
    )


def test_refusals_are_told_of_the_users_line(eager):
    def unknown(x):
        return np.busday_count(x) * x

    def program(x):
        return unknown(x) + unknown(2.0 * x)

    with pytest.raises(Exception, match=r"busday_count"):
        grad(program)(1.0)


@pytest.mark.parametrize("start", range(0, 24, 8))
def test_random_programs(start, eager):
    for seed in range(start, start + 8):
        rng = random.Random(seed)
        source = CallGenerator(rng).program()
        problem = disagreement(source, f"calls {seed}", rng)
        assert problem is None, f"{problem}\n{source}"


@pytest.mark.parametrize("seed", range(900, 903))
def test_random_programs_compiled(seed, eager):
    rng = random.Random(seed)
    source = CallGenerator(rng).program()
    problem = disagreement(source, f"calls {seed}", rng, jit=True)
    assert problem is None, f"{problem}\n{source}"
