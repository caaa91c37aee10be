"""Lists in reverse: the shadow of a list shrinks where the list grew.

The shadow is a list as long as the primal's list at that point: `append` is reversed by `pop` and the
other way round. The items of a list of arrays are references, so its shadow holds shadow arrays.
"""

from __future__ import annotations

from collections.abc import Container

from adcompiler.analysis.types import is_array, is_list
from adcompiler.errors import DifferentiationError
from adcompiler.graph.kinds import zero_of
from adcompiler.graph.nodes import Apply, Atom, Effect, Literal, Region, Role, Store, Value, type_of
from adcompiler.graph.walk import operands, values, walk
from adcompiler.reverse.adjoints import AdjointSweep, Contribution

TO_ARRAY = ("np.array", "np.asarray")


def displays(body: Region) -> set[Value]:
    """Return the lists that only write down the elements of an array, as in `np.array([a, b])`."""
    makers = {node.out: node for node in walk(body) if isinstance(node, Apply) and node.fn == "list"}
    found = {value for value in makers if value.temporary and is_list(type_of(value))}
    for node in walk(body):
        inside = isinstance(node, Apply) and (node.fn in TO_ARRAY or node.out in found)
        if not inside:
            found -= set(values(operands(node)))
    return found


def check_lists(body: Region, active: set[Value], known: Container[Value]) -> None:
    """Refuse lists that come from anywhere but a display, a repetition, or appended items.

    Args:
        body: body of the primal.
        active: values that carry a derivative.
        known: lists that are taken care of.

    Raises:
        DifferentiationError: AD202 for other ways to make a list.
    """
    for node in walk(body):
        is_other = isinstance(node, Apply) and node.fn not in ("list", "mul") and node.out not in known
        if isinstance(node, Apply) and is_other and node.out in active and is_list(node.out.type):
            if node.fn == "getitem" and is_list(type_of(node.args[0]).dtype):
                cure = "use an array with two axes, such as np.zeros((n, m))"
                raise DifferentiationError("AD202", "a list of lists is read", node.loc, cure)
            what = "a slice" if node.fn == "getitem" else f"'{node.fn}'"
            cure = "append to an empty list in a loop, or use an array"
            raise DifferentiationError("AD202", f"a list is made by {what}", node.loc, cure)


def open_list(sweep: AdjointSweep, value: Value) -> Value:
    """Append the allocation of a list's shadow, as long as the list is now."""
    kind = value.type
    count = sweep.apply("len", value)
    if not is_list(kind) or is_list(kind.dtype):
        loc = sweep.definitions[value].loc if value in sweep.definitions else None
        raise DifferentiationError("AD202", f"'{value.name}' is a list of lists", loc, "use a 2-D array")
    if not is_array(kind.dtype):
        zero = sweep.apply("list", Literal(zero_of(kind.dtype)))
        return sweep.apply("mul", zero, count, name=f"d_{value.name}", temporary=False)
    shadow = sweep.apply("list", name=f"d_{value.name}", temporary=False)
    k, item, zeros = Value("k"), Value("item", temporary=True), Value("zeros", temporary=True)
    nodes = (
        Apply(item, "getitem", (value, k), role=Role.TAPE),
        Apply(zeros, "np.zeros_like", (item,)),
        Effect("append", (shadow, zeros)),
    )
    sweep.loop(count, k, nodes)
    return shadow


def reverse_display(sweep: AdjointSweep, node: Apply) -> None:
    """`v = [a, b]`: a gains what belongs to v[0], b what belongs to v[1]."""
    if node.out not in sweep.active or not sweep.is_buffered(node.out):
        return
    for k, item in enumerate(node.args):
        if isinstance(item, Value) and item in sweep.active:
            found = sweep.apply("getitem", sweep.shadow(node.out), Literal(k))
            sweep.contribute(item, Contribution(found))


def reverse_append(sweep: AdjointSweep, node: Effect) -> None:
    """`v.append(a)`: a gains what belongs to the last item, which the shadow gives up."""
    array, item = node.args
    if not isinstance(array, Value) or array not in sweep.active or sweep.binds_items(array):
        return
    found = sweep.apply("pop", sweep.shadow(array), name=_adjoint_name(item))
    if isinstance(item, Value) and item in sweep.active:
        sweep.contribute(item, Contribution(found))


def _adjoint_name(item: Atom) -> str:
    return f"d_{item.name}" if isinstance(item, Value) else "unused"


def reverse_pop(sweep: AdjointSweep, node: Apply, adjoint: Contribution | None) -> None:
    """`a = v.pop()`: the shadow grows by the adjoint of a."""
    array = node.args[0]
    if not isinstance(array, Value) or array not in sweep.active or sweep.binds_items(array):
        return
    value = sweep.zero(node.out) if adjoint is None else sweep.full(node.out, adjoint)
    sweep.nodes.append(Effect("append", (sweep.shadow(array), value), loc=sweep.loc, role=sweep.role))


def reverse_sum(sweep: AdjointSweep, node: Apply, adjoint: Contribution) -> None:
    """`y = sum(v)`: every item gains the adjoint of y."""
    (array,) = values(node.args[:1])
    k = Value("k")
    store = Store(sweep.shadow(array), (k,), adjoint.atom, True, loc=sweep.loc, role=sweep.role)
    sweep.loop(sweep.apply("len", sweep.shadow(array)), k, (store,))


def reverse_repeated(sweep: AdjointSweep, node: Apply) -> None:
    """`w = v * n`: item number k of v gains what belongs to all its copies."""
    first, second = node.args
    array = first if is_list(type_of(first)) else second
    if not isinstance(array, Value) or node.out not in sweep.active:
        return
    shadow, k = sweep.shadow(node.out), Value("k")
    place, item = Value("place", temporary=True), Value("item", temporary=True)
    size = sweep.apply("len", sweep.shadow(array))
    nodes = (
        Apply(place, "mod", (k, size)),
        Apply(item, "getitem", (shadow, k)),
        Store(sweep.shadow(array), (place,), item, True, loc=sweep.loc, role=sweep.role),
    )
    sweep.loop(sweep.apply("len", shadow), k, nodes)


def reverse_to_array(sweep: AdjointSweep, node: Apply, adjoint: Contribution) -> None:
    """`y = np.array(v)`: item number k gains what belongs to y[k]."""
    (array,) = values(node.args[:1])
    found = sweep.full(node.out, adjoint)
    if array in sweep.displayed:
        _leaves(sweep, array, found, ())
        return
    if is_list(array.type.dtype):
        raise DifferentiationError(
            "AD202", "no derivative rule for an array made of lists of lists", node.loc
        )
    k, item = Value("k"), Value("item", temporary=True)
    nodes = (
        Apply(item, "getitem", (found, k)),
        Store(sweep.shadow(array), (k,), item, True, loc=sweep.loc, role=sweep.role),
    )
    sweep.loop(sweep.apply("len", sweep.shadow(array)), k, nodes)


def _leaves(sweep: AdjointSweep, array: Value, adjoint: Atom, place: tuple[Literal, ...]) -> None:
    for k, item in enumerate(sweep.definitions[array].args):
        if not isinstance(item, Value) or item not in sweep.active:
            continue
        if item in sweep.displayed:
            _leaves(sweep, item, adjoint, (*place, Literal(k)))
        else:
            found = sweep.apply("getitem", adjoint, *place, Literal(k))
            sweep.contribute(item, Contribution(found))
