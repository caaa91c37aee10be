"""From gast statements to nodes of the graph: which kind of statement is lowered by what."""

from __future__ import annotations

import gast

from adcompiler.frontend import scope
from adcompiler.frontend.adjoint_blocks import adjoint_block
from adcompiler.frontend.assignment import assign, augmented
from adcompiler.frontend.branches import if_statement
from adcompiler.frontend.expressions import closure, effect
from adcompiler.frontend.imports import import_statement
from adcompiler.frontend.loops import for_loop, while_loop
from adcompiler.frontend.state import Lowering
from adcompiler.frontend.truth import test_of
from adcompiler.graph.nodes import Atom, Effect, Global


def statement(state: Lowering, stmt: gast.stmt) -> None:
    """Lower one statement."""
    state.statement = stmt
    match stmt:
        case gast.Assign() if hasattr(stmt, "adjoint_block"):
            adjoint_block(state, stmt.adjoint_block)
        case gast.Assign():
            assign(state, stmt.targets, stmt.value)
        case gast.AnnAssign(value=None) | gast.Pass() | gast.Expr(value=gast.Constant()):
            pass  # a docstring is no more than this
        case gast.Global() | gast.Nonlocal() if state.local_names.isdisjoint(stmt.names):
            pass  # of names that are only read
        case gast.Import() | gast.ImportFrom():
            import_statement(state, stmt)
        case gast.Delete() if all(isinstance(target, gast.Name) for target in stmt.targets):
            pass
        case gast.AnnAssign():
            assign(state, [stmt.target], stmt.value)
        case gast.AugAssign():
            augmented(state, stmt)
        case gast.If():
            if_statement(state, stmt)
        case gast.For():
            for_loop(state, stmt)
        case gast.While():
            while_loop(state, stmt)
        case gast.Assert():
            _assert(state, stmt)
        case gast.Raise():
            _raise(state, stmt)
        case gast.Expr():
            effect(state, stmt.value)
        case gast.FunctionDef():
            _check_decorators(state, stmt)
            state.env[stmt.name] = closure(state, stmt)
        case _:
            kind = type(stmt).__name__.lower()
            raise state.refuse("AD101", f"'{kind}' statements are not part of the language", stmt)


def _check_decorators(state: Lowering, stmt: gast.FunctionDef) -> None:
    """Refuse decorators that make something else of a nested function; `njit` does not."""
    for decorator in stmt.decorator_list:
        made = decorator.func if isinstance(decorator, gast.Call) else decorator
        found = scope.dotted(state, made)
        if getattr(found, "__module__", None) != "numba.core.decorators":
            cure = "make it outside, where it can be used by its name"
            raise state.refuse("AD101", f"'{stmt.name}' is decorated inside the function", decorator, cure)


def _assert(state: Lowering, stmt: gast.Assert) -> None:
    message = [] if stmt.msg is None else [state.atom(stmt.msg)]
    test = test_of(state, stmt.test)
    state.nodes.append(Effect("assert", (test, *message), loc=state.where(stmt)))


def _raise(state: Lowering, stmt: gast.Raise) -> None:
    exc = stmt.exc
    args: tuple[Atom, ...] = ()
    if isinstance(exc, gast.Call):
        args = tuple(state.atom(arg) for arg in exc.args)
        exc = exc.func
    error = None if exc is None else state.binding(exc)
    if not isinstance(error, Global) or not isinstance(error.value, type):
        raise state.refuse("AD101", "raise needs an exception class, such as ValueError", stmt)
    state.nodes.append(Effect("raise", (error, *args), loc=state.where(stmt)))
