"""The sizes of what lists hold: of stacks that loops fill and empty, and of lists whose items are alike."""

from __future__ import annotations

from collections import Counter
from itertools import takewhile
from typing import NamedTuple

from adcompiler.analysis.affine import Linear
from adcompiler.analysis.known_sizes import KnownSizes
from adcompiler.analysis.sizes import Axis, Guards, Shape, size_of_form
from adcompiler.analysis.types import is_array, is_array_atom, is_scalar, rank
from adcompiler.graph.nodes import Apply, Atom, Effect, For, Literal, Region, Role, Value, entry, type_of


class Pushed(NamedTuple):
    """The shape of an array that is pushed on a stack, and the regions in which this happens."""

    shape: Shape | None
    regions: tuple[Region, ...] = ()
    role: Role = Role.PRIMAL


class KnownItems(KnownSizes):
    """What is known of sizes, those of the items of lists among them.

    Attributes:
        displays: the shapes of lists that are written out and read once.
        lists: those whose items are taken to have one shape; it stands in items.
        mixed: those of them whose items turned out to have several.
        stacks: what is pushed on each stack.
        stack_loops: the loop that fills a stack, and the one that empties it.
        pushed: the shape of what has been pushed.
    """

    def __init__(self, guards: Guards | None) -> None:
        super().__init__(guards)
        self.counts: Counter[Value] = Counter()
        self.displays: dict[Value, Shape] = {}
        self.stacks: dict[Value, list[Effect]] = {}
        self.stack_loops: dict[Value, tuple[For, For]] = {}
        self.pushed: dict[Effect, Pushed] = {}
        self.lists: set[Value] = set()
        self.items: dict[Value, Shape] = {}
        self.mixed: set[Value] = set()

    def forget(self, value: Value) -> None:
        """Forget what is known of a value from an earlier look at the loop around, when more was assumed."""
        self.sizes.pop(value, None)
        self.extents.pop(value, None)
        self.displays.pop(value, None)
        for axis in range(rank(value.type) if is_array(value.type) else 0):
            self.spans.pop(Axis(value, axis), None)

    def display(self, node: Apply) -> None:
        """Note the shape of a list that is written out and read once, so that nothing makes it longer."""
        parts = {entry(self.displays, atom) for atom in node.args}
        if len(parts) == 1 and self.counts[node.out] == 1:
            inner = parts.pop()
            if inner is not None or all(is_scalar(type_of(a)) or isinstance(a, Literal) for a in node.args):
                self.displays[node.out] = (len(node.args), *(inner or ()))

    def hold(self, held: Atom, item: Atom) -> None:
        """Note what is put into a list: all of its items have one shape, or none is known."""
        if not isinstance(held, Value) or held not in self.lists or not is_array_atom(item):
            return
        shape = entry(self.shapes, item)
        home, _ = self.depth(held)
        is_known = shape is not None and self.level(*map(self.form, shape)) <= home
        first = self.items.setdefault(held, shape or ())
        if is_known and self.guards is not None and home < len(self.regions) - 1 and not self.arms:
            self.keep(first, shape or ())  # what a loop puts in after its own items
        if not is_known or self.common(first, shape) is None:
            self.mixed.add(held)

    def popped(self, stack: Atom) -> Shape | None:
        """Return the shape of all arrays that are pushed on a stack, if they have one that it tells."""
        found = [self.pushed.get(push, Pushed(None)) for push in entry(self.stacks, stack) or ()]
        first = found[0].shape if found else None
        if first is None or any(self.common(first, other.shape) is None for other in found[1:]):
            return None
        home = min(max(self.depth(stack)[0], self.shared(push)) for push in found)
        there, here = self.reversed_index(stack) or (None, None)
        forms = [self.form(size) for size in first]
        outer = (Linear({s: f for s, f in form.terms.items() if s is not there}) for form in forms)
        if self.level(*outer) > home:
            return None
        return tuple(size_of_form(form.renamed(lambda s: here if s is there else s)) for form in forms)

    def shared(self, push: Pushed) -> int:
        """Return the depth of the innermost region in which a tape is filled and emptied alike."""
        pairs = zip(push.regions, self.regions) if push.role is Role.TAPE else ()
        return sum(1 for _ in takewhile(lambda pair: pair[0] is pair[1], pairs)) - 1

    def reversed_index(self, stack: Atom) -> tuple[Value, Value] | None:
        """Return the index of the loop that fills a stack, and that of the one that empties it."""
        pair = entry(self.stack_loops, stack)
        if pair is None or (pair[0].step, pair[1].step) != (Literal(1), Literal(-1)):
            return None
        ends = [self.number(end) for loop in pair for end in (loop.start, loop.stop)]
        if ends[0] is None or ends[1] is None or [ends[1] - 1, ends[0] - 1] != ends[2:]:
            return None
        return pair[0].body.params[0], pair[1].body.params[0]
