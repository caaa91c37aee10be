"""Names, defaults, keys and captured values cannot put code into a generated module."""

import builtins
import types
from collections import namedtuple

import numpy as np
import pytest

from adcompiler import DifferentiationError, custom_vjp, grad, value_and_grad

CODE = "1.0 + planted()"


def posing(kind):
    """Return a class of constants that shows itself as code."""
    shown = {name: lambda self, *rest: CODE for name in ("__repr__", "__str__", "__format__")}
    return type("Posing", (kind,), shown)


real, whole, pair = posing(float)(2.0), posing(int)(2), posing(tuple)((2.0, 1.0))
imaginary, double, text = posing(complex)(2.0), posing(np.float64)(2.0), posing(str)("a")
mixed = (real, 1.0, posing(float)("inf"))
nested = ((1.0, real), 2.0)


@pytest.fixture(autouse=True)
def planted(monkeypatch):
    calls = []
    monkeypatch.setattr(builtins, "planted", lambda: calls.append(1) or 1.0, raising=False)
    yield
    assert not calls


def by_loop(x):
    total = 0.0
    for value in pair:
        total += value * x
    return total


def by_index(x, n):
    return x * mixed[n]


CAPTURED = {
    "float": (lambda x: x * real, 2.0),
    "int": (lambda x: x * whole, 2.0),
    "complex": (lambda x: abs(x * imaginary), 2.0),
    "numpy": (lambda x: x * double, 2.0),
    "tuple": (by_loop, 3.0),
    "index": (lambda x: by_index(x, 0), 2.0),
    "infinity": (lambda x, n=2: by_index(x, n) if n == 0 else x, 1.0),
    "nested": (lambda x: x * nested[0][1], 2.0),
    "default": (lambda x, k=real: x * k, 2.0),
    "integer default": (lambda x, k=whole: x * k, 2.0),
    "text default": (lambda x, k=text: 3.0 * x if k == "a" else x, 3.0),
}


@pytest.mark.parametrize("kind", CAPTURED)
@pytest.mark.parametrize("jit", [False, True])
def test_captured_values(kind, jit):
    function, slope = CAPTURED[kind]
    assert grad(function, jit=jit)(1.5) == slope


def test_an_index_at_run_time():
    assert grad(by_index, jit=False)(1.5, 0) == 2.0
    assert grad(by_index)(1.5, 0) == 2.0


NAMES = [
    "f\nplanted()",
    'f"""\nplanted()\n"""',
    "f\rplanted()",
    "f\x0cplanted()",
    "f\u2028planted()",
    "import",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("where", ["__name__", "__qualname__", "__doc__", "__module__"])
def test_names_of_functions(name, where):
    def square(x):
        return x * x

    def outer(x):
        return copy(x)

    copy = types.FunctionType(square.__code__, globals(), "square")
    setattr(copy, where, name)
    assert value_and_grad(copy, jit=False)(1.5) == (2.25, 3.0)
    assert grad(outer, jit=False)(1.5) == 3.0
    ruled = custom_vjp(square)  # Numba itself cannot compile functions of such names
    ruled.__name__ = name
    ruled.defvjp(lambda x, y, d: 2.0 * x * d)
    assert grad(lambda x: ruled(x), jit=False)(1.5) == 3.0


@pytest.mark.parametrize("key", ["layer-1", 'a"] + planted() + p["', *NAMES])
def test_keys(key):
    def total(p, x):
        return p["a"] * x

    assert grad(total, argnums=(0, 1))({key: 1.0, "a": 2.0}, 1.5) == ({key: 0.0, "a": 1.5}, 2.0)


def test_names_of_named_tuples():
    point = namedtuple("Point", "a b")
    point.__name__ = point.__qualname__ = "Point\nplanted()"
    assert grad(lambda p: 2.0 * p.a, jit=False)(point(1.0, 2.0)) == point(2.0, 0.0)


@pytest.mark.parametrize("options", [{"fastmath=planted() or False, nogil": True}, {"fast_math": True}])
def test_options_that_there_are_not(options):
    with pytest.raises(DifferentiationError, match="there is no option"):
        grad(lambda x: x, **options)


def test_values_of_options():
    assert grad(lambda x: x * x, boundscheck=posing(int)(1))(2.0) == 4.0
