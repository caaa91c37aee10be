"""Run random programs against central differences.

`python tests/fuzzing.py 2000` checks 2000 programs uncompiled; `--start N` begins at another seed. `--nests`
tries nests of loops over arrays instead of programs of all constructs, `--arrays` array code, `--small` small
arrays, `--functions` calls of NumPy's functions with all their arguments, `--calls` functions that call each
other, none of them inlined that need not be, `--complex` complex numbers and arrays, `--rows` products of
matrices and their rows, `--batches` samples that go through nests with scratch arrays, `--siblings` loops
side by side that read each other's neighbours, `--steps` time steps that compute some arrays alike,
`--tables` nests that compute some numbers alike, `--rings` loops over rings and between walls,
`--stencils` time steps over neighbours, with buffers that take turns, `--ragged` arrays whose sizes only
running tells, `--columns` loops down columns and over parameters for each sample, `--names` names that may
stand for one of several arrays, `--updates` arrays, rows and views that loops in loops update, `--writes`
arrays written between reductions and views of them and their uses. `--forward` checks forward mode against
the gradient, and second derivatives against differences of it; `--memory` gradients within a budget of
memory against those without one.
`--idioms` tries the idioms of code that people write for Numba, and compares with dual numbers; refusals are
counted by their codes.
`--captured` holds some of the arrays in the module instead of handing them over, `--packed` hands all of
them over as one vector. `--reduce` makes failing programs small.
"""

from __future__ import annotations

import argparse
import linecache
import random
import sys
import time
import traceback
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parent))

from array_generator import ArrayGenerator
from batch_generator import BatchGenerator, batch_inputs
from call_generator import CallGenerator
from column_generator import ColumnGenerator, column_inputs
from complex_generator import ComplexGenerator, complex_inputs
from function_generator import FunctionGenerator
from held_arguments import with_captured_arrays, with_one_vector
from idiom_check import forward_difference, gradient_difference, refusal_text
from idiom_generator import IdiomGenerator
from name_generator import NameGenerator
from nest_generator import NestGenerator
from program_generator import ProgramGenerator
from ragged_generator import RaggedGenerator, ragged_inputs
from reduction import reads_only_what_was_written, reduced
from ring_generator import RingGenerator, ring_inputs
from row_generator import RowGenerator, row_inputs
from sibling_generator import SiblingGenerator, sibling_inputs
from small_generator import SmallGenerator
from stencil_generator import StencilGenerator, stencil_inputs
from step_generator import StepGenerator, step_inputs
from table_generator import TableGenerator, table_inputs
from update_generator import UpdateGenerator, update_inputs
from write_generator import WriteGenerator

from adcompiler import DifferentiationError, hvp, jvp, value_and_grad
from adcompiler.frontend import staying
from adcompiler.testing import central_difference

ALLOWED_REFUSALS = {"AD303"}
refusals: Counter[str] = Counter()


def make(source: str, name: str) -> Any:
    """Return the function of a program's text, with its source known to `inspect`."""
    filename = f"<fuzz {name}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    namespace: dict[str, Any] = {"__name__": filename}
    exec(compile(source, filename, "exec"), namespace)
    return namespace["program"]


def inputs(rng: random.Random) -> tuple[Any, ...]:
    """Return one argument list: two floats and two arrays."""
    numbers = [rng.uniform(-1.2, 1.2) for _ in range(10)]
    return numbers[0], numbers[1], np.array(numbers[2:6]), np.array(numbers[6:10])


def function_inputs(rng: random.Random) -> tuple[Any, ...]:
    """Return one argument list: a float, a vector and a matrix."""
    numbers = [rng.uniform(-1.2, 1.2) for _ in range(17)]
    return numbers[0], np.array(numbers[1:5]), np.array(numbers[5:]).reshape(3, 4)


INPUTS = {
    FunctionGenerator: function_inputs,
    ComplexGenerator: complex_inputs,
    RowGenerator: row_inputs,
    BatchGenerator: batch_inputs,
    SiblingGenerator: sibling_inputs,
    StepGenerator: step_inputs,
    TableGenerator: table_inputs,
    RaggedGenerator: ragged_inputs,
    ColumnGenerator: column_inputs,
    UpdateGenerator: update_inputs,
    RingGenerator: ring_inputs,
    StencilGenerator: stencil_inputs,
}


def fails(function: Any, args: tuple[Any, ...]) -> bool:
    """Tell whether a program itself fails or overflows: then it has no derivative to compare with."""
    try:
        with np.errstate(all="ignore"):
            value = function(*(a.copy() if isinstance(a, np.ndarray) else a for a in args))
    except (ArithmeticError, ValueError, IndexError):
        return True
    return not np.isfinite(value) or abs(value) > 1e12


def is_float(given: Any) -> bool:
    return np.asarray(given).dtype.kind in "fc"


def is_chaotic(function: Any, args: tuple[Any, ...]) -> bool:
    """Tell whether a change in the last digit moves the result: then no two evaluations agree."""
    moved = tuple(a * (1 + 4e-16) if is_float(a) else a for a in args)
    one, two = (function(*(a.copy() if isinstance(a, np.ndarray) else a for a in at)) for at in (args, moved))
    return not np.isclose(one, two, rtol=1e-9, atol=1e-9)


def disagreement(
    source: str,
    name: str,
    rng: random.Random,
    jit: bool = False,
    make_inputs: Callable[[random.Random], tuple[Any, ...]] = inputs,
) -> str | None:
    """Return what is wrong with the gradient of a program, or None.

    A program that jumps between the points of a difference is tried at other inputs.
    """
    function = make(source, name)
    given = enumerate(make_inputs(random.Random(0)))
    wrt = tuple(k for k, one in given if is_float(one))
    derivative = value_and_grad(function, argnums=wrt, jit=jit)
    problem = None
    for _ in range(3):
        args = make_inputs(rng)
        if fails(function, args):
            continue
        try:
            value, gradients = derivative(*args)
        except DifferentiationError as refusal:
            refusals[refusal.code] += 1
            return None if refusal.code in ALLOWED_REFUSALS else f"refused: {refusal}"
        try:
            expected = [central_difference(function, args, k) for k in wrt]
            again = [central_difference(function, args, k, 1.3e-6) for k in wrt]
        except (ArithmeticError, ValueError, IndexError):
            continue  # the program fails close by
        smooth = all(np.allclose(a, b, rtol=1e-4, atol=1e-5) for a, b in zip(expected, again, strict=True))
        copies = [a.copy() if isinstance(a, np.ndarray) else a for a in args]
        same = np.isclose(value, function(*copies), rtol=1e-9, atol=1e-12)
        pairs = zip(gradients, expected, strict=True)
        scale = max(1.0, *(float(np.max(np.abs(e), initial=0.0)) for e in expected))  # differences cancel
        if same and all(np.allclose(g, e, rtol=1e-4, atol=1e-5 * scale) for g, e in pairs):
            return None
        if (smooth or not same) and not is_chaotic(function, args):
            problem = f"at {args}: value {value}\n gradient {gradients}\n expected {expected}"
    return problem


def forward_disagreement(
    source: str,
    name: str,
    rng: random.Random,
    jit: bool = False,
    make_inputs: Callable[[random.Random], tuple[Any, ...]] = inputs,
) -> str | None:
    """Return what is wrong with forward mode or with the second derivatives of a program, or None."""
    function = make(source, name)
    args, others = make_inputs(rng), make_inputs(rng)
    wrt = tuple(k for k, one in enumerate(args) if is_float(one))
    changes = [
        np.resize(t, np.shape(a))[()] if is_float(a) else None for a, t in zip(args, others, strict=True)
    ]
    if fails(function, args) or is_chaotic(function, args):
        return None
    derivative = value_and_grad(function, argnums=wrt, jit=False)

    def gradients(size: float) -> list[Any]:
        moved = [a if t is None else a + size * t for a, t in zip(args, changes, strict=True)]
        return [np.asarray(g) for g in derivative(*moved)[1]]

    try:
        value, gradient = derivative(*args)
        found_value, found = jvp(function, args, changes, jit=jit)
        product = hvp(function, argnums=wrt, jit=jit)(*args, [changes[k] for k in wrt])
    except DifferentiationError as refusal:
        refusals[refusal.code] += 1
        return None if refusal.code in ALLOWED_REFUSALS else f"refused: {refusal}"
    parts = [np.real(np.asarray(g) * changes[k]) for g, k in zip(gradient, wrt, strict=True)]
    scale = sum(float(np.sum(np.abs(part))) for part in parts) + 1.0
    expected = sum(float(np.sum(part)) for part in parts)
    if not np.isfinite(scale):
        return None
    if not np.isclose(found_value, value, rtol=1e-9, atol=1e-12) or abs(found - expected) > 1e-7 * scale:
        return f"at {args} along {changes}: jvp {found_value}, {found}\n expected {value}, {expected}"
    slopes = []
    for size in (1e-5, 1.3e-6):
        pairs = zip(gradients(size), gradients(-size), strict=True)
        slopes.append([(one - two) / (2 * size) for one, two in pairs])
    largest = max(1.0, *(float(np.max(np.abs(part), initial=0.0)) for part in slopes[1]))
    close = [np.allclose(a, b, rtol=1e-4, atol=1e-5 * largest) for a, b in zip(*slopes, strict=True)]
    right = [
        np.allclose(a, b, rtol=1e-3, atol=1e-4 * largest) for a, b in zip(product, slopes[1], strict=True)
    ]
    if all(close) and not all(right) and np.isfinite(largest):
        return f"at {args} along {changes}: hvp {product}\n expected {slopes[1]}"
    return None


def memory_disagreement(
    source: str,
    name: str,
    rng: random.Random,
    jit: bool = False,
    make_inputs: Callable[[random.Random], tuple[Any, ...]] = inputs,
) -> str | None:
    """Return where a gradient whose loops keep 2 kB differs from that whose loops keep all, or None."""
    function, args = make(source, name), make_inputs(rng)
    if fails(function, args):
        return None
    wrt = tuple(k for k, one in enumerate(args) if is_float(one))
    try:
        expected, slopes = value_and_grad(function, argnums=wrt, jit=False)(*args)
        found, gradients = value_and_grad(function, argnums=wrt, jit=jit, memory="2kB")(*args)
    except DifferentiationError as refusal:
        refusals[refusal.code] += 1
        return None if refusal.code in {"AD205", *ALLOWED_REFUSALS} else f"refused: {refusal}"
    except MemoryError:
        return None  # there is no room for the state of one iteration
    scale = max(1.0, *(float(np.max(np.abs(slope), initial=0.0)) for slope in slopes))
    pairs = zip(gradients, slopes, strict=True)
    if np.isclose(found, expected) and all(np.allclose(g, e, rtol=1e-6, atol=1e-9 * scale) for g, e in pairs):
        return None
    return f"at {args}: value {found}\n gradient {gradients}\n without a bound {expected}, {slopes}"


def against_duals(check: Callable[..., str | None]) -> Callable[..., str | None]:
    """Return a check that compares with dual numbers and counts refusals."""

    def disagreement_with_duals(
        source: str,
        name: str,
        rng: random.Random,
        jit: bool = False,
        make_inputs: Callable[[random.Random], tuple[Any, ...]] = inputs,
    ) -> str | None:
        function = make(source, name)
        try:
            return check(function, source, rng, jit, make_inputs)
        except DifferentiationError as refusal:
            refusals[refusal.code] += 1
            return refusal_text(refusal, function, make_inputs(rng))

    return disagreement_with_duals


CHECKS_OF_IDIOMS = {
    disagreement: against_duals(gradient_difference),
    forward_disagreement: against_duals(forward_difference),
}


def checked_again(
    source: str, seed: int, options: argparse.Namespace, check: Callable[..., str | None], make_inputs: Any
) -> str | None:
    """Check a program that a failing one was made into, with the same inputs."""
    rng = random.Random(seed)
    options.generator(rng).program()
    name = f"{seed} {zlib.crc32(source.encode())}"
    args = make_inputs(random.Random(seed))
    if not reads_only_what_was_written(make(source, name), args):
        return None
    return check(source, name, rng, options.jit, make_inputs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--jit", action="store_true")
    parser.add_argument("--nests", action="store_const", dest="generator", const=NestGenerator)
    parser.add_argument("--arrays", action="store_const", dest="generator", const=ArrayGenerator)
    parser.add_argument("--functions", action="store_const", dest="generator", const=FunctionGenerator)
    parser.add_argument("--small", action="store_const", dest="generator", const=SmallGenerator)
    parser.add_argument("--idioms", action="store_const", dest="generator", const=IdiomGenerator)
    parser.add_argument("--calls", action="store_const", dest="generator", const=CallGenerator)
    parser.add_argument("--complex", action="store_const", dest="generator", const=ComplexGenerator)
    parser.add_argument("--rows", action="store_const", dest="generator", const=RowGenerator)
    parser.add_argument("--batches", action="store_const", dest="generator", const=BatchGenerator)
    parser.add_argument("--siblings", action="store_const", dest="generator", const=SiblingGenerator)
    parser.add_argument("--steps", action="store_const", dest="generator", const=StepGenerator)
    parser.add_argument("--tables", action="store_const", dest="generator", const=TableGenerator)
    parser.add_argument("--columns", action="store_const", dest="generator", const=ColumnGenerator)
    parser.add_argument("--names", action="store_const", dest="generator", const=NameGenerator)
    parser.add_argument("--ragged", action="store_const", dest="generator", const=RaggedGenerator)
    parser.add_argument("--rings", action="store_const", dest="generator", const=RingGenerator)
    parser.add_argument("--stencils", action="store_const", dest="generator", const=StencilGenerator)
    parser.add_argument("--updates", action="store_const", dest="generator", const=UpdateGenerator)
    parser.add_argument("--writes", action="store_const", dest="generator", const=WriteGenerator)
    parser.add_argument("--captured", action="store_const", dest="given", const=with_captured_arrays)
    parser.add_argument("--packed", action="store_const", dest="given", const=with_one_vector)
    parser.add_argument("--without", nargs="*", default=[], help="idioms that are left out")
    parser.add_argument("--forward", action="store_const", dest="check", const=forward_disagreement)
    parser.add_argument("--memory", action="store_const", dest="check", const=memory_disagreement)
    parser.set_defaults(generator=ProgramGenerator, check=disagreement)
    parser.add_argument("--seconds", type=float, default=np.inf, help="begin no program after these")
    parser.add_argument("--reduce", action="store_true", help="print what remains of each, made small")
    parser.add_argument("--show", action="store_true", help="print each failing program")
    options = parser.parse_args()
    wrong = done = 0
    end = time.monotonic() + options.seconds
    IdiomGenerator.without = set(options.without)
    if options.generator is CallGenerator:
        staying.WORTH = 0
    check = CHECKS_OF_IDIOMS[options.check] if options.generator is IdiomGenerator else options.check
    for seed in tqdm(range(options.start, options.start + options.count), disable=None):
        if time.monotonic() > end:
            break
        rng = random.Random(seed)
        source = options.generator(rng).program()
        make_inputs = INPUTS.get(options.generator, inputs)
        if options.given is not None:
            held = options.given(source, make, make_inputs, rng)
            if held is None:
                continue
            source, make_inputs = held
        done += 1
        try:
            problem = check(source, str(seed), rng, options.jit, make_inputs)
        except Exception:
            problem = traceback.format_exc(limit=-3)
        if problem is not None:
            wrong += 1
            print(f"seed {seed}: {problem}", flush=True)
            if options.reduce:
                print(reduced(source, lambda text: checked_again(text, seed, options, check, make_inputs)))
            elif options.show:
                print(source)
    print(f"{done} programs, {wrong} with problems, refused: {dict(refusals) or 'none'}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
