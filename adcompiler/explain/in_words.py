"""Say in words what the reverse sweep stores and recomputes."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence

from adcompiler.analysis.guess import describe_layout
from adcompiler.explain.footprint import Allocation
from adcompiler.graph.layout import Layout
from adcompiler.graph.nodes import For, Role
from adcompiler.graph.steps import Room
from adcompiler.storage.plan import LoopPlan
from adcompiler.storage.run_again import iterations_run
from adcompiler.storage.tape import Tape

_BYTES = {"float64": 8, "float32": 4, "int64": 8, "bool": 1, "boolean": 1}


Plans = list[tuple[LoopPlan, list[Tape]]]


def explain(name: str, plans: Plans) -> str:
    """Return the plan of a gradient as text, one paragraph per loop.

    >>> print(explain("f", []))
    f has no loop to reverse: every value of the forward sweep is still at hand.
    """
    if not plans:
        return f"{name} has no loop to reverse: every value of the forward sweep is still at hand."
    return "\n".join(line for plan, tapes in plans for line in _loop(plan, tapes))


def explain_memory(found: list[Allocation], known: Mapping[object, int]) -> str:
    """Return the memory beyond arguments and results as text, the largest arrays first.

    Args:
        found: the arrays that the gradient makes.
        known: sizes of the arguments.
    """
    sizes = [(item.bytes(known), item.name) for item in found]
    open_ended = [name for size, name in sizes if size is None]
    sizes = [(size, name) for size, name in sizes if name not in open_ended]
    total = sum(size for size, _ in sizes if size is not None)
    bound = f"{total:,} bytes and what cannot be foreseen" if open_ended else f"{total:,} bytes at most"
    lines = [f"memory beyond arguments and results: {bound}"]
    large = sorted(((size, name) for size, name in sizes if size), reverse=True)
    lines += [f"  {name}: {size:,} bytes" for size, name in large[:6]]
    rest = sum(size for size, _ in large[6:])
    lines += [f"  {len(large) - 6} smaller ones: {rest:,} bytes"] if rest else []
    if open_ended:
        names = ", ".join(dict.fromkeys(open_ended))
        lines.append(f"  without bound, as the arguments' sizes do not tell: {names}")
    return "\n".join(lines)


def explain_threads(notes: Mapping[For, str]) -> str:
    """Return as text which loops run on all cores, and why others do not.

    Args:
        notes: of each loop that was to run at once, last one first, why it does not; nothing if it does.
    """
    found: dict[str, list[str]] = {}
    for loop, reason in reversed([*notes.items()]):
        if loop.loc.line:
            where = f"line {loop.loc.line}" + (", in reverse" if loop.role is Role.ADJOINT else "")
            found.setdefault(f"  {where}: {loop.loc.statement}", []).append(reason)
    lines: list[str] = []
    for where, reasons in found.items():
        how = "part of it one after the other" if "" in reasons else "one after the other"
        lines += [where, *dict.fromkeys(f"    {how}, as {reason}" for reason in reasons if reason)]
    return "\n".join(["on all cores:", *lines] if lines else ["on all cores: no loop"])


def explain_seconds(seconds: Mapping[str, float]) -> str:
    """Return how long compiling took, by stage.

    >>> explain_seconds({"source to graph": 0.01, "Numba": 0.3})
    'compiled in 0.31 s: source to graph 0.01 s, Numba 0.30 s'
    >>> explain_seconds({"read from the cache": 0.02})
    'read from the cache in 0.02 s'
    """
    if len(seconds) == 1:
        return "".join(f"{name} in {value:.2f} s" for name, value in seconds.items())
    parts = ", ".join(f"{name} {value:.2f} s" for name, value in seconds.items())
    return f"compiled in {sum(seconds.values()):.2f} s: {parts}"


def _loop(plan: LoopPlan, tapes: list[Tape]) -> list[str]:
    kind = "for" if isinstance(plan.loop, For) else "while"
    lines = [f"{kind} loop at line {plan.loop.loc.line}: {plan.loop.loc.statement}"]
    if plan.merged:
        lines.append("  stores nothing: each iteration is reversed right after it has run,")
        lines.append("  as its adjoints are known beforehand")
        return lines
    if plan.replayed:
        lines.append("  stores nothing: each iteration is run again just before it is reversed,")
        lines.append("  as no iteration needs what an earlier one computed")
        return lines
    if plan.room is not None:
        return lines + _checkpoints(plan.room)
    lines += [f"  stores {what}" for what in _counted([_tape(tape) for tape in tapes if not _is_inner(tape)])]
    if inner := [*dict.fromkeys(tape.storage.name for tape in tapes if _is_inner(tape))]:
        lines.append(f"  keeps {', '.join(inner)} of the loop inside for each iteration")
    for state in plan.states:
        lines.append(f"  the next value of '{state.name}' is what the following iteration stored")
    names = sorted({value.name for value in plan.recomputed if not value.temporary})
    if plan.recomputed:
        what = ", ".join(repr(name) for name in names) or "index arithmetic and reads of unchanged arrays"
        lines.append(f"  recomputes {what}: cheaper than to store")
    if not tapes:
        lines.append("  stores nothing: all that its reversal reads is still at hand or linear")
    return lines


def _checkpoints(room: Room) -> list[str]:
    again = "  and runs the others again from the last one kept"
    if room.slots is None:
        return [f"  keeps the states of as many iterations as {room.memory:,} bytes have room for,", again]
    runs = f"  (1,000 iterations: {iterations_run(1000, room.slots):,} are run in all)"
    return [f"  keeps the states of {room.slots} iterations at most,", again, runs]


def _is_inner(tape: Tape) -> bool:
    """Tell whether it keeps the tape of a loop inside, which is told of there."""
    return tape.inner and tape.source is None


def _counted(lines: Sequence[str]) -> list[str]:
    """Return lines once, with how often they are there: several values may have one name.

    >>> _counted(["a", "b", "a"])
    ['a, 2 times', 'b']
    """
    return [line if count == 1 else f"{line}, {count} times" for line, count in Counter(lines).items()]


def _tape(tape: Tape) -> str:
    if tape.kind == "list":
        return f"'{tape.value.name}' once per iteration on the stack {tape.storage.name}"
    what = f"an array of {tape.kind}" if tape.rows else f"{tape.kind}, {_BYTES.get(tape.kind, 8)} bytes"
    return f"'{tape.value.name}' ({what}) once per iteration in {tape.storage.name}"


_WHAT = {
    "primal": "the function",
    "grad": "the gradient of",
    "value_and_grad": "value and gradient of",
    "outputs": "the outputs of",
    "pullback": "the pullback of",
    "halves": "the outputs and the pullback of",
    "linearized": "the outputs and the pushforward of",
    "jvp": "the derivative along a direction of",
    "jacobian": "the Jacobian of",
    "jacfwd": "the Jacobian of",
    "jacrev": "the Jacobian of",
    "hessian": "the Hessian of",
    "pattern": "where the derivative may not be zero, of",
    "local_pattern": "where the derivative may not be zero here, of",
    "entries_by_columns": "the entries of the Jacobian of",
    "entries_by_rows": "the entries of the Jacobian of",
    "entries_of_hessian": "the entries of the Hessian of",
    "vmap": "over batches,",
    "hvp": "the product of the Hessian with a vector of",
}


def module_header(mode: str, name: str, layouts: Mapping[str, Layout], origins: Sequence[str]) -> str:
    """Return the comment above a generated module.

    Args:
        mode: which derivative it is.
        name: name of the function.
        layouts: layout of each argument.
        origins: where their types come from; empty if a call showed them.
    """
    lines = [f"Generated by adcompiler: {_WHAT[mode]} {name}"]
    groups: dict[str, list[str]] = {}
    notes = list(origins) or ["as called"] * len(layouts)
    for (argument, layout), note in zip(layouts.items(), notes, strict=True):
        groups.setdefault(note, []).append(f"{argument}: {describe_layout(layout)}")
    for note, args in groups.items():
        lines += textwrap.wrap(f"types {note}: {', '.join(args)}", 100, subsequent_indent="  ")
    return "\n".join(lines)
