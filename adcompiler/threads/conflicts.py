"""What iterations share that run at once: where they write apart, and where they add to the same."""

from __future__ import annotations

from dataclasses import dataclass

from adcompiler.analysis.dependence import Access, Loops
from adcompiler.analysis.iterations import Iterations, Touched
from adcompiler.analysis.sums import SUM, carried_kinds
from adcompiler.analysis.types import is_array, is_scalar
from adcompiler.graph.nodes import UNDEFINED, Apply, Atom, Effect, For, Literal, Region, Value, type_of
from adcompiler.graph.walk import free, walk, walk_regions

_DISTANCES = (1, 2, 4, 8, 16, 32)


@dataclass(frozen=True)
class Shared:
    """What iterations share that do not depend on each other.

    Attributes:
        private: arrays from outside that any two of them may add to.
        distance: how far apart two iterations are at most that add to one element of any other array.
    """

    private: tuple[Value, ...] = ()
    distance: int = 0


def shared(loop: For, loops: Loops, iterations: Iterations) -> Shared | str:
    """Return what the iterations of a loop share, or why they cannot run at once.

    Args:
        loop: the loop.
        loops: the loops around it, outermost first.
        iterations: what is known of the graph.
    """
    return in_order(loop) or hands_on(loop) or in_memory(loop, loops, iterations)


def in_memory(loop: For, loops: Loops, iterations: Iterations) -> Shared | str:
    """Return what the iterations of a loop share in memory, or why they cannot run at once.

    Arguments are those of `shared`.
    """
    found = iterations.touched(loop, loops)
    if found is None:
        return "what it calls or changes cannot be followed"
    private: set[Atom] = set()
    distance = 0
    for access in found.values():
        if any(not is_array(type_of(array)) for array, *_ in (*access.writes, *access.adds)):
            return "it changes a list"
        for one, two in access.in_order():
            if _clash(one, two, loop, iterations):
                return f"iterations may write elements of '{_name(one)}' that others read or write"
        reach = _reach(access, loop, iterations)
        if reach is not None:
            distance = max(distance, reach)
        elif _are_added_to_only(access, iterations):
            private.update(array for array, *_ in access.adds)
        elif not _writes_what_it_adds_to(access, loop):
            return f"iterations may add to elements of '{_name(access.adds[0])}' that others read or write"
    arrays = _outside(private, loop, iterations)
    return "it hands arrays on that it adds to" if arrays is None else Shared(arrays, distance)


def hands_on(loop: For) -> str:
    """Return a reason if an iteration needs what the one before hands on; nothing if it only adds to it."""
    is_sum = all(kind == SUM for kind in carried_kinds(loop.body))
    return "" if is_sum else "an iteration needs what the one before hands on"


def in_order(loop: For) -> str:
    """Return what of its form keeps a loop in order, whatever it hands on; nothing if it may run at once."""
    if loop.breaks:
        return "it may end early"
    if loop.step not in (Literal(1), Literal(-1)):
        return "its step is not 1"
    if not all(is_scalar(type_of(value)) for value in loop.carried):
        return "it adds up arrays"
    if any(UNDEFINED in inner.yields for inner in walk_regions(loop.body)):
        return "a variable is set in one branch only"
    if not loop.independent and draws(loop.body):
        return "it draws random numbers"
    return ""


def _name(access: Access) -> str:
    return access[0].name if isinstance(access[0], Value) else "?"


def draws(body: Region) -> bool:
    """Tell whether something draws random numbers."""
    return any(isinstance(n, Apply | Effect) and n.fn.startswith("np.random") for n in walk(body))


def is_wanted(loop: For, loops: Loops) -> bool:
    """Tell whether a loop is one to run at once: as the program says, else an outermost one.

    Args:
        loop: the loop.
        loops: the loops around it.
    """
    if loop.independent:
        return True
    inside = (node for node in walk(loop.body) if isinstance(node, For))
    return not loops and not any(node.independent for node in inside)


def _clash(one: Access, two: Access, loop: For, iterations: Iterations) -> bool:
    """Tell whether accesses may meet in different iterations, unless the program says otherwise."""
    if not iterations.dependences.may_clash(one, two, loop):
        return False
    is_known = iterations.dependences.is_known(*one) and iterations.dependences.is_known(*two)
    return is_known or not loop.independent


def _reach(access: Touched, loop: For, iterations: Iterations) -> int | None:
    """Return how far apart iterations are at most that add to one element; None if there is no bound."""
    clash = iterations.dependences.may_clash
    for distance in (0, *_DISTANCES):
        if not any(clash(one, two, loop, distance + 1) for one, two in access.sums()):
            return distance
    return None


def _are_added_to_only(access: Touched, iterations: Iterations) -> bool:
    """Tell whether what a loop adds to are other arrays than those that it reads or writes."""
    others = (*access.reads, *access.writes)
    return all(iterations.dependences.never_meet(one, two) for one in access.adds for two in others)


def _outside(arrays: set[Atom], loop: For, iterations: Iterations) -> tuple[Value, ...] | None:
    """Return the arrays from outside that these are, or are views of; None where that is not known."""
    makers, outside = iterations.dependences.makers, dict.fromkeys(free(loop.body))
    found: dict[Value, None] = {}
    for array in arrays:
        while isinstance(array, Value) and array not in outside:
            if array not in makers:
                return None
            array = makers[array].args[0]
        if isinstance(array, Value):
            found[array] = None
    return tuple(value for value in outside if value in found)


def _writes_what_it_adds_to(access: Touched, loop: For) -> bool:
    """Tell whether a program that says that iterations write apart also adds only where it writes."""
    written = [(array, index) for array, index, _ in access.writes]
    return loop.independent and all((array, index) in written for array, index, _ in access.adds)
