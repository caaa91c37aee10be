"""GradBench's evals against its reference, through the process that GradBench's programs talk to."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from benchmarks.gradbench.__main__ import EVALS, answer, eval_named
from benchmarks.gradbench.checking import cases, check
from benchmarks.gradbench.sizes import SIZES

ROOT = Path(__file__).parent.parent


@contextmanager
def tool(**settings):
    """Yield a function that sends a message to a tool and returns its answer."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", "benchmarks.gradbench"]
    environment = os.environ | settings
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, text=True, bufsize=1
    ) as process:

        def ask(message):
            process.stdin.write((message if isinstance(message, str) else json.dumps(message)) + "\n")
            return json.loads(process.stdout.readline())

        yield ask
        process.stdin.close()


@pytest.fixture(scope="module")
def uncompiled():
    with tool(NUMBA_DISABLE_JIT="1") as ask:
        yield ask


def test_a_session():
    with tool() as ask:
        assert ask({"id": 0, "kind": "start", "eval": "lse"}) == {"id": 0, "tool": "adcompiler"}
        assert ask({"id": 1, "kind": "define", "module": "lse"}) == {"id": 1, "success": True}
        given = {"x": [0.0, 0.0], "min_runs": 3, "min_seconds": 0.001}
        message = {"id": 2, "kind": "evaluate", "module": "lse", "function": "gradient", "input": given}
        found = ask(message | {"description": "two"})
        assert (found["id"], found["success"], found["output"]) == (2, True, [0.5, 0.5])
        times = [timing["nanoseconds"] for timing in found["timings"]]
        assert len(times) >= 3 and sum(times) >= 1e6
        assert {timing["name"] for timing in found["timings"]} == {"evaluate"}
        assert ask({"id": 3, "kind": "analysis", "of": 2, "valid": True}) == {"id": 3}
        assert ask({"id": 4, "kind": "end"}) == {"id": 4}


@pytest.mark.parametrize(
    ("line", "number", "reason"),
    [
        ('{"id": 1, "kind": "define", "module": "tea"}', 1, "no eval 'tea'"),
        ('{"id": 2, "kind": "evaluate", "module": "lse", "function": "f", "input": 1}', 2, "KeyError"),
        ('{"id": 3, "kind": "evaluate", "module": "hello", "function": "square", "input": []}', 3, "float"),
        ('{"id": 4', None, "JSONDecodeError"),
    ],
)
def test_what_cannot_be_answered_is_told(line, number, reason):
    found = answer(line.encode())
    assert (found["id"], found["success"]) == (number, False)
    assert reason in found["error"]


def agrees(ask, name, case):
    message = {"id": 0, "kind": "evaluate", "module": name, "function": case["function"]}
    found = ask(message | {"input": case["input"]})
    assert found["success"], found["error"]
    check(found["output"], case["output"])


@pytest.mark.parametrize("name", [name for name in EVALS if name not in ("particle", "saddle")])
def test_outputs_are_those_of_the_reference(name, uncompiled):
    assert uncompiled({"id": 0, "kind": "define", "module": name}) == {"id": 0, "success": True}
    for case in cases(name):
        agrees(uncompiled, name, case)


@pytest.mark.parametrize(
    ("name", "modes"), [("particle", "fr"), ("particle", "rr"), ("saddle", "ff"), ("saddle", "rf")]
)
def test_derivatives_through_derivatives(name, modes, uncompiled):
    agrees(uncompiled, name, next(case for case in cases(name) if case["function"] == modes))


def test_the_gradient_of_a_coarse_solution():
    """The reference differentiates the exact solution; this is the slope of what few steps return."""
    from benchmarks.gradbench.ode import last, solution

    x, direction = np.array([0.6, 0.3, 0.4, 0.5]), np.array([0.2, -0.1, 0.7, 0.4])
    slope = (solution(x + 1e-5 * direction, 5)[-1] - solution(x - 1e-5 * direction, 5)[-1]) / 2e-5
    assert last(x, 5) @ direction == pytest.approx(slope, rel=1e-8)


def test_inputs_for_timing_are_read():
    for name, made in SIZES.items():
        for label, given in made(np.random.default_rng(0)):
            assert label and all(task.read(given) for task in eval_named(name).tasks.values())
