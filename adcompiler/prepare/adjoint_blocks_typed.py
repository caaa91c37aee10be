"""Blocks of `with grad_of(x) as d:` whose types are known, and graphs that need them no more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from numba.core import types as nt

from adcompiler.analysis.alias import memory_classes, written_by
from adcompiler.analysis.types import is_array, is_float, rank
from adcompiler.errors import DifferentiationError
from adcompiler.graph.kinds import describe
from adcompiler.graph.nodes import Apply, Atom, Effect, Global, Graph, Node, Region, Value, type_of
from adcompiler.graph.walk import map_region, substitute, walk

Typed = Callable[[Graph, list[nt.Type]], Graph]


def typed_blocks(graph: Graph, typed: Typed) -> Graph:
    """Return a typed primal whose blocks are typed, too.

    A number is handed on by the primitive, so that the block sees those uses only that stand below it. Arrays
    are memory: theirs is a statement, which changes the adjoint of all that shows the array.

    Args:
        graph: the typed primal.
        typed: returns a graph with types, given those of its parameters.

    Raises:
        DifferentiationError: AD203 where a variable has no adjoint, AD204 where a block makes something else
            of it, AD101 where one writes to another array.
    """
    same: dict[Value, Atom] = {}

    def made(node: Node) -> Node:
        if not is_block(node):
            return node
        assert isinstance(node, Apply)
        node = _typed(node, typed)
        if not is_array(node.out.type):
            return node
        same[node.out] = node.args[0]
        return Effect("grad_of", node.args, loc=node.loc, role=node.role)

    def rewrite(region: Region) -> Region:
        return replace(region, nodes=tuple(map(made, region.nodes)))

    return replace(graph, body=substitute(map_region(graph.body, rewrite), same))


def is_block(node: Node) -> bool:
    """Tell whether a node runs statements on an adjoint."""
    return isinstance(node, Apply | Effect) and node.fn == "grad_of"


def without_blocks(*parts: Region) -> list[Region]:
    """Return regions, the later ones reading the earlier ones, that run nothing on adjoints."""
    nodes = [node for region in parts for node in walk(region)]
    same = {node.out: node.args[0] for node in nodes if isinstance(node, Apply) and is_block(node)}

    def rewrite(inner: Region) -> Region:
        return replace(inner, nodes=tuple(node for node in inner.nodes if not is_block(node)))

    return [substitute(map_region(region, rewrite), same) for region in parts]


def refuse_blocks(graph: Graph) -> None:
    """Refuse a function that says what happens to adjoints where none are formed.

    Raises:
        DifferentiationError: AD202.
    """
    for node in filter(is_block, walk(graph.body)):
        assert isinstance(node, Apply | Effect) and isinstance(node.args[0], Value)
        reason = f"forward mode forms no adjoint of '{node.args[0].name}'"
        cure = "take grad, vjp, jacrev or hvp of a function with grad_of"
        raise DifferentiationError("AD202", reason, node.loc, cure)


def _typed(node: Apply, typed: Typed) -> Apply:
    """Return a node whose block has types, after looking at what it does."""
    value, block, *captured = node.args
    assert isinstance(value, Value) and isinstance(block, Global)
    kind = value.type
    if not is_float(kind.dtype if is_array(kind) else kind):
        cure = "take the adjoint of a float or an array of floats"
        raise DifferentiationError("AD203", f"'{value.name}' is {describe(kind)}", node.loc, cure)
    own = kind.copy(layout="C", readonly=False) if is_array(kind) else kind
    _check_writes(block.value)
    graph = typed(block.value, [own, *map(type_of, captured)])
    _check(node, graph)
    return replace(node, args=(value, Global(block.name, graph), *captured))


def _check(node: Apply, graph: Graph) -> None:
    adjoint = graph.body.params[0]
    (found,) = graph.body.yields
    kind = found.type if isinstance(found, Value) else nt.float64
    if is_array(kind) != is_array(adjoint.type) or rank(kind) != rank(adjoint.type):
        reason = (
            f"the block makes {describe(kind)} of the adjoint of '{node.out.name}', {describe(adjoint.type)}"
        )
        raise DifferentiationError("AD204", reason, node.loc, "let it have the shape that it had")


def _check_writes(block: Graph) -> None:
    """Refuse a block that writes to an array of the function, also where nobody reads it afterwards."""
    classes = memory_classes(block.body)
    others = {classes.get(param, param): param for param in block.body.params[1:]}
    for node in walk(block.body):
        for array in written_by(node):
            written = others.get(classes.get(array, array))
            if written is not None:
                reason = f"'{written.name}' is written in the reverse sweep"
                cure = "let the statements change the adjoint only"
                raise DifferentiationError("AD101", reason, node.loc, cure)
