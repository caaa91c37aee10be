"""Gradients of one function by several arguments, taken one by one, as one call that returns all of them.

While they are differentiated, calls of derivatives have one result each. In the text, one call runs the
function once.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from numba.core import types as nt

from adcompiler.frontend.recursion import Callee
from adcompiler.graph.nodes import Apply, Effect, Global, Graph, Literal, Node, Region, Role, Store, Value
from adcompiler.graph.walk import map_region
from adcompiler.primitives import card


def call_together(graph: Graph) -> Graph:
    """Return a graph in which gradients of a function at the same arguments are one call."""
    return replace(graph, body=map_region(graph.body, _rewritten))


def _rewritten(region: Region) -> Region:
    groups: dict[Hashable, list[Apply]] = {}
    of_node: dict[Value, list[Apply]] = {}
    for node in region.nodes:
        if _may_write(node):
            groups = {}
        elif isinstance(node, Apply) and (key := _key(node)) is not None:
            of_node[node.out] = groups.setdefault(key, [])
            of_node[node.out].append(node)
    nodes: list[Node] = []
    for node in region.nodes:
        group = of_node.get(node.out, []) if isinstance(node, Apply) else []
        if len(group) < 2:
            nodes.append(node)
        elif group[0] is node:
            nodes += _together(group)
    return replace(region, nodes=tuple(nodes))


def _may_write(node: Node) -> bool:
    """Tell whether a node may write to an array that the calls around it read; tapes are none."""
    match node:
        case Apply(fn=fn):
            return card(fn).writes_first or card(fn).is_opaque
        case Effect(fn=fn):
            return fn not in ("reverse_sweep", "assert") and not card(fn).is_guard
        case Store():
            return node.role is not Role.TAPE
    return True


def _key(node: Apply) -> Hashable:
    """Return what calls have in common that can be one; None for other nodes."""
    if node.fn != "derivative" or not isinstance(node.args[0], Global):
        return None
    callee = node.args[0].value
    if (
        not isinstance(callee, Callee)
        or not callee.single
        or callee.chain[0].kind not in ("grad", "pullback")
    ):
        return None
    first, *rest = callee.chain
    if len(first.wrt) != 1 or any(step.kind == "jvp" for step in rest):
        return None
    own = replace(callee, chain=(replace(first, wrt=()), *rest))
    return own, tuple(id(arg) if isinstance(arg, Global) else arg for arg in node.args[1:]), node.role


def _together(group: list[Apply]) -> list[Node]:
    """Return the one call, and its parts."""
    node = group[0]
    callees = [each.args[0].value for each in group if isinstance(each.args[0], Global)]
    wrt = tuple(dict.fromkeys(callee.chain[0].wrt[0] for callee in callees))
    chain = (replace(callees[0].chain[0], wrt=wrt), *callees[0].chain[1:])
    callee = Global(callees[0].name, replace(callees[0], chain=chain, single=False))
    kinds = {callee.chain[0].wrt[0]: each.out.type for callee, each in zip(callees, group, strict=True)}
    whole = Value("gradients", type=nt.Tuple([kinds[k] for k in wrt]))
    made: list[Node] = [replace(node, out=whole, args=(callee, *node.args[1:]))]
    for callee_of, each in zip(callees, group, strict=True):
        position = Literal(wrt.index(callee_of.chain[0].wrt[0]))
        made.append(Apply(each.out, "getitem", (whole, position), loc=each.loc, role=each.role))
    return made
