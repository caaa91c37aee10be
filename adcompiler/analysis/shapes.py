"""Symbolic shapes: which arrays are known to have the same shape without knowing the sizes."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from itertools import zip_longest
from typing import NamedTuple

from adcompiler.analysis.types import Types, is_array, rank
from adcompiler.graph.nodes import Apply, Atom, For, Graph, If, Literal, Region, Value, While


class Axis(NamedTuple):
    """The size of an array along an axis."""

    array: Value
    axis: int


Shape = tuple[object, ...]
Shapes = dict[Value, Shape]


def symbolic_sizes(
    graph: Graph, types: Types, elementwise: Container[str]
) -> tuple[Shapes, dict[Value, object]]:
    """Return the shapes of arrays, and what is known of the numbers that are sizes."""
    reader = _Reader(types, elementwise)
    reader.learn(graph.body.params)
    reader.region(graph.body)
    return reader.shapes, reader.sizes


def symbolic_shapes(graph: Graph, types: Types, elementwise: Container[str]) -> Shapes:
    """Return for each array a tuple of sizes: an int, or an object equal where sizes are equal."""
    return symbolic_sizes(graph, types, elementwise)[0]


class _Reader:
    """Follows shapes through the program; `sizes` holds what numbers and tuples are known to be sizes."""

    def __init__(self, types: Types, elementwise: Container[str]) -> None:
        self.types, self.elementwise = types, elementwise
        self.shapes: Shapes = {}
        self.sizes: dict[Value, object] = {}

    def learn(self, values: Iterable[Value], known: Iterable[Shape | None] = ()) -> None:
        """Enter shapes of values, unknown sizes where nothing is known."""
        for value, shape in zip_longest(values, known):
            if is_array(self.types.get(value)):
                unknown = _unknown(value, self.types)
                self.shapes[value] = shape if shape and len(shape) == len(unknown) else unknown

    def of(self, atoms: Iterable[Atom]) -> list[Shape | None]:
        return [self.shapes.get(atom) if isinstance(atom, Value) else None for atom in atoms]

    def region(self, region: Region) -> None:
        for node in region.nodes:
            match node:
                case Apply():
                    size = _size(node, self.shapes, self.sizes)
                    if size is not None:
                        self.sizes[node.out] = size
                    shape = None
                    if is_array(self.types.get(node.out)):
                        shape = _shape(node, self.shapes, self.sizes, self.types, self.elementwise)
                    self.learn([node.out], [shape])
                case If():
                    self.region(node.then)
                    self.region(node.orelse)
                    both = zip(self.of(node.then.yields), self.of(node.orelse.yields), strict=True)
                    self.learn(node.outs, [one if one == two else None for one, two in both])
                case For() | While():
                    self.loop(node)

    def loop(self, node: For | While) -> None:
        """Carried arrays keep the shape that they start with, if assuming so is borne out."""
        params = node.body.params[isinstance(node, For) :]
        assumed = self.of(node.inits)
        while True:
            self.learn(params, assumed)
            self.region(node.body)
            after = self.of(node.body.yields[node.breaks :])
            kept = [one if one == two else None for one, two in zip(assumed, after, strict=True)]
            if kept == assumed:
                break
            assumed = kept
        self.learn(node.outs, assumed)


def _unknown(value: Value, types: Types) -> Shape:
    return tuple(Axis(value, axis) for axis in range(rank(types[value])))


def _size(node: Apply, shapes: Shapes, sizes: dict[Value, object]) -> object:
    """The symbol of a scalar that is a size, `len(x)` or `x.shape[k]`, or of a whole shape."""
    first = node.args[0] if node.args else None
    whole = sizes.get(first) if isinstance(first, Value) else None
    if node.fn == "getitem" and isinstance(whole, tuple) and isinstance(node.args[1], Literal):
        return whole[node.args[1].value]  # type: ignore[call-overload]
    if node.fn == "len" and first in shapes:
        return shapes[first][0]  # type: ignore[index]
    if node.fn == "shape" and first in shapes:
        return shapes[first]  # type: ignore[index]
    if node.fn == "tuple":
        return tuple(size_of(atom, sizes) for atom in node.args)
    return None


def size_of(atom: Atom, sizes: Mapping[Value, object]) -> object:
    """Return the symbol of a size: a number, the axis of an array, or the value itself."""
    return atom.value if isinstance(atom, Literal) else sizes.get(atom, atom)  # type: ignore[arg-type, call-overload]


def _shape(
    node: Apply, shapes: Shapes, sizes: dict[Value, object], types: Types, elementwise: Container[str]
) -> Shape | None:
    args = [shapes.get(a, ()) if isinstance(a, Value) else () for a in node.args]
    if node.fn in elementwise or node.fn in ("copy", "astype"):
        used = args[:1] if node.fn in ("copy", "astype") else args
        return _broadcast(node.out, used, rank(types[node.out]))
    match node.fn:
        case "np.zeros_like" | "np.ones_like" | "np.empty_like" | "np.full_like":
            return args[0]
        case "T":
            return args[0][::-1]
        case "matmul" | "np.dot" if args[0] and args[1]:
            left, right = args[0][:-1], args[1]
            return left + right[1:]
        case "np.outer" if len(args[0]) == 1 and len(args[1]) == 1:
            return args[0] + args[1]
        case "getitem":
            return _indexed(node, args[0], types)
        case "np.zeros" | "np.ones" | "np.empty" | "np.full":
            return _allocated(node.args[0], sizes)
    return None


def _allocated(size: Atom, sizes: dict[Value, object]) -> Shape | None:
    known = size_of(size, sizes)
    return known if isinstance(known, tuple) and not isinstance(known, Axis) else (known,)


def _indexed(node: Apply, base: Shape, types: Types) -> Shape | None:
    """Full slices keep an axis, integers drop it."""
    kept: list[object] = []
    indices = list(node.args[1:])
    if Literal(...) in indices or any(isinstance(i, Value) and is_array(types.get(i)) for i in indices):
        return None
    for axis in range(len(base)):
        index = indices[axis] if axis < len(indices) else None
        if index is None:
            kept.append(base[axis])
        elif isinstance(index, Value) and str(types.get(index)).startswith("slice"):
            kept.append(Axis(node.out, axis))
        elif index == Literal(None):
            return None
    return tuple(kept)


def _broadcast(out: Value, args: list[Shape], rank: int) -> Shape:
    result: list[object] = []
    for axis in range(1, rank + 1):
        sizes = {shape[-axis] for shape in args if len(shape) >= axis}
        if len(sizes) > 1:
            sizes.discard(1)
        result.append(sizes.pop() if len(sizes) == 1 else Axis(out, rank - axis))
    return tuple(reversed(result))
