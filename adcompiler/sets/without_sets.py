"""The program itself without its tangents: a branch as it runs for the arguments that are given."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace

from adcompiler.graph.nodes import Apply, Atom, Effect, For, If, Node, Region, Store, Value, While
from adcompiler.graph.walk import clone, regions, select, with_regions


def without_sets(node: If, varying: Set[Value]) -> If:
    """Return a copy of a branch that defines what does not vary only.

    Args:
        node: the branch.
        varying: the values that depend on tangents.
    """
    kept = _stripped(node, varying)
    assert isinstance(kept, If)
    mapping: dict[Value, Atom] = {}
    then, orelse = (clone(arm, mapping) for arm in (kept.then, kept.orelse))
    return replace(kept, then=then, orelse=orelse)


def _stripped(node: If | For | While, varying: Set[Value]) -> If | For | While:
    params = node.outs if isinstance(node, If) else node.carried
    kept = select(node, [k for k, param in enumerate(params) if param not in varying])
    inner = tuple(replace(region, nodes=tuple(_nodes(region, varying))) for region in regions(kept))
    changed = with_regions(kept, inner)
    assert isinstance(changed, If | For | While)
    return changed


def _nodes(region: Region, varying: Set[Value]) -> list[Node]:
    found: list[Node] = []
    for node in region.nodes:
        match node:
            case Apply() if node.out not in varying:
                found.append(node)
            case Store() if node.array not in varying:
                found.append(node)
            case If() | For() | While():
                found.append(_stripped(node, varying))
            case Effect():
                pass
    return found
