"""Sparse Jacobians and Hessians: `sparsity`, `sparse_jacobian`, `sparse_hessian`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, overload

from adcompiler.api.checks import Argnums
from adcompiler.api.compressed import Format, SparseDerivative
from adcompiler.api.derivative import P
from adcompiler.api.finding import Sparsity
from adcompiler.errors import DifferentiationError

if TYPE_CHECKING:
    from adcompiler.sparse.compression import By
    from adcompiler.sparse.pattern import SparsityPattern

_BY: dict[str, By] = {"star": "symmetric", "acyclic": "acyclic"}


@overload
def sparsity(
    function: Callable[P, Any],
    argnums: Argnums = ...,
    *,
    local: bool = ...,
    jit: bool = ...,
    **options: Any,
) -> Sparsity[P]: ...


@overload
def sparsity(
    function: None = ...,
    argnums: Argnums = ...,
    *,
    local: bool = ...,
    jit: bool = ...,
    **options: Any,
) -> Callable[[Callable[P, Any]], Sparsity[P]]: ...


def sparsity(
    function: Callable[..., Any] | None = None,
    argnums: Argnums = 0,
    *,
    local: bool = False,
    jit: bool = True,
    **options: Any,
) -> Any:
    """Return a function that finds where the Jacobian of a function may not be zero.

    The function is run once, with sets of indices in place of numbers. Both branches of a test of floats
    count, and any number of iterations of a loop that floats end, so that the pattern holds for all values of
    arguments that are floats, and for these sizes and integers.

    Args:
        function: a numeric Python function, or an `@njit` dispatcher, that returns floats and arrays of them.
        argnums: the argument or arguments to differentiate, by position or name.
        local: whether only the path that the given arguments take counts.
        jit: False runs the generated text as plain Python and NumPy.
        **options: those of `grad`.

    Returns:
        a callable with the parameters of `function` that returns a `SparsityPattern`. Its rows are all
        numbers in the result, its columns all numbers in these arguments, in order.

    Raises:
        DifferentiationError: where the function cannot be differentiated; AD601 where how large an array is,
            or which of several arrays is written, depends on floats.

    >>> import numpy as np
    >>> def residual(u):
    ...     r = np.zeros(len(u))
    ...     for i in range(1, len(u) - 1):
    ...         r[i] = u[i - 1] - u[i] ** 2 if u[i] > 0.0 else u[i + 1]
    ...     return r
    >>> sparsity(residual)(np.ones(4)).toarray().astype(int)
    array([[0, 0, 0, 0],
           [1, 1, 1, 0],
           [0, 1, 1, 1],
           [0, 0, 0, 0]])
    >>> sparsity(residual, local=True)(np.ones(4)).nnz
    4
    """
    if function is None:
        return lambda f: sparsity(f, argnums, local=local, jit=jit, **options)
    return Sparsity(function, argnums, local, jit, options)


@overload
def sparse_jacobian(
    function: Callable[P, Any],
    argnums: Argnums = ...,
    *,
    format: Format = ...,
    by: Literal["columns", "rows"] | None = ...,
    pattern: SparsityPattern | None = ...,
    jit: bool = ...,
    **options: Any,
) -> SparseDerivative[P]: ...


@overload
def sparse_jacobian(
    function: None = ...,
    argnums: Argnums = ...,
    *,
    format: Format = ...,
    by: Literal["columns", "rows"] | None = ...,
    pattern: SparsityPattern | None = ...,
    jit: bool = ...,
    **options: Any,
) -> Callable[[Callable[P, Any]], SparseDerivative[P]]: ...


def sparse_jacobian(
    function: Callable[..., Any] | None = None,
    argnums: Argnums = 0,
    *,
    format: Format = "csr",
    by: Literal["columns", "rows"] | None = None,
    pattern: SparsityPattern | None = None,
    jit: bool = True,
    **options: Any,
) -> Any:
    """Return a function that evaluates the Jacobian as a sparse matrix.

    Where it may not be zero is found at the first call, and again for arguments of other sizes or with other
    integers that decide about it. Columns that have no row in common share a direction, and eight
    directions are taken at a time.

    Args:
        function: a numeric Python function, or an `@njit` dispatcher, that returns floats and arrays of them.
        argnums: the argument or arguments to differentiate, by position or name.
        format: "csr" for a `scipy.sparse.csr_array`, "csc" for a `csc_array`.
        by: "columns" for forward mode, "rows" for reverse mode; by default, what needs less work.
        pattern: the pattern, if it is known; then it is not looked for, and holds for all arguments.
        jit: False runs the generated text as plain Python and NumPy.
        **options: those of `grad`.

    Returns:
        a `SparseDerivative`, called like `function`. It returns a sparse matrix with a row for each number in
        the result and a column for each number in the arguments that are differentiated by, side by side.

    Raises:
        DifferentiationError: where the function cannot be differentiated, or has no pattern: see `sparsity`.

    >>> import numpy as np
    >>> jac = sparse_jacobian(lambda u: u[1:] ** 2 - u[:-1])
    >>> jac(np.array([1.0, 2.0, 3.0])).toarray()
    array([[-1.,  4.,  0.],
           [ 0., -1.,  6.]])
    >>> jac.colouring(np.array([1.0, 2.0, 3.0]))
    <Colouring by columns, with 2 colours>
    """
    if function is None:
        return lambda f: sparse_jacobian(
            f, argnums, format=format, by=by, pattern=pattern, jit=jit, **options
        )
    return SparseDerivative(function, argnums, format, by, pattern, jit, options)


@overload
def sparse_hessian(
    function: Callable[P, Any],
    argnums: Argnums = ...,
    *,
    format: Format = ...,
    colouring: Literal["star", "acyclic"] = ...,
    pattern: SparsityPattern | None = ...,
    jit: bool = ...,
    **options: Any,
) -> SparseDerivative[P]: ...


@overload
def sparse_hessian(
    function: None = ...,
    argnums: Argnums = ...,
    *,
    format: Format = ...,
    colouring: Literal["star", "acyclic"] = ...,
    pattern: SparsityPattern | None = ...,
    jit: bool = ...,
    **options: Any,
) -> Callable[[Callable[P, Any]], SparseDerivative[P]]: ...


def sparse_hessian(
    function: Callable[..., Any] | None = None,
    argnums: Argnums = 0,
    *,
    format: Format = "csr",
    colouring: Literal["star", "acyclic"] = "star",
    pattern: SparsityPattern | None = None,
    jit: bool = True,
    **options: Any,
) -> Any:
    """Return a function that evaluates the Hessian of a scalar function as a sparse matrix.

    The pattern is that of the Jacobian of the gradient. Since an entry may be read in its row or in its
    column, fewer directions are needed.

    Args:
        function: a numeric Python function, or an `@njit` dispatcher, that returns one float.
        argnums: the argument or arguments to differentiate, by position or name.
        format: "csr" for a `scipy.sparse.csr_array`, "csc" for a `csc_array`.
        colouring: "star", where each entry is found as it is (Coleman and Moré, 1984), or "acyclic", where
            entries may have to be taken out of sums (Coleman and Cai, 1986; Gebremedhin, Tarafdar, Manne,
            Pothen, 2007): of bands and grids about half as many directions, and a rounding error for each
            entry of such a sum.
        pattern: the pattern, if it is known; then it is not looked for, and holds for all arguments.
        jit: False runs the generated text as plain Python and NumPy.
        **options: those of `grad`.

    Returns:
        a `SparseDerivative`, called like `function`. It returns a symmetric sparse matrix with a row and a
        column for each number in the arguments that are differentiated by.

    Raises:
        DifferentiationError: where the function cannot be differentiated, or has no pattern: see `sparsity`;
            AD305 for another colouring.

    >>> import numpy as np
    >>> def chain(x):
    ...     return np.sum((x[1:] - x[:-1] ** 2) ** 2)
    >>> sparse_hessian(chain)(np.array([1.0, 1.0, 1.0])).toarray()
    array([[ 8., -4.,  0.],
           [-4., 10., -4.],
           [ 0., -4.,  2.]])
    >>> [sparse_hessian(chain, colouring=kind).colouring(np.ones(9)).count for kind in ("star", "acyclic")]
    [3, 2]
    """
    if colouring not in _BY:
        raise DifferentiationError("AD305", f"there is no colouring {colouring!r}: 'star' or 'acyclic'")
    if function is None:
        return lambda f: sparse_hessian(
            f, argnums, format=format, colouring=colouring, pattern=pattern, jit=jit, **options
        )
    return SparseDerivative(function, argnums, format, _BY[colouring], pattern, jit, options)
