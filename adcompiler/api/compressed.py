"""Sparse Jacobians and Hessians: found, coloured, evaluated, and kept for arguments of the same sizes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal

import numpy as np

from adcompiler.api.arguments import flat
from adcompiler.api.checks import Argnums
from adcompiler.api.derivative import Derivative, P
from adcompiler.api.finding import Sparsity
from adcompiler.api.first_order import grad
from adcompiler.api.next_chain import Mode
from adcompiler.enabled import enabled
from adcompiler.graph.layout import Layout
from adcompiler.portable import Portable
from adcompiler.turns import importing

if TYPE_CHECKING:
    from adcompiler.sparse.compression import By, Colouring, Entries
    from adcompiler.sparse.pattern import SparsityPattern

Format = Literal["csr", "csc"]
_MODES: dict[str, Mode] = {
    "columns": "entries_by_columns",
    "rows": "entries_by_rows",
    "symmetric": "entries_of_hessian",
    "acyclic": "entries_of_hessian",
}


@dataclass(eq=False)
class SparseEvaluation:
    """A sparse Jacobian or Hessian for arguments of known sizes: all but the values is there.

    It is called like the function, and pickled together with pattern and colours.

    Attributes:
        pattern: where the entries are.
        colouring: which columns or rows share a direction.
        format: "csr" or "csc", the order of the values.
        values: the derivative that computes them, `values(u, entries)`, in compiled code, too.
        entries: what it takes after the arguments of the function.
    """

    pattern: SparsityPattern
    colouring: Colouring
    format: Format
    values: Derivative[..., Any]
    entries: Entries

    def __call__(self, *args: Any) -> Any:
        """Return the matrix for these arguments, one for each parameter of the function."""
        return self.pattern.matrix(self.values(*args, self.entries), self.format)


@dataclass(eq=False)
class _Known:
    """The evaluation for arguments of some sizes, and of some values where these decide about the pattern."""

    layouts: tuple[Layout, ...]
    shapes: list[tuple[int, ...]]
    decisive: dict[int, Any]
    evaluation: SparseEvaluation

    def is_for(self, layouts: tuple[Layout, ...], values: list[Any]) -> bool:
        """Tell whether it is for arguments of these types and values."""
        return (
            layouts == self.layouts
            and [*map(np.shape, values)] == self.shapes
            and all(np.array_equal(values[k], value) for k, value in self.decisive.items())
        )


class SparseDerivative(Portable, Generic[P]):
    """What `sparse_jacobian` and `sparse_hessian` return; it is called like the function."""

    def __init__(
        self,
        function: Callable[..., Any],
        argnums: Argnums,
        format: Format,
        by: By | None,
        pattern: SparsityPattern | None,
        jit: bool,
        options: dict[str, Any],
    ) -> None:
        self.function, self.argnums, self.format, self.by = function, argnums, format, by
        self.given, self.jit, self.options = pattern, jit, options
        self.is_hessian = by in ("symmetric", "acyclic")
        first = grad(function, argnums, jit=jit, **options) if self.is_hessian else function
        self.sparsity: Sparsity[...] = Sparsity(first, argnums, False, jit, options)
        self.known: list[_Known] = []
        self.derivatives: dict[str, Derivative[..., Any]] = {}

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Return the matrix for these arguments."""
        bound = self.sparsity.derivative.bound(args, kwargs)
        return self._evaluation(bound)(*bound)

    def pattern(self, *args: P.args, **kwargs: P.kwargs) -> SparsityPattern:
        """Return where the matrix may not be zero, for arguments of these sizes."""
        return self.evaluation(*args, **kwargs).pattern

    def colouring(self, *args: P.args, **kwargs: P.kwargs) -> Colouring:
        """Return which columns or rows share a direction, for arguments of these sizes."""
        return self.evaluation(*args, **kwargs).colouring

    def evaluation(self, *args: P.args, **kwargs: P.kwargs) -> SparseEvaluation:
        """Return what evaluates the matrix for such arguments, to keep or to call in compiled code."""
        return self._evaluation(self.sparsity.derivative.bound(args, kwargs))

    def recompile(self) -> None:
        """Forget what was found and compiled, so that the next call sees globals and closures as they are."""
        self.known.clear()
        for derivative in (self.sparsity.derivative, *self.derivatives.values()):
            derivative.recompile()

    def _evaluation(self, args: tuple[Any, ...]) -> SparseEvaluation:
        if self.given is not None:
            if not self.known:
                self.known = [_Known((), [], {}, self._made(self.given))]
            return self.known[0].evaluation
        layouts = self.sparsity.derivative.layouts(args)
        values = [one for arg, layout in zip(args, layouts, strict=True) for one in flat(arg, layout)]
        for known in self.known:
            if known.is_for(layouts, values):
                return known.evaluation
        found = self._found(args, layouts, values)
        self.known = [found, *self.known[:7]]  # more would be another pattern in each call
        return found.evaluation

    def _found(self, args: tuple[Any, ...], layouts: tuple[Layout, ...], values: list[Any]) -> _Known:
        made = self.sparsity.made(args)
        evaluation = self._made(self.sparsity.found(made, args))
        spans = [len([*flat(arg, layout)]) for arg, layout in zip(args, layouts, strict=True)]
        owners = np.repeat(np.arange(len(spans)), spans)
        wrt = self.sparsity.derivative.wrt
        decisive = {k: np.array(values[k]) for k in made.interface.decisive if owners[k] not in wrt}
        return _Known(layouts, [*map(np.shape, values)], decisive, evaluation)

    def _made(self, pattern: SparsityPattern) -> SparseEvaluation:
        """Return what evaluates a matrix of this pattern."""
        with importing():
            from adcompiler.sparse.compression import colouring_of, entries_of

        if self.is_hessian:
            pattern = pattern.symmetric
        with enabled():
            colouring = colouring_of(pattern, self.by)
            entries = entries_of(pattern, colouring, self.format)
        if colouring.by not in self.derivatives:
            mode = _MODES[colouring.by]
            self.derivatives[colouring.by] = Derivative(
                self.function, mode, self.argnums, self.jit, self.options
            )
        return SparseEvaluation(pattern, colouring, self.format, self.derivatives[colouring.by], entries)

    def _parts(self) -> tuple[Any, ...]:
        return self.function, self.argnums, self.format, self.by, self.given, self.jit, self.options

    def __repr__(self) -> str:
        what = "Hessian" if self.is_hessian else "Jacobian"
        return f"<adcompiler sparse {what} of {self.sparsity.derivative.python.__name__}>"
