"""Which node each line of generated text comes from."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from adcompiler.graph.nodes import Node
from adcompiler.graph.unparse import Comment


def origins(tree: ast.FunctionDef, source: str) -> dict[int, Node]:
    """Return the node that the statement in each line comes from, where it comes from one.

    Args:
        tree: a function as `to_python` wrote it.
        source: its text; lines are counted from 1.

    >>> from adcompiler.frontend.lower import lower
    >>> from adcompiler.graph.python import to_python
    >>> from adcompiler.graph.python_expressions import Style
    >>> from adcompiler.graph.text import unique_names
    >>> from adcompiler.graph.unparse import unparse
    >>> from adcompiler.samples import sigmoid
    >>> graph = lower(sigmoid)
    >>> tree = to_python(graph, Style(unique_names(graph.body)))
    >>> [(line, node.fn) for line, node in origins(tree, unparse(tree)).items()]
    [(2, 'neg'), (3, 'math.exp'), (4, 'add'), (5, 'truediv')]
    """
    parsed = ast.parse(source).body[0]
    assert isinstance(parsed, ast.FunctionDef)
    made, read = [*_statements(tree.body, None)], [*_statements(parsed.body, None)]
    if len(made) != len(read):
        return {}
    pairs = zip(made, read, strict=True)
    return {statement.lineno: node for (_, node), (statement, _) in pairs if node is not None}


def _statements(body: list[ast.stmt], origin: Node | None) -> Iterator[tuple[ast.stmt, Node | None]]:
    """Yield statements in the order of the text, each with the node that it comes from."""
    for statement in body:
        if isinstance(statement, Comment):
            continue
        own = getattr(statement, "origin", origin)
        yield statement, own
        for part in ("body", "orelse"):
            yield from _statements(getattr(statement, part, []), own)
