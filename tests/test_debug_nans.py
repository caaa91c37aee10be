"""`debug_nans=True`: what is not finite first is named: value, adjoint or tangent, line, iteration."""

import copy
import math
import pickle
from pathlib import Path

import numpy as np
import pytest
from corpus import CORPUS
from numba import float64, njit

from adcompiler import DifferentiationError, grad, hvp, jacobian, jvp, value_and_grad, vjp
from adcompiler.graph.text import to_text
from adcompiler.pipeline import Style, Unit, primal_graph, through
from adcompiler.runtime.finite import NonFiniteError
from adcompiler.watch import without

JIT = pytest.mark.parametrize("jit", [False, True], ids=["uncompiled", "compiled"])


def settles(x, w):
    total = 0.0
    for i in range(len(x)):
        h = x[i]
        for j in range(3):
            h = math.log(h - w * j) + h
        total += h * h
    return total


def grows(x):
    while x < 1e300:
        x = x * x
        if x > 1e200:
            x = x * 1e300
    return x


def distance(x, y):
    gap = np.exp(x) - np.exp(y)
    return np.sum(np.sqrt(gap))


def added_up(a, b):
    z = np.zeros(3)
    for t in range(len(a)):
        z[t % 3] += a[t] * b[t]
        z[0] = z[0] * z[0]
    return z[0] + z[1]


def half_power(x):
    return 2.0 + x**0.5


def helped(x, y):
    return half_power(x) * y


def raised(call):
    with pytest.raises(FloatingPointError) as caught:
        call()
    assert isinstance(caught.value, NonFiniteError)
    return caught.value


def line_of(function, text):
    lines = Path(__file__).read_text().splitlines()
    start = function.__code__.co_firstlineno
    return next(k for k in range(start, len(lines)) if text in lines[k]) + 1


CASES = [
    # function, arguments, argnums, what, line, iteration, element
    (
        settles,
        (np.array([9.0, 1.5, 9.0]), 1.0),
        (0, 1),
        "the value of math.log(h - w * j)",
        "h = math.log",
        (1, 2),
        (),
    ),
    (settles, (np.array([9.0, np.nan]), 1.0), (0, 1), "the argument x", None, (), (1,)),
    (grows, (3.0,), 0, "the value of x", "x = x * 1e300", (8,), ()),
    (distance, (np.ones(3), np.array([0.0, 1.0, 0.0])), (0, 1), "the adjoint of gap", "np.sqrt", (), (1,)),
    (added_up, (np.full(40, 5.0), np.full(40, 3.0)), 0, "the value of z[0] * z[0]", "z[0] * z[0]", (8,), ()),
    (helped, (0.0, 1.0), (0, 1), "the adjoint of x", "x**0.5", (), ()),
]


@JIT
@pytest.mark.parametrize("case", CASES, ids=[f"{case[0].__name__}-{case[3]}" for case in CASES])
def test_the_first_is_named(case, jit):
    function, args, argnums, what, text, iteration, element = case
    error = raised(lambda: grad(function, argnums, jit=jit, debug_nans=True)(*args))
    assert (error.what, tuple(error.iteration.values()), tuple(error.element)) == (what, iteration, element)
    assert not math.isfinite(error.found)
    if text is not None:
        of = half_power if function is helped else function
        assert error.where == f"{__file__}:{line_of(of, text)}" and text in error.line
        assert error.line in str(error) and error.where in str(error)


@JIT
def test_an_adjoint_in_a_loop_has_its_iteration(jit):
    def f(x, v):
        total = 0.0
        for i in range(len(v)):
            total += math.sqrt(x - v[i])
        return total

    error = raised(lambda: value_and_grad(f, jit=jit, debug_nans=True)(3.0, np.array([1.0, 3.0, 2.0, 3.0])))
    assert error.what == "the adjoint of x - v[i]"
    assert error.iteration == {"i": 3}, "the reverse sweep meets the last one first"


@JIT
def test_what_is_finite_is_what_it_is_without(jit):
    args = np.array([9.0, 5.0]), 0.3
    found = value_and_grad(settles, (0, 1), jit=jit, debug_nans=True)(*args)
    expected = value_and_grad(settles, (0, 1), jit=jit)(*args)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-14)
    for one, other in zip(found[1], expected[1], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


@pytest.mark.parametrize("k", range(0, len(CORPUS), 50))
def test_programs_of_the_corpus(k):
    function, args = CORPUS[k]
    wrt = [
        j for j, a in enumerate(args) if isinstance(a, float | np.ndarray) and np.asarray(a).dtype.kind == "f"
    ]
    try:
        expected = grad(function, wrt, jit=False)(*copy.deepcopy(args))
    except DifferentiationError:
        return
    found = grad(function, wrt, jit=False, debug_nans=True)(*copy.deepcopy(args))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def test_all_derivatives_take_it():
    def root(x):
        return np.sqrt(x) * 2.0

    def total(x):
        return np.sum(x**1.5)

    zero = np.array([1.0, 0.0])
    _, pullback = vjp(root, zero, debug_nans=True)
    assert raised(lambda: pullback(np.ones(2))).what == "the adjoint of x"
    assert raised(lambda: jvp(root, (zero,), (np.ones(2),), debug_nans=True)).what.startswith(
        "the tangent of"
    )
    assert raised(lambda: vjp(root, -zero, debug_nans=True)).what == "the value of np.sqrt(x)"
    assert raised(lambda: jacobian(root, debug_nans=True)(zero)).element == (1,)
    assert "tangent of the adjoint" in raised(lambda: hvp(total, debug_nans=True)(zero, np.ones(2))).what


def test_in_compiled_callers():
    slope = grad(half_power, debug_nans=True)

    @njit
    def descend(x):
        for _ in range(3):
            x -= x * slope(x)
        return x

    assert descend(4.0) < 4.0
    assert raised(lambda: descend(0.0)).what == "the adjoint of x"


def test_errors_can_be_pickled():
    error = raised(lambda: grad(grows, debug_nans=True)(3.0))
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) and again.iteration == {"iteration": 8}


def test_infinity_that_is_written_down_is_no_fault():
    def best(x):
        least = np.inf
        row = np.full(4, np.inf)
        for i in range(len(x)):
            row[i] = x[i] * x[i]
            least = min(least, row[i])
        return least

    np.testing.assert_allclose(grad(best, debug_nans=True)(np.array([3.0, 1.0, 2.0])), [0.0, 2.0, 0.0])


def test_it_is_not_exported(tmp_path):
    with pytest.raises(DifferentiationError, match="AD501"):
        grad(half_power, debug_nans=True).export(tmp_path / "f.py", 1.0)


def test_the_pass():
    unit = Unit(primal_graph(half_power), arguments=[float64], style=Style(checks=True))
    with without("finite"):
        assert "finite(" not in to_text(through(unit, "typed").graph)
    assert to_text(through(unit, "typed").graph).count("finite(") == 3
