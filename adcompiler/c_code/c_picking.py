"""Elements picked by index arrays and masks, and arrays put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numba.core import types as nt

from adcompiler.c_code.c_reductions import Reductions
from adcompiler.c_code.c_types import Term, refused
from adcompiler.graph.kinds import is_array
from adcompiler.graph.nodes import Apply, Atom, Literal


class Picking(Reductions):
    """Writes statements that pick elements at places which only the running program knows."""

    def picked_elements(self, node: Apply) -> bool:
        """Write `a[index]` for an index array along the first axis, or a mask; tell whether it is one."""
        array, *index = node.args
        if isinstance(self.kind(array), nt.BaseTuple):
            name, item = self.names.found[node.out], self.item(node).text
            self.line(f"ad_hold({item}.owner)")
            self.line(f"ad_drop({name}.owner)")
            self.line(f"{name} = {item}")
            return True
        if not any(is_array(self.kind(part)) for part in index):
            return False
        mask = self.kind(index[0])
        if len(index) > 1 or mask.ndim > 1:
            raise refused("an array is indexed with several arrays, or with a matrix", node.loc)
        if isinstance(mask.dtype, nt.Boolean):
            self.masked(node)
        else:
            self.gathered(node)
        return True

    def gathered(self, node: Apply) -> None:
        """Write the rows of an array at the places in an index array."""
        array, index = node.args
        kind, source = nt.unliteral(node.out.type), self.kind(array)
        base, places = self.text(array), self.text(index)

        def make(name: str) -> None:
            rest = [f"{base}.shape[{k}]" for k in range(1, source.ndim)]
            self.new(name, kind, [f"{places}.shape[0]", *rest])
            place = self.names.fresh("place", "int64_t")
            with self.loops([f"{places}.shape[0]"]) as (k,):
                self.line(f"{place} = (int64_t){self.at(places, self.kind(index), [k])}")
                size = f"{base}.shape[0]"
                self.stop_if(f"{place} >= {size} || {place} < -{size}", "AD_INDEX")
                with self.loops(rest) as others:
                    found = self.at(base, source, [f"ad_wrap({place}, {size})", *others])
                    self.line(f"{self.at(name, kind, [k, *others])} = {found}")

        self.target(node, make)

    def masked(self, node: Apply) -> None:
        """Write the rows of an array where a mask holds."""
        array, mask = node.args
        kind, source = nt.unliteral(node.out.type), self.kind(array)
        base, test = self.text(array), self.text(mask)
        self.stop_if(f"{test}.shape[0] != {base}.shape[0]", "AD_SIZE")

        def make(name: str) -> None:
            rest = [f"{base}.shape[{k}]" for k in range(1, source.ndim)]
            count = self.counted(mask)
            self.new(name, kind, [count, *rest])
            self.line(f"{count} = 0")
            with self.loops([f"{test}.shape[0]"]) as (k,), self.block(f"if ({self.holds(mask, k)})"):
                with self.loops(rest) as others:
                    found = self.at(base, source, [k, *others])
                    self.line(f"{self.at(name, kind, [count, *others])} = {found}")
                self.line(f"{count}++")

        self.target(node, make)

    def holds(self, mask: Atom, place: str) -> str:
        return self.at(self.text(mask), self.kind(mask), [place])

    def counted(self, mask: Atom) -> str:
        """Return a variable that holds how often a mask holds."""
        count = self.names.fresh("count", "int64_t")
        self.line(f"{count} = 0")
        with self.loops([f"{self.text(mask)}.shape[0]"]) as (k,):
            self.line(f"{count} += {self.holds(mask, k)} != 0")
        return count

    def nonzero(self, node: Apply) -> None:
        """Write `np.nonzero(mask)` of a vector."""
        mask, kind = node.args[0], nt.Array(nt.int64, 1, "C")
        if self.kind(mask).ndim != 1:
            raise refused("'np.nonzero' of a matrix is called here", node.loc)
        count, name = self.counted(mask), self.names.fresh("places", "i64_array1")
        self.new(name, kind, [count])
        self.line(f"{count} = 0")
        with self.loops([f"{self.text(mask)}.shape[0]"]) as (k,), self.block(f"if ({self.holds(mask, k)})"):
            self.line(f"{self.at(name, kind, [count])} = {k}")
            self.line(f"{count}++")
        self.returned[node.out] = [Term(name, kind)]

    def concatenated(self, node: Apply) -> None:
        """Write `np.concatenate((a, b, …))` along the first axis."""
        axis = dict(node.keywords).get("axis", Literal(0))
        kinds = [self.kind(arg) for arg in node.args]
        if axis != Literal(0) or not all(map(is_array, kinds)):
            raise refused("arrays are put together along another axis than the first", node.loc)
        names, kind = [self.text(arg) for arg in node.args], nt.unliteral(node.out.type)

        def make(name: str) -> None:
            rest = [f"{names[0]}.shape[{k}]" for k in range(1, kind.ndim)]
            for other in names[1:]:
                for k, size in enumerate(rest, 1):
                    self.stop_if(f"{other}.shape[{k}] != {size}", "AD_SIZE")
            self.new(name, kind, [" + ".join(f"{other}.shape[0]" for other in names), *rest])
            for number, (other, source) in enumerate(zip(names, kinds, strict=True)):
                before = [f"{earlier}.shape[0]" for earlier in names[:number]]
                self.put_part(name, kind, other, source, before)

        self.target(node, make)

    def put_part(self, name: str, kind: Any, other: str, source: Any, before: Sequence[str]) -> None:
        """Write an array to its place among the rows of a larger one."""
        with self.loops([f"{other}.shape[{k}]" for k in range(source.ndim)]) as places:
            row = " + ".join([*before, places[0]])
            first = f"({row})" if before else row
            self.line(f"{self.at(name, kind, [first, *places[1:]])} = {self.at(other, source, places)}")

    def normed(self, node: Apply) -> bool:
        """Write `np.linalg.norm(a)` and `np.trace(a)`; tell whether it is one of them."""
        array, total = node.args[0], self.names.found[node.out]
        kind = self.kind(array)
        if len(node.args) > 1 or node.keywords or not is_array(kind) or isinstance(kind.dtype, nt.Complex):
            return False
        sizes = [f"{self.text(array)}.shape[{k}]" for k in range(kind.ndim)]
        match node.fn:
            case "np.linalg.norm":
                self.line(f"{total} = 0")
                with self.loops(sizes) as places:
                    item = self.at(self.text(array), kind, places)
                    self.line(f"{total} += {item} * {item}")
                self.line(f"{total} = sqrt({total})")
            case "np.trace" if kind.ndim == 2:
                self.line(f"{total} = 0")
                with self.loops([f"ad_min_i64({sizes[0]}, {sizes[1]})"]) as (k,):
                    self.line(f"{total} += {self.at(self.text(array), kind, [k, k])}")
            case _:
                return False
        return True
