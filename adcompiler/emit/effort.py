"""How hard LLVM works on a module.

At its highest level, LLVM writes loops out once for each way in which tests that stay the same in them may
fall. Each loop begins with such a test, so that the code of a nest doubles with its depth: six hundred lines
of nests that are five deep took two minutes, and thirty seconds one level below, at the same speed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager

from numba.core import config

_DEEP = 4
_MANY = 8


@contextmanager
def measured_effort(source: str) -> Iterator[None]:
    """Let LLVM compile a module of many deep nests one level below its highest.

    Args:
        source: the text of the module.
    """
    level = config.OPT
    try:
        if level > 2 and _deep_loops(ast.parse(source), 0) >= _MANY:
            config.OPT = type(level)(2)
        yield
    finally:
        config.OPT = level


def _deep_loops(node: ast.AST, depth: int) -> int:
    """Return how many loops stand inside several others.

    >>> nest = "for i in a:\\n for j in a:\\n  for k in a:\\n   for l in a:\\n    pass"
    >>> _deep_loops(ast.parse(nest), 0), _deep_loops(ast.parse("for i in a: pass"), 0)
    (1, 0)
    """
    inside = depth + isinstance(node, ast.For | ast.While)
    own = int(inside > depth and inside >= _DEEP)
    return own + sum(_deep_loops(child, inside) for child in ast.iter_child_nodes(node))
