"""`derivative.explain(*args)`, and which line of the function an exception in generated code belongs to."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from adcompiler.api.arguments import flat
from adcompiler.api.specialised import Specialised
from adcompiler.enabled import enabled
from adcompiler.errors import DifferentiationError
from adcompiler.graph.layout import as_plain
from adcompiler.runtime.finite import NonFiniteError
from adcompiler.source import NOWHERE
from adcompiler.turns import importing, in_turn

if TYPE_CHECKING:
    from adcompiler.api.compile import Compiled
    from adcompiler.explain.evaluation import Point
    from adcompiler.graph.nodes import Graph, Node


def explain(derivative: Any, /, *args: Any) -> str:
    """Return what the reverse sweep stores, loop by loop, how much and why.

    Given arguments, it also returns how much memory a call with them takes, and how long compiling took.
    """
    with importing():
        from adcompiler.explain.in_words import explain as in_words
        from adcompiler.explain.one_call import explain_call

    name = derivative.python.__name__
    if not args:
        unit = plan_of(derivative, derivative._current())
        return _beside_threads(derivative, unit, in_words(name, unit.plans))
    args = derivative.bound(args)
    made = derivative._specialise(derivative.layouts(args))
    unit = plan_of(derivative, made)
    pairs = zip(args, made.layouts, strict=True)
    values = [value for arg, layout in pairs for value in flat(arg, layout)]
    return _beside_threads(derivative, unit, explain_call(name, unit.graph, unit.plans, values, made.seconds))


def _beside_threads(derivative: Any, unit: Compiled, text: str) -> str:
    """Return an explanation, after what is said of loops on all cores."""
    from adcompiler.explain.in_words import explain_threads

    return f"{explain_threads(unit.notes)}\n{text}" if derivative.style.parallel else text


def plan_of(derivative: Any, made: Specialised) -> Compiled:
    """Return what a specialisation was made of, which is not kept for other processes."""
    if made.compiled is None:
        made.compiled = derivative._compiled(made.layouts, made.style, [])
    return made.compiled


@in_turn
def nodes_of(derivative: Any, made: Specialised) -> dict[int, Node]:
    """Return the node that each line of a generated module comes from, if it has a place in the function."""
    with importing():
        from adcompiler.graph.origins import origins

    found: dict[int, Node] = {}
    text = plan_of(derivative, made).text
    for tree, source in zip(text.trees, text.sources, strict=True):
        before = made.source[: made.source.find(source)].count("\n")
        for line, node in origins(tree, source).items():
            if node.loc is not NOWHERE:
                found[before + line] = node
    return found


def note_place(derivative: Any, error: Exception, given: Mapping[str, Any]) -> None:
    """Add to an exception of generated code which line of the function it belongs to, or else to which call.

    Args:
        derivative: the derivative.
        error: the exception; Numba's for arrays that do not fit is told in our words.
        given: the arguments by their names.
    """
    if isinstance(error, DifferentiationError | NonFiniteError) or hasattr(error, "__notes__"):
        return
    if str(error).startswith("unable to broadcast"):
        error.args = ("arrays that are combined differ in size",)
    files = {_file_of(made.function): made for made in derivative.specialised.values()}
    for frame in traceback.extract_tb(error.__traceback__):
        made = files.get(frame.filename)
        if made is not None and made.source.splitlines()[(frame.lineno or 1) - 1].strip() == frame.line:
            with suppress(Exception):  # the error that is raised counts, not this
                place = nodes_of(derivative, made)[frame.lineno or 0].loc
                return error.add_note(f"which comes from {place}\n{place.excerpt()}")
    shapes = [
        f"{name} of shape {value.shape}" for name, value in given.items() if isinstance(value, np.ndarray)
    ]
    error.add_note(f"in a call of {derivative.python.__name__} with {', '.join(shapes) or 'no arrays'}")


def _file_of(function: Any) -> str:
    return str(getattr(function, "py_func", function).__code__.co_filename)


def typed_primal(derivative: Any, args: Sequence[Any]) -> tuple[Graph, list[Any]]:
    """Return the typed graph of the function, and its inputs."""
    with importing():
        from adcompiler.graph.layout import leaves
        from adcompiler.pipeline import Unit, through

    args = args[: derivative.own]
    layouts = derivative.layouts(args)[: derivative.own]
    kinds = [leaf.kind for layout in layouts for leaf in leaves(layout)]
    with enabled():
        unit = through(Unit(derivative._graph(layouts), kinds), "typed")
    return unit.graph, [
        value for arg, layout in zip(args, layouts, strict=True) for value in flat(arg, layout)
    ]


@in_turn
def point_of(derivative: Any, inputs: Mapping[str, Any], limit: int) -> Point:
    """Return what runs at a point, and all adjoints there."""
    with importing():
        from adcompiler.explain.evaluation import at_point

    try:
        bound = derivative._own_signature().bind(**inputs)
    except TypeError as error:
        raise DifferentiationError("AD305", f"{derivative.python.__name__}: {error}") from None
    bound.apply_defaults()
    primal, flat_inputs = typed_primal(derivative, tuple(map(as_plain, bound.arguments.values())))
    with enabled():
        return at_point(primal, flat_inputs, limit)
