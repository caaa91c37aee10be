"""Which derivatives can be taken of a function that may be a derivative itself."""

from __future__ import annotations

from typing import Any, Literal

from adcompiler.errors import DifferentiationError
from adcompiler.graph.steps import Chain, Matrix, Step, gradient_of, pullback_of

Mode = Literal["primal", "outputs", "grad", "value_and_grad", "pullback", "jvp", "hvp", Matrix]


def next_chain(mode: Mode, wrt: tuple[int, ...], inner: Chain = (), is_single: bool = True) -> Chain | None:
    """Return the chain of transformations for a derivative of a function; None where there is none.

    Args:
        mode: which derivative.
        wrt: positions of the arguments to differentiate.
        inner: the chain of the function itself.
        is_single: whether the function returns one gradient by itself, not as a tuple, if it is a derivative.

    >>> next_chain("grad", (1,), (Step("grad", (0,)),))
    (Step(kind='grad', wrt=(1,)), Step(kind='slope', wrt=(0,)))
    """
    match mode:
        case "primal" | "outputs":
            return inner
        case "jacfwd" | "jacrev" if is_single and all(step.kind in ("grad", "slope") for step in inner):
            return ()  # what they call is in the graph
        case "hessian" if not inner:
            return ()
        case "jvp":
            return (*inner, Step("jvp", wrt))
        case "pullback":
            return pullback_of(inner, wrt)
        case "grad" if is_single:
            return gradient_of(inner, wrt)
        case "value_and_grad" if not inner:
            return (Step("value_and_grad", wrt),)
        case "hvp" if is_single:
            found = gradient_of(inner, wrt)
            return found and (*found, Step("tangent", wrt))
    return None


def chain_of(mode: Mode, wrt: tuple[int, ...], inner: Any) -> Chain:
    """Return the chain of transformations for a derivative.

    Args:
        mode: which derivative.
        wrt: positions of the arguments to differentiate.
        inner: the derivative that is differentiated; None where it is a function.

    Raises:
        DifferentiationError: AD203 for derivatives that cannot be differentiated again.
    """
    if inner is None:
        found = next_chain(mode, wrt)
    elif inner.is_matrix or inner.mode == "hvp":
        found = None  # the arguments are others, or the graph is a loop around derivatives
    else:
        found = next_chain(mode, wrt, inner.chain, inner.style.single)
    if found is None:
        reason = f"{inner!r} is itself a derivative"
        cure = "grad of the grad of one number, jacobian, hessian and hvp are there for second derivatives"
        raise DifferentiationError("AD203", reason, None, cure)
    return found
