"""A plan that drops an adjoint ends in an error, never in zeros."""

from dataclasses import replace

import numpy as np
import pytest

from adcompiler import DifferentiationError, grad
from adcompiler.graph.nodes import For, Role, Store
from adcompiler.graph.walk import map_region


def energy(x):
    total = 0.0
    for k in range(len(x)):
        total += x[k] * x[k]
    return total


def test_a_plan_that_drops_a_loop(monkeypatch):
    from adcompiler.storage.record import Recording

    original = Recording.merge

    def broken(self, forward, back):
        forward, back, plans = original(self, forward, back)
        back = replace(back, nodes=tuple(node for node in back.nodes if not isinstance(node, For)))
        is_merged = lambda node: isinstance(node, Store) and node.role is Role.ADJOINT  # noqa: E731
        forward = map_region(
            forward, lambda r: replace(r, nodes=tuple(n for n in r.nodes if not is_merged(n)))
        )
        return forward, back, plans

    monkeypatch.setattr(Recording, "merge", broken)
    with pytest.raises(DifferentiationError, match=r"AD901.*an adjoint was lost"):
        grad(energy, jit=False)(np.ones(3))


def test_derivatives_that_are_zero_are_no_fault():
    assert np.array_equal(grad(lambda x: np.sum(np.floor(x)), jit=False)(np.ones(3) * 0.5), np.zeros(3))
    assert grad(lambda x, y: y * 2.0, jit=False)(1.0, 2.0) == 0.0


def test_what_is_overwritten_has_no_derivative():
    def overwritten(x, y):
        y[0] += x * y[1]
        y.fill(0.5)
        return x * np.sum(y)

    d_x, d_y = grad(overwritten, argnums=(0, 1), jit=False)(2.0, np.ones(3))
    assert d_x == 1.5 and np.array_equal(d_y, np.zeros(3))
