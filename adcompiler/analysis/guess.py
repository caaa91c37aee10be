"""Guess the types of arguments before the first call, from annotations, defaults and use."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba.core import types

from adcompiler.analysis.types import argument_type, infer
from adcompiler.errors import DifferentiationError
from adcompiler.graph.layout import Layout, Leaf
from adcompiler.graph.nodes import Apply, For, Graph, Literal, Node, Store, Value
from adcompiler.graph.walk import operands, walk

_SIZES = ("np.zeros", "np.ones", "np.empty", "np.full")
_ARRAY_ONLY = ("np.sum", "np.mean", "np.max", "np.min", "T", "reshape", "ravel", "flatten", "np.outer")
_MOST_TRIALS = 40


def guess_arguments(
    graph: Graph, function: Callable[..., Any], wrt: list[int]
) -> tuple[list[Layout], list[str]]:
    """Return the layout of each argument, and where each was taken from.

    Raises:
        DifferentiationError: AD304 where no guess types; annotations then help.
    """
    parameters = list(inspect.signature(function).parameters.values())
    choices: list[list[str]] = []
    origins: list[str] = []
    layouts = [layout for _, layout in graph.parameters] or [Leaf()] * len(parameters)
    supply = iter(graph.body.params)
    for k, (layout, parameter) in enumerate(zip(layouts, parameters, strict=True)):
        if not isinstance(layout, Leaf):
            continue
        value = next(supply)
        stated = _annotated(parameter)
        if stated is not None:
            choices.append(stated)
            origins.append(
                "from annotations" if parameter.annotation is not parameter.empty else "from defaults"
            )
        else:
            choices.append(_by_use(graph, value, k in wrt))
            origins.append("inferred from use")
    error: DifferentiationError | None = None
    trials = sorted(itertools.product(*map(enumerate, choices)), key=lambda trial: sum(k for k, _ in trial))
    for trial in trials[:_MOST_TRIALS]:
        kinds = [argument_type(kind) for _, kind in trial]
        try:
            infer(graph, kinds)
        except DifferentiationError as refusal:
            error = error or refusal
        else:
            found, notes = iter(kinds), iter(origins)
            guessed = [Leaf(next(found)) if isinstance(lay, Leaf) else lay for lay in layouts]
            return guessed, [next(notes) if isinstance(lay, Leaf) else "from defaults" for lay in layouts]
    assert error is not None
    raise DifferentiationError(
        error.code, error.reason, error.location, "annotate the arguments, or call it first"
    )


def _annotated(parameter: inspect.Parameter) -> list[str] | None:
    note = parameter.annotation
    if isinstance(note, types.Type):
        note = (
            str(note) if not isinstance(note, types.Array) else f"{note.dtype}[{', '.join(':' * note.ndim)}]"
        )
    if note in (float, int, bool):
        return [note.__name__]
    if isinstance(note, str) and note.split("[")[0] in (
        "float",
        "int",
        "bool",
        "float64",
        "float32",
        "int64",
    ):
        return [note]
    if note is np.ndarray or (isinstance(note, str) and "ndarray" in note):
        return ["float64[:]", "float64[:, :]", "float64[:, :, :]"]
    default = parameter.default
    if isinstance(default, float | int):
        return [str(numba.typeof(default)).replace("boolean", "bool")]
    return None


def _by_use(graph: Graph, value: Value, differentiated: bool) -> list[str]:
    """Return candidate descriptions, likeliest first."""
    axes, is_array, is_integer = 0, False, False
    for node in walk(graph.body):
        if value not in operands(node):
            continue
        axes = max(axes, _axes(graph, node, value))
        is_array = is_array or _wants_array(node, value)
        is_integer = is_integer or _wants_integer(node, value)
    arrays = ["float64[:]", "float64[:, :]", "float64[:, :, :]"]
    if axes and _elements_are_indices(graph, value):
        return ["int64[:]", "int64[:, :]", "int64[:, :, :]"][axes - 1 :]
    if axes:
        return arrays[axes - 1 :]
    if is_integer and not differentiated:
        return ["int64"]
    if any(isinstance(n, Apply) and n.fn == "matmul" and value in n.args for n in walk(graph.body)):
        return [arrays[1], arrays[0]]
    if is_array or _is_bias(graph, value):
        return arrays
    return ["float64", *arrays[:2]]


def _elements_are_indices(graph: Graph, value: Value) -> bool:
    """Tell whether elements of an array index another array."""
    elements = {
        n.out for n in walk(graph.body) if isinstance(n, Apply) and n.fn == "getitem" and n.args[0] is value
    }
    return any(_wants_integer(node, element) for element in elements for node in walk(graph.body))


def _is_bias(graph: Graph, value: Value) -> bool:
    """Tell whether a value is added to a matrix product."""
    products = {n.out for n in walk(graph.body) if isinstance(n, Apply) and n.fn in ("matmul", "np.dot")}
    sums = [n for n in walk(graph.body) if isinstance(n, Apply) and n.fn == "add" and value in n.args]
    return any(arg in products for node in sums for arg in node.args)


def _axes(graph: Graph, node: Node, value: Value) -> int:
    if isinstance(node, Store) and node.array is value:
        return max(1, len(node.index))
    if not isinstance(node, Apply) or node.args[0] is not value:
        return 0
    if node.fn == "getitem":
        return len(node.args) - 1
    if node.fn == "shape":
        reads = [
            n
            for n in walk(graph.body)
            if isinstance(n, Apply) and n.fn == "getitem" and n.args[0] is node.out
        ]
        return max([1, *(n.args[1].value + 1 for n in reads if isinstance(n.args[1], Literal))])  # type: ignore[operator]
    return 1 if node.fn == "len" else 0


def _wants_array(node: Node, value: Value) -> bool:
    return isinstance(node, Apply) and node.fn in _ARRAY_ONLY and node.args[0] is value


def _wants_integer(node: Node, value: Value) -> bool:
    match node:
        case For():
            return value in (node.start, node.stop, node.step)
        case Apply(fn="getitem" | "slice"):
            return value in node.args[1:] or node.fn == "slice"
        case Apply():
            return node.fn in _SIZES and node.args[0] is value
        case Store():
            return value in node.index
    return False


def describe(kind: types.Type) -> str:
    """Return the short form of a type, as in `float64[:, :]`."""
    if isinstance(kind, types.Array):
        return f"{kind.dtype}[{', '.join(':' * kind.ndim)}]"
    return str(kind)
