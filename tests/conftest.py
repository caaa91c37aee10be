"""Options and settings shared by all tests."""

import os
import tempfile

import numba
import pytest
from numba import config

INDEXED = (
    "lists_and_ranges_as_vectors",
    "mask_of_matrix",
    "[masks",
    "state_is_normalised",
    "test_masks_of_some_axes",
)
"""Parts of the names of tests of programs that index with several arrays, masks of several axes, or None."""

LIGHTLY = {
    "test_bridges_page",
    "test_docs",
    "test_examples",
    "test_functions",
    "test_implicit",
    "test_integrators",
    "test_optim",
    "test_packages",
}
"""Tests of long programs, for which LLVM makes fewer passes: what the passes do is proved by others."""

os.environ.setdefault("ADCOMPILER_CACHE", os.path.join(tempfile.gettempdir(), "adcompiler-tests"))


def pytest_addoption(parser):
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden files")


def pytest_collection_modifyitems(items):
    """Leave out, with an older Numba, the programs that index as it does from 0.66 on."""
    if tuple(map(int, numba.__version__.split(".")[:2])) < (0, 66):
        reason = pytest.mark.skip(reason="Numba 0.66 is the first that indexes so")
        for item in items:
            if any(name in item.name for name in INDEXED):
                item.add_marker(reason)


@pytest.fixture
def update_golden(request):
    return request.config.getoption("--update-golden")


@pytest.fixture(autouse=True, scope="module")
def lightly_optimised(request, tmp_path_factory):
    """Compile the programs of some modules with fewer passes, and keep nothing of it for others."""
    if getattr(request.module, "__name__", "") not in LIGHTLY:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "OPT", type(config.OPT)(1))
        patch.setenv("NUMBA_OPT", "1")  # for other processes
        patch.setenv("ADCOMPILER_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
