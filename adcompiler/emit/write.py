"""From the final graph to a function's text and the Python objects that the text refers to."""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from adcompiler.analysis.types import is_scalar
from adcompiler.custom import renew
from adcompiler.emit.inline import inlined_values
from adcompiler.emit.names import RESERVED, assign_names
from adcompiler.emit.unpack import unpack_results
from adcompiler.frontend.dispatchers import name_of
from adcompiler.frontend.facts import fingerprint
from adcompiler.frontend.recursion import Callee
from adcompiler.graph.layout import Layout, Leaf, Packed, is_bare
from adcompiler.graph.nodes import Apply, Effect, Global, Graph, Node, Region, type_of
from adcompiler.graph.python import to_python
from adcompiler.graph.python_expressions import Style
from adcompiler.graph.unparse import unparse
from adcompiler.graph.walk import map_operands, map_region, operands, walk
from adcompiler.reverse.augmented import Half
from adcompiler.runtime.guards import GUARDS
from adcompiler.runtime.helpers import HELPERS


@dataclass
class ModuleText:
    """The functions of a generated module and what they refer to.

    Attributes:
        name: name of the main function, which is the last one.
        sources: the functions' definitions, without decorators.
        helpers: names of the helper functions that they call.
        constants: captured tuples of numbers by name.
        imports: captured functions and classes by name, with the module to import each from.
        objects: captured arrays and objects without an address, by name.
        trees: the functions as trees, whose statements know the nodes that they come from.
        versions: what tells versions of the imported functions and objects apart, by name.
    """

    name: str = ""
    sources: tuple[str, ...] = ()
    helpers: tuple[str, ...] = ()
    constants: dict[str, object] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)
    objects: dict[str, object] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    trees: tuple[ast.FunctionDef, ...] = ()


def emit(parts: Sequence[Graph]) -> ModuleText:
    """Write graphs, the main one last, as the text of a module."""
    captured: dict[str, object] = {}
    own = {graph.name for graph in parts}
    trees = tuple(_function(graph, captured, own) for graph in parts)
    sources = tuple(map(unparse, trees))
    nodes = [node for graph in parts for node in walk(graph.body)]
    used = {n.fn for n in nodes if isinstance(n, Apply)}
    captured = {name: _readable(value, nodes) for name, value in captured.items()}
    constants = {name: value for name, value in captured.items() if _is_numbers(value)}
    rest = {name: value for name, value in captured.items() if name not in constants}
    imports = {name: home for name, value in rest.items() if (home := _home(name, value)) is not None}
    objects = {name: value for name, value in rest.items() if name not in imports}
    helpers = tuple(h for h in HELPERS if h in used)
    versions = {name: fingerprint(value) for name, value in rest.items()}
    for name, version in versions.items():
        renew(rest[name], version)
    return ModuleText(parts[-1].name, sources, helpers, constants, imports, objects, versions, trees)


def _function(graph: Graph, captured: dict[str, object], own: set[str]) -> ast.FunctionDef:
    graph = replace(graph, body=_unique_globals(graph.body, captured, own))
    makers = _named_makers(graph, captured)
    graph, unpacked = unpack_results(graph)
    inlined = inlined_values(graph.body) - unpacked.keys()
    reserved = [name for name, layout in graph.parameters if not isinstance(layout, Leaf)]
    reserved += makers.values()
    called = {node.fn.partition(".")[0] for node in walk(graph.body) if isinstance(node, Apply | Effect)}
    reserved += called.intersection(
        ("fast", "special", "factors", "lanes", "sets", "number_of_parts", "add_parts", *GUARDS)
    )
    names = assign_names(graph.body, inlined, [graph.name, *reserved])
    scalars = {value for value in names if is_scalar(type_of(value))}
    style = Style(names, inlined, scalars, quotes=True, makers=makers, unpacked=unpacked)
    return to_python(graph, style)


def _named_makers(graph: Graph, captured: dict[str, object]) -> dict[Any, str]:
    """Name the classes of the named tuples in a result, apart from each other and from parameters."""
    taken = {*RESERVED, graph.name, *(name for name, _ in graph.parameters)}
    taken |= {param.name for param in graph.body.params}
    makers: dict[Any, str] = {}
    for maker in _makers(graph.returns):
        base, k = name_of(maker), 0
        name = base
        while name in taken or hasattr(builtins, name) or captured.get(name, maker) is not maker:
            k += 1
            name = f"{base}_{k}"
        makers[maker] = name
        captured[name] = maker
    return makers


def _makers(layout: Layout | None) -> Iterator[Any]:
    """Yield the classes of the named tuples in a result."""
    if isinstance(layout, Packed):
        if not is_bare(layout.maker):
            yield layout.maker
        for part in layout.parts:
            yield from _makers(part)


def _home(name: str, value: object) -> str | None:
    """Return the module from which an object can be imported under its name."""
    module = getattr(value, "__module__", None)
    if module is None or module == "__main__" or module.startswith("adcompiler_generated"):
        return None
    return module if getattr(sys.modules.get(module), name, None) is value else None


def _readable(value: object, nodes: Sequence[Node]) -> object:
    """Return a list of numbers whose items are read only as a tuple: compiled code knows no such lists."""
    if not isinstance(value, list) or not _is_numbers(found := _as_tuple(value)):
        return value
    readers = [node for node in nodes if any(getattr(a, "value", None) is value for a in operands(node))]
    is_read = all(isinstance(node, Apply) and node.fn in ("getitem", "len") for node in readers)
    return found if is_read else value


def _as_tuple(value: object) -> object:
    """Return lists as tuples, of floats where one item is a float."""
    if not isinstance(value, list):
        return value
    is_float = any(isinstance(item, float) for item in value)
    return tuple(float(item) if is_float and type(item) is int else _as_tuple(item) for item in value)


def _is_numbers(value: object) -> bool:
    if isinstance(value, tuple):
        return all(isinstance(v, int | float | str) or _is_numbers(v) for v in value)
    return isinstance(value, complex) or (isinstance(value, np.generic) and value.dtype.kind in "biufc")


def _unique_globals(body: Region, captured: dict[str, object], own: set[str]) -> Region:
    """Keep names of captured objects apart from each other and from those of the module's own functions."""

    def change(atom: Any) -> Any:
        if (
            not isinstance(atom, Global)
            or atom.name.startswith("np.")
            or isinstance(atom.value, Callee | Half)
        ):
            return atom
        if getattr(builtins, atom.name, None) is atom.value:
            return atom
        name, k = atom.name, 0
        while name in own or captured.get(name, atom.value) is not atom.value:
            k += 1
            name = f"{atom.name}_{k}"
        captured[name] = atom.value
        return Global(name, atom.value)

    def rewrite(region: Region) -> Region:
        nodes = tuple(map_operands(node, change) for node in region.nodes)
        return Region(region.params, nodes, tuple(map(change, region.yields)))

    return map_region(body, rewrite)
