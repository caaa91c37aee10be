"""Functions that Numba compiles as functions of PyTorch, with derivatives of any order in reverse mode.

PyTorch calls them on the processor, in the types of its tensors. `gradcheck` and `gradgradcheck` hold.
"""

# mypy: disable-error-code="misc"
from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adcompiler.bridges.with_pullbacks import WithPullbacks

Function = Callable[..., Any]


def to_torch(function: Function) -> Function:
    """Return a function of PyTorch that calls a numeric Python function, with its derivatives.

    Args:
        function: a numeric Python function or `@njit` dispatcher of numbers and arrays, that returns a
            number, an array, or a tuple of these. Tensors without axes are given to it as numbers.

    Returns:
        a function of tensors, numbers and arrays. Tensors of floats that require a gradient get one; results
        are tensors, on the device of the first tensor that it is given.

    Raises:
        ImportError: where PyTorch is not installed.

    Example:
        >>> from adcompiler.bridges.torch_functions import to_torch
        >>> cube = to_torch(lambda x: x * x * x)  # doctest: +SKIP
        >>> x = torch.tensor(2.0, requires_grad=True)  # doctest: +SKIP
        >>> torch.autograd.grad(cube(x), x)  # doctest: +SKIP
        (tensor(12.),)
    """
    host = WithPullbacks.of(function)

    def called(*args: Any) -> Any:
        return _called().apply(host, *args)

    return functools.update_wrapper(called, function)


@functools.cache
def _called() -> Any:
    """Return PyTorch's view of a call of a host; PyTorch is imported when it is first needed."""
    import torch

    class Called(torch.autograd.Function):
        """One call, whose reversal is a call of the pullback."""

        @staticmethod
        def forward(ctx: Any, host: WithPullbacks, *args: Any) -> Any:
            found = host.function(*map(_plain, args))
            ctx.host, ctx.given = host, [None if isinstance(arg, torch.Tensor) else arg for arg in args]
            ctx.save_for_backward(*(arg for arg in args if isinstance(arg, torch.Tensor)))
            made = tuple(_tensor(one, args) for one in (found if isinstance(found, tuple) else (found,)))
            ctx.mark_non_differentiable(*(one for one in made if not one.is_floating_point()))
            return made if isinstance(found, tuple) else made[0]

        @staticmethod
        def backward(ctx: Any, *adjoints: Any) -> Any:
            tensors = iter(ctx.saved_tensors)
            args = [next(tensors) if arg is None else arg for arg in ctx.given]
            varied = tuple(k for k, needed in enumerate(ctx.needs_input_grad[1:]) if needed)
            pulled = ctx.host.pullback(len(args), varied, len(adjoints))
            found = iter(Called.apply(pulled, *args, *adjoints))
            return None, *(next(found) if k in varied else None for k in range(len(args)))

    return Called


def _plain(value: Any) -> Any:
    """Return an argument as the function takes it: a tensor without axes is a number."""
    if not hasattr(value, "detach"):
        return value
    array = value.detach().cpu().numpy()
    return array.item() if array.ndim == 0 else array


def _tensor(value: Any, args: Sequence[Any]) -> Any:
    """Return a result as a tensor, of the widest type of floats and on the first device that was given."""
    import torch

    tensors = [arg for arg in args if isinstance(arg, torch.Tensor)]
    is_shared = any(np.may_share_memory(value, arg) for arg in map(_plain, args))
    made = torch.from_numpy(np.array(value) if is_shared else np.asarray(value))
    kinds = [arg.dtype for arg in tensors if arg.is_floating_point()]
    if made.is_floating_point() and kinds:
        made = made.to(functools.reduce(torch.promote_types, kinds))
    return made.to(tensors[0].device) if tensors else made
