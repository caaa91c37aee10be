"""Functions that stay functions, held against what is known once types are: some are inlined after all."""

from __future__ import annotations

from numba.core import types as nt

from adcompiler.analysis.dependence import Loops
from adcompiler.analysis.iterations import Iterations
from adcompiler.analysis.sums import carried_kinds
from adcompiler.frontend.staying import CannotStayError, inlined_size
from adcompiler.graph.nodes import Apply, For, Graph, Region, Value, While, type_of
from adcompiler.graph.walk import regions, walk
from adcompiler.reverse.augmented import callee_of, is_call

LONGEST = 1000
"""A function of more operations is called in loops that LLVM could vectorise, too."""


def check_calls(graph: Graph) -> None:
    """Let functions stay that take and return numbers, and that do not keep a loop from being vectorised.

    LLVM computes several iterations at once where these do not depend on each other, but not through calls.

    Args:
        graph: the typed primal.

    Raises:
        CannotStayError: for the first function that has to be inlined.
    """
    calls = [node for node in walk(graph.body) if isinstance(node, Apply) and is_call(node)]
    for node in calls:
        kinds = [type_of(arg) for arg in node.args if isinstance(arg, Value)]
        kinds += [*node.out.type] if isinstance(node.out.type, nt.BaseTuple) else [node.out.type]
        if not all(isinstance(kind, nt.Float | nt.Integer | nt.Boolean) for kind in kinds):
            raise CannotStayError(callee_of(node).function)
    if calls:
        _check_loops(graph.body, (), Iterations(graph))


def _check_loops(region: Region, loops: Loops, iterations: Iterations) -> None:
    """Look at the calls in loops whose iterations do not depend on each other."""
    loop = loops[-1] if loops else None
    for node in region.nodes:
        if isinstance(node, Apply) and is_call(node) and isinstance(loop, For):
            callee = callee_of(node)
            is_short = not callee.has_loops and inlined_size(callee.function) <= LONGEST
            if is_short and _may_be_vectorised(loop, loops[:-1], iterations):
                raise CannotStayError(callee.function)
        inner = (*loops, node) if isinstance(node, For | While) else loops
        for part in regions(node):
            _check_loops(part, inner, iterations)


def _may_be_vectorised(loop: For, around: Loops, iterations: Iterations) -> bool:
    if loop.breaks or None in carried_kinds(loop.body):
        return False
    has_loops = any(isinstance(node, For | While) for node in walk(loop.body))
    return not has_loops and iterations.are_apart(loop, around, sums_are_apart=True)
