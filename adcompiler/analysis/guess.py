"""Guess the types of arguments before the first call, from annotations, defaults and use."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numba
import numpy as np
from numba.core import types

from adcompiler.analysis.types import argument_type, infer, is_scalar
from adcompiler.errors import DifferentiationError
from adcompiler.graph.kinds import describe
from adcompiler.graph.layout import Layout, Leaf, Packed, Static
from adcompiler.graph.nodes import Apply, Atom, For, Graph, Literal, Node, Store, Value
from adcompiler.graph.walk import merges, operands, results, values, walk
from adcompiler.primitives import Follows, card

_MOST_TRIALS = 40
_NUMBERS = {"complex": "complex128"}
_STATED = ("float", "int", "bool", "complex", "float64", "float32", "int64", "complex128", "complex64")


def guess_layouts(
    graph_of: Callable[[tuple[Layout, ...]], Graph],
    layouts: tuple[Layout, ...],
    function: Callable[..., Any],
    wrt: list[int],
    needs_number: bool,
    holomorphic: bool = False,
) -> tuple[list[Layout], list[str]]:
    """Return likely layouts of the arguments; numbers of axes are tried where the graph depends on them.

    Args:
        graph_of: lowers the function for layouts.
        layouts: what defaults fix.
        function: the function.
        wrt: positions of the arguments to differentiate.
        needs_number: whether the function has to return a number.
        holomorphic: whether what is differentiated is complex.

    Raises:
        DifferentiationError: where no guess types.
    """

    def accepts(kind: types.Type) -> bool:
        return not needs_number or is_scalar(kind)

    try:
        return guess_arguments(graph_of(layouts), function, wrt, accepts, (), holomorphic)
    except DifferentiationError as error:
        refusal = error
    free = [k for k, layout in enumerate(layouts) if isinstance(layout, Leaf)]
    trials = sorted(itertools.product((1, 0, 2), repeat=len(free)), key=lambda axes: axes.count(2))
    for trial in trials[:_MOST_TRIALS]:
        axes = dict(zip(free, trial, strict=True))
        likely = {k: Leaf(argument_type(_described(count))) for k, count in axes.items()}
        given = tuple(likely.get(k, layout) for k, layout in enumerate(layouts))
        fixed = [axes.get(k) for k in range(len(layouts))]
        try:
            return guess_arguments(graph_of(given), function, wrt, accepts, fixed, holomorphic)
        except DifferentiationError:
            continue
    raise refusal


def guess_arguments(
    graph: Graph,
    function: Callable[..., Any],
    wrt: list[int],
    accepts: Callable[[types.Type], bool] = lambda _: True,
    axes: Sequence[int | None] = (),
    holomorphic: bool = False,
) -> tuple[list[Layout], list[str]]:
    """Return the layout of each argument, and where each was taken from.

    Args:
        graph: the untyped graph of the function.
        function: the function.
        wrt: positions of the arguments to differentiate: floats, or arrays of floats.
        accepts: whether the function may have a result of some type.
        axes: number of axes of each argument, where that has been fixed.
        holomorphic: whether what is differentiated is complex.

    Raises:
        DifferentiationError: AD304 where no guess types; annotations then help.
    """
    parameters = list(inspect.signature(function).parameters.values())
    choices: list[list[str]] = []
    origins: list[str] = []
    layouts = [layout for _, layout in graph.parameters] or [Leaf()] * len(parameters)
    supply = iter(graph.body.params)
    varied = {
        p for k, p in enumerate(graph.body.params) if k in wrt and len(graph.body.params) == len(layouts)
    }
    needed = _needed_axes(graph, varied)
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
            choices.append(_by_use(graph, value, k in wrt, needed.get(value, 0)))
            origins.append("inferred from use")
        if axes and axes[k] is not None:
            choices[-1] = [kind for kind in choices[-1] if kind.count(":") == axes[k]] or [
                _described(axes[k])
            ]
        if holomorphic and k in wrt:
            choices[-1] = [kind.replace("float64", "complex128") for kind in choices[-1]]
    error: DifferentiationError | None = None
    trials = sorted(itertools.product(*map(enumerate, choices)), key=lambda trial: sum(k for k, _ in trial))
    for trial in trials[:_MOST_TRIALS]:
        kinds = [argument_type(kind) for _, kind in trial]
        try:
            _check_result(graph, infer(graph, kinds), accepts)
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
    if note in (float, int, bool, complex):
        return [_NUMBERS.get(note.__name__, note.__name__)]
    if isinstance(note, str) and (number := note.split("[")[0]) in _STATED:
        return [note.replace(number, _NUMBERS.get(number, number))]
    if note is np.ndarray or (isinstance(note, str) and "ndarray" in note):
        return ["float64[:]", "float64[:, :]", "float64[:, :, :]"]
    default = parameter.default
    if isinstance(default, float | int):
        return [str(numba.typeof(default)).replace("boolean", "bool")]
    return None


def _described(axes: int | None) -> str:
    return f"float64[{', '.join(':' * axes)}]" if axes else "float64"


def _check_result(
    graph: Graph, kinds: Mapping[Value, types.Type], accepts: Callable[[types.Type], bool]
) -> None:
    for value in graph.body.yields:
        if isinstance(value, Value) and not accepts(kinds[value]):
            raise DifferentiationError("AD302", f"'{graph.name}' returns {describe(kinds[value])}")


def _needed_axes(graph: Graph, varied: set[Value]) -> dict[Value, int]:
    """Return how many axes values need for what is done with them, and with what is computed from them.

    Where several values are combined, those that come from arguments to differentiate are the arrays.
    """
    nodes = [*walk(graph.body)]
    varied = set(varied)
    for node in nodes:
        if any(value in varied for value in operands(node)):
            varied.update(results(node))
    needed: dict[Value, int] = {}

    def need(atom: Atom, axes: int) -> None:
        if isinstance(atom, Value) and axes > needed.get(atom, 0):
            needed[atom] = axes

    for _ in range(3):  # what loops carry
        for node in reversed(nodes):
            for value in values(operands(node)):
                need(value, max(_axes(graph, node, value), int(_wants_array(node, value))))
            for target, source in merges(node):
                need(source, needed.get(target, 0))
            if not isinstance(node, Apply) or not needed.get(node.out):
                continue
            axes, own = needed[node.out], [*values(node.args)]
            if _keeps_axes(node.fn):
                need(node.args[0], axes)
            elif card(node.fn).follows is Follows.BROADCAST and not any(
                needed.get(value, 0) >= axes for value in own
            ):
                for value in [value for value in own if value in varied] or own:
                    need(value, axes)
    return needed


def _keeps_axes(fn: str) -> bool:
    known = card(fn)
    is_alike = known.follows in (Follows.SAME_SHAPE, Follows.SAME_RANK)
    return is_alike or (known.follows is Follows.VECTOR and known.takes_array)


def _by_use(graph: Graph, value: Value, differentiated: bool, axes: int) -> list[str]:
    """Return candidate descriptions, likeliest first."""
    is_integer = any(value in operands(n) and _wants_integer(n, value) for n in walk(graph.body))
    arrays = ["float64[:]", "float64[:, :]", "float64[:, :, :]"]
    if axes and not differentiated and _elements_are_indices(graph, value):
        return ["int64[:]", "int64[:, :]", "int64[:, :, :]"][axes - 1 :]
    if any(isinstance(n, Apply) and n.fn == "matmul" and value in n.args for n in walk(graph.body)):
        return [arrays[1], arrays[0]] if axes < 3 else arrays
    if axes:
        return arrays[axes - 1 :] or [_described(axes)]
    if is_integer and not differentiated:
        return ["int64"]
    return arrays if _is_bias(graph, value) else ["float64", *arrays[:2]]


def _elements_are_indices(graph: Graph, value: Value) -> bool:
    """Tell whether elements of an array index another array."""
    elements = {
        n.out
        for n in walk(graph.body)
        if isinstance(n, Apply) and n.fn in ("getitem", "nth") and n.args[0] is value
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
    if not isinstance(node, Apply) or not node.args or node.args[0] is not value:
        return 0
    if node.fn == "getitem":
        return sum(atom not in (Literal(None), Literal(...)) for atom in node.args[1:])
    if node.fn == "shape":
        reads = [
            n
            for n in walk(graph.body)
            if isinstance(n, Apply) and n.fn == "getitem" and n.args[0] is node.out
        ]
        places: list[int] = [n.args[1].value for n in reads if isinstance(n.args[1], Literal)]
        return max(places, default=0) + 1
    return 1 if node.fn == "len" else 0


def _wants_array(node: Node, value: Value) -> bool:
    if not isinstance(node, Apply) or not node.args or node.args[0] is not value:
        return False
    return card(node.fn).takes_array or (node.fn in ("min", "max") and len(node.args) == 1)


def _wants_integer(node: Node, value: Value) -> bool:
    match node:
        case For():
            return value in (node.start, node.stop, node.step)
        case Apply(fn="getitem"):
            return value in node.args[1:]
        case Apply(fn="slice"):
            return value in node.args
        case Apply():
            return card(node.fn).follows is Follows.GIVEN and bool(node.args) and node.args[0] is value
        case Store():
            return value in node.index
    return False


def describe_layout(layout: Layout) -> str:
    """Return the type of an argument in words."""
    match layout:
        case Leaf():
            return describe(layout.kind)
        case Static():
            return getattr(layout.value, "__name__", repr(layout.value))
        case Packed():
            parts = [describe_layout(part) for part in layout.parts]
            if layout.names:
                parts = [f"{name}: {part}" for name, part in zip(layout.names, parts, strict=True)]
            return f"({', '.join(parts)})"
