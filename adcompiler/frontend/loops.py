"""Loops: what they carry from one iteration to the next, and what they go over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import gast

from adcompiler.frontend import iteration
from adcompiler.frontend.assignment import bind
from adcompiler.frontend.bindings import (
    Ambiguous,
    Binding,
    Environment,
    flatten,
    is_fixed,
    part_names,
    rebuild,
)
from adcompiler.frontend.branches import branch
from adcompiler.frontend.parse import assigned
from adcompiler.frontend.ranks import atom_rank
from adcompiler.frontend.state import Lowering
from adcompiler.frontend.truth import test_of
from adcompiler.graph.nodes import (
    UNDEFINED,
    Apply,
    Atom,
    Effect,
    For,
    Literal,
    Node,
    Region,
    Store,
    Value,
    While,
)
from adcompiler.graph.walk import operands, walk
from adcompiler.primitives import card


@dataclass
class _Carried:
    """The variables that a loop carries from one iteration to the next, exploded to single values."""

    names: list[str]
    apart: dict[str, Ambiguous]
    shapes: list[Binding]
    inits: list[Atom]
    params: list[Value]
    outs: list[Value]


def _carried(
    state: Lowering, names: list[str], shapes: dict[str, Binding], ranks: dict[int, int | None]
) -> _Carried:
    loop = _Carried([], {}, [], [], [], [])
    for name in names:
        if isinstance(known := shapes.get(name), Ambiguous):
            loop.apart[name] = known
            continue
        before = _at_first(state, name, shapes)
        loop.names.append(name)
        loop.shapes.append(before)
        for atom, part in zip(flatten(before), part_names(before, name), strict=True):
            loop.inits.append(atom)
            rank = ranks.get(len(loop.params), atom_rank(atom, state.ranks))
            for values in (loop.params, loop.outs):
                values.append(Value(part.lstrip("$")))
                state.ranks[values[-1]] = rank
    return loop


def _at_first(state: Lowering, name: str, shapes: dict[str, Binding]) -> Binding:
    """Return what a variable is bound to before the loop, in a form that the loop can carry."""
    before = state.env.get(name, UNDEFINED)
    if not isinstance(before, Atom | tuple) or any(map(is_fixed, flatten(before))):
        before = UNDEFINED
    if before == UNDEFINED and name in shapes:
        before = rebuild(shapes[name], lambda _: UNDEFINED)
    return before


def _bound(loop: _Carried, values: list[Value]) -> Environment:
    supply = iter(values)
    pairs = zip(loop.names, loop.shapes, strict=True)
    return loop.apart | {name: rebuild(shape, lambda _: next(supply)) for name, shape in pairs}


def _yields(loop: _Carried, env: Environment) -> list[Atom] | dict[str, Binding]:
    """Return the next values; or the shape of a variable that is new in the body or changes its kind."""
    found: list[Atom] = []
    for name, shape in zip(loop.names, loop.shapes, strict=True):
        after = env.get(name, UNDEFINED)
        picked = after.tuple if isinstance(after, Ambiguous) else after
        if shape == UNDEFINED and isinstance(picked, tuple):
            return {name: picked}
        if not isinstance(after, Atom | tuple):  # a nested function: only visible inside the body
            after = UNDEFINED
        if _becomes_none(shape, after):
            return {name: Ambiguous(f"'{name}' is None at first and something else after an iteration")}
        if not _same_shape(shape, after):
            reason = f"'{name}' is a tuple of another length after an iteration"
            return {name: Ambiguous(reason, after if isinstance(after, tuple) else None)}
        found.extend(flatten(after))
    return found


def _becomes_none(before: Binding, after: Binding) -> bool:
    """Tell whether a variable is None before an iteration or after it, but not both."""
    is_known = UNDEFINED not in (before, after) and not isinstance(before, tuple)
    return is_known and (before == Literal(None)) != (after == Literal(None))


def _same_shape(one: Binding, two: Binding) -> bool:
    if isinstance(one, tuple) and isinstance(two, tuple):
        return len(one) == len(two) and all(map(_same_shape, one, two))
    return not isinstance(one, tuple) and not isinstance(two, tuple)


def _loop_body(
    state: Lowering,
    stmt: gast.For | gast.While,
    begin: Callable[[], None],
    shapes: dict[str, Binding],
    ranks: dict[int, int | None],
) -> tuple[_Carried, Region, Region]:
    """Lower a loop's condition and body; carried are all names that the body binds.

    Once more with the shapes of tuples and the numbers of axes of what the loop is the first to assign.
    """
    loop = _carried(state, list(assigned([stmt])), shapes, ranks)
    outer = state.env
    state.env = outer | _bound(loop, loop.params)
    cond = _condition(state, stmt)
    nodes, _ = state.aside(lambda: _iteration(state, stmt, begin))
    env, state.env = state.env, outer
    after = _yields(loop, env)
    if isinstance(after, dict):
        return _loop_body(state, stmt, begin, shapes | after, {})
    learned = _learned(state, loop, after, nodes)
    if learned and not ranks:
        return _loop_body(state, stmt, begin, shapes, learned)
    stop = state.structured.stops.get(stmt)
    flag = [env[stop]] if stop is not None else []
    body = Region(tuple(loop.params), tuple(nodes), (*flag, *after))  # type: ignore[arg-type]
    state.env.update(_bound(loop, loop.outs))
    return loop, cond, body


def _condition(state: Lowering, stmt: gast.For | gast.While) -> Region:
    if not isinstance(stmt, gast.While):
        return Region((), (), ())
    nodes, test = state.aside(lambda: test_of(state, stmt.test))
    return Region((), tuple(nodes), (test,))


def _iteration(state: Lowering, stmt: gast.For | gast.While, begin: Callable[[], None]) -> None:
    begin()
    state.block(stmt.body)
    state.statement = stmt


def _learned(state: Lowering, loop: _Carried, after: list[Atom], nodes: list[Node]) -> dict[int, int | None]:
    """Enter numbers of axes that an iteration tells; return those of values that the body reads before."""
    found: dict[int, int | None] = {}
    for k, (param, out, last) in enumerate(zip(loop.params, loop.outs, after, strict=True)):
        if state.ranks[param] is None and atom_rank(last, state.ranks) is not None:
            found[k] = state.ranks[out] = atom_rank(last, state.ranks)
    if not found:
        return {}
    read = {atom for node in walk(Region((), tuple(nodes), ())) for atom in operands(node)}
    return {k: rank for k, rank in found.items() if loop.params[k] in read}


def while_loop(state: Lowering, stmt: gast.While) -> None:
    """Lower a while loop."""
    where = state.where(stmt)
    loop, cond, body = _loop_body(state, stmt, lambda: None, {}, {})
    breaks = stmt in state.structured.stops
    state.nodes.append(While(tuple(loop.inits), cond, body, tuple(loop.outs), breaks, loc=where))


def for_loop(state: Lowering, stmt: gast.For) -> None:
    """Lower a for loop: over a range as it is, over other sequences by position; tuples are written out."""
    over, slots = iteration.checkpoints(state, stmt.iter)
    bounds = iteration.range_bounds(state, over)
    if bounds is not None and isinstance(stmt.target, gast.Name):
        name = stmt.target.id
        index = Value(name.lstrip("$"))
        _for(state, stmt, index, bounds, lambda: state.env.update({name: index}), slots)
        return
    sequence = iteration.sequence(state, over, stmt.target)
    if sequence.items is not None:
        _unrolled(state, stmt, sequence.items)
        return
    position = Value(iteration.position_name(stmt.target, over), temporary=True)
    bounds = Literal(0), sequence.length(), Literal(1)
    state.statement = stmt
    _for(state, stmt, position, bounds, lambda: bind(state, stmt.target, sequence.item(position)), slots)
    _check_fixed(state, stmt)


def _check_fixed(state: Lowering, stmt: gast.For) -> None:
    """Refuse a loop over a list that grows or shrinks inside, or over a part of one that is written."""
    loop = state.nodes[-1]
    assert isinstance(loop, For)
    read = {node.args[0] for node in loop.body.nodes if isinstance(node, Apply) and node.fn == "nth"}
    of_part = any(isinstance(part, gast.Slice) for part in gast.walk(stmt.iter))
    changed = [
        node.array if isinstance(node, Store) else node.args[0]
        for node in walk(loop.body)
        if (isinstance(node, Store) and of_part)
        or (isinstance(node, Apply | Effect) and (card(node.fn).changes_length or node.fn == "method"))
    ]
    if any(array in read for array in changed):
        raise state.refuse("AD103", "the list is changed while the loop goes over it", stmt.iter)


def _for(
    state: Lowering,
    stmt: gast.For,
    index: Value,
    bounds: tuple[Atom, Atom, Atom],
    begin: Callable[[], None],
    slots: int | None,
) -> None:
    where = state.where(stmt)
    state.ranks[index] = 0
    loop, _, body = _loop_body(state, stmt, begin, {}, {})
    body = Region((index, *body.params), body.nodes, body.yields)
    breaks = stmt in state.structured.stops
    outs, free = tuple(loop.outs), iteration.is_independent(state, stmt.iter)
    state.nodes.append(For(*bounds, tuple(loop.inits), body, outs, breaks, slots, free, loc=where))


def _unrolled(state: Lowering, stmt: gast.For, items: tuple[Binding, ...]) -> None:
    """A loop over a tuple known here (of layers, say) is written out."""
    stop = state.structured.stops.get(stmt)

    def run(items: tuple[Binding, ...]) -> None:
        if not items:
            return
        bind(state, stmt.target, items[0])
        state.block(stmt.body)
        state.statement = stmt
        flag = Literal(False) if stop is None else state.env[stop]
        if flag == Literal(False):
            run(items[1:])
        elif flag != Literal(True):
            assert isinstance(flag, Value)
            names = assigned([stmt])
            arms = (lambda: None), (lambda: run(items[1:]))
            branch(state, flag, arms, names, stmt, state.where(stmt))

    run(items)


def comprehension(state: Lowering, node: gast.ListComp, name: str | None) -> Value:
    """Lower `[e for x in xs if c]`: an empty list, and a loop that appends."""
    made = state.apply(node, "list", (), name)
    loop = _appending(node)
    outer, statement = dict(state.env), state.statement
    local = (*assigned([loop]), _LIST)
    state.local_names |= set(local)
    state.env[_LIST] = made
    for_loop(state, loop)
    state.statement = statement
    for target in local:
        if target in outer:
            state.env[target] = outer[target]
        else:
            del state.env[target]
    return made


_LIST = "$list"
"""The variable that holds the list of a comprehension."""


def _appending(node: gast.ListComp) -> gast.For:
    """Return the loop that appends the items of a comprehension to its list."""
    append = gast.Attribute(gast.Name(_LIST, gast.Load(), None, None), "append", gast.Load())
    body: gast.stmt = gast.Expr(gast.Call(append, [node.elt], []))
    for generator in reversed(node.generators):
        for test in reversed(generator.ifs):
            body = gast.If(test, [body], [])
        body = gast.For(generator.target, generator.iter, [body], [], None)
    for part in gast.walk(body):
        if not hasattr(part, "lineno"):
            gast.copy_location(part, node)
    assert isinstance(body, gast.For)
    return body
