"""Say of one call what it stores, and how much memory and time it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adcompiler.explain.footprint import allocations, known_sizes
from adcompiler.explain.in_words import Plans, explain, explain_memory, explain_seconds
from adcompiler.graph.nodes import Graph


def explain_call(
    name: str, graph: Graph, plans: Plans, values: list[Any], seconds: Mapping[str, float]
) -> str:
    """Return what a call stores, why, how much memory that takes, and how long compiling took.

    Args:
        name: the function's name.
        graph: the graph of the derivative.
        plans: what it stores.
        values: the single values of the arguments.
        seconds: how long each stage took.
    """
    memory = explain_memory(allocations(graph), known_sizes(graph, values))
    return "\n".join([explain(name, plans), memory, explain_seconds(seconds)])
