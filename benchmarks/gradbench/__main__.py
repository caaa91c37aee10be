"""The tool that GradBench's programs talk to: a message of JSON a line in, an answer a line out.

`python -m benchmarks.gradbench` answers until its input ends. A message that cannot be answered gets
`"success": false` and the reason; whatever else is printed goes to the standard error.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from contextlib import redirect_stdout
from functools import cache
from typing import Any, BinaryIO

import orjson

from adcompiler.runtime.workspace import keep_freed_memory
from benchmarks.gradbench.evaluation import Eval, timed

EVALS = ["hello", "gmm", "ba", "lstm", "ht", "kmeans", "lse", "llsq", "ode", "det", "particle", "saddle"]


@cache
def eval_named(name: str) -> Eval:
    """Return one of the evals, whose file is imported only now.

    Raises:
        LookupError: where there is none of this name.
    """
    if name not in EVALS:
        raise LookupError(f"there is no eval {name!r}")
    found: Eval = importlib.import_module(f"benchmarks.gradbench.{name}").EVAL
    return found


def evaluated(message: dict[str, Any]) -> dict[str, Any]:
    """Run what an `evaluate` message asks for."""
    task = eval_named(message["module"]).tasks[message["function"]]
    output, times = timed(task, message["input"])
    timings = [{"name": "evaluate", "nanoseconds": time} for time in times]
    return {"success": True, "output": output, "timings": timings}


def answered(message: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to a message, without its number."""
    match message.get("kind"):
        case "start":
            return {"tool": "adcompiler"}
        case "define":
            eval_named(message["module"]).compile()
            return {"success": True}
        case "evaluate":
            return evaluated(message)
    return {}


def answer(line: bytes) -> dict[str, Any]:
    """Return the answer to a line, whatever goes wrong on the way to it.

    >>> answer(b'{"id": 7, "kind": "start", "eval": "hello"}')
    {'id': 7, 'tool': 'adcompiler'}
    >>> answer(b'{"id": 8, "kind": "define", "module": "tea"}')
    {'id': 8, 'success': False, 'error': "LookupError: there is no eval 'tea'"}
    """
    number = None
    try:
        message = orjson.loads(line)
        number = message.get("id")
        return {"id": number, **answered(message)}
    except Exception as error:
        return {"id": number, "success": False, "error": f"{type(error).__name__}: {error}"}


def serve(lines: Iterable[bytes], out: BinaryIO) -> None:
    """Answer one line after another, each as soon as it is there."""
    for line in lines:
        if line.strip():
            out.write(orjson.dumps(answer(line), option=orjson.OPT_SERIALIZE_NUMPY) + b"\n")
            out.flush()


if __name__ == "__main__":
    keep_freed_memory()
    with redirect_stdout(sys.stderr):
        serve(sys.stdin.buffer, sys.__stdout__.buffer)  # type: ignore[union-attr]
