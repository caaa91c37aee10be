"""The dependence test never misses a store that overwrites what was read."""

from __future__ import annotations

import random
from itertools import pairwise

import numba
from fuzzing import make

from adcompiler.analysis.affine import Linear, feasible, linear
from adcompiler.analysis.alias import memory
from adcompiler.analysis.types import is_array
from adcompiler.graph.nodes import Apply, Value
from adcompiler.graph.walk import defined, walk
from adcompiler.pipeline import Unit, primal_graph, through

N = 6


def noted(log):
    """Return an array of ones that notes which elements are read and written, in order."""

    class Memory:
        def __getitem__(self, index):
            log.append(("read", tuple(k % (2 * N + 6) for k in index)))
            return 1.0

        def __setitem__(self, index, value):
            log.append(("write", tuple(k % (2 * N + 6) for k in index)))

    return Memory()


def affine(rng, names):
    form = str(rng.choice([0, 0, 1, 2]))
    for name in names:
        if rng.random() < 0.5:
            form = f"{name} + {form}" if rng.random() < 0.8 else f"{form} - {name}"
    return f"({form}) % {rng.choice([2, 3])}" if rng.random() < 0.2 else form


def nest(rng):
    """Write a nest of two loops with one read and one store of `a`, in random places."""

    def bounds(names):
        return rng.choice(
            ["range(n)", "range(1, n)", "range(n - 1, -1, -1)", "range(2, n - 1)"]
            + [f"range({name})" for name in names]
            + [f"range({name} + 1, n)" for name in names]
        )

    head = f"def program(a, n):\n    s = 0.0\n    for i in {bounds([])}:\n"
    lines = []
    for what in rng.sample(["read", "write"], 2):
        inner = rng.random() < 0.7
        names = ["i", "j"] if inner else ["i"]
        place = f"{affine(rng, names)}, {affine(rng, names)}"
        text = f"s += math.sin(a[{place}])" if what == "read" else f"a[{place}] = 2.0"
        lines += [
            f"        for j in {bounds(['i'])}:\n            {text}\n" if inner else f"        {text}\n"
        ]
    return "import math\nimport numpy as np\n" + head + "".join(lines) + "    return s\n"


def verdicts(seed):
    """Return whether an element that is read is overwritten in fact, and whether the analysis thinks so."""
    function = make(nest(random.Random(seed)), f"nest {seed}")
    log = []
    function(noted(log), N)
    really = any(kind == "read" and ("write", place) in log[k + 1 :] for k, (kind, place) in enumerate(log))
    arguments = (numba.float64[:, ::1], numba.int64)
    unit = through(Unit(primal_graph(function), arguments=arguments, keep_arguments=False), "typed")
    graph = unit.graph
    arrays = {value for value in defined(graph.body) if is_array(value.type)}
    info = memory(graph.body, arrays, in_parts=True)
    reads = [node for node in walk(graph.body) if isinstance(node, Apply) and node.fn == "getitem"]
    return really, any(map(info.read_is_overwritten, reads))


def test_no_overwritten_read_is_missed():
    found = [verdicts(seed) for seed in range(400)]
    missed = [seed for seed, (really, thought) in enumerate(found) if really and not thought]
    assert not missed
    harmless = [thought for really, thought in found if not really]
    assert sum(harmless) < 0.5 * len(harmless)  # most are told apart; bounds of n = 6 decide the others


def test_inequalities():
    i, j, n = (Linear({name: 1}) for name in "ijn")
    inside = [i, n - i - 1, j - i - 1, n - j - 1]
    assert feasible(inside)
    assert not feasible([*inside, i - j])
    assert not feasible([2 * i - 2 * j - 1, 2 * j - 2 * i + 1])  # an odd number is not even


def test_a_value_that_is_doubled_again_and_again_has_a_form_at_once():
    values = [Value(f"n{k}") for k in range(200)]
    makers = {two: Apply(two, "add", (one, one)) for one, two in pairwise(values)}
    assert linear(values[-1], makers).terms == {values[0]: 2**199}
