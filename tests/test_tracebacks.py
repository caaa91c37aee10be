"""Exceptions of generated code say which line of the function they come from; debuggers stop in its file."""

import bdb
import linecache
import traceback
from pathlib import Path

import numpy as np
import pytest

from adcompiler import grad, value_and_grad, vjp
from adcompiler.api.explaining import nodes_of

JIT = pytest.mark.parametrize("jit", [False, True], ids=["uncompiled", "compiled"])


def guarded(x):
    total = 0.0
    for i in range(len(x)):
        y = x[i] * x[i]
        assert y < 10.0, "too large"
        total += y
    if total > 5.0:
        raise ValueError("in total")
    return total


def text_of(error):
    return "".join(traceback.format_exception(error))


@JIT
@pytest.mark.parametrize(
    ("x", "line"), [([4.0], 'assert y < 10.0, "too large"'), ([2.0, 2.0], "raise ValueError")]
)
def test_the_line_of_the_function_is_shown(jit, x, line):
    derivative = grad(guarded, jit=jit)
    for _ in range(2):  # by the way of the first call, and by that of all others
        with pytest.raises((AssertionError, ValueError)) as caught:
            derivative(np.array(x))
        text = text_of(caught.value)
        assert f"which comes from {__file__}:" in text and text.count(line) >= 1
        assert "_grad_" in text, "the line of the generated file is there, too"
        assert text.count("which comes from") == 1


def test_pullbacks_say_it_too():
    with pytest.raises(AssertionError) as caught:
        vjp(guarded, np.array([4.0]), jit=False)
    assert "which comes from" in text_of(caught.value)


def test_derivatives_that_an_earlier_process_made():
    for _ in range(2):
        derivative = value_and_grad(guarded)
        with pytest.raises(AssertionError) as caught:
            derivative(np.array([4.0]))
        assert 'assert y < 10.0, "too large"' in text_of(caught.value)


class Stops(bdb.Bdb):
    """A debugger that notes where it stops, and what a variable is there."""

    def __init__(self):
        super().__init__()
        self.found = []

    def user_line(self, frame):
        if self.break_here(frame):
            self.found.append(frame.f_locals["i"])
        self.set_continue()


def test_breakpoints_in_the_generated_file():
    derivative = grad(guarded, jit=False)
    derivative(np.ones(2) * 0.5)
    (made,) = derivative.specialised.values()
    path = made.function.__code__.co_filename
    lines = made.source.splitlines()
    assert (
        Path(path).read_text().splitlines()
        == lines
        == [line.rstrip("\n") for line in linecache.getlines(path)]
    )
    number = next(k for k, line in enumerate(lines, 1) if "assert" in line)
    debugger = Stops()
    assert debugger.set_break(path, number) is None
    debugger.runcall(derivative, np.ones(2) * 0.5)
    assert debugger.found == [0, 1]


def test_the_place_of_each_line():
    derivative = grad(guarded, jit=False)
    derivative(np.ones(2))
    (made,) = derivative.specialised.values()
    lines = made.source.splitlines()
    for number, node in nodes_of(derivative, made).items():
        place = node.loc
        assert place.file == __file__ and place.statement
        if "assert" in lines[number - 1]:
            assert place.statement.startswith("assert")
