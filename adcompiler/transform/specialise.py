"""Settle what depends on types: in-place operators, arguments that are written, undefined initial values."""

from __future__ import annotations

from dataclasses import replace

from numba.core import types as nt

from adcompiler.analysis.alias import memory, memory_classes
from adcompiler.analysis.types import (
    Types,
    element,
    is_array,
    is_array_atom,
    is_complex,
    is_float,
    is_list,
    is_memory,
    is_mutable,
    rank,
)
from adcompiler.definitions import SHOWN
from adcompiler.errors import DifferentiationError
from adcompiler.graph.layout import Leaf, Packed, Static
from adcompiler.graph.nodes import (
    UNDEFINED,
    Apply,
    Atom,
    For,
    Graph,
    If,
    Literal,
    Node,
    Region,
    Store,
    Value,
    While,
)
from adcompiler.graph.walk import map_region, substitute, walk
from adcompiler.optimize.invariant import remove_invariants
from adcompiler.primitives import card
from adcompiler.source import Location


def specialise(graph: Graph, types: Types, keep_arguments: bool) -> Graph:
    """Return the graph with typed nodes only.

    Args:
        graph: the untyped primal.
        types: types of its values, extended with the values made here.
        keep_arguments: whether arguments that are written are copied on entry. A function without a
            result then returns those copies.
    """
    graph = _only_reals(graph, types)
    graph = _resolve_items(_resolve_in_place(graph, types), types)
    graph = _resolve_identities(graph, types)
    graph = _copy_overlapping(graph, types)
    if keep_arguments:
        graph = _copy_written_arguments(graph, types)
    return _define_initial_values(graph, types)


def _only_reals(graph: Graph, types: Types) -> Graph:
    """Refuse complex arguments of definitions for real numbers, and writing what NumPy would show."""
    same: dict[Value, Atom] = {}
    marks = [node for node in walk(graph.body) if isinstance(node, Apply) and node.fn == "of_reals"]
    shown = [node for node in marks if getattr(node.args[1], "value", None) in SHOWN]
    if shown:
        arrays = {value for value, kind in types.items() if is_mutable(kind)}
        lists = {value for value, kind in types.items() if is_list(kind)}
        info = memory(graph.body, arrays, lists, types)
        for node in shown:
            if is_array(types.get(node.args[0])) and info.written_after(node.args[0], node):  # type: ignore[arg-type]
                reason = f"'{node.args[1].value}' shows an array that is written afterwards"  # type: ignore[union-attr]
                raise DifferentiationError("AD303", reason, node.loc, "write .copy() of the array inside")

    def rewrite(region: Region) -> Region:
        nodes: list[Node] = []
        for node in region.nodes:
            if not isinstance(node, Apply) or node.fn != "of_reals":
                nodes.append(node)
                continue
            argument, fn = node.args
            if node not in shown and isinstance(argument, Value) and is_complex(types.get(argument)):
                reason = f"'{getattr(fn, 'value', '')}' is known for real numbers only"
                raise DifferentiationError("AD202", reason, node.loc)
            same[node.out] = argument
        return replace(region, nodes=tuple(nodes))

    body = map_region(graph.body, rewrite)
    return replace(graph, body=substitute(body, same))


def _resolve_in_place(graph: Graph, types: Types) -> Graph:
    """`a += v` is a store where `a` is an array and an assignment where it is a number.

    `a[i] *= v` computes what is stored to a[i] then; where a[i] is an array in a list, it is that array that
    changes.
    """
    same: dict[Value, Atom] = {}
    makers = {node.out: node for node in walk(graph.body) if isinstance(node, Apply)}
    changed: set[Value] = set()

    def is_in_list(target: Value) -> bool:
        maker = makers.get(target)
        return maker is not None and maker.fn == "getitem" and is_list(types.get(maker.args[0]))  # type: ignore[arg-type]

    def in_place(node: Apply) -> list[Node]:
        op, (target, value) = card(node.fn).out_of_place, node.args
        if isinstance(target, Value) and is_list(types.get(target)):
            return [node]
        if not is_array(types.get(target)) or not isinstance(target, Value):  # type: ignore[arg-type]
            return [replace(node, fn=op, keywords=())]
        if node.keywords and not is_in_list(target):
            return [replace(node, fn=op, keywords=())]
        same[node.out] = target
        changed.add(node.out)
        if op == "add":
            return [Store(target, (), value, True, node.loc)]
        name = "neg" if op == "sub" else op
        new = Value(name, temporary=True)
        operands = (value,) if op == "sub" else (target, value)
        kind = types.get(value) if op == "sub" else types[target]  # type: ignore[arg-type]
        types[new] = nt.float64 if kind is None else kind
        compute = Apply(new, name, operands, loc=node.loc)
        return [compute, Store(target, (), new, op == "sub", node.loc)]

    def rewrite(region: Region) -> Region:
        nodes: list[Node] = []
        for node in region.nodes:
            is_same = isinstance(node, Apply) and node.fn == "np.asarray" and not node.keywords
            if is_same and is_array(types.get(node.args[0])):  # type: ignore[union-attr, arg-type]
                same[node.out] = node.args[0]  # type: ignore[union-attr]
                continue
            if isinstance(node, Store) and node.value in changed and is_list(types.get(node.array)):
                continue  # the list holds the array already
            is_in_place = isinstance(node, Apply) and card(node.fn).out_of_place
            nodes += in_place(node) if is_in_place else [node]  # type: ignore[arg-type]
        return Region(region.params, tuple(nodes), region.yields)

    body = map_region(graph.body, rewrite)
    return remove_invariants(replace(graph, body=substitute(body, same)))


_SEQUENCES = (nt.Array, nt.Sequence, nt.BaseTuple, nt.RangeType, nt.UnicodeType, nt.ListType)


def _resolve_items(graph: Graph, types: Types) -> Graph:
    """Settle what an iteration reads, indices that are tuples, and updates at arrays of indices."""

    def item(node: Apply) -> list[Node]:
        kind = types.get(node.args[0]) if isinstance(node.args[0], Value) else None
        if kind is not None and not isinstance(kind, _SEQUENCES):
            raise DifferentiationError("AD103", f"the loop goes over a value of type {kind}", node.loc)
        return [replace(node, fn="getitem")]

    def cast(node: Apply) -> list[Node]:
        like, value = node.args
        kind = types.get(like) if isinstance(like, Value) else None
        names = {"float64": "float", "int64": "int", "bool": "bool"}
        fn = names.get(str(kind), f"np.{kind}")
        return [replace(node, fn=fn, args=(value,)) if isinstance(kind, nt.Number) else node]

    def spread(index: tuple[Atom, ...], nodes: list[Node], loc: Location) -> tuple[Atom, ...]:
        places: list[Atom] = []
        for atom in index:
            kind = types.get(atom) if isinstance(atom, Value) else None
            if not isinstance(kind, nt.BaseTuple):
                places.append(atom)
                continue
            for k, part in enumerate(kind.types):
                place = Value("i", temporary=True)
                types[place] = part
                nodes.append(Apply(place, "getitem", (atom, Literal(k)), loc=loc))
                places.append(place)
        return tuple(places)

    def store(node: Store) -> list[Node]:
        nodes: list[Node] = []
        node = replace(node, index=spread(node.index, nodes, node.loc))
        picks = [i for i in node.index if is_array_atom(i, types)]
        if not node.accumulate or not picks:
            return [*nodes, node]
        old, new = Value("old", temporary=True), Value("new", temporary=True)
        single = [i for i in node.index if i != Literal(None) and not _is_slice(i, types)]
        axes = rank(types[node.array]) - len(single) + 1  # index arrays make one axis together
        types[old] = types[new] = nt.Array(element(types[node.array]), max(axes, 1), "C")
        read = Apply(old, "getitem", (node.array, *node.index), loc=node.loc)
        total = Apply(new, "add", (old, node.value), loc=node.loc)
        return [*nodes, read, total, replace(node, value=new, accumulate=False)]

    def rewrite(region: Region) -> Region:
        nodes: list[Node] = []
        for node in region.nodes:
            match node:
                case Apply(fn="nth"):
                    nodes += item(node)
                case Apply(fn="cast"):
                    nodes += cast(node)
                case Apply(fn="getitem"):
                    index = spread(node.args[1:], nodes, node.loc)
                    nodes.append(replace(node, args=(node.args[0], *index)))
                case If() if types.get(node.test) == nt.boolean:  # type: ignore[arg-type]
                    nodes.append(_settled(node))
                case Apply(fn="sum" | "max" | "min", args=(Value() as array,)) if is_array(types.get(array)):
                    nodes.append(replace(node, fn=f"np.{node.fn}"))
                case Apply(fn="max" | "min", args=(Value() as items,)) if is_list(types.get(items)):
                    array = Value("array", temporary=True)
                    types[array] = nt.Array(element(types[items]), 1, "C")
                    nodes.append(Apply(array, "np.array", (items,), loc=node.loc))
                    nodes.append(replace(node, fn=f"np.{node.fn}", args=(array,)))
                case Apply(fn="ravel", args=(Value() as array,)) if _is_strided(types.get(array)):
                    # Numba copies what is not laid out in C's order
                    nodes.append(replace(node, fn="flatten"))
                case Store():
                    nodes += store(node)
                case _:
                    nodes.append(node)
        return Region(region.params, tuple(nodes), region.yields)

    return replace(graph, body=map_region(graph.body, rewrite))


def _is_slice(atom: Atom, types: Types) -> bool:
    return isinstance(atom, Value) and isinstance(types.get(atom), nt.SliceType)


def _is_strided(kind: nt.Type | None) -> bool:
    return is_array(kind) and getattr(kind, "layout", "C") != "C"


def _settled(node: If) -> If:
    """`a and b` of tests is b or False; of other things it is b or a."""
    then = tuple(Literal(True) if atom is node.test else atom for atom in node.then.yields)
    orelse = tuple(Literal(False) if atom is node.test else atom for atom in node.orelse.yields)
    return replace(node, then=replace(node.then, yields=then), orelse=replace(node.orelse, yields=orelse))


def _resolve_identities(graph: Graph, types: Types) -> Graph:
    """`x is False` compares booleans; anything else, 0 too, is neither True nor False."""
    same: dict[Value, Atom] = {}

    def rewrite(region: Region) -> Region:
        nodes: list[Node] = []
        for node in region.nodes:
            if not isinstance(node, Apply) or node.fn != "is":
                nodes.append(node)
            elif not isinstance(types.get(node.args[0]), nt.Boolean):  # type: ignore[arg-type]
                same[node.out] = Literal(False)
            elif node.args[1] == Literal(True):
                same[node.out] = node.args[0]
            else:
                nodes.append(replace(node, fn="not", args=node.args[:1]))
        return replace(region, nodes=tuple(nodes))

    body = map_region(graph.body, rewrite)
    return replace(graph, body=substitute(body, same))


def _copy_overlapping(graph: Graph, types: Types) -> Graph:
    """`x += x[::-1]` adds what x was before: NumPy sees to that, Numba does not."""
    arrays = {value for value, kind in types.items() if is_array(kind)}
    classes = memory_classes(graph.body, arrays)

    def rewrite(region: Region) -> Region:
        nodes: list[Node] = []
        for node in region.nodes:
            if isinstance(node, Store) and node.accumulate and node.value in arrays:
                assert isinstance(node.value, Value)
                if classes.get(node.value, node.value) is classes.get(node.array, node.array):
                    copy = Value(node.value.name, temporary=True)
                    types[copy] = types[node.value].copy(layout="C", readonly=False)
                    nodes.append(Apply(copy, "copy", (node.value,), loc=node.loc))
                    node = replace(node, value=copy)
            nodes.append(node)
        return Region(region.params, tuple(nodes), region.yields)

    return replace(graph, body=map_region(graph.body, rewrite))


def _copy_written_arguments(graph: Graph, types: Types) -> Graph:
    """The caller's arrays are never changed: an argument that is written is copied on entry."""
    arrays = {value for value, kind in types.items() if is_memory(kind)}
    info = memory(graph.body, arrays, {value for value, kind in types.items() if is_list(kind)})
    copies: list[Node] = []
    mapping: dict[Value, Atom] = {}
    for param in graph.body.params:
        if info.is_written(param):
            own = Value(param.name)
            is_strided = is_array(types[param]) and types[param].layout == "A"
            types[own] = types[param].copy(layout="C") if is_strided else types[param]
            copies.append(Apply(own, "copy", (param,)))
            mapping[param] = own
    if not copies and not isinstance(graph.returns, Static):
        return graph
    body = substitute(graph.body, mapping)
    body = replace(body, nodes=(*copies, *body.nodes))
    if not isinstance(graph.returns, Static):
        return replace(graph, body=body)
    if not copies:
        return replace(graph, body=replace(body, yields=()))
    written = tuple(mapping.values())
    returns = Packed((Leaf(),) * len(written)) if len(written) > 1 else None
    return replace(graph, body=replace(body, yields=written), returns=returns)


def _define_initial_values(graph: Graph, types: Types) -> Graph:
    """A loop-carried number without a value before the loop starts as zero: nothing reads it."""

    def zero(atom: Atom, param: Value) -> Atom:
        kind = types.get(param)
        if atom != UNDEFINED or kind is None or is_array(kind):
            return atom
        if is_float(element(kind)):
            return Literal(0.0)
        if is_complex(kind):
            return Literal(0j)
        if isinstance(kind, nt.Boolean):
            return Literal(False)
        return Literal(0) if isinstance(kind, nt.Integer) else atom

    def rewrite(region: Region) -> Region:
        nodes: list[Node] = []
        for node in region.nodes:
            if isinstance(node, For | While):
                params = node.body.params[isinstance(node, For) :]
                node = replace(node, inits=tuple(map(zero, node.inits, params)))
            nodes.append(node)
        return Region(region.params, tuple(nodes), region.yields)

    return replace(graph, body=map_region(graph.body, rewrite))
