"""Calls of functions that are not inlined, derivatives among them: what they are to each of their arguments.

A derivative is linear in the adjoints and tangents that it is given, and derivatives along directions can be
taken in any order. So whatever a derivative is differentiated by, the result is one reverse step and tangents
after it: `<u, d/dx J(x)' w>` is the derivative along u of `J(x)' w`, for a Hessian is symmetric, and the
adjoint of w is `J(x) u`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from adcompiler.analysis.types import is_array, is_complex, is_continuous
from adcompiler.errors import DifferentiationError
from adcompiler.frontend.recursion import Callee
from adcompiler.graph.nodes import Apply, Atom, Global, Literal, Value
from adcompiler.graph.steps import Chain, Step
from adcompiler.reverse.adjoints import AdjointSweep, Contribution


@dataclass
class _Parts:
    """The arguments of a derivative, taken apart.

    Attributes:
        callee: the derivative.
        own: arguments of the function itself.
        adjoints: those that its reverse step is given.
        tangents: of each further step, what it is given.
    """

    callee: Callee
    own: Sequence[Atom]
    adjoints: Sequence[Atom]
    tangents: list[Sequence[Atom]]

    @property
    def back(self) -> Chain:
        """The reverse step, if there is one: it comes first."""
        chain = self.callee.chain
        return chain[:1] if chain and chain[0].kind in ("grad", "pullback") else ()

    @property
    def steps(self) -> Chain:
        """The steps along directions."""
        return self.callee.chain[len(self.back) :]


def reverse_call(sweep: AdjointSweep, node: Apply, adjoint: Contribution) -> None:
    """`y = f(a, b)` of a function that is not inlined: its pullback runs it once more and reverses it.

    Raises:
        DifferentiationError: AD203 for derivatives that have several results.
    """
    parts = _parts(node)
    seed = sweep.full(node.out, adjoint)
    if is_array(node.out.type):
        seed = sweep.apply("np.ascontiguousarray", seed)
    elif isinstance(seed, Literal):
        seed = Literal(complex(seed.value) if is_complex(node.out.type) else float(np.real(seed.value)))
    back = parts.back
    if any(len(step.wrt) != 1 for step in back) or any(step.kind == "jvp" for step in parts.steps):
        reason = f"this derivative of '{parts.callee.function.__name__}' cannot be differentiated again"
        raise DifferentiationError("AD203", reason, node.loc)
    _to_arguments(sweep, parts, seed)
    _to_adjoints(sweep, parts, seed)
    _to_tangents(sweep, parts, seed)


def reverse_recursion(sweep: AdjointSweep, node: Apply) -> None:
    """`a, b = f(x)` of a function that calls itself: its pullback takes the adjoints of all results."""
    read = {made.args[1]: out for out, made in sweep.definitions.items() if _is_part_of(made, node)}
    kinds = node.out.type.types
    picks = tuple(k for k, kind in enumerate(kinds) if is_continuous(kind))
    found = {k: sweep.take(read[Literal(k)]) for k in picks if Literal(k) in read}
    wrt = tuple(k for k, arg in enumerate(node.args[1:]) if isinstance(arg, Value) and arg in sweep.active)
    if not wrt or not any(found.values()):
        return
    seeds: list[Atom] = []
    for k in picks:
        adjoint = found.get(k)
        seeds.append(sweep.zero(Value("part", type=kinds[k])) if adjoint is None else adjoint.atom)
    parts = _parts(replace(node, fn="recurse"))
    whole = _call(sweep, parts, (Step("pullback", wrt),), seeds, picks)
    for position, k in enumerate(wrt):
        argument = node.args[k + 1]
        assert isinstance(argument, Value)
        part = sweep.apply("getitem", whole, Literal(position), name=f"d_{argument.name}", temporary=True)
        sweep.contribute(argument, Contribution(part))


def _is_part_of(made: Apply, node: Apply) -> bool:
    return made.fn == "getitem" and made.args[0] is node.out


def _parts(node: Apply) -> _Parts:
    callee, *args = node.args
    assert isinstance(callee, Global) and isinstance(callee.value, Callee)
    own, chain = callee.value, callee.value.chain
    counts = [len(step.wrt) if step.kind in ("tangent", "jvp") else 0 for step in chain]
    count = len(own.picks or (0,)) if chain and chain[0].kind == "pullback" else 0
    first = len(args) - count - sum(counts)
    parts = _Parts(own, args[:first], args[first : first + count], [])
    rest = iter(args[first + count :])
    parts.tangents = [[next(rest) for _ in range(size)] for size in counts[len(parts.back) :]]
    return parts


def _to_arguments(sweep: AdjointSweep, parts: _Parts, seed: Atom) -> None:
    """Add to the adjoints of the arguments of the function itself."""
    wrt = tuple(k for k, arg in enumerate(parts.own) if isinstance(arg, Value) and arg in sweep.active)
    if not wrt:
        return
    along = [atom for tangents in parts.tangents for atom in tangents]
    if parts.back:
        chain = (replace(parts.back[0], wrt=wrt), *parts.steps, Step("tangent", parts.back[0].wrt))
        found = _call(sweep, parts, chain, (*parts.adjoints, *along, seed))
    else:
        found = _call(sweep, parts, (Step("pullback", wrt), *parts.steps), (seed, *along))
    for position, k in enumerate(wrt):
        argument = parts.own[k]
        assert isinstance(argument, Value)
        part = sweep.apply("getitem", found, Literal(position), name=f"d_{argument.name}", temporary=True)
        sweep.contribute(argument, Contribution(part))


def _to_adjoints(sweep: AdjointSweep, parts: _Parts, seed: Atom) -> None:
    """Add to the adjoints of the adjoints that a pullback is given: the derivative along `seed`."""
    along = [atom for tangents in parts.tangents for atom in tangents]
    for number, atom in _active(sweep, parts.adjoints):
        chain = (*parts.steps, Step("tangent", parts.back[0].wrt))
        picks = (parts.callee.picks or (0,))[number : number + 1]
        sweep.contribute(atom, Contribution(_call(sweep, parts, chain, (*along, seed), picks)))


def _to_tangents(sweep: AdjointSweep, parts: _Parts, seed: Atom) -> None:
    """Add to the adjoints of the tangents that a derivative is given: its gradient in place of that step."""
    for number, step in enumerate(parts.steps):
        for position, atom in _active(sweep, parts.tangents[number]):
            others = [t for k, t in enumerate(parts.tangents) if k != number]
            along = [other for tangents in others for other in tangents]
            steps = tuple(s for k, s in enumerate(parts.steps) if k != number)
            wrt = (step.wrt[position],)
            if parts.back:
                chain = (replace(parts.back[0], wrt=wrt), *steps, Step("tangent", parts.back[0].wrt))
                found = _call(sweep, parts, chain, (*parts.adjoints, *along, seed))
            else:
                found = _call(sweep, parts, (Step("pullback", wrt), *steps), (seed, *along))
            sweep.contribute(atom, Contribution(sweep.apply("getitem", found, Literal(0))))


def _active(sweep: AdjointSweep, atoms: Sequence[Atom]) -> Iterator[tuple[int, Value]]:
    for k, atom in enumerate(atoms):
        if isinstance(atom, Value) and atom in sweep.active:
            yield k, atom


def _call(
    sweep: AdjointSweep,
    parts: _Parts,
    chain: Chain,
    seeds: Sequence[Atom],
    picks: tuple[int, ...] | None = None,
) -> Value:
    """Append a call of another derivative of the same function; a reverse step returns a tuple."""
    callee = replace(parts.callee, chain=chain, single=False, picks=picks or parts.callee.picks)
    name = Global(f"{callee.name}_{chain[0].kind}", callee)
    return sweep.apply("derivative", name, *parts.own, *seeds, name="found")
