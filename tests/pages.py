"""The pages of the documentation that are written by the tests: every refusal, every construct."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from constructs import CONSTRUCTS
from corpus import CORPUS
from test_refusals import CASES

from adcompiler import ComputationGraph, DifferentiationError, custom_vjp, grad, sparsity
from adcompiler.errors import CODES

INTRODUCTION = """# Every refusal

All refusals are one exception, `adcompiler.DifferentiationError`, which is both a `NotImplementedError`
and a `TypeError`. It has the attributes `code`, `location`, `reason` and `cure`; its text shows file, line,
caret, reason and way out. A function is refused when it is first specialised, before anything runs.

This page is written by the tests (`pytest tests/test_docs.py --update-golden`): each example is run, and the
text below it is what it raises.
"""


def _loop(x):
    for _ in range(3):
        x = x * x
    return x


@custom_vjp
def clipped(x):
    return min(x, 1.0)


@clipped.defvjp
def clipped_vjp(x, y, d):
    return d


def _with_rule(x):
    return clipped(x * x)


def _positive(x):
    return x[x > 0.0]


OTHER: dict[str, tuple[str, Callable[[], Any]]] = {
    "AD001": ("grad(math.sin)", lambda: grad(math.sin)),
    "AD305": ('grad(lambda x: x, argnums="w")', lambda: grad(lambda x: x, argnums="w")),
    "AD401": (
        'ComputationGraph({"a": "b + 1", "b": "a * 2"})',
        lambda: ComputationGraph({"a": "b + 1", "b": "a * 2"}),
    ),
    "AD601": (
        inspect.getsource(_positive) + "\n\nsparsity(_positive)(np.ones(3))",
        lambda: sparsity(_positive, jit=False)(np.ones(3)),
    ),
    "AD501": (
        inspect.getsource(_with_rule)
        + '\n\ngrad(_with_rule).export("model.py", 0.3)  # clipped is a custom_vjp',
        lambda: grad(_with_rule).export("model.py", 0.3),
    ),
    "AD402": (
        inspect.getsource(_loop) + "\n\ngrad(_loop).graph.evaluate(2, x=1.0)",
        lambda: grad(_loop).graph.evaluate(2, x=1.0),
    ),
}


def refusal(run: Callable[[], Any]) -> DifferentiationError:
    """Return what a call is refused with."""
    try:
        run()
    except DifferentiationError as error:
        return error
    raise AssertionError("not refused")


def message(error: DifferentiationError, first: int) -> str:
    """Return the text of a refusal as if the function stood at the top of `model.py`."""
    text = re.sub(r"<(function|built-in function) (\w+)[^>]*>", r"<\1 \2>", str(error))
    where = error.location
    if where is not None:
        text = text.replace(f"at {where}", f"at model.py:{where.line - first + 1}:{where.column + 1}")
    return text


def without_decorator(function: Callable[..., Any]) -> tuple[str, int]:
    """Return the source of a function from its `def`, and the line on which that stands."""
    lines, first = inspect.getsourcelines(function)
    skip = next(k for k, line in enumerate(lines) if line.startswith("def "))
    return "".join(lines[skip:]).split("  # noqa")[0].rstrip(), first + skip


def errors_page() -> str:
    """Write `docs/errors.md`."""
    parts = [INTRODUCTION]
    for code, (what, cure) in CODES.items():
        parts.append(f"## {code}: {what}\n\nWay out: {cure}.\n")
        examples = [(function, inputs) for found, function, inputs, _ in CASES if found == code]
        for function, inputs in examples:
            source, first = without_decorator(function)
            error = refusal(lambda f=function, given=inputs: grad(f, jit=False)(*given))
            parts.append(f"```python\n{source}\n```\n\n```\n{message(error, first)}\n```\n")
        if code in OTHER:
            source, run = OTHER[code]
            shown = {"AD501": _with_rule, "AD601": _positive}.get(code, _loop)
            first = shown.__code__.co_firstlineno
            parts.append(f"```python\n{source}\n```\n\n```\n{message(refusal(run), first)}\n```\n")
        if code == "AD901":
            parts.append("This is the only code that no program should ever see.\n")
    return "\n".join(parts)


def anchor(code: str) -> str:
    """Return the address of a code's section."""
    return f"{code}-{CODES[code][0]}".lower().replace(" ", "-").replace("'", "")


def language_page(text: str) -> str:
    """Return the page with its tables of constructs replaced by what the tests know."""
    corpus = {function.__name__ for function, _ in CORPUS}
    refused = {function.__name__: code for code, function, _, _ in CASES}
    rows = []
    for group, constructs in CONSTRUCTS.items():
        rows.append(f"\n### {group}\n\n| construct | supported | shown by |\n| --- | --- | --- |\n")
        for construct, names in constructs.items():
            known = [name for name in names.split() if name in corpus or name in refused]
            assert known == names.split() and known, f"{construct}: {set(names.split()) - set(known)}"
            codes = sorted({refused[name] for name in known if name in refused and name not in corpus})
            links = ", ".join(f"[{code}](errors.md#{anchor(code)})" for code in codes)
            is_refused = all(name not in corpus for name in known)
            verdict = "yes" if not codes else links if is_refused else f"yes, but {links}"
            rows.append(f"| {construct} | {verdict} | {', '.join(f'`{name}`' for name in known)} |\n")
    before, _, rest = text.partition("<!-- constructs -->\n")
    after = rest.partition("<!-- end -->\n")[2]
    return f"{before}<!-- constructs -->\n{''.join(rows)}\n<!-- end -->\n{after}"
