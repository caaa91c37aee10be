"""`import adcompiler` loads no compiler and no SciPy; what Numba has to know is registered all the same."""

import subprocess
import sys

HEAVY = (
    "scipy.linalg",
    "scipy.special",
    "scipy.sparse",
    "gast",
    "astunparse",
    "adcompiler.primitives",
    "adcompiler.pipeline",
    "adcompiler.api.compile",
)
USED = """
import sys
from numba import njit
import adcompiler
from adcompiler import grad, jvp, stop_gradient, vjp
slope = grad(lambda x: x * x)
print(*(name for name in {heavy!r} if name in sys.modules))
@njit
def both(x):
    return slope(x) + stop_gradient(x)
print(both(3.0))
print(adcompiler.ComputationGraph.__name__, hasattr(adcompiler, "nothing"))
"""


def test_what_is_not_imported(tmp_path):
    script = tmp_path / "used.py"
    script.write_text(USED.format(heavy=HEAVY))
    found = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines() == ["", "9.0", "ComputationGraph False"]
