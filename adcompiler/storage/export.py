"""What branches of the forward sweep define, handed on to the same branches of the reverse sweep."""

from __future__ import annotations

from dataclasses import replace

from adcompiler.graph.nodes import UNDEFINED, Atom, If, Node, Region, Value
from adcompiler.graph.walk import defined, free, regions, substitute
from adcompiler.reverse.reverse import ReverseSweep


def export(primal: Region, back: Region, sweep: ReverseSweep) -> tuple[Region, Region]:
    """Hand what a branch of the forward sweep defines on to the same branch of the reverse sweep.

    Both branches run under the same condition, so the other branch may leave the value undefined.
    """
    changed: dict[Node, Node] = {}
    nodes: list[Node] = []
    for node in back.nodes:
        branch = sweep.partner.get(node)
        if isinstance(node, If) and isinstance(branch, If):
            new_branch, node = _export_branch(branch, node, sweep)
            changed[branch] = new_branch
        nodes.append(node)
    primal_nodes = tuple(changed.get(node, node) for node in primal.nodes)
    return Region(primal.params, primal_nodes, primal.yields), Region(back.params, tuple(nodes), back.yields)


def _export_branch(branch: If, back: If, sweep: ReverseSweep) -> tuple[If, If]:
    arms, back_arms = list(regions(branch)), list(regions(back))
    outs = list(branch.outs)
    for k in (0, 1):
        arms[k], back_arms[k] = export(arms[k], back_arms[k], sweep)
        inside = defined(arms[k])
        mapping: dict[Value, Atom] = {}
        for value in [v for v in free(back_arms[k]) if v in inside]:
            out = Value(value.name, value.temporary)
            mapping[value] = out
            outs.append(out)
            arms[k] = replace(arms[k], yields=(*arms[k].yields, value))
            arms[1 - k] = replace(arms[1 - k], yields=(*arms[1 - k].yields, UNDEFINED))
        back_arms[k] = substitute(back_arms[k], mapping)
    new = If(branch.test, arms[0], arms[1], tuple(outs), loc=branch.loc, role=branch.role)
    return new, replace(back, then=back_arms[0], orelse=back_arms[1])
