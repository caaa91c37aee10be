"""Leave each pass of the pipeline out in turn, and count which tests notice.

`python tests/without_passes.py` takes some minutes. Cases of `test_passes.py` that name it must fail; of the
golden files, those that change are listed: what the pass is good for, in whole programs.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from test_golden import NAMES, generated, pair
from test_passes import SHOWN_BELOW, cases, made
from tqdm import tqdm

from adcompiler import DifferentiationError
from adcompiler.pipeline import passes
from adcompiler.watch import without


def failing_cases(name: str) -> tuple[int, int]:
    """Return how many of a pass's own cases notice that it is left out, and how many there are."""
    own = cases(name)
    with without(name):
        return sum(made(name, case) != case.after for case in own), len(own)


def changed_goldens(name: str) -> list[str]:
    """Return the golden files that change without a pass."""
    changed = []
    with without(name):
        for golden in NAMES:
            module, _, below = pair(golden)
            try:
                source = generated(module)
            except (AssertionError, DifferentiationError, KeyError) as error:
                source = repr(error)
            if source != below:
                changed.append(golden)
    return changed


def main() -> None:
    unnoticed = []
    for name in tqdm(passes(), disable=None):
        failing, count = failing_cases(name)
        by_hand = " (a test of its own)" if name in SHOWN_BELOW else ""
        changed = changed_goldens(name)
        files = " ".join(changed) or "-"
        print(f"{name:12} fails {failing} of {count} cases{by_hand}; golden files: {files}")
        if not failing and name not in SHOWN_BELOW:
            unnoticed.append(name)
    print("unnoticed:", " ".join(unnoticed) or "none")
    sys.exit(bool(unnoticed))


if __name__ == "__main__":
    main()
