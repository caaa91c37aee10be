"""Symbolic shapes: which arrays are known to have the same shape without knowing the sizes.

Sizes are linear forms over the sizes of arguments, so that `a[1:]` and `a[:-1]` are known to be equally long.
Where a program combines arrays whose sizes nothing relates, `x - mu`, one of them may be stretched. With
`Guards`, equality is assumed, and a check that has to stand in the program is noted.
"""

from __future__ import annotations

from adcompiler.analysis.affine import Linear
from adcompiler.analysis.fusible import is_gather
from adcompiler.analysis.known_items import KnownItems, Pushed
from adcompiler.analysis.known_sizes import Cut, Span
from adcompiler.analysis.sizes import (
    Axis,
    Guards,
    Shape,
    Shapes,
    Size,
    Sum,
    arrays_of,
    captured,
    form_of,
    is_symbol,
    size_of,
    size_of_form,
    without_axis,
)
from adcompiler.analysis.stacks_of_arrays import is_item, lists_of_items, loops_of, stacks
from adcompiler.analysis.types import is_array, is_array_atom, is_float, rank
from adcompiler.graph.nodes import (
    UNDEFINED,
    Apply,
    Atom,
    Effect,
    For,
    Graph,
    If,
    Literal,
    Region,
    Store,
    Value,
    While,
    entry,
    type_of,
)
from adcompiler.graph.walk import uses
from adcompiler.primitives import Follows, card


def symbolic_sizes(graph: Graph, guards: Guards | None = None) -> tuple[Shapes, dict[Value, Size]]:
    """Return the shapes of arrays, and what is known of the numbers that are sizes.

    Args:
        graph: the graph.
        guards: where given, filled with the checks that the assumptions made need.
    """
    lists = lists_of_items(graph.body)
    while (reader := _read(graph, guards and guards.begun(), lists)).mixed:
        lists -= reader.mixed
    if guards is not None and reader.guards is not None:
        guards.at, guards.is_conditional = reader.guards.at, reader.guards.is_conditional

    def final(size: Size) -> Size:
        return size_of_form(reader.facts.reduced(form_of(size)))

    if guards is not None:
        guards.drop_implied(reader.facts)
    shapes = {value: tuple(map(final, shape)) for value, shape in reader.shapes.items()}
    sizes = {
        value: tuple(map(final, size)) if isinstance(size, tuple) and not is_symbol(size) else final(size)
        for value, size in reader.sizes.items()
    }
    return shapes, sizes


def _read(graph: Graph, guards: Guards | None, lists: set[Value]) -> _Reader:
    """Follow the shapes, if all items of each of these lists have one shape."""
    reader = _Reader(guards)
    reader.counts = uses(graph.body)
    reader.stacks = stacks(graph.body)
    reader.stack_loops = loops_of(graph.body, reader.stacks)
    reader.lists = lists
    reader.region(graph.body)
    return reader


def symbolic_shapes(graph: Graph) -> Shapes:
    """Return for each array a tuple of sizes: an int, or an object equal where sizes are equal."""
    return symbolic_sizes(graph)[0]


class _Reader(KnownItems):
    """Follows shapes through the program."""

    def region(self, region: Region) -> None:
        self.regions.append(region)
        around, self.node, cuts = self.node, None, len(self.cuts)
        if len(self.regions) == 1:
            self.learn(region.params)
            for position, axis in () if self.guards is None else self.guards.ones:
                self.same(Axis(region.params[position], axis), 1)
        for node in region.nodes:
            self.node = node
            match node:
                case Apply():
                    self.apply(node)
                case Effect() if card(node.fn).relates_sizes:
                    self.check(node)
                case Effect(fn="append", args=(held, item)):
                    self.hold(held, item)
                    self.pushed[node] = Pushed(entry(self.shapes, item), (*self.regions,), node.role)
                case Store():
                    self.store(node)
                case If():
                    self.arms.append(len(self.regions))
                    self.region(node.then)
                    self.region(node.orelse)
                    self.arms.pop()
                    both = zip(self.of(node.then.yields), self.of(node.orelse.yields), strict=True)
                    self.learn(node.outs, [self.common(one, two) for one, two in both])
                case For() | While():
                    self.loop(node)
        self.regions.pop()
        self.node = around
        del self.cuts[cuts:]

    def check(self, node: Effect) -> None:
        """Take over what a check in the program makes sure of, if nothing of it is known further out."""
        one, two = self.number(node.args[0]), self.number(node.args[1])
        if one is None or two is None or self.level(one, two) < len(self.regions) - 1:
            return
        if node.fn == "at_least":
            self.facts.positive.append(one - two)
        else:
            self.facts.equate(one, two, self.depth)

    def loop(self, node: For | While) -> None:
        """Carried arrays keep the shape that they start with, if assuming so is borne out."""
        params = node.carried
        is_missing = [init == UNDEFINED or init in self.undefined for init in node.inits]
        self.undefined |= {param for param, missing in zip(params, is_missing, strict=True) if missing}
        assumed = [None if m else shape for m, shape in zip(is_missing, self.of(node.inits), strict=True)]
        while True:
            facts, guards, bounds = self.facts.copy(), self.guards and self.guards.copy(), [*self.bounds]
            self.regions.append(node.body)
            self.node = None
            self.learn(params, assumed)
            if isinstance(node, For):
                self.learn(node.body.params[:1])
                self.bound(node)
            self.regions.pop()
            self.node = node
            self.region(node.body)
            self.bounds = bounds
            after = self.of(node.next_values)
            if self.guards is not None:
                for one, two in zip(assumed, after, strict=True):
                    self.keep(one or (), two or ())
            kept = [self.common(one, two) for one, two in zip(assumed, after, strict=True)]
            if [one is None for one in kept] == [one is None for one in assumed]:
                break
            assumed, self.facts = kept, facts
            if self.guards is not None:
                self.guards.at = guards  # type: ignore[assignment]
        found = zip(is_missing, assumed, after, strict=True)
        self.learn(node.outs, [last if m and self.is_outer(last or ()) else one for m, one, last in found])

    def bound(self, node: For) -> None:
        """Enter the range of a loop's index, which its name stands for in this loop only."""
        start, stop = self.number(node.start), self.number(node.stop)
        step = node.step.value if isinstance(node.step, Literal) else 0
        if start is None or stop is None or not isinstance(step, int) or step == 0:
            return
        index, (low, high) = node.body.params[0], (start, stop - 1) if step > 0 else (stop + 1, start)
        self.bounds += [Linear({index: 1}) - low, high - Linear({index: 1})]
        self.ranges[index] = low, high

    def store(self, node: Store) -> None:
        """What is stored to a whole array or a part of it is taken to have its shape."""
        self.hold(node.array, node.value)
        value = entry(self.shapes, node.value)
        target: Shape | None = self.shapes.get(node.array)
        part = Value("part")  # no value of the program: what slices of it are is unknown for good
        self.enter(part)
        if node.index and target is not None:
            target = self.indexed(Apply(part, "getitem", (node.array, *node.index)), target)
            self.cuts = [cut for cut in self.cuts if cut.size.array is not part]
        if target is not None:
            self.shapes[node] = target
        if value is None or target is None or self.guards is None:
            return
        for one, two in zip(reversed(target), reversed(value), strict=False):
            if isinstance(one, Axis) and one in self.spans and self.assumes:
                self.unclamped(one)
            if part in arrays_of(size_of_form(self.form(one))) or self.form(two) == Linear({}, 1):
                continue
            if not self.same(one, two):
                self.demand_here("fills", self.form(one), self.form(two))

    def apply(self, node: Apply) -> None:
        self.forget(node.out)
        self.enter(node.out)
        if node.fn == "slice":
            self.slices[node.out] = node.args
        if card(node.fn).follows is Follows.PRODUCT or node.fn == "np.vdot":
            left, right = (self.shapes.get(a) if isinstance(a, Value) else captured(a) for a in node.args)
            if left and right:
                self.fits(left[-1], right[-2] if len(right) > 1 else right[0])
        if node.fn == "max" and node.args[1:] == (Literal(0),):
            form = self.number(node.args[0])
            if form is not None:
                self.extents[node.out] = size_of_form(form)
        if node.fn == "list":
            self.display(node)
            for item in node.args:
                self.hold(node.out, item)
        size = self.size(node)
        if size is not None:
            self.sizes[node.out] = size
        shape = self.shape(node) if is_array(node.out.type) else None
        self.learn([node.out], [shape])

    def size(self, node: Apply) -> Size | None:
        """The symbol of a number that is a size, or integer arithmetic on such, or of a whole shape."""
        first = node.args[0] if node.args else None
        known = self.shapes.get(first) if isinstance(first, Value) else None
        whole = self.sizes.get(first) if isinstance(first, Value) else None
        match node.fn:
            case "getitem" if isinstance(whole, tuple) and isinstance(node.args[1], Literal):
                return None if is_symbol(whole) else whole[node.args[1].value]
            case "len" if known:
                return known[0]
            case "shape" if known:
                return known
            case "size" if known and len(known) == 1:
                return known[0]
            case "tuple":
                return tuple(size_of(atom, self.sizes) for atom in node.args)
            case "add" | "sub" if str(node.out.type).startswith(("int", "uint", "Literal")):
                one, two = self.number(node.args[0]), self.number(node.args[1])
                if one is not None and two is not None:
                    return size_of_form(one + two if node.fn == "add" else one - two)
            case "mul" if str(node.out.type).startswith(("int", "uint", "Literal")):
                forms = [self.number(atom) for atom in node.args]
                for factor, form in (forms, forms[::-1]):
                    if factor is not None and form is not None and not factor.terms:
                        return size_of_form(factor.constant * form)
        return None

    def shape(self, node: Apply) -> Shape | None:
        if (
            is_item(node)
            and node.args[0] in self.lists
            and (held := entry(self.items, node.args[0])) is not None
        ):
            return held
        args = [self.shapes.get(a, ()) if isinstance(a, Value) else captured(a) for a in node.args]
        match card(node.fn).follows:
            case Follows.SAME_SHAPE:
                return args[0]
            case Follows.BROADCAST:
                return self.broadcast(node.out, args, rank(node.out.type))
            case Follows.PRODUCT if args[0] and args[1]:
                return args[0][:-1] + args[1][:-2] + args[1][-1:] if len(args[1]) > 1 else args[0][:-1]
            case Follows.REDUCED:
                return without_axis(node, args[0])
            case Follows.GIVEN:
                known = size_of(node.args[0], self.sizes)
                sizes = known if isinstance(known, tuple) and not is_symbol(known) else (known,)
                return tuple(self.extents.get(size, size) for size in sizes)
        match node.fn:
            case "T":
                return args[0][::-1]
            case "np.transpose":
                return tuple(args[0][k.value] for k in node.args[1:] if isinstance(k, Literal))
            case "np.outer" if len(args[0]) == 1 and len(args[1]) == 1:
                return args[0] + args[1]
            case "getitem" if is_gather(node):
                return next(shape for shape in (*args[1:], ()) if shape)
            case "getitem":
                return self.indexed(node, args[0])
            case "np.eye" | "np.identity" if not node.keywords:
                rows, columns = node.args[0], node.args[-1 if node.fn == "np.eye" else 0]
                return size_of(rows, self.sizes), size_of(columns, self.sizes)
            case "np.array" if len(node.args) == 1:
                return entry(self.displays, node.args[0])
            case "np.arange" if len(node.args) == 1 and not is_float(type_of(node.args[0])):
                return (size_of(node.args[0], self.sizes),)
            case "reshape":
                return self.reshaped(node)
            case "pop" if len(node.args) == 1:
                return self.popped(node.args[0])
        return None

    def reshaped(self, node: Apply) -> Shape | None:
        sizes = [size_of(atom, self.sizes) for atom in node.args[1:]]
        if len(sizes) == 1 and isinstance(sizes[0], tuple) and not is_symbol(sizes[0]):
            sizes = list(sizes[0])
        left = [self.form(size) for size in (entry(self.shapes, node.args[0]) or ())]
        for size in sizes:
            if isinstance(size, int | Axis | Sum | Value) and self.form(size) in left:
                left.remove(self.form(size))
            elif size not in (1, -1):
                left = []
        rest = size_of_form(left[0]) if len(left) == 1 else None
        return tuple((rest or Axis(node.out, k)) if size == -1 else size for k, size in enumerate(sizes))

    def indexed(self, node: Apply, base: Shape) -> Shape | None:
        """Slices keep an axis, integers drop it, None makes one of size 1."""
        kept: list[Size] = []
        indices = list(node.args[1:])
        if Literal(...) in indices or any(is_array_atom(i) for i in indices):
            return None
        axis = 0
        for index in indices:
            if index == Literal(None):
                kept.append(1)
                continue
            if axis == len(base):
                return None
            if isinstance(index, Value) and str(type_of(index)).startswith("slice"):
                kept.append(self.sliced(index, base[axis], Axis(node.out, len(kept))))
            axis += 1
        return (*kept, *base[axis:])

    def sliced(self, index: Value, whole: Size, own: Axis) -> Size:
        """Return the size of a slice: the difference of its bounds if they lie within the array."""
        args = self.slices.get(index, ())
        own = self.cut(args, self.form(whole), own)
        if len(args) == 3 and (every := _strided(args, self.form(whole))) is not None:
            return size_of_form(every)
        if len(args) < 2 or (len(args) == 3 and args[2] not in (Literal(None), Literal(1))):
            return own
        size = self.form(whole)
        first, last = (self.end(atom, size) for atom in args[:2])
        first = first if args[0] != Literal(None) else Linear()
        last = last if args[1] != Literal(None) else size
        if first is None or last is None or not self.is_positive(first):
            return own
        if isinstance(args[1], Literal) and args[1].value is not None and args[1].value < 0:
            return size_of_form(last - first)
        length = last - first
        # the stop of x[: n - 1] is -1 if n is 0: for an array of n elements this makes no difference
        is_forward = args[1] == Literal(None) or self.is_positive(last) or size - last == Linear({}, 1)
        if is_forward and self.is_positive(size - last):
            return size_of_form(length)
        self.spans[own] = Span(length, size, last)
        return own

    def cut(self, args: tuple[Atom, ...], whole: Linear, own: Axis) -> Axis:
        """Return the size of another slice that is cut alike, or note this one."""
        bounds = tuple(None if atom == Literal(None) else self.number(atom) for atom in args)
        if not args or any(form is None and atom != Literal(None) for form, atom in zip(bounds, args)):
            return own
        for other in self.cuts:
            pairs = zip((*other.bounds, other.whole), (*bounds, whole))
            if len(other.bounds) == len(bounds) and all(map(self.are_equal, *zip(*pairs))):
                return other.size
        self.cuts.append(Cut(bounds, whole, own))
        return own

    def are_equal(self, one: Linear | None, two: Linear | None) -> bool:
        if one is None or two is None:
            return one is two
        return self.facts.reduced(one) == self.facts.reduced(two)

    def end(self, atom: Atom, size: Linear) -> Linear | None:
        """Return a bound of a slice, counted from the start; None if it may be counted from the end."""
        form = self.number(atom)
        if form is None:
            return None
        if not form.terms:
            return form if form.constant >= 0 else size + form.constant
        return form

    def broadcast(self, out: Value, args: list[Shape], axes: int) -> Shape:
        result: list[Size] = []
        for axis in range(1, axes + 1):
            sizes = [shape[-axis] for shape in args if len(shape) >= axis]
            for size in set(sizes) if self.assumes and len(set(sizes)) > 1 else ():
                if isinstance(size, Axis) and size in self.spans and not self.spans[size].size.terms:
                    self.unclamped(size)  # `x[:, 0:1]` is a column
            wide = [size for size in sizes if self.form(size) != Linear({}, 1)] or sizes
            unequal = [size for size in wide[1:] if not self.same(wide[0], size)]
            if wide and not unequal:
                result.append(wide[0])
            else:
                result.append(Axis(out, axes - axis))
        return tuple(reversed(result))


def _strided(args: tuple[Atom, ...], whole: Linear) -> Linear | None:
    """Return the size of `x[start:stop:step]`, if that of x is a multiple of the step but for a number.

    Args:
        args: the bounds; only a start that is counted from the beginning, and a stop from the end, are known.
        whole: the size of x.
    """
    start, stop, step = (atom.value if isinstance(atom, Literal) else 0 for atom in args)
    begin, left = start or 0, -stop if stop else 0
    if (
        not isinstance(step, int)
        or step < 2
        or begin < 0
        or left < 0
        or args[1] not in (Literal(stop), Literal(None))
    ):
        return None
    length = whole.constant - begin - left
    if length <= -step or any(factor < 0 or factor % step for factor in whole.terms.values()):
        return None
    return Linear({name: factor // step for name, factor in whole.terms.items()}, -(-length // step))
