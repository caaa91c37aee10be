"""Graphs of functions at a point: values, partials, adjoints, paths and chains, against gradients."""

import copy
import itertools
import linecache
import math
import re
from pathlib import Path

import numpy as np
import pytest
from corpus import CORPUS

from adcompiler import DifferentiationError, grad
from adcompiler.explain.numbers_shown import shown

PAGE = (Path(__file__).parent.parent / "docs" / "graph.md").read_text()


def recurrence(w, x):
    h = 0.0
    for i in range(len(x)):
        if x[i] > 0.15:
            h = math.tanh(w * h + x[i])
        else:
            h = w * h
    return h


def written(x):
    y = np.zeros(3)
    for i in range(3):
        y[i] = x[i] ** 2 if x[i] > 0 else -x[i]
    y[1:] *= 2.0
    return np.sum(np.exp(y))


def squares(x):
    while x < 50.0:
        x = x * x
    return math.sqrt(x)


def product(at, path):
    return math.prod(at.partials[edge] for edge in itertools.pairwise(path))


def test_branches_are_those_taken_and_loops_are_written_out():
    at = grad(recurrence).graph.evaluate(w=0.5, x=np.array([0.2, 0.1, 0.3]))
    names = at.graph.topological_order()
    assert [name for name in names if name.startswith("h")] == ["h[i=0]", "h[i=1]", "h[i=2]"]
    assert at.graph.output == "h[i=2]" and at.adjoints["h[i=2]"] == 1.0
    assert at.values["h[i=1]"] == pytest.approx(0.5 * math.tanh(0.2))
    assert at.partials["h[i=0]", "h[i=1]"] == 0.5


def test_sum_over_paths_is_the_derivative():
    w, x = 0.5, np.array([0.2, 0.1, 0.3])
    at = grad(recurrence).graph.evaluate(w=w, x=x)
    paths = at.graph.paths("w")
    assert len(paths) == 3, "one for each iteration that reads w"
    assert sum(product(at, path) for path in paths) == pytest.approx(grad(recurrence)(w, x))
    assert at.adjoints["w"] == pytest.approx(grad(recurrence)(w, x))


def test_chain_writes_steps_without_a_name():
    graph = grad(lambda w: math.exp(2.0 * w) * w).graph
    assert (
        graph.chain("w")
        == "∂result/∂(math.exp(2.0 * w)) * ∂(math.exp(2.0 * w))/∂(2.0 * w) * ∂(2.0 * w)/∂w + ∂result/∂w"
    )


def test_arrays_that_are_written_are_new_nodes():
    x = np.array([0.5, -1.0, 2.0])
    at = grad(written).graph.evaluate(x=x)
    np.testing.assert_allclose(at.values["y[i=1]"], [0.25, 1.0, 0.0])
    np.testing.assert_allclose(at.adjoints["x"], grad(written)(x))
    assert at.graph.paths("x", "y[i=0]")
    assert len(at.graph.paths("x")) >= 3


def test_while_loops():
    at = grad(squares).graph.evaluate(x=3.0)
    assert at.values["x[iteration=1]"] == 81.0
    assert at.adjoints["x"] == pytest.approx(grad(squares)(3.0))


@pytest.mark.parametrize("k", range(3, len(CORPUS), 30))
def test_adjoints_of_the_corpus(k):
    function, args = CORPUS[k]
    wrt = [
        j for j, a in enumerate(args) if isinstance(a, float | np.ndarray) and np.asarray(a).dtype.kind == "f"
    ]
    derivative = grad(function, wrt, jit=False)
    try:
        expected = derivative(*copy.deepcopy(args))
        bound = derivative.bound(copy.deepcopy(args))
        at = derivative.graph.evaluate(**dict(zip(derivative.names, bound, strict=True)))
    except DifferentiationError as error:
        assert error.code in ("AD402", "AD301", "AD303", "AD302"), error
        return
    for j, gradient in zip(wrt, expected, strict=True):
        np.testing.assert_allclose(at.adjoints[derivative.names[j]], gradient, rtol=1e-8, atol=1e-10)


def test_too_many_steps_and_paths_are_refused():
    def long(x, n):
        for _ in range(n):
            x = x * 0.5 + x * 0.25
        return x

    graph = grad(long).graph
    with pytest.raises(DifferentiationError, match="more than 500 steps"):
        graph.evaluate(x=1.0, n=300)
    at = graph.evaluate(50, x=1.0, n=12)
    assert at.adjoints["x"] == pytest.approx(0.75**12)
    with pytest.raises(DifferentiationError, match="more than 1000 paths"):
        at.graph.paths("x")


def test_what_returns_no_number_is_refused():
    with pytest.raises(DifferentiationError, match="not one number"):
        grad(lambda x: x * 2.0).graph.evaluate(x=np.ones(3))


def test_values_in_a_few_characters():
    assert shown(np.zeros((2, 2))) == "[[0, 0], [0, 0]]"
    assert shown(np.array(2.5)) == "2.5" and shown(True) == "True"
    assert shown(np.array(["a"] * 9)) == "array of 9"


def test_the_page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    for k, text in enumerate(blocks):
        file = f"<graph.md {k}>"
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        exec(compile(text, file, "exec"), names)
        for line in text.splitlines():
            found = re.match(r"^(at\.graph\.chain\(.*?\)|g\.chain\(.*?\))  # (.*)$", line)
            if found is not None:
                assert repr(eval(found[1], names)) == found[2]
    np.testing.assert_allclose(names["at"].adjoints["x"], [0.4654, 0.9401], atol=5e-5)


def test_functions_that_call_themselves_are_refused():
    with pytest.raises(DifferentiationError, match="it calls a derivative, or itself"):
        grad(power, "x").graph.evaluate(n=3, x=2.0)


def power(n, x):
    return x if n == 0 else x * power(n - 1, x)
