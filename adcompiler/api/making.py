"""What a derivative consists of: its graph and plan, and the text of its module."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from adcompiler.api.compile import Compiled, compile_text
from adcompiler.api.remembered import Entry
from adcompiler.emit.callees import forget
from adcompiler.emit.module import digest_of, module_text
from adcompiler.emit.running import stem_of
from adcompiler.enabled import enabled
from adcompiler.errors import defects_reported
from adcompiler.explain.in_words import module_header
from adcompiler.graph.layout import Layout
from adcompiler.graph.nodes import Graph
from adcompiler.graph.steps import Chain, Style
from adcompiler.lanes.varying import NotInLanesError


def compiled(
    name: str,
    lowered: Callable[[tuple[Layout, ...], bool], Graph],
    layouts: tuple[Layout, ...],
    chain: Chain,
    style: Style,
    keep_arguments: bool,
    clock: list[float],
) -> Compiled:
    """Return the graph of a derivative, its plan, and the text of its functions.

    Args:
        name: the function's name.
        lowered: returns the function's graph for layouts of its arguments, and whether Jacobians and Hessians
            are to be computed along several directions at once.
        layouts: layout of each argument.
        chain: which derivative.
        style: what the text is to be like.
        keep_arguments: whether arguments that the function writes are copied.
        clock: gets the time at which the graph is there.
    """
    forget()
    with defects_reported(name), enabled():
        graph = lowered(layouts, style.in_lanes)
        clock.append(time.perf_counter())
        try:
            return compile_text(graph, layouts, chain, style, keep_arguments)
        except NotInLanesError:
            style = replace(style, in_lanes=False)
            return compile_text(lowered(layouts, False), layouts, chain, style, keep_arguments)


def entry_of(
    unit: Compiled,
    mode: str,
    name: str,
    layouts: Mapping[str, Layout],
    origins: Sequence[str],
    options: Mapping[str, Any],
) -> Entry:
    """Return what the module of a derivative is made of.

    Args:
        unit: the derivative.
        mode: which derivative it is.
        name: the function's name.
        layouts: layout of each argument, by name.
        origins: where their types come from; empty if a call showed them.
        options: options for Numba.
    """
    source = module_text(unit.text, module_header(mode, name, layouts, origins), options)
    stem = stem_of(unit.text.name, digest_of(source, unit.text))
    return Entry(unit.text.name, stem, source, unit.interface, unit.text.objects)
