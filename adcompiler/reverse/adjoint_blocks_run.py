"""The reverse sweep at `with grad_of(x) as d:`: the statements run on the adjoint as it is formed."""

from __future__ import annotations

from dataclasses import replace

from adcompiler.graph.nodes import Apply, Atom, Effect, Global, Literal, Node, Region, Role, Store, Value
from adcompiler.graph.walk import clone, map_region, substitute
from adcompiler.reverse.adjoints import AdjointSweep, Contribution


def run_block(sweep: AdjointSweep, node: Apply | Effect) -> None:
    """Append the statements; what they make of the adjoint takes its place."""
    value, block, *captured = node.args
    if not isinstance(value, Value) or value not in sweep.active:
        return
    assert isinstance(block, Global)
    if isinstance(node, Apply):
        found = sweep.take(node.out)
        given = sweep.zero(value) if found is None else found.atom
        sweep.contribute(value, Contribution(_run(sweep, block, (given, *captured))))
        return
    if sweep.is_buffered(value):
        shadow = sweep.shadow(value)
        made = _run(sweep, block, (sweep.apply("copy", shadow), *captured))
        sweep.nodes.append(Store(shadow, (), made, loc=sweep.loc, role=sweep.role))
        return
    found = sweep.adjoints.pop(value, None)
    own = sweep.zeros(value) if found is None else sweep.apply("copy", sweep.full(value, found))
    made = _run(sweep, block, (own, *captured))
    _check_shape(sweep, made, value)
    sweep.adjoints[value] = Contribution(made)


def _run(sweep: AdjointSweep, block: Global, args: tuple[Atom, ...]) -> Atom:
    """Append the nodes of a block; return the adjoint that flows on."""
    body = block.value.body
    inner = substitute(body, dict(zip(body.params, args, strict=True)))

    def as_adjoint(region: Region) -> Region:
        return replace(region, nodes=tuple(replace(node, role=Role.ADJOINT) for node in region.nodes))

    made = map_region(clone(Region((), inner.nodes, inner.yields), {}), as_adjoint)
    sweep.nodes += made.nodes
    return made.yields[0]


def _check_shape(sweep: AdjointSweep, made: Atom, value: Value) -> None:
    """Append the check that an adjoint still has the shape of its array."""
    shapes = [sweep.apply("shape", atom) for atom in (made, value)]
    test = sweep.apply("eq", *shapes)
    text = Literal(f"the block of grad_of changes the shape of the adjoint of '{value.name}'")
    check: Node = Effect("assert", (test, text), loc=sweep.loc, role=sweep.role)
    sweep.nodes.append(check)
