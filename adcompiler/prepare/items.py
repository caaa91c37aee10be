"""What types tell of items: what loops go over, indices that are tuples, tests, and arrays of indices."""

from __future__ import annotations

from dataclasses import replace

from numba.core import types as nt

from adcompiler.analysis.types import element, is_array, is_array_atom, is_list, rank
from adcompiler.errors import DifferentiationError
from adcompiler.graph.nodes import Apply, Atom, Graph, If, Literal, Node, Region, Store, Value, type_of
from adcompiler.graph.walk import map_region

_SEQUENCES = (nt.Array, nt.Sequence, nt.BaseTuple, nt.RangeType, nt.UnicodeType, nt.ListType)


def resolve_items(graph: Graph) -> Graph:
    """Settle what an iteration reads, indices that are tuples, and updates at arrays of indices."""

    def rewrite(region: Region) -> Region:
        return replace(region, nodes=tuple(made for node in region.nodes for made in _settled(node)))

    return replace(graph, body=map_region(graph.body, rewrite))


def _settled(node: Node) -> list[Node]:
    """Return what stands in place of a node."""
    match node:
        case Apply():
            return _primitive(node)
        case Store():
            return _store(node)
        case If() if type_of(node.test) == nt.boolean:
            return [_of_tests(node)]
    return [node]


def _primitive(node: Apply) -> list[Node]:
    match node:
        case Apply(fn="nth"):
            return [_item(node)]
        case Apply(fn="cast"):
            return [_cast(node)]
        case Apply(fn="getitem"):
            nodes, index = _spread(node.args[1:], node)
            return [*nodes, replace(node, args=(node.args[0], *index))]
        case Apply(fn="sum" | "max" | "min", args=(Value() as array,)) if is_array(type_of(array)):
            return [replace(node, fn=f"np.{node.fn}")]
        case Apply(fn="max" | "min", args=(Value() as items,)) if is_list(type_of(items)):
            made = _array_of(items, node)
            return [made, replace(node, fn=f"np.{node.fn}", args=(made.out,))]
        case Apply(fn="ravel", args=(Value() as array,)) if _is_strided(type_of(array)):
            return [replace(node, fn="flatten")]  # Numba copies what is not laid out in C's order
    return [node]


def _array_of(items: Value, node: Node) -> Apply:
    """Return what makes an array of a list of numbers: adjoints of these are arrays."""
    array = Value("array", temporary=True, type=nt.Array(element(items.type), 1, "C"))
    return Apply(array, "np.array", (items,), loc=node.loc, role=node.role)


def _item(node: Apply) -> Apply:
    """Return the read of an item, of what can be gone over."""
    kind = type_of(node.args[0])
    if kind is not None and not isinstance(kind, _SEQUENCES):
        raise DifferentiationError("AD103", f"the loop goes over a value of type {kind}", node.loc)
    return replace(node, fn="getitem")


def _cast(node: Apply) -> Apply:
    """`type(x)(v)` is a conversion where x is a number."""
    like, value = node.args
    kind = type_of(like)
    names = {"float64": "float", "int64": "int", "bool": "bool"}
    fn = names.get(str(kind), f"np.{kind}")
    return replace(node, fn=fn, args=(value,)) if isinstance(kind, nt.Number) else node


def _spread(index: tuple[Atom, ...], node: Node) -> tuple[list[Node], tuple[Atom, ...]]:
    """Return an index with the items of its tuples, and the nodes that read these."""
    nodes: list[Node] = []
    places: list[Atom] = []
    for atom in index:
        kind = type_of(atom)
        if not isinstance(kind, nt.BaseTuple):
            places.append(atom)
            continue
        for k, part in enumerate(kind.types):
            place = Value("i", temporary=True, type=part)
            nodes.append(Apply(place, "getitem", (atom, Literal(k)), loc=node.loc, role=node.role))
            places.append(place)
    return nodes, tuple(places)


def _store(node: Store) -> list[Node]:
    """`a[idx] += v` with an array of indices adds once for each element, however often it is named."""
    nodes, index = _spread(node.index, node)
    node = replace(node, index=index)
    if isinstance(items := node.value, Value) and is_list(items.type) and is_array_atom(node.array):
        made = _array_of(items, node)
        nodes, node = [*nodes, made], replace(node, value=made.out)
    picks = [i for i in node.index if is_array_atom(i)]
    if not node.accumulate or not picks:
        return [*nodes, node]
    old, new = Value("old", temporary=True), Value("new", temporary=True)
    single = [i for i in node.index if i != Literal(None) and not _is_slice(i)]
    axes = rank(node.array.type) - len(single) + 1  # index arrays make one axis together
    old.type = new.type = nt.Array(element(node.array.type), max(axes, 1), "C")
    read = Apply(old, "getitem", (node.array, *node.index), loc=node.loc, role=node.role)
    total = Apply(new, "add", (old, node.value), loc=node.loc, role=node.role)
    return [*nodes, read, total, replace(node, value=new, accumulate=False)]


def _is_slice(atom: Atom) -> bool:
    return isinstance(type_of(atom), nt.SliceType)


def _is_strided(kind: nt.Type | None) -> bool:
    return is_array(kind) and getattr(kind, "layout", "C") != "C"


def _of_tests(node: If) -> If:
    """`a and b` of tests is b or False; of other things it is b or a."""
    then = tuple(Literal(True) if atom is node.test else atom for atom in node.then.yields)
    orelse = tuple(Literal(False) if atom is node.test else atom for atom in node.orelse.yields)
    return replace(node, then=replace(node.then, yields=then), orelse=replace(node.orelse, yields=orelse))
