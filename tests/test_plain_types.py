"""Types that follow from those of the arguments are those that Numba infers, in random programs."""

import random

import pytest
from complex_generator import ComplexGenerator, complex_inputs
from function_generator import FunctionGenerator
from fuzzing import function_inputs, inputs, make
from idiom_generator import IdiomGenerator
from numba.core import types

from adcompiler.analysis.plain_types import plain_types
from adcompiler.analysis.types import infer
from adcompiler.api.arguments import layout_of_value, ranked
from adcompiler.graph.layout import leaves
from adcompiler.pipeline import primal_graph

KINDS = [(ComplexGenerator, complex_inputs), (FunctionGenerator, function_inputs), (IdiomGenerator, inputs)]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("generator", "inputs"), KINDS, ids=["complex", "functions", "idioms"])
def test_types_are_those_that_numba_infers(generator, inputs, seed):
    function = make(generator(random.Random(seed)).program(), f"typed {generator.__name__} {seed}")
    layouts = [layout_of_value(value, "x", False) for value in inputs(random.Random(seed))]
    graph = primal_graph(function, [*map(ranked, layouts)])
    kinds = [leaf.kind for layout in layouts for leaf in leaves(layout)]
    found = plain_types(graph, kinds)
    if found is None:
        pytest.skip("Numba is asked")
    by_numba = {value: kind for value, kind in infer(graph, kinds).items() if kind is not types.undefined}
    assert {value: found[value] for value in by_numba} == by_numba
