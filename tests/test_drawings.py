"""Drawings of graphs as text and SVG, in notebooks and on the command line."""

import math
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from adcompiler import ComputationGraph, DifferentiationError, grad
from adcompiler.command_line.commands import main
from adcompiler.explain import drawing
from adcompiler.explain.drawing import layout_program

needs_layout = pytest.mark.skipif(layout_program() is None, reason="nothing lays graphs out")


def model(x, k):
    total = 0.0
    for i in range(len(x)):
        if x[i] > 0.0:
            total += k * np.exp(x[i])
        else:
            total -= x[i]
    return total


POINT = {"x": np.array([0.5, -1.0]), "k": 2.0}


def titles(svg):
    root = ElementTree.fromstring(svg)
    return ["".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")]


@needs_layout
def test_loops_and_branches_are_boxes():
    found = titles(grad(model).graph.svg())
    assert "for i in range(len(x)):" in found and "if x[i] > 0.0:" in found and "else:" in found
    assert {"x", "k", "total"} <= {*found}


@needs_layout
def test_values_partials_and_adjoints_at_a_point():
    at = grad(model).graph.evaluate(**POINT)
    found = titles(at.svg())
    assert {"i = 0", "i = 1", "= 2", "= 4.29744"} <= {*found}, "iterations, an input, the result"
    assert f"adjoint {np.exp(0.5):.6g}" in found, "of k"
    assert "2" in found, "the partial of k * exp(x[i]) by exp(x[i])"


@needs_layout
def test_notebooks_show_graphs_and_derivatives():
    network = ComputationGraph({"a": "b + 1", "c": "a * 2"})
    assert network._repr_svg_().startswith("<svg") and network.evaluate(b=1.0)._repr_svg_().startswith("<svg")
    shown = grad(model)._repr_html_()
    assert (
        "<svg" in shown and "def model_grad(x, k):" in shown and "&lt;adcompiler grad of model&gt;" in shown
    )


def test_what_is_not_known_before_a_call_is_left_out():
    derivative = grad(lambda x: np.sum(np.diff(x) ** 2))
    assert derivative._repr_html_().startswith("<p>")
    derivative(np.array([1.0, 4.0]))
    assert "<pre>" in derivative._repr_html_()


def test_without_a_layout_text_is_there(monkeypatch):
    monkeypatch.setattr(drawing, "layout_program", lambda: None)
    graph = grad(model).graph
    assert graph._repr_svg_() is None and graph.mermaid() and graph.dot()
    assert repr(graph).startswith("graph model(x, k):\n  n = len(x)")
    assert "\nk = 2" in repr(graph.evaluate(x=np.ones(1), k=2.0))
    with pytest.raises(ModuleNotFoundError, match=r"adcompiler\[graph\]"):
        graph.svg()


def test_text_for_mermaid_and_graphviz():
    at = grad(model).graph.evaluate(**POINT)
    text = at.mermaid()
    assert text.startswith("flowchart TD\n") and text.count("subgraph") == 2 == text.count("  end")
    assert '["x#91;i#93;<br/>= 0.5' in text, "brackets are written as Mermaid wants them"
    dot = at.dot()
    assert dot.count("subgraph cluster_") == 2 and 'label="i = 0"' in dot
    assert all(line.count('"') % 2 == 0 for line in dot.splitlines())


def test_what_is_handed_on_is_dashed():
    assert "-.->" in grad(model).graph.mermaid()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    text = "def cube(x):\n    y = x * x\n    return y * x\n"
    (tmp_path / "cubes.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return tmp_path


def run(*arguments):
    with pytest.raises(SystemExit) as stopped:
        main(["graph", *arguments])
    return stopped.value.code


def test_on_the_command_line(folder, capsys):
    assert run("cubes.py:cube", "-o", "g.dot") == 0 and (folder / "g.dot").read_text().startswith("digraph")
    assert run("cubes.py:cube", "-o", "g.mmd", "--args", "3.0") == 0
    assert "= 27" in (folder / "g.mmd").read_text()
    assert run("cubes.py:cube", "-o", "g.html", "--args", "3.0") == 0
    assert "<!doctype html>" in (folder / "g.html").read_text()
    capsys.readouterr()
    assert run("cubes.py:cube") == 0 and capsys.readouterr().out.startswith("flowchart TD")
    assert run("cubes.py:cube", "-o", "g.png") == 2
    assert run("cubes.py:cube", "-o", "g.html") == 2, "a page is at a point"


@needs_layout
def test_svg_on_the_command_line(folder):
    assert run("cubes.py:cube", "-o", "g.svg", "--args", "3.0") == 0
    assert "adjoint 27" in titles((folder / "g.svg").read_text())


def stepped(s, i, beta, gamma):
    ds = -beta * s * i
    di = beta * s * i - gamma * i
    return s + 0.1 * ds, i + 0.1 * di


def epidemic(theta, cases):
    beta, gamma = math.exp(theta[0]), math.exp(theta[1])
    s, i, total = 0.99, 0.01, 0.0
    for day in range(len(cases)):
        for _ in range(10):
            s, i = stepped(s, i, beta, gamma)
        rate = 1000.0 * i
        total += rate - cases[day] * math.log(rate)
    return total


@needs_layout
def test_nests_of_boxes_that_graphviz_cannot_rank_one_by_one():
    at = grad(epidemic).graph.evaluate(theta=np.array([0.5, -1.0]), cases=np.array([1.0, 2.0]))
    alone = subprocess.run(
        [layout_program(), "-Tsvg"], input=at.dot().encode(), capture_output=True, check=False
    )
    assert alone.returncode != 0
    assert at.svg().count('class="cluster"') == 22


def test_a_layout_that_fails_is_told(monkeypatch):
    monkeypatch.setattr("adcompiler.explain.drawing.layout_program", lambda: "false")
    with pytest.raises(DifferentiationError, match=r"AD402.*Graphviz cannot lay the drawing out"):
        grad(epidemic).graph.svg()
