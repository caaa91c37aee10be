"""Gradients of numeric Python functions, compiled by Numba."""

from typing import TYPE_CHECKING

from adcompiler.enabled import enabled

with enabled():
    from adcompiler.api.derivative import Derivative
    from adcompiler.api.first_order import grad, value_and_grad
    from adcompiler.api.implicit import ImplicitFunction, custom_argmin, custom_fixed_point, custom_root
    from adcompiler.api.inside_numba import DerivativeType
    from adcompiler.api.linear import linearize
    from adcompiler.api.made_inside import register_makers
    from adcompiler.api.products_inside import LinearType
    from adcompiler.api.pullback import vjp
    from adcompiler.api.pushforward import jvp
    from adcompiler.api.second_order import hessian, hvp, jacfwd, jacobian, jacrev
    from adcompiler.api.sparse import sparse_hessian, sparse_jacobian, sparsity
    from adcompiler.api.vmapped import vmap
    from adcompiler.custom import CustomFunction, checkpointed, custom_jvp, custom_vjp, grad_of, stop_gradient
    from adcompiler.errors import DifferentiationError
    from adcompiler.integrators import odeint, odeint_adjoint, rk4

    register_makers()

if TYPE_CHECKING:
    from adcompiler.explain.computation_graph import ComputationGraph

__all__ = [
    "ComputationGraph",
    "CustomFunction",
    "Derivative",
    "DerivativeType",
    "DifferentiationError",
    "ImplicitFunction",
    "LinearType",
    "checkpointed",
    "custom_argmin",
    "custom_fixed_point",
    "custom_jvp",
    "custom_root",
    "custom_vjp",
    "grad",
    "grad_of",
    "hessian",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "linearize",
    "odeint",
    "odeint_adjoint",
    "rk4",
    "sparse_hessian",
    "sparse_jacobian",
    "sparsity",
    "stop_gradient",
    "value_and_grad",
    "vjp",
    "vmap",
]
__version__ = "1.0.0"


def __getattr__(name: str) -> object:
    """Import what is needed to look at graphs when it is asked for: it loads the compiler."""
    if name != "ComputationGraph":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with enabled():
        from adcompiler.explain.computation_graph import ComputationGraph

    return ComputationGraph


def __dir__() -> list[str]:
    """Return the names that are meant to be used: no stages of the compiler."""
    return [*__all__, "__version__"]
