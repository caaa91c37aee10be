"""`derivative.show(*args)`, and what a derivative shows of itself in notebooks."""

from __future__ import annotations

import inspect
from contextlib import suppress
from html import escape
from typing import TYPE_CHECKING, Any

from adcompiler.api.explaining import nodes_of, plan_of, typed_primal
from adcompiler.errors import DifferentiationError
from adcompiler.frontend.dispatchers import name_of
from adcompiler.turns import importing, in_turn

if TYPE_CHECKING:
    from adcompiler.explain.page import Page

_LIMIT = 200
"""How many steps a page goes through."""


@in_turn
def show(derivative: Any, /, *args: Any, limit: int = _LIMIT) -> Page:
    """Return a page of HTML: the function, the generated code, the graph, and both sweeps step by step.

    Args:
        derivative: the derivative.
        *args: arguments at which it is shown.
        limit: how many primitives may run; above, the page shows the function without values.

    Returns:
        a page, which notebooks show; `.save(path)` writes it to a file, `.open()` shows it in a browser.

    >>> from adcompiler import grad
    >>> page = grad(lambda x: x * x + 1.0).show(3.0)
    >>> "<!doctype html>" in page.html
    True
    """
    with importing():
        from adcompiler.explain.footprint import allocations, known_sizes
        from adcompiler.explain.page import Shown, memory_of, page
        from adcompiler.frontend.parse import lines_of

    args = derivative.bound(args)
    made = derivative._specialise(derivative.layouts(args))
    _, values = typed_primal(derivative, args)
    unit = plan_of(derivative, made)
    code = derivative.python.__code__
    lines = lines_of(code, derivative.python.__name__)[code.co_firstlineno - 1 :]
    about = Shown(
        title=f"{_WHAT.get(derivative.mode, derivative.mode)} of {name_of(derivative.python)}",
        file=code.co_filename,
        first=code.co_firstlineno,
        own=[line.rstrip("\n") for line in inspect.getblock(lines)],
        made=made.source.splitlines(),
        nodes=nodes_of(derivative, made),
        memory=memory_of(allocations(unit.graph), known_sizes(unit.graph, values)),
    )
    graph = derivative.graph
    try:
        at = graph.evaluate(limit, **dict(zip(derivative.names[: derivative.own], args, strict=False)))
    except DifferentiationError as error:
        return page(about, graph, error)
    return page(about, graph, at)


_WHAT = {"grad": "The gradient", "value_and_grad": "Value and gradient", "primal": "The function"}


def in_notebook(derivative: Any) -> str:
    """Return what notebooks show of a derivative: its graph and its source, as far as they are known."""
    parts = [f"<p>{escape(repr(derivative))}</p>"]
    with suppress(DifferentiationError):  # some functions have a graph once they have been called
        parts.append(derivative.graph._repr_svg_() or "")
        source = escape(derivative.source)
        parts.append(f"<details><summary>source</summary><pre>{source}</pre></details>")
    return "".join(parts)
