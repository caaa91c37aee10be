"""Names for values that have none of their own: an element is named after its array, and so on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from adcompiler.graph.nodes import Apply, Atom, Global, Literal, Node, Region, Store, Value, entry
from adcompiler.graph.walk import walk
from adcompiler.primitives import hint

_LONGEST = 24
_ITEMS = tuple(f"{prefix}{hint('getitem')}" for prefix in ("", "d_", "t_"))
_PART = "part"
_QUOTIENTS = (hint("truediv"), "reciprocal")
_MAXIMA = ("max", hint("max"))


def better_names(
    body: Region, makers: Mapping[Value, Node], counters: Mapping[Value, str] = MappingProxyType({})
) -> dict[Value, str]:
    """Return names for temporary values of a graph's body that say more than the operator that makes them.

    Args:
        body: the body.
        makers: what defines each value.
        counters: names of counters that are not their own.

    >>> i, item, y = Value("i"), Value("item", temporary=True), Value("y")
    >>> made = Apply(item, "getitem", (y, i))
    >>> better_names(Region((y, i), (made,), (item,)), {item: made})
    {%item: 'y_i'}
    """
    hints = _Hints(makers, counters)
    for node in walk(body):
        if isinstance(node, Apply) and node.out.temporary:
            hints.add(node.out, hints.made(node))
        elif isinstance(node, Store) and isinstance(node.value, Value) and node.value.temporary:
            hints.add(node.value, hints.stored(node))
    return hints.found


@dataclass
class _Hints:
    makers: Mapping[Value, Node]
    counters: Mapping[Value, str]
    found: dict[Value, str] = field(default_factory=dict)

    def add(self, value: Value, name: str | None) -> None:
        if name and value in self.makers:
            self.found.setdefault(value, name)

    def made(self, node: Apply) -> str | None:
        """Name a value after what computes it."""
        if node.fn == "getitem" and node.out.name in _ITEMS:
            return self.element(node.args[0], node.args[1:])
        if node.fn == "copy" and node.out.name == hint("copy"):
            return node.args[0].name if isinstance(node.args[0], Value) else None
        is_quotient = node.fn == "truediv" and node.out.name in _QUOTIENTS
        if is_quotient and node.args[0] in (Literal(1), Literal(1.0)):
            return self.derived("inv_{}", node.args[1])
        is_square = node.fn == "mul" and node.args[0] is node.args[1]
        if (is_square or node.args[1:] == (Literal(2),)) and node.out.name == hint(node.fn):
            return self.derived("{}_squared", node.args[0]) if node.fn in ("mul", "pow") else None
        is_count = node.fn == "max" and node.args[1:] == (Literal(0),) and node.out.name in _MAXIMA
        return "count" if is_count else None

    def derived(self, pattern: str, atom: Atom) -> str | None:
        """Name a value after another one that has a name of its own."""
        if not isinstance(atom, Value) or (atom.temporary and atom not in self.found):
            return None
        name = pattern.format(self.found.get(atom, atom.name))
        return name if len(name) <= _LONGEST else None

    def stored(self, store: Store) -> str | None:
        """Name a number after the element of an array that it becomes."""
        made = entry(self.makers, store.value)
        value, array = store.value, store.array
        assert isinstance(value, Value)
        is_blank = value.name == array.name or (isinstance(made, Apply) and value.name == hint(made.fn))
        if store.accumulate or not is_blank or array.name.endswith("_tape"):
            return None
        return self.element(array, store.index)

    def element(self, array: Atom, index: Iterable[Atom]) -> str | None:
        """Name an element after its array and its place: `x_i`, `x_0`, or `x_ip1` for `x[i + 1]`."""
        if isinstance(array, Global):  # a constant, which may be written in capitals
            base = array.name.rpartition(".")[2].lower()
        elif isinstance(array, Value) and array.name != hint("getitem"):
            base = self.found.get(array, array.name)
        else:
            return None
        places = [self.place(atom) for atom in index]
        if base.endswith("_tape"):  # the first indices are those of the loops
            base, places = base.removesuffix("_tape").removesuffix("_then"), places[-1:]
        parts = [place for place in places if place and place != _PART]
        parts += [_PART] if _PART in places else []
        name = "_".join([base, *parts])
        return name if places and None not in places and len(name) <= _LONGEST else None

    def place(self, atom: Atom) -> str | None:
        if isinstance(atom, Literal):
            return str(atom.value) if str(atom.value).isdigit() else None
        if not isinstance(atom, Value):
            return None
        if not atom.temporary:
            return self.counters.get(atom, atom.name)
        made = self.makers.get(atom)
        if isinstance(made, Apply) and made.fn == "slice":
            return _PART
        if isinstance(made, Apply) and made.fn == "getitem":
            return None if atom.name == hint("getitem") else atom.name
        if not isinstance(made, Apply) or made.fn not in ("add", "sub"):
            return None
        base, offset = made.args
        if not isinstance(base, Value) or base.temporary or not isinstance(offset, Literal):
            return None
        return f"{self.counters.get(base, base.name)}{'p' if made.fn == 'add' else 'm'}{offset.value}"
