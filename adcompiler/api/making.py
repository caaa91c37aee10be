"""What a derivative consists of: its graph and plan, and the text of its module."""

from __future__ import annotations

import time
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from adcompiler.api.compile import Compiled, compile_text
from adcompiler.api.remembered import Entry
from adcompiler.emit.callees import forget
from adcompiler.emit.module import digest_of, module_text
from adcompiler.emit.running import stem_of
from adcompiler.enabled import enabled
from adcompiler.errors import DifferentiationError, defects_reported
from adcompiler.explain.in_words import module_header
from adcompiler.frontend.staying import CannotStayError, staying_functions
from adcompiler.graph.layout import Layout
from adcompiler.graph.nodes import Graph
from adcompiler.graph.steps import Chain, Style
from adcompiler.graph.walk import walk
from adcompiler.lanes.varying import NotInLanesError
from adcompiler.reverse.augmented import is_call


def compiled(
    name: str,
    lowered: Callable[[tuple[Layout, ...], frozenset[Any], bool], Graph],
    layouts: tuple[Layout, ...],
    chain: Chain,
    style: Style,
    keep_arguments: bool,
    clock: list[float],
    function: types.FunctionType | None = None,
) -> Compiled:
    """Return the graph of a derivative, its plan, and the text of its functions.

    Args:
        name: the function's name.
        lowered: returns the function's graph for layouts of its arguments, the functions that it calls, and
            whether Jacobians and Hessians are to be computed along several directions at once.
        layouts: layout of each argument.
        chain: which derivative.
        style: what the text is to be like.
        keep_arguments: whether arguments that the function writes are copied.
        clock: gets the time at which the graph is there.
        function: the function, if those that it calls may be called rather than inlined.
    """
    forget()
    with defects_reported(name), enabled():
        staying = frozenset() if function is None else staying_functions(function)
        while True:
            graph = lowered(layouts, staying, style.in_lanes)
            clock[1:] = [time.perf_counter()]
            try:
                return compile_text(graph, layouts, chain, style, keep_arguments)
            except NotInLanesError:
                style = replace(style, in_lanes=False)
            except CannotStayError as error:
                if error.function not in staying:
                    raise
                staying -= {error.function}
            except DifferentiationError:
                if not any(map(is_call, walk(graph.body))):
                    raise
                staying = frozenset()  # what is refused is told of inlined code


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
