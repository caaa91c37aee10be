"""What is taken out of a formula and put back has no derivative: the maximum in `m + log(sum(exp(x - m)))`.

A value that depends on a number m as `a + c * m` is shifted by it, one that depends on it as `b * exp(c * m)`
is scaled. Sums, products, exponentials and logarithms turn the one into the other. Where c = 0 for all that
leaves the region of m, the derivative by m is zero, whatever m is; a gradient would compute that zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from adcompiler.analysis.alias import memory_classes, written_by
from adcompiler.analysis.types import is_array, is_continuous, is_scalar
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    Effect,
    For,
    Graph,
    If,
    Literal,
    Node,
    Region,
    Store,
    Value,
    While,
    type_of,
)
from adcompiler.graph.walk import defined, regions, results, substitute, with_regions
from adcompiler.primitives import card

Factor = frozenset[tuple[tuple[tuple[Atom, int], ...], float]]
"""What m is multiplied by: coefficients of products of powers of numbers that do not depend on m."""


class _Form(NamedTuple):
    """How a value depends on m: `a + factor * m`, or `b * exp(factor * m)` where `is_scale`."""

    factor: Factor
    is_scale: bool


class UnknownError(Exception):
    """A value depends on m in another way."""


def without_shifts(graph: Graph) -> Graph:
    """Return the graph with derivatives stopped at numbers that cancel.

    Args:
        graph: a typed primal.
    """
    classes = memory_classes(graph.body)

    def region(body: Region) -> Region:
        nodes = [with_regions(node, tuple(map(region, regions(node)))) for node in body.nodes]
        for place in range(1, len(nodes) + 1):  # `nodes` may grow, behind the place
            node = nodes[place - 1]
            for m in results(node):
                rest = Region((), tuple(nodes[place:]), body.yields)
                if _is_taken_out(m, node, rest) and _cancels(m, rest, classes):
                    fixed = Value(m.name, m.temporary, m.type)
                    rest = substitute(rest, {m: fixed})
                    nodes[place:] = [Apply(fixed, "stop_gradient", (m,), loc=node.loc), *rest.nodes]
                    body = replace(body, yields=rest.yields)
        return replace(body, nodes=tuple(nodes))

    return replace(graph, body=region(graph.body))


def _is_taken_out(m: Value, node: Node, rest: Region) -> bool:
    """Tell whether a number comes from several values, and is subtracted from something."""
    is_reduced = isinstance(node, Apply) and bool(node.args) and is_array(type_of(node.args[0]))
    if not (is_reduced or isinstance(node, For)) or not is_scalar(m.type):
        return False
    return is_continuous(m.type) and any(_subtracts(part, m) for part in rest.nodes)


def _subtracts(node: Node, m: Value) -> bool:
    if isinstance(node, Apply):
        return node.fn == "sub" and node.args[1] is m
    return any(_subtracts(part, m) for inner in regions(node) for part in inner.nodes)


def _cancels(m: Value, rest: Region, classes: Mapping[Value, Value]) -> bool:
    """Tell whether nothing that leaves a region depends on a number."""
    known = _Known(classes, {m: _Form(frozenset({((), 1.0)}), False)})
    try:
        _follow(rest, known)
    except UnknownError:
        return False
    return not any(known.form(atom) for atom in rest.yields)


@dataclass
class _Known:
    """What depends on m.

    Attributes:
        classes: the memory of each array.
        forms: of values, and of all elements of the memory of arrays.
        fresh: arrays made behind m, with what they are filled with.
        zeros: what loops carry that begins with zero, while nothing else is known of it.
        inner: what loops and branches define, which may be another number each time.
    """

    classes: Mapping[Value, Value]
    forms: dict[Value, _Form]
    fresh: dict[Value, str] = field(default_factory=dict)
    zeros: set[Value] = field(default_factory=set)
    inner: set[Value] = field(default_factory=set)

    def key(self, value: Value) -> Value:
        return self.classes.get(value, value) if is_array(value.type) else value

    def form(self, atom: Atom) -> _Form | None:
        return self.forms.get(self.key(atom)) if isinstance(atom, Value) else None

    def is_zero(self, atom: Atom) -> bool:
        return atom == Literal(0.0) or atom in self.zeros

    def multiplied(self, factor: Factor, atom: Atom, power: int) -> Factor:
        """Return a factor times a power of a number that stays the same."""
        if atom in self.inner:
            raise UnknownError
        return multiplied(factor, atom, power)

    def enter(self, value: Value, form: _Form | None) -> None:
        if form is not None and form.factor:
            key = self.key(value)
            if self.forms.setdefault(key, form) != form:
                raise UnknownError


def _follow(region: Region, known: _Known) -> None:
    for node in region.nodes:
        match node:
            case Apply():
                _apply(node, known)
            case Store():
                _store(node, known)
            case If():
                for arm in regions(node):
                    known.inner |= {*defined(arm)}
                    _follow(arm, known)
                for out, *ends in zip(node.outs, node.then.yields, node.orelse.yields, strict=True):
                    known.enter(out, _joined(ends[0], ends[1], known))
            case For() | While():
                _loop(node, known)
            case Effect():
                _spoil(node, known)
                if not card(node.fn).is_guard and any(known.form(atom) for atom in node.args):
                    raise UnknownError


def _joined(one: Atom, two: Atom, known: _Known) -> _Form | None:
    """Return the form that two values have, one of which may be zero."""
    forms = known.form(one), known.form(two)
    for atom, form in ((one, forms[1]), (two, forms[0])):
        if known.is_zero(atom) and form is not None and form.is_scale:
            return form
    if forms[0] != forms[1]:
        raise UnknownError
    return forms[0]


def _loop(node: For | While, known: _Known) -> None:
    """Values that a loop carries keep their form; a sum may begin with zero."""
    zeros = {param for param, init in zip(node.carried, node.inits, strict=True) if init == Literal(0.0)}
    for param, init in zip(node.carried, node.inits, strict=True):
        known.enter(param, known.form(init))
    known.zeros |= zeros
    known.inner |= {*defined(node.body)}
    for _ in range(2):  # what an iteration finds out holds for the ones before, too
        if isinstance(node, While):
            _follow(node.cond, known)
        _follow(node.body, known)
        for param, last in zip(node.carried, node.next_values, strict=True):
            form = known.form(last)
            if form is not None and form.is_scale and param in known.zeros:
                known.enter(param, form)
            elif form != known.form(param):
                raise UnknownError
        known.zeros -= zeros
    for out, param in zip(node.outs, node.carried, strict=True):
        known.enter(out, known.form(param))


def _store(node: Store, known: _Known) -> None:
    """All elements of an array that is made behind m have one form; unwritten ones may be zero or nothing."""
    form, own = known.form(node.value), known.form(node.array)
    if form is None and node.value == Literal(0.0) and (own is None or own.is_scale):
        return
    if form is None and own is None:
        known.fresh.pop(known.key(node.array), None)
        return
    filled = known.fresh.get(known.key(node.array))
    is_free = filled == "np.empty" or (filled == "np.zeros" and form is not None and form.is_scale)
    if not is_free or form is None or (node.accumulate and not form.is_scale):
        raise UnknownError
    known.enter(node.array, form)


def _spoil(node: Node, known: _Known) -> None:
    """An array that something else writes holds no longer what it was filled with."""
    for array in written_by(node):
        known.fresh.pop(known.key(array), None)
        if known.form(array) is not None:
            raise UnknownError


def _apply(node: Apply, known: _Known) -> None:
    name = node.fn.removesuffix("_like")
    if name in ("np.empty", "np.zeros"):
        known.fresh[known.key(node.out)] = name
        return
    forms = [known.form(atom) for atom in node.args]
    _spoil(node, known)
    is_whole = (is_scalar(node.out.type) or is_array(node.out.type)) and not is_continuous(node.out.type)
    if not any(forms) or is_whole or card(node.fn).measures:
        return
    known.enter(node.out, _result(node, forms, known))


def _result(node: Apply, forms: list[_Form | None], known: _Known) -> _Form | None:
    """Return the form of what a primitive makes of arguments of which at least one depends on m."""
    first, second = (*forms, None)[:2]
    match node.fn.split(".")[-1]:
        case "add" | "sub" if len(forms) == 2:
            return _sum(node, first, second, known)
        case "mul" | "matmul" | "dot" if len(forms) == 2:
            return _product(node, first, second, known)
        case "truediv":
            return _quotient(node, first, second, known)
        case "neg" if first is not None:
            return first if first.is_scale else _Form(times(first.factor, -1.0), False)
        case "exp" if first is not None and not first.is_scale:
            return _Form(first.factor, True)
        case "log" if first is not None and first.is_scale:
            return _Form(first.factor, False)
        case "square" | "sqrt" if first is not None and first.is_scale:
            return _Form(times(first.factor, 2.0 if node.fn.endswith("square") else 0.5), True)
        case "sum" if first is not None and first.is_scale:
            return first
        case "mean" | "pos" | "copy" | "float" | "float64":
            return first
    is_part = card(node.fn).is_view and not any(forms[1:])
    if not is_part and node.fn != "stop_gradient":
        raise UnknownError
    return first if is_part else None


def _sum(node: Apply, one: _Form | None, two: _Form | None, known: _Known) -> _Form:
    sign = 1.0 if node.fn == "add" else -1.0
    if any(form.is_scale for form in (one, two) if form is not None):
        if one is not None and (one == two or known.is_zero(node.args[1])):
            return one
        if two is None or not known.is_zero(node.args[0]):
            raise UnknownError
        return two
    factors = [form.factor if form else frozenset() for form in (one, two)]
    return _Form(plus(factors[0], times(factors[1], sign)), False)


def _product(node: Apply, one: _Form | None, two: _Form | None, known: _Known) -> _Form:
    if one is not None and two is not None:
        if not one.is_scale or not two.is_scale or node.fn != "mul":
            raise UnknownError
        return _Form(plus(one.factor, two.factor), True)
    form, other = (one, node.args[1]) if one is not None else (two, node.args[0])
    assert form is not None
    if form.is_scale:
        return form
    if node.fn != "mul":
        raise UnknownError
    return _Form(known.multiplied(form.factor, other, 1), False)


def _quotient(node: Apply, one: _Form | None, two: _Form | None, known: _Known) -> _Form:
    if two is None:
        assert one is not None
        return one if one.is_scale else _Form(known.multiplied(one.factor, node.args[1], -1), False)
    if not two.is_scale or (one is not None and not one.is_scale):
        raise UnknownError
    return _Form(plus(one.factor if one else frozenset(), times(two.factor, -1.0)), True)


def plus(one: Factor, two: Factor) -> Factor:
    total = dict(one)
    for product, coefficient in two:
        total[product] = total.get(product, 0.0) + coefficient
    return frozenset((product, c) for product, c in total.items() if c != 0.0)


def times(factor: Factor, number: float) -> Factor:
    return frozenset((product, number * coefficient) for product, coefficient in factor)


def multiplied(factor: Factor, atom: Atom, power: int) -> Factor:
    """Return a factor times a power of a number."""
    if isinstance(atom, Literal) and isinstance(atom.value, int | float) and atom.value:
        return times(factor, float(atom.value) ** power)
    if not isinstance(atom, Value) or not is_scalar(type_of(atom)):
        raise UnknownError

    def raised(product: tuple[tuple[Atom, int], ...]) -> tuple[tuple[Atom, int], ...]:
        powers = dict(product)
        powers[atom] = powers.get(atom, 0) + power
        return tuple(sorted(((a, p) for a, p in powers.items() if p), key=lambda item: id(item[0])))

    return frozenset((raised(product), coefficient) for product, coefficient in factor)
