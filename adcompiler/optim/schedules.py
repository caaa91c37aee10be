"""Learning rates as functions of the number of steps made so far, which starts at zero."""

from __future__ import annotations

import math

from numba.extending import register_jitable


@register_jitable
def constant_schedule(count: int, value: float) -> float:
    """Return the same rate for each step.

    >>> constant_schedule(7, 0.1)
    0.1
    """
    return float(value)


@register_jitable
def linear_schedule(count: int, init_value: float, end_value: float, transition_steps: int) -> float:
    """Return a rate that goes from one value to another in equal steps, and stays there: also a warm-up.

    Args:
        count: the number of steps made.
        init_value: the rate of the first step.
        end_value: the rate after `transition_steps`.
        transition_steps: how many steps it takes.

    >>> [linear_schedule(count, 0.0, 1.0, 4) for count in (0, 1, 4, 9)]
    [0.0, 0.25, 1.0, 1.0]
    """
    if count >= transition_steps:
        return float(end_value)
    return init_value + (end_value - init_value) * (count / transition_steps)


@register_jitable
def step_decay(count: int, init_value: float, decay_rate: float, step_size: int) -> float:
    """Return a rate that is multiplied by `decay_rate` after every `step_size` steps.

    >>> [step_decay(count, 1.0, 0.5, 10) for count in (0, 9, 10, 25)]
    [1.0, 1.0, 0.5, 0.25]
    """
    return init_value * math.pow(decay_rate, count // step_size)


@register_jitable
def exponential_decay(count: int, init_value: float, decay_rate: float, transition_steps: int) -> float:
    """Return a rate that is multiplied by `decay_rate` over `transition_steps`, a little in each.

    >>> exponential_decay(5, 1.0, 0.25, 10)
    0.5
    """
    return init_value * math.pow(decay_rate, count / transition_steps)


@register_jitable
def cosine_decay(count: int, init_value: float, decay_steps: int, alpha: float = 0.0) -> float:
    """Return a rate that falls along half a wave of the cosine, and stays there.

    Args:
        count: the number of steps made.
        init_value: the rate of the first step.
        decay_steps: after how many steps the least rate is reached.
        alpha: the least rate, as a part of `init_value`.

    Source: I. Loshchilov, F. Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017.

    >>> [round(cosine_decay(count, 1.0, 10, 0.1), 6) for count in (0, 5, 10, 20)]
    [1.0, 0.55, 0.1, 0.1]
    """
    part = min(count, decay_steps) / decay_steps
    return init_value * (alpha + (1.0 - alpha) * 0.5 * (1.0 + math.cos(math.pi * part)))


@register_jitable
def warmup_cosine_decay(
    count: int, peak_value: float, warmup_steps: int, decay_steps: int, end_value: float = 0.0
) -> float:
    """Return a rate that rises from zero to `peak_value`, then falls to `end_value` along half a cosine.

    Args:
        count: the number of steps made.
        peak_value: the greatest rate.
        warmup_steps: how many steps it takes to get there.
        decay_steps: how many steps it takes in all.
        end_value: the rate from there on.

    >>> [round(warmup_cosine_decay(count, 1.0, 10, 30), 6) for count in (0, 5, 10, 20, 30, 99)]
    [0.0, 0.5, 1.0, 0.5, 0.0, 0.0]
    """
    if count < warmup_steps:
        return peak_value * (count / warmup_steps)
    wave: float = cosine_decay(count - warmup_steps, 1.0, decay_steps - warmup_steps)
    return end_value + (peak_value - end_value) * wave
