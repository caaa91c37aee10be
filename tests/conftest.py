"""Options and settings shared by all tests."""

import os
import tempfile

import pytest
from numba import config

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
