"""Functions of this package as functions of JAX, against JAX's own; where it is installed."""

import numpy as np
import pytest

jax = pytest.importorskip("jax")
jnp = jax.numpy

from adcompiler.bridges.jax_functions import to_jax  # noqa: E402


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def energy(x, k):
    total = 0.0
    for i in range(1, len(x)):
        total += k * (x[i] - x[i - 1]) ** 2 + np.sin(x[i])
    return total


def energy_of_jax(x, k):
    return jnp.sum(k * (x[1:] - x[:-1]) ** 2 + jnp.sin(x[1:]))


def step(x, v, n):
    a = x.copy()
    for _ in range(n):
        a = a + 0.1 * v * np.sin(a)
    return a, np.sum(a * v)


def step_of_jax(x, v, n):
    for _ in range(n):
        x = x + 0.1 * v * jnp.sin(x)
    return x, jnp.sum(x * v)


X, V = np.array([0.3, -0.7, 1.1]), np.array([0.5, 0.2, -0.4])


def test_a_number_and_its_derivatives():
    ours = to_jax(energy)
    assert np.isclose(ours(X, 0.5), energy(X, 0.5))
    for transform in (
        jax.grad,
        jax.hessian,
        lambda f: jax.grad(f, argnums=1),
        lambda f: jax.jit(jax.grad(f)),
    ):
        np.testing.assert_allclose(transform(ours)(X, 0.5), transform(energy_of_jax)(X, 0.5), rtol=1e-12)
    third = [jax.jacfwd(jax.hessian(f))(X, 0.5) for f in (ours, energy_of_jax)]
    np.testing.assert_allclose(*third, rtol=1e-10, atol=1e-12)


def test_mapped_over_a_batch():
    rows = np.stack([X, V, X - V])
    found = jax.vmap(jax.grad(to_jax(energy)), in_axes=(0, None))(rows, 0.5)
    np.testing.assert_allclose(
        found, jax.vmap(jax.grad(energy_of_jax), in_axes=(0, None))(rows, 0.5), rtol=1e-12
    )


def test_several_results_in_both_modes():
    ours = to_jax(step)
    pairs = [f(X, V, 3) for f in (ours, step_of_jax)]
    jax.tree.map(lambda one, two: np.testing.assert_allclose(one, two, rtol=1e-12), *pairs)

    def tangent(f):
        forward = to_jax(step, mode="forward") if f is ours else f
        return jax.jvp(lambda x, v: forward(x, v, 3), (X, V), (V, X))[1]

    def adjoint(f):
        return jax.vjp(lambda x, v: f(x, v, 3), X, V)[1]((V, 0.7))

    for of in (tangent, adjoint):
        jax.tree.map(
            lambda one, two: np.testing.assert_allclose(one, two, rtol=1e-12), of(ours), of(step_of_jax)
        )


def test_a_jacobian():
    pair = [jax.jacrev(lambda x, f=f: f(x, V, 3)[0])(X) for f in (to_jax(step), step_of_jax)]
    np.testing.assert_allclose(*pair, rtol=1e-12)


def test_inside_compiled_functions_of_jax():
    ours = to_jax(step, results=lambda x, v, n: (x, 0.0))

    def loss(x, f):
        a, total = f(x, jnp.cos(x), 2)
        return jnp.sum(a * a) + total

    found, expected = (jax.jit(jax.grad(lambda x, f=f: loss(x, f)))(X) for f in (ours, step_of_jax))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_single_precision():
    with jax.enable_x64(False):
        found = jax.grad(to_jax(energy))(jnp.asarray(X, jnp.float32), 0.5)
    assert found.dtype == jnp.float32
    np.testing.assert_allclose(found, jax.grad(energy_of_jax)(X, 0.5), rtol=1e-6)
