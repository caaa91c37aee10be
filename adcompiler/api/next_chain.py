"""Which derivatives can be taken of a function that may be a derivative itself."""

from __future__ import annotations

from typing import Literal

from adcompiler.graph.steps import Chain, Matrix, Step, gradient_of, pullback_of

Mode = Literal[
    "primal",
    "outputs",
    "grad",
    "value_and_grad",
    "pullback",
    "halves",
    "linearized",
    "jvp",
    "hvp",
    "pattern",
    "local_pattern",
    Matrix,
]


def next_chain(mode: Mode, wrt: tuple[int, ...], has_aux: bool = False, holomorphic: bool = False) -> Chain:
    """Return the chain of transformations for a derivative of a function.

    Args:
        mode: which derivative.
        wrt: positions of the arguments to differentiate.
        has_aux: whether the function returns a pair, of which the second part is handed on.
        holomorphic: whether it is the derivative of a complex result by complex arguments.

    >>> next_chain("hvp", (1,))
    (Step(kind='grad', wrt=(1,), has_aux=False), Step(kind='tangent', wrt=(1,), has_aux=False))
    """
    match mode:
        case "primal" | "outputs":
            return ()
        case "jacobian" | "jacfwd" | "jacrev" | "hessian":
            return ()  # what matrices call is in the graph
        case "vmap" | "entries_by_columns" | "entries_by_rows" | "entries_of_hessian":
            return ()
        case "pattern":
            return (Step("tangent", wrt, in_sets="everywhere"),)
        case "local_pattern":
            return (Step("tangent", wrt, in_sets="here"),)
        case "hvp":
            return Step("grad", wrt), Step("tangent", wrt)
        case "linearized":
            return (Step("halves", wrt, transposed=True),)
        case "grad" | "value_and_grad":
            return (Step(mode, wrt, has_aux, holomorphic),)
    return (Step(mode, wrt, has_aux),)


def merged_chain(
    mode: Mode, wrt: tuple[int, ...], inner: Chain, is_single: bool, holomorphic: bool = False
) -> Chain | None:
    """Return the chain for a derivative of a derivative; None where there is none, or it would not be
    shorter.

    Args:
        mode: which derivative.
        wrt: positions of the arguments to differentiate.
        inner: the chain of the derivative that is differentiated.
        is_single: whether that returns one gradient by itself, not as a tuple.
        holomorphic: whether the derivative is one of a complex result by complex arguments.

    >>> merged_chain("grad", (1,), (Step("grad", (0,)),), True)[1]
    Step(kind='slope', wrt=(0,), has_aux=False)
    """
    match mode:
        case "primal" | "outputs":
            return inner
        case "jacobian" | "jacfwd" | "jacrev" if is_single and all(
            step.kind in ("grad", "slope") for step in inner
        ):
            return ()
        case "jvp" | "pattern" | "local_pattern":
            return (*inner, *next_chain(mode, wrt))
        case "pullback":
            return pullback_of(inner, wrt)
        case "grad" if is_single:
            return gradient_of(inner, wrt, holomorphic)
        case "hvp" if is_single:
            found = gradient_of(inner, wrt)
            return found and (*found, Step("tangent", wrt))
    return None
