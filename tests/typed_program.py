"""What type checkers know of derivatives: read by mypy, and run as a program."""

import math
from collections.abc import Callable
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

from adcompiler import (
    ComputationGraph,
    CustomFunction,
    Derivative,
    custom_root,
    custom_vjp,
    grad,
    hessian,
    hvp,
    jacfwd,
    jacobian,
    jacrev,
    jvp,
    linearize,
    sparse_hessian,
    sparse_jacobian,
    sparsity,
    stop_gradient,
    value_and_grad,
    vjp,
    vmap,
)

Vector = NDArray[np.float64]


def energy(x: Vector, k: float = 1.0) -> float:
    total = 0.0
    for i in range(len(x)):
        total += 0.5 * k * x[i] ** 2
    return total


def polar(r: float, angle: float) -> tuple[float, float]:
    return r * np.cos(angle), r * np.sin(angle)


slope = grad(energy)
slope(np.ones(2), k=2.0)
slope.check(np.ones(2), 2.0)
assert_type(slope.source, str)
assert_type(slope.value_and_grad(np.ones(2)), tuple[Any, Any])

both = value_and_grad(energy)
assert_type(both(np.ones(2)), tuple[float, Any])
assert_type(value_and_grad(polar, has_aux=True)(1.0, 2.0), tuple[tuple[float, float], Any])


@value_and_grad(argnums=("x", "k"))
def decorated(x: Vector, k: float) -> float:
    return energy(x, k)


assert_type(decorated(np.ones(2), 3.0), tuple[float, Any])


@grad
def plain(x: float) -> float:
    return x * x


plain(x=3.0)

for derivative in (hessian(energy), jacobian(energy), jacfwd(energy), jacrev(energy)):
    derivative(np.ones(2), k=2.0)
assert_type(hvp(energy)(np.ones(2), 2.0, np.ones(2)), Any)
assert_type(vmap(energy, in_axes=(0, None)), Derivative[..., Any])
assert_type(vmap(energy, in_axes=(0, None))(np.ones((3, 2)), 2.0), Any)


def moved(x: Vector, k: float = 1.0) -> Vector:
    return k * x


rows = sparse_jacobian(moved)
rows(np.ones(2), k=2.0)
rows.colouring(np.ones(2))
assert_type(sparsity(moved)(np.ones(2)).nnz, int)
sparse_hessian(energy)(np.ones(2))
assert_type(slope.explain(), str)
assert_type(bool(slope.check(np.ones(2), 2.0)), bool)
assert_type(slope.graph, ComputationGraph)
assert_type(stop_gradient(2.0), float)

outputs, pullback = vjp(polar, 1.0, 2.0)
assert_type(outputs, tuple[float, float])
pullback((1.0, 0.0))
first, pullback, second = vjp(polar, 1.0, 2.0, has_aux=True)
assert_type((first, second), tuple[float, float])
assert_type(jvp(polar, (1.0, 2.0), (1.0, 0.0)), tuple[tuple[float, float], Any])
assert_type(linearize(polar, 1.0, 2.0)[0], tuple[float, float])


@custom_vjp
def root(a: float) -> float:
    return math.sqrt(a)


@root.defvjp
def root_vjp(a: float, x: float, d: float) -> float:
    return 0.5 * d / x


@custom_root(lambda x, a: x**2 - a)
def other_root(guess: float, a: float) -> float:
    return math.sqrt(a)


assert_type(root(2.0), float)
assert_type(other_root(1.0, a=2.0), float)

KNOWN: tuple[Callable[[float], float], CustomFunction[..., float], Derivative[..., Any]] = (
    root,
    other_root,
    slope,
)
