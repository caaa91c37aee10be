"""Watching the pipeline: what each pass made of a graph, and what happens without one of them."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adcompiler.graph.nodes import Graph

VARIABLE = "ADCOMPILER_STAGES"
"""Environment variable: names of passes, with commas between them, or `all`; what they change is printed."""


@dataclass
class Stages:
    """The graph after each pass that changed it; printed, what each changed.

    Attributes:
        names: what made each graph: `function: pass`.
        texts: the graphs, as text.
    """

    names: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def enter(self, name: str, graph: Graph) -> None:
        """Note what a pass made of a graph, after checking that it is well formed."""
        from adcompiler.graph.text import (
            to_text,  # who asks whether the pipeline is watched needs no compiler
        )
        from adcompiler.graph.verify import verify

        text = to_text(verify(graph))
        if not self.texts or self.texts[-1] != text:
            self.names.append(f"{graph.name}: {name}")
            self.texts.append(text)

    def __str__(self) -> str:
        return "\n".join(self.difference(k) for k in range(len(self.names)))

    def difference(self, k: int) -> str:
        """Return the graph at the beginning, and what changed at all later stages."""
        title = f"=== {self.names[k]} ==="
        if k == 0:
            return f"{title}\n{self.texts[0]}"
        before, after = self.texts[k - 1].splitlines(), self.texts[k].splitlines()
        lines = [*difflib.unified_diff(before, after, lineterm="", n=2)][2:]
        return "\n".join([title, *(line for line in lines if not line.startswith("@@"))])


_recorder: ContextVar[Stages | None] = ContextVar("recorder", default=None)
_skipped: ContextVar[frozenset[str]] = ContextVar("skipped", default=frozenset())


@contextmanager
def watching() -> Iterator[Stages]:
    """Record what each pass does to what is compiled in this block."""
    stages = Stages()
    token = _recorder.set(stages)
    try:
        yield stages
    finally:
        _recorder.reset(token)


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Leave passes out in this block, by their names: to see what they are good for."""
    token = _skipped.set(_skipped.get() | {*names})
    try:
        yield
    finally:
        _skipped.reset(token)


def is_left_out(name: str) -> bool:
    """Tell whether a pass is left out."""
    return name in _skipped.get()


def is_watched() -> bool:
    """Tell whether the pipeline has to run because somebody watches it, or leaves passes out."""
    return _recorder.get() is not None or bool(_skipped.get()) or bool(os.environ.get(VARIABLE))


def report(name: str, before: Graph | None, after: Graph) -> None:
    """Show what a pass did to those who watch."""
    recorder = _recorder.get()
    if recorder is not None:
        recorder.enter(name, after)
    wanted = os.environ.get(VARIABLE, "")
    if wanted and (wanted == "all" or name in wanted.split(",")):
        stages = Stages()
        if before is not None:
            stages.enter("before", before)
        stages.enter(name, after)
        if len(stages.names) > (before is not None):
            print(stages.difference(len(stages.names) - 1), file=sys.stderr)
