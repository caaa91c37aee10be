"""Time gradients of this checkout beside another one: `python -m benchmarks.compare PATH [NAME ...]`.

Two processes, one a checkout, take turns on the same workload, forty times; the least times count.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from benchmarks.workloads import WORKLOADS

HERE = Path(__file__).parent.parent
TURNS = 40
WORKER = """
import sys, time, warnings
warnings.simplefilter("ignore")
import numpy as np
from adcompiler import value_and_grad
from benchmarks.workloads import WORKLOADS
works = {work.name: work for work in WORKLOADS}
for line in sys.stdin:
    match line.split():
        case ["load", name]:
            work = works[name]
            args = work.inputs(np.random.default_rng(0))
            function = value_and_grad(work.primal, argnums=work.wrt)
            function(*args)
            start = time.perf_counter()
            function(*args)
            count = max(1, int(0.005 / (time.perf_counter() - start)))
            print("loaded", flush=True)
        case ["time"]:
            start = time.perf_counter()
            for _ in range(count):
                function(*args)
            print((time.perf_counter() - start) / count, flush=True)
"""


@contextmanager
def worker(checkout: Path) -> Iterator[subprocess.Popen[str]]:
    """Yield a process that runs gradients of a checkout."""
    with tempfile.TemporaryDirectory() as cache:
        one = dict.fromkeys(("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        own = {"PYTHONPATH": str(checkout), "ADCOMPILER_CACHE": cache}
        command = [sys.executable, "-c", WORKER]
        pipe = subprocess.PIPE
        with subprocess.Popen(
            command, cwd=checkout, env=os.environ | one | own, stdin=pipe, stdout=pipe, text=True, bufsize=1
        ) as process:
            yield process
            assert process.stdin is not None
            process.stdin.close()


def asked(process: subprocess.Popen[str], what: str) -> str:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(what + "\n")
    return process.stdout.readline().strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("checkout", type=Path, help="the other checkout")
    parser.add_argument("names", nargs="*", help="workloads; all if none is named")
    given = parser.parse_args()
    logarithms: list[float] = []
    with worker(given.checkout.resolve()) as other, worker(HERE) as here:
        for name in tqdm(given.names or [work.name for work in WORKLOADS], disable=None):
            times: dict[str, list[float]] = {"other": [], "here": []}
            for process in (other, here):
                asked(process, f"load {name}")
            for _ in range(TURNS):
                times["other"].append(float(asked(other, "time")))
                times["here"].append(float(asked(here, "time")))
            ratio = min(times["here"]) / min(times["other"])
            logarithms.append(math.log(ratio))
            tqdm.write(
                f"{name:22}{min(times['other']) * 1e6:12.2f}{min(times['here']) * 1e6:12.2f} us {ratio:8.3f}"
            )
    print(f"geometric mean: {math.exp(sum(logarithms) / len(logarithms)):.3f}")


if __name__ == "__main__":
    main()
