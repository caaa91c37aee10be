"""Functions that are followed: their bodies are lowered in place of a call."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import gast

from adcompiler.errors import DifferentiationError
from adcompiler.frontend import resolve
from adcompiler.frontend.bindings import Ambiguous, Binding, Environment
from adcompiler.frontend.parse import Source, assigned, default_trees
from adcompiler.frontend.state import Lowering
from adcompiler.frontend.structure import RESULT, structure
from adcompiler.graph.nodes import Apply, Literal, Value


def lower_body(state: Lowering) -> Binding:
    """Lower the body of the function that a state is for, its parameters bound; return its result."""
    state.statement, state.spans = None, {}
    state.structured = structure(state.source)
    state.local_names = {*assigned(state.structured.body), *state.env}
    state.block(state.structured.body)
    result = state.env.get(RESULT, Literal(math.nan))  # without a value where every path raises
    if isinstance(result, Ambiguous):
        reason = f"{result.reason.replace(RESULT.lstrip('$'), 'the result', 1)}"
        cure = "return values of one kind on all paths: np.nan and a flag, say, instead of None"
        raise DifferentiationError("AD104", reason, state.source.locate(state.source.tree), cure)
    return result


def inline(
    state: Lowering, source: Source, env: Environment, enclosing: Lowering | None, target: str | None
) -> Binding:
    """Lower a function's body, its parameters bound; `target` is the variable that the result is for."""
    own = (source.function, source.function.__code__) if enclosing is None else (source.tree,)
    stack, raises = (*state.stack, *own), raises_inside(state, source)
    inner = replace(state, source=source, env=env, enclosing=enclosing, stack=stack, raises=raises)
    result = lower_body(inner)
    last = state.nodes[-1] if state.nodes else None
    if target is not None and isinstance(last, Apply) and last.out is result and last.out.temporary:
        result = Value(target)
        state.ranks[result] = state.ranks.get(last.out)
        state.nodes[-1] = replace(last, out=result)
    return result


def calls_itself(state: Lowering, source: Source, enclosing: Lowering | None) -> bool:
    """Tell whether a function is being followed already; several functions may be made by the same code."""
    return (source.function if enclosing is None else source.tree) in state.stack


def raises_inside(state: Lowering, source: Source) -> bool | None:
    """Tell whether a division by zero raises in a function that is called.

    One that does not say follows its caller, as in Numba; an `@njit` function in a plain one follows Python.
    """
    if source.model is None:
        return state.raises
    return source.model == "python" if source.model else state.raises is not False


def bind_parameters(
    state: Lowering,
    node: gast.expr,
    source: Source,
    defaults: Mapping[str, Binding] | None,
    args: Sequence[Binding],
    keywords: Mapping[str, Binding],
) -> Environment:
    """Bind the parameters of a function to the arguments of a call, and to defaults.

    Those of a nested function are given; None stands for those that a function of a module has.
    """
    tree = source.tree.args
    names = [a.id for a in tree.posonlyargs + tree.args + tree.kwonlyargs]
    count = len(tree.posonlyargs + tree.args)
    env: Environment = dict(zip(names[:count], args, strict=False))
    if tree.vararg is not None:
        env[tree.vararg.id], args = tuple(args[count:]), args[:count]
    unknown = [key for key in keywords if key not in names or key in env]
    if tree.kwarg or len(args) > count or unknown:
        raise state.refuse("AD107", f"expected the parameters ({', '.join(names)})", node)
    env |= keywords
    for name in names:
        if name not in env:
            env[name] = _default(state, node, source, name, defaults)
    order = [*names[:count], *([tree.vararg.id] if tree.vararg else []), *names[count:]]
    return {name: env[name] for name in order}


def _default(
    state: Lowering, node: gast.expr, source: Source, name: str, defaults: Mapping[str, Binding] | None
) -> Binding:
    if name not in default_trees(source.tree.args):
        raise state.refuse("AD107", f"parameter '{name}' is missing", node)
    if defaults is not None:
        return defaults[name]
    default = inspect.signature(source.function).parameters[name].default
    return resolve.constant(name, default)
