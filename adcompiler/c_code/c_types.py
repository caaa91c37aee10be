"""Numba types as types of C."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numba.core import types as nt

from adcompiler.errors import DifferentiationError
from adcompiler.graph.nodes import Literal
from adcompiler.source import Location

_C_NAMES = {"float64": "double", "float32": "float", "bool": "bool", "boolean": "bool"}
_C_NAMES |= {"complex128": "double complex", "complex64": "float complex"}


def refused(reason: str, location: Location | None = None, cure: str | None = None) -> DifferentiationError:
    """Build the refusal of what C does not have."""
    cure = cure or "export a module for Numba: a file whose name ends in .py"
    return DifferentiationError("AD501", f"{reason}, which is not written in C", location, cure)


def number_type(kind: nt.Type) -> str:
    """Return the C type of a number.

    >>> number_type(nt.float64), number_type(nt.int32), number_type(nt.boolean)
    ('double', 'int32_t', 'bool')
    """
    kind = nt.unliteral(kind)
    if isinstance(kind, nt.Integer):
        return f"{kind.name}_t"
    if isinstance(kind, nt.Number | nt.Boolean):
        return _C_NAMES[kind.name]
    raise refused(f"a value is of type {kind}")


def short_name(kind: nt.Type) -> str:
    """Return the short name of a type of numbers, as in `f64`."""
    if isinstance(kind, nt.Boolean):
        return "bool"
    letter = {"float": "f", "int": "i", "uint": "u", "complex": "c"}
    return letter[kind.name.rstrip("0123456789")] + str(kind.bitwidth)


def array_type(kind: nt.Array) -> str:
    """Return the name of the struct of an array.

    >>> array_type(nt.float64[:, ::1])
    'f64_array2'
    """
    if not isinstance(kind.dtype, nt.Number | nt.Boolean) or kind.ndim == 0:
        raise refused(f"an array is of type {kind}")
    return f"{short_name(kind.dtype)}_array{kind.ndim}"


def c_type(kind: nt.Type) -> str:
    """Return the C type of a number or an array."""
    return array_type(kind) if isinstance(kind, nt.Array) else number_type(kind)


def literal_kind(value: object) -> nt.Type:
    """Return the type of a constant."""
    match value:
        case bool():
            return nt.boolean
        case int():
            return nt.int64
        case float():
            return nt.float64
        case complex():
            return nt.complex128
        case _ if isinstance(value, np.float32):
            return nt.float32
    return nt.none


ATOM, UNARY, PRODUCT, SUM, ORDER, EQUAL, BOTH, EITHER, CHOICE = range(9, 0, -1)
"""How tightly the operators of C bind."""


@dataclass(frozen=True)
class Term:
    """An expression in C.

    Attributes:
        text: how it is written.
        kind: the type of its value.
        level: how tightly its operator binds.
    """

    text: str
    kind: nt.Type
    level: int = ATOM

    def within(self, level: int) -> str:
        """Return the text, in parentheses unless it binds as tightly as a level."""
        return self.text if self.level >= level else f"({self.text})"


def constant(value: object) -> Term:
    """Return a number as C writes it.

    >>> constant(2).text, constant(-0.5).text, constant(float("inf")).text, constant(2**40).text
    ('2', '-0.5', 'INFINITY', 'INT64_C(1099511627776)')
    >>> constant(np.float32(0.1)).text
    '0.1f'
    """
    kind = literal_kind(value)
    match value:
        case bool():
            return Term("true" if value else "false", kind)
        case int():
            text = str(value) if abs(value) < 2**31 else f"INT64_C({value})"
            return Term(text, kind, ATOM if value >= 0 else UNARY)
        case float():
            names = {"inf": "INFINITY", "-inf": "-INFINITY", "nan": "NAN"}
            return Term(names.get(repr(value), repr(value)), kind, UNARY if repr(value)[0] == "-" else ATOM)
        case _ if isinstance(value, np.float32):
            whole = constant(float(str(value)))
            return replace(whole, text=whole.text + "f" * bool(np.isfinite(value)), kind=kind)
        case complex():
            return Term(f"({constant(value.real).text} + {constant(value.imag).text} * I)", kind)
    raise refused(f"the constant {value!r}")


def is_zero(atom: object) -> bool:
    """Tell whether an atom is the number zero."""
    return isinstance(atom, Literal) and not isinstance(atom.value, bool) and atom.value == 0


def cast(term: Term, kind: nt.Type) -> Term:
    """Return a number as one of another type."""
    if number_type(term.kind) == number_type(kind):
        return term
    return Term(f"({number_type(kind)}){term.within(UNARY)}", kind, UNARY)
