"""Sparsity patterns, found by running a function with sets of indices in place of numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic

import numpy as np

from adcompiler.api.arguments import flat, plain
from adcompiler.api.checks import Argnums
from adcompiler.api.derivative import Derivative, P
from adcompiler.api.specialised import Specialised
from adcompiler.enabled import enabled
from adcompiler.errors import DifferentiationError
from adcompiler.graph.kinds import is_continuous
from adcompiler.graph.layout import Layout, Packed, Static, leaves
from adcompiler.portable import Portable
from adcompiler.sparse.pattern import SparsityPattern


class Sparsity(Portable, Generic[P]):
    """What `sparsity` returns: a function from arguments to the pattern of the Jacobian."""

    def __init__(
        self, function: Callable[..., Any], argnums: Argnums, local: bool, jit: bool, options: dict[str, Any]
    ) -> None:
        self.function, self.argnums, self.local, self.jit, self.options = (
            function,
            argnums,
            local,
            jit,
            options,
        )
        mode: Any = "local_pattern" if local else "pattern"
        self.derivative: Derivative[..., Any] = Derivative(function, mode, argnums, jit, options)

    def _parts(self) -> tuple[Any, ...]:
        return self.function, self.argnums, self.local, self.jit, self.options

    def __repr__(self) -> str:
        return f"<adcompiler sparsity of {self.derivative.python.__name__}>"

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> SparsityPattern:
        """Return the pattern for these arguments, whose floats say nothing unless it is a local one."""
        bound = self.derivative.bound(args, kwargs)
        return self.found(self.made(bound), bound)

    @property
    def source(self) -> str:
        """The text of the module that forms sets, for the latest argument types or else for likely ones."""
        return self.derivative.source

    def made(self, args: tuple[Any, ...]) -> Specialised:
        """Return what finds the pattern for the types of arguments."""
        return self.derivative._specialise(self.derivative.layouts(args))

    def found(self, made: Specialised, args: tuple[Any, ...]) -> SparsityPattern:
        """Run what finds the pattern."""
        varied = [
            value
            for k in self.derivative.wrt
            for value, leaf in zip(flat(args[k], made.layouts[k]), leaves(made.layouts[k]), strict=True)
            if is_continuous(leaf.kind)
        ]
        arguments = tuple(map(np.size, varied))
        ends = np.cumsum(arguments)
        given = [
            np.arange(end - size + 1, end + 1).reshape(np.shape(value)) if np.ndim(value) else int(end)
            for value, size, end in zip(varied, arguments, ends, strict=True)
        ]
        given_args = tuple(map(plain, args, made.layouts))
        book, sets = self._run(made, given_args, given, int(ends[-1]))
        return _pattern(book, sets, arguments)

    def _run(
        self, made: Specialised, args: tuple[Any, ...], given: Sequence[Any], count: int
    ) -> tuple[Any, list[Any]]:
        """Return the book of unions and the sets of all results; a book that is too small is made larger."""
        size = 16 * count + 1024
        while True:
            book = np.zeros((size, 2), np.int32)
            book[0, 1] = count
            found = self.derivative.run(made, (*args, *given, book))
            if 0 <= book[0, 0] < len(book):
                return book, [*flat(found, _returns(made, self.derivative.python.__name__))]
            if book[0, 0] < 0:
                raise MemoryError("there are more than 2**31 sets in this pattern")
            size = int(book[0, 0]) + 1


def _returns(made: Specialised, name: str) -> Layout:
    """Return the layout of the results, all of which are to be floats (AD302)."""
    returns = made.interface.returns
    if any(isinstance(part, Static) for part in _leaves(returns)):
        reason = f"a part of what '{name}' returns is no float"
        raise DifferentiationError("AD302", reason, None, "return floats and arrays of them only")
    return returns


def _leaves(layout: Layout) -> list[Layout]:
    if isinstance(layout, Packed):
        return [part for each in layout.parts for part in _leaves(each)]
    return [layout]


def _pattern(book: Any, sets: Sequence[Any], arguments: tuple[int, ...]) -> SparsityPattern:
    from adcompiler.sparse.rows import rows_of

    results = tuple(map(np.size, sets))
    whole = np.concatenate([np.ravel(each) for each in sets]).astype(np.int64)
    with enabled():
        starts, columns = rows_of(book, whole)
    return SparsityPattern((sum(results), sum(arguments)), starts, columns, results, arguments)
