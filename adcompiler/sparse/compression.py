"""Colours for a pattern, and where each entry is found in products with one direction for each colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from adcompiler.runtime.plain_lanes import WIDTH
from adcompiler.sparse.acyclic import colour_acyclic, leaves_first
from adcompiler.sparse.colouring import colour_columns, colour_symmetric, direct_entries
from adcompiler.sparse.pattern import Array, SparsityPattern

By = Literal["columns", "rows", "symmetric", "acyclic"]


@dataclass(frozen=True, eq=False)
class Colouring:
    """Columns, or rows, that share a direction.

    Attributes:
        by: "columns", "rows", "symmetric" where an entry may be found in its row or in its column, or
            "acyclic" where it may have to be taken out of a sum of such entries, too.
        colours: the colour of each column or row, counted from 0; -1 for those without entries.
        trees: of an acyclic colouring, the tree of two colours that each entry belongs to.
    """

    by: By
    colours: Array
    trees: Array | None = None

    @property
    def count(self) -> int:
        """How many colours there are."""
        return int(self.colours.max(initial=-1)) + 1

    def __repr__(self) -> str:
        return f"<Colouring by {self.by}, with {self.count} colours>"


class PartOfEntries(NamedTuple):
    """The entries that one product has: where those of each chunk of colours begin, and for each of them
    its position in the result, and its place and lane in the product."""

    starts: Array
    positions: Array
    places: Array
    lanes: Array


class Entries(NamedTuple):
    """What a derivative needs to fill in the entries of a matrix: see `adcompiler.frontend.entries`.

    In the end, entries at `sources` are subtracted from those at `targets`, in this order.
    """

    colours: Array
    total: int
    parts: tuple[PartOfEntries, ...]
    targets: Array
    sources: Array


def colouring_of(pattern: SparsityPattern, by: By | None = None) -> Colouring:
    """Return a colouring of a pattern.

    Args:
        pattern: the pattern.
        by: "columns", "rows", "symmetric" or "acyclic". By default columns, but rows where these need fewer
            than half as many runs, since reverse mode takes longer.

    >>> tridiagonal = SparsityPattern.of(np.tri(5, k=1) - np.tri(5, k=-2))
    >>> colouring_of(tridiagonal), colouring_of(tridiagonal, "symmetric")
    (<Colouring by columns, with 3 colours>, <Colouring by symmetric, with 3 colours>)
    >>> colouring_of(tridiagonal, "acyclic")
    <Colouring by acyclic, with 2 colours>
    """
    if by == "acyclic":
        mirror = pattern.by_columns[2]
        return Colouring(by, *colour_acyclic(pattern.starts, pattern.columns, mirror, pattern.shape[1]))
    if by == "symmetric":
        return Colouring(by, colour_symmetric(pattern.starts, pattern.columns, pattern.shape[1]))
    if by is not None:
        whole = pattern if by == "columns" else pattern.transposed
        starts, rows, _ = whole.by_columns
        return Colouring(by, colour_columns(whole.starts, whole.columns, starts, rows, whole.shape[1]))
    found = colouring_of(pattern, "columns")
    if found.count <= 2 * WIDTH:
        return found
    by_rows = colouring_of(pattern, "rows")
    return by_rows if 2 * _chunks(by_rows.count) < _chunks(found.count) else found


def _chunks(count: int) -> int:
    return -(-count // WIDTH)


def entries_of(pattern: SparsityPattern, colouring: Colouring, format: str) -> Entries:
    """Return where each entry is found.

    Args:
        pattern: the pattern.
        colouring: its colouring.
        format: "csr" or "csc": the order of the entries.
    """
    places, colours, (targets, sources) = _found_at(pattern, colouring)
    positions = np.arange(pattern.nnz, dtype=np.int32)
    if format == "csc":
        order = pattern.by_columns[2]
        places, colours = places[order], colours[order]
        targets, sources = (np.argsort(order).astype(np.int32)[each] for each in (targets, sources))
    sizes = pattern.results if colouring.by == "columns" else pattern.arguments
    return Entries(
        colouring.colours, pattern.nnz, tuple(_parts(places, colours, positions, sizes)), targets, sources
    )


def _found_at(pattern: SparsityPattern, colouring: Colouring) -> tuple[Array, Array, Array]:
    """Return for each entry its place in a product, the colour of this product, and what is subtracted."""
    rows, columns, colours = pattern.rows, pattern.columns, colouring.colours
    nothing = np.empty((2, 0), np.int32)
    if colouring.by == "columns":
        return rows, colours[columns], nothing
    if colouring.by == "rows":
        return columns, colours[rows], nothing
    if colouring.trees is None:
        in_row, pairs = direct_entries(pattern.starts, columns, colours), nothing
    else:
        mirror = pattern.by_columns[2]
        in_row, pairs = leaves_first(pattern.starts, rows, columns, mirror, colouring.trees)
    return np.where(in_row, rows, columns), np.where(in_row, colours[columns], colours[rows]), pairs


def _parts(places: Array, colours: Array, positions: Array, sizes: Sequence[int]) -> Iterator[PartOfEntries]:
    first = 0
    for size in sizes:
        own = np.flatnonzero((places >= first) & (places < first + size))
        chunks = colours[own] // WIDTH
        own = own[np.argsort(chunks, kind="stable")]
        counts = np.bincount(chunks)
        starts = np.append(0, np.cumsum(counts)).astype(np.int64)
        lanes = (colours[own] % WIDTH).astype(np.int8)
        yield PartOfEntries(starts, positions[own], (places[own] - first).astype(np.int32), lanes)
        first += size
