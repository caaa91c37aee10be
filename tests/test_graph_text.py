"""The text of a graph says all of it: what is read back prints the same and means the same."""

import copy

import numpy as np
import pytest
from corpus import CORPUS

import adcompiler.api.compile  # noqa: F401 - calls of functions have types then
from adcompiler.api.arguments import layout_of_value
from adcompiler.graph.layout import Leaf, leaves
from adcompiler.graph.read import from_text
from adcompiler.graph.text import to_text
from adcompiler.graph.verify import verify
from adcompiler.pipeline import Unit, primal_graph, through


@pytest.mark.parametrize(("function", "inputs"), CORPUS, ids=[f.__name__ for f, _ in CORPUS])
def test_round_trip(function, inputs):
    inputs = (*inputs, *(function.__defaults__ or ()))
    layouts = [layout_of_value(argument, "argument") for argument in copy.deepcopy(inputs)]
    ranks = [
        Leaf(np.ndim(argument)) if isinstance(layout, Leaf) else layout
        for argument, layout in zip(inputs, layouts, strict=True)
    ]
    graph = primal_graph(function, ranks)
    arguments = [leaf.kind for layout in layouts for leaf in leaves(layout)]
    for made in (graph, through(Unit(graph, arguments=arguments), "typed").graph):
        text = to_text(made)
        assert to_text(verify(from_text(text))) == text


@pytest.mark.parametrize("line", ["x + y", "y := x", "for x:"])
def test_other_lines_are_refused(line):
    with pytest.raises(ValueError, match="not a line of a graph"):
        from_text(f"graph f(x):\n  {line}\n  return x")


def test_constants_and_names():
    text = "graph f(x):\n  y = full(x, inf, 'a, b', None, np.float64, axis=-1)\n  return y, -0.0, undefined"
    graph = from_text(text, {"np.float64": np.float64})
    assert to_text(graph) == text
    assert graph.body.nodes[0].args[-1].value is np.float64
