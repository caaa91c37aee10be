"""Rows of numbers that are taken out and put back: `np.max(x, axis=1)` in a softmax over rows.

As for single numbers (`shifts.py`), where an array m has one number for each row, and each element of what is
computed depends on one of them. Followed is code on whole arrays: what else reads a value that depends on m
may depend on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from adcompiler.analysis.alias import memory_classes, written_arrays
from adcompiler.analysis.fusible import summed_axes
from adcompiler.analysis.sizes import Shapes
from adcompiler.analysis.types import is_array, is_continuous, rank
from adcompiler.graph.nodes import Apply, Atom, Graph, Literal, Node, Region, Value, entry, type_of
from adcompiler.graph.walk import all_reads, regions, substitute, with_regions
from adcompiler.prepare.shifts import Factor, UnknownError, multiplied, plus, times
from adcompiler.primitives import card

Axes = tuple[int | None, ...]
"""For each of the last axes of an array the axis of m along which it goes; none for the axes before."""


class _Form(NamedTuple):
    """How elements depend on those of m: `a + factor * m`, or `b * exp(factor * m)` where `is_scale`."""

    factor: Factor
    is_scale: bool
    axes: Axes


def without_row_shifts(graph: Graph, shapes: Shapes) -> Graph:
    """Return the graph with derivatives stopped at arrays that cancel.

    Args:
        graph: a typed primal.
        shapes: symbolic shape of every array.
    """
    makers: dict[Value, Apply] = {}
    classes = memory_classes(graph.body)

    def region(body: Region) -> Region:
        makers.update((node.out, node) for node in body.nodes if isinstance(node, Apply))
        nodes = [with_regions(node, tuple(map(region, regions(node)))) for node in body.nodes]
        for place in range(1, len(nodes) + 1):  # `nodes` may grow, behind the place
            node = nodes[place - 1]
            rest = Region((), tuple(nodes[place:]), body.yields)
            if isinstance(node, Apply) and _is_taken_out(node, rest, shapes):
                known = _Known(shapes, makers, classes, {classes.get(a, a) for a in written_arrays(rest)})
                if known.cancels(node.out, rest):
                    fixed = Value(node.out.name, node.out.temporary, node.out.type)
                    shapes[fixed] = shapes[node.out]
                    rest = substitute(rest, {node.out: fixed})
                    nodes[place:] = [Apply(fixed, "stop_gradient", (node.out,), loc=node.loc), *rest.nodes]
                    body = replace(body, yields=rest.yields)
        return replace(body, nodes=tuple(nodes))

    return replace(graph, body=region(graph.body))


def _is_taken_out(made: Apply, rest: Region, shapes: Shapes) -> bool:
    """Tell whether an array, or a view of it, is subtracted from a larger one."""
    m = made.out
    if made.fn == "stop_gradient" or not is_array(m.type) or not is_continuous(m.type) or not shapes.get(m):
        return False
    views = {m}
    for node in rest.nodes:
        if not isinstance(node, Apply):
            continue
        if node.fn == "sub" and node.args[1] in views and shapes.get(node.out, shapes[m]) != shapes[m]:
            return True
        if card(node.fn).is_view and any(arg in views for arg in node.args[:1]):
            views.add(node.out)
    return False


def _of_itself(shape: Sequence[object]) -> _Form:
    axes = _trimmed(tuple(None if size == 1 else k for k, size in enumerate(shape)))
    return _Form(frozenset({((), 1.0)}), False, axes)


def _trimmed(axes: Axes) -> Axes:
    """Return the axes from the first one on that goes along m."""
    first = next((k for k, axis in enumerate(axes) if axis is not None), len(axes))
    return axes[first:]


@dataclass
class _Known:
    """What depends on m.

    Attributes:
        shapes: symbolic shape of every array.
        makers: what computes each value.
        classes: the memory of each array.
        written: the memory that is written behind m.
        forms: of values.
    """

    shapes: Shapes
    makers: Mapping[Value, Apply]
    classes: Mapping[Value, Value]
    written: set[Value]
    forms: dict[Value, _Form] = field(default_factory=dict)

    def cancels(self, m: Value, rest: Region) -> bool:
        """Tell whether nothing that leaves a region depends on m."""
        try:
            self._enter(m, _of_itself(self.shapes[m]))
            for node in rest.nodes:
                self._follow(node)
        except UnknownError:
            return False
        return not any(atom in self.forms for atom in rest.yields)

    def _follow(self, node: Node) -> None:
        if not self.forms.keys() & all_reads(node):
            return
        if not isinstance(node, Apply):
            raise UnknownError
        if card(node.fn).measures or not is_continuous(node.out.type):
            return
        form = self._result(node, [entry(self.forms, atom) for atom in node.args])
        if form is not None and form.factor:
            self._enter(node.out, form)

    def _enter(self, value: Value, form: _Form) -> None:
        if self.classes.get(value, value) in self.written:
            raise UnknownError
        self.forms[value] = form

    def _result(self, node: Apply, forms: list[_Form | None]) -> _Form | None:
        """Return the form of what a primitive makes of arguments of which at least one depends on m."""
        if any(value in self.forms for _, value in node.keywords):
            raise UnknownError
        one, two = (*forms, None, None)[:2]
        match node.fn.split(".")[-1]:
            case "add" | "sub" if len(forms) == 2:
                return _sum(node.fn, one, two)
            case "mul" if len(forms) == 2:
                return _product(node, one, two)
            case "truediv":
                return _quotient(node, one, two)
            case "matmul" | "dot" if one is not None and two is None and one.is_scale:
                return self._weighted(node, one)
            case "neg" if one is not None:
                return one if one.is_scale else one._replace(factor=times(one.factor, -1.0))
            case "exp" if one is not None and not one.is_scale:
                return one._replace(is_scale=True)
            case "log" if one is not None and one.is_scale:
                return one._replace(is_scale=False)
            case "sum" | "mean" if one is not None and (one.is_scale or node.fn == "np.mean"):
                return self._reduced(node, one)
            case "copy" | "pos" if one is not None:
                return one
            case "T" if one is not None:
                return one._replace(axes=_trimmed(self._axes(node.args[0], one)[::-1]))
            case "getitem" if one is not None and not any(forms[1:]):
                return one._replace(axes=_trimmed(self._indexed(node, one)))
            case "reshape" if one is not None:
                return one._replace(axes=_trimmed(self._reshaped(node, one)))
        raise UnknownError

    def _axes(self, atom: Atom, form: _Form) -> Axes:
        """Return the axes of m for all axes of an array."""
        return (None,) * (rank(type_of(atom)) - len(form.axes)) + form.axes

    def _weighted(self, node: Apply, form: _Form) -> _Form:
        """Return the form of a product with a matrix or vector, which adds up along the last axis."""
        axes, others = self._axes(node.args[0], form), rank(type_of(node.args[1]))
        if not axes or axes[-1] is not None or others not in (1, 2) or len(axes) > 2:
            raise UnknownError
        return form._replace(axes=_trimmed((*axes[:-1], *(None,) * (others - 1))))

    def _reduced(self, node: Apply, form: _Form) -> _Form:
        summed, axes = summed_axes(node), self._axes(node.args[0], form)
        if summed is None or any(axes[k] is not None for k in summed):
            raise UnknownError
        return form._replace(axes=_trimmed(tuple(a for k, a in enumerate(axes) if k not in summed)))

    def _indexed(self, node: Apply, form: _Form) -> Axes:
        """Return the axes of a view: whole along those of m, anything along others."""
        axes = list(self._axes(node.args[0], form))
        found: list[int | None] = []
        for atom in node.args[1:]:
            if atom == Literal(None):
                found.append(None)
                continue
            axis = axes.pop(0)
            made = entry(self.makers, atom) if str(type_of(atom)).startswith("slice") else None
            is_whole = made is not None and all(end == Literal(None) for end in made.args)
            if atom == Literal(...) or is_array(type_of(atom)) or (axis is not None and not is_whole):
                raise UnknownError
            if made is not None:
                found.append(axis)
        return (*found, *axes)

    def _reshaped(self, node: Apply, form: _Form) -> Axes:
        """Return the axes of a view that has more or fewer axes of size 1."""
        shapes = [entry(self.shapes, value) or () for value in (node.args[0], node.out)]
        kept = [[size for size in shape if size != 1] for shape in shapes]
        if kept[0] != kept[1] or not kept[0]:
            raise UnknownError
        axes = self._axes(node.args[0], form)
        if any(axis is not None and size == 1 for axis, size in zip(axes, shapes[0], strict=True)):
            raise UnknownError
        own = iter([axis for axis, size in zip(axes, shapes[0], strict=True) if size != 1])
        return tuple(None if size == 1 else next(own) for size in shapes[1])


def _same(one: _Form, two: _Form) -> None:
    if one.axes != two.axes:
        raise UnknownError


def _sum(fn: str, one: _Form | None, two: _Form | None) -> _Form:
    if one is not None and two is not None:
        _same(one, two)
        if one.is_scale or two.is_scale:
            if one != two:
                raise UnknownError
            return one
    found = one or two
    assert found is not None
    if found.is_scale and (one is None or two is None):
        raise UnknownError
    sign = 1.0 if fn == "add" else -1.0
    parts = [form.factor if form is not None else frozenset() for form in (one, two)]
    return found._replace(factor=plus(parts[0], times(parts[1], sign)))


def _product(node: Apply, one: _Form | None, two: _Form | None) -> _Form:
    if one is not None and two is not None:
        _same(one, two)
        if not one.is_scale or not two.is_scale:
            raise UnknownError
        return one._replace(factor=plus(one.factor, two.factor))
    form, other = (one, node.args[1]) if one is not None else (two, node.args[0])
    assert form is not None
    return form if form.is_scale else form._replace(factor=multiplied(form.factor, other, 1))


def _quotient(node: Apply, one: _Form | None, two: _Form | None) -> _Form:
    if two is None:
        assert one is not None
        return one if one.is_scale else one._replace(factor=multiplied(one.factor, node.args[1], -1))
    if not two.is_scale or (one is not None and not one.is_scale):
        raise UnknownError
    if one is not None:
        _same(one, two)
    return two._replace(factor=plus(one.factor if one else frozenset(), times(two.factor, -1.0)))
