"""Sets of indices, found out: the rows of a pattern."""

# mypy: disable-error-code="no-untyped-def, untyped-decorator"
from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def rows_of(book, sets):
    """Return where each row of a pattern begins, and its columns in order.

    Args:
        book: two smaller sets for each union, as `adcompiler.runtime.sets` leaves it.
        sets: the set of each row.
    """
    n = book[0, 1]
    seen = np.full(n + book[0, 0] + 1, -1, np.int32)
    todo = np.empty(len(seen), np.int32)
    starts, columns = np.zeros(len(sets) + 1, np.int32), np.empty(max(8, 4 * len(sets)), np.int32)
    count = 0
    for row in range(len(sets)):
        last = 0
        if sets[row] > 0:
            todo[0], last = sets[row], 1
            seen[sets[row]] = row
        while last > 0:
            last -= 1
            each = todo[last]
            if each <= n:
                if count == len(columns):
                    columns = np.concatenate((columns, np.empty_like(columns)))
                columns[count] = each - 1
                count += 1
                continue
            for k in range(2):
                part = book[each - n, k]
                if seen[part] != row:
                    seen[part] = row
                    todo[last] = part
                    last += 1
        starts[row + 1] = count
        _sort(columns, starts[row], count)
    return starts, columns[:count].copy()


@njit(cache=True)
def _sort(columns, start, stop):
    """Sort a part: most are short."""
    if stop - start > 32:
        columns[start:stop] = np.sort(columns[start:stop])
        return
    for k in range(start + 1, stop):
        column, place = columns[k], k
        while place > start and columns[place - 1] > column:
            columns[place] = columns[place - 1]
            place -= 1
        columns[place] = column
