"""Every function of the corpus against central differences, in every mode; and against the interpreter."""

import numba
import numpy as np
import pytest
from corpus import CORPUS
from numba import njit

from adcompiler import value_and_grad
from adcompiler.compile import primal_graph, typed_primal
from adcompiler.graph.run import run
from adcompiler.testing import check_grad

CASES = pytest.mark.parametrize(("function", "inputs"), CORPUS, ids=[f.__name__ for f, _ in CORPUS])
SOME = CORPUS[::4]


def complete(function, inputs):
    """Fill in the default arguments."""
    defaults = function.__defaults__ or ()
    return (*inputs, *defaults)


@CASES
def test_gradient_uncompiled(function, inputs):
    check_grad(function, complete(function, inputs), jit=False)


@pytest.mark.parametrize(("function", "inputs"), SOME, ids=[f.__name__ for f, _ in SOME])
def test_gradient_compiled(function, inputs):
    check_grad(function, complete(function, inputs))


@CASES
def test_interpreter_agrees_after_every_pass(function, inputs):
    """The untyped and the specialised graph mean what the function means."""
    inputs = complete(function, inputs)
    graph = primal_graph(function)
    expected = function(*(np.copy(a) if isinstance(a, np.ndarray) else a for a in inputs))
    specialised, _ = typed_primal(graph, [numba.typeof(a) for a in inputs])
    (found,) = run(specialised, [np.copy(a) if isinstance(a, np.ndarray) else a for a in inputs])
    np.testing.assert_allclose(found, expected, rtol=1e-12)


INSIDE = [
    c for c in CORPUS if c[0].__name__ in ("recurrence", "loop_return", "broadcast_both", "default_arguments")
]


@pytest.mark.parametrize(("function", "inputs"), INSIDE, ids=[f.__name__ for f, _ in INSIDE])
def test_called_from_compiled_code(function, inputs):
    derivative = value_and_grad(function)

    @njit
    def outer(*args):
        return derivative(*args)

    value, gradient = outer(*inputs)
    expected_value, expected = derivative(*inputs)
    np.testing.assert_allclose(value, expected_value)
    np.testing.assert_allclose(gradient, expected)


@pytest.mark.parametrize(
    "name", ["recurrence", "matrix_matrix", "array_functions", "for_sum", "while_halving", "broadcast_row"]
)
def test_single_precision(name):
    function, inputs = next(c for c in CORPUS if c[0].__name__ == name)
    single = [np.float32(a) if isinstance(a, float) else a.astype(np.float32) for a in inputs]
    argnums = range(len(inputs))
    _, found = value_and_grad(function, argnums=argnums)(*single)
    _, expected = value_and_grad(function, argnums=argnums)(*inputs)
    for one, two, arg in zip(found, expected, single, strict=True):
        if isinstance(arg, np.ndarray):
            assert one.dtype == np.float32
        np.testing.assert_allclose(one, two, rtol=2e-5, atol=1e-5)
