"""The suites of benchmarks: what is named, and adjoints by hand against differences of the function."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks.__main__ import table
from benchmarks.workload import Workload
from benchmarks.workloads import SUITES, WORKLOADS, npbench_products, users_data, users_paths

CHEAP = (
    npbench_products.gemm,
    npbench_products.atax,
    npbench_products.trmm,
    npbench_products.durbin,
    users_data.kmeans,
    users_paths.fir_filter,
)


def test_names_are_unique():
    names = [work.name for work in WORKLOADS]
    assert len(set(names)) == len(names)
    assert set(SUITES) == {"old", "users", "adbench", "npbench"}


def along(work: Workload, args: tuple[Any, ...], step: float, direction: list[Any]) -> float:
    """Return the function where its arguments are moved in a direction."""
    moved = list(args)
    for k, part in zip(work.wrt, direction, strict=True):
        moved[k] = args[k] + step * part
    return work.primal(*moved)


@pytest.mark.parametrize("function", CHEAP, ids=lambda function: function.__name__)
def test_adjoint_by_hand_agrees_with_differences(function):
    work = next(work for work in WORKLOADS if work.primal is function)
    rng = np.random.default_rng(3)
    args = work.inputs(np.random.default_rng(0))
    direction = [rng.normal(size=np.shape(args[k])) / math.sqrt(np.size(args[k])) for k in work.wrt]
    assert work.by_hand is not None
    value, gradients = work.by_hand(*args)
    parts = [d * part for d, part in zip(gradients, direction, strict=True)]
    slope, size = (sum(float(np.sum(of(part))) for part in parts) for of in (np.positive, np.abs))
    h = 1e-6
    assert value == pytest.approx(work.primal(*args), rel=1e-10)
    expected = (along(work, args, h, direction) - along(work, args, -h, direction)) / (2.0 * h)
    assert slope == pytest.approx(expected, abs=1e-6 * size)


def test_each_suite_has_a_mean_of_its_own():
    medians = {"one": {"adcompiler": 2.0, "by hand": 1.0}, "two": {"adcompiler": 8.0, "by hand": 1.0}}
    text = table(medians, {"one": 2.0, "two": 8.0}, {"mean of a": ["two"], "geometric mean": ["one", "two"]})
    assert [line.split() for line in text.splitlines()[-2:]] == [
        ["mean", "of", "a", "8.00x"],
        ["geometric", "mean", "4.00x"],
    ]


def test_a_primal_that_numba_lacks_is_compiled_by_us():
    work = next(work for work in WORKLOADS if not work.by_numba)
    args = work.inputs(np.random.default_rng(0))
    assert work.compiled(*args) == pytest.approx(work.primal(*args))
    assert replace(work, by_numba=True).compiled.py_func is work.primal
