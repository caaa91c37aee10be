"""From functions, and from single expressions, to the SSA graph."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import gast

from adcompiler.errors import DifferentiationError
from adcompiler.frontend import overloads
from adcompiler.frontend.bindings import (
    Binding,
    Closure,
    Environment,
    field_names,
    flatten,
    layout_of,
    unpacked,
)
from adcompiler.frontend.calls import run
from adcompiler.frontend.dispatchers import name_of, python_function
from adcompiler.frontend.expressions import expression
from adcompiler.frontend.inlining import lower_body
from adcompiler.frontend.lifting import put_back, signature_of, source_of, with_lists
from adcompiler.frontend.parse import Source, parse
from adcompiler.frontend.recursion import Lifted
from adcompiler.frontend.resolve import as_plain
from adcompiler.frontend.state import Lowering
from adcompiler.frontend.statements import statement
from adcompiler.graph.layout import Layout, Leaf, Packed, Static, leaves
from adcompiler.graph.nodes import Apply, Atom, Graph, Literal, Node, Region, Value


def lower(
    function: Callable[..., Any] | Lifted,
    layouts: Sequence[Layout] = (),
    raises: bool | None = False,
    staying: frozenset[Any] = frozenset(),
) -> Graph:
    """Lower a function to its graph; the functions that it calls are inlined.

    Args:
        function: a Python function or `@njit` dispatcher.
        layouts: how each argument is built from single values, whose kind is their number of axes if
            that is known; if empty, each argument is one value.
        raises: whether a division by zero in it raises; None for a plain function, where those in `@njit`
            functions that it calls do.
        staying: functions that are called, where they are given numbers.

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
    if isinstance(function, Lifted):
        return _lifted(function, layouts, raises)
    source = parse(function)
    signature = inspect.signature(source.function)
    parameters = _parameters(source, signature, layouts)
    params: list[Value] = []
    fields = field_names(parameters)
    env: Environment = {name: unpacked(layout, name, params, fields) for name, layout in parameters}
    kinds = [leaf.kind for _, layout in parameters for leaf in leaves(layout)]
    ranks: dict[Value, int | None] = dict(zip(params, kinds, strict=True))
    nodes: list[Node] = []
    stack = (source.function, source.function.__code__)
    if (find := overloads.finder(function)) is not None:
        source, env = _overloaded(source, find, env, nodes, ranks)
    state = Lowering(source, env, nodes, expression, statement, stack=stack, ranks=ranks, raises=raises)
    state.staying = staying
    result = _named_result(state, lower_body(state))
    is_procedure = result == Literal(None)
    body = Region(tuple(params), tuple(nodes), tuple(params if is_procedure else flatten(result)))
    returns = layout_of(result) if isinstance(result, tuple) else None
    is_plain = all(isinstance(layout, Leaf) for _, layout in parameters)
    plain = python_function(function)
    return Graph(
        name_of(plain),
        body,
        Static(None) if is_procedure else returns,
        (inspect.getdoc(plain) or "").split("\n")[0],
        _defaults(signature),
        () if is_plain else tuple(parameters),
    )


def _lifted(function: Lifted, layouts: Sequence[Layout], raises: bool | None) -> Graph:
    """Lower a function that is given what it captures, or a derivative, by lowering a call of it."""
    source = source_of(function.what)
    params: list[Value] = []
    captured: list[Value] = []
    nodes: list[Node] = []
    state = Lowering(source, {}, nodes, expression, statement, raises=raises)
    called = put_back(state, unpacked(function.what, "captured", captured))
    names = signature_of(called).parameters
    fields = field_names(zip(names, layouts, strict=True))
    pairs = [
        (layout, unpacked(layout, name, params, fields)) for layout, name in zip(layouts, names, strict=True)
    ]
    args = [with_lists(binding, layout) for layout, binding in pairs]
    params += captured
    kinds = [leaf.kind for layout in (*layouts, function.what) for leaf in leaves(layout)]
    state.ranks.update(zip(params, kinds, strict=True))
    result = _named_result(state, run(state, source.tree, called, args))
    is_procedure = result == Literal(None)
    body = Region(tuple(params), tuple(nodes), tuple(params if is_procedure else flatten(result)))
    returns = layout_of(result) if isinstance(result, tuple) else None
    is_plain = all(isinstance(layout, Leaf) for layout in layouts)
    parameters = () if is_plain or captured else tuple(zip(names, layouts, strict=True))
    returned = Static(None) if is_procedure else returns
    return Graph(function.__name__, body, returned, "", (), parameters)


def lower_function(
    source: Source, env: Environment, nodes: list[Node], ranks: dict[Value, int | None]
) -> Binding:
    """Append the nodes of a function whose parameters are bound; return its result."""
    return lower_body(Lowering(source, env, nodes, expression, statement, ranks=ranks))


def lower_expression(
    tree: gast.expr, source: Source, env: Environment, nodes: list[Node], name: str | None = None
) -> Atom:
    """Append the nodes of an expression; return its value.

    Args:
        tree: the expression.
        source: the function that looks up its free names.
        env: what its variables are bound to.
        nodes: list to append to.
        name: the variable that it is assigned to.
    """
    state = Lowering(source, env, nodes, expression, statement, local_names=set(env))
    return state.atom(tree, name)


def _parameters(
    source: Source, signature: inspect.Signature, layouts: Sequence[Layout]
) -> list[tuple[str, Layout]]:
    """Return name and layout of each parameter."""
    found: list[tuple[str, Layout]] = []
    for k, (name, parameter) in enumerate(signature.parameters.items()):
        layout = layouts[k] if layouts else Leaf()
        is_variadic = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        if is_variadic and not isinstance(layout, Packed):
            reason = f"'*{name}' collects an unknown number of arguments"
            raise DifferentiationError("AD101", reason, source.locate(source.tree))
        found.append((name, layout))
    return found


def _named_result(state: Lowering, result: Binding) -> Binding:
    """Return the result of a function, called so where nothing else names it."""
    source, nodes = state.source, state.nodes
    if any(isinstance(part, Closure) for part in flatten(result)):
        reason = f"'{source.function.__name__}' returns a function"
        cure = "differentiate the function that it returns, made beforehand"
        raise DifferentiationError("AD102", reason, source.locate(source.tree), cure)
    last = nodes[-1] if nodes else None
    if isinstance(last, Apply) and last.out is result and last.out.temporary:
        result = Value("result")
        nodes[-1] = replace(last, out=result)
    return result


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
