"""Acyclic colourings of symmetric patterns: neighbours differ, and no cycle has two colours only.

The entries between two colours are then the edges of trees: from the leaves on, each is what its row holds
of the other colour, less those that are known already.

A. Gebremedhin, A. Tarafdar, F. Manne, A. Pothen, "New acyclic and star coloring algorithms with application
to computing Hessians" (SIAM Journal on Scientific Computing 29, 2007), sections 3 and 5.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"
from __future__ import annotations

import numpy as np
from numba import njit

from adcompiler.sparse.colouring import free_colour


@njit(cache=True)
def colour_acyclic(starts, columns, mirror, count):
    """Return an acyclic colouring of a symmetric pattern, and the tree that each entry belongs to.

    Args:
        starts, columns: the pattern by rows.
        mirror: for each entry, the position of that on the other side of the diagonal.
        count: the number of columns.
    """
    colours, taken_by = np.full(count, -1, np.int32), np.full(count + 1, -1, np.int32)
    trees = np.minimum(np.arange(len(columns)).astype(np.int32), mirror)
    seen_by, seen_from = np.full(len(columns), -1, np.int32), np.full(len(columns), -1, np.int32)
    for v in range(count):
        for p in range(starts[v], starts[v + 1]):
            w = columns[p]
            if w == v or colours[w] < 0:
                continue
            taken_by[colours[w]] = v
            for q in range(starts[w], starts[w + 1]):
                x = columns[q]
                is_other = x != w and x != v
                if not is_other or colours[x] < 0:
                    continue
                tree = _root(trees, q)
                if seen_by[tree] == v and seen_from[tree] != w:  # v would close a cycle
                    taken_by[colours[x]] = v
                seen_by[tree], seen_from[tree] = v, w
        colours[v] = free_colour(taken_by, v)
        _join_trees(starts, columns, colours, trees, v)
    for p in range(len(columns)):
        trees[p] = _root(trees, p)
    return colours, trees


@njit(cache=True)
def _join_trees(starts, columns, colours, trees, v):
    """Enter the edges from a vertex to its neighbours into the trees of their two colours."""
    for p in range(starts[v], starts[v + 1]):
        w = columns[p]
        if w == v or colours[w] < 0:
            continue
        for q in range(starts[v], p):
            if columns[q] != v and colours[columns[q]] == colours[w]:
                trees[_root(trees, q)] = _root(trees, p)
        for q in range(starts[w], starts[w + 1]):
            if columns[q] != w and colours[columns[q]] == colours[v]:
                trees[_root(trees, q)] = _root(trees, p)


@njit(cache=True)
def _root(trees, p):
    while trees[p] != p:
        trees[p] = trees[trees[p]]
        p = trees[p]
    return p


@njit(cache=True)
def leaves_first(starts, rows, columns, mirror, trees):
    """Return for each entry whether its row is a leaf, and what is subtracted from what, in order.

    Args:
        starts, rows, columns, mirror: the pattern.
        trees: the tree that each entry belongs to.
    """
    at_leaf, count, first = rows == columns, 0, 0
    order = np.argsort(trees, kind="mergesort")
    pairs = np.empty((2, 2 * len(columns)), np.int32)
    work = np.zeros((3, len(starts) - 1), np.int64)
    above = np.full(len(starts) - 1, -1, np.int64)
    while first < len(order):
        last = first
        while last < len(order) and trees[order[last]] == trees[order[first]]:
            last += 1
        own = order[first:last]
        taken, upper = _taken(own, rows, columns, mirror, work, above)
        for k in range(len(taken)):
            at_leaf[taken[k]] = True
            if above[upper[k]] >= 0:
                pairs[0, count], pairs[0, count + 1] = above[upper[k]], mirror[above[upper[k]]]
                pairs[1, count : count + 2] = taken[k]
                count += 2
        for p in own:
            above[rows[p]] = -1
        first = last
    return at_leaf, pairs[:, :count].copy()


@njit(cache=True)
def _taken(own, rows, columns, mirror, work, above):
    """Take leaves off a tree until none is left; return their edges, in order, and the vertices above them.

    Args:
        own: the entries of the tree.
        rows, columns, mirror: the pattern.
        work: zeros for each vertex, and again afterwards: how many edges it has, how many were taken below
            it, and the sum by bits of those that are left.
        above: gets the edge by which each vertex was taken.
    """
    degree, below, edges = work[0], work[1], work[2]
    for p in own:
        if rows[p] != columns[p]:
            degree[rows[p]] += 1
            edges[rows[p]] ^= p
    taken, upper = np.empty(len(own), np.int64), np.empty(len(own), np.int64)
    number = 0
    for p in own:
        v = rows[p]
        while degree[v] == 1:
            edge = edges[v]
            w = columns[edge]
            if degree[w] == 1 and below[w] < below[v]:  # the last one: nothing is subtracted from a lone leaf
                edge, v, w = mirror[edge], w, v
            taken[number], upper[number], above[v] = edge, w, edge
            number += 1
            degree[v] = edges[v] = 0
            degree[w] -= 1
            below[w] += 1
            edges[w] ^= mirror[edge]
            v = w
    for p in own:
        below[rows[p]] = 0
    return taken[:number], upper[:number]
