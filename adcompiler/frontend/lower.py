"""From a jump-free gast body to the SSA graph: statements."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import gast

from adcompiler.errors import DifferentiationError
from adcompiler.frontend import expressions, loops, overloads
from adcompiler.frontend.bindings import (
    Ambiguous,
    Binding,
    Closure,
    Environment,
    flatten,
    join,
    layout_of,
    unpacked,
)
from adcompiler.frontend.buffers import writable
from adcompiler.frontend.parse import Source, own_nodes, parse, python_function
from adcompiler.frontend.ranks import joined_rank
from adcompiler.frontend.resolve import as_plain, name_of
from adcompiler.frontend.structure import RESULT, Structured, structure
from adcompiler.graph.layout import Layout, Leaf, Packed, Static, leaves
from adcompiler.graph.nodes import (
    UNDEFINED,
    Apply,
    Atom,
    Effect,
    Global,
    Graph,
    If,
    Literal,
    Node,
    Region,
    Store,
    Value,
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
    enclosing: Lowering | None = None
    stack: tuple[Any, ...] = ()
    ranks: dict[Value, int | None] = field(default_factory=dict)
    spans: dict[Value, tuple[Atom, ...]] = field(default_factory=dict)
    raises: bool | None = False

    def where(self, node: gast.AST) -> Location:
        """Return the location of a tree node within the current statement."""
        found = self.source.locate(node, self.statement)
        return replace(found, raises=True) if self.raises else found

    def refuse(self, code: str, reason: str, node: gast.AST, cure: str | None = None) -> DifferentiationError:
        """Build the refusal of a tree node."""
        return DifferentiationError(code, reason, self.where(node), cure)


def lower(function: Callable[..., Any], layouts: Sequence[Layout] = (), raises: bool | None = False) -> Graph:
    """Lower a function to its graph; the functions that it calls are inlined.

    Args:
        function: a Python function or `@njit` dispatcher.
        layouts: how each argument is built from single values, whose kind is their number of axes if
            that is known; if empty, each argument is one value.
        raises: whether a division by zero in it raises; None for a plain function, where those in `@njit`
            functions that it calls do.

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
    params: list[Value] = []
    env: Environment = {}
    parameters = []
    for k, (name, parameter) in enumerate(signature.parameters.items()):
        is_variadic = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        if is_variadic and not (layouts and isinstance(layouts[k], Packed)):
            reason = f"'*{name}' collects an unknown number of arguments"
            raise DifferentiationError("AD101", reason, source.locate(source.tree))
        layout = layouts[k] if layouts else Leaf()
        env[name] = unpacked(layout, name, params)
        parameters.append((name, layout))
    nodes: list[Node] = []
    ranks = [leaf.kind for _, layout in parameters for leaf in leaves(layout)]
    known = dict(zip(params, ranks, strict=True))
    stack: tuple[Any, ...] = (source.function.__code__,)
    if (find := overloads.finder(function)) is not None:
        source, env = _overloaded(source, find, env, nodes, known)
    result = lower_body(source, env, nodes, stack, ranks=known, raises=raises)
    for part in flatten(result):
        if isinstance(part, Closure):
            reason = f"'{source.function.__name__}' returns a function"
            cure = "differentiate the function that it returns, made beforehand"
            raise DifferentiationError("AD102", reason, source.locate(source.tree), cure)
    last = nodes[-1] if nodes else None
    if isinstance(last, Apply) and last.out is result and last.out.temporary:
        result = Value("result")
        nodes[-1] = replace(last, out=result)
    plain = python_function(function)
    name = name_of(plain)
    doc = (inspect.getdoc(plain) or "").split("\n")[0]
    is_procedure = result == Literal(None)
    yields = params if is_procedure else flatten(result)
    body = Region(tuple(params), tuple(nodes), tuple(yields))
    returns = layout_of(result) if isinstance(result, tuple) else None
    is_plain = all(isinstance(layout, Leaf) for _, layout in parameters)
    return Graph(
        name,
        body,
        Static(None) if is_procedure else returns,
        doc,
        _defaults(signature),
        () if is_plain else tuple(parameters),
    )


def _overloaded(
    source: Source,
    find: overloads.Finder,
    env: Environment,
    nodes: list[Node],
    ranks: dict[Value, int | None],
) -> tuple[Source, Environment]:
    """Return what compiled code runs in place of a function, and its parameters as those of the function."""
    where, name = source.locate(source.tree), source.function.__name__
    choice = overloads.choose(name, find, [*env.values()], {}, ranks)
    names = [] if choice is None else [*inspect.signature(choice.function).parameters]
    if choice is None or len(names) != len(env):
        reason = f"compiled code runs an overload of '{name}', and none was found for these arguments"
        raise DifferentiationError("AD202", reason, where, overloads.CURE)
    nodes.append(overloads.noted(choice, where))
    return parse(choice.function), dict(zip(names, env.values(), strict=True))


def _defaults(signature: inspect.Signature) -> tuple[Literal, ...]:
    """Return the defaults of the last parameters, as far back as they are plain constants."""
    found: list[Literal] = []
    for parameter in reversed(list(signature.parameters.values())):
        if not isinstance(parameter.default, float | int | str | None):
            break
        found.insert(0, Literal(as_plain(parameter.default)))
    return tuple(found)


def lower_body(
    source: Source,
    env: Environment,
    nodes: list[Node],
    stack: tuple[Any, ...],
    enclosing: Lowering | None = None,
    ranks: dict[Value, int | None] | None = None,
    raises: bool | None = False,
) -> Binding:
    """Lower a function's body into `nodes`, with its parameters bound in `env`; return its result."""
    structured = structure(source)
    names = set(assigned(structured.body)) | set(env)
    state = Lowering(
        source,
        structured,
        names,
        env,
        nodes,
        enclosing=enclosing,
        stack=stack,
        ranks={} if ranks is None else ranks,
        raises=raises,
    )
    block(state, structured.body)
    result = state.env.get(RESULT, Literal(math.nan))  # without a value where every path raises
    if isinstance(result, Ambiguous):
        reason = f"{result.reason.replace(RESULT.lstrip('$'), 'the result', 1)}"
        raise DifferentiationError("AD104", reason, source.locate(source.tree))
    return result


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
        case gast.Delete() if all(isinstance(target, gast.Name) for target in stmt.targets):
            pass
        case gast.AnnAssign():
            bind(state, stmt.target, expressions.binding(state, stmt.value, _hint(stmt.target)))
        case gast.AugAssign():
            _augmented(state, stmt)
        case gast.If():
            _if(state, stmt)
        case gast.For():
            loops.for_loop(state, stmt)
        case gast.While():
            loops.while_loop(state, stmt)
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
            _check_decorators(state, stmt)
            state.env[stmt.name] = expressions.closure(state, stmt)
        case _:
            kind = type(stmt).__name__.lower()
            raise state.refuse("AD101", f"'{kind}' statements are not part of the language", stmt)


def _check_decorators(state: Lowering, stmt: gast.FunctionDef) -> None:
    """Refuse decorators that make something else of a nested function; `njit` does not."""
    for decorator in stmt.decorator_list:
        made = decorator.func if isinstance(decorator, gast.Call) else decorator
        found = expressions.dotted(state, made)
        if getattr(found, "__module__", None) != "numba.core.decorators":
            cure = "make it outside, where it can be used by its name"
            raise state.refuse("AD101", f"'{stmt.name}' is decorated inside the function", decorator, cure)


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
        case gast.Starred():
            bind(state, target.value, value)
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
    starred = [k for k, part in enumerate(parts) if isinstance(part, gast.Starred)]
    if starred:
        if not isinstance(value, tuple) or len(value) < len(parts) - 1:
            raise state.refuse("AD101", "'*' unpacks a tuple of known length only", target)
        first, last = starred[0], len(value) - (len(parts) - starred[0] - 1)
        return [*value[:first], tuple(value[first:last]), *value[last:]]
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
    op = expressions.symbol(stmt.op)
    where = state.where(stmt)
    if isinstance(stmt.target, gast.Name):
        name = gast.copy_location(gast.Name(stmt.target.id, gast.Load(), None, None), stmt.target)
        old = writable(state, expressions.atom(state, name), stmt)
        value = expressions.atom(state, stmt.value)
        new = expressions.apply(state, stmt, f"i{op.removesuffix('_')}", (old, value), stmt.target.id)
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
    of_item = (("of_item", Literal(True)),)
    new = expressions.apply(state, stmt, f"i{op.removesuffix('_')}", (old, value), None, of_item)
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


def _aside(state: Lowering, run: Callable[[], None]) -> tuple[list[Node], Environment]:
    """Lower into a list of nodes of its own, starting from a copy of the environment."""
    nodes, env = state.nodes, state.env
    state.nodes, state.env = [], dict(env)
    run()
    result = state.nodes, state.env
    state.nodes, state.env = nodes, env
    return result


def _if(state: Lowering, stmt: gast.If) -> None:
    where = state.where(stmt.test)
    test = expressions.atom(state, stmt.test)
    if isinstance(test, Literal):
        block(state, stmt.body if test.value else stmt.orelse)
        return
    names = assigned(stmt.body) | assigned(stmt.orelse)
    then, orelse = (lambda: block(state, stmt.body)), (lambda: block(state, stmt.orelse))
    branch(state, test, then, orelse, names, stmt, where)


def branch(
    state: Lowering,
    test: Atom,
    then: Callable[[], None],
    orelse: Callable[[], None],
    names: Iterable[str],
    stmt: gast.stmt,
    where: Location,
) -> None:
    """Append a branch; `names` are the variables that its arms may bind."""
    then_nodes, then_env = _aside(state, then)
    else_nodes, else_env = _aside(state, orelse)
    state.statement = stmt
    yields: tuple[list[Atom], list[Atom]] = ([], [])
    outs: list[Value] = []
    for name in names:
        left = then_env.get(name, UNDEFINED)
        right = else_env.get(name, UNDEFINED)
        state.env[name] = join(left, right, name, outs, yields)
    for out, one, two in zip(outs, *yields, strict=True):
        state.ranks[out] = joined_rank(one, two, state.ranks)
    regions = (
        Region((), tuple(then_nodes), tuple(yields[0])),
        Region((), tuple(else_nodes), tuple(yields[1])),
    )
    state.nodes.append(If(test, *regions, tuple(outs), where))
