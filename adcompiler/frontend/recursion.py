"""Functions that are not inlined but called: those that call themselves, and derivatives."""

from __future__ import annotations

import types
from collections import Counter
from dataclasses import dataclass

import gast

from adcompiler.frontend import resolve
from adcompiler.frontend.dispatchers import name_of
from adcompiler.frontend.facts import names_in
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
        staying: for a function of numbers that is called though it does not call itself, those that it
            calls likewise; None for others. It returns a tuple where there are several single values.
        is_steep: for these, whether the slope may be infinite where an argument is zero.
        has_loops: for these, whether they, or functions that they call, have loops.
    """

    function: types.FunctionType | Lifted
    chain: Chain = ()
    single: bool = False
    raises: bool | None = False
    layouts: tuple[Layout, ...] = ()
    picks: tuple[int, ...] | None = None
    staying: frozenset[types.FunctionType] | None = None
    is_steep: bool = False
    has_loops: bool = False

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
    todo = [*called(function)]
    while todo:
        callee = todo.pop()
        if callee is function:
            return True
        if callee not in seen:
            seen.add(callee)
            todo += called(callee)
    return False


def results_in_tuple(function: types.FunctionType) -> int | None:
    """Return how many results the statements of a function return in a tuple; None where there is no tuple.

    >>> from adcompiler.samples import sigmoid
    >>> results_in_tuple(sigmoid) is None
    True
    """
    returned = [node.value for node in gast.walk(parse(function).tree) if isinstance(node, gast.Return)]
    return next((len(value.elts) for value in returned if isinstance(value, gast.Tuple)), None)


def called(function: types.FunctionType) -> Counter[types.FunctionType]:
    """Count the calls by name in the text of a function, for each function outside."""
    code = function.__code__
    if code not in _NAMES:
        calls = (n.func for n in gast.walk(parse(function).tree) if isinstance(n, gast.Call))
        counts = Counter(name.id for name in calls if isinstance(name, gast.Name))
        own = {*code.co_varnames, *code.co_cellvars}
        free = counts.keys() & names_in(code) - own  # decorators and defaults run when it is defined
        _NAMES[code] = {name: counts[name] for name in sorted(free)}
    found = Counter[types.FunctionType]()
    for name, count in _NAMES[code].items():
        value = resolve.lookup(function, name)
        makes = resolve.makes_derivatives(value) or getattr(value, "is_derivative", False)
        if resolve.is_followed(value) and not makes:
            found[resolve.unwrap(value)] += count  # type: ignore[arg-type]
    return found


_NAMES: dict[types.CodeType, dict[str, int]] = {}
