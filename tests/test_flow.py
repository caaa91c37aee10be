"""Minimum cuts: those of SciPy's maximum flow."""

import random

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

from adcompiler.storage.flow import sink_side


def sink_side_by_scipy(capacities, size):
    matrix = np.zeros((size, size), np.int32)
    for edge, capacity in capacities.items():
        matrix[edge] += capacity
    flow = maximum_flow(csr_matrix(matrix), 0, 1).flow.toarray()
    residual = csr_matrix((matrix - flow > 0).astype(np.int8))
    return set(breadth_first_order(residual.T.tocsr(), 1, return_predecessors=False).tolist())


@pytest.mark.parametrize("seed", range(60))
def test_random_networks(seed):
    rng = random.Random(seed)
    size = rng.randint(2, 30)
    capacities = {}
    for _ in range(rng.randint(1, 5 * size)):
        start, end = rng.randrange(size), rng.randrange(size)
        if start != end and start != 1 and end != 0:
            capacities[start, end] = rng.choice([1, 1, 2, 80, 100, 5000, 10**8])
    assert sink_side(capacities, source=0, sink=1) == sink_side_by_scipy(capacities, size)


def test_nothing_flows():
    assert sink_side({}, source=0, sink=1) == {1}
    assert sink_side({(0, 2): 3, (3, 1): 2}, source=0, sink=1) == {1, 3}
