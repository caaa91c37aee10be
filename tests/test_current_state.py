"""What is differentiated is the function given, and its surroundings as they are now."""

import ast
import importlib
import linecache
import os
import subprocess
import sys
import textwrap
import types

import numpy as np
import pytest
from numba import njit

from adcompiler import DifferentiationError, custom_vjp, grad, hvp, jvp, value_and_grad, vjp
from adcompiler.testing import check_grad

scale = 1.0
weights = np.array([1.0, 2.0])
settings = types.SimpleNamespace(factor=1.0)


def helper(x):
    return x


def scaled(x):
    return scale * x * x


def weighted(x):
    return np.sum(weights * x)


def through_helper(x, factor=3.0):
    return helper(x) * factor


def by_attribute(x):
    return settings.factor * x


def recursive(x, n):
    return x if n == 0 else scale * recursive(x, n - 1)


@pytest.fixture(autouse=True)
def restored(monkeypatch):
    names = ("scale", "weights", "helper")
    for name in names:
        monkeypatch.setitem(globals(), name, globals()[name])
    monkeypatch.setattr(settings, "factor", 1.0)


def change(name, value):
    globals()[name] = value


def test_globals_as_they_are_at_the_call():
    assert vjp(scaled, 1.0, jit=False)[0] == 1.0
    jvp(scaled, (1.0,), (1.0,), jit=False)
    change("scale", 10.0)
    value, pullback = vjp(scaled, 1.0, jit=False)
    assert value == 10.0
    assert pullback(1.0) == (20.0,)
    assert jvp(scaled, (1.0,), (1.0,), jit=False) == (10.0, 20.0)
    change("scale", 1)
    assert jvp(recursive, (1.0, 2), (1.0, None), jit=False) == (1.0, 1.0)
    change("scale", 0.5)
    assert jvp(recursive, (1.0, 2), (1.0, None), jit=False) == (0.25, 0.25)


def test_a_pullback_belongs_to_its_outputs():
    first, pullback = vjp(scaled, 1.0)
    change("scale", 10.0)
    second, other = vjp(scaled, 1.0)
    assert (first, second) == (1.0, 10.0)
    assert (pullback(1.0), other(1.0)) == ((2.0,), (20.0,))


def test_captured_arrays():
    x = np.ones(2)
    np.testing.assert_array_equal(vjp(weighted, x, jit=False)[1](1.0)[0], [1.0, 2.0])
    weights[0] = 5.0
    try:
        np.testing.assert_array_equal(vjp(weighted, x, jit=False)[1](1.0)[0], [5.0, 2.0])
        change("weights", np.array([7.0, 8.0]))
        np.testing.assert_array_equal(vjp(weighted, x, jit=False)[1](1.0)[0], [7.0, 8.0])
    finally:
        change("weights", np.array([1.0, 2.0]))


def test_helpers_attributes_and_defaults():
    assert jvp(through_helper, (2.0,), (1.0,), jit=False) == (6.0, 3.0)
    change("helper", lambda x: x * x)
    assert jvp(through_helper, (2.0,), (1.0,), jit=False) == (12.0, 12.0)
    through_helper.__defaults__ = (1.0,)
    try:
        assert jvp(through_helper, (2.0,), (1.0,), jit=False) == (4.0, 4.0)
    finally:
        through_helper.__defaults__ = (3.0,)
    assert jvp(by_attribute, (2.0,), (1.0,), jit=False) == (2.0, 1.0)
    settings.factor = 4.0
    assert jvp(by_attribute, (2.0,), (1.0,), jit=False) == (8.0, 4.0)


def test_closure_cells():
    factor = 2.0

    def f(x):
        return factor * x

    assert vjp(f, 1.0, jit=False)[1](1.0) == (2.0,)
    factor = 3.0
    assert vjp(f, 1.0, jit=False)[1](1.0) == (3.0,)


def test_a_kept_gradient_is_frozen_until_it_is_compiled_again():
    f = value_and_grad(scaled)
    assert f(1.0) == (1.0, 2.0)
    assert f.primal(1.0) == 1.0
    change("scale", 10.0)
    assert f(1.0) == (1.0, 2.0)
    assert value_and_grad(scaled)(1.0) == (10.0, 20.0)
    f.recompile()
    assert f(1.0) == (10.0, 20.0)
    assert f.primal(1.0) == 10.0


@custom_vjp
def with_a_rule(x):
    return scale * x


@with_a_rule.defvjp
def of_with_a_rule(x, y, d):
    return scale * d


def uses_a_rule(x):
    return with_a_rule(x) * x


def test_functions_with_a_rule():
    assert vjp(uses_a_rule, 2.0)[0] == 4.0
    assert vjp(uses_a_rule, 2.0)[1](1.0) == (4.0,)
    change("scale", 3.0)
    value, pullback = vjp(uses_a_rule, 2.0)
    assert (value, pullback(1.0)) == (12.0, (12.0,))
    assert grad(uses_a_rule)(2.0) == 12.0


LAMBDAS = [lambda x: x * 1.0, lambda x: x * 2.0]
ONE, TWO = (lambda x: x * 3.0), (lambda x: x * 4.0)
choose = lambda x: (lambda x: x * 7.0) if x is None else x * x  # noqa: E731
power = lambda y: lambda x: x**y  # noqa: E731


def with_default(function=lambda x: x * 5.0, other=lambda x: x * 6.0):
    return function, other


def of_one_name():
    def f(x):
        return x * 8.0

    first = f

    def f(x):
        return x * 9.0

    return first, f


@pytest.mark.parametrize(
    ("function", "slope"),
    [
        *((LAMBDAS[0], 1.0), (LAMBDAS[1], 2.0), (ONE, 3.0), (TWO, 4.0)),
        *((with_default()[0], 5.0), (with_default()[1], 6.0), (choose(None), 7.0)),
        *((of_one_name()[0], 8.0), (of_one_name()[1], 9.0), (power(3.0), 12.0)),
        *(
            ((lambda x: (lambda y: y * x)(x) + (lambda y: y)(x)), 5.0),
            ((lambda k: lambda x: k * x)(11.0), 11.0),
        ),
        ((lambda x: x * 13.0 if True else (lambda y: y)(x)), 13.0),
    ],
)
def test_the_right_one_of_several_lambdas(function, slope):
    assert grad(function, jit=False)(2.0) == slope


def test_a_function_that_returns_a_function():
    with pytest.raises(DifferentiationError, match=r"AD102.*returns a function"):
        grad(lambda x: lambda y: x * y)(2.0)


def module(folder, name, text):
    (folder / f"{name}.py").write_text(textwrap.dedent(text))
    importlib.invalidate_caches()
    return importlib.import_module(name)


def test_the_file_was_edited(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    made = module(tmp_path, "edited_since", "def f(x):\n    return x * x\n")
    (tmp_path / "edited_since.py").write_text("def f(x):\n    return x * x * x\n")
    with pytest.raises(DifferentiationError, match=r"AD001.*not what 'f' was compiled from"):
        grad(made.f, jit=False)(3.0)
    importlib.reload(made)
    linecache.checkcache(made.__file__)
    assert grad(made.f, jit=False)(3.0) == 27.0


def test_the_older_text_is_still_at_hand(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    made = module(tmp_path, "edited_after_use", "def f(x):\n    return x * x\n")
    assert grad(made.f, jit=False)(3.0) == 6.0
    path = tmp_path / "edited_after_use.py"
    path.write_text("# moved\ndef f(x):\n    return x * x * x\n")
    os.utime(path, (1.0, 1.0))
    assert grad(made.f, jit=False)(3.0) == 6.0


def test_asserts_that_pytest_writes_anew():
    def f(x):
        assert x > 0.0, "positive"
        return x * x

    assert grad(f, jit=False)(3.0) == 6.0


def test_a_cell_of_a_notebook_imports_what_its_function_calls():
    text, space = "import math\n\ndef f(x):\n    return math.sin(x)\n", {}
    linecache.cache["<cell>"] = (len(text), None, text.splitlines(keepends=True), "<cell>")
    for statement in ast.parse(text).body:  # notebooks compile each for itself
        exec(compile(ast.Module([statement], []), "<cell>", "exec"), space)
    assert grad(space["f"], jit=False)(0.0) == 1.0


RULE = """
from adcompiler import custom_vjp
from numbers_of_it import factor

@custom_vjp
def f(x):
    return factor * x

@f.defvjp
def of_f(x, y, d):
    return factor * d
"""


def test_functions_of_other_modules_belong_to_the_key_on_disk(tmp_path):
    (tmp_path / "rule_of_it.py").write_text(RULE)
    (tmp_path / "program.py").write_text(PROGRAM)
    found = []
    for factor in (1.0, 5.0):
        (tmp_path / "numbers_of_it.py").write_text(f"factor = {factor}\n")
        env = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "ADCOMPILER_CACHE": str(tmp_path / "cache")}
        done = subprocess.run(
            [sys.executable, "program.py"], cwd=tmp_path, env=env, capture_output=True, text=True, check=True
        )
        found.append(done.stdout.strip())
    assert found == ["(4.0, 4.0)", "(20.0, 20.0)"]


PROGRAM = """
from adcompiler import value_and_grad
from rule_of_it import f

def g(x):
    return f(x) * x

print(value_and_grad(g)(2.0))
"""
NAMES = ["two words", "a/b", "../up", "x" * 300, "<lambda>", "größe", "lambda", "1st", "ﬁt", "", "np", "math"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("jit", [False, True])
def test_names_of_functions(name, jit):
    made = types.FunctionType(scaled.__code__, globals(), name)
    assert grad(made, jit=jit)(3.0) == 6.0
    if jit:
        gradient = grad(made)
        assert njit(lambda x: gradient(x) * 2.0)(3.0) == 12.0
        assert hvp(made)(3.0, 1.0) == 2.0


class Rates:
    """What a property returns is kept nowhere, so that no cache can know whether it has changed."""

    value = 1.0

    @property
    def rate(self):
        return self.value


rates = Rates()


def by_property(x):
    return rates.rate * x * x


@pytest.mark.parametrize("jit", [False, True])
def test_properties_as_they_are_at_the_call(jit, monkeypatch):
    assert vjp(by_property, 1.0, jit=jit)[1](1.0) == (2.0,)
    monkeypatch.setattr(rates, "value", 5.0)
    assert vjp(by_property, 1.0, jit=jit)[1](1.0) == (10.0,)
    derivative = grad(by_property, jit=jit)
    assert derivative(1.0) == 10.0
    monkeypatch.setattr(rates, "value", 7.0)
    derivative.recompile()
    assert derivative(1.0) == 14.0
    assert grad(by_property, jit=jit)(1.0) == 14.0


def test_sums_of_what_is_written_between_them():
    def element(x):
        x = x.copy()
        rows = np.sum(x, axis=1)
        x[0, 0] = 5.0
        total = np.sum(rows, axis=0)
        return total * total + np.sum(x[1])

    def whole(x):
        x = x.copy()
        sums = np.sum(x, axis=2)
        x *= 2.0
        total = np.sum(sums, axis=0)
        return np.sum(total * total) + np.sum(x[1])

    check_grad(element, (np.arange(6.0).reshape(2, 3),), jit=False)
    check_grad(whole, (np.arange(12.0).reshape(2, 3, 2),), jit=False)
