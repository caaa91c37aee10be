"""Expressions: numbers, elements of arrays, sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numba
import numpy as np
from numba.core import types as nt

from adcompiler.c_code.c_lines import Block, Line
from adcompiler.c_code.c_names import Names
from adcompiler.c_code.c_operations import operation
from adcompiler.c_code.c_threads import Iterations
from adcompiler.c_code.c_types import ATOM, BOTH, CHOICE, EITHER, PRODUCT, Term, constant, refused
from adcompiler.graph.kinds import is_array, is_scalar
from adcompiler.graph.nodes import Apply, Atom, Global, If, Literal, Node, Value, type_of
from adcompiler.source import Location

_DATA = (np.ndarray, np.generic, int, float, complex)


@dataclass
class Expressions:
    """Writes expressions of one function.

    Attributes:
        names: its variables.
        makers: what defines each value.
        natural: whole numbers that are zero or more.
        captured: arrays of the program, by their names.
        iterations: what loops do that run at once.
        out: the statements so far.
        returned: the results of calls that have several.
    """

    names: Names
    makers: dict[Value, Node]
    natural: set[Value]
    captured: dict[str, np.ndarray]
    iterations: Iterations
    out: list[Line] = field(default_factory=list)
    returned: dict[Value, list[Term]] = field(default_factory=dict)

    def line(self, text: str) -> None:
        self.out.append(text)

    @contextmanager
    def block(self, header: str, counter: str = "") -> Iterator[None]:
        """Let what follows stand in a block."""
        outer, inner = self.out, Block(header, [], counter)
        outer.append(inner)
        self.out = inner.body
        yield
        self.out = outer

    @contextmanager
    def loops(self, sizes: Sequence[str]) -> Iterator[list[str]]:
        """Let what follows stand in a nest of loops over the elements of arrays."""
        counters = [self.names.fresh("k", "int64_t") for _ in sizes]
        outer = self.out
        for counter, size in zip(counters, sizes, strict=True):
            header = f"for ({counter} = 0; {counter} < {size}; {counter}++)"
            block = Block(header, [], counter)
            self.out.append(block)
            self.out = block.body
        yield counters
        self.out = outer

    def stop_if(self, test: str, status: str) -> None:
        """Leave the function with a status where a test holds."""
        self.line(f"AD_STOP_IF({test}, {status})")

    def term(self, atom: Atom) -> Term:
        """Return a number or an array as an expression."""
        match atom:
            case Literal():
                return constant(atom.value)
            case Global():
                return self.of_global(atom)
            case Value() if atom in self.names.inlined:
                return self.computed(self.makers[atom])
            case _ if atom in self.names.found:
                return Term(self.names.found[atom], nt.unliteral(atom.type))
        raise refused(f"a value of type {atom.type} is one of several")

    def text(self, atom: Atom) -> str:
        return self.term(atom).text

    def of_global(self, atom: Global) -> Term:
        value = atom.value
        if isinstance(value, np.ndarray):
            return Term(self.name_of_data(atom.name, value), nt.Array(_kind_of_dtype(value), value.ndim, "C"))
        if isinstance(value, bool | int | float | complex):
            return constant(value)
        if isinstance(value, np.generic) and value.dtype.kind in "biufc":
            return Term(constant(value.item()).text, _kind_of_dtype(value))
        raise refused(f"'{atom.name}' is a {type(value).__name__}")

    def name_of_data(self, base: str, value: np.ndarray) -> str:
        """Return the name of an array of the program in the file."""
        known = [name for name, other in self.captured.items() if other is value]
        if known:
            return known[0]
        name, k = f"data_{base}", 1
        while name in self.captured:
            k += 1
            name = f"data_{base}_{k}"
        self.captured[name] = value
        return name

    def kind(self, atom: Atom) -> Any:
        """Return the type of an atom."""
        if isinstance(atom, Value):
            return nt.unliteral(atom.type)
        is_data = isinstance(atom, Literal) or isinstance(getattr(atom, "value", None), _DATA)
        return self.term(atom).kind if is_data and not _is_none(atom) else nt.none

    def made(self, atom: Atom) -> Apply | None:
        """Return the primitive that computes an atom."""
        node = self.makers.get(atom) if isinstance(atom, Value) else None
        return node if isinstance(node, Apply) else None

    def computed(self, node: Node) -> Term:
        """Return what a node computes, written in place."""
        if isinstance(node, If):
            return self.choice(node)
        assert isinstance(node, Apply)
        found: Term | None = self.measured(node) or self.element(node)
        if found is None and all(is_scalar(self.kind(arg)) for arg in node.args):
            found = operation(node.fn, [self.term(arg) for arg in node.args], nt.unliteral(node.out.type))
        if found is None:
            raise refused(f"'{node.fn}' is called here", node.loc)
        return found

    def choice(self, node: If) -> Term:
        test, then, orelse = self.term(node.test), node.then.yields[0], node.orelse.yields[0]
        kind = nt.unliteral(node.outs[0].type)
        if isinstance(kind, nt.Boolean) and orelse in (Literal(False), node.test):
            return Term(f"{test.within(BOTH + 1)} && {self.term(then).within(BOTH + 1)}", kind, BOTH)
        if isinstance(kind, nt.Boolean) and then in (Literal(True), node.test):
            return Term(f"{test.within(BOTH + 1)} || {self.term(orelse).within(BOTH + 1)}", kind, EITHER)
        parts = f"{self.term(then).within(EITHER)} : {self.term(orelse).within(CHOICE)}"
        return Term(f"{test.within(EITHER)} ? {parts}", kind, CHOICE)

    def measured(self, node: Apply) -> Term | None:
        """Return a size that a node reads off an array or a tuple."""
        first = node.args[0] if node.args else Literal(None)
        match node.fn:
            case "len":
                return self.sizes(first, node.loc)[0] if is_array(self.kind(first)) else self.length(first)
            case "size" if is_array(self.kind(first)):
                terms = self.sizes(first, node.loc)
                return Term(" * ".join(t.text for t in terms), nt.int64, PRODUCT if len(terms) > 1 else ATOM)
            case "ndim" if is_array(self.kind(first)):
                return constant(self.kind(first).ndim)
            case "getitem" | "nth" if isinstance(self.kind(first), nt.BaseTuple):
                return self.item(node)
            case "thinned" | "next_of_many":
                return self.kept_states(node)
        return None

    def kept_states(self, node: Apply) -> Term:
        """Return a call of what decides which states of a loop are kept."""
        arrays = [f"{self.text(arg)}.data" for arg in node.args if is_array(self.kind(arg))]
        numbers = [self.text(arg) for arg in node.args if not is_array(self.kind(arg))]
        count = self.sizes(node.args[0], node.loc)[0].text
        return Term(f"ad_{node.fn}({', '.join([*arrays, count, *numbers])})", nt.int64)

    def item(self, node: Apply) -> Term:
        """Return an item of a tuple."""
        place = node.args[1]
        if not isinstance(place, Literal):
            raise refused("only the running program knows which item of a tuple is read", node.loc)
        return self.items(node.args[0], node.loc)[int(place.value)]

    def length(self, atom: Atom) -> Term:
        return constant(len(self.items(atom, None)))

    def items(self, atom: Atom, location: Location | None) -> list[Term]:
        """Return the items of a tuple."""
        made = self.made(atom)
        if isinstance(atom, Value) and atom in self.returned:
            return self.returned[atom]
        match made:
            case Apply(fn="add", args=(one, two)) if isinstance(made.out.type, nt.BaseTuple):
                return self.items(one, location) + self.items(two, location)
            case Apply(fn="tuple"):
                return [self.term(item) for item in made.args]
            case Apply(fn="shape"):
                return self.sizes(made.args[0], location)
        if isinstance(atom, Value) and is_scalar(self.kind(atom)):
            return [self.term(atom)]
        if isinstance(atom, Literal):
            return [constant(atom.value)]
        raise refused("a tuple is one of several", location)

    def sizes(self, array: Atom, location: Location | None) -> list[Term]:
        """Return the sizes of the axes of an array."""
        kind = self.kind(array)
        if not is_array(kind):
            raise refused(f"the size of a value of type {kind} is read", location)
        name = self.text(array)
        return [Term(f"{name}.shape[{k}]", nt.int64) for k in range(kind.ndim)]

    def element(self, node: Apply) -> Term | None:
        """Return an element of an array."""
        if node.fn not in ("getitem", "item") or not is_array(self.kind(node.args[0])):
            return None
        array, *index = node.args
        if not is_scalar(node.out.type):
            return None
        kind = self.kind(array)
        if node.fn == "item":
            return Term(f"{self.text(array)}.data[0]", kind.dtype)
        return Term(self.place(array, index), kind.dtype)

    def place(self, array: Atom, index: Sequence[Atom]) -> str:
        """Return the text of an element at an index."""
        return self.at(
            self.text(array), self.kind(array), [self.position(array, k, i) for k, i in enumerate(index)]
        )

    def at(self, name: str, kind: Any, places: Sequence[str]) -> str:
        """Return the text of an element, given its place along each axis.

        Where elements stand without gaps, that is said without strides, so that compilers can see it.
        """
        if kind.layout == "C":
            text = places[0]
            for k, place in enumerate(places[1:], 1):
                left = text if _is_word(text) or (k == 1 and "*" in text and "+" not in text) else f"({text})"
                text = f"{left} * {name}.shape[{k}] + {place}"
            return f"{name}.data[{text}]"
        parts = []
        for k, place in enumerate(places):
            left = place if _is_word(place) else f"({place})"
            parts.append(f"{left} * {name}.strides[{k}]")
        return f"{name}.data[{' + '.join(parts)}]"

    def position(self, array: Atom, axis: int, index: Atom) -> str:
        """Return a place along an axis; those below zero count from its end."""
        size = f"{self.text(array)}.shape[{axis}]"
        if isinstance(index, Literal):
            return str(int(index.value)) if index.value >= 0 else f"{size} - {-index.value}"
        found = self.term(index)
        if self.is_natural(index) or isinstance(found.kind, nt.Boolean):
            return found.text
        return f"ad_wrap({found.text}, {size})"

    def is_natural(self, atom: Atom) -> bool:
        """Tell whether a whole number is known to be zero or more."""
        if isinstance(atom, Literal):
            return bool(atom.value >= 0)
        if atom in self.natural or isinstance(getattr(type_of(atom), "signed", True), bool) is False:
            return True
        made = self.made(atom)
        match made:
            case Apply(fn="len" | "size" | "number_of_parts"):
                return True
            case Apply(fn="getitem") if isinstance(self.kind(made.args[0]), nt.BaseTuple):
                maker = self.made(made.args[0])
                return bool(maker is not None and maker.fn == "shape")
            case Apply(fn="add" | "mul" | "floordiv" | "min"):
                return all(map(self.is_natural, made.args))
            case Apply(fn="max"):
                return any(map(self.is_natural, made.args))
            case Apply(fn="mod"):
                return self.is_natural(made.args[1])
        return False


def _is_word(text: str) -> bool:
    return all(c.isalnum() or c in "_.[]" for c in text)


def _is_none(atom: Atom) -> bool:
    return isinstance(atom, Literal) and atom.value is None


def _kind_of_dtype(value: Any) -> nt.Type:
    return numba.from_dtype(value.dtype)
