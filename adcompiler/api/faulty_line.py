"""Which line of a program has a derivative that is off: each primitive is differentiated alone, as it ran."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba.core import types as nt

from adcompiler.analysis.types import is_array, is_float
from adcompiler.api.compile import compile_text
from adcompiler.emit.module import digest_of, module_text
from adcompiler.emit.plain import uncompiled
from adcompiler.emit.running import load, stem_of
from adcompiler.enabled import enabled
from adcompiler.errors import DifferentiationError
from adcompiler.explain.evaluation import calls_function
from adcompiler.graph.layout import Leaf
from adcompiler.graph.nodes import Apply, Graph, Node, Region, Value
from adcompiler.graph.run import Values, run
from adcompiler.graph.steps import Step, Style
from adcompiler.graph.walk import operands, values, walk
from adcompiler.prepare.finite_values import named
from adcompiler.primitives import card

_RUNS = 3
"""How often a line is looked at, at most: in the first iterations of a loop."""


@dataclass(frozen=True)
class Fault:
    """A primitive whose derivative is not that of what it computes.

    Attributes:
        node: the primitive.
        by: the argument, as people call it.
        found: the derivative, along a direction, of a product with the result.
        expected: its difference quotient.
    """

    node: Apply
    by: str
    found: float
    expected: float

    def __str__(self) -> str:
        loc, out = self.node.loc, named(self.node.out, self.node.loc)
        what = f"the derivative of {out} by {self.by}, taken alone"
        return f"{what}, is {self.found:.6g} instead of {self.expected:.6g}\n  at {loc}\n{loc.excerpt()}"


@dataclass(frozen=True)
class _Ran:
    """A primitive that ran, or two if it is a part of what the first one returns, with what they read."""

    nodes: tuple[Apply, ...]
    names: dict[Value, str]
    given: tuple[Any, ...]


def faulty_line(primal: Graph, inputs: Sequence[Any], rtol: float) -> Fault | None:
    """Return the first primitive, in the order of execution, whose reversal alone is off; None without any.

    Args:
        primal: the typed primal.
        inputs: the single values of its arguments.
        rtol: tolerance relative to the derivative.
    """
    if any(map(calls_function, walk(primal.body))):
        return None  # it cannot be run by itself
    for ran in _primitives_run(primal, inputs):
        with suppress(DifferentiationError):  # it means nothing by itself
            for fault in _faults(ran, rtol):
                return fault
    return None


def _primitives_run(primal: Graph, inputs: Sequence[Any]) -> list[_Ran]:
    """Run a program, and return the first runs of each primitive that has a derivative."""
    found: list[_Ran] = []
    times: dict[Node, int] = {}
    made = {node.out: node for node in walk(primal.body) if isinstance(node, Apply)}

    def observe(node: Node, known: Values) -> None:
        times[node] = times.get(node, 0) + 1
        if times[node] > _RUNS or not isinstance(node, Apply) or not _is_varied(node):
            return
        whole = node.fn.partition("[")[0]
        wholes = (made[v] for v in values(node.args) if v in made and made[v].fn == whole != node.fn)
        nodes = (*wholes, node)
        read = _read(nodes)
        names = {value: named(value, made[value].loc) if value in made else value.name for value in read}
        found.append(_Ran(nodes, names, tuple(_kept(known[value]) for value in read)))

    with np.errstate(all="ignore"):
        run(primal, inputs, observe)
    return found


def _is_varied(node: Apply) -> bool:
    """Tell whether a primitive may hand a derivative on; parts of a result do that for the whole."""
    known = card(node.fn)
    is_whole = known.is_constant and (known.is_call or bool(known.part_names))
    return not is_whole and all(any(map(_has_derivative, some)) for some in ((node.out,), _read((node,))))


def _read(nodes: Sequence[Apply]) -> list[Value]:
    """Return the values that primitives read of others."""
    read = dict.fromkeys(value for node in nodes for value in values(operands(node)))
    return [value for value in read if value not in {node.out for node in nodes}]


def _kept(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value


def _has_derivative(value: Value) -> bool:
    kind: nt.Type = value.type
    return is_float(kind.dtype if is_array(kind) else kind)


def _faults(ran: _Ran, rtol: float) -> Iterator[Fault]:
    """Yield what is off about the reversal of one primitive, along a direction of each argument."""
    read, random = _read(ran.nodes), np.random.default_rng(1)
    graph = Graph("line", Region(tuple(read), ran.nodes, (ran.nodes[-1].out,)))
    out = run(graph, [_kept(value) for value in ran.given])[0]
    weight = random.uniform(0.5, 1.5, np.shape(out)) if np.ndim(out) else 1.0
    for k, value in enumerate(read):
        if not _has_derivative(value):
            continue
        base = np.asarray(ran.given[k], dtype=np.float64)
        direction = random.uniform(0.5, 1.5, base.shape)
        expected, doubt = _along(graph, ran.given, k, direction, weight)
        found = float(np.sum(_pullback(graph, k)(*map(_kept, ran.given), weight) * direction))
        bound = rtol * max(abs(found), abs(expected)) + 10 * doubt + 1e-9
        if np.isfinite(expected) and not abs(found - expected) <= bound:
            yield Fault(ran.nodes[-1], ran.names[value], found, expected)


def _along(graph: Graph, given: Sequence[Any], k: int, direction: Any, weight: Any) -> tuple[float, float]:
    """Return a derivative along a direction by differences, and how far two estimates are apart."""

    def weighed(h: float) -> float:
        moved = np.asarray(given[k], dtype=np.float64) + h * direction
        kept = [*map(_kept, given)]
        kept[k] = moved if np.ndim(moved) else float(moved)
        with np.errstate(all="ignore"):
            return float(np.sum(weight * run(graph, kept)[0]))

    step = 1e-5 * max(1.0, float(np.max(np.abs(given[k]), initial=0.0)))
    far, near = ((weighed(h) - weighed(-h)) / (2 * h) for h in (step, step / 2))
    return (4 * near - far) / 3, abs(near - far)


def _pullback(graph: Graph, k: int) -> Any:
    """Return the pullback of a graph by one parameter, as plain Python."""
    layouts = [Leaf(param.type) for param in graph.body.params]
    with enabled():
        text = compile_text(
            graph, layouts, (Step("pullback", (k,)),), Style(accurate=True, broadcasts=True)
        ).text
        source = module_text(text, "", {})
        module = load(source, stem_of(text.name, digest_of(source, text)), text.objects)
        return uncompiled(module, text.name)
