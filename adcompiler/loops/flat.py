"""Arrays that hold one number everywhere: where they are combined with others, the number will do."""

from __future__ import annotations

from dataclasses import replace

from numba import complex128, float64

from adcompiler.analysis.alias import shared_memory, written_arrays
from adcompiler.analysis.sizes import Shapes, arrays_of, form_of
from adcompiler.analysis.types import element, is_array, is_complex, is_float
from adcompiler.graph.nodes import Apply, Atom, Graph, Literal, Node, Region, Store, Value, entry, type_of
from adcompiler.graph.walk import map_region, substitute, walk
from adcompiler.prepare.guard import write_form
from adcompiler.primitives import Fill, card, hint

_NUMBERS = {Fill.ZEROS: 0.0, Fill.ONES: 1.0}


def use_numbers(graph: Graph, shapes: Shapes) -> Graph:
    """Return the graph with numbers in the place of arrays that hold nothing else.

    Args:
        graph: the graph.
        shapes: symbolic shape of every array.
    """
    return replace(graph, body=_Flat(graph.body, shapes).body())


class _Flat:
    def __init__(self, body: Region, shapes: Shapes) -> None:
        self.start, self.shapes = body, shapes
        self.classes = shared_memory(body)
        self.written = {self.classes.get(array, array) for array in written_arrays(body)}
        self.makers = {node.out: node for node in walk(body) if isinstance(node, Apply)}
        self.renamed: dict[Value, Atom] = {}

    def body(self) -> Region:
        def rewrite(region: Region) -> Region:
            return replace(region, nodes=tuple(made for node in region.nodes for made in self.simpler(node)))

        return substitute(map_region(self.start, rewrite), self.renamed)

    def number(self, atom: Atom) -> Atom | None:
        """Return the number that an array holds everywhere, None if there is no such number."""
        made = self.makers.get(atom) if isinstance(atom, Value) else None
        kind = type_of(atom)
        if not isinstance(atom, Value) or made is None or element(kind) not in (float64, complex128):
            return None
        if self.classes.get(atom, atom) in self.written:
            return None
        if made.fn == "astype" and isinstance(number := self.number(made.args[0]), Literal):
            return Literal(complex(number.value)) if is_complex(kind) else None
        if is_complex(kind):
            return None
        if made.fn in ("np.full", "np.full_like"):
            return made.args[1]
        return Literal(_NUMBERS[fill]) if (fill := card(made.fn).allocates) in _NUMBERS else None

    def simpler(self, node: Node) -> list[Node]:
        match node:
            case Apply(fn="add", args=(Value() as blank, value)) if self.is_filled(node, blank, value):
                return [self.full(node, self.makers[blank], value)]
            case Apply(fn="copy", args=(Value() as array,)) if self.number(array) is not None:
                return [replace(self.makers[array], out=node.out)]
            case Apply(fn="np.sum", args=(array,), keywords=()) if (number := self.number(array)) is not None:
                return self.total(node, array, number)
            case Apply() if card(node.fn).is_elementwise and is_array(node.out.type):
                return [self.with_numbers(node)]
            case Store() if self.has_shape(node.value, self.shapes.get(node)):
                number = self.number(node.value)
                return [node if number is None else replace(node, value=number)]
        return [node]

    def total(self, node: Apply, array: Atom, number: Atom) -> list[Node]:
        """Return what sums an array: the number times the size, where that is one of the arguments'."""
        (size,) = shape if len(shape := (entry(self.shapes, array) or ())) == 1 else (None,)
        if size is None or not set(self.start.params).issuperset(arrays_of(size)):
            return [node]
        nodes: list[Node] = []
        count = write_form(form_of(size), nodes)
        return [*nodes, replace(node, fn="mul", args=(number, count))]

    def with_numbers(self, node: Apply) -> Apply:
        """Read numbers instead of arrays, where another operand has the shape of the result."""
        shape, args = self.shapes.get(node.out), [*node.args]
        for position, atom in enumerate(args):
            others = [other for k, other in enumerate(args) if k != position]
            number = self.number(atom)
            if number is not None and any(self.has_shape(other, shape) for other in others):
                args[position] = number
        return replace(node, args=tuple(args))

    def has_shape(self, atom: Atom, shape: object) -> bool:
        return (
            shape is not None
            and isinstance(atom, Value)
            and atom in self.shapes
            and self.shapes[atom] == shape
        )

    def is_filled(self, node: Apply, blank: Atom, value: Atom) -> bool:
        """Tell whether a node adds a number to zeros like an array of its own type."""
        made = self.makers.get(blank) if isinstance(blank, Value) else None
        if made is None or made.fn != "np.zeros_like" or self.number(blank) is None:
            return False
        is_number = isinstance(value, Literal) or is_float(type_of(value))
        return is_number and made.out.type == node.out.type

    def full(self, node: Apply, zeros: Apply, value: Atom) -> Apply:
        """Return what makes an array like another one, with a number everywhere."""
        fn = "np.ones_like" if value == Literal(1.0) else "np.full_like"
        name = node.out if not node.out.temporary else Value(hint(fn).removesuffix("_like"), temporary=True)
        name.type = node.out.type
        if node.out in self.shapes:
            self.shapes[name] = self.shapes[node.out]
        if name is not node.out:
            self.renamed[node.out] = name
        args = zeros.args[:1] if fn == "np.ones_like" else (zeros.args[0], value)
        self.makers[node.out] = made = replace(node, out=name, fn=fn, args=args)
        return made
