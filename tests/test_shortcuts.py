"""Calls from Python after the first: shortcuts are taken where they may be, and only there."""

import enum
import math
import subprocess
import sys
from collections import namedtuple

import numpy as np
import pytest

from adcompiler import DifferentiationError, grad, hvp, jvp, value_and_grad, vjp
from adcompiler.api.shortcuts import unfit
from adcompiler.api.typed_calls import TypedCalls

X = np.array([0.3, -1.2, 2.0])
Pair = namedtuple("Pair", "w b")


def squares(x):
    return np.sum(x * x)


def scaled(x, k=2.0, power=3):
    return x * k**power


def named(p, x):
    return p["w"] * x + np.sum(p["b"] * p["b"])


def looked_at(derivative):
    """Return a list that grows whenever a derivative looks at arguments in full."""
    seen, evaluated = [], derivative._evaluated

    def note(args, kwargs):
        seen.append((args, kwargs))
        return evaluated(args, kwargs)

    derivative._evaluated = note
    return seen


def same(one, two):
    """Tell whether two results have the same structure and numbers."""
    if isinstance(one, dict):
        return type(two) is dict and [*one] == [*two] and all(same(one[key], two[key]) for key in one)
    if isinstance(one, list | tuple):
        return type(one) is type(two) and len(one) == len(two) and all(map(same, one, two))
    return one is two if one is None else np.allclose(one, two, rtol=1e-14, atol=0.0)


DIRECT = {
    "number": (scaled, (1.5,), {}),
    "names": (scaled, (), {"power": 2, "x": 1.5, "k": 3.0}),
    "array": (squares, (X,), {}),
    "tuple": (lambda p: p[0] * np.sum(p[1]), ((2.0, X),), {}),
    "nested tuple": (lambda p: p[0][0] * p[1], (((2.0, 3.0), 4.0),), {}),
    "named tuple": (lambda p, x: np.sum(p.w * x) + p.b, (Pair(X, 1.0), X), {}),
    "dictionary": (named, ({"w": 2.0, "b": X}, 3.0), {}),
    "dictionary by name": (named, (), {"x": 3.0, "p": {"w": 2.0, "b": X}}),
    "lists": (lambda p: p["all"][0] * p["all"][1][0], ({"all": [2.0, (3.0,)]},), {}),
    "no items": (lambda x, p: x * x + len(p), (3.0, ()), {}),
    "None": (lambda x, w=None: x * x if w is None else x * w, (3.0,), {}),
    "None in a tuple": (lambda p: p[0] * p[0] if p[1] is None else p[0], ((3.0, None),), {}),
    "text": (
        lambda x, kind="square": x * x if kind == "square" else x,
        (3.0,),
        {"kind": "".join("squ are".split())},
    ),
    "function": (lambda x, f=math.sin: f(x), (3.0, math.cos), {}),
    "any number": (lambda x, *rest: x * rest[0] * rest[1], (2.0, 3.0, 4.0), {}),
    "by name only": (lambda x, *, k=3.0: x * k, (2.0,), {"k": 4.0}),
    "by position only": (lambda x, k, /: x * k, (2.0, 4.0), {}),
    "names of ours": (lambda _type, _v0_0, call=2.0: _type["a"] * _v0_0 * call, ({"a": 3.0}, 2.0), {}),
    "complex": (lambda x, z: x * abs(z), (2.0, 3.0 + 4.0j), {}),
}


@pytest.mark.parametrize("name", DIRECT)
def test_second_calls_take_the_shortcut(name):
    function, args, kwargs = DIRECT[name]
    derivative = grad(function)
    first, seen = derivative(*args, **kwargs), looked_at(derivative)
    assert same(first, derivative(*args, **kwargs))
    assert not seen
    assert same(first, grad(function, jit=False)(*args, **kwargs))


def test_the_dispatcher_itself_is_the_shortcut_of_numbers():
    derivative = grad(scaled)
    assert derivative.shortcuts.call is unfit
    derivative(1.5)
    assert isinstance(derivative.shortcuts.call, TypedCalls)
    assert derivative(1.5, power=2) == 4.0


def test_other_types_are_other_specialisations():
    derivative = grad(lambda x, k: np.sum(x * x) * k)
    for x in (2.0, np.float32(2.0), X, X.astype(np.float32), X[::2], np.eye(2), np.asfortranarray(np.eye(2))):
        for _ in range(2):
            found = derivative(x, 3)
            np.testing.assert_allclose(found, 6.0 * np.asarray(x))
            assert np.ndim(x) == 0 or found.dtype == x.dtype
    fixed = X.copy()
    fixed.setflags(write=False)
    for _ in range(2):
        np.testing.assert_array_equal(derivative(fixed, 3.0), 6.0 * X)
        np.testing.assert_array_equal(derivative(X, True), 2.0 * X)


def test_shortcuts_of_numbers_and_arrays_alternate():
    derivative = grad(squares)
    derivative(2.0), derivative(X), derivative(2.0)
    seen = looked_at(derivative)
    assert derivative(2.0) == 4.0
    np.testing.assert_array_equal(derivative(X), 2.0 * X)
    assert not seen


def test_integers_are_refused_after_floats():
    class Kind(enum.IntEnum):
        TWO = 2

    derivative, power = grad(scaled), grad(lambda x, n: x**n)
    assert derivative(1.5) == 8.0
    assert power(3.0, 2) == power(3.0, Kind.TWO) == 6.0
    for wrong in (3, True, Kind.TWO, X.astype(int), "3", None, [1.5]):
        with pytest.raises(DifferentiationError, match="AD30"):
            derivative(wrong)


class Quantity(np.ndarray):
    """An array with a unit, as other packages have."""


MASKED = np.ma.MaskedArray(X, mask=[0, 1, 0])
HOLDERS = {
    "alone": (squares, lambda x: (x,)),
    "second": (lambda k, x: k * squares(x), lambda x: (2.0, x)),
    "in a tuple": (lambda p: squares(p[1]) * p[0], lambda x: ((2.0, x),)),
    "in a named tuple": (lambda p: squares(p.w) * p.b, lambda x: (Pair(x, 2.0),)),
    "in a dictionary": (lambda p: squares(p["w"]["x"]), lambda x: ({"w": {"x": x}},)),
    "in a list": (lambda p: squares(p[0]), lambda x: ({"p": [x]}["p"],)),
    "of any number": (lambda k, *rest: k * squares(rest[0]), lambda x: (2.0, x)),
}


@pytest.mark.parametrize("name", HOLDERS)
def test_arrays_that_mean_more_are_refused_after_plain_ones(name):
    function, hold = HOLDERS[name]
    derivative = grad(function)
    for array in (MASKED, X.view(Quantity)):
        for _ in range(2):
            derivative(*hold(X))
            with pytest.raises(DifferentiationError, match=f"AD301.* is a {type(array).__name__}"):
                derivative(*hold(array))


def test_dictionaries_with_other_keys():
    derivative = grad(named)
    both = {"w": 2.0, "b": X}
    assert [*derivative(both, 3.0)] == ["w", "b"]
    turned = {"b": X, "w": 2.0}
    for _ in range(2):
        assert [*derivative(turned, 3.0)] == ["b", "w"]
        assert [*derivative(both, 3.0)] == ["w", "b"]
        more = derivative({**both, "c": 1.0}, 3.0)
        assert [*more] == ["w", "b", "c"]
        assert more["c"] == 0.0
        with pytest.raises(DifferentiationError):
            derivative({"w": 2.0}, 3.0)
        with pytest.raises(DifferentiationError, match="AD301"):
            derivative({"w": 2, "b": 3}, 3.0)
        with pytest.raises(DifferentiationError):
            derivative([2.0, X], 3.0)

    class Parameters(dict):
        """A dictionary of a class of its own."""

    assert same(derivative(Parameters(both), 3.0), derivative(both, 3.0))


def test_tuples_of_other_lengths_and_classes():
    derivative = grad(lambda p: p[0] * p[1])
    other = namedtuple("Other", "w b")
    for _ in range(2):
        assert derivative((2.0, 3.0)) == (3.0, 2.0)
        assert type(derivative(Pair(2.0, 3.0))) is Pair
        assert type(derivative(other(2.0, 3.0))) is other
        assert derivative((2.0, 3.0, 4.0)) == (3.0, 2.0, 0.0)
        assert derivative([2.0, 3.0]) == [3.0, 2.0]


def test_other_functions_texts_and_none():
    def f(x, g=None, kind="plain"):
        y = x if g is None else g(x)
        return y * 2.0 if kind == "twice" else y

    derivative = grad(f)
    for _ in range(2):
        assert derivative(2.0) == 1.0
        assert derivative(2.0, kind="twice") == 2.0
        assert derivative(2.0, math.sin) == math.cos(2.0)
        assert derivative(2.0, lambda x: x * x) == 4.0
        assert derivative(2.0, lambda x: x * x * x) == 12.0
        assert derivative(2.0, None, "plain") == 1.0


def test_arguments_that_do_not_match():
    derivative = grad(scaled)
    by_position = grad(lambda x, k, /: x * k)
    for _ in range(2):
        assert derivative(1.5) == 8.0
        assert by_position(2.0, 3.0) == 3.0
        for call in (
            lambda: derivative(),
            lambda: derivative(1.0, 2.0, 3, 4),
            lambda: derivative(1.5, x=1.5),
            lambda: derivative(1.5, scale=1.5),
            lambda: by_position(2.0, k=3.0),
        ):
            with pytest.raises(DifferentiationError, match="AD305"):
                call()


def test_written_arguments_stay_and_may_not_overlap():
    def f(p, y):
        p["x"][0] = y[0] * y[1]
        return np.sum(p["x"] * y)

    derivative, x, y = grad(f, argnums=(0, 1)), X.copy(), X + 1.0
    first = derivative({"x": x}, y)
    for _ in range(2):
        assert same(derivative({"x": x}, y), first)
        np.testing.assert_array_equal(x, X)

    def g(x, y):
        x[0] = y[0] * y[1]
        return np.sum(x * y)

    derivative = grad(g)
    derivative(x, y)
    seen = looked_at(derivative)
    derivative(x, y)
    assert not seen
    with pytest.raises(DifferentiationError, match="AD303"):
        derivative(x, x[::-1][::-1])


def test_arrays_that_are_stretched():
    derivative = value_and_grad(lambda p, y: np.sum(p["x"] * y), argnums=(0, 1))
    one, three = np.array([2.0]), np.ones(3)
    for _ in range(3):
        value, (d_p, d_y) = derivative({"x": three}, three)
        assert value == 3.0
        value, (d_p, d_y) = derivative({"x": one}, three)
        assert value == 6.0
        np.testing.assert_array_equal(d_p["x"], [3.0])
        np.testing.assert_array_equal(d_y, [2.0, 2.0, 2.0])
        with pytest.raises(ValueError, match=r"broadcast|sizes|shape"):
            derivative({"x": np.ones(2)}, three)
    seen = looked_at(derivative)
    derivative({"x": one}, three)
    assert not seen


def test_errors_of_the_function_are_raised_as_they_are():
    def f(x):
        if x > 2.0:
            raise TypeError("too large")
        return x * x

    derivative = grad(f)
    assert derivative(1.0) == 2.0
    with pytest.raises(TypeError, match="too large") as caught:
        derivative(3.0)
    assert not isinstance(caught.value, DifferentiationError)
    with pytest.raises(DifferentiationError) as refused:
        derivative("3.0")
    assert refused.value.__context__ is None


SCALE = 2.0


def test_recompiling_forgets_shortcuts(monkeypatch):
    derivative = grad(lambda p: SCALE * p["x"])
    p = {"x": 1.0}
    assert derivative(p) == derivative(p) == {"x": 2.0}
    monkeypatch.setitem(globals(), "SCALE", 3.0)
    assert derivative(p) == {"x": 2.0}
    derivative.recompile()
    assert derivative(p) == derivative(p) == {"x": 3.0}


def test_new_defaults_are_taken_up_by_recompiling():
    def f(x, k=2.0):
        return x * k

    derivative = grad(f)
    assert derivative(1.0) == derivative(1.0) == 2.0
    f.__defaults__ = (3.0,)
    derivative.recompile()
    assert derivative(1.0) == derivative(1.0) == 3.0


def test_directions_of_other_types_and_shapes():
    product = hvp(lambda x: squares(x) * squares(x))
    expected = product(X, np.ones(3))
    for _ in range(2):
        for v in (np.ones(3), [1.0, 1.0, 1.0], np.ones(3, int), np.ones(6)[::2], np.ones(3, np.float32)):
            np.testing.assert_allclose(product(X, v), expected)
        with pytest.raises(DifferentiationError, match="AD305"):
            product(X, np.ones(2))
        with pytest.raises(DifferentiationError, match="AD301"):
            product(X, MASKED)
    assert product(2.0, 1) == product(2.0, 1.0) == 48.0


def shifted(x, k=1.0):
    return x * x * k + SCALE


def test_plans_of_vjp_and_jvp_see_what_is_there_now(monkeypatch):
    for scale in (2.0, 3.0, 3.0):
        monkeypatch.setitem(globals(), "SCALE", scale)
        value, pullback = vjp(shifted, 2.0)
        assert value == 4.0 + scale
        assert pullback(1.0)[0] == 4.0
        assert jvp(shifted, (2.0,), (1.0,)) == (4.0 + scale, 4.0)
    monkeypatch.setattr(shifted, "__defaults__", (2.0,))
    assert vjp(shifted, 2.0)[0] == jvp(shifted, (2.0,), (1.0,))[0] == 8.0 + 3.0


def test_plans_for_other_types_are_made_anew_too(monkeypatch):
    def f(x, y):
        return np.sum(x * x) * SCALE * y

    number, array, both = (2.0, 1), (X, 1), (2.0, 1.0)
    for scale in (2.0, 3.0, 2.0, 5.0):
        monkeypatch.setitem(globals(), "SCALE", scale)
        for args in (number, array, both):
            value, pullback = vjp(f, *args)
            assert value == np.sum(args[0] * args[0]) * scale
            np.testing.assert_array_equal(pullback(1.0)[0], 2.0 * args[0] * scale)
            found = jvp(f, args, (np.ones_like(args[0]), None))
            np.testing.assert_allclose(found, (value, np.sum(2.0 * args[0]) * scale))


def test_a_pullback_holds_what_was_compiled(monkeypatch):
    _, before = vjp(lambda x: SCALE * x, 2.0)
    monkeypatch.setitem(globals(), "SCALE", 5.0)
    assert before(1.0) == (2.0,)


def test_names_that_appear_hide_builtins(monkeypatch):
    def f(x):
        return abs(x) * 2.0

    assert vjp(f, -2.0)[0] == vjp(f, -2.0)[0] == 4.0
    monkeypatch.setitem(globals(), "abs", lambda x: x)
    assert vjp(f, -2.0)[0] == -4.0


def test_captured_arrays_and_cells_that_change():
    weights, offset = np.array([1.0, 2.0]), 1.0

    def f(x):
        return np.sum(x * weights) + offset

    x = np.ones(2)
    assert vjp(f, x)[0] == vjp(f, x)[0] == 4.0
    weights[0] = 5.0
    assert vjp(f, x)[0] == 8.0
    offset = 2.0
    assert vjp(f, x)[0] == 9.0


def test_seeds_of_other_types_and_shapes():
    for _ in range(2):
        _, pullback = vjp(lambda x: x * x, X)
        for seed in (np.ones(3), [1.0, 1.0, 1.0], np.ones(3, np.float32), np.ones(6)[::2], np.ones(3, int)):
            np.testing.assert_array_equal(pullback(seed)[0], 2.0 * X)
            np.testing.assert_array_equal(jvp(squares, (X,), (seed,))[1], np.sum(2.0 * X))
        for wrong in (1.0, np.ones(2), np.ones((1, 3))):
            with pytest.raises(DifferentiationError, match="AD305"):
                pullback(wrong)
            with pytest.raises(DifferentiationError, match="AD305"):
                jvp(squares, (X,), (wrong,))
        for special in (MASKED, X.view(Quantity)):
            with pytest.raises(DifferentiationError, match="AD301"):
                pullback(special)
            with pytest.raises(DifferentiationError, match="AD301"):
                vjp(squares, special)
            with pytest.raises(DifferentiationError, match="AD301"):
                jvp(squares, (special,), (X,))


def test_tangents_do_not_share_memory_with_what_is_given():
    direction = np.ones(3)
    for _ in range(2):
        found = jvp(lambda x: x, (X,), (direction,))[1]
        assert not np.shares_memory(found, direction)


def test_plans_tell_arguments_apart():
    def f(x, n, y=1.0):
        return x * n * y

    for _ in range(2):
        assert jvp(f, (2.0, 3), (1.0, None)) == (6.0, 3.0)
        assert jvp(f, (2.0, 3, 2.0), (1.0, None, None)) == (12.0, 6.0)
        assert jvp(f, (2.0, 3, 2.0), (None, None, 1.0)) == (12.0, 6.0)
        assert vjp(f, 2.0, 3)[1](1.0)[:2] == (3.0, None)
        assert vjp(f, 2.0, 3.0)[1](1.0)[:2] == (3.0, 2.0)
        np.testing.assert_array_equal(vjp(f, X, 2)[1](np.ones(3))[0], [2.0, 2.0, 2.0])


def test_blas_is_found_in_a_later_call():
    """The first call multiplies matrices, the second matrices by vectors: other functions of BLAS."""
    text = """
import numpy as np
from adcompiler import grad
products = grad(lambda q, k: np.sum((q @ k) ** 2))
for rows, columns in ((4, 5), (1, 5), (4, 1), (1, 1)):
    print(products(np.ones((rows, 3)), np.ones((3, columns)))[0, 0])
"""
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert [float(word) for word in done.stdout.split()] == [30.0, 30.0, 6.0, 6.0]
