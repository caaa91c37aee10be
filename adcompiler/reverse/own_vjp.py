"""Functions with a derivative of their own in reverse mode.

A rule for tangents serves, too: it is linear in the tangents, and its pullback with respect to these is the
rule for adjoints.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adcompiler.analysis.types import is_array, is_complex
from adcompiler.custom import CustomFunction
from adcompiler.frontend.custom_calls import Custom, taken_apart
from adcompiler.frontend.flat_rules import FlatFunction
from adcompiler.graph.nodes import Apply, Atom, Literal, Value, type_of
from adcompiler.reverse.adjoints import AdjointSweep, Contribution
from adcompiler.rules.find import atom_rank
from adcompiler.rules.own_rules import (
    adjoint_kinds,
    check_part,
    global_of,
    moved_arguments,
    tangent_kinds,
    transposed,
    with_rules,
)


def reverse_custom(sweep: AdjointSweep, node: Apply) -> None:
    """Add to the adjoints of the arguments, given those of all results: once, at the first result."""
    parts = _parts(sweep, node)
    if node.out is not parts[min(parts)]:
        return
    adjoints = {k: sweep.take(out) for k, out in parts.items()}
    if not any(adjoints.values()):
        return
    found, function = with_rules(node)
    results = found.raws[: function.results] if isinstance(function, FlatFunction) else found.raws
    seeds = [_seed(sweep, parts.get(k), adjoints.get(k), raw) for k, raw in enumerate(results)]
    if function.vjp is not None:
        _by_rule(sweep, function, found, results, seeds)
    elif any(atom_rank(atom) or is_complex(type_of(atom)) for atom in (*found.args, *results)):
        _by_transposed_rule(sweep, function, (found.args, results, seeds))
    else:
        _by_slopes(sweep, function, (found.args, results, seeds))


def _parts(sweep: AdjointSweep, node: Apply) -> dict[int, Value]:
    """Return the results of the call that a node belongs to, by their positions."""
    own = taken_apart(node)
    if len(own.raws) == 1:
        return {0: node.out}
    others = [made for made in sweep.definitions.values() if made.fn == "custom[0]"]
    found = [(taken_apart(made), made.out) for made in others]
    return {each.position: out for each, out in found if each.raws == own.raws}


def _seed(sweep: AdjointSweep, out: Value | None, adjoint: Contribution | None, raw: Atom) -> Atom:
    """Return the adjoint of a result as the rule takes it."""
    if out is None or adjoint is None:
        assert isinstance(raw, Value)
        return sweep.zero(raw) if is_array(raw.type) else _number(raw, 0.0)
    seed = sweep.cast(out, Contribution(sweep.full(out, adjoint)))
    return _number(out, seed.value) if isinstance(seed, Literal) else seed


def _number(like: Value, value: Any) -> Literal:
    return Literal(complex(value) if is_complex(like.type) else float(np.real(value)))


def _active(sweep: AdjointSweep, args: Sequence[Atom]) -> list[int]:
    return [k for k, arg in enumerate(args) if isinstance(arg, Value) and arg in sweep.active]


def _by_rule(
    sweep: AdjointSweep,
    function: CustomFunction[..., Any],
    found: Custom,
    results: Sequence[Atom],
    seeds: Sequence[Atom],
) -> None:
    """Add what the rule for adjoints returns."""
    args = found.args
    rule, given = function.vjp, (*args, *results)
    if isinstance(function, FlatFunction) and function.backward is not None:
        fixed = [arg for k, arg in enumerate(args) if k not in function.moved]
        rule, given = function.backward, (*fixed, *found.raws[len(results) :])
    kinds = adjoint_kinds(function, rule, args, (*given, *results), sweep.loc)
    adjoints = sweep.apply("rule", global_of(rule), *given, *seeds, name="adjoints")
    active = _active(sweep, args)
    for place, k in enumerate(kinds):
        if k not in active:
            continue
        part = adjoints if len(kinds) == 1 else sweep.apply("getitem", adjoints, Literal(place))
        check_part(sweep, function, k, (part, kinds[k]), args[k])
        if is_array(kinds[k]) or not atom_rank(args[k]):
            sweep.contribute(args[k], Contribution(part))


Given = tuple[Sequence[Atom], Sequence[Atom], Sequence[Atom]]
"""Arguments, results, and the adjoints of these."""


def _by_slopes(sweep: AdjointSweep, function: CustomFunction[..., Any], given: Given) -> None:
    """Add adjoints of numbers: a rule for tangents that is given units returns slopes."""
    args, results, seeds = given
    tangent_kinds(function, args, results, sweep.loc)
    moved = moved_arguments(function, args)
    for k in _active(sweep, args):
        if k not in moved:
            continue
        unit = [Literal(1.0 if other == k else 0.0) for other in moved]
        slopes = sweep.apply("rule", global_of(function.jvp), *args, *results, *unit)
        for place, seed in enumerate(seeds):
            slope = slopes if len(seeds) == 1 else sweep.apply("getitem", slopes, Literal(place))
            sweep.contribute(args[k], Contribution(sweep.apply("mul", seed, slope)))


def _by_transposed_rule(sweep: AdjointSweep, function: CustomFunction[..., Any], given: Given) -> None:
    """Add what the pullback of a rule for tangents returns."""
    args, results, seeds = given
    moved = moved_arguments(function, args)
    zeros = [_zero(sweep, args[k]) for k in moved]
    seeds = [
        sweep.apply("np.ascontiguousarray", seed) if atom_rank(raw) else seed
        for raw, seed in zip(results, seeds, strict=True)
    ]
    active = [k for k in _active(sweep, args) if k in moved]
    places = [len(args) + len(results) + moved.index(k) for k in active]
    picks = None if len(seeds) == 1 else tuple(range(len(seeds)))
    callee = transposed(function.jvp, places, picks)
    found = sweep.apply("derivative", callee, *args, *results, *zeros, *seeds, name="adjoints")
    for position, k in enumerate(active):
        sweep.contribute(args[k], Contribution(sweep.apply("getitem", found, Literal(position))))


def _zero(sweep: AdjointSweep, arg: Atom) -> Atom:
    is_vector = isinstance(arg, Value) and is_array(arg.type)
    return (
        sweep.apply("np.zeros_like", arg) if is_vector else Literal(0j if is_complex(type_of(arg)) else 0.0)
    )
