"""Sums, extrema and products of arrays, as loops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from numba.core import types as nt

from adcompiler.c_code.c_arrays import Arrays
from adcompiler.c_code.c_types import UNARY, Term, constant, number_type, refused, short_name
from adcompiler.graph.kinds import is_array
from adcompiler.graph.nodes import Apply, Atom, Literal


class Reductions(Arrays):
    """Writes statements that make numbers of arrays, and products."""

    def reduced(self, node: Apply) -> bool:
        """Write a reduction of a whole array; tell whether it is one."""
        array = node.args[0]
        if node.keywords or len(node.args) > 1 or not is_array(self.kind(array)):
            return False
        kind = nt.unliteral(node.out.type)
        total = self.names.found[node.out]
        match node.fn.removeprefix("np."):
            case "sum" | "mean":
                self.folded(total, array, constant(0), "+=")
                self.divided(total, array, node.fn == "np.mean")
            case "prod":
                self.folded(total, array, constant(1), "*=")
            case "max" | "min" | "any" | "all" | "argmax" | "argmin" as name:
                self.picked(name, total, array, kind)
            case "var" | "std" as name:
                self.variance(total, array, kind, name == "std")
            case _:
                return False
        return True

    def folded(self, total: str, array: Atom, start: Term, sign: str) -> None:
        self.line(f"{total} = {start.text}")
        with self.loops([t.text for t in self.sizes(array, None)]) as places:
            self.line(f"{total} {sign} {self.at(self.text(array), self.kind(array), places)}")

    def divided(self, total: str, array: Atom, is_mean: bool) -> None:
        if is_mean:
            count = " * ".join(t.text for t in self.sizes(array, None))
            self.line(f"{total} /= (double)({count})")

    def variance(self, total: str, array: Atom, kind: nt.Type, has_root: bool) -> None:
        mean = self.names.fresh("mean", "double")
        self.folded(mean, array, constant(0), "+=")
        self.divided(mean, array, True)
        self.line(f"{total} = 0")
        with self.loops([t.text for t in self.sizes(array, None)]) as places:
            item = f"({self.at(self.text(array), self.kind(array), places)} - {mean})"
            self.line(f"{total} += {item} * {item}")
        self.divided(total, array, True)
        if has_root:
            self.line(f"{total} = sqrt({total})")

    def picked(self, name: str, total: str, array: Atom, kind: nt.Type) -> None:
        """Write what looks at one element after the other."""
        source, text = self.kind(array), self.text(array)
        sizes = [t.text for t in self.sizes(array, None)]
        if name in ("any", "all"):
            self.line(f"{total} = {'false' if name == 'any' else 'true'}")
            with self.loops(sizes) as places:
                sign = "||" if name == "any" else "&&"
                self.line(f"{total} = {total} {sign} {self.at(text, source, places)} != 0")
            return
        if name.startswith("arg") and source.ndim > 1:
            raise refused(f"'np.{name}' of several axes is called here")
        best = self.names.fresh("best", number_of(source)) if name.startswith("arg") else total
        self.stop_if(f"{' * '.join(sizes)} == 0", "AD_SIZE")
        self.line(f"{best} = {text}.data[0]")
        if best != total:
            self.line(f"{total} = 0")
        sign = ">" if name.endswith("max") else "<"
        with self.loops(sizes) as places:
            item = self.at(text, source, places)
            if best == total:
                self.line(f"{best} = {item} {sign} {best} || {item} != {item} ? {item} : {best}")
            else:
                with self.block(f"if ({item} {sign} {best})"):
                    self.line(f"{best} = {item}")
                    self.line(f"{total} = {places[0]}")

    def summed_along(self, node: Apply) -> None:
        """Write `np.sum(a, axis=k)`."""
        array = node.args[0]
        axis = node.args[1] if len(node.args) > 1 else dict(node.keywords).get("axis")
        if not isinstance(axis, Literal) or not isinstance(axis.value, int) or len(node.keywords) > 1:
            raise refused(
                f"'{node.fn}' is called here with an axis that only the running program knows", node.loc
            )
        source, kind = self.kind(array), nt.unliteral(node.out.type)
        gone = axis.value % source.ndim
        sizes = [t.text for t in self.sizes(array, node.loc)]

        def make(name: str) -> None:
            self.new(name, kind, sizes[:gone] + sizes[gone + 1 :], zero=True)
            with self.loops(sizes) as places:
                kept = places[:gone] + places[gone + 1 :]
                self.line(f"{self.at(name, kind, kept)} += {self.at(self.text(array), source, places)}")

        self.target(node, make)

    def product(self, node: Apply) -> None:
        """Write `a @ b`."""
        one, two = node.args
        kinds = self.kind(one), self.kind(two)
        ranks = tuple(kind.ndim for kind in kinds)
        if max(ranks) > 2:
            raise refused("a product of stacks of matrices is formed here", node.loc)
        last = f"{self.text(one)}.shape[{ranks[0] - 1}]"
        self.stop_if(f"{last} != {self.text(two)}.shape[0]", "AD_SIZE")
        if ranks == (1, 1):
            total = self.names.found[node.out]
            self.line(f"{total} = 0")
            with self.loops([last]) as place:
                one_item = self.at(self.text(one), kinds[0], place)
                self.line(f"{total} += {one_item} * {self.at(self.text(two), kinds[1], place)}")
            return
        is_float = isinstance(kinds[0].dtype, nt.Float) and kinds[0].dtype == kinds[1].dtype
        if ranks == (2, 2) and is_float:
            self.target(node, lambda name: self.product_of_matrices(name, node))
        else:
            self.target(node, lambda name: self.product_of(name, node, ranks))

    def product_of_matrices(self, name: str, node: Apply) -> None:
        kind = nt.unliteral(node.out.type)
        one, two = map(self.text, node.args)
        self.new(name, kind, [f"{one}.shape[0]", f"{two}.shape[1]"], zero=True)
        self.line(f"ad_matmul_{short_name(kind.dtype)}({name}, {one}, {two})")

    def product_of(self, name: str, node: Apply, ranks: tuple[int, ...]) -> None:
        """Write a product in the order in which the second factor stands in memory."""
        one, two = node.args
        a, b, kind = self.kind(one), self.kind(two), nt.unliteral(node.out.type)
        rows = [f"{self.text(one)}.shape[0]"] if ranks[0] == 2 else []
        columns = [f"{self.text(two)}.shape[1]"] if ranks[1] == 2 else []
        inner = [f"{self.text(two)}.shape[0]"]
        is_by_rows = ranks[1] == 2 and b.layout != "F"
        self.new(name, kind, rows + columns, zero=is_by_rows)

        def factors(i: Sequence[str], j: Sequence[str], k: Sequence[str]) -> str:
            return f"{self.at(self.text(one), a, [*i, *k])} * {self.at(self.text(two), b, [*k, *j])}"

        if is_by_rows:
            with self.loops(rows + inner + columns) as places:
                i, k, j = places[: len(rows)], places[len(rows) : len(rows) + 1], places[len(rows) + 1 :]
                self.line(f"{self.at(name, kind, [*i, *j])} += {factors(i, j, k)}")
            return
        total = self.names.fresh("total", number_of(kind))
        with self.loops(rows + columns) as places:
            i, j = places[: len(rows)], places[len(rows) :]
            self.line(f"{total} = 0")
            with self.loops(inner) as k:
                self.line(f"{total} += {factors(i, j, k)}")
            self.line(f"{self.at(name, kind, places)} = {total}")

    def outer(self, node: Apply) -> None:
        """Write `np.outer(a, b)`."""
        one, two = node.args
        kind = nt.unliteral(node.out.type)
        if self.kind(one).ndim != 1 or self.kind(two).ndim != 1:
            raise refused("'np.outer' of matrices is called here", node.loc)

        def make(name: str) -> None:
            sizes = [f"{self.text(one)}.shape[0]", f"{self.text(two)}.shape[0]"]
            self.new(name, kind, sizes)
            with self.loops(sizes) as (i, j):
                left, right = (
                    self.at(self.text(one), self.kind(one), [i]),
                    self.at(self.text(two), self.kind(two), [j]),
                )
                self.line(f"{self.at(name, kind, [i, j])} = {left} * {right}")

        self.target(node, make)

    def filled_by_place(self, node: Apply, sizes: Sequence[str], value: Callable[[list[str]], str]) -> None:
        """Write an array whose elements follow from their places."""
        kind = nt.unliteral(node.out.type)

        def make(name: str) -> None:
            self.new(name, kind, sizes)
            with self.loops(sizes) as places:
                self.line(f"{self.at(name, kind, places)} = {value(places)}")

        self.target(node, make)

    def made_by_place(self, node: Apply) -> bool:
        """Write `np.arange`, `np.eye`, `np.linspace` and `np.cumsum`; tell whether it is one of them."""
        terms = [self.term(arg) for arg in node.args if not is_array(self.kind(arg)) and arg != Literal(None)]
        match node.fn:
            case "np.arange" if len(terms) <= 2 and all(isinstance(t.kind, nt.Integer) for t in terms):
                start = terms[0].within(UNARY) if len(terms) == 2 else "0"
                size = (
                    f"ad_max_i64({terms[-1].text} - {start}, 0)"
                    if len(terms) == 2
                    else f"ad_max_i64({terms[0].text}, 0)"
                )
                self.filled_by_place(node, [size], lambda p: p[0] if start == "0" else f"{start} + {p[0]}")
            case "np.arange" if 1 <= len(terms) <= 3 and not node.keywords:
                first = terms[0].within(UNARY) if len(terms) > 1 else "0"
                step = terms[2].within(UNARY) if len(terms) == 3 else "1"
                last = terms[min(len(terms), 2) - 1].within(UNARY)
                count = f"ad_max_i64((int64_t)ceil((double)({last} - {first}) / {step}), 0)"
                self.filled_by_place(node, [count], lambda p: f"{first} + {p[0]} * {step}")
            case "np.eye" | "np.identity" if len(terms) <= 2 and all(
                isinstance(t.kind, nt.Integer) for t in terms
            ):
                sizes = [terms[0].text, terms[-1].text]
                self.filled_by_place(node, sizes, lambda p: f"{p[0]} == {p[1]} ? 1 : 0")
            case "np.linspace" if len(terms) == 3:
                one, two, count = (t.within(UNARY) for t in terms)
                step = f"({two} - {one}) / ad_max_i64({count} - 1, 1)"
                self.filled_by_place(node, [count], lambda p: f"{one} + {p[0]} * ({step})")
            case "np.cumsum" if self.kind(node.args[0]).ndim == 1 and not terms and not node.keywords:
                total = self.names.fresh("total", number_of(nt.unliteral(node.out.type)))
                self.line(f"{total} = 0")
                array = node.args[0]
                item = lambda p: f"{total} += {self.at(self.text(array), self.kind(array), p)}"  # noqa: E731
                self.filled_by_place(node, [f"{self.text(array)}.shape[0]"], item)
            case _:
                return False
        return True

    def summed_to(self, node: Apply) -> None:
        """Write `sum_to(d, shape)`: what stretching an array is reversed by."""
        array, shape = node.args
        kind, source = nt.unliteral(node.out.type), self.kind(array)
        sizes = [t.text for t in self.items(shape, node.loc)]

        def make(name: str) -> None:
            self.new(name, kind, sizes, zero=True)
            with self.loops([t.text for t in self.sizes(array, node.loc)]) as places:
                kept = [f"({name}.shape[{k}] == 1 ? 0 : {p})" for k, p in enumerate(places)]
                self.line(f"{self.at(name, kind, kept)} += {self.at(self.text(array), source, places)}")

        if source.ndim != len(sizes):
            raise refused("an adjoint is summed over axes", node.loc)
        self.target(node, make)


def number_of(kind: Any) -> str:
    """Return the C type of the elements of an array."""
    return number_type(kind.dtype if is_array(kind) else kind)
