"""Options and settings shared by all tests."""

import os
import tempfile

import pytest

os.environ.setdefault("ADCOMPILER_CACHE", os.path.join(tempfile.gettempdir(), "adcompiler-tests"))


def pytest_addoption(parser):
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden files")


@pytest.fixture
def update_golden(request):
    return request.config.getoption("--update-golden")
