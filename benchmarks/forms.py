"""Measure what forms of text cost to compile: `python -m benchmarks.forms` prints the table of the palette.

CPU seconds in a fresh process that has compiled something before, as a generated module sees each form.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from tqdm import tqdm

WORKER = """
import sys, time, warnings
warnings.simplefilter("ignore")
import numpy
from numba import njit
from adcompiler.runtime import guards, vector_math as fast
from adcompiler.runtime import numpy_forms
np = {"own": numpy_forms, "numpy": numpy}[sys.argv[2]]
njit(lambda x: x + 1.0)(1.0)
names = {"np": np, "fast": fast, **guards.GUARDS}
text = "def form(a, b, x, y, m, k):\\n" + "".join(f"    {line}\\n" for line in sys.argv[1].split("; "))
exec(text, names)
args = numpy.eye(4) * 2.0, numpy.ones((4, 4)), numpy.ones(4), numpy.ones(4), 2.0, 1
start = time.process_time()
njit(names["form"])(*args)
print(time.process_time() - start)
"""
NOTHING = "return m"
FORMS = {
    "z = np.empty(k); return z": "new array",
    "z = np.empty((k, k)); return z": "new array of two axes",
    "z = np.zeros(k); return z": "new zeros",
    "z = np.zeros_like(x); return z": "new zeros like an array",
    "z = np.empty_like(x); return z": "new array like another",
    "z = np.ones_like(x); return z": "ones: only where an array of them is wanted as a result",
    "z = np.full_like(x, m); return z": "one number everywhere: likewise",
    "z = x.copy(); return z": "copy",
    "for i in range(4): x[i] = y[i] * m": "loop over elements",
    "for i in range(4): x[i] += y[i] * m": "loop that adds to elements",
    "x[:] = 0.0": "fill",
    "row = a[k]; row += y": "array added to a part, where its shape is not known to be that of the part",
    "a[k] += y": "the same without a name: not used",
    "a[k] = y": "array stored to a part: only where shapes are not known to be equal",
    "z = x * y + m; return z": "expression on whole arrays: likewise",
    "z = a @ b; return z": "product of matrices",
    "z = a @ x; return z": "product with a vector",
    "z = np.sum(x); return z": "sum of an array: where it is not a loop",
    "z = np.max(a); return z": "maximum: the program's own",
    "z = np.eye(k); return z": "unit matrix: the program's own",
    "z = np.concatenate((x, y)); return z": "joined arrays: the program's own, and their rules",
    "z = np.linalg.inv(a); return z": "decompositions: the program's own, and their rules",
    "same_size(k, 1)": "check of sizes",
    "in_bounds(4, k)": "check of an index",
    "z = times(m, m); return z": "product in which zero wins",
    "z = fast.exp(m); return z": "vector function",
    "z = fast.erf(m); return z": "vector function",
}


def seconds(text: str, np: str) -> float:
    """Return the CPU seconds that compiling a form takes."""
    command = [sys.executable, "-c", WORKER, text, np]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--processes", type=int, default=3)
    count = parser.parse_args().processes

    def least(text: str, np: str) -> float:
        return min(seconds(text, np) for _ in range(count))

    base = least(NOTHING, "own")
    print("| form | seconds | with NumPy's own | for |\n| --- | --- | --- | --- |")
    for text, use in tqdm(FORMS.items(), disable=None):
        own, plain = (
            max(0.0, least(form, np) - base) for form, np in ((_as_compiled(text), "own"), (text, "numpy"))
        )
        shown = text.removesuffix("; return z").removeprefix("z = ")
        print(f"| `{shown}` | {own:.2f} | {plain:.2f} | {use} |", flush=True)


def _as_compiled(text: str) -> str:
    """Return a form as modules are compiled: products are calls."""
    return text.replace("a @ b", "np.matmul(a, b)").replace("a @ x", "np.matmul(a, x)")


if __name__ == "__main__":
    main()
