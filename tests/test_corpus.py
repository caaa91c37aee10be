"""Every function of the corpus, uncompiled, against central differences."""

import pytest
from adcompiler.testing import check_grad
from corpus import CORPUS

# At these points the function jumps: differences would cross the jump.
DISCRETE = {"piecewise_constant"}


@pytest.mark.parametrize(("function", "inputs"), CORPUS, ids=[f.__name__ for f, _ in CORPUS])
def test_gradient_uncompiled(function, inputs):
    check_grad(function, inputs, jit=False)
