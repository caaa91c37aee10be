"""Every refusal in one place: a stable code, the reason, and the way out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from adcompiler.source import NOWHERE, Location

CODES = {
    "AD001": ("source not available", "define the function in a file or a notebook cell"),
    "AD101": ("statement not supported", "rewrite it with assignments, if, for and while"),
    "AD102": ("expression not supported", "rewrite it with arithmetic, indexing and calls"),
    "AD103": ("loop not supported", "loop over range(...) and index inside the loop"),
    "AD104": ("variable changes its kind", "use a second name for the second kind"),
    "AD106": ("name not defined", "define the name before the function is differentiated"),
    "AD107": ("call does not match the function's parameters", "pass the arguments it declares"),
    "AD201": ("recursion not supported", "rewrite the recursion as a loop"),
    "AD202": ("no derivative rule", "write it with functions that have a rule"),
    "AD203": ("use of a function without a derivative", "pass plain numbers and arrays"),
    "AD204": ("rule does not fit its function", "return one adjoint or tangent of the right shape for each"),
    "AD205": ("loop cannot be run again from checkpoints", "leave the checkpoints out"),
    "AD301": ("argument is not differentiable", "pass floats or float arrays"),
    "AD302": ("result is not a real scalar", "return one float, for example a sum, or take vjp or jacobian"),
    "AD303": ("array may be one of several", "copy it before it is written: b = a.copy()"),
    "AD304": ("not typable by Numba", "make the function compile under numba.njit first"),
    "AD305": ("arguments do not match", "see the function's signature"),
    "AD306": ("array element type not supported", "use float64 or float32 arrays"),
    "AD401": ("graph has a cycle", "remove one of the edges of the cycle"),
    "AD402": ("graph cannot be evaluated", "evaluate a function that returns one float, at a small point"),
    "AD501": ("cannot be exported", "call the derivative where adcompiler is installed"),
    "AD601": (
        "sparsity cannot be told",
        "find it on the path of these arguments: sparsity(f, local=True)",
    ),
    "AD901": ("defect in adcompiler", "please report it, with the function"),
}


@contextmanager
def defects_reported(function: str) -> Iterator[None]:
    """Turn an exception that only a defect of adcompiler can raise into one that says so."""
    try:
        yield
    except DifferentiationError:
        raise
    except Exception as error:
        reason = f"'{function}' could not be differentiated: {type(error).__name__}: {error}"
        raise DifferentiationError("AD901", reason) from error


class DifferentiationError(NotImplementedError, TypeError):
    """Raised for every program, argument or graph that adcompiler refuses.

    Attributes:
        code: stable code such as `"AD101"`, listed in `docs/errors.md`.
        location: place in the user's file, or None where the refusal concerns a call.

    It is both a `NotImplementedError` and a `TypeError`, so that either `except` clause catches it.
    """

    def __init__(
        self, code: str, reason: str, location: Location | None = None, cure: str | None = None
    ) -> None:
        self.code = code
        self.reason = reason
        self.location = None if location is NOWHERE else location
        self.cure = cure or CODES[code][1]
        super().__init__(self.message())

    def __reduce__(self) -> Any:
        """Pickle what the error was made from, and its text: it may quote a file that is here only."""
        made_from = (self.code, self.reason, self.location, self.cure)
        return type(self), made_from, {**vars(self), "args": self.args}

    def message(self) -> str:
        """Return the full text: code, reason, place, caret and way out."""
        lines = [f"[{self.code}] {CODES[self.code][0]}: {self.reason}"]
        if self.location is not None:
            lines += [f"  at {self.location}", self.location.excerpt()]
        lines.append(f"  way out: {self.cure}")
        return "\n".join(lines)
