"""Sets of indices as generated code forms them: numbers that stand for nodes of a graph of unions.

0 is the empty set, 1 to n are the sets of one index each, and each further number is the union of two sets
that have smaller ones, or an open set, to which another one is added later. The two stand in a row of the
`book`, whose first row holds how many unions there are, and n. So a union costs the same however large it is,
and what is in it is found out for results only (`adcompiler.sparse.rows`).
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"
from __future__ import annotations

import numpy as np
from numba.extending import register_jitable


@register_jitable
def union(book, a, b):
    """Return the union of two sets; a book that is full goes on to count, and is too small."""
    if a == b or b == 0:
        return a
    if a == 0:
        return b
    last, n = np.int64(book[0, 0]), np.int64(book[0, 1])
    is_whole = last < len(book)
    if is_whole and a > n and (book[a - n, 0] == b or book[a - n, 1] == b):
        return a
    if is_whole and b > n and (book[b - n, 0] == a or book[b - n, 1] == a):
        return b
    if is_whole and last > 0 and book[last, 0] == a and book[last, 1] == b:
        return n + last
    last += 1
    book[0, 0] = last
    if last < len(book):
        book[last, 0] = a
        book[last, 1] = b
    return n + last


@register_jitable
def open_set(book, a):
    """Return a set of its own that holds another one, and to which one more may be added."""
    last, n = np.int64(book[0, 0]) + 1, np.int64(book[0, 1])
    book[0, 0] = last
    if last < len(book):
        book[last, 0] = book[last, 1] = a if a != 0 else n + last
    return n + last


@register_jitable
def close_set(book, a, b):
    """Add a set to an open one, of which it may be made: so that of a loop is found (a least fixed point)."""
    k = a - book[0, 1]
    if k < len(book) and b != 0:
        book[k, 1] = b


@register_jitable
def open_sets(book, sets):
    """Return an open set for each one in an array."""
    found = np.empty(sets.shape, np.int64)
    for k in np.ndindex(sets.shape):
        found[k] = open_set(book, sets[k])
    return found


@register_jitable
def close_sets(book, sets, others):
    """Add a set to each open one in an array: those in an array that fits."""
    stretched = np.broadcast_to(others, sets.shape)
    for k in np.ndindex(sets.shape):
        close_set(book, sets[k], stretched[k])


@register_jitable
def unions(book, a, b):
    """Return the unions of the sets in two arrays, element by element, of which one may be stretched."""
    one, two = np.broadcast_arrays(a, b)
    found = np.empty(one.shape, np.int64)
    for k in np.ndindex(one.shape):
        found[k] = union(book, one[k], two[k])
    return found


@register_jitable
def whole(book, sets):
    """Return the union of all sets in an array."""
    found = np.int64(0)
    for each in sets.flat:
        found = union(book, found, each)
    return found


@register_jitable
def join(sets, book, others):
    """Enter further indices into the sets of an array: those of one set, or those in an array that fits."""
    stretched = np.broadcast_to(others, sets.shape)
    for k in np.ndindex(sets.shape):
        sets[k] = union(book, sets[k], stretched[k])


@register_jitable
def is_inside(shape, place):
    """Tell whether an array has an element at a place."""
    is_inside = True
    for size, k in zip(shape, place):
        is_inside &= -size <= k < size
    return is_inside


@register_jitable
def item(array, *place):
    """Return an element of an array, 0 where there is none: in a branch that may not be the one taken."""
    return array[place] if is_inside(array.shape, place) else array.dtype.type(0)


@register_jitable
def join_item(sets, book, others, *place):
    """Enter further indices into an element, if there is one."""
    if is_inside(sets.shape, place):
        sets[place] = union(book, sets[place], others)


@register_jitable
def products(book, rows, columns):
    """Return the sets of a product of matrices, in which any number may stand beside the sets."""
    return unions(book, of_rows(book, rows).reshape((-1, 1)), of_rows(book, columns.T))


@register_jitable
def of_rows(book, sets):
    """Return the union of the sets in each row."""
    found = np.empty(len(sets), np.int64)
    for i in range(len(sets)):
        found[i] = whole(book, sets[i])
    return found


@register_jitable
def sum_to(book, sets, shape):
    """Return the sets of a sum over the axes along which an array of this shape was stretched."""
    found = np.zeros(shape, np.int64)
    flat = found.ravel()
    for index in np.ndindex(sets.shape):
        place = 0
        for axis in range(sets.ndim):
            place = place * shape[axis] + (index[axis] if shape[axis] > 1 else 0)
        flat[place] = union(book, flat[place], sets[index])
    return found


@register_jitable
def accumulated(book, sets):
    """Return the sets of a running sum, for an array of one axis."""
    found, total = np.empty(sets.shape, np.int64), np.int64(0)
    for k in range(len(sets)):
        total = union(book, total, sets[k])
        found[k] = total
    return found
