"""Every function of the corpus against central differences, in every mode; and against the interpreter."""

import numpy as np
import pytest
from corpus import CORPUS
from numba import njit
from numba.core import types

from adcompiler import value_and_grad
from adcompiler.analysis.plain_types import plain_types
from adcompiler.analysis.types import infer
from adcompiler.api.arguments import layout_of_value, ranked
from adcompiler.graph.layout import Leaf, leaves
from adcompiler.graph.nodes import Apply
from adcompiler.graph.run import run
from adcompiler.graph.walk import walk
from adcompiler.pipeline import Unit, primal_graph, through
from adcompiler.testing import check_grad, check_hvp, check_jvp

CASES = pytest.mark.parametrize(("function", "inputs"), CORPUS, ids=[f.__name__ for f, _ in CORPUS])


def complete(function, inputs):
    """Fill in the default arguments."""
    defaults = function.__defaults__ or ()
    return (*inputs, *defaults)


def floats(inputs):
    """Return the positions of the arguments to differentiate."""
    return tuple(k for k, arg in enumerate(inputs) if np.asarray(arg).dtype.kind == "f")


@CASES
def test_derivatives_uncompiled(function, inputs):
    inputs = complete(function, inputs)
    check_grad(function, inputs, floats(inputs), jit=False)
    check_jvp(function, inputs, floats(inputs), jit=False)
    check_hvp(function, inputs, floats(inputs), jit=False)


@pytest.mark.parametrize(("function", "inputs"), CORPUS[::5], ids=[f.__name__ for f, _ in CORPUS[::5]])
def test_plain_types_are_those_that_numba_infers(function, inputs):
    layouts = [layout_of_value(value, "x", False) for value in complete(function, inputs)]
    graph = primal_graph(function, [*map(ranked, layouts)])
    kinds = [leaf.kind for layout in layouts for leaf in leaves(layout)]
    found = plain_types(graph, kinds)
    if found is None:
        pytest.skip("Numba is asked")
    by_numba = {value: kind for value, kind in infer(graph, kinds).items() if kind is not types.undefined}
    assert {value: found[value] for value in by_numba} == by_numba


@pytest.mark.parametrize(("function", "inputs"), CORPUS[::4], ids=[f.__name__ for f, _ in CORPUS[::4]])
def test_what_was_read_is_known_before_anything_is_lowered(function, inputs):
    """Otherwise nothing would be kept for the next process."""
    inputs = complete(function, inputs)
    derivative = value_and_grad(function, argnums=floats(inputs))
    layouts = derivative.layouts(derivative.bound(inputs))
    slot = derivative._slot(layouts, derivative.style)
    derivative._compiled(layouts, derivative.style, [0.0])
    assert derivative.seen.is_covered_by(slot.facts)


@pytest.mark.parametrize(("function", "inputs"), CORPUS[::3], ids=[f.__name__ for f, _ in CORPUS[::3]])
def test_gradient_compiled_and_called_from_compiled_code(function, inputs):
    inputs = complete(function, inputs)
    value, gradients = check_grad(function, inputs)
    argnums = floats(inputs)
    stretches = "broadcast" in function.__name__  # compiled callers have to say so
    derivative = value_and_grad(function, argnums=argnums, broadcasting=stretches)

    @njit
    def outer(*args):
        return derivative(*args)

    found_value, found = outer(*inputs)
    np.testing.assert_allclose(found_value, value)
    for one, two in zip(found, gradients, strict=True):
        np.testing.assert_allclose(one, two)


@CASES
def test_interpreter_agrees_after_every_pass(function, inputs):
    """The untyped and the specialised graph mean what the function means."""
    inputs = complete(function, inputs)
    layouts = [layout_of_value(a, "argument") for a in inputs]
    graph = primal_graph(
        function,
        [Leaf(np.ndim(a)) if isinstance(x, Leaf) else x for a, x in zip(inputs, layouts, strict=True)],
    )
    if any(isinstance(node, Apply) and node.fn == "derivative" for node in walk(graph.body)):
        pytest.skip("only compiled code has derivatives that are called")
    expected = function(*(np.copy(a) if isinstance(a, np.ndarray) else a for a in inputs))
    arguments = [leaf.kind for layout in layouts for leaf in leaves(layout)]
    specialised = through(Unit(graph, arguments=arguments), "typed").graph
    given = [a for a, layout in zip(inputs, layouts, strict=True) if isinstance(layout, Leaf)]
    (found,) = run(specialised, [np.copy(a) if isinstance(a, np.ndarray) else a for a in given])
    np.testing.assert_allclose(found, expected, rtol=1e-12)


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
