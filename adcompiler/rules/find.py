"""Which rule is meant for a node, given the types of what it reads."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from adcompiler.analysis.types import is_complex, rank
from adcompiler.errors import DifferentiationError
from adcompiler.graph.nodes import Apply, Atom, Literal, Value
from adcompiler.primitives import Elementwise, Fill, Follows, Structured, card, part_of


def atom_rank(atom: Atom) -> int:
    """Return the number of axes of a value or of a captured array."""
    if isinstance(atom, Value):
        return rank(atom.type)
    return getattr(getattr(atom, "value", 0), "ndim", 0)


def find_elementwise(node: Apply) -> Elementwise | None:
    """Return the elementwise rule of a node, for real numbers.

    The derivative of `x ** 3` is `3 * x ** 2`, without the cases that a variable exponent needs.
    """
    rule = card(node.fn).partials
    if rule is None or node.keywords or len(node.args) != len(rule.inputs):
        return None
    is_power = card(node.fn).is_steep_at_zero and len(node.args) == 2
    if not is_power or not isinstance(node.args[1], Literal):
        return rule
    power = node.args[1].value
    if isinstance(power, bool) or not isinstance(power, int | float):
        return rule
    match power:
        case 0:
            text = "0.0"
        case 1:
            text = "1"
        case 2:
            text = f"{power} * a"
        case 0.5:
            text = "0.5 / y"
        case float() if power < 0:
            text = f"{power} * y / a"
        case _:
            text = f"{power} * a ** {power - 1}"
    return replace(rule, partials=(ast.parse(text, mode="eval").body, None))


def inputs_of_part(node: Apply) -> tuple[Atom, ...]:
    """Return what `np.linalg.qr[0]` and its like are functions of."""
    return node.args[: len(node.args) - len(card(node.fn.partition("[")[0]).part_names)]


def find_structured(node: Apply) -> tuple[Structured, tuple[Atom, ...]] | None:
    """Return the rule of a function on arrays in reverse mode, and the arguments that it is about."""
    if part_of(node.fn, len(node.args)) is not None:
        inputs = inputs_of_part(node)
        rules = card(node.fn).complex_vjps if is_of_complex(node) else card(node.fn).vjps
        found = rules.get((tuple(atom_rank(atom) for atom in inputs), None))
        return None if found is None else (found, inputs)
    known, keywords = card(node.fn), dict(node.keywords)
    rules = known.complex_vjps if is_of_complex(node) else known.vjps
    axis, args = keywords.pop("axis", None), node.args
    if known.follows is Follows.REDUCED and len(args) > 1:
        axis, args = args[1], args[:1]
    if known.allocates is Fill.VALUE:
        args = args[1:2]
        keywords.pop("dtype", None)
    if keywords or (axis is not None and not isinstance(axis, Literal)):
        return None
    number = axis.value if axis is not None else None
    if isinstance(number, int) and number < 0:
        number += atom_rank(args[0])
    for count in (2, 1):
        key = (tuple(atom_rank(a) for a in args[:count]), number)
        is_whole = len(args) == count or (len(args) > count and known.is_of_first)
        if is_whole and key in rules:
            return rules[key], args[:count]
    return None


def find_tangent(node: Apply) -> tuple[Callable[..., Any], tuple[Atom, ...]] | None:
    """Return the rule of a function on arrays in forward mode, and the arguments that it is about."""
    inputs = node.args if part_of(node.fn, len(node.args)) is None else inputs_of_part(node)
    rules = card(node.fn).complex_jvps if is_of_complex(node) else card(node.fn).jvps
    found = rules.get(tuple(atom_rank(atom) for atom in inputs))
    return None if found is None or node.keywords else (found, inputs)


def no_rule(node: Apply) -> DifferentiationError:
    """Return the refusal of a function that no rule is known for."""
    if card(node.fn).refused:
        return DifferentiationError("AD202", f"'{node.fn}': {card(node.fn).refused}", node.loc)
    keywords = ", ".join(f"{key}=" for key, _ in node.keywords)
    ranks = ", ".join(f"{atom_rank(a)}-D" for a in node.args)
    what = f"'{node.fn}' of ({ranks}{', ' + keywords if keywords else ''})"
    return DifferentiationError("AD202", f"no derivative rule for {what}", node.loc)


def takes_complex(node: Apply) -> bool:
    """Tell whether the rules of a function hold for complex numbers, or there are others for these."""
    known = card(node.fn)
    return known.is_analytic or known.holds_for_complex or bool(known.complex_vjps)


def is_of_complex(node: Apply) -> bool:
    """Tell whether a function has rules of their own for complex arguments, and has such."""
    has_rules = bool(card(node.fn).complex_vjps)
    return has_rules and any(isinstance(a, Value) and is_complex(a.type) for a in node.args)


def not_for_complex(node: Apply) -> DifferentiationError:
    """Return the refusal of a function whose rule is for real numbers, or that has none."""
    reason = (
        f": {card(node.fn).refused}" if card(node.fn).refused else " has no derivative for complex numbers"
    )
    return DifferentiationError(
        "AD202", f"'{node.fn}'{reason}", node.loc, card(node.fn).cure_for_complex or None
    )


def unknown_partial(node: Apply, position: int) -> DifferentiationError:
    """Return the refusal of an argument with respect to which no derivative is known."""
    reason = f"no derivative of '{node.fn}' with respect to its argument {position + 1}"
    return DifferentiationError("AD202", reason, node.loc)
