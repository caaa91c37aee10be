"""`with grad_of(x) as d:`: statements that run on an adjoint, in loops and branches, compiled or not."""

import math

import numpy as np
import pytest
from numba import float64, njit

from adcompiler import DifferentiationError, grad, grad_of, hvp, jacrev, jvp, value_and_grad, vjp
from adcompiler.graph.text import to_text
from adcompiler.pipeline import Unit, primal_graph, through
from adcompiler.watch import without

JIT = pytest.mark.parametrize("jit", [False, True], ids=["uncompiled", "compiled"])


def clipped(x, w):
    total = 0.0
    for i in range(len(x)):
        h = x[i] * w
        with grad_of(h) as d:
            d = max(-1.0, min(d, 1.0))
        total += h * h
    return total


@JIT
def test_clipping_changes_what_flows_on(jit):
    x, w = np.array([0.1, 2.0, -3.0]), 1.5
    value, (d_x, d_w) = value_and_grad(clipped, (0, 1), jit=jit)(x, w)
    d_h = np.clip(2.0 * x * w, -1.0, 1.0)
    assert value == pytest.approx(np.sum((x * w) ** 2))
    np.testing.assert_allclose(d_x, d_h * w)
    assert d_w == pytest.approx(d_h @ x)


@JIT
def test_printing_runs_backwards(jit, capfd):
    def f(x):
        for i in range(3):
            x = x * 2.0
            with grad_of(x) as d:
                print("at", i, x, d)
        return x

    grad(f, jit=jit)(1.0)
    assert capfd.readouterr().out.splitlines() == ["at 2 8.0 1.0", "at 1 4.0 2.0", "at 0 2.0 4.0"]


@JIT
def test_assertions_stop_the_reverse_sweep(jit):
    def f(x):
        y = x * x
        with grad_of(y) as d:
            assert d < 5.0, "too steep"
        return 10.0 * y if x > 1.0 else y

    assert grad(f, jit=jit)(0.5) == 1.0
    with pytest.raises(AssertionError, match="too steep"):
        grad(f, jit=jit)(2.0)


@JIT
def test_branches_and_while_loops(jit):
    def f(x, scale):
        while x < 10.0:
            x = x * x
            if x > 5.0:
                with grad_of(x) as d:
                    d = d * scale
        return x

    # 2 → 4 → 16: the last square is scaled, the first one is not
    assert grad(f, jit=jit)(2.0, 0.5) == pytest.approx(0.5 * 8.0 * 4.0)


@JIT
def test_arrays_are_changed_in_place_or_made_anew(jit):
    def f(x, a):
        y = np.exp(x)
        with grad_of(y) as d:
            d *= 0.5
            d[0] = a
        with grad_of(y) as d:
            d = d / np.sqrt(np.sum(d * d))
        return np.sum(y * y)

    x = np.array([0.1, 0.2, 0.3])
    d = 2.0 * np.exp(x)
    d /= np.linalg.norm(d)
    d *= 0.5
    d[0] = 7.0
    np.testing.assert_allclose(grad(f, jit=jit)(x, 7.0), d * np.exp(x))


@JIT
def test_arrays_that_are_written(jit):
    def f(x):
        b = np.zeros(3)
        for i in range(3):
            b[i] = x * (i + 1)
            with grad_of(b) as d:
                d[i] = d[i] * b[i]
        return np.sum(b)

    assert grad(f, jit=jit)(2.0) == pytest.approx(sum(2.0 * (i + 1) ** 2 for i in range(3)))


def half(v):
    with grad_of(v) as d:
        d = 0.5 * d
    return v


def test_uses_above_and_elsewhere_are_left_alone():
    assert grad(lambda x: half(x) * x)(3.0) == pytest.approx(0.5 * 3.0 + 3.0)

    def above(x):
        y = 2.0 * x
        z = y * y
        with grad_of(y) as d:
            d = 0.0
        return z + y

    assert grad(above)(3.0) == pytest.approx(2.0 * 2.0 * 6.0), "y * y stands above the block"


def test_in_functions_that_numba_compiles_and_in_compiled_callers():
    slope = grad(clipped)

    @njit
    def call(x, w):
        return slope(x, w)

    np.testing.assert_allclose(call(np.array([2.0]), 1.5), [1.5])
    assert grad(clipped).primal(np.array([2.0]), 1.5) == 9.0


def test_the_function_runs_without_adcompiler():
    assert clipped(np.array([2.0]), 1.5) == 9.0


def test_other_derivatives():
    def f(x):
        y = x**3
        with grad_of(y) as d:
            d = d * x
        return y

    assert vjp(f, 2.0)[1](1.0) == (24.0,)
    assert grad(grad(f))(2.0) == pytest.approx(36.0), "the derivative of 3 x**3"
    assert hvp(f)(2.0, 0.5) == pytest.approx(18.0)

    def rows(x):
        with grad_of(x) as d:
            d = 2.0 * d
        return x * x

    np.testing.assert_allclose(jacrev(rows)(np.array([1.0, 3.0])), np.diag([4.0, 12.0]))
    with pytest.raises(DifferentiationError, match="forward mode forms no adjoint of 'y'"):
        jvp(f, (2.0,), (1.0,))


def test_an_adjoint_that_nothing_contributes_to():
    def f(x):
        y = x * 3.0
        with grad_of(y) as d:
            d = d + 1.0
        return y * 0.0 + x

    assert grad(f)(2.0) == pytest.approx(1.0 + 3.0)


def refusal(function, *args):
    with pytest.raises(DifferentiationError) as caught:
        grad(function)(*args)
    assert __file__ in str(caught.value) and "way out" in str(caught.value)
    return str(caught.value)


def test_what_makes_no_sense_is_refused():
    def of_an_expression(x):
        with grad_of(x * x) as d:
            d = 0.0
        return x

    def of_an_integer(x):
        n = 3
        for _ in range(2):
            n = n + 1
        with grad_of(n) as d:
            d = 0.0
        return x * n

    def returns(x):
        with grad_of(x) as d:
            return d
        return x

    def assigns(x):
        y = x * 2.0
        with grad_of(x) as d:
            y = d
        return x * y

    def writes(x):
        log = np.zeros(1)
        with grad_of(x) as d:
            log[0] = d
        return x * log[0]

    def shapes(x):
        y = x * 2.0
        with grad_of(y) as d:
            d = np.sum(d)
        return np.sum(y)

    def other(x):
        with open("f") as d:
            pass
        return x

    def of_no_name(x):
        with grad_of(x):
            pass
        return x

    assert "[AD101]" in refusal(of_an_expression, 2.0)
    assert "[AD203]" in refusal(of_an_integer, 2.0)
    assert "'return' in the reverse sweep" in refusal(returns, 2.0)
    assert "'y' is assigned in the reverse sweep" in refusal(assigns, 2.0)
    assert "'log' is written in the reverse sweep" in refusal(writes, 2.0)
    assert "[AD204]" in refusal(shapes, np.ones(2))
    assert "'with' statements are not part of the language" in refusal(other, 2.0)
    assert "one variable" in refusal(of_no_name, 2.0)


def test_a_shape_that_changes_is_found_where_it_runs():
    def f(x):
        y = np.exp(x)
        with grad_of(y) as d:
            d = d[1:]
        return np.sum(y)

    with pytest.raises((AssertionError, ValueError)):
        grad(f)(np.ones(3))


def test_the_pass():
    unit = Unit(primal_graph(half), arguments=[float64])
    with without("blocks"):
        through(unit, "typed")
    (node,) = unit.graph.body.nodes
    assert node.args[1].value.body.params[0].type is None
    through(unit, "typed")
    (node,) = unit.graph.body.nodes
    assert node.args[1].value.body.params[0].type == float64
    assert "grad_of(v, adjoint_of_v)" in to_text(unit.graph)
    assert math.isfinite(half(1.0))
