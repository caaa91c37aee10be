"""What a workload of the suite consists of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from adcompiler import value_and_grad


@dataclass(frozen=True)
class Workload:
    """A function to differentiate, with the gradients that are compared.

    Attributes:
        primal: the function, as one writes it for Numba.
        inputs: makes one argument list from a random generator.
        wrt: positions of the arguments to differentiate.
        by_hand: the best adjoint we can write by hand for Numba: the value and a tuple of gradients; None
            where there is none yet.
        jax: makes JAX's best form, a function of the same arguments that returns value and gradients.
        loops: whether the primal is written in loops rather than array operations.
        torch: makes PyTorch's eager form, likewise.
        autograd: makes the form for HIPS autograd, likewise.
        label: name in the table, if not the primal's.
        by_numba: whether Numba compiles the primal; else the primal that is timed is the one that we make.
    """

    primal: Callable[..., float]
    inputs: Callable[[np.random.Generator], tuple[Any, ...]]
    wrt: tuple[int, ...]
    by_hand: Callable[..., tuple[float, tuple[Any, ...]]] | None
    jax: Callable[[], Callable[..., Any]] | None = None
    loops: bool = True
    torch: Callable[[], Callable[..., Any]] | None = None
    autograd: Callable[[], Callable[..., Any]] | None = None
    label: str = ""
    by_numba: bool = True

    @property
    def name(self) -> str:
        return self.label or self.primal.__name__

    @property
    def compiled(self) -> Callable[..., float]:
        """The primal, compiled."""
        if self.by_numba:
            return njit(self.primal, error_model="numpy")  # type: ignore[no-any-return]
        return value_and_grad(self.primal, argnums=self.wrt).primal  # type: ignore[no-any-return]


def jax_gradient(primal: Callable[..., Any], wrt: tuple[int, ...]) -> Callable[..., Any]:
    """Return a jitted function for value and gradients in double precision.

    Args:
        primal: the function in terms of `jax.numpy`.
        wrt: positions of the arguments to differentiate.
    """
    import jax

    jax.config.update("jax_enable_x64", True)
    compiled = jax.jit(jax.value_and_grad(primal, argnums=wrt))
    return lambda *args: jax.block_until_ready(compiled(*args))


def torch_gradient(primal: Callable[..., Any], wrt: tuple[int, ...]) -> Callable[..., Any]:
    """Return PyTorch's eager gradient in double precision, of NumPy arguments and results.

    Args:
        primal: the function in terms of `torch`.
        wrt: positions of the arguments to differentiate.
    """
    import torch

    def run(*args: Any) -> tuple[float, tuple[Any, ...]]:
        tensors = [
            torch.tensor(arg, dtype=torch.float64, requires_grad=k in wrt) for k, arg in enumerate(args)
        ]
        value = primal(*tensors)
        return value.item(), tuple(g.numpy() for g in torch.autograd.grad(value, [tensors[k] for k in wrt]))

    return run


def autograd_gradient(primal: Callable[..., Any], wrt: tuple[int, ...]) -> Callable[..., Any]:
    """Return the gradient by HIPS autograd.

    Args:
        primal: the function in terms of `autograd.numpy`.
        wrt: positions of the arguments to differentiate.
    """
    import autograd

    return autograd.value_and_grad(primal, argnum=wrt)  # type: ignore[no-any-return]
