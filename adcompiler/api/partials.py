"""`functools.partial`: the function that is left, with the fixed arguments as values that it captures."""

from __future__ import annotations

import inspect
from functools import lru_cache, partial
from typing import Any

from adcompiler.errors import DifferentiationError
from adcompiler.frontend.dispatchers import name_of
from adcompiler.frontend.texts import function_of

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def written_out(function: Any) -> Any:
    """Return the function that a `functools.partial` stands for; any other function as it is.

    Raises:
        DifferentiationError: AD107 where the function takes `*args` or `**options`.

    >>> def scaled(a, x, power=2.0):
    ...     return a * x**power
    >>> written_out(partial(scaled, 3.0))(2.0), inspect.signature(written_out(partial(scaled, power=1.0)))
    (12.0, <Signature (a, x)>)
    """
    return _written_out(function) if isinstance(function, partial) else function


@lru_cache(maxsize=256)
def _written_out(made: Any) -> Any:
    whole, known = made.func, {"whole": made.func}
    parameters = inspect.signature(whole).parameters
    if any(parameter.kind not in _NAMED for parameter in parameters.values()) or "whole" in parameters:
        cure = "write the call down: lambda x: f(x, …)"
        raise DifferentiationError("AD107", f"{made!r} has no parameters that can be named", None, cure)
    fixed = inspect.signature(whole).bind_partial(*made.args, **made.keywords).arguments
    head, given = [], []
    for name, parameter in parameters.items():
        is_keyword = parameter.kind is parameter.KEYWORD_ONLY
        given.append(f"{name}={name}" if is_keyword else name)
        if name in fixed:
            known[name] = fixed[name]
            continue
        if is_keyword and "*" not in head:
            head.append("*")
        head.append(name if parameter.default is parameter.empty else f"{name}=default_{name}")
        known[f"default_{name}"] = parameter.default
    text = f"def {name_of(whole)}({', '.join(head)}):\n    return whole({', '.join(given)})\n"
    return function_of(text, known, made)
