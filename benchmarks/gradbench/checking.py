"""Outputs against those of GradBench's reference implementation, in C++ by hand, at small sizes."""

from __future__ import annotations

from lzma import decompress
from pathlib import Path
from typing import Any

import numpy as np
import orjson

VECTORS = Path(__file__).parent / "vectors"
SADDLE = [8.246324826140356e-06] * 4
MODES = ("ff", "fr", "rf", "rr")


def cases(name: str) -> list[dict[str, Any]]:
    """Return function, input and expected output of some calls of an eval."""
    match name:
        case "hello":
            return [{"function": f, "input": 3.0, "output": y} for f, y in (("square", 9.0), ("double", 6.0))]
        case "particle":
            return [{"function": f, "input": {"w": 0.0}, "output": 0.2071918746486116} for f in MODES]
        case "saddle":
            return [{"function": f, "input": {"start": [1.0, 1.0]}, "output": SADDLE} for f in MODES]
    found: list[dict[str, Any]] = orjson.loads(decompress((VECTORS / f"{name}.json.xz").read_bytes()))
    return found


def numbers(output: Any) -> Any:
    """Return all numbers of an output, one after another, dictionaries in the order of their keys."""
    match output:
        case dict():
            parts = [numbers(output[key]) for key in sorted(output)]
        case list():
            parts = [numbers(part) for part in output]
        case _:
            parts = [np.ravel(np.asarray(output, dtype=np.float64))]
    return np.concatenate([np.empty(0), *parts])


def check(output: Any, expected: Any, tolerance: float = 1e-9) -> None:
    """Raise AssertionError unless an output is as expected, to a part of its greatest number."""
    found, wanted = numbers(output), numbers(expected)
    assert found.shape == wanted.shape, f"{len(found)} numbers, not {len(wanted)}"
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance * np.max(np.abs(wanted)))
