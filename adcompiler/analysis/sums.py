"""Which values a loop carries only to add to them: the order of its iterations does not matter to these."""

from __future__ import annotations

from collections.abc import Set
from weakref import WeakKeyDictionary

from adcompiler.graph.nodes import Apply, For, If, Region, Value
from adcompiler.graph.walk import all_reads, free, operands, regions, values

CONSTANT, SUM = "constant", "sum"
_KINDS: WeakKeyDictionary[Region, list[str | None]] = WeakKeyDictionary()
_SUMS: WeakKeyDictionary[Region, dict[Value, Set[Value] | None]] = WeakKeyDictionary()
"""What is known of bodies: those of nests are asked about by each loop around them, in several passes."""


def carried_kinds(body: Region) -> list[str | None]:
    """Tell of each value that a counted loop carries whether it is constant, a sum, or neither."""
    if body not in _KINDS:
        _KINDS[body] = _carried_kinds(body)
    return _KINDS[body]


def _carried_kinds(body: Region) -> list[str | None]:
    kinds: list[str | None] = []
    for entry, last in zip(body.params[1:], body.yields, strict=True):
        same, total = {entry}, running_sum(body, entry)
        _follow_copies(body, same)
        ends = total is not None and last in total and sum(atom in total for atom in body.yields) == 1
        kinds.append(CONSTANT if last in same else SUM if ends else None)
    return kinds


def running_sum(body: Region, entry: Value) -> Set[Value] | None:
    """Return the values of a sum in the course of a region, None where they are used for more than adding.

    Each of them is the value at entry plus something that does not depend on it.
    """
    known = _SUMS.setdefault(body, {})
    if entry not in known:
        found = {entry}
        known[entry] = frozenset(found) if _follow(body, found) else None
    return known[entry]


def _follow_copies(region: Region, same: set[Value]) -> None:
    for node in region.nodes:
        match node:
            case Apply(fn="pos") if node.args[0] in same:
                same.add(node.out)
            case If():
                for arm in regions(node):
                    _follow_copies(arm, same)
                ends = zip(node.outs, node.then.yields, node.orelse.yields, strict=True)
                same |= {out for out, one, two in ends if one in same and two in same}
            case For(breaks=False):
                kinds = zip(node.outs, node.inits, carried_kinds(node.body), strict=True)
                same |= {out for out, init, kind in kinds if init in same and kind == CONSTANT}


def _follow(region: Region, found: set[Value]) -> bool:
    """Add what is derived by adding; return False where one of the values is used otherwise."""
    for node in region.nodes:
        match node:
            case Apply() if found.intersection(values(operands(node))):
                if not _adds(node, found):
                    return False
                found.add(node.out)
            case If():
                if node.test in found or not all(_follow(arm, found) for arm in regions(node)):
                    return False
                for out, *ends in zip(node.outs, node.then.yields, node.orelse.yields, strict=True):
                    if any(atom in found for atom in ends):
                        if not all(atom in found for atom in ends):
                            return False
                        found.add(out)
            case For(breaks=False):
                if not _follow_loop(node, found):
                    return False
            case _ if found.intersection(all_reads(node)):
                return False
    return True


def _adds(node: Apply, found: set[Value]) -> bool:
    inside = [atom in found for atom in node.args]
    match node.fn:
        case "add" | "fast.add_up":
            return inside.count(True) == 1
        case "sub":
            return inside == [True, False]
        case "pos":
            return True
    return False


def _follow_loop(node: For, found: set[Value]) -> bool:
    if found.intersection((node.start, node.stop, node.step, *free(node.body))):
        return False
    for k, init in enumerate(node.inits):
        if init not in found:
            continue
        inner = running_sum(node.body, node.body.params[k + 1])
        if inner is None or [atom in inner for atom in node.body.yields].count(True) != 1:
            return False
        if node.body.yields[k] not in inner:
            return False
        found.add(node.outs[k])
    return True
