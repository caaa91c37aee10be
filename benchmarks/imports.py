"""Measure what importing costs: `python -m benchmarks.imports [--processes N]`.

CPU seconds, each the least of N fresh processes: of `import numba`, of `import adcompiler` after it, and of
importing the compiler, which the first gradient that is compiled does.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

MEASURED = """
import time
def seconds(text):
    start = time.process_time()
    exec(text, globals())
    return time.process_time() - start
print(seconds("import numba"), seconds("import adcompiler"), seconds("import adcompiler.api.compile"))
"""
NAMES = ("import numba", "import adcompiler, beyond that", "the compiler, at the first gradient")


def measured() -> tuple[float, ...]:
    """Return the CPU seconds of each import in a fresh process."""
    found = subprocess.run([sys.executable, "-c", MEASURED], capture_output=True, text=True, check=True)
    return tuple(map(float, found.stdout.split()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--processes", type=int, default=7)
    runs = [measured() for _ in range(parser.parse_args().processes)]
    for name, times in zip(NAMES, zip(*runs, strict=True), strict=True):
        print(f"{name:40}{min(times):8.3f} s")


if __name__ == "__main__":
    main()
