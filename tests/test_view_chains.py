"""Chains of two and three views in every use and mode; `python tests/view_chains.py 3` runs all of three."""

import itertools
import random

import pytest
from view_chains import USES, chains, problem

PAIRS = [*itertools.product(chains(2), USES)]
TRIPLES = [*itertools.product(chains(3), USES)]


@pytest.mark.parametrize("start", range(12))
def test_views_of_views(start):
    for (shape, chain), use in random.Random(start).sample(PAIRS, 6):
        assert problem(shape, chain, use) is None


@pytest.mark.parametrize("start", range(12))
def test_views_of_views_of_views(start):
    for (shape, chain), use in random.Random(start).sample(TRIPLES, 4):
        assert problem(shape, chain, use) is None


@pytest.mark.parametrize("start", range(3))
def test_views_of_views_compiled(start):
    for (shape, chain), use in random.Random(100 + start).sample(PAIRS, 2):
        assert problem(shape, chain, use, jit=True) is None
