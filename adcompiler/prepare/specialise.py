"""Settle what depends on types: what is marked or compared, arguments that are written, initial values.

In-place operators and items are settled in files of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numba import typeof
from numba.core import types as nt

from adcompiler.analysis.alias import memory, memory_classes
from adcompiler.analysis.common_kinds import not_of_reals
from adcompiler.analysis.types import (
    element,
    is_array,
    is_complex,
    is_float,
    is_list,
    is_memory,
)
from adcompiler.errors import DifferentiationError
from adcompiler.graph.layout import Leaf, Packed, Static
from adcompiler.graph.nodes import (
    UNDEFINED,
    Apply,
    Atom,
    For,
    Global,
    Graph,
    Literal,
    Node,
    Region,
    Role,
    Store,
    Value,
    While,
    type_of,
)
from adcompiler.graph.walk import defined, map_region, substitute, values, walk
from adcompiler.prepare.common_types import settle_common_types
from adcompiler.prepare.in_place import resolve_in_place
from adcompiler.prepare.items import resolve_items
from adcompiler.prepare.list_tests import settle_list_tests
from adcompiler.prepare.shown import check_shown, is_marked_as_shown
from adcompiler.prepare.subtracted import convert_subtracted
from adcompiler.primitives import card
from adcompiler.rules.find import not_for_complex


def specialise(graph: Graph, keep_arguments: bool) -> Graph:
    """Return the graph with typed nodes only.

    Args:
        graph: the untyped primal.
        keep_arguments: whether arguments that are written are copied on entry. A function without a
            result then returns those copies.
    """
    _check_constants(graph)
    _check_powers(graph)
    _check_masks(graph)
    _check_lists(graph)
    graph = settle_common_types(_only_reals(graph))
    graph = resolve_items(resolve_in_place(settle_list_tests(graph)))
    graph = _with_equal_factors(_with_float_rows(_resolve_identities(graph)))
    graph = _copy_overlapping(convert_subtracted(graph))
    if keep_arguments:
        graph = _copy_written_arguments(graph)
    return _define_initial_values(graph)


def _check_constants(graph: Graph) -> None:
    """Refuse complex arguments of functions that are steps of real ones."""
    for node in walk(graph.body):
        if (
            isinstance(node, Apply)
            and card(node.fn).is_constant_of_reals
            and is_complex(type_of(node.args[0]))
        ):
            raise not_for_complex(node)


def _check_powers(graph: Graph) -> None:
    """Refuse powers that are fractions to whoever reads them, and 0 in compiled code."""
    nodes = [node for node in walk(graph.body) if isinstance(node, Apply)]
    negated = {node.out for node in nodes if node.fn == "neg"}
    for node in nodes:
        if node.fn != "pow" or not all(map(_is_whole, node.args)):
            continue
        base, exponent = node.args
        is_below = isinstance(exponent, Literal) and exponent.value < 0
        is_one = isinstance(base, Literal) and abs(base.value) == 1
        if (is_below or exponent in negated) and not is_one:
            reason = "a whole number to a negative power is rounded to a whole number in compiled code"
            raise DifferentiationError("AD102", reason, node.loc, "write 2.0 ** -k, or float(n) ** -k")


def _is_whole(atom: Atom) -> bool:
    return isinstance(atom.value, int) if isinstance(atom, Literal) else isinstance(type_of(atom), nt.Integer)


def _check_masks(graph: Graph) -> None:
    """Refuse masks of several axes, of which Numba's types say nothing."""
    for node in walk(graph.body):
        index: Sequence[Atom] = node.index if isinstance(node, Store) else ()
        if isinstance(node, Apply) and node.fn == "getitem":
            index = node.args[1:]
        kinds = [kind for atom in index if is_array(kind := type_of(atom))]
        if any(kind.ndim > 1 and isinstance(kind.dtype, nt.Boolean) for kind in kinds):
            cure = "write np.where(mask, a, b), or loop over the indices"
            raise DifferentiationError("AD102", "a mask has more than one axis", node.loc, cure)


def _check_lists(graph: Graph) -> None:
    """Refuse floats that are written into a list of whole numbers: compiled code rounds them."""
    for node in walk(graph.body):
        if not isinstance(node, Store) or not is_list(kind := node.array.type):
            continue
        if isinstance(kind.dtype, nt.Integer) and is_float(type_of(node.value)):
            reason = "a list of whole numbers rounds the float that is written into it in compiled code"
            cure = "begin with a list of floats: [1.0, 2.0]"
            raise DifferentiationError("AD102", reason, node.loc, cure)


def _only_reals(graph: Graph) -> Graph:
    """Refuse complex arguments of definitions for real numbers, and writing what NumPy would show."""
    same: dict[Value, Atom] = {}
    check_shown(graph)
    marks = [node for node in walk(graph.body) if isinstance(node, Apply) and node.fn == "of_reals"]
    for node in marks:
        argument, fn = node.args
        if not is_marked_as_shown(node) and is_complex(type_of(argument)):
            raise not_of_reals(getattr(fn, "value", ""), node.loc)
        same[node.out] = argument
    marked = set(marks)

    def rewrite(region: Region) -> Region:
        return replace(region, nodes=tuple(node for node in region.nodes if node not in marked))

    return replace(graph, body=substitute(map_region(graph.body, rewrite), same))


def _is_real_array(atom: Atom) -> bool:
    kind = type_of(atom)
    return is_array(kind) and not is_complex(kind)


def _resolve_identities(graph: Graph) -> Graph:
    """`x is False` compares booleans; anything else, 0 too, is neither True nor False. `x.real` may be x.

    `abs` of an array is NumPy's.
    """
    same: dict[Value, Atom] = {}

    def rewrite(region: Region) -> Region:
        nodes: list[Node] = []
        for node in region.nodes:
            if isinstance(node, Apply) and node.fn == "np.real" and _is_real_array(node.args[0]):
                same[node.out] = node.args[0]
            elif isinstance(node, Apply) and node.fn == "abs" and is_array(node.out.type):
                nodes.append(replace(node, fn="np.abs"))
            elif not isinstance(node, Apply) or node.fn != "is":
                nodes.append(node)
            elif not isinstance(type_of(node.args[0]), nt.Boolean):
                same[node.out] = Literal(False)
            elif node.args[1] == Literal(True):
                same[node.out] = node.args[0]
            else:
                nodes.append(replace(node, fn="not", args=node.args[:1]))
        return replace(region, nodes=tuple(nodes))

    body = map_region(graph.body, rewrite)
    return replace(graph, body=substitute(body, same))


def _with_float_rows(graph: Graph) -> Graph:
    """`[[1, 0], [0, x]]` is a list of rows of floats: Numba makes none of a row of whole numbers."""
    rows = {
        row: node.out.type.dtype
        for node in walk(graph.body)
        if isinstance(node, Apply) and node.fn == "list" and is_list(getattr(node.out.type, "dtype", None))
        for row in values(node.args)
        if row.type != node.out.type.dtype
    }

    def written(node: Node) -> Node:
        if not isinstance(node, Apply) or node.out not in rows or node.fn != "list":
            return node
        node.out.type = rows[node.out]
        items = (Literal(float(a.value)) if isinstance(a, Literal) else a for a in node.args)
        return replace(node, args=tuple(items))

    def rewrite(region: Region) -> Region:
        return replace(region, nodes=tuple(map(written, region.nodes)))

    return replace(graph, body=map_region(graph.body, rewrite)) if rows else graph


def _with_equal_factors(graph: Graph) -> Graph:
    """`x @ np.arange(3)` multiplies floats with floats: Numba's product knows arrays of one type only."""

    def rewrite(region: Region) -> Region:
        nodes: list[Node] = []
        for node in region.nodes:
            if isinstance(node, Apply) and _has_equal_factors(node):
                node = replace(node, args=tuple(_of_type(atom, node, nodes) for atom in node.args))
            nodes.append(node)
        return replace(region, nodes=tuple(nodes))

    return replace(graph, body=map_region(graph.body, rewrite))


def _has_equal_factors(node: Apply) -> bool:
    """Tell whether compiled code wants the arguments of a function to be of one type."""
    if node.fn == "np.outer":  # rules of it have products
        return is_complex(node.out.type)
    return card(node.fn).takes_one_type


def _of_type(factor: Atom, product: Apply, nodes: list[Node]) -> Atom:
    """Return a factor of a product in the type of its result, converted if need be."""
    captured = getattr(factor, "value", None)
    kind = typeof(captured) if isinstance(captured, np.ndarray) else type_of(factor)
    wanted = element(product.out.type)
    if not is_array(kind) or kind.dtype == wanted:
        return factor
    converted = Value("factor", temporary=True, type=kind.copy(dtype=wanted, layout="C", readonly=False))
    dtype = Global(f"np.{wanted}", getattr(np, str(wanted)))
    nodes.append(Apply(converted, "astype", (factor, dtype), loc=product.loc, role=product.role))
    return converted


def _copy_overlapping(graph: Graph) -> Graph:
    """`x += x[::-1]` adds what x was before: NumPy sees to that, Numba does not."""
    memories = {value for value in defined(graph.body) if is_memory(value.type)}
    lists = {value for value in memories if is_list(value.type)}
    classes = memory_classes(graph.body, memories, lists)

    def rewrite(region: Region) -> Region:
        nodes: list[Node] = []
        for node in region.nodes:
            if isinstance(node, Store) and node.accumulate and is_array(type_of(node.value)):
                assert isinstance(node.value, Value)
                if classes.get(node.value, node.value) is classes.get(node.array, node.array):
                    copy = Value(node.value.name, temporary=True)
                    copy.type = node.value.type.copy(layout="C", readonly=False)
                    nodes.append(Apply(copy, "copy", (node.value,), loc=node.loc, role=node.role))
                    node = replace(node, value=copy)
            nodes.append(node)
        return Region(region.params, tuple(nodes), region.yields)

    return replace(graph, body=map_region(graph.body, rewrite))


def _copy_written_arguments(graph: Graph) -> Graph:
    """The caller's arrays are never changed: an argument that is written is copied on entry."""
    arrays = {value for value in defined(graph.body) if is_memory(value.type)}
    info = memory(graph.body, arrays, {value for value in defined(graph.body) if is_list(value.type)})
    own = {param: Value(param.name) for param in graph.body.params if info.is_written(param)}
    for param, copy in own.items():
        is_strided = is_array(param.type) and param.type.layout == "A"
        copy.type = param.type.copy(layout="C") if is_strided else param.type
    body = graph.body
    if own:
        body = substitute(body, dict(own))
        copies = (Apply(copy, "copy", (param,), role=Role.TAPE) for param, copy in own.items())
        body = replace(body, nodes=(*copies, *body.nodes))
    if not isinstance(graph.returns, Static):
        return replace(graph, body=body)
    body = replace(body, yields=tuple(own.values()))
    if not own:
        return replace(graph, body=body)
    return replace(graph, body=body, returns=Packed((Leaf(),) * len(own)) if len(own) > 1 else None)


def _define_initial_values(graph: Graph) -> Graph:
    """A loop-carried number without a value before the loop starts as zero: nothing reads it."""

    def begun(node: Node) -> Node:
        if not isinstance(node, For | While):
            return node
        kinds = (type_of(param) for param in node.carried)
        return replace(node, inits=tuple(map(_initial, node.inits, kinds)))

    def rewrite(region: Region) -> Region:
        return replace(region, nodes=tuple(map(begun, region.nodes)))

    return replace(graph, body=map_region(graph.body, rewrite))


def _initial(atom: Atom, kind: nt.Type | None) -> Atom:
    """Return a zero of its type where a number has no value."""
    if atom != UNDEFINED or kind is None or is_memory(kind):
        return atom
    if is_float(element(kind)):
        return Literal(0.0)
    if is_complex(kind):
        return Literal(0j)
    if isinstance(kind, nt.Boolean):
        return Literal(False)
    return Literal(0) if isinstance(kind, nt.Integer) else atom
