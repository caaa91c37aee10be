"""Optimizers for compiled loops: each is called from Python and inside `@njit` code alike."""

from adcompiler.optim.adaptive import AdamState, RmspropState, adam, adam_init, adamw, rmsprop, rmsprop_init
from adcompiler.optim.averages import ema, ema_init
from adcompiler.optim.clipping import clip_by_global_norm, global_norm
from adcompiler.optim.descent import LionState, SgdState, lion, lion_init, sgd, sgd_init
from adcompiler.optim.quasi_newton import LbfgsState, lbfgs, lbfgs_init
from adcompiler.optim.schedules import (
    constant_schedule,
    cosine_decay,
    exponential_decay,
    linear_schedule,
    step_decay,
    warmup_cosine_decay,
)

__all__ = [
    "AdamState",
    "LbfgsState",
    "LionState",
    "RmspropState",
    "SgdState",
    "adam",
    "adam_init",
    "adamw",
    "clip_by_global_norm",
    "constant_schedule",
    "cosine_decay",
    "ema",
    "ema_init",
    "exponential_decay",
    "global_norm",
    "lbfgs",
    "lbfgs_init",
    "linear_schedule",
    "lion",
    "lion_init",
    "rmsprop",
    "rmsprop_init",
    "sgd",
    "sgd_init",
    "step_decay",
    "warmup_cosine_decay",
]


def __dir__() -> list[str]:
    """Return the names that are meant to be used."""
    return [*__all__]
