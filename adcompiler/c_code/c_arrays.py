"""Arrays: new ones, views, and what is computed element by element."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from numba.core import types as nt

from adcompiler.c_code.c_expressions import Expressions
from adcompiler.c_code.c_lines import words
from adcompiler.c_code.c_operations import operation
from adcompiler.c_code.c_types import PRODUCT, UNARY, Term, array_type, cast, constant, refused
from adcompiler.graph.kinds import is_array, is_scalar
from adcompiler.graph.nodes import Apply, Atom, Literal, Store, Value
from adcompiler.primitives import Fill, card
from adcompiler.source import Location


class Arrays(Expressions):
    """Writes statements that make arrays."""

    def new(self, name: str, kind: Any, sizes: Sequence[str], zero: bool = False) -> None:
        """Let a variable be a new array; what it held before is given up, but its sizes may be read."""
        struct = array_type(kind)
        self.line(f"ad_drop({name}.owner)")
        self.line(f"{name} = new_{struct}({', '.join([str(int(zero)), *sizes])})")
        self.stop_if(f"{name}.data == NULL", "AD_MEMORY")

    def temporary(self, kind: Any) -> str:
        """Return a new variable for an array."""
        return self.names.fresh("t", array_type(kind))

    def move(self, target: str, source: str) -> None:
        """Hand an array over from one variable to another."""
        self.line(f"ad_drop({target}.owner)")
        self.line(f"{target} = {source}")
        self.line(f"{source}.owner = NULL")

    def target(self, node: Apply, make: Callable[[str], None]) -> None:
        """Make what a node computes: under another name first where it reads what its own name means."""
        name = self.names.found[node.out]
        kind = nt.unliteral(node.out.type)
        reads = set().union(*(words(self.text(arg)) for arg in self.numeric(node.args)))
        if name not in reads:
            make(name)
            return
        other = self.temporary(kind)
        make(other)
        self.move(name, other)

    def numeric(self, args: Sequence[Atom]) -> list[Atom]:
        """Return the numbers and arrays among arguments, those in tuples too."""
        found: list[Atom] = []
        for arg in args:
            if not isinstance(arg, Value):
                continue
            made = self.made(arg)
            if is_scalar(self.kind(arg)) or is_array(self.kind(arg)):
                found.append(arg)
            elif made is not None:
                found += self.numeric(made.args)
        return found

    def allocated(self, node: Apply) -> None:
        """Write `np.zeros(shape)` and its like."""
        known = card(node.fn)
        is_like = node.fn.endswith("_like")
        first = node.args[0]
        terms = self.sizes(first, node.loc) if is_like else self.items(first, node.loc)
        kind = nt.unliteral(node.out.type)

        def make(name: str) -> None:
            self.new(name, kind, [t.text for t in terms], known.allocates is Fill.ZEROS)
            if known.allocates in (Fill.ONES, Fill.VALUE):
                value = constant(1) if known.allocates is Fill.ONES else self.term(node.args[1])
                self.filled(name, kind, value)

        self.target(node, make)

    def filled(self, name: str, kind: Any, value: Term) -> None:
        with self.loops([f"{name}.shape[{k}]" for k in range(kind.ndim)]) as places:
            self.line(f"{self.at(name, kind, places)} = {value.text}")

    def copied(self, node: Apply) -> None:
        """Write a copy of an array, in C order."""
        self.elementwise(node, lambda terms: cast(terms[0], nt.unliteral(node.out.type).dtype), node.args[:1])

    def elementwise(
        self, node: Apply, compute: Callable[[list[Term]], Term | None], args: Sequence[Atom]
    ) -> None:
        """Write an array whose elements are computed from those of others."""
        kind = nt.unliteral(node.out.type)

        def make(name: str) -> None:
            sizes = self.stretched_sizes(args, kind.ndim)
            self.new(name, kind, sizes)
            with self.loops(sizes) as places:
                found = compute([self.element_of(arg, places, args) for arg in args])
                if found is None:
                    raise refused(f"'{node.fn}' of arrays is called here", node.loc)
                self.line(f"{self.at(name, nt.Array(kind.dtype, kind.ndim, 'C'), places)} = {found.text}")

        self.target(node, make)

    def stretched_sizes(self, args: Sequence[Atom], rank: int) -> list[str]:
        """Return the sizes that arrays are stretched to, and check that they can be."""
        arrays = [arg for arg in args if is_array(self.kind(arg))]
        if len(arrays) == 1:
            return [t.text for t in self.sizes(arrays[0], None)]
        sizes = []
        for axis in range(rank):
            size = self.names.fresh("size", "int64_t")
            found = [
                f"{self.text(arg)}.shape[{axis - rank + self.kind(arg).ndim}]"
                for arg in arrays
                if axis - rank + self.kind(arg).ndim >= 0
            ]
            self.line(f"{size} = {found[0]}")
            for other in found[1:]:
                self.line(f"{size} = {size} == 1 ? {other} : {size}")
            if len(found) > 1:
                tests = [f"({other} != {size} && {other} != 1)" for other in found]
                self.stop_if(" || ".join(tests), "AD_SIZE")
            sizes.append(size)
        return sizes

    def element_of(self, arg: Atom, places: Sequence[str], args: Sequence[Atom]) -> Term:
        """Return the element of an array that meets others at some place."""
        if not is_array(self.kind(arg)):
            return self.term(arg)
        kind, name = self.kind(arg), self.text(arg)
        own = places[len(places) - kind.ndim :]
        if sum(is_array(self.kind(other)) for other in args) == 1:
            return Term(self.at(name, kind, own), kind.dtype)
        parts = [
            f"(k_{k} * {name}.strides[{k}])".replace(f"k_{k}", f"({name}.shape[{k}] == 1 ? 0 : {place})")
            for k, place in enumerate(own)
        ]
        return Term(f"{name}.data[{' + '.join(parts)}]", kind.dtype)

    def operation_on_arrays(self, node: Apply) -> None:
        kind = nt.unliteral(node.out.type)
        self.elementwise(node, lambda terms: operation(node.fn, terms, kind.dtype), node.args)

    def view(self, name: str, array: Atom, index: Sequence[Atom], location: Location | None) -> None:
        """Let a variable be a view of an array at an index of numbers, slices and None."""
        base, kind = self.text(array), self.kind(array)
        offsets: list[str] = []
        axes: list[tuple[str, str]] = []
        axis = 0
        for part in index:
            if part == Literal(None):
                axes.append(("1", "0"))
                continue
            made = self.made(part)
            if made is not None and made.fn == "slice":
                axes.append(self.sliced(base, axis, made, offsets))
            elif is_scalar(self.kind(part)):
                offsets.append(_times(self.position(array, axis, part), f"{base}.strides[{axis}]"))
            else:
                raise refused("an array is indexed with an array", location)
            axis += 1
        axes += [(f"{base}.shape[{k}]", f"{base}.strides[{k}]") for k in range(axis, kind.ndim)]
        self.show(name, base, offsets, axes)

    def sliced(self, base: str, axis: int, made: Apply, offsets: list[str]) -> tuple[str, str]:
        """Return size and stride of what a slice picks of an axis."""
        size, stride = f"{base}.shape[{axis}]", f"{base}.strides[{axis}]"
        start, stop, step = (*made.args, Literal(None), Literal(None))[:3]
        if all(bound == Literal(None) for bound in (start, stop)) and step in (Literal(None), Literal(1)):
            return size, stride
        texts = ["AD_NONE" if bound == Literal(None) else self.text(bound) for bound in (start, stop)]
        step_text = "1" if step == Literal(None) else self.text(step)
        part = self.names.fresh("part", "ad_range")
        self.line(f"{part} = ad_slice({size}, {texts[0]}, {texts[1]}, {step_text})")
        offsets.append(f"{part}.first * {stride}")
        return f"{part}.count", stride if step_text == "1" else f"{part}.step * {stride}"

    def show(self, name: str, base: str, offsets: Sequence[str], axes: Sequence[tuple[str, str]]) -> None:
        """Let a variable be a view with an offset, and a size and a stride for each axis."""
        self.line(f"ad_hold({base}.owner)")
        self.line(f"ad_drop({name}.owner)")
        data = " + ".join([f"{base}.data", *offsets])
        sizes, strides = ", ".join(size for size, _ in axes), ", ".join(stride for _, stride in axes)
        struct = self.names.variables[name]
        self.line(f"{name} = ({struct}){{{data}, {{{sizes}}}, {{{strides}}}, {base}.owner}}")

    def permuted(self, node: Apply, order: Sequence[int]) -> None:
        """Write `a.T`, or another order of the axes."""
        base = self.text(node.args[0])

        def make(name: str) -> None:
            self.show(name, base, [], [(f"{base}.shape[{k}]", f"{base}.strides[{k}]") for k in order])

        self.target(node, make)

    def reshaped(self, node: Apply) -> None:
        """Write `reshape` and `ravel`: the same elements in C order, those of a copy where they have gaps."""
        array, kind = node.args[0], nt.unliteral(node.out.type)
        base, source = self.text(array), self.kind(array)
        terms = self.items(node.args[1], node.loc) if len(node.args) > 1 else []
        total = " * ".join(t.within(UNARY) for t in self.sizes(array, node.loc))

        def make(name: str) -> None:
            held = base
            if source.layout != "C" or node.fn == "flatten":
                held = self.temporary(source)
                self.plain_or_copied(held, base, source, node.fn == "flatten")
            sizes = [t.text for t in terms] or [total]
            if "-1" in sizes:
                others = " * ".join(s for s in sizes if s != "-1") or "1"
                sizes = [f"{total} / ({others})" if s == "-1" else s for s in sizes]
            self.stop_if(f"{' * '.join(f'({s})' for s in sizes)} != {total}", "AD_SIZE")
            strides = [" * ".join(f"({s})" for s in sizes[k + 1 :]) or "1" for k in range(kind.ndim)]
            self.show(name, held, [], list(zip(sizes, strides, strict=True)))

        self.target(node, make)

    def plain_or_copied(self, held: str, base: str, kind: Any, always: bool) -> None:
        """Let a variable be an array if its elements have no gaps, else a copy of it."""
        struct, sizes = array_type(kind), [f"{base}.shape[{k}]" for k in range(kind.ndim)]
        plain = nt.Array(kind.dtype, kind.ndim, "C")
        test = "1" if always else f"!is_plain_{struct}({base})"
        with self.block(f"if ({test})"):
            self.new(held, plain, sizes)
            with self.loops(sizes) as places:
                self.line(f"{self.at(held, plain, places)} = {self.at(base, _gaps(kind), places)}")
        with self.block("else"):
            self.line(f"ad_hold({base}.owner)")
            self.line(f"ad_drop({held}.owner)")
            self.line(f"{held} = {base}")

    def stored(self, node: Store) -> None:
        """Write `a[index] = value` and `a[index] += value`."""
        kind, sign = self.kind(node.array), "+=" if node.accumulate else "="
        if not is_array(kind):
            raise refused(f"a value of type {kind} is written", node.loc)
        index = node.index
        if len(index) == kind.ndim and all(is_scalar(self.kind(i)) for i in index):
            value = self.term(node.value)
            text = value.text
            if node.accumulate and text.startswith("-") and value.level >= PRODUCT:
                sign, text = "-=", text[1:]
            self.line(f"{self.place(node.array, index)} {sign} {text}")
            return
        if any(is_array(self.kind(i)) for i in index if isinstance(i, Value) and self.kind(i) is not nt.none):
            raise refused("an array is written at indices in an array", node.loc)
        rank = kind.ndim - sum(is_scalar(self.kind(i)) for i in index if i != Literal(None))
        name, view = self.text(node.array), kind
        if index:
            view = nt.Array(kind.dtype, rank + sum(i == Literal(None) for i in index), "A")
            name = self.temporary(view)
            self.view(name, node.array, index, node.loc)
        self.assign_elements(name, view, node.value, sign)

    def assign_elements(self, name: str, view: Any, value: Atom, sign: str) -> None:
        """Write all elements of an array; what may share memory with it is copied before."""
        sizes = [f"{name}.shape[{k}]" for k in range(view.ndim)]
        kind = self.kind(value)
        if not is_array(kind):
            term = self.term(value)
            with self.loops(sizes) as places:
                self.line(f"{self.at(name, view, places)} {sign} {term.text}")
            return
        source = self.text(value)
        own = [f"{source}.shape[{k}]" for k in range(kind.ndim)]
        offset = view.ndim - kind.ndim
        tests = [f"({s} != {sizes[k + offset]} && {s} != 1)" for k, s in enumerate(own)]
        self.stop_if(" || ".join(tests), "AD_SIZE")
        if not self.is_fresh(value):
            plain = nt.Array(kind.dtype, kind.ndim, "C")
            held = self.temporary(plain)
            self.new(held, plain, own)
            with self.loops(own) as places:
                self.line(f"{self.at(held, plain, places)} = {self.at(source, kind, places)}")
            source, kind = held, plain
        with self.loops(sizes) as places:
            picked = [f"({source}.shape[{k}] == 1 ? 0 : {p})" for k, p in enumerate(places[offset:])]
            self.line(f"{self.at(name, view, places)} {sign} {self.at(source, kind, picked)}")

    def is_fresh(self, value: Atom) -> bool:
        """Tell whether an array was made for this use: it shares memory with no other."""
        made = self.made(value)
        return (
            made is not None
            and made.out.temporary
            and not card(made.fn).is_view
            and not card(made.fn).is_call
        )


def _times(one: str, other: str) -> str:
    is_word = all(c.isalnum() or c in "_.[]()," for c in one.replace(", ", ","))
    return f"{one} * {other}" if is_word else f"({one}) * {other}"


def _gaps(kind: Any) -> Any:
    return nt.Array(kind.dtype, kind.ndim, "A")
