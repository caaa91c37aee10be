"""Derivatives of derivatives: which are one longer chain of steps, and which call the inner one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

from adcompiler.api.next_chain import Mode, merged_chain, next_chain
from adcompiler.custom import CustomFunction
from adcompiler.frontend.dispatchers import name_of
from adcompiler.graph.layout import derived_name
from adcompiler.graph.steps import Chain, Entries

if TYPE_CHECKING:
    from adcompiler.graph.nodes import Graph


def chain_of(
    mode: Mode, wrt: Sequence[int], has_aux: bool, holomorphic: bool, inner: Any
) -> tuple[Chain, bool]:
    """Return the steps of a derivative, and whether they start from a graph that calls another one.

    Args:
        mode: which derivative.
        wrt: positions of the arguments to differentiate.
        has_aux: whether the function returns a pair.
        holomorphic: whether it is the derivative of a complex result by complex arguments.
        inner: the derivative that is differentiated; None for a function.
    """
    wrt = tuple(wrt)
    own = next_chain(mode, wrt, has_aux, holomorphic)
    if inner is None:
        return own, False
    if has_aux or inner.has_aux or inner.is_nested or inner.is_matrix or inner.mode == "hvp":
        return own, True
    merged = merged_chain(mode, wrt, inner.chain, inner.style.single, holomorphic)
    return (own, True) if merged is None else (merged, False)


def lowered_function(derivative: Any, in_lanes: bool) -> Any:
    """Return what is lowered: the function at the bottom, or one that calls a derivative of it.

    Args:
        derivative: the derivative.
        in_lanes: whether a Jacobian or Hessian goes along several directions at once.
    """
    has_rule = isinstance(derivative.base, CustomFunction)
    if not (derivative.is_matrix or derivative.is_nested or has_rule):
        return derivative.base
    from adcompiler.frontend.transforms import lifted  # the compiler is loaded when it is first needed

    inner = derivative.inner if derivative.is_nested else derivative.base
    return lifted(derivative, in_lanes) if derivative.is_matrix else lifted(inner)


def described(derivative: Any, graph: Graph) -> Graph:
    """Return the graph that a derivative starts from; of a matrix, under its name."""
    if not derivative.is_matrix:
        return graph
    if derivative.mode == "vmap":
        name = name_of(derivative.python)
        return replace(graph, name=derived_name(name, "batch"), doc=f"Return {name} over a batch.")
    what = "Hessian" if "hessian" in derivative.mode else "Jacobian"
    by = ", ".join(derivative.names[k] for k in derivative.wrt)
    name = name_of(derivative.python)
    is_sparse = derivative.mode in get_args(Entries)
    doc = f"Return {'entries of ' * is_sparse}the {what} of {name} with respect to {by}."
    return replace(graph, name=derived_name(name, what.lower(), *["entries"] * is_sparse), doc=doc)
