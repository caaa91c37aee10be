"""Shorten the way of an adjoint from one iteration of a loop to the next.

Each iteration of a reverse loop maps the adjoints that it carries linearly to their next values, and cannot
begin before it has them. What stands between, `d * a * b + e + f`, is regrouped as `d * (a * b) + (e + f)`:
the processor then computes the factors of several iterations at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from adcompiler.analysis.sums import carried_kinds
from adcompiler.analysis.types import is_float
from adcompiler.graph.nodes import Apply, Atom, For, Graph, Literal, Node, Region, Role, Value, type_of
from adcompiler.graph.walk import free, map_region, operands, regions, results, values
from adcompiler.primitives import hint

_MOST = 2
"""With more adjoints that depend on each other there are more products than the regrouping saves."""

Term = Atom | tuple[str, "Term", "Term"]
"""A formula that is yet to be written: an operator with its operands, or a value."""


@dataclass(frozen=True)
class _Form:
    """A value as the sum of multiples of carried adjoints, and of a rest.

    Attributes:
        factors: the factor of each adjoint, None for one.
        rest: what does not depend on the adjoints.
        depth: operations between the adjoints and the value.
    """

    factors: Mapping[Value, Term | None]
    rest: Term | None = None
    depth: int = 0

    @property
    def shortest(self) -> int:
        """The operations that are left at least: the products at once, then the sums."""
        products = any(factor is not None for factor in self.factors.values())
        return products + len(self.factors) - 1 + (self.rest is not None)


def shorten_chains(graph: Graph) -> Graph:
    """Return the graph with reverse loops regrouped where that makes the chain of operations shorter.

    Args:
        graph: the graph of a gradient.
    """

    def rewrite(region: Region) -> Region:
        nodes = tuple(_shortened(n) if isinstance(n, For) else n for n in region.nodes)
        return replace(region, nodes=nodes)

    return replace(graph, body=map_region(graph.body, rewrite))


def _shortened(loop: For) -> For:
    if loop.breaks or loop.role is not Role.ADJOINT:
        return loop
    kinds = carried_kinds(loop.body)
    chain = [p for p, kind in zip(loop.carried, kinds, strict=True) if kind is None]
    types = {type_of(param) for param in chain}
    if len(types) != 1 or not all(map(is_float, types)) or len(chain) > _MOST:
        return loop
    forms = _forms(loop.body, chain)
    places = [k for k, kind in enumerate(kinds) if kind is None]
    found = {k: forms.get(loop.body.yields[k]) for k in places}
    sizes = [_size(term) for form in found.values() if form for term in (*form.factors.values(), form.rest)]
    if any(form is None for form in found.values()) or sum(sizes) > len(forms):
        return loop
    nodes, yields = [*loop.body.nodes], [*loop.body.yields]
    for k, form in found.items():
        if form is not None and form.shortest < form.depth:
            yields[k] = _written(form, yields[k], nodes)
    return replace(loop, body=replace(loop.body, nodes=tuple(nodes), yields=tuple(yields)))


def _size(term: Term | None) -> int:
    """Return how many operations a formula is."""
    return 1 + _size(term[1]) + _size(term[2]) if isinstance(term, tuple) else 0


def _forms(body: Region, chain: list[Value]) -> dict[Atom, _Form | None]:
    """Return the form of each value that depends on carried adjoints; None where it has none."""
    forms: dict[Atom, _Form | None] = {param: _Form({param: None}) for param in chain}
    for node in body.nodes:
        inner = (value for region in regions(node) for value in free(region))
        if any(value in forms for value in (*values(operands(node)), *inner)):
            is_same = isinstance(node, Apply) and node.out.type == type_of(chain[0])
            form = _form(node, forms) if isinstance(node, Apply) and is_same else None
            forms.update(dict.fromkeys(results(node), form))
    return forms


def _form(node: Apply, forms: dict[Atom, _Form | None]) -> _Form | None:
    known = [forms.get(atom) for atom in node.args]
    if any(atom in forms and form is None for atom, form in zip(node.args, known, strict=True)):
        return None
    match node.fn, known:
        case "pos", [_Form() as one]:
            return one
        case "neg", [_Form() as one]:
            return _scaled(one, "mul", Literal(-1.0))
        case "mul", [_Form() as one, None]:
            return _scaled(one, "mul", node.args[1])
        case "mul", [None, _Form() as one]:
            return _scaled(one, "mul", node.args[0])
        case "times", [_Form(factors=factors, rest=None) as one, None] if len(factors) == 1:
            return _scaled(one, "times", node.args[1])  # a sum may cancel, and has to be known then
        case "truediv", [_Form() as one, None]:
            return _scaled(one, "truediv", node.args[1])
        case "add" | "sub", [one, two]:
            left = one or _Form({}, node.args[0])
            right = two or _Form({}, node.args[1])
            return _joined(left, right if node.fn == "add" else _scaled(right, "mul", Literal(-1.0)))
    return None


def _scaled(form: _Form, fn: str, by: Atom) -> _Form:
    factors = {param: _applied(fn, factor, by) for param, factor in form.factors.items()}
    rest = None if form.rest is None else _applied(fn, form.rest, by)
    return _Form(factors, rest, form.depth + 1)


def _applied(fn: str, term: Term | None, by: Atom) -> Term:
    if term is None and fn == "mul":
        return by
    if term is None:
        return fn, Literal(1.0), by
    return fn, term, by


def _is_guarded(term: Term | None) -> bool:
    """Tell whether a factor may be infinite."""
    return isinstance(term, tuple) and (term[0] == "times" or any(map(_is_guarded, term[1:])))


def _joined(one: _Form, two: _Form) -> _Form:
    factors: dict[Value, Term | None] = dict(one.factors)
    for param, factor in two.factors.items():
        factors[param] = (
            ("add", factors[param] or Literal(1.0), factor or Literal(1.0)) if param in factors else factor
        )
    rest: Term | None = one.rest
    if two.rest is not None:
        rest = two.rest if rest is None else ("add", rest, two.rest)
    return _Form(factors, rest, max(one.depth, two.depth) + 1)


def _written(form: _Form, atom: Atom, nodes: list[Node]) -> Atom:
    """Append the nodes of a form, and return its value."""
    last = next(node for node in nodes if atom in results(node))

    def apply(fn: str, left: Atom, right: Atom, name: str = "") -> Value:
        out = Value(name or hint(fn), temporary=not name, type=type_of(atom))
        nodes.append(Apply(out, fn, (left, right), loc=last.loc, role=last.role))
        return out

    def write(term: Term) -> Atom:
        return apply(term[0], write(term[1]), write(term[2])) if isinstance(term, tuple) else term

    name = atom.name if isinstance(atom, Value) else ""
    parts = [(param, None if factor is None else write(factor)) for param, factor in form.factors.items()]
    rest = None if form.rest is None else write(form.rest)
    total: Atom | None = None
    for param, factor in parts:
        fn = "times" if _is_guarded(form.factors[param]) else "mul"
        part = param if factor is None else apply(fn, param, factor)
        total = part if total is None else apply("add", total, part)
    assert total is not None
    return apply("add", total, rest, name) if rest is not None else total
