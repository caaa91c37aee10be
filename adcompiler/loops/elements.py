"""Single elements of array expressions: which element of which array stands at a place of a view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from adcompiler.analysis.affine import Linear, linear
from adcompiler.analysis.sizes import Axis, Shape, Shapes, Size, form_of
from adcompiler.analysis.types import is_array, is_scalar, rank
from adcompiler.graph.nodes import Apply, Atom, For, Literal, Node, Value, entry, type_of
from adcompiler.primitives import hint


@dataclass(frozen=True)
class Place:
    """An index along one axis: the sum of some atoms, and of the counter of a loop if `loop` is not None."""

    loop: int | None
    offsets: tuple[Atom, ...] = ()


Access = tuple[Atom, tuple[Place, ...]]
"""An array and where it is accessed, as a function of the loop counters."""


@dataclass
class Elements:
    """Finds the elements of arrays.

    Attributes:
        shapes: symbolic shape of every array.
        sizes: what is known of the numbers that are sizes.
        makers: what computes each value.
        counters: the loop of each value that counts iterations.
        stretched: what arrays hold again and again.
    """

    shapes: Shapes
    sizes: Mapping[Value, Size]
    makers: Mapping[Value, Apply]
    counters: Mapping[Value, For]
    stretched: Mapping[Value, Atom] = field(default_factory=dict)

    def of(self, array: Atom, loops: int) -> Access | None:
        """Return where an array is read by the innermost iteration of a nest over the shape of a result.

        Args:
            array: an array that is broadcast to the result.
            loops: number of axes of the result.
        """
        shape = self.shapes.get(array) if isinstance(array, Value) else None
        if shape is None:
            return None
        places = tuple(
            Place(None, (Literal(0),)) if size == 1 else Place(loops - len(shape) + axis)
            for axis, size in enumerate(shape)
        )
        return self.through_views(array, places)

    def part(self, array: Value, index: tuple[Atom, ...], loops: int) -> Access | None:
        """Return where a store to `array[index]` writes."""
        axes = rank(array.type)
        kept = axes - sum(not self.is_slice(atom) for atom in index)
        places = tuple(Place(loops - kept + axis) for axis in range(kept))
        found = self.indexed(index, places, axes)
        return None if found is None else self.through_views(array, found)

    def through_views(self, array: Atom, places: tuple[Place, ...]) -> Access:
        """Follow views to the array that they show, and stretched arrays to what they hold.

        What is not an array is the number that stands everywhere.
        """
        while isinstance(array, Value) and array in self.makers:
            if array in self.stretched:
                array, places = self.before_stretching(array, places)
                continue
            made = self.makers[array]
            source = made.args[0] if made.args else None
            if not isinstance(source, Value) or not is_array(type_of(source)):
                break
            if made.fn == "T":
                array, places = source, places[::-1]
                continue
            found = None
            if made.fn == "getitem":
                found = self.indexed(made.args[1:], places, rank(source.type))
            if found is None:
                break
            array, places = source, found
        return array, places

    def before_stretching(self, array: Value, places: tuple[Place, ...]) -> Access:
        """Return where the element of a stretched array comes from."""
        source = self.stretched[array]
        if not is_array(type_of(source)):
            return source, ()
        own = self.shapes[source] if isinstance(source, Value) else ()
        last = places[len(places) - len(own) :]
        once = Place(None, (Literal(0),))
        return source, tuple(once if size == 1 else place for size, place in zip(own, last, strict=True))

    def indexed(
        self, index: tuple[Atom, ...], places: tuple[Place, ...], axes: int
    ) -> tuple[Place, ...] | None:
        """Return the places in an array, given those in the part that an index picks."""
        found: list[Place] = []
        left = list(places)
        for atom in index:
            if atom == Literal(None):
                left.pop(0)
            elif self.is_slice(atom):
                start = self.start(atom)
                place = left.pop(0)
                if start is None or not (place.loop is not None or self.counts_alike(atom, place)):
                    return None
                offsets = place.offsets if start == Literal(0) else (*place.offsets, start)
                found.append(Place(place.loop, offsets))
            elif (
                isinstance(atom, Literal) and isinstance(atom.value, int) and not isinstance(atom.value, bool)
            ) or is_scalar(type_of(atom)):
                found.append(Place(None, (atom,)))
            else:
                return None
        found += left
        return tuple(found) if len(found) == axes else None

    def counts_alike(self, part: Atom, place: Place) -> bool:
        """Tell whether an index means the same in a slice and in the array from its start on."""
        made = entry(self.makers, part)
        is_whole = made is not None and made.args[:2] == (Literal(None), Literal(None))
        return is_whole or all(map(self.is_counted, place.offsets))

    def is_slice(self, atom: Atom) -> bool:
        return isinstance(atom, Value) and str(type_of(atom)).startswith("slice")

    def start(self, atom: Atom) -> Atom | None:
        """Return where a slice with step 1 begins, None if that may be counted from the end."""
        made = entry(self.makers, atom)
        if made is None or made.fn != "slice" or len(made.args) < 2:
            return None
        if len(made.args) == 3 and made.args[2] not in (Literal(None), Literal(1)):
            return None
        start = made.args[0]
        if start == Literal(None):
            return Literal(0)
        return start if self.is_counted(start) else None

    def offset(self, place: Place) -> Linear | None:
        """Return how far a place lies from the counter of its loop."""
        total = Linear()
        for atom in place.offsets:
            form = linear(atom, self.makers)
            if form is None:
                return None
            total = total + form
        return total

    def in_sizes(self, form: Linear) -> Linear:
        """Return a form in the symbols of sizes."""
        total = Linear({}, form.constant)
        for symbol, factor in form.terms.items():
            size = self.sizes.get(symbol, symbol) if isinstance(symbol, Value) else symbol
            is_size = not isinstance(size, tuple) or hasattr(size, "_fields")
            total = total + factor * (form_of(size) if is_size else Linear({symbol: 1}))
        return total

    def are_apart(self, one: Access, two: Access, shape: Shape) -> bool:
        """Tell whether two parts of one array have no element in common."""
        if one[0] is not two[0] or len(one[1]) != len(two[1]):
            return False
        for left, right in zip(one[1], two[1], strict=True):
            if left.loop != right.loop or not self.count_alike(left, right):
                continue
            offsets = [self.offset(place) for place in (left, right)]
            if offsets[0] is not None and offsets[1] is not None:
                distance = self.in_sizes(offsets[0] - offsets[1])
                size = Linear({}, 1) if left.loop is None else form_of(shape[left.loop])
                if any(self.is_positive(sign * distance - size) for sign in (1, -1)):
                    return True
        return False

    def count_alike(self, one: Place, two: Place) -> bool:
        """Tell whether both of two places are counted from the start, or both from the end."""
        if one.loop is not None:
            return True
        forms = [self.offset(place) for place in (one, two)]
        if all(form is not None and not form.terms and form.constant < 0 for form in forms):
            return True
        return all(map(self.is_counted, (*one.offsets, *two.offsets)))

    def is_positive(self, form: Linear) -> bool:
        return form.constant >= 0 and all(
            factor >= 0 and isinstance(symbol, Axis) for symbol, factor in form.terms.items()
        )

    def is_counted(self, atom: Atom) -> bool:
        """Tell whether an index is known not to be negative."""
        form = linear(atom, self.makers)
        if form is None:
            return False
        least = form.constant
        for symbol, factor in form.terms.items():
            lowest = self.lowest(symbol)
            if lowest is None or factor < 0:
                return False
            least += factor * lowest
        return least >= 0

    def lowest(self, symbol: object) -> int | None:
        """Return a number that a size or the counter of a loop is not below, None if none is known."""
        match entry(self.counters, symbol):
            case For(start=Literal(value=int() as start), step=Literal(value=int() as step)) if step > 0:
                return start
            case For(start=start, step=Literal(value=int() as step)) if step > 0:
                return 0 if self.is_counted(start) else None
            case For(stop=Literal(value=int() as stop), step=Literal(value=-1)):
                return stop + 1
            case For():
                return None
        made = entry(self.makers, symbol)
        base = entry(self.makers, made.args[0]) if made and made.fn == "getitem" else None
        is_size = made is not None and (
            made.fn in ("len", "size") or (base is not None and base.fn == "shape")
        )
        return 0 if is_size else None


def write_index(places: tuple[Place, ...], counters: list[Value], nodes: list[Node]) -> list[Atom]:
    """Append the nodes that compute an index, and return its atoms."""
    index: list[Atom] = []
    for place in places:
        atoms: list[Atom] = [] if place.loop is None else [counters[place.loop]]
        atoms += place.offsets
        total = atoms[0]
        for atom in atoms[1:]:
            out = Value(hint("add"), temporary=True, type=counters[0].type)
            nodes.append(Apply(out, "add", (total, atom)))
            total = out
        index.append(total)
    return index
