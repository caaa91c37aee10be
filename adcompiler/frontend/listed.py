"""Calls that read items one by one: `list(v)`, `sum(x * x for x in v)`, `any(map(f, v))`."""

from __future__ import annotations

import gast

from adcompiler.frontend import scope
from adcompiler.frontend.bindings import Binding
from adcompiler.frontend.ranks import Items
from adcompiler.frontend.state import Lowering
from adcompiler.graph.nodes import Atom, Global, Literal, Value
from adcompiler.primitives import card

_READ_AT_ONCE = ("np.array", "np.asarray")


def with_list(state: Lowering, node: gast.Call, fn: str) -> gast.Call:
    """Return a call with a list in place of the generator or `map` whose items it reads.

    Args:
        state: the state.
        node: the call.
        fn: the canonical name of what is called.
    """
    reads = (card(fn).is_of_tuples and fn != "len") or fn in _READ_AT_ONCE
    items = as_list(state, node.args[0]) if reads and node.args else None
    if items is None or items is node.args[0]:
        return node
    return gast.copy_location(gast.Call(node.func, [items, *node.args[1:]], node.keywords), node)


def as_list(state: Lowering, node: gast.expr) -> gast.expr:
    """Return a generator or a call of `map` as a list; all else as it is."""
    if isinstance(node, gast.GeneratorExp):
        return gast.copy_location(gast.ListComp(node.elt, node.generators), node)
    is_map = isinstance(node, gast.Call) and scope.called(state, node) == "map" and len(node.args) > 1
    if not is_map or node.keywords or any(isinstance(arg, gast.Starred) for arg in node.args):
        return node
    function, *over = node.args
    names = [f"$item_{k}" for k in range(len(over))]
    return _gone_over(node, over, names, gast.Call(function, [_name(name) for name in names], []))


def listed(state: Lowering, node: gast.Call, name: str | None) -> Binding:
    """Lower `list(v)`: a new list of the items of v."""
    items = as_list(state, node.args[0])
    if not isinstance(items, gast.ListComp | gast.List):
        items = _gone_over(node, [items], ["$item"], _name("$item"))
    return state.binding(items, name)


def any_or_all(state: Lowering, node: gast.Call, fn: str, name: str | None) -> Binding:
    """Lower `any(v)` or `all(v)`: of a tuple by its items, of all else by `np.any` and `np.all`."""
    found = state.binding(as_list(state, node.args[0]))
    if isinstance(found, tuple):
        total: Atom = Literal(fn == "all")
        for item in found:
            test = state.materialise(item, node)
            total = state.apply(node, "and" if fn == "all" else "or", (total, test))
        return total
    whole = state.materialise(found, node)
    is_array = isinstance(whole, Value) and type(state.ranks.get(whole)) is int
    array = whole if is_array else state.apply(node, "np.asarray", (whole,))
    return state.apply(node, f"np.{fn}", (array,), name)


def as_tuple(state: Lowering, node: gast.Call) -> Binding:
    """Lower `tuple(v)` of a list that is written down, or of a tuple.

    Raises:
        DifferentiationError: AD102 for what has a length that is not known.
    """
    if isinstance(node.args[0], gast.List):
        return state.binding(gast.copy_location(gast.Tuple(node.args[0].elts, gast.Load()), node))
    found = state.binding(as_list(state, node.args[0]))
    if isinstance(found, Global) and isinstance(found.value, tuple):
        return found
    if isinstance(found, tuple) or (isinstance(found, Value) and isinstance(state.ranks.get(found), Items)):
        return found
    raise state.refuse("AD102", "the length of the tuple is not known", node, "use an array or a list")


def as_array(state: Lowering, node: gast.Call, items: Binding) -> Binding:
    """Return a tuple of numbers of several types as the list that `np.array` makes an array of."""
    if not isinstance(items, tuple):
        return items
    kinds = {type(getattr(item, "value", None)) for item in items}
    if len(kinds) == 1 or any(isinstance(item, tuple) for item in items):
        return items
    return state.apply(node, "list", tuple(state.materialise(item, node) for item in items))


def _gone_over(node: gast.expr, over: list[gast.expr], names: list[str], item: gast.expr) -> gast.ListComp:
    """Return the list of an item for each of what is gone over."""
    target: gast.expr = _name(names[0], gast.Store())
    of = over[0]
    if len(over) > 1:
        target = gast.Tuple([_name(name, gast.Store()) for name in names], gast.Store())
        of = gast.Call(_name("zip"), over, [])
    made = gast.ListComp(item, [gast.comprehension(target, of, [], 0)])
    for part in gast.walk(made):
        if isinstance(part, gast.expr) and not hasattr(part, "lineno"):
            gast.copy_location(part, node)
    return made


def _name(name: str, context: gast.expr_context | None = None) -> gast.Name:
    return gast.Name(name, context or gast.Load(), None, None)
