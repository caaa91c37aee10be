"""Compiled functions for several types of arguments, of which Numba's dispatcher picks one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Never

import numba
from numba._dispatcher import Dispatcher
from numba.core import types as nt
from numba.core.typeconv.rules import default_type_manager


class UnfitError(TypeError):
    """No function was compiled for the types of these arguments."""


class TypedCalls(Dispatcher):  # type: ignore[misc]
    """Calls the function that was compiled for exactly the types of the arguments.

    It is what an `@njit` function is in C, so that a call costs what such a call costs; what Python adds, to
    compile for new types, is left out.

    Args:
        names: names of the parameters.
        defaults: default values of the last of them.

    >>> square = numba.njit(lambda x: x * x)
    >>> calls = TypedCalls(["x"])
    >>> calls.enter(square, (nt.float64,)), square(3.0)
    (False, 9.0)
    >>> calls.enter(square, (nt.float64,)), calls(3.0), calls(x=3.0)
    (True, 9.0, 9.0)
    >>> calls(3)
    Traceback (most recent call last):
    adcompiler.api.typed_calls.UnfitError
    """

    def __init__(self, names: Sequence[str], defaults: Sequence[Any] = ()) -> None:
        pointer = default_type_manager.get_pointer()
        exact = True  # numbers are not converted
        super().__init__(pointer, len(names), True, tuple(names), tuple(defaults), False, False, exact)
        self.owned: list[Any] = []  # Numba's code in C borrows what is entered

    def enter(self, function: Any, kinds: tuple[nt.Type, ...]) -> bool:
        """Add what a function was compiled to for argument types; tell whether it was."""
        compiled: Mapping[Any, Any] = getattr(function, "overloads", {})
        if kinds not in compiled:
            return False
        self.owned.append(compiled[kinds])
        self._insert([kind._code for kind in kinds], compiled[kinds].entry_point)
        return True

    def typeof_pyval(self, value: Any) -> nt.Type:
        """Return the type of a value that Numba's code in C does not know."""
        try:
            return numba.typeof(value)
        except (ValueError, numba.core.errors.NumbaError):
            return nt.pyobject

    def _compile_for_args(self, *args: Any, **kwargs: Any) -> Never:
        """Refuse: this is called where no function fits."""
        raise UnfitError
