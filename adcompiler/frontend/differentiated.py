"""One call of a function of which derivatives are taken: the function and its arguments as single values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any

import gast

from adcompiler.custom import CustomFunction
from adcompiler.frontend.bindings import Binding, Record, Transform, flatten, like
from adcompiler.frontend.custom_calls import rank_of_result
from adcompiler.frontend.dispatchers import error_model
from adcompiler.frontend.lifting import laid_out, name_of_layout, without_lists
from adcompiler.frontend.ranks import atom_rank
from adcompiler.frontend.recursion import Callee, Lifted
from adcompiler.frontend.state import Lowering
from adcompiler.graph.layout import Layout, Leaf, Packed, Static
from adcompiler.graph.nodes import Apply, Atom, Effect, Global, Literal, Node, Region, Store, Value
from adcompiler.graph.steps import Chain, Step
from adcompiler.graph.walk import walk
from adcompiler.primitives import card

Run = Callable[[Lowering, gast.AST, Binding, Sequence[Binding]], Binding]
"""Lowers a call of a function, given all of its arguments."""


@dataclass
class Differentiated:
    """A function and the arguments of a call.

    Attributes:
        state: the function that calls it.
        node: where.
        function: the function.
        args: one binding for each parameter.
        run: lowers calls.
        layouts: how each argument is built from single values.
        what: how the function is built.
        atoms: the single values: those of the arguments, then what the function captures.
    """

    state: Lowering
    node: gast.AST
    function: Binding
    args: Sequence[Binding]
    run: Run
    layouts: tuple[Layout, ...] = field(init=False)
    what: Layout = field(init=False)
    atoms: list[Atom] = field(init=False)
    spans: list[range] = field(init=False)

    def __post_init__(self) -> None:
        found = [laid_out(self.state, self.node, arg) for arg in self.args]
        self.layouts = tuple(layout for layout, _ in found)
        self.atoms, self.spans = [], []
        for _, atoms in found:
            self.spans.append(range(len(self.atoms), len(self.atoms) + len(atoms)))
            self.atoms += atoms
        self.what, captured = laid_out(self.state, self.node, self.function)
        self.atoms += captured

    def moved(self, state: Lowering, node: gast.AST) -> Differentiated:
        """Return the same call for another place in the program, such as the body of a loop."""
        made = copy(self)
        made.state, made.node = state, node
        return made

    @property
    def name(self) -> str:
        return name_of_layout(self.what)

    def value(self) -> Binding:
        """Return what the function returns; arrays that it may write are copied."""
        args = [without_lists(arg) for arg in self.args]
        nodes, found = self.state.aside(lambda: self.run(self.state, self.node, self.function, args))
        self._find_ranks(nodes, found)
        if _writes(nodes):
            args = [_each(arg, self._copied) for arg in args]
            return self.run(self.state, self.node, self.function, args)
        self.state.nodes += nodes
        return found

    def _copied(self, atom: Atom) -> Atom:
        is_array = bool(atom_rank(atom, self.state.ranks))
        return self.state.apply(self.node, "copy", (atom,)) if is_array else atom

    def outline(self) -> Binding:
        """Return what the function returns, to look at only: nothing of it is computed."""
        return self.looked_at()[1]

    def looked_at(self) -> tuple[list[Node], Binding]:
        """Return what a call would do and return, to look at only."""
        args = [without_lists(arg) for arg in self.args]
        nodes, found = self.state.aside(lambda: self.run(self.state, self.node, self.function, args))
        self._find_ranks(nodes, found)
        return nodes, found

    def _find_ranks(self, nodes: list[Node], found: Binding) -> None:
        """Find how many axes results have that come from functions with a rule of their own."""
        made = {node.out: node for node in nodes if isinstance(node, Apply) and node.fn == "custom[0]"}
        ranks = self.state.ranks
        for part in flatten(found):
            if isinstance(part, Value) and part in made and ranks.get(part) is None:
                ranks[part] = rank_of_result(made[part], ranks)

    def derivative(
        self,
        chain: Chain,
        seeds: Sequence[Atom] = (),
        picks: tuple[int, ...] | None = None,
        rank: int | None = None,
        name: str | None = None,
    ) -> Value:
        """Append a call of a derivative that has one result.

        Args:
            chain: which derivative.
            seeds: adjoints and tangents.
            picks: which single values of the function's result count.
            rank: the number of axes of what it returns.
            name: the variable that the result is for.
        """
        merged = self._merged(chain)
        if merged is not None:
            inner, longer = merged
            return inner.derivative(longer, seeds, None, rank, name)
        atoms = (Global(self.name, self._callee(chain, picks)), *self.atoms, *seeds)
        out = self.state.apply(self.node, "derivative", atoms, name)
        self.state.ranks[out] = rank
        return out

    def _merged(self, chain: Chain) -> tuple[Differentiated, Chain] | None:
        """Return a function and the longer chain of it, where this one is its gradient by one value."""
        if not isinstance(self.function, Transform):
            return None
        how = self.function.how
        if how.mode != "grad" or how.has_aux or not how.single or len(self.spans[how.wrt[0]]) != 1:
            return None
        first = Step("grad", tuple(self.spans[how.wrt[0]]), holomorphic=how.holomorphic)
        inner = Differentiated(self.state, self.node, self.function.function, self.args, self.run)
        match chain:
            case (Step(kind="grad", wrt=wrt) as last, *rest) if self.rank(first.wrt[0]) == 0:
                slope = Step("slope", first.wrt, holomorphic=last.holomorphic)
                return inner, (replace(first, wrt=wrt), slope, *how.steps, *rest)
            case (Step(kind="pullback", wrt=wrt) as last, *rest) if not (how.steps or rest):
                return inner, (replace(first, wrt=wrt), replace(last, kind="tangent", wrt=first.wrt))
            case (Step(kind="tangent" | "slope"), *_):
                return inner, (first, *how.steps, *chain)
        return None

    def _callee(self, chain: Chain, picks: tuple[int, ...] | None) -> Callee:
        is_plain = isinstance(self.what, Static) and all(isinstance(layout, Leaf) for layout in self.layouts)
        is_plain = is_plain and not isinstance(getattr(self.what, "value", None), CustomFunction)
        function: Any = Lifted(self.what, self.name)
        if is_plain:
            assert isinstance(self.what, Static)
            function = getattr(self.what.value, "py_func", self.what.value)
        layouts = () if is_plain else self.layouts
        return Callee(function, chain, True, raises_in(self.state, self.what), layouts, picks)

    def rank(self, k: int) -> int | None:
        """Return the number of axes of a single value."""
        return atom_rank(self.atoms[k], self.state.ranks)

    def places(self, wrt: Sequence[int]) -> tuple[int, ...]:
        """Return the positions of the single values of some arguments.

        Raises:
            DifferentiationError: AD301 for arguments without any, or that are integers.
        """
        found = tuple(k for position in wrt for k in self.spans[position])
        for k in found:
            atom = self.atoms[k]
            if isinstance(atom, Literal) and not isinstance(atom.value, float):
                reason = f"'{self.name}' is differentiated by {atom.value!r}"
                raise self.state.refuse("AD301", reason, self.node, "pass a float: 3.0, not 3")
        if not found:
            raise self.state.refuse("AD301", f"an argument of '{self.name}' holds no floats", self.node)
        return found

    def like_argument(self, position: int, make: Callable[[int], Binding]) -> Binding:
        """Return a binding in the structure of an argument, of what is made for each of its single values."""
        supply = iter(self.spans[position])
        return _built(self.layouts[position], lambda: make(next(supply)))

    def like_arguments(self, wrt: Sequence[int], single: bool, make: Callable[[int], Binding]) -> Binding:
        """Return that for several arguments: a tuple, unless it is a single one."""
        found = tuple(self.like_argument(position, make) for position in wrt)
        return found[0] if single else found


def _built(layout: Layout, make: Callable[[], Binding]) -> Binding:
    match layout:
        case Leaf():
            return make()
        case Static():
            return Literal(None)
        case Packed():
            items = [_built(part, make) for part in layout.parts]
            return tuple(items) if layout.maker is tuple else Record(items, layout.names, layout.maker)


def _each(binding: Binding, change: Callable[[Atom], Atom]) -> Binding:
    if isinstance(binding, tuple):
        return like(binding, [_each(item, change) for item in binding])
    return change(binding) if isinstance(binding, Value) else binding


def _writes(nodes: list[Node]) -> bool:
    """Tell whether code may write to arrays."""
    for node in walk(Region((), tuple(nodes), ())):
        match node:
            case Store():
                return True
            case Apply() | Effect() if card(node.fn).writes_first or card(node.fn).is_opaque:
                return True
    return False


def raises_in(state: Lowering, what: Layout) -> bool | None:
    """Tell whether a division by zero raises in a function: see `raises_inside`."""
    match what:
        case Packed(parts=(inner,), names=("function",)):
            return raises_in(state, inner)
        case Static(value=value) if (model := error_model(value)) is not None:
            return model == "python" if model else state.raises is not False
    return state.raises
