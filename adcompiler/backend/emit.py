"""From the final graph to a function's text and the Python objects that the text refers to."""

from __future__ import annotations

import builtins
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from adcompiler.analysis.types import Types, is_scalar
from adcompiler.backend.inline import inlined_values
from adcompiler.backend.names import assign_names
from adcompiler.errors import DifferentiationError
from adcompiler.graph.nodes import Apply, Global, Graph, Region
from adcompiler.graph.python import Style, to_python
from adcompiler.graph.unparse import unparse
from adcompiler.graph.walk import map_operands, map_region, walk
from adcompiler.runtime.helpers import HELPERS


@dataclass(frozen=True)
class Text:
    """A generated function.

    Attributes:
        name: its name.
        source: its definition, without decorator.
        helpers: names of the helper functions that it calls.
        arrays: captured arrays by name.
        constants: captured tuples of numbers by name.
    """

    name: str
    source: str
    helpers: tuple[str, ...]
    arrays: dict[str, np.ndarray[Any, Any]]
    constants: dict[str, object]


def emit(graph: Graph, types: Types) -> Text:
    """Write a graph as the text of a Python function."""
    captured: dict[str, object] = {}
    graph = replace(graph, body=_unique_globals(graph.body, captured))
    inlined = inlined_values(graph.body, types)
    names = assign_names(graph.body, inlined, types)
    scalars = {value for value in names if is_scalar(types.get(value))}
    source = unparse(to_python(graph, Style(names, inlined, scalars, quotes=True)))
    used = {node.fn for node in walk(graph.body) if isinstance(node, Apply)}
    arrays = {name: value for name, value in captured.items() if isinstance(value, np.ndarray)}
    constants = {name: value for name, value in captured.items() if name not in arrays}
    return Text(graph.name, source, tuple(h for h in HELPERS if h in used), arrays, constants)


def _is_numbers(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(v, int | float) or _is_numbers(v) for v in value)


def _unique_globals(body: Region, captured: dict[str, object]) -> Region:
    """Keep names of captured objects apart, and collect the objects that the text needs."""

    def change(atom: Any) -> Any:
        if not isinstance(atom, Global) or atom.name.startswith("np."):
            return atom
        if getattr(builtins, atom.name, None) is atom.value:
            return atom
        if not (isinstance(atom.value, np.ndarray) or _is_numbers(atom.value)):
            kind = type(atom.value).__name__
            raise DifferentiationError("AD102", f"captured object '{atom.name}' has type {kind}")
        name, k = atom.name, 0
        while name in captured and captured[name] is not atom.value:
            k += 1
            name = f"{atom.name}_{k}"
        captured[name] = atom.value
        return Global(name, atom.value)

    def rewrite(region: Region) -> Region:
        nodes = tuple(map_operands(node, change) for node in region.nodes)
        return Region(region.params, nodes, tuple(map(change, region.yields)))

    return map_region(body, rewrite)
