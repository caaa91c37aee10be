"""Colours for columns that can share a direction, because no row has entries in two of them.

A. Gebremedhin, F. Manne, A. Pothen, "What color is your Jacobian?" (SIAM Review 47, 2005), sections 3 and 4.
"""

# mypy: disable-error-code="no-untyped-def, untyped-decorator"
from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def colour_columns(starts, columns, row_starts, rows, count):
    """Return a colour for each column, -1 for those without entries: no row has two columns of one colour.

    Args:
        starts, columns: the pattern by rows: where each row begins, and its columns.
        row_starts, rows: the same by columns.
        count: the number of columns.
    """
    colours, taken_by = np.full(count, -1, np.int32), np.full(count + 1, -1, np.int32)
    for j in range(count):
        for p in range(row_starts[j], row_starts[j + 1]):
            i = rows[p]
            for q in range(starts[i], starts[i + 1]):
                if colours[columns[q]] >= 0:
                    taken_by[colours[columns[q]]] = j
        if row_starts[j + 1] > row_starts[j]:
            colours[j] = free_colour(taken_by, j)
    return colours


@njit(cache=True)
def colour_symmetric(starts, columns, count):
    """Return a star colouring of a symmetric pattern: neighbours differ, paths of four have three colours.

    Of each entry (i, j), the sum over one colour in row i or in row j is then that entry alone.

    Args:
        starts, columns: the pattern by rows.
        count: the number of columns.
    """
    colours, taken_by = np.full(count, -1, np.int32), np.full(count + 1, -1, np.int32)
    for v in range(count):
        for p in range(starts[v], starts[v + 1]):
            w = columns[p]
            if w != v and colours[w] >= 0:
                taken_by[colours[w]] = v
            if w != v:
                _take_of_neighbour(starts, columns, colours, taken_by, v, w)
        colours[v] = free_colour(taken_by, v)
    return colours


@njit(cache=True)
def _take_of_neighbour(starts, columns, colours, taken_by, v, w):
    """Take the colours that would make a path over a neighbour w have two colours only."""
    for p in range(starts[w], starts[w + 1]):
        x = columns[p]
        if x == v or colours[x] < 0:
            continue
        if colours[w] < 0:
            taken_by[colours[x]] = v
            continue
        for q in range(starts[x], starts[x + 1]):
            y = columns[q]
            if y != w and x != w and colours[y] == colours[w]:
                taken_by[colours[x]] = v
                break


@njit(cache=True)
def free_colour(taken_by, j):
    """Return the first colour that is not taken by a column."""
    colour = 0
    while taken_by[colour] == j:
        colour += 1
    return colour


@njit(cache=True)
def direct_entries(starts, columns, colours):
    """Return for each entry of a symmetric pattern whether it is the only one of its colour in its row."""
    last, is_direct = np.full(len(colours) + 1, -1, np.int64), np.ones(len(columns), np.bool_)
    for i in range(len(starts) - 1):
        for p in range(starts[i], starts[i + 1]):
            colour = colours[columns[p]]
            if last[colour] >= starts[i]:
                is_direct[p] = is_direct[last[colour]] = False
            last[colour] = p
    return is_direct
