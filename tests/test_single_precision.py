"""Programs over float32: gradients in single precision, near those in double, and nothing double besides."""

import ast
import random

import numpy as np
import pytest
from array_generator import ArrayGenerator
from fuzzing import fails, inputs, make
from nest_generator import NestGenerator
from program_generator import ProgramGenerator
from single_programs import PROGRAMS as WHOLE
from small_generator import SmallGenerator

from adcompiler import DifferentiationError, grad, hvp, jacobian, jvp, value_and_grad, vjp
from adcompiler.analysis.types import element, infer
from adcompiler.api.explaining import plan_of
from adcompiler.graph.walk import defined

PROGRAMS = {
    "chain": "    y = np.tanh(x) * w\n    return np.sum(y * y)\n",
    "mean": "    return np.mean(np.exp(-x * x) / (1 + w * w))\n",
    "slices": (
        "    z = np.zeros_like(x)\n"
        "    z[1:] = x[1:] * w[:-1] + np.float32(2) * x[:-1]\n"
        "    return np.sum(np.maximum(z, 0) ** 2)\n"
    ),
    "loop": (
        "    s = np.float32(0)\n"
        "    for k in range(3):\n"
        "        x = x * w + np.sin(x)\n"
        "        s += np.sum(x) * np.float32(0.5)\n"
        "    return s\n"
    ),
    "where": (
        "    m = np.where(x > 0, x, np.log1p(w * w))\n    return np.sum(np.sqrt(m * m + 1)) / x.size\n"
    ),
    "rows": "    y = np.outer(x, w)\n    return np.sum(np.sum(y * y, axis=1) * x + np.sum(y, axis=0))\n",
}


@pytest.mark.parametrize("jit", [False, True], ids=["uncompiled", "compiled"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_single_precision(name, jit):
    program = make(f"import numpy as np\n\ndef program(x, w):\n{PROGRAMS[name]}", f"single {name}")
    rng = np.random.default_rng(3)
    args = [rng.normal(size=30).astype(np.float32) for _ in range(2)]
    value, gradients = value_and_grad(program, argnums=(0, 1), jit=jit)(*args)
    exact, expected = value_and_grad(program, argnums=(0, 1), jit=False)(*[a.astype(float) for a in args])
    assert value == pytest.approx(exact, rel=1e-5)
    for found, other in zip(gradients, expected, strict=True):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, other, rtol=1e-4, atol=1e-5 * np.max(np.abs(other)))


def test_vector_functions_reach_array_expressions():
    program = make(f"import numpy as np\n\ndef program(x, w):\n{PROGRAMS['chain']}", "single chain")
    gradient = value_and_grad(program)
    x = np.ones(4, np.float32)
    gradient(x, x)
    assert "fast.tanh32(x[i])" in gradient.source


def in_double(argument):
    """Return an argument in double precision; whole numbers as they are."""
    if isinstance(argument, np.ndarray):
        return argument.astype(float) if argument.dtype == np.float32 else argument
    return float(argument) if isinstance(argument, np.float32) else argument


def graphs(derivative, args):
    """Return the final graphs of what a derivative is for some arguments."""
    return plan_of(derivative, derivative._specialise(derivative.layouts(args))).parts


def assert_near(found, expected, tolerance=1e-5):
    for one, other in zip(found, expected, strict=True):
        size = np.max(np.abs(other), initial=0.0)
        np.testing.assert_allclose(np.asarray(one, float), other, rtol=tolerance, atol=tolerance * size)


DOUBLE = {"network": {"ratio"}, "sigmoid_loss": {"ratio"}}
"""Reciprocals of sizes, which are rounded before they meet anything."""


@pytest.mark.parametrize("name", WHOLE)
def test_nothing_is_double(name):
    function, args, wrt = WHOLE[name]
    derivative = value_and_grad(function, argnums=wrt, jit=False)
    value, gradients = derivative(*args)
    exact, expected = derivative(*map(in_double, args))
    assert_near((value, *gradients), (exact, *expected))
    for graph in graphs(derivative, args):
        types = infer(graph, [param.type for param in graph.body.params])
        wide = {v.name for v in defined(graph.body) if str(element(types[v])) == "float64"}
        assert wide == DOUBLE.get(name, set())
        assert all(
            str(types[v]) == str(v.type) for v in defined(graph.body) if str(v.type).startswith("float")
        )


@pytest.mark.parametrize("name", ["recurrence", "burgers", "norm_layer", "conv", "list_states", "pooling"])
def test_compiled(name):
    function, args, wrt = WHOLE[name]
    value, gradients = value_and_grad(function, argnums=wrt)(*args)
    exact, expected = value_and_grad(function, argnums=wrt, jit=False)(*map(in_double, args))
    assert_near((value, *gradients), (exact, *expected))
    assert all(g.dtype == np.float32 for g in gradients if isinstance(g, np.ndarray))


@pytest.mark.parametrize("name", ["network", "heat", "attention", "leapfrog", "particles"])
def test_other_derivatives(name):
    function, args, wrt = WHOLE[name]
    exact = tuple(map(in_double, args))
    tangents = [np.ones_like(arg) if k in wrt else None for k, arg in enumerate(args)]
    doubles = [None if t is None else in_double(t) for t in tangents]
    assert_near(jvp(function, args, tangents, jit=False), jvp(function, exact, doubles, jit=False))
    directions = tuple(tangents[k] for k in wrt)
    product, reference = (hvp(function, argnums=wrt, jit=False) for _ in range(2))
    found = product(*args, directions)
    assert_near(found, reference(*exact, tuple(map(in_double, directions))), 1e-4)
    assert all(np.asarray(part).dtype == np.float32 for part in found)


def scaled(x, w):
    return np.tanh(x * w) * np.float32(0.5)


def test_matrices_and_pullbacks():
    x, w = np.float32([0.3, -0.7, 1.1]), np.float32([1.2, 0.4, -0.5])
    matrix = jacobian(scaled)(x, w)
    assert matrix.dtype == np.float32
    assert_near([matrix], [jacobian(scaled)(x.astype(float), w.astype(float))])
    outputs, pullback = vjp(scaled, x, w)
    adjoints = pullback(np.ones_like(outputs))
    assert [part.dtype for part in (outputs, *adjoints)] == [np.float32] * 3
    assert_near([adjoints[0]], [np.diag(matrix)])


def wider(x):
    return np.float64(x) + 1e-9


def test_widening_is_meant():
    assert value_and_grad(wider)(np.float32(1.0)) == (1.0 + 1e-9, 1.0)


def squares(x, y):
    total = np.float32(0)
    for i in range(len(x)):
        total += x[i] * y
    return total * total


def test_wide_sums():
    x, y = np.full(1_000_000, 0.1, np.float32), np.float32(0.3)
    exact = grad(squares, argnums="y")(x.astype(float), float(y))
    error = {
        wide: abs(grad(squares, argnums="y", wide_sums=wide)(x, y) / exact - 1) for wide in (False, True)
    }
    assert error[True] < 3e-7 < error[False]


class Single(ast.NodeTransformer):
    """Writes the constants of a program in single precision."""

    def visit_Constant(self, node):
        if type(node.value) is not float:
            return node
        return ast.Call(ast.parse("np.float32", mode="eval").body, [node], [])


def in_single(source):
    return ast.unparse(ast.fix_missing_locations(Single().visit(ast.parse(source))))


def is_steep(derivative, args, gradients):
    """Tell whether rounding the arguments moves the gradient."""
    moved = derivative(*(arg * (1 + 3e-7) for arg in args))[1]
    large = max(np.max(np.abs(g)) for g in gradients) > 1e5
    return large or not all(
        np.allclose(a, b, rtol=1e-4, atol=1e-4) for a, b in zip(gradients, moved, strict=True)
    )


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("generator", [NestGenerator, ArrayGenerator, SmallGenerator, ProgramGenerator])
def test_random_programs(generator, seed):
    rng = random.Random(seed)
    source = generator(rng).program()
    args = tuple(np.float32(arg) for arg in inputs(rng))
    exact = tuple(np.asarray(arg, float)[()] for arg in args)
    wrt = range(4)
    reference = value_and_grad(make(source, f"double {seed}"), argnums=wrt, jit=False)
    single = value_and_grad(make(in_single(source), f"single {seed}"), argnums=wrt, jit=False)
    try:
        if fails(reference.python, exact) or is_steep(reference, exact, expected := reference(*exact)[1]):
            pytest.skip("rounding the arguments moves the gradient")
        gradients = single(*args)[1]
    except DifferentiationError as refusal:
        pytest.skip(f"refused: {refusal.code}")
    assert_near(gradients, expected, 3e-3)
    assert all(np.asarray(g).dtype == np.float32 for g in gradients[2:])


@pytest.mark.parametrize("jit", [False, True])
def test_double_beside_single_stays_double(jit):
    """An argument in double precision has a gradient in double precision, whatever it is multiplied by."""
    x, t = np.array([1.0, 2.0, 3.0]), np.array([0.1, 0.2, 0.3], np.float32)
    found = grad(lambda x, t: np.sum(3.1 * (t * x)), argnums=(0, 1), jit=jit)(x, t)
    assert [part.dtype for part in found] == [np.float64, np.float32]
    np.testing.assert_allclose(found[0], 3.1 * t.astype(np.float64), rtol=1e-7 if not jit else 1e-15)
    np.testing.assert_allclose(found[1], 3.1 * x, rtol=1e-6)


def rounded_steps(x):
    t = np.zeros(len(x), np.float32)
    total = 0.0
    for i in range(len(x)):
        t[i] = 0.1 * i + 1e-9
    for i in range(len(x)):
        total += t[i] * x[i] * 1e6 - (i * 0.1) * x[i] * 1e6
    return total


def test_what_cancels_in_double_precision():
    steps = np.array([0.1 * i + 1e-9 for i in range(3)], np.float32).astype(np.float64)
    expected = 1e6 * steps - 1e6 * (np.arange(3) * 0.1)
    np.testing.assert_allclose(grad(rounded_steps)(np.ones(3)), expected, rtol=1e-6)
