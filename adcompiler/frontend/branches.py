"""Branches: `if`, `a if c else b`, and `and` and `or`, whose second operand has a path of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import gast

from adcompiler.frontend.bindings import Binding, Environment, join
from adcompiler.frontend.parse import assigned, own_nodes
from adcompiler.frontend.ranks import joined_rank
from adcompiler.frontend.state import Lowering, bounds_of
from adcompiler.frontend.truth import test_of
from adcompiler.graph.nodes import UNDEFINED, Apply, Atom, If, Literal, Node, Region, Value
from adcompiler.primitives import card
from adcompiler.source import Location

T = TypeVar("T")


def _arm(state: Lowering, run: Callable[[], T]) -> tuple[list[Node], T, Environment]:
    """Lower the arm of a branch, starting from a copy of the environment."""
    env, state.env = state.env, dict(state.env)
    nodes, found = state.aside(run)
    after, state.env = state.env, env
    return nodes, found, after


def _bound(parts: Iterable[gast.expr]) -> dict[str, None]:
    """Return the variables that expressions bind by `:=`."""
    targets = (n.target.id for part in parts for n in own_nodes(part) if isinstance(n, gast.NamedExpr))
    return {name: None for name in targets if not name.startswith("$")}


def _append(
    state: Lowering,
    test: Atom,
    arms: tuple[list[Node], list[Node]],
    yields: tuple[list[Atom], list[Atom]],
    outs: list[Value],
    where: Location,
) -> None:
    """Append the branch of two arms that yield `outs`."""
    for out, one, two in [*zip(outs, *yields, strict=True)]:
        state.ranks[out] = joined_rank(one, two, state.ranks)
        spans = [state.spans.get(atom) for atom in (one, two) if isinstance(atom, Value)]
        if len(spans) == 2 and spans[0] and spans[1]:  # of ranges, the bounds are chosen, too
            state.spans[out] = bounds = tuple(Value(name) for name in ("start", "stop", "step"))
            outs += bounds
            yields[0].extend(bounds_of(spans[0]))
            yields[1].extend(bounds_of(spans[1]))
    then, orelse = (Region((), tuple(made), tuple(found)) for made, found in zip(arms, yields, strict=True))
    state.nodes.append(If(test, then, orelse, tuple(outs), loc=where))


def if_statement(state: Lowering, stmt: gast.If) -> None:
    """Lower an if statement; where its test is known, the arm that runs."""
    where = state.where(stmt.test)
    test = test_of(state, stmt.test)
    if isinstance(test, Literal):
        state.block(stmt.body if test.value else stmt.orelse)
        return
    names = assigned(stmt.body) | assigned(stmt.orelse)
    arms = (lambda: state.block(stmt.body)), (lambda: state.block(stmt.orelse))
    branch(state, test, arms, names, stmt, where)


def branch(
    state: Lowering,
    test: Atom,
    arms: tuple[Callable[[], None], Callable[[], None]],
    names: Iterable[str],
    stmt: gast.stmt,
    where: Location,
) -> None:
    """Append a branch; `names` are the variables that its arms may bind."""
    (then, _, then_env), (orelse, _, else_env) = (_arm(state, arm) for arm in arms)
    state.statement = stmt
    yields: tuple[list[Atom], list[Atom]] = ([], [])
    outs: list[Value] = []
    _merge(state, names, (then_env, else_env), outs, yields)
    _append(state, test, (then, orelse), yields, outs, where)


def _merge(
    state: Lowering,
    names: Iterable[str],
    envs: tuple[Environment, Environment],
    outs: list[Value],
    yields: tuple[list[Atom], list[Atom]],
) -> None:
    """Bind variables to what they are after either arm of a branch."""
    for name in names:
        left, right = (env.get(name, UNDEFINED) for env in envs)
        state.env[name] = join(left, right, name, outs, yields)


def ternary(state: Lowering, node: gast.IfExp, name: str | None) -> Binding:
    """Lower `a if c else b`."""
    test = test_of(state, node.test)
    if isinstance(test, Literal):
        return state.binding(node.body if test.value else node.orelse, name)
    then, left, then_env = _arm(state, lambda: state.binding(node.body))
    orelse, right, else_env = _arm(state, lambda: state.binding(node.orelse))
    outs: list[Value] = []
    yields: tuple[list[Atom], list[Atom]] = ([], [])
    joined = join(left, right, name or "choice", outs, yields)
    if outs == [joined] and name is None:
        joined = Value("choice", temporary=True)
        outs = [joined]
    _merge(state, _bound((node.body, node.orelse)), (then_env, else_env), outs, yields)
    _append(state, test, (then, orelse), yields, outs, state.where(node))
    return joined


def boolean(state: Lowering, node: gast.AST, parts: list[gast.expr], name: str | None) -> Atom:
    """`a and b`: b is evaluated on its own path, unless it can neither fail nor cost anything."""
    is_and = not isinstance(node, gast.BoolOp) or isinstance(node.op, gast.And)
    first, rest = state.atom(parts[0]), parts[1:]
    if not rest or (isinstance(first, Literal) and bool(first.value) != is_and):
        return first
    if isinstance(first, Literal):
        return boolean(state, node, rest, name)
    inner, second, env = _arm(state, lambda: boolean(state, node, rest, None))
    bound = _bound(rest)
    is_harmless = not bound and all(isinstance(made, Apply) and card(made.fn).is_safe for made in inner)
    if all(map(_is_test, parts)) and is_harmless:
        state.nodes += inner
        return state.apply(node, "and" if is_and else "or", (first, second), name)
    outs = [Value(name or ("both" if is_and else "either"), temporary=name is None)]
    yields: tuple[list[Atom], list[Atom]] = ([second], [Literal(not is_and) if _is_test(parts[0]) else first])
    _merge(state, bound, (env, dict(state.env)), outs, yields)
    evaluated, decided = Region((), tuple(inner), tuple(yields[0])), Region((), (), tuple(yields[1]))
    then, orelse = (evaluated, decided) if is_and else (decided, evaluated)
    state.nodes.append(If(first, then, orelse, tuple(outs), loc=state.where(node)))
    return outs[0]


def _is_test(node: gast.expr) -> bool:
    """Tell whether an expression is True or False by its form; `x and y` of numbers is one of them."""
    match node:
        case gast.Compare() | gast.UnaryOp(op=gast.Not()):
            return True
        case gast.BoolOp():
            return all(map(_is_test, node.values))
        case gast.Constant():
            return isinstance(node.value, bool)
        case gast.Name():
            return str(node.id).startswith("$")  # a flag of our own
    return False
