"""Which values a loop carries only to add to them: the order of its iterations does not matter to these."""

from __future__ import annotations

from adcompiler.graph.nodes import Apply, Atom, For, Region, Value
from adcompiler.graph.walk import results, uses

CONSTANT, SUM = "constant", "sum"


def carried_kinds(body: Region) -> list[str | None]:
    """Tell of each value that a counted loop carries whether it is constant, a sum, or neither."""
    reads = uses(body)
    makers = {value: node for node in body.nodes for value in results(node)}

    def kind(entry: Value, last: Atom, is_sum: bool) -> str | None:
        """Follow the last value back to the entry, through additions and inner loops."""
        while last is not entry:
            node = makers.get(last) if isinstance(last, Value) else None
            before: Atom | None = None
            if isinstance(node, Apply) and node.fn in ("add", "pos"):
                before, is_sum = node.args[0], is_sum or node.fn == "add"
            elif isinstance(node, For) and not node.breaks:
                k = node.outs.index(last)  # type: ignore[arg-type]
                inner = carried_kinds(node.body)[k]
                before, is_sum = node.inits[k] if inner else None, is_sum or inner == SUM
            if not isinstance(before, Value) or (is_sum and (reads[before] != 1 or reads[last] != 1)):  # type: ignore[index]
                return None  # a sum on the way is read
            last = before
        return SUM if is_sum else CONSTANT

    found = []
    for entry, last in zip(body.params[1:], body.yields, strict=True):
        is_sum = kind(entry, last, False) != CONSTANT
        found.append(kind(entry, last, True) if is_sum else CONSTANT)
    return found
