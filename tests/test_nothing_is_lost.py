"""A pass that drops an adjoint ends in an error, never in zeros."""

from dataclasses import replace

import numpy as np
import pytest

from adcompiler import DifferentiationError, grad
from adcompiler.graph.nodes import For, Store
from adcompiler.graph.walk import map_region


def energy(x):
    total = 0.0
    for k in range(len(x)):
        total += x[k] * x[k]
    return total


def without_sums(region):
    """What a pass would leave that takes additions for dead."""
    return replace(
        region, nodes=tuple(n for n in region.nodes if not (isinstance(n, Store) and n.accumulate))
    )


def test_a_pass_that_drops_additions(monkeypatch):
    from adcompiler import passes

    original = passes.drop_copies

    def broken(graph, types):
        return original(replace(graph, body=map_region(graph.body, without_sums)), types)

    monkeypatch.setattr("adcompiler.passes.drop_copies", broken)
    with pytest.raises(DifferentiationError, match=r"AD901.*a derivative was lost"):
        grad(energy, jit=False)(np.ones(3))


def test_a_plan_that_drops_a_loop(monkeypatch):
    from adcompiler.transform.record import Recording

    original = Recording.merge

    def broken(self, forward, back):
        forward, back, plans = original(self, forward, back)
        back = replace(back, nodes=tuple(node for node in back.nodes if not isinstance(node, For)))
        is_merged = lambda node: isinstance(node, Store) and node.loc.quoted  # noqa: E731
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
