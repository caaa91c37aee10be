"""`with grad_of(x) as d:`: statements that the reverse sweep runs on the adjoint of x.

The statements are lowered where they stand, into a graph of their own, from the adjoint and the values that
they read to the adjoint that flows on. The primal hands x through the primitive `grad_of`, which holds it.
"""

from __future__ import annotations

import gast

from adcompiler.custom import grad_of
from adcompiler.frontend import scope
from adcompiler.frontend.parse import assigned
from adcompiler.frontend.state import Lowering
from adcompiler.graph.nodes import Apply, Atom, Global, Graph, Region, Value
from adcompiler.graph.walk import free, substitute, walk

_CURE = "write: with grad_of(x) as d: ..., where x is a variable, and change d"


def adjoint_block(state: Lowering, stmt: gast.With) -> None:
    """Lower the statement, and let its variable be what the primitive hands on."""
    item = stmt.items[0]
    call, target = item.context_expr, item.optional_vars
    if (
        len(stmt.items) > 1
        or not isinstance(call, gast.Call)
        or scope.dotted(state, call.func) is not grad_of
    ):
        raise state.refuse("AD101", "'with' statements are not part of the language", stmt)
    if not isinstance(target, gast.Name) or len(call.args) != 1 or call.keywords:
        raise state.refuse("AD101", "grad_of is given something else than one variable", stmt, _CURE)
    of = call.args[0]
    assert isinstance(of, gast.Name)
    value = scope.read(state, of)
    if not isinstance(value, Value):
        raise state.refuse("AD203", f"'{of.id}' is no number or array that has an adjoint", of, _CURE)
    _check(state, stmt, target.id)
    block, captured = _lowered(state, stmt, target.id, of.id)
    state.statement = stmt
    made = Global(f"adjoint_of_{of.id}", block)
    state.env[of.id] = state.apply(stmt, "grad_of", (value, made, *captured), of.id)


def _check(state: Lowering, stmt: gast.With, adjoint: str) -> None:
    """Refuse what means nothing when the statements run in the reverse sweep."""
    for node in gast.walk(stmt):
        if isinstance(node, gast.Return | gast.Break | gast.Continue | gast.Yield):
            reason = f"'{type(node).__name__.lower()}' in the reverse sweep"
            raise state.refuse("AD101", reason, node, "let the statements change the adjoint only")
    for name in assigned(stmt.body):
        if name != adjoint and state.env.get(name) is not None:
            reason = f"'{name}' is assigned in the reverse sweep, after the function has used it"
            raise state.refuse("AD101", reason, stmt, f"assign to '{adjoint}' or to new names")


def _lowered(state: Lowering, stmt: gast.With, adjoint: str, of: str) -> tuple[Graph, tuple[Value, ...]]:
    """Return the graph of the statements, and the values that it reads after the adjoint."""
    before = dict(state.env)
    param = Value(adjoint)
    state.env[adjoint] = param
    nodes, found = state.aside(lambda: _run(state, stmt, adjoint))
    state.env.clear()
    state.env.update(before)
    inner = Region((param,), tuple(nodes), (found,))
    if any(isinstance(node, Apply) and node.fn == "grad_of" for node in walk(inner)):
        raise state.refuse(
            "AD101", "grad_of inside of a block of grad_of", stmt, "put them one after the other"
        )
    captured = tuple(free(inner))
    own = {value: Value(value.name) for value in captured}
    body = substitute(Region((param, *own.values()), inner.nodes, inner.yields), dict(own))
    return Graph(f"adjoint_of_{of}", body), captured


def _run(state: Lowering, stmt: gast.With, adjoint: str) -> Atom:
    state.block(stmt.body)
    found = state.env[adjoint]
    return state.materialise(found, stmt)
