"""The check that generated code makes with `debug_nans=True`: that a value or an adjoint is finite."""

# mypy: disable-error-code="no-untyped-def, untyped-decorator"
from __future__ import annotations

import numpy as np
from numba.core import types
from numba.extending import overload


class NonFiniteError(FloatingPointError):
    """A value, or an adjoint, is infinite or not a number.

    Attributes:
        what: which it is: `"the value of math.log(x)"`, or `"the adjoint of x"`.
        where: file and line of the program.
        line: the text of that line.
        element: the index of the first such element of an array; empty for a number.
        found: what stands there.
        iteration: the index of each loop around it, outermost first.
    """

    def __init__(
        self,
        what: str,
        where: str,
        line: str,
        loops: str,
        element: tuple[int, ...],
        found: complex,
        indices: tuple[int, ...],
    ) -> None:
        super().__init__(what, where, line, loops, element, found, indices)
        self.what, self.where, self.line = what, where, line
        self.element, self.found = element, found
        self.iteration = dict(zip(loops.split(", ") if loops else [], indices, strict=True))

    def __str__(self) -> str:
        index = ", ".join(map(str, self.element))
        what = f"element [{index}] of {self.what}" if index else self.what
        turns = ", ".join(f"{name} = {index}" for name, index in self.iteration.items())
        turn = f", where {turns}" if turns else ""
        return f"{what} is {self.found}{turn}\n  at {self.where}\n    {self.line}".rstrip()


def finite(value, what, where, line, loops, *indices):
    """Raise NonFiniteError unless a number, or each element of an array, is finite.

    Args:
        value: a number or an array.
        what: what it is called.
        where: file and line of the program.
        line: the text of that line.
        loops: names of the indices, with commas between them.
        *indices: the index of each loop around it.
    """
    for element, found in np.ndenumerate(value):
        if not np.isfinite(found):
            raise NonFiniteError(what, where, line, loops, element, found, indices)


@overload(finite)
def _finite(value, what, where, line, loops, *indices):
    def of_array(value, what, where, line, loops, *indices):
        for element, found in np.ndenumerate(value):
            if not np.isfinite(found):
                raise NonFiniteError(what, where, line, loops, element, found, indices)

    def of_number(value, what, where, line, loops, *indices):
        if not np.isfinite(value):
            raise NonFiniteError(what, where, line, loops, (), value, indices)

    return of_array if isinstance(value, types.Array) else of_number
