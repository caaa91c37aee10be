"""Functions that are called, not inlined: their types, and their place in a generated module."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from numba.core import types as nt
from numba.core.typing import signature
from numba.core.typing.typeof import Purpose, typeof
from numba.extending import typeof_impl

from adcompiler.analysis.alias import memory
from adcompiler.analysis.types import Types, infer, is_array, is_mutable, is_scalar, rank
from adcompiler.errors import DifferentiationError
from adcompiler.frontend.lower import lower
from adcompiler.frontend.recursion import Callee, Lifted, is_recursive
from adcompiler.graph.layout import Layout, Leaf, Packed, Static, map_leaves
from adcompiler.graph.nodes import Apply, Atom, Effect, Global, Graph, Literal, Node, Region, Role, Value
from adcompiler.graph.walk import map_region, substitute
from adcompiler.reverse.augmented import Half

Kinds = tuple[nt.Type, ...]


class CalleeType(nt.Callable, nt.Opaque):
    """The Numba type of a recursive function while types are inferred."""

    def __init__(self, callee: Callee) -> None:
        self.callee = callee
        super().__init__(f"Callee({callee.function.__name__}, {id(callee)})")

    def get_call_type(self, context: Any, args: Any, kws: Any) -> Any:
        """Return the signature for these arguments."""
        kinds = tuple(nt.unliteral(arg) for arg in args)
        return signature(derived_type(self.callee, kinds), *args)

    def get_call_signatures(self) -> Any:
        """Numba's listing of known signatures: they are made on demand."""
        return (), True

    def get_impl_key(self, sig: Any) -> Any:
        """Numba asks for this when it generates code, which it never does with this type."""
        raise NotImplementedError


class HalfType(nt.Callable, nt.Opaque):
    """The Numba type of a half of a function that stays one, while types are inferred."""

    def __init__(self, half: Half) -> None:
        self.half = half
        super().__init__(f"Half({half.name}, {id(half)})")

    def get_call_type(self, context: Any, args: Any, kws: Any) -> Any:
        """Return the signature for these arguments."""
        return signature(self.half.result, *args)

    def get_call_signatures(self) -> Any:
        """Numba's listing of known signatures: there is one."""
        return (), True

    def get_impl_key(self, sig: Any) -> Any:
        """Numba asks for this when it generates code, which it never does with this type."""
        raise NotImplementedError


@typeof_impl.register(Half)
def _typeof_half(value: Half, context: Any) -> HalfType:
    return HalfType(value)


@typeof_impl.register(Callee)
def _typeof_callee(value: Callee, context: Any) -> CalleeType:
    return CalleeType(value)


def derived_type(callee: Callee, kinds: Kinds) -> nt.Type:
    """Return what a function, or a derivative of it, returns for arguments of some types."""
    if not callee.chain:
        return result_type(callee, kinds)
    *before, step = callee.chain
    inner = replace(callee, chain=tuple(before))
    if step.in_lanes:
        one = replace(callee, chain=(*before, replace(step, in_lanes=False)))
        return along_lanes(derived_type(one, kinds))
    match step.kind:
        case "jvp" | "tangent":
            found = derived_type(inner, kinds[: len(kinds) - len(step.wrt)])
            return nt.Tuple([found, plain_kind(found)]) if step.kind == "jvp" else plain_kind(found)
        case "slope":
            return plain_kind(derived_type(inner, kinds))
        case _:
            gradients = [plain_kind(kinds[k]) for k in step.wrt]
            return gradients[0] if callee.single else nt.Tuple(gradients)


def along_lanes(kind: nt.Type) -> nt.Type:
    """Return the type of an array of numbers whose last axis are lanes."""
    return nt.Array(nt.float64, rank(kind) + 1, "C")


def own_kinds(callee: Callee, kinds: Kinds) -> Kinds:
    """Return the types of the arguments of the function itself, without those that its derivative adds."""
    added = {"pullback": len(callee.picks or (0,)), "jvp": None, "tangent": None}
    count = sum(added.get(step.kind, 0) or len(step.wrt) for step in callee.chain if step.kind in added)
    return kinds[: len(kinds) - count]


def plain_kind(kind: nt.Type) -> nt.Type:
    """Return the type of a freshly allocated value."""
    if isinstance(kind, nt.BaseTuple):
        return nt.Tuple([plain_kind(part) for part in kind.types])
    return kind.copy(layout="C", readonly=False) if is_array(kind) else kind


_KINDS = {bool: nt.boolean, int: nt.int64, float: nt.float64, complex: nt.complex128}
_KNOWN: dict[tuple[Callee, Kinds], nt.Type] = {}
_ASSUMED: dict[tuple[Callee, Kinds], nt.Type] = {}


def forget() -> None:
    """Forget what recursive functions return, which depends on what they read of their surroundings."""
    _KNOWN.clear()


def result_type(callee: Callee, kinds: Kinds) -> nt.Type:
    """Return what a recursive function returns, found by assuming a type until it is borne out.

    Raises:
        DifferentiationError: AD201 where that does not succeed.
    """
    key = (callee, kinds)
    if key in _KNOWN or key in _ASSUMED:
        return _KNOWN.get(key) or _ASSUMED[key]
    graph = callee_graph(callee, kinds)
    arrays = [plain_kind(kind) for kind in kinds if is_array(kind)]
    error: DifferentiationError | None = None
    starts = [nt.int64, *dict.fromkeys(arrays)]
    parts = _parts_of_recursion(callee, graph)
    if parts:
        starts = [nt.UniTuple(kind, parts) for kind in (nt.int64, nt.float64)]
    for start in starts:
        try:
            found = _borne_out(callee, kinds, graph, start)
            if parts and not all(map(is_scalar, found.types)):
                break
            _KNOWN[key] = found
            return found
        except DifferentiationError as refused:
            error = error or refused
    if parts:
        raise refusal(callee, "returns something else than numbers in a tuple") from error
    assert error is not None
    raise error


def _parts_of_recursion(callee: Callee, graph: Graph) -> int:
    """Return how many parts the tuple has that a function returns which calls itself; 0 without a tuple."""
    function = callee.function
    if isinstance(function, Lifted) or not isinstance(graph.returns, Packed) or not is_recursive(function):
        return 0
    return len(graph.returns.parts)


def _borne_out(callee: Callee, kinds: Kinds, graph: Graph, assumed: nt.Type) -> nt.Type:
    """Return the type of a result that follows from assuming that it is one, starting with some type."""
    key = (callee, kinds)
    try:
        for _ in range(4):
            _ASSUMED[key] = assumed
            types = infer(graph, [kind for kind in kinds if not isinstance(kind, nt.NoneType)])
            kinds_found = [plain_kind(_kind_of(atom, types)) for atom in graph.body.yields]
            is_single = graph.returns is None and len(kinds_found) == 1
            found = kinds_found[0] if is_single else nt.Tuple(kinds_found)
            if found == assumed:
                return found
            assumed = found
    finally:
        _ASSUMED.pop(key, None)
    raise refusal(callee, f"the type of its result changes from {assumed} to another")


def _kind_of(atom: Atom, found: Types) -> nt.Type:
    if isinstance(atom, Value):
        return found[atom]
    return _KINDS.get(type(getattr(atom, "value", None)), nt.int64)


def _ranked(callee: Callee, kinds: Kinds) -> tuple[Any, Sequence[Layout]]:
    """Return a function and the layouts of its arguments, with numbers of axes."""
    function = callee.function
    if not isinstance(function, Lifted):
        layouts = [Static(None) if isinstance(kind, nt.NoneType) else Leaf(rank(kind)) for kind in kinds]
        return function, layouts
    supply = iter(kinds)
    *own, what = [
        map_leaves(layout, lambda leaf: Leaf(rank(next(supply))))
        for layout in (*callee.layouts, function.what)
    ]
    return replace(function, what=what), own


def refusal(callee: Callee, reason: str) -> DifferentiationError:
    """Build the refusal of a recursive function."""
    return DifferentiationError("AD201", f"'{callee.function.__name__}' calls itself, and {reason}")


def callee_graph(callee: Callee, kinds: Kinds) -> Graph:
    """Return the untyped graph of a function that is called."""
    function, layouts = _ranked(callee, kinds)
    graph = lower(function, layouts, callee.raises, callee.staying or frozenset())
    if callee.staying is not None:
        many = graph.returns is not None
        returns = Packed(tuple(Leaf() for _ in graph.body.yields)) if many else None
        return replace(graph, returns=returns)
    if callee.picks is not None:
        chosen = tuple(graph.body.yields[k] for k in callee.picks)
        graph = replace(graph, body=replace(graph.body, yields=chosen), returns=None)
    if isinstance(callee.function, Lifted):
        graph = replace(graph, parameters=())
    if callee.chain or callee.picks is not None:
        return graph
    if isinstance(callee.function, Lifted) or not is_recursive(callee.function):
        return graph  # the rule of a function
    if not _is_flat(graph.returns):
        raise refusal(callee, "returns something else than one array, or numbers")
    params = graph.body.params
    info = memory(graph.body, set(params), set(params))
    given = [kind for kind in kinds if not isinstance(kind, nt.NoneType)]
    objects = {param: kind for param, kind in zip(params, given, strict=True) if is_mutable(kind)}
    written = {param: kind for param, kind in objects.items() if info.is_written(param)}
    if not all(is_array(kind) and isinstance(kind.dtype, nt.Integer) for kind in written.values()):
        raise refusal(callee, "writes to one of its arguments that holds no whole numbers")
    return _put_back(graph, [*written]) if written else graph


def _is_flat(returns: Layout | None) -> bool:
    """Tell whether a result is one value, or a tuple of such."""
    if isinstance(returns, Packed):
        return returns.maker is tuple and all(isinstance(part, Leaf) for part in returns.parts)
    return returns is None


def _put_back(graph: Graph, written: Sequence[Value]) -> Graph:
    """Let a function write in copies of arguments, which then have to be as they were: to its caller, it
    writes none.
    """
    own = {param: Value(param.name) for param in written}
    nodes: list[Node] = [Apply(copy, "copy", (param,), role=Role.TAPE) for param, copy in own.items()]
    body = substitute(graph.body, dict(own))
    nodes += body.nodes
    for param, copy in own.items():
        same, all_of_them = Value("same", temporary=True), Value("all", temporary=True)
        message = (
            f"'{graph.name}' calls itself, and returns without putting back what it wrote to '{param.name}'"
        )
        nodes += [
            Apply(same, "eq", (copy, param)),
            Apply(all_of_them, "np.all", (same,)),
            Effect("assert", (all_of_them, Literal(message))),
        ]
    return replace(graph, body=replace(body, params=graph.body.params, nodes=tuple(nodes)))


def returning_copy(graph: Graph) -> Graph:
    """Let a function that returns an array return one of its own."""
    result = graph.body.yields[0]
    if not isinstance(result, Value) or not is_array(result.type):
        return graph
    own = Value(result.name, type=plain_kind(result.type))
    body = graph.body
    body = Region(body.params, (*body.nodes, Apply(own, "copy", (result,), role=Role.TAPE)), (own,))
    return Graph(graph.name, body, graph.returns, graph.doc, graph.defaults, graph.parameters)


@dataclass
class Callees:
    """The functions that a module holds beside its main ones, each for one combination of types."""

    mains: Collection[str]
    names: dict[Half | tuple[Callee, Kinds], str] = field(default_factory=dict)
    todo: list[Half | tuple[Callee, Kinds]] = field(default_factory=list)

    def name(self, key: Half | tuple[Callee, Kinds]) -> str:
        """Return the name of a function, noting that it is needed."""
        if key not in self.names:
            if isinstance(key, Half):
                name = key.name
            else:
                steps = (f"{step.kind}s" if step.in_lanes else step.kind for step in key[0].chain)
                name = "_".join([key[0].name, *steps])
            taken = {*self.mains, *self.names.values()}
            k, unique = 0, name
            while unique in taken:
                k += 1
                unique = f"{name}_{k}"
            self.names[key] = unique
            self.todo.append(key)
        return self.names[key]

    def resolve(self, graph: Graph) -> Graph:
        """Name the functions that a graph calls for the types that it calls them with."""

        def change(node: Node) -> Node:
            callee, *args = node.args if isinstance(node, Apply) and node.args else (None,)
            if not isinstance(callee, Global) or not isinstance(callee.value, Callee | Half):
                return node
            assert isinstance(node, Apply)
            key = callee.value
            if isinstance(key, Callee):
                _check_apart(key, args, node)
            name = self.name(key if isinstance(key, Half) else (key, tuple(map(plain_or_none, args))))
            return Apply(
                node.out, node.fn, (Global(name, callee.value), *args), (), loc=node.loc, role=node.role
            )

        def rewrite(region: Region) -> Region:
            return Region(region.params, tuple(map(change, region.nodes)), region.yields)

        body = map_region(graph.body, rewrite)
        return Graph(graph.name, body, graph.returns, graph.doc, graph.defaults, graph.parameters)


def _check_apart(callee: Callee, args: Sequence[Atom], node: Apply) -> None:
    """Refuse a call with the same array twice of a function that writes to what it is given, in copies."""
    arrays = [arg for arg in args if isinstance(arg, Value) and is_array(arg.type)]
    if len({*arrays}) == len(arrays) or callee.picks is not None:
        return
    kinds = own_kinds(callee, tuple(map(plain_or_none, args)))
    graph = callee_graph(replace(callee, chain=()), kinds)
    if any(made.role is Role.TAPE for made in graph.body.nodes):
        reason = (
            f"'{callee.function.__name__}' calls itself, and is given an array twice that it may write to"
        )
        raise DifferentiationError("AD201", reason, node.loc, "pass a copy: f(a, a.copy())")


def plain_or_none(atom: Atom) -> nt.Type:
    """Return the type of an argument of a call."""
    if isinstance(atom, Value):
        return atom.type
    if atom == Literal(None):
        return nt.none
    if isinstance(atom, Global):
        return typeof(atom.value, Purpose.constant)
    return _KINDS.get(type(getattr(atom, "value", None)), nt.unicode_type)
