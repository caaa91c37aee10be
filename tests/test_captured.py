"""Arrays and tuples from outside a function, in every place where one can stand."""

import numpy as np
import pytest

from adcompiler import grad, hvp, jvp, vjp
from adcompiler.testing import central_difference, check_grad

R = np.random.default_rng(0)
COUNTS = np.array([1, 3, 2, 0, 2])
TABLE = np.array([[1, 2, 0], [2, 0, 1]])
FLAGS = np.array([True, False, True, False, True])
FACTORS = np.array([0.5, -1.5, 2.0, 0.25, 1.0])
MATRIX = R.normal(size=(5, 5))
PAIR = (2, 3)
SHARES = (0.25, 0.75)
SINGLE = np.array([0.5, 1.5, 2.5, -1.0, 0.3], np.float32)


def literal_index(x):
    s = 0.0
    for i in range(len(x)):
        s += x[i] * COUNTS[1] * COUNTS[-1] * FACTORS[2] * int(COUNTS[1]) * SINGLE[1]
    return s


def computed_index(x):
    s = 0.0
    for i in range(len(x)):
        s += x[i] ** 2 * COUNTS[i] * FACTORS[COUNTS[i]] * FACTORS[-1 - i] + SHARES[i % 2] * x[i]
    return s


def index_of_index(x):
    s = 0.0
    for i in range(len(COUNTS)):
        k = COUNTS[i]
        s += x[k] * x[COUNTS[k]] + x[TABLE[1, 0]]
    return s


def matrix_index(x):
    s = 0.0
    for i in range(2):
        for j in range(3):
            s += x[TABLE[i, j]] * TABLE[-1, j] * MATRIX[TABLE[0, 1], j] * TABLE[i][j]
    return s


def conditions(x):
    s = 0.0
    for i in range(len(x)):
        if FLAGS[i] and COUNTS[0] == 1:
            s += x[i] * x[i]
        if FLAGS[1] or FACTORS[i] > 0.3:
            s += 3.0 * x[i]
        s += x[i] if not FLAGS[-1] else x[i] ** 3
    return s


def loop_bounds(x):
    s = 0.0
    for _ in range(COUNTS[1]):
        for j in range(COUNTS[0], TABLE[0, 1] + PAIR[0], COUNTS[0]):
            s += x[j] ** 2
    k = 0
    while k < COUNTS[2]:
        s *= x[k]
        k += COUNTS[0]
    return s


def slice_bounds(x):
    s = 0.0
    for i in range(3):
        s += np.sum(x[COUNTS[0] : PAIR[1]] * FACTORS[i : i + 2]) + np.sum(x[COUNTS[i] :] ** 2)
    return s + np.sum(x[: COUNTS[1]] * FACTORS[: COUNTS[1]])


def rows_of_a_matrix(x):
    s = 0.0
    for i in range(len(MATRIX)):
        s += MATRIX[i] @ x * np.sum(MATRIX[:, 2] * x) + MATRIX[i, i] * MATRIX.shape[0] * COUNTS.size
    return s


def gone_over(x):
    s = 0.0
    for k, c in enumerate(COUNTS):
        s += x[k] * c
    for c, f in zip(COUNTS, FACTORS):
        s += x[c] ** 2 * f
    for row in TABLE:
        s += x[row[0]] * row[1]
    return s


INDEXED = [
    literal_index,
    computed_index,
    index_of_index,
    matrix_index,
    conditions,
    loop_bounds,
    slice_bounds,
    rows_of_a_matrix,
    gone_over,
]


def check_all_modes(function, x, jit, check_all_compiled=False):
    check_grad(function, (x,), jit=jit)
    if jit and not check_all_compiled:
        return
    direction = R.normal(size=x.shape)
    expected = np.sum(central_difference(function, (x,), 0) * direction)
    found = jvp(function, (x,), (direction,), jit=jit)[1]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)
    gradient = grad(function, jit=jit)
    slope = (gradient(x + 1e-6 * direction) - gradient(x - 1e-6 * direction)) / 2e-6
    np.testing.assert_allclose(hvp(function, jit=jit)(x, direction), slope, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("function", INDEXED, ids=lambda f: f.__name__)
def test_captured_arrays_are_indexed(function, jit):
    check_all_modes(function, R.normal(size=5), jit, function is literal_index)


V, W = R.normal(size=3), R.normal(size=(3, 3))
M = R.normal(size=(3, 3)) + 4.0 * np.eye(3)
S = M @ M.T
T = R.normal(size=(2, 3, 3))
MASK = np.array([True, False, True])
INTS = np.array([2, 0, 1])

OF_VECTORS = {
    "concatenate": lambda x: np.concatenate((x, V)),
    "concatenate after": lambda x: np.concatenate((V, x)),
    "concatenate between": lambda x: np.concatenate((V, x * x, V)),
    "concatenate twice": lambda x: np.concatenate((x, V, x)),
    "concatenate slices": lambda x: np.concatenate((x[:1], V[1:], x[1:])),
    "concatenate rows": lambda x: np.concatenate((W, x.reshape(1, 3))),
    "concatenate columns": lambda x: np.concatenate((x.reshape(3, 1), W), axis=1),
    "concatenate columns after": lambda x: np.concatenate((W, x.reshape(3, 1)), axis=1),
    "stack": lambda x: np.stack((x, V)),
    "stack after": lambda x: np.stack((V, x)),
    "stack along": lambda x: np.stack((V, x, V), axis=1),
    "vstack": lambda x: np.vstack((x, V)),
    "vstack after": lambda x: np.vstack((V, x)),
    "vstack matrix": lambda x: np.vstack((W, x.reshape(1, 3))),
    "hstack": lambda x: np.hstack((x, V)),
    "hstack after": lambda x: np.hstack((V, x)),
    "hstack matrix": lambda x: np.hstack((W, x.reshape(3, 1))),
    "column_stack": lambda x: np.column_stack((x, V)),
    "column_stack after": lambda x: np.column_stack((V, x)),
    "append": lambda x: np.append(x, V),
    "append after": lambda x: np.append(V, x),
    "append number": lambda x: np.append(V, x[0]),
    "where": lambda x: np.where(MASK, x, V),
    "where after": lambda x: np.where(MASK, V, x),
    "where test": lambda x: np.where(V > 0, x, x * x),
    "where of test": lambda x: np.where(x > V, x * V, V),
    "dot": lambda x: np.array([np.dot(x, V)]),
    "dot before": lambda x: np.array([np.dot(V, x)]),
    "dot matrix": lambda x: np.dot(W, x),
    "dot of matrix": lambda x: np.dot(x, W),
    "matmul": lambda x: W @ x,
    "matmul after": lambda x: x @ W,
    "matmul of matrices": lambda x: np.outer(x, x) @ W,
    "matmul to matrices": lambda x: W @ np.outer(x, x),
    "matmul transposed": lambda x: W.T @ x,
    "outer": lambda x: np.outer(x, V),
    "outer before": lambda x: np.outer(V, x),
    "kron": lambda x: np.kron(np.outer(x, x), W),
    "kron before": lambda x: np.kron(W, np.outer(x, x)),
    "vdot": lambda x: np.array([np.vdot(V, x)]),
    "cross": lambda x: np.cross(x, V),
    "cross before": lambda x: np.cross(V, x),
    "convolve": lambda x: np.convolve(x, V),
    "convolve before": lambda x: np.convolve(V, x),
    "interp": lambda x: np.interp(x, np.sort(V), V),
    "interp values": lambda x: np.interp(V, np.sort(V), x),
    "solve": lambda x: np.linalg.solve(M, x),
    "solve for": lambda x: np.linalg.solve(M + np.outer(x, x), V),
    "maximum": lambda x: np.maximum(x, V),
    "maximum before": lambda x: np.maximum(V, x),
    "minimum": lambda x: np.minimum(V, x),
    "power": lambda x: np.abs(V) ** x,
    "power of": lambda x: np.abs(x) ** V,
    "arctan2": lambda x: np.arctan2(x, V) + np.arctan2(V, x),
    "hypot": lambda x: np.hypot(x, V) * np.hypot(V, x),
    "clip": lambda x: np.clip(x, V - 0.5, V + 0.5),
    "arithmetic": lambda x: (x + V) * (V - x) / (2.0 + V * V) - V / (2.0 + x * x),
    "stretched": lambda x: x * W + V,
    "comparison": lambda x: (x > V) * x + (V <= x) * x * x,
    "by integers": lambda x: x[INTS],
    "by mask": lambda x: x[MASK] * V[MASK],
    "take": lambda x: np.take(x, INTS),
    "of captured": lambda x: np.sum(V) * x + np.mean(W) * np.max(V) + np.dot(V, V) * x[0] + (W @ V) * x,
    "stack of matrices": lambda x: T[0] @ x + T[1, 2] * x + T.sum() * x,
    "filled": lambda x: np.full(3, V[0]) * x + np.zeros_like(V) + np.ones_like(V) * x,
    "copy": lambda x: V.copy() * x + W.reshape(9)[:3] * x + W.T[0] * x + W.ravel()[3:6] * x,
    "lstsq": lambda x: np.linalg.inv(M) @ x + np.linalg.det(S) * x,
    "eigh": lambda x: np.linalg.eigh(S)[0] * x,
    "diag": lambda x: np.diag(V) @ x + np.diag(W) * x,
    "triangular": lambda x: np.tril(W) @ x + np.triu(W) @ x,
    "cumsum": lambda x: np.cumsum(V) * x + np.diff(V)[0] * x,
    "roll": lambda x: np.roll(V, 1) * x + V[::-1] * x,
    "sort": lambda x: np.sort(V) * x + np.argsort(V) * x,
    "trace": lambda x: np.trace(W) * x + np.linalg.norm(V) * x,
    "einsum": lambda x: np.einsum("ij,j->i", W, x),
    "repeat": lambda x: np.repeat(V, 2)[:3] * x,
    "tile": lambda x: np.concatenate((V, V))[2:5] * x,
    "expand": lambda x: np.expand_dims(V, 0) * x,
    "broadcast": lambda x: np.broadcast_to(V, (3, 3)) * x,
    "searchsorted": lambda x: x * np.searchsorted(np.sort(V), 0.2),
    "fft": lambda x: x * np.sum(np.abs(V)) + np.sign(V) * x + np.floor(V) * x,
    "list": lambda x: np.array([x[0], V[1], x[2] * V[0]]),
    "list of rows": lambda x: np.array([[x[0], V[1]], [W[0, 1], x[2]]]),
}

COMPILED = (
    "concatenate between",
    "stack after",
    "hstack matrix",
    "append after",
    "where after",
    "outer",
    "by integers",
)


@pytest.mark.parametrize("name", OF_VECTORS)
def test_captured_arrays_are_arguments(name):
    function, x, direction = OF_VECTORS[name], R.normal(size=3), R.normal(size=3)
    value = function(x)
    expected = (function(x + 1e-6 * direction) - function(x - 1e-6 * direction)) / 2e-6
    weights = R.normal(size=value.shape)
    for jit in (False, True) if name in COMPILED else (False,):
        found = jvp(function, (x,), (direction,), jit=jit)
        np.testing.assert_allclose(found[0], value)
        np.testing.assert_allclose(found[1], expected, rtol=1e-6, atol=1e-7)
        outputs, pullback = vjp(function, x, jit=jit)
        np.testing.assert_allclose(outputs, value)
        (adjoint,) = pullback(weights)
        np.testing.assert_allclose(adjoint @ direction, np.sum(weights * expected), rtol=1e-6, atol=1e-7)


def test_arrays_of_a_closure_are_arguments():
    def made(v, counts):
        def function(x):
            s = 0.0
            for i in range(counts[0]):
                s += x[counts[1]] * v[-1] + np.sum(np.concatenate((v, x)) ** 2) * v[i]
            return s + np.dot(v, x)

        return function

    check_all_modes(made(V, INTS), R.normal(size=3), False)
    check_all_modes(made(V, INTS), R.normal(size=3), True)
