"""Measure what a call from Python costs beyond the work: `python -m benchmarks.calls [NAME ...]`.

The functions do next to nothing. Each derivative stands beside a plain `@njit` function that takes and
returns the same numbers and arrays, in tuples where the derivative has dictionaries. Microseconds of CPU
time, the least of many repetitions, which alternate between the two.
"""

from __future__ import annotations

import argparse
import time
import timeit
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from adcompiler import grad, hvp, jvp, value_and_grad, vjp

X = np.ones(3)
Call = Callable[[], object]


def number(x):
    return x * x


def array(x):
    return x[0] * x[1]


def three(x, y, z):
    return x[0] * y[0] * z[0]


def pair(p, x):
    return p[0][0] * p[1][0] * x[0]


def named(p, x):
    return p["w"][0] * p["b"][0] * x[0]


def given(x, k, power=2.0):
    return x[0] * k * power


def squares(x):
    return x * x


def with_value(x):
    return x * x, x


def squares_of_three(x, y, z):
    return x * x


def squares_of_pair(p, x):
    return p[0] * p[0], p[1] * p[1]


def scaled(x, k, power):
    return x * x


def given_tangent(x, v):
    return x * x, v * v


def plain(function: Callable[..., Any], *args: Any) -> Call:
    """Return a call of a function as Numba compiles it."""
    compiled = njit(function)
    return lambda: compiled(*args)


def cases() -> dict[str, tuple[Call, Call]]:
    """Return for each case a plain call and the call of a derivative."""
    of_number, of_array, of_three, of_pair, of_named = map(grad, (number, array, three, pair, named))
    of_given, both, product = grad(given), value_and_grad(number), hvp(array)
    of_some = grad(lambda p, x, power=2.0: named(p, x) * power)
    both_named = {"w": X, "b": X}
    pulled, ones = vjp(squares, X)[1], np.ones(3)
    return {
        "number": (plain(number, 1.5), lambda: of_number(1.5)),
        "number, with the value": (plain(with_value, 1.5), lambda: both(1.5)),
        "array": (plain(squares, X), lambda: of_array(X)),
        "three arrays": (plain(squares_of_three, X, X, X), lambda: of_three(X, X, X)),
        "tuple of arrays": (plain(squares_of_pair, (X, X), X), lambda: of_pair((X, X), X)),
        "dictionary of arrays": (plain(squares_of_pair, (X, X), X), lambda: of_named(both_named, X)),
        "keyword arguments": (plain(scaled, X, 1.0, 2.0), lambda: of_given(X, k=1.0)),
        "dictionary and keyword": (
            plain(squares_of_pair, (X, X), X),
            lambda: of_some(both_named, x=X, power=3.0),
        ),
        "vjp": (plain(squares, X), lambda: vjp(squares, X)),
        "pullback": (plain(squares, X), lambda: pulled(ones)),
        "vjp of a number": (plain(number, 1.5), lambda: vjp(number, 1.5)),
        "jvp": (plain(given_tangent, X, ones), lambda: jvp(squares, (X,), (ones,))),
        "jvp of a number": (plain(given_tangent, 1.5, 1.0), lambda: jvp(number, (1.5,), (1.0,))),
        "hvp": (plain(lambda x, v: x * v, X, ones), lambda: product(X, ones)),
    }


def microseconds(calls: tuple[Call, Call], repetitions: int) -> tuple[float, float]:
    """Return the least CPU time of each of two calls."""
    timers = [timeit.Timer(call, timer=time.process_time) for call in calls]
    found = [tuple(timer.timeit(10_000) * 100.0 for timer in timers) for _ in range(repetitions)]
    one, other = map(min, zip(*found, strict=True))
    return one, other


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", help="cases; all if none is named")
    parser.add_argument("--repetitions", type=int, default=15)
    options = parser.parse_args()
    print(f"{'':26}{'@njit':>10}{'derivative':>14}{'ratio':>8}")
    for name, calls in cases().items():
        if not options.names or name in options.names:
            for call in calls:
                call(), call()
            one, other = microseconds(calls, options.repetitions)
            print(f"{name:26}{one:7.2f} µs{other:11.2f} µs{other / one:8.2f}")


if __name__ == "__main__":
    main()
