"""Where a matrix of derivatives may not be zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class SparsityPattern:
    """The places of a sparse matrix that may not be zero, by rows.

    Attributes:
        shape: how many numbers the results have, and the arguments.
        starts: where each row begins (SciPy's `indptr`).
        columns: the columns of each row, in order (SciPy's `indices`).
        results: how many rows belong to each array or number in the result; by default, there is one.
        arguments: how many columns belong to each array or number in the arguments; by default, there is one.

    >>> pattern = SparsityPattern((2, 3), np.array([0, 2, 3]), np.array([0, 2, 1]))
    >>> pattern
    <SparsityPattern of 2 × 3, with 3 entries>
    >>> pattern.toarray().astype(int)
    array([[1, 0, 1],
           [0, 1, 0]])
    """

    shape: tuple[int, int]
    starts: Array
    columns: Array
    results: tuple[int, ...] = ()
    arguments: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name, size in zip(("results", "arguments"), self.shape, strict=True):
            object.__setattr__(self, name, getattr(self, name) or (size,))

    @classmethod
    def of(cls, matrix: Any) -> SparsityPattern:
        """Return the pattern of what is stored of a sparse matrix, or not zero in an array of two axes.

        >>> SparsityPattern.of(np.eye(3)).nnz
        3
        """
        from scipy.sparse import csr_array

        found = csr_array(matrix)
        found.sort_indices()
        return cls(found.shape, found.indptr.astype(np.int32), found.indices.astype(np.int32))

    @property
    def nnz(self) -> int:
        """How many entries there are."""
        return len(self.columns)

    @cached_property
    def rows(self) -> Array:
        """The row of each entry."""
        return np.repeat(np.arange(self.shape[0], dtype=np.int32), np.diff(self.starts))

    @cached_property
    def by_columns(self) -> tuple[Array, Array, Array]:
        """Where each column begins, the row of each entry there, and its position among those by rows."""
        order = np.argsort(self.columns, kind="stable").astype(np.int32)
        counts = np.bincount(self.columns, minlength=self.shape[1])
        return np.append(0, np.cumsum(counts)).astype(np.int32), self.rows[order], order

    @property
    def transposed(self) -> SparsityPattern:
        """The pattern of the transposed matrix."""
        starts, rows, _ = self.by_columns
        return SparsityPattern(self.shape[::-1], starts, rows, self.arguments, self.results)

    @property
    def symmetric(self) -> SparsityPattern:
        """This pattern, and its transposed one."""
        keys = self.rows * np.int64(self.shape[1]) + self.columns
        both = np.union1d(keys, self.columns * np.int64(self.shape[1]) + self.rows)
        rows, columns = np.divmod(both, self.shape[1])
        starts = np.append(0, np.cumsum(np.bincount(rows, minlength=self.shape[0])))
        return SparsityPattern(
            self.shape, starts.astype(np.int32), columns.astype(np.int32), self.results, self.arguments
        )

    def toarray(self) -> Array:
        """Return an array of booleans of the same shape."""
        found = np.zeros(self.shape, np.bool_)
        found[self.rows, self.columns] = True
        return found

    def matrix(self, values: Sequence[float] | Array | None = None, format: str = "csr") -> Any:
        """Return a sparse matrix with some values, by default ones; its indices are its own.

        Args:
            values: one for each entry, by rows for "csr" and by columns for "csc".
            format: "csr" or "csc".

        >>> starts, columns = np.array([0, 1, 2]), np.array([1, 0])
        >>> SparsityPattern((2, 2), starts, columns).matrix([3.0, 4.0]).toarray()
        array([[0., 3.],
               [4., 0.]])
        """
        from scipy.sparse import csc_array, csr_array

        values = np.ones(self.nnz) if values is None else values
        if format == "csr":
            return csr_array((values, self.columns.copy(), self.starts.copy()), shape=self.shape)
        starts, rows, _ = self.by_columns
        return csc_array((values, rows.copy(), starts.copy()), shape=self.shape)

    def __repr__(self) -> str:
        return f"<SparsityPattern of {self.shape[0]} × {self.shape[1]}, with {self.nnz} entries>"
