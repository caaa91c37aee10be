"""The minimum cut of a network: a flow is increased along shortest paths until none is left (Dinic 1970).

The networks have some hundred vertices. SciPy's `maximum_flow` takes longer to import than this takes to run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise


def sink_side(capacities: Mapping[tuple[int, int], int], source: int, sink: int) -> set[int]:
    """Return the vertices behind the minimum cut that lies nearest to the sink.

    Args:
        capacities: how much may flow from one vertex to another, zero or more.
        source: where the flow begins.
        sink: where it ends.

    >>> sorted(sink_side({(0, 2): 5, (2, 3): 1, (3, 1): 5}, source=0, sink=1))
    [1, 3]
    """
    residual: list[dict[int, int]] = [{} for _ in range(1 + max(map(max, capacities), default=sink))]
    for (start, end), capacity in capacities.items():
        residual[start][end] = residual[start].get(end, 0) + capacity
        residual[end].setdefault(start, 0)
    while (distances := _distances(residual, source))[sink] >= 0:
        _increase(residual, distances, source, sink)
    return _reaching(residual, sink)


def _distances(residual: Sequence[Mapping[int, int]], source: int) -> list[int]:
    """Return how many steps each vertex is away, -1 where nothing more can flow to."""
    found = [-1] * len(residual)
    found[source] = 0
    queue = [source]
    for vertex in queue:
        for other, left in residual[vertex].items():
            if left and found[other] < 0:
                found[other] = found[vertex] + 1
                queue.append(other)
    return found


def _increase(residual: Sequence[dict[int, int]], distances: list[int], source: int, sink: int) -> None:
    """Let flow what can, along shortest paths."""
    ways = [[*others] for others in residual]
    path = [source]
    while path:
        vertex = path[-1]
        if vertex == sink:
            _add(residual, path)
        elif not ways[vertex]:
            path.pop()
            if path:
                ways[path[-1]].pop()
        elif residual[vertex][other := ways[vertex][-1]] and distances[other] == distances[vertex] + 1:
            path.append(other)
        else:
            ways[vertex].pop()


def _add(residual: Sequence[dict[int, int]], path: list[int]) -> None:
    """Let flow what a path can take, and go back to where nothing is left."""
    steps = [*pairwise(path)]
    most = min(residual[start][end] for start, end in steps)
    for start, end in steps:
        residual[start][end] -= most
        residual[end][start] += most
    full = next(k for k, (start, end) in enumerate(steps) if not residual[start][end])
    del path[full + 1 :]


def _reaching(residual: Sequence[Mapping[int, int]], sink: int) -> set[int]:
    """Return the vertices from which more could flow to the sink."""
    found = {sink}
    todo = [sink]
    while todo:
        vertex = todo.pop()
        for other in residual[vertex]:
            if residual[other][vertex] and other not in found:
                found.add(other)
                todo.append(other)
    return found
