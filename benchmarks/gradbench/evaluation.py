"""What an eval of GradBench consists of: named tasks, each from an input in JSON to an output in JSON."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


def itself(x: Any) -> Any:
    return x


@dataclass(frozen=True)
class Task:
    """A function of an eval. What it does besides computing is kept out of the timing.

    Attributes:
        read: makes the arguments of `run` from an input.
        run: computes the function or its derivative; this is what is timed.
        write: makes the output, of numbers, arrays, lists and dictionaries, from what `run` returns.
    """

    read: Callable[[Any], tuple[Any, ...]]
    run: Callable[..., Any]
    write: Callable[[Any], Any] = itself


@dataclass(frozen=True)
class Eval:
    """An eval: its tasks by name, and small inputs on which they are compiled.

    Attributes:
        tasks: the functions that may be asked for.
        examples: inputs that bring up all types of arguments; every task takes each of them.
    """

    tasks: dict[str, Task]
    examples: tuple[Any, ...]

    def compile(self) -> None:
        """Run each task on each example, so that nothing is left to compile."""
        for task in self.tasks.values():
            for example in self.examples:
                task.run(*task.read(example))


def limits(given: Any) -> tuple[int, float]:
    """Return how often, and for how many seconds, an input asks to be run at least."""
    asked = given if isinstance(given, dict) else {}
    return max(1, int(asked.get("min_runs") or 1)), float(asked.get("min_seconds") or 0.0)


def timed(task: Task, given: Any) -> tuple[Any, list[int]]:
    """Return the output for an input, and the nanoseconds of each run.

    >>> output, times = timed(Task(lambda x: (x["x"],), abs), {"x": -2.0, "min_runs": 3})
    >>> output, len(times)
    (2.0, 3)
    """
    min_runs, min_seconds = limits(given)
    args = task.read(given)
    times: list[int] = []
    while len(times) < min_runs or sum(times) < min_seconds * 1e9:
        begin = time.perf_counter_ns()
        result = task.run(*args)
        times.append(time.perf_counter_ns() - begin)
    return task.write(result), times


def array(numbers: Any, *, axes: int = 1, dtype: Any = np.float64) -> np.ndarray[Any, Any]:
    """Return lists of JSON as an array in C order with that many axes, also where it is empty."""
    found = np.ascontiguousarray(numbers, dtype=dtype)
    return found.reshape(found.shape + (0,) * (axes - found.ndim))
