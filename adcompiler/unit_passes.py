"""Passes that need more of a unit than its graph, and when some of them run."""

from __future__ import annotations

from adcompiler.analysis.shapes import symbolic_sizes
from adcompiler.analysis.single import type_derivative
from adcompiler.analysis.types import refresh
from adcompiler.graph.nodes import Graph
from adcompiler.graph.walk import defined
from adcompiler.loops.ends_apart import split_ends
from adcompiler.loops.forwarded import forward_stores
from adcompiler.loops.fuse import fuse
from adcompiler.loops.handed_on import hand_on_elements
from adcompiler.loops.matrices_inside import sum_inside
from adcompiler.polish.budget import leave_room
from adcompiler.polish.fills import fill_at_once
from adcompiler.polish.powers import write_out_powers
from adcompiler.prepare.short_loops import write_out_short_loops
from adcompiler.simplify.dead import remove_dead
from adcompiler.simplify.invariant import remove_invariants
from adcompiler.unit import Unit


def retyped(unit: Unit) -> Graph:
    """Return the graph with types of what passes made."""
    unit.settled.clear()  # values keep their identity
    refresh(unit.graph)
    if any(value.type is None for value in defined(unit.graph.body)):
        type_derivative(unit.graph, unit.arguments)
    return unit.graph


def invariants(unit: Unit) -> Graph:
    """Return the graph without what loops carry and do not change."""
    changed = remove_invariants(unit.graph)
    return unit.graph if changed is unit.graph else remove_dead(changed)


def handed_on(unit: Unit) -> Graph:
    """Return the graph with elements that iterations hand on to the next as numbers."""
    return hand_on_elements(unit.graph, *symbolic_sizes(unit.graph))


def runs_in_order(unit: Unit) -> bool:
    """Tell whether iterations follow each other: threads have their own ways to hand on."""
    return not unit.style.parallel


def has_sizes(unit: Unit) -> bool:
    """Tell whether arrays that meet have one size: they need not be stretched."""
    return not unit.style.broadcasts


def filled(unit: Unit) -> Graph:
    """Return the graph with sums to zeros as stores."""
    return fill_at_once(unit.graph, *symbolic_sizes(unit.graph))


def budgeted(unit: Unit) -> Graph:
    """Return the graph with the memory for states counted."""
    return leave_room(unit.graph, lambda: symbolic_sizes(unit.graph))


def ends_apart(unit: Unit) -> Graph:
    """Return the graph with the first and last iterations of loops apart."""
    return split_ends(unit.graph)


def has_ends(unit: Unit) -> bool:
    """Tell whether the ends of loops may run before the rest: it changes the order of sums."""
    return not (unit.style.accurate or unit.style.parallel)


def short_loops(unit: Unit) -> Graph:
    """Return the graph with short loops over the elements of small arrays written out."""
    return write_out_short_loops(unit.graph, *symbolic_sizes(unit.graph))


def fused(unit: Unit) -> Graph:
    """Return the graph with array code as loops."""
    return unit.graph if unit.transposes else fuse(unit.graph, *symbolic_sizes(unit.graph))


def matrices(unit: Unit) -> Graph:
    """Return the graph with products of a vector and a matrix that is made for them as sums."""
    style = unit.style
    is_left = unit.transposes or style.broadcasts or style.accurate
    return unit.graph if is_left else sum_inside(unit.graph, unit.shapes())


def forwarded(unit: Unit) -> Graph:
    """Return the graph with elements that are set and read at one place as numbers."""
    return unit.graph if unit.transposes else forward_stores(unit.graph)


def powers(unit: Unit) -> Graph:
    """Return the graph with powers as roots and products, which may differ in the last digit."""
    return unit.graph if unit.style.accurate else write_out_powers(unit.graph)


def has_shared_loops(unit: Unit) -> bool:
    """Tell whether nests may share loops: sums change their order, and threads share no rows."""
    style = unit.style
    return not (style.accurate or style.parallel or style.broadcasts or unit.transposes)


def has_lanes(unit: Unit) -> bool:
    """Tell whether iterations may go side by side: it changes the order of sums, and takes memory."""
    return not (unit.style.accurate or unit.style.room or unit.transposes)
