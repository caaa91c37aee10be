"""Pairs of a function and its generated derivative, kept as files: `pytest --update-golden` rewrites them.

A file of `tests/golden` is a program that makes a `derivative` and `arguments` for it; what is generated for
these stands below.
"""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from adcompiler.testing import check_grad, check_hvp, check_jvp

FOLDER = Path(__file__).parent / "golden"
MARKER = "\n# ==== generated ====\n"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py"))
CHECKS = {"value_and_grad": check_grad, "jvp": check_jvp, "hvp": check_hvp}


def pair(name):
    """Return the module of a program, its text, and what stands below it."""
    path = FOLDER / f"{name}.py"
    program, _, below = path.read_text().partition(MARKER)
    module = ModuleType(f"golden_{name}")
    sys.modules[module.__name__] = module
    exec(compile(program, str(path), "exec"), vars(module))
    module.derivative.jit = False
    return module, program, below


def generated(module):
    """Return the source that is generated for a program."""
    derivative = module.derivative
    return derivative._specialise(derivative.layouts(module.arguments)).source


@pytest.mark.parametrize("name", NAMES)
def test_generated_source(name, update_golden):
    module, program, below = pair(name)
    source = generated(module)
    if update_golden:
        (FOLDER / f"{name}.py").write_text(f"{program}{MARKER}{source}")
        below = source
    assert source == below


@pytest.mark.parametrize("name", NAMES)
def test_derivative_is_right(name):
    module, _, _ = pair(name)
    derivative = module.derivative
    if derivative.mode in CHECKS:
        CHECKS[derivative.mode](derivative.function, module.arguments, tuple(derivative.wrt), jit=False)
