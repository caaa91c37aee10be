"""A derivative made for arguments of certain types, and how it is run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from adcompiler.api.arguments import needs_repacking
from adcompiler.api.interface import Interface
from adcompiler.enabled import enabled
from adcompiler.errors import DifferentiationError
from adcompiler.graph.layout import Layout, Leaf, Packed
from adcompiler.graph.steps import Style
from adcompiler.quiet import quietly

if TYPE_CHECKING:
    from adcompiler.api.compile import Compiled


@dataclass
class Specialised:
    """A function made for arguments of certain types.

    Attributes:
        layouts: layout of each argument.
        function: the generated function.
        interface: what has to be known to call it.
        source: text of its module.
        style: what the text is like, and what it assumes of sizes.
        seconds: how long each stage took.
        version: how often its `Derivative` had been told to compile again.
        adjoint: of a pullback that is two functions, the second one.
        compiled: the graph and the plan, unless it was compiled by an earlier process.
        is_plain: whether all arguments are single values.
        repacks: whether results are lists or dictionaries.
    """

    layouts: tuple[Layout, ...]
    function: Any
    interface: Interface
    source: str
    style: Style
    seconds: dict[str, float]
    version: int
    adjoint: Any = None
    compiled: Compiled | None = None
    is_plain: bool = field(init=False)
    repacks: bool = field(init=False)

    def __post_init__(self) -> None:
        self.is_plain = all(isinstance(layout, Leaf) for layout in self.layouts)
        self.repacks = needs_repacking(self.interface.returns)

    def is_more_general(self, style: Style) -> bool:
        """Tell whether this assumes no more of sizes than a style does."""
        return self.style == style or self.style.broadcasts


def assuming_less(style: Style, layouts: Sequence[Layout], args: Sequence[Any]) -> Style:
    """Return the style of what takes over where sizes are not as a specialisation assumes.

    First it is assumed that axes of size 1 have that size in each call, so that what is stretched is known;
    then nothing is.

    Args:
        style: that of the specialisation.
        layouts: layout of each argument.
        args: the arguments of the call, as generated code takes them.
    """
    single = (value for layout, arg in zip(layouts, args, strict=False) for value in _leaves(arg, layout))
    shapes = enumerate(value.shape if isinstance(value, np.ndarray) else () for value in single)
    ones = tuple((k, axis) for k, shape in shapes for axis, size in enumerate(shape) if size == 1)
    return replace(style, broadcasts=True, ones=()) if style.ones or not ones else replace(style, ones=ones)


def _leaves(value: Any, layout: Layout) -> Iterator[Any]:
    """Yield the single values of an argument."""
    if isinstance(layout, Leaf):
        yield value
    elif isinstance(layout, Packed):
        for item, part in zip(value, layout.parts, strict=True):
            yield from _leaves(item, part)


def run_plainly(function: Any, args: Sequence[Any]) -> Any:
    """Call plain Python code with the meaning that it has when compiled."""
    from adcompiler.emit.plain import with_fields  # the compiler is loaded when it is first needed

    with np.errstate(all="ignore"), quietly(RuntimeWarning), enabled():
        return function(*map(with_fields, args))


def outdated(name: str) -> DifferentiationError:
    """Build the refusal of a pullback that belongs to a function as it was."""
    reason = f"what '{name}' reads has changed since its outputs were computed"
    return DifferentiationError("AD305", reason, None, "call vjp again")


def seconds_of_stages(clock: Sequence[float], is_kept: bool) -> dict[str, float]:
    """Return the seconds that each stage took, given the times at its ends; where it was kept, in all."""
    if is_kept:
        return {"read from the cache": clock[-1] - clock[0]}
    names = ("source to graph", "derivative and text", "Numba")
    return {name: end - start for name, start, end in zip(names, clock[:-1], clock[1:], strict=True)}
