"""Functions with a derivative of their own in reverse mode.

A rule for tangents serves, too: it is linear in the tangents, and its pullback with respect to these is the
rule for adjoints.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from adcompiler.analysis.types import is_array, is_complex
from adcompiler.graph.nodes import Apply, Atom, Literal, Value, type_of
from adcompiler.reverse.adjoints import AdjointSweep, Contribution
from adcompiler.rules.find import atom_rank
from adcompiler.rules.own_rules import (
    adjoint_kinds,
    check_part,
    global_of,
    taken_apart,
    tangent_kind,
    transposed,
)


def reverse_custom(sweep: AdjointSweep, node: Apply, adjoint: Contribution) -> None:
    """Add to the adjoints of the arguments, given that of the result."""
    function, args, result = taken_apart(node)
    seed = sweep.cast(node.out, Contribution(sweep.full(node.out, adjoint)))
    if isinstance(seed, Literal):
        seed = Literal(complex(seed.value) if is_complex(node.out.type) else float(np.real(seed.value)))
    active = [k for k, arg in enumerate(args) if isinstance(arg, Value) and arg in sweep.active]
    if function.vjp is not None:
        kinds = adjoint_kinds(function, args, result, node.loc)
        found = sweep.apply("rule", global_of(function.vjp), *args, result, seed, name="adjoints")
        for k in active:
            part = found if len(args) == 1 else sweep.apply("getitem", found, Literal(k))
            check_part(sweep, function, k, (part, kinds[k]), args[k])
            if is_array(kinds[k]) or not atom_rank(args[k]):
                sweep.contribute(args[k], Contribution(part))
    elif any(atom_rank(atom) or is_complex(type_of(atom)) for atom in (*args, result)):
        _reverse_tangent_rule(sweep, function.jvp, (args, result, seed), active)
    else:
        tangent_kind(function, args, result, node.loc)
        for k in active:
            unit = [Literal(1.0 if other == k else 0.0) for other in range(len(args))]
            slope = sweep.apply("rule", global_of(function.jvp), *args, result, *unit)
            sweep.contribute(args[k], Contribution(sweep.apply("mul", seed, slope)))


def _reverse_tangent_rule(
    sweep: AdjointSweep, rule: Any, given: tuple[tuple[Atom, ...], Atom, Atom], active: list[int]
) -> None:
    """Add to the adjoints of arguments by the pullback of a rule for tangents.

    Args:
        sweep: the reverse sweep.
        rule: the rule.
        given: the arguments, the result and its adjoint.
        active: positions of the arguments that carry a derivative.
    """
    args, result, seed = given
    zeros = [_zero(sweep, arg) for arg in args]
    if atom_rank(result):
        seed = sweep.apply("np.ascontiguousarray", seed)
    callee = transposed(rule, [len(args) + 1 + k for k in active])
    found = sweep.apply("derivative", callee, *args, result, *zeros, seed, name="adjoints")
    for position, k in enumerate(active):
        sweep.contribute(args[k], Contribution(sweep.apply("getitem", found, Literal(position))))


def _zero(sweep: AdjointSweep, arg: Atom) -> Atom:
    is_vector = isinstance(arg, Value) and is_array(arg.type)
    return (
        sweep.apply("np.zeros_like", arg) if is_vector else Literal(0j if is_complex(type_of(arg)) else 0.0)
    )
