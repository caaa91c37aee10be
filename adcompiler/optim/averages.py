"""Parameters averaged over the steps of training: often better than the last ones."""

from __future__ import annotations

from typing import Any

from numba import njit
from numba.extending import register_jitable

from adcompiler.optim.leaves import copied, updated
from adcompiler.optim.trees import tree_map


@register_jitable
def ema_init(params: Any) -> Any:
    """Return the average that `ema` starts from: a copy of the parameters.

    >>> ema_init((1.0, 2.0))
    (1.0, 2.0)
    """
    return tree_map(copied, params)


@register_jitable
def ema(average: Any, params: Any, decay: float = 0.999) -> Any:
    """Return the exponential moving average of parameters after one step more.

    Args:
        average: what `ema_init` or the step before returned; its arrays are updated in place.
        params: the parameters now, in the same structure.
        decay: what is left of the average after a step.

    Returns:
        the average: the same arrays, and new numbers.

    Raises:
        DifferentiationError, ValueError: as for `sgd`.

    >>> ema((1.0,), (2.0,), decay=0.75)
    (1.25,)
    """
    return tree_map(_ema_leaf, average, (params,), (float(decay),))


@register_jitable
def _ema_leaf(leaf: Any, others: Any, numbers: Any) -> Any:
    return updated(leaf, others, _ema, numbers)


@njit(error_model="numpy")
def _ema(p: Any, g: Any, slots: Any, i: Any, numbers: Any) -> Any:
    return numbers[0] * p + (1.0 - numbers[0]) * g
