"""Ranges of numbers: what is finite, positive, or apart from zero because of how it is computed."""

from __future__ import annotations

from dataclasses import dataclass

from numba.core import types as nt

from adcompiler.graph.nodes import Apply, Atom, Graph, Literal, Value, type_of
from adcompiler.graph.walk import walk
from adcompiler.primitives import Range, card


def ranges(graph: Graph) -> Ranges:
    """Return what is known of the values of a graph, whose arguments are taken to be finite."""
    makers = {node.out: node for node in walk(graph.body) if isinstance(node, Apply)}
    return Ranges(makers, {*graph.body.params})


@dataclass(frozen=True)
class Ranges:
    """What is known of the values of numbers, and of the elements of arrays.

    Attributes:
        makers: what computes each value.
        given: values that are taken to be finite.
    """

    makers: dict[Value, Apply]
    given: set[Value]

    def made(self, atom: Atom) -> Apply | None:
        return self.makers.get(atom) if isinstance(atom, Value) else None

    def is_finite(self, atom: Atom) -> bool:
        """Tell whether a number is finite if the arguments of the function are."""
        made = self.made(atom)
        if isinstance(atom, Literal):
            return True
        if made is None:
            return False
        match made.fn:
            case "truediv":
                return self.is_apart_from_zero(made.args[1]) and self.is_finite_or_given(made.args[0])
            case "add" | "sub" | "mul" | "neg" | "pos" | "abs" | "min" | "max" | "np.square":
                return all(map(self.is_finite_or_given, made.args))
            case "len" | "size":
                return True
            case "math.exp" | "np.exp" | "fast.exp":
                return self.is_negative(made.args[0])
        return card(made.fn).range is Range.BOUNDED

    def is_negative(self, atom: Atom) -> bool:
        """Tell whether a number is zero or less."""
        made = self.made(atom)
        if isinstance(atom, Literal):
            return isinstance(atom.value, int | float) and atom.value <= 0
        if made is None:
            return False
        match made.fn:
            case "neg":
                return self.is_natural(made.args[0])
            case "mul" | "truediv":
                one, two = made.args
                return (self.is_negative(one) and self.is_natural(two)) or (
                    self.is_negative(two) and self.is_natural(one)
                )
            case "add":
                return all(map(self.is_negative, made.args))
        return False

    def is_finite_or_given(self, atom: Atom) -> bool:
        """Likewise for what the formula of a slope is made of: arguments, and elements of these."""
        made = self.made(atom)
        if isinstance(atom, Literal) or atom in self.given:
            return True
        if isinstance(type_of(atom), nt.Integer):
            return True
        if made is None:
            return False
        if made.fn == "getitem":
            return made.args[0] in self.given
        if made.fn == "truediv":
            return self.is_apart_from_zero(made.args[1])
        return self.is_finite(atom)

    def is_apart_from_zero(self, atom: Atom) -> bool:
        """Tell whether a number is not close to zero."""
        if isinstance(atom, Literal):
            return isinstance(atom.value, int | float) and atom.value != 0
        made = self.made(atom)
        if made is None:
            return False
        match made.fn:
            case "add":
                one, two = made.args
                return (self.is_positive(one) and self.is_natural(two)) or (
                    self.is_positive(two) and self.is_natural(one)
                )
            case "mul":
                return all(map(self.is_apart_from_zero, made.args))
            case "neg" | "abs" | "np.abs" | "np.square" | "math.sqrt" | "np.sqrt":
                return self.is_apart_from_zero(made.args[0])
        return self.is_positive(atom)

    def is_positive(self, atom: Atom) -> bool:
        """Tell whether a number is at least some constant above zero."""
        if isinstance(atom, Literal):
            return isinstance(atom.value, int | float) and atom.value > 0
        made = self.made(atom)
        if made is None:
            return False
        match made.fn:
            case "add":
                one, two = made.args
                return (self.is_positive(one) and self.is_natural(two)) or (
                    self.is_positive(two) and self.is_natural(one)
                )
            case "mul" | "min" | "np.minimum":
                return all(map(self.is_positive, made.args))
            case "max" | "np.maximum":
                return any(map(self.is_positive, made.args))
            case "math.sqrt" | "np.sqrt":
                return self.is_positive(made.args[0])
        return card(made.fn).range is Range.AT_LEAST_ONE

    def is_natural(self, atom: Atom) -> bool:
        """Tell whether a number is zero or more."""
        if isinstance(atom, Literal):
            return isinstance(atom.value, int | float) and atom.value >= 0
        made = self.made(atom)
        if made is None:
            return False
        match made.fn:
            case "mul":
                return made.args[0] is made.args[1] or all(map(self.is_natural, made.args))
            case "add" | "truediv":
                return all(map(self.is_natural, made.args))
            case "pow":
                power = made.args[1]
                is_even = isinstance(power, Literal) and isinstance(power.value, int) and power.value % 2 == 0
                return is_even or self.is_natural(made.args[0])
        return card(made.fn).range is Range.NATURAL or self.is_positive(atom)
