"""Functions that are not inlined but called: those that call themselves, and derivatives."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass

import gast

from adcompiler.frontend import resolve
from adcompiler.frontend.dispatchers import name_of
from adcompiler.frontend.parse import parse
from adcompiler.graph.layout import Layout
from adcompiler.graph.steps import Chain


@dataclass(frozen=True)
class Lifted:
    """A function with what it captures of the function around it, or a derivative of one, as its first
    argument.

    Attributes:
        what: how that is built: a record of captured variables, made by what names the function.
        name: the function's name.
    """

    what: Layout
    name: str

    @property
    def __name__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Callee:
    """A function called by the generated code.

    Attributes:
        function: the user's function.
        chain: which derivative of it; empty for the function itself.
        single: whether one gradient is returned by itself, not as a tuple.
        raises: whether a division by zero in it raises; None if only in `@njit` functions that it calls.
        layouts: how its arguments are built from the single values that it is called with; empty where each
            argument is one.
        picks: which single values of its result count; None for all.
    """

    function: types.FunctionType | Lifted
    chain: Chain = ()
    single: bool = False
    raises: bool | None = False
    layouts: tuple[Layout, ...] = ()
    picks: tuple[int, ...] | None = None

    @property
    def name(self) -> str:
        """A name for it in generated code."""
        return self.function.name if isinstance(self.function, Lifted) else name_of(self.function)


def is_recursive(function: types.FunctionType) -> bool:
    """Tell whether a function can call itself, directly or through others.

    >>> def factorial(n):
    ...     return 1 if n == 0 else n * factorial(n - 1)
    >>> from adcompiler.samples import sigmoid
    >>> is_recursive(sigmoid)
    False
    """
    seen: set[types.FunctionType] = set()
    todo = [*_called(function)]
    while todo:
        callee = todo.pop()
        if callee is function:
            return True
        if callee not in seen:
            seen.add(callee)
            todo += _called(callee)
    return False


def _called(function: types.FunctionType) -> Iterator[types.FunctionType]:
    """Yield the functions outside that a function calls by name."""
    code = function.__code__
    if code not in _NAMES:
        tree = parse(function).tree
        names = {
            n.func.id for n in gast.walk(tree) if isinstance(n, gast.Call) and isinstance(n.func, gast.Name)
        }
        _NAMES[code] = sorted(names.difference(code.co_varnames, code.co_cellvars))
    for name in _NAMES[code]:
        found = resolve.lookup(function, name)
        if resolve.is_followed(found) and not getattr(found, "is_derivative", False):
            yield resolve.unwrap(found)  # type: ignore[arg-type]


_NAMES: dict[types.CodeType, list[str]] = {}
