"""What each of several processes runs: `mpiexec -n 4 python tests/message_programs.py`."""

import math

import numba_mpi
import numpy as np

from adcompiler import DifferentiationError, grad, hvp, jvp, value_and_grad
from adcompiler.distributed.messages import NOBODY, all_sum, broadcast, exchange

RANK, SIZE = numba_mpi.rank(), numba_mpi.size()
OWN = slice(5 * RANK, 5 * RANK + 5)
RNG = np.random.default_rng(0)
U, V = RNG.normal(size=5 * SIZE), RNG.normal(size=5 * SIZE)


def heat(u, c, rank, size, steps):
    """A stencil with one cell of each neighbour; returns the share of this process."""
    left, right = rank - 1, rank + 1 if rank + 1 < size else NOBODY
    for _ in range(steps):
        low = exchange(u[-1:], right, left)
        high = exchange(u[:1], left, right)
        wide = np.concatenate((low, u, high))
        u = u + c * (wide[:-2] - 2.0 * u + wide[2:])
    return np.sum(u**3) * math.sqrt(all_sum(np.sum(u * u)))


def alone(u, c, steps):
    for _ in range(steps):
        wide = np.concatenate((np.zeros(1), u, np.zeros(1)))
        u = u + c * (wide[:-2] - 2.0 * u + wide[2:])
    return np.sum(u**3) * math.sqrt(np.sum(u * u))


def gradients(jit):
    value, (d_u, d_c) = value_and_grad(heat, argnums=(0, 1), jit=jit)(U[OWN].copy(), 0.2, RANK, SIZE, 6)
    expected, (whole_u, whole_c) = value_and_grad(alone, argnums=(0, 1), jit=jit)(U, 0.2, 6)
    np.testing.assert_allclose(all_sum(value), expected, rtol=1e-12)
    np.testing.assert_allclose(d_u, whole_u[OWN], rtol=1e-10)
    np.testing.assert_allclose(all_sum(d_c), whole_c, rtol=1e-10)


def other_derivatives():
    given, direction = (U[OWN].copy(), 0.2, RANK, SIZE, 6), V[OWN].copy()
    tangent = jvp(heat, given, (direction, None, None, None, None), jit=False)[1]
    np.testing.assert_allclose(all_sum(tangent), grad(alone, jit=False)(U, 0.2, 6) @ V, rtol=1e-10)
    product = hvp(heat, jit=False)(*given, direction)
    np.testing.assert_allclose(product, hvp(alone, jit=False)(U, 0.2, 6, V)[OWN], rtol=1e-9)


def scaled(w, x, root):
    shared = broadcast(w, root)
    return np.sum(np.tanh(x * shared[0]) * shared[1])


def from_one_process():
    w, x = np.array([0.3 + RANK, -1.2]), np.arange(3.0) + RANK
    d_w = grad(scaled)(w, x, 1)
    whole = all_sum(grad(lambda w, x: np.sum(np.tanh(x * w[0]) * w[1]))(np.array([1.3, -1.2]), x))
    np.testing.assert_allclose(d_w, whole if RANK == 1 else np.zeros(2), rtol=1e-12)


def unknown(u):
    numba_mpi.send(u, 0)
    return np.sum(u * u)


def refusals():
    try:
        grad(unknown)(U)
    except DifferentiationError as refusal:
        assert refusal.code == "AD202" and "numba_mpi.send(u, 0)" in str(refusal)
        return
    raise AssertionError("a message that nothing reverses was differentiated")


gradients(jit=True)
gradients(jit=False)
other_derivatives()
from_one_process()
refusals()
print(f"process {RANK} of {SIZE} agrees")
