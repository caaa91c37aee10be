"""Chains of views, each used in every way: returned, read, written, returned after it was written.

`python tests/view_chains.py 3` runs all chains of three views; `--share 0.1` a tenth of them. What is right
is told by the complex step through the function itself.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parent))

from fuzzing import make

from adcompiler import DifferentiationError, grad, hvp, jvp, vjp
from adcompiler.testing import central_difference

VIEWS = {
    1: "{}[1:] | {}[:-1] | {}[::2] | {}[::-1] | {}[-3:-1] | {}[k:k + 2] | {}[...] | {}[None] | {}[:, None]"
    " | {}[k] | {}.ravel() | np.flip({}) | {}.reshape((2, -1)) | np.expand_dims({}, 0) | np.hsplit({}, 2)[1]"
    " | np.atleast_2d({})",
    2: "{}[1:] | {}[:, ::2] | {}[::-1, 1:] | {}[-2:, :-1] | {}[k] | {}[-1] | {}[:, k] | {}[..., 0]"
    " | {}[..., None] | {}[None] | {}[:, None, k:k + 2] | {}.T | {}.ravel() | {}.reshape(-1)"
    " | np.transpose({})"
    " | np.fliplr({}) | np.vsplit({}, 2)[1] | np.swapaxes({}, 0, 1) | np.rot90({})",
    3: "{}[k] | {}[:, 1:] | {}[..., ::2] | {}[:, k] | {}[..., -1] | {}[::-1, :, None] | {}.T | {}.ravel()"
    " | {}[0, 1:] | np.dsplit({}, 2)[1] | np.transpose({}, (1, 0, 2)) | {}.reshape((4, -1))"
    " | np.moveaxis({}, 0, 2)",
}
SHAPES = [(8,), (4, 6), (2, 4, 6)]
USES = {
    "returned": ["return {last}"],
    "read": ["return np.sum({last} * {last} * {last}) + np.sum(a)"],
    "written": ["{last} *= {last}", "return np.sum(a * a)"],
    "filled": ["{last}[...] = np.sin(x.ravel()[0]) * {last}", "return np.sum(a * a)"],
    "returned after writing": ["{last} *= {last}", "return {last}"],
}
OPTIONAL = {"AD303", "AD304"}
"""How programs may be refused that Numba does not compile, or that rest on what may be a view or a copy."""


def chains(length: int) -> Iterator[tuple[tuple[int, ...], tuple[str, ...]]]:
    """Yield the shape to begin with and a chain of views, as far as NumPy and Numba take it."""
    for shape in SHAPES:
        yield from ((shape, chain) for chain in _chains(np.zeros(shape), length))


def _chains(array: Any, length: int) -> Iterator[tuple[str, ...]]:
    if length == 0:
        yield ()
    for view in VIEWS.get(array.ndim, "").split(" | ") if length else ():
        try:
            part = eval(view.format("array"), {"np": np, "array": array, "k": 1})
        except (ValueError, IndexError, SyntaxError):
            continue
        yield from ((view, *rest) for rest in _chains(part, length - 1))


def program(chain: tuple[str, ...], use: str) -> str:
    """Return the text of a function that takes a view of a view of its argument and uses it."""
    lines = ["def program(x, k):", "    a = x * 1.5"]
    last = "a"
    for number, view in enumerate(chain):
        lines.append(f"    v{number} = {view.format(last)}")
        last = f"v{number}"
    lines += [f"    {line.format(last=last)}" for line in USES[use]]
    return "\n".join(["import numpy as np", "", "", *lines, ""])


def along(function: Callable[..., Any], x: Any, direction: Any) -> Any:
    """Return the derivative of a function along a direction, by the complex step."""
    return np.imag(function(x + 1e-30j * direction, 1)) / 1e-30


def problem(shape: tuple[int, ...], chain: tuple[str, ...], use: str, jit: bool = False) -> str | None:
    """Return what is wrong with the derivatives of a function in any mode, or None."""
    source = program(chain, use)
    function = make(source, f"views {shape} {chain} {use}")
    rng = np.random.default_rng(3)
    x, direction = rng.uniform(0.5, 1.5, shape), rng.uniform(-1.0, 1.0, shape)
    try:
        expected = along(function, x, direction)
    except (TypeError, ValueError):  # the chain ends in a number
        return None
    try:
        found = {"jvp": jvp(function, (x, 1), (direction, None), jit=jit)[1]}
        if np.ndim(expected):
            weights = rng.uniform(-1.0, 1.0, np.shape(expected))
            expected = np.sum(weights * expected)
            found["jvp"] = np.sum(weights * found["jvp"])
            found["vjp"] = np.sum(vjp(function, x, 1, jit=jit)[1](weights)[0] * direction)
        else:
            gradient = grad(function, jit=jit)
            found["grad"] = np.sum(gradient(x, 1) * direction)
            product = np.sum(hvp(function, jit=jit)(x, 1, direction) * direction)
            ends = [np.sum(gradient(x + h * direction, 1) * direction) for h in (1e-4, -1e-4)]
            if not np.isclose(product, (ends[0] - ends[1]) / 2e-4, rtol=1e-5, atol=1e-6):
                return f"hvp {product}, expected {(ends[0] - ends[1]) / 2e-4}\n{source}"
    except DifferentiationError as refusal:
        return None if refusal.code in OPTIONAL and not _compiles(function, x) else f"{refusal}\n{source}"
    except Exception as error:
        return f"{type(error).__name__}: {error}\n{source}"
    if not np.allclose([*found.values()], expected, rtol=1e-9) and np.ndim(function(x, 1)) == 0:
        compiled = njit(function)
        if not np.isclose(compiled(x, 1), function(x, 1)):  # Numba copies where NumPy need not: it is right
            expected = float(np.sum(central_difference(compiled, (x, 1), 0) * direction))
            return (
                None
                if np.allclose([*found.values()], expected, rtol=1e-6)
                else f"{found}, expected {expected}\n{source}"
            )
    wrong = {
        mode: value for mode, value in found.items() if not np.isclose(value, expected, rtol=1e-9, atol=1e-11)
    }
    return f"{wrong}, expected {expected}\n{source}" if wrong else None


def _compiles(function: Callable[..., Any], x: Any) -> bool:
    """Tell whether Numba compiles a function."""
    try:
        njit(function)(x, 1)
    except Exception:
        return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("length", type=int)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--jit", action="store_true")
    options = parser.parse_args()
    rng = random.Random(7)
    cases = [case for case in itertools.product(chains(options.length), USES) if rng.random() < options.share]
    wrong = 0
    for (shape, chain), use in tqdm(cases, disable=None):
        found = problem(shape, chain, use, options.jit)
        if found is not None:
            wrong += 1
            print(f"{shape} {chain} {use}: {found}", flush=True)
    print(f"{len(cases)} programs, {wrong} with problems")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
