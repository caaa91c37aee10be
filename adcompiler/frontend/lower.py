"""From a jump-free gast body to the SSA graph: statements."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import gast

from adcompiler.errors import DifferentiationError
from adcompiler.frontend import expressions, resolve
from adcompiler.frontend.bindings import Binding, Environment, flatten, join, rebuild
from adcompiler.frontend.parse import Source, own_nodes, parse
from adcompiler.frontend.structure import RESULT, Structured, structure
from adcompiler.graph.nodes import (
    UNDEFINED,
    Apply,
    Atom,
    Effect,
    For,
    Global,
    Graph,
    If,
    Literal,
    Node,
    Region,
    Store,
    Value,
    While,
)
from adcompiler.source import Location


@dataclass
class Lowering:
    """The state while one function body is turned into nodes."""

    source: Source
    structured: Structured
    local_names: set[str]
    env: Environment = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    statement: gast.AST | None = None
    enclosing: Environment | None = None
    stack: tuple[Any, ...] = ()

    def where(self, node: gast.AST) -> Location:
        """Return the location of a tree node within the current statement."""
        return self.source.locate(node, self.statement)

    def refuse(self, code: str, reason: str, node: gast.AST, cure: str | None = None) -> DifferentiationError:
        """Build the refusal of a tree node."""
        return DifferentiationError(code, reason, self.where(node), cure)


def lower(function: Callable[..., Any]) -> Graph:
    """Lower a function to its graph; the functions that it calls are inlined.

    Args:
        function: a Python function or `@njit` dispatcher.

    Raises:
        DifferentiationError: for anything outside the language.

    >>> from adcompiler.samples import sigmoid
    >>> from adcompiler.graph.text import to_text
    >>> print(to_text(lower(sigmoid)))
    graph sigmoid(x):
      neg = neg(x)
      exp = math.exp(neg)
      add = add(1.0, exp)
      result = truediv(1.0, add)
      return result
    """
    source = parse(function)
    signature = inspect.signature(source.function)
    params = []
    for name, parameter in signature.parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            reason = f"'*{name}' collects an unknown number of arguments"
            raise DifferentiationError("AD101", reason, source.locate(source.tree))
        params.append(Value(name))
    env: Environment = {value.name: value for value in params}
    nodes: list[Node] = []
    result = lower_body(source, env, nodes, stack=(source.function.__code__,))
    last = nodes[-1] if nodes else None
    if isinstance(last, Apply) and last.out is result and last.out.temporary:
        result = Value("result")
        nodes[-1] = replace(last, out=result)
    yields = tuple(flatten(result))
    name = source.function.__name__.replace("<lambda>", "function")
    doc = (inspect.getdoc(source.function) or "").split("\n")[0]
    body = Region(tuple(params), tuple(nodes), yields)
    return Graph(name, body, isinstance(result, tuple), doc, _defaults(signature))


def _defaults(signature: inspect.Signature) -> tuple[Literal, ...]:
    """Return the defaults of the last parameters, as far back as they are plain constants."""
    found: list[Literal] = []
    for parameter in reversed(list(signature.parameters.values())):
        if not isinstance(parameter.default, float | int | str | None):
            break
        found.insert(0, Literal(parameter.default))
    return tuple(found)


def lower_body(
    source: Source,
    env: Environment,
    nodes: list[Node],
    stack: tuple[Any, ...],
    enclosing: Environment | None = None,
) -> Binding:
    """Lower a function's body into `nodes`, with its parameters bound in `env`; return its result."""
    structured = structure(source, may_return_nothing=len(stack) > 1)
    names = set(assigned(structured.body)) | set(env)
    state = Lowering(source, structured, names, env, nodes, enclosing=enclosing, stack=stack)
    block(state, structured.body)
    return env[RESULT]


def assigned(stmts: list[gast.stmt]) -> dict[str, None]:
    """Return the names that statements bind, in order of first binding (an ordered set)."""
    found: dict[str, None] = {}
    for stmt in stmts:
        for node in own_nodes(stmt):
            if isinstance(node, gast.Name) and isinstance(node.ctx, gast.Store):
                found[node.id] = None
            elif isinstance(node, gast.FunctionDef):
                found[node.name] = None
    return found


def block(state: Lowering, stmts: list[gast.stmt]) -> None:
    """Lower a list of statements one after the other."""
    for stmt in stmts:
        statement(state, stmt)


def statement(state: Lowering, stmt: gast.stmt) -> None:
    """Lower one statement."""
    state.statement = stmt
    match stmt:
        case gast.Assign():
            _assign(state, stmt)
        case gast.AnnAssign(value=None) | gast.Pass():
            pass
        case gast.AnnAssign():
            bind(state, stmt.target, expressions.binding(state, stmt.value, _hint(stmt.target)))
        case gast.AugAssign():
            _augmented(state, stmt)
        case gast.If():
            _if(state, stmt)
        case gast.For():
            _for(state, stmt)
        case gast.While():
            _while(state, stmt)
        case gast.Assert():
            message = [] if stmt.msg is None else [expressions.atom(state, stmt.msg)]
            test = expressions.atom(state, stmt.test)
            state.nodes.append(Effect("assert", (test, *message), state.where(stmt)))
        case gast.Raise():
            _raise(state, stmt)
        case gast.Expr(value=gast.Constant()):
            pass  # a docstring
        case gast.Expr():
            expressions.effect(state, stmt.value)
        case gast.FunctionDef():
            state.env[stmt.name] = expressions.closure(state, stmt)
        case _:
            kind = type(stmt).__name__.lower()
            raise state.refuse("AD101", f"'{kind}' statements are not part of the language", stmt)


def _hint(target: gast.AST) -> str | None:
    """Return the name that a value assigned to a target takes; results of calls have none of their own."""
    return target.id.lstrip("$") if isinstance(target, gast.Name) and target.id != RESULT else None


def _assign(state: Lowering, stmt: gast.Assign) -> None:
    if isinstance(stmt.value, gast.Tuple) and all(isinstance(t, gast.Tuple) for t in stmt.targets):
        first = stmt.targets[0].elts
        hints = [_hint(t) for t in first] if len(first) == len(stmt.value.elts) else []
        hints += [None] * (len(stmt.value.elts) - len(hints))
        pairs = zip(stmt.value.elts, hints, strict=True)
        value: Binding = tuple(expressions.binding(state, e, hint) for e, hint in pairs)
    else:
        value = expressions.binding(state, stmt.value, _hint(stmt.targets[0]))
    for target in stmt.targets:
        bind(state, target, value)


def bind(state: Lowering, target: gast.AST, value: Binding) -> None:
    """Bind a target (name, tuple of targets, or element of an array) to a value."""
    match target:
        case gast.Name():
            state.env[target.id] = value
        case gast.Tuple() | gast.List():
            for part, item in zip(target.elts, _unpack(state, target, value), strict=True):
                bind(state, part, item)
        case gast.Subscript():
            array, index = expressions.place(state, target)
            item_atom = expressions.materialise(state, value, target)
            state.nodes.append(Store(array, index, item_atom, False, state.where(target)))
        case _:
            raise state.refuse("AD101", "cannot assign to this target", target)


def _unpack(state: Lowering, target: gast.Tuple, value: Binding) -> list[Binding]:
    parts = target.elts
    if any(isinstance(part, gast.Starred) for part in parts):
        raise state.refuse("AD101", "starred unpacking is not part of the language", target)
    if isinstance(value, tuple):
        if len(value) != len(parts):
            raise state.refuse("AD101", f"cannot unpack {len(value)} values into {len(parts)}", target)
        return list(value)
    whole = expressions.materialise(state, value, target)
    return [
        expressions.apply(state, target, "getitem", (whole, Literal(k)), _hint(part))
        for k, part in enumerate(parts)
    ]


def _augmented(state: Lowering, stmt: gast.AugAssign) -> None:
    op = expressions.BINARY[type(stmt.op)]
    where = state.where(stmt)
    if isinstance(stmt.target, gast.Name):
        name = gast.copy_location(gast.Name(stmt.target.id, gast.Load(), None, None), stmt.target)
        old = expressions.atom(state, name)
        value = expressions.atom(state, stmt.value)
        new = expressions.apply(state, stmt, f"i{op}", (old, value), stmt.target.id)
        state.env[stmt.target.id] = new
        return
    array, index = expressions.place(state, stmt.target)
    if op in ("add", "sub"):
        value = expressions.atom(state, stmt.value)
        if op == "sub":
            value = expressions.apply(state, stmt, "neg", (value,))
        state.nodes.append(Store(array, index, value, True, where))
        return
    old = expressions.apply(state, stmt, "getitem", (array, *index))
    value = expressions.atom(state, stmt.value)
    new = expressions.apply(state, stmt, op, (old, value))
    state.nodes.append(Store(array, index, new, False, where))


def _raise(state: Lowering, stmt: gast.Raise) -> None:
    exc = stmt.exc
    args: tuple[Atom, ...] = ()
    if isinstance(exc, gast.Call):
        args = tuple(expressions.atom(state, arg) for arg in exc.args)
        exc = exc.func
    error = None if exc is None else expressions.binding(state, exc)
    if not isinstance(error, Global) or not isinstance(error.value, type):
        raise state.refuse("AD101", "raise needs an exception class, such as ValueError", stmt)
    state.nodes.append(Effect("raise", (error, *args), state.where(stmt)))


def _branch(state: Lowering, stmts: list[gast.stmt]) -> tuple[list[Node], Environment]:
    """Lower statements into a list of their own, starting from a copy of the environment."""
    nodes, env = state.nodes, state.env
    state.nodes, state.env = [], dict(env)
    block(state, stmts)
    result = state.nodes, state.env
    state.nodes, state.env = nodes, env
    return result


def _if(state: Lowering, stmt: gast.If) -> None:
    where = state.where(stmt.test)
    test = expressions.atom(state, stmt.test)
    if isinstance(test, Literal):
        block(state, stmt.body if test.value else stmt.orelse)
        return
    then, then_env = _branch(state, stmt.body)
    orelse, else_env = _branch(state, stmt.orelse)
    state.statement = stmt
    yields: tuple[list[Atom], list[Atom]] = ([], [])
    outs: list[Value] = []
    for name in assigned(stmt.body) | assigned(stmt.orelse):
        left = then_env.get(name, UNDEFINED)
        right = else_env.get(name, UNDEFINED)
        state.env[name] = join(left, right, name, outs, yields, lambda why: state.refuse("AD104", why, stmt))
    regions = (
        Region((), tuple(then), tuple(yields[0])),
        Region((), tuple(orelse), tuple(yields[1])),
    )
    state.nodes.append(If(test, *regions, tuple(outs), where))


@dataclass
class _Carried:
    """The variables that a loop carries from one iteration to the next, exploded to single values."""

    names: list[str]
    shapes: list[Binding]
    inits: list[Atom]
    params: list[Value]
    outs: list[Value]


def _carried(state: Lowering, names: list[str], shapes: dict[str, Binding]) -> _Carried:
    loop = _Carried([], [], [], [], [])
    for name in names:
        before = state.env.get(name, UNDEFINED)
        if before == UNDEFINED and name in shapes:
            before = rebuild(shapes[name], lambda _: UNDEFINED)
        if not isinstance(before, Atom | tuple) or any(isinstance(a, Global) for a in flatten(before)):
            before = UNDEFINED
        loop.names.append(name)
        loop.shapes.append(before)
        for atom in flatten(before):
            loop.inits.append(atom)
            loop.params.append(Value(name.lstrip("$")))
            loop.outs.append(Value(name.lstrip("$")))
    return loop


def _bound(loop: _Carried, values: list[Value]) -> Environment:
    supply = iter(values)
    pairs = zip(loop.names, loop.shapes, strict=True)
    return {name: rebuild(shape, lambda _: next(supply)) for name, shape in pairs}


def _yields(
    state: Lowering, loop: _Carried, env: Environment, stmt: gast.stmt
) -> list[Atom] | dict[str, Binding]:
    """Return the next values; or, where a variable new in the body holds a tuple, its shape."""
    found: list[Atom] = []
    for name, shape in zip(loop.names, loop.shapes, strict=True):
        after = env.get(name, UNDEFINED)
        if shape == UNDEFINED and isinstance(after, tuple):
            return {name: after}
        if not isinstance(after, Atom | tuple):  # a nested function: only visible inside the body
            after = UNDEFINED
        if [*flatten(rebuild(shape, lambda _: 0))] != [*flatten(rebuild(after, lambda _: 0))] or (
            isinstance(shape, tuple) != isinstance(after, tuple)
        ):
            raise state.refuse("AD104", f"'{name}' is a tuple of another length after an iteration", stmt)
        found.extend(flatten(after))
    return found


def _loop_body(
    state: Lowering, stmt: gast.For | gast.While, index: Callable[[], None], shapes: dict[str, Binding]
) -> tuple[_Carried, Region, Region]:
    """Lower a loop's condition and body; carried are all names that the body binds."""
    loop = _carried(state, list(assigned([stmt])), shapes)
    outer_nodes, outer_env = state.nodes, state.env
    state.env = outer_env | _bound(loop, loop.params)
    state.nodes = []
    cond = Region((), (), ())
    if isinstance(stmt, gast.While):
        test = expressions.atom(state, stmt.test)
        cond = Region((), tuple(state.nodes), (test,))
        state.nodes = []
        if state.env != outer_env | _bound(loop, loop.params):
            reason = "':=' in the condition of a while loop is not part of the language"
            raise state.refuse("AD102", reason, stmt.test, "assign inside the loop and break")
    index()
    block(state, stmt.body)
    state.statement = stmt
    after = _yields(state, loop, state.env, stmt)
    nodes, env = state.nodes, state.env
    state.nodes, state.env = outer_nodes, outer_env
    if isinstance(after, dict):
        return _loop_body(state, stmt, index, shapes | after)
    stop = state.structured.stops.get(stmt)
    flag = [env[stop]] if stop is not None else []
    body = Region(tuple(loop.params), tuple(nodes), (*flag, *after))  # type: ignore[arg-type]
    state.env.update(_bound(loop, loop.outs))
    return loop, cond, body


def _while(state: Lowering, stmt: gast.While) -> None:
    where = state.where(stmt)
    loop, cond, body = _loop_body(state, stmt, lambda: None, {})
    breaks = stmt in state.structured.stops
    state.nodes.append(While(tuple(loop.inits), cond, body, tuple(loop.outs), breaks, where))


def _for(state: Lowering, stmt: gast.For) -> None:
    where = state.where(stmt)
    call = stmt.iter
    if not isinstance(call, gast.Call) or expressions.called(state, call) != "range":
        _static_for(state, stmt)
        return
    if call.keywords or not 1 <= len(call.args) <= 3:
        raise state.refuse("AD103", "range takes one to three positional arguments", call)
    if not isinstance(stmt.target, gast.Name):
        raise state.refuse("AD103", "a loop over range needs a single name as its index", stmt.target)
    args = [expressions.atom(state, arg) for arg in call.args]
    start, stop = (Literal(0), args[0]) if len(args) == 1 else (args[0], args[1])
    step = args[2] if len(args) == 3 else Literal(1)
    name = stmt.target.id
    index = Value(name)
    loop, _, body = _loop_body(state, stmt, lambda: state.env.update({name: index}), {})
    body = Region((index, *body.params), body.nodes, body.yields)
    breaks = stmt in state.structured.stops
    outs = tuple(loop.outs)
    state.nodes.append(For(start, stop, step, tuple(loop.inits), body, outs, breaks, where))


def _static_for(state: Lowering, stmt: gast.For) -> None:
    """A loop over a tuple known here (of layers, say) is written out."""
    items = expressions.binding(state, stmt.iter)
    if isinstance(items, Global) and isinstance(items.value, tuple):
        items = tuple(resolve.constant("item", item) for item in items.value)
    if not isinstance(items, tuple):
        raise state.refuse("AD103", "this iterable is not a range", stmt.iter)
    if stmt in state.structured.stops:
        raise state.refuse("AD103", "break and return are not supported in a loop over a tuple", stmt)
    for item in items:
        bind(state, stmt.target, item)
        block(state, stmt.body)
