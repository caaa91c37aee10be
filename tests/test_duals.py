"""Dual numbers, which judge random programs, are judged by differences and by derivatives that are known."""

from __future__ import annotations

import random

import numpy as np
from duals import directional
from fuzzing import inputs, make
from idiom_check import copied
from idiom_generator import IdiomGenerator

ALIASES = """
import numpy as np

def scaled(v):
    v *= 2.0
    return v

def program(x, y, a, b):
    view = a[1:]
    w = scaled(view)
    view[0] = x * x
    return w[0] + a[1] + np.sum(b.T[::-1] * a)
"""


def slope(function, args, direction, size):
    """The central difference along a direction."""
    ends = [function(*[a + s * d for a, d in zip(args, direction)]) for s in (size, -size)]
    return (ends[0] - ends[1]) / (2.0 * size)


def test_aliases_are_those_of_numpy():
    args = (0.5, 0.0, np.array([1.0, 2.0, 3.0, 4.0]), np.ones(4))
    value, tangent = directional(ALIASES, copied(args), (1.0, 0.0, np.zeros(4), np.zeros(4)))
    assert value == 0.25 + 0.25 + 1.0 + 0.25 + 6.0 + 8.0
    assert np.isclose(tangent, 3.0, rtol=1e-14)


def test_programs_of_idioms():
    smooth = 0
    for seed in range(60):
        rng = random.Random(seed)
        source = IdiomGenerator(rng).program()
        args, direction = inputs(rng), inputs(rng)
        function = make(source, f"duals {seed}")
        value, tangent = directional(source, copied(args), direction)
        assert np.isclose(value, function(*copied(args)), rtol=1e-9, atol=1e-12)
        one, two = (slope(function, args, direction, size) for size in (1e-6, 1.4e-7))
        if np.isclose(one, two, rtol=1e-4, atol=1e-5):  # no kink between the points
            smooth += 1
            assert np.isclose(one, tangent, rtol=1e-4, atol=1e-4), seed
    assert smooth > 50
