"""Whole Jacobians and Hessians: loops over directions, written in the language, around products with them."""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"
from __future__ import annotations

import types as python_types
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numba.core import types as nt

from adcompiler.analysis.types import infer, is_array, is_float, rank
from adcompiler.api.arguments import ranked
from adcompiler.emit.callees import derived_type
from adcompiler.errors import DifferentiationError
from adcompiler.frontend.bindings import flatten, layout_of
from adcompiler.frontend.dispatchers import name_of
from adcompiler.frontend.lower import lower_function
from adcompiler.frontend.parse import parse
from adcompiler.frontend.recursion import Callee
from adcompiler.graph.layout import Layout, Leaf, Packed, Static
from adcompiler.graph.nodes import Apply, Global, Graph, Node, Region, Value
from adcompiler.graph.nodes import Literal as Constant
from adcompiler.graph.steps import Chain, Kind, Matrix, Step
from adcompiler.pipeline import primal_graph


def jacobian_by_columns(array, product, args):
    assert array.size > 0, "there is no Jacobian by an array without elements"
    unit = np.zeros(array.size, array.dtype)
    unit[0] = 1.0
    first = product(*args, unit.reshape(array.shape))
    columns = np.empty((first.size, array.size), array.dtype)
    for k in range(array.size):
        unit[k] = 1.0
        column = product(*args, unit.reshape(array.shape)).ravel() if k > 0 else first.ravel()
        for j in range(first.size):
            columns[j, k] = column[j]
        unit[k] = 0.0
    return columns.reshape(first.shape + array.shape)


def gradient_by_columns(array, product, args):
    unit, slopes = np.zeros(array.size, array.dtype), np.empty(array.size, array.dtype)
    for k in range(array.size):
        unit[k] = 1.0
        slopes[k] = product(*args, unit.reshape(array.shape))
        unit[k] = 0.0
    return slopes.reshape(array.shape)


def jacobian_by_rows(array, result, product, args):
    unit, rows = np.zeros(result.size, result.dtype), np.empty((result.size, array.size), array.dtype)
    for k in range(result.size):
        unit[k] = 1.0
        row = product(*args, unit.reshape(result.shape))[0].ravel()
        for j in range(array.size):
            rows[k, j] = row[j]
        unit[k] = 0.0
    return rows.reshape(result.shape + array.shape)


def slopes_by_rows(result, product, args):
    unit, slopes = np.zeros(result.size, result.dtype), np.empty(result.size, result.dtype)
    for k in range(result.size):
        unit[k] = 1.0
        slopes[k] = product(*args, unit.reshape(result.shape))[0]
        unit[k] = 0.0
    return slopes.reshape(result.shape)


def hessian_by_rows(array, other, product, args):
    unit, rows = np.zeros(array.size, array.dtype), np.empty((array.size, other.size), array.dtype)
    for k in range(array.size):
        unit[k] = 1.0
        row = product(*args, unit.reshape(array.shape)).ravel()
        for j in range(other.size):
            rows[k, j] = row[j]
        unit[k] = 0.0
    return rows.reshape(array.shape + other.shape)


def matrix_graph(
    function: python_types.FunctionType,
    layouts: Sequence[Layout],
    wrt: Sequence[int],
    single: bool,
    matrix: Matrix,
    inner: Chain = (),
    raises: bool | None = False,
) -> Graph:
    """Return the graph of a function's Jacobian or Hessian, which calls a product with it for each direction.

    Args:
        function: the function.
        layouts: layout of each argument, with the types of its single values.
        wrt: positions of the arguments to differentiate.
        single: whether the derivative by one argument is returned by itself, not as a tuple.
        matrix: `"jacfwd"` for a loop over the elements of an argument, `"jacrev"` for one over those of the
            result, `"hessian"`.
        inner: which derivative of the function is differentiated; empty for the function itself.
        raises: whether a division by zero in it raises; None if only in `@njit` functions that it calls.

    Raises:
        DifferentiationError: AD302 for functions with several results, AD305 for arguments that are tuples.
    """
    names = list(parse(function).function.__code__.co_varnames)
    for layout, name in zip(layouts, names, strict=False):
        if isinstance(layout, Packed) or (isinstance(layout, Static) and layout.value is not None):
            reason = f"argument '{name}' is a tuple or a function"
            raise DifferentiationError("AD305", reason, None, "use jvp, vjp or hvp, which take any argument")
    params = [Value(name) for name, layout in zip(names, layouts, strict=False) if isinstance(layout, Leaf)]
    supply = iter(params)
    args = tuple(next(supply) if isinstance(layout, Leaf) else Constant(None) for layout in layouts)
    kinds = [layout.kind if isinstance(layout, Leaf) else nt.none for layout in layouts]
    again = Callee(function, inner, True, raises)
    result = derived_type(again, tuple(kinds)) if inner else _result_kind(function, layouts)
    state = _Driver(again, args, kinds, result)
    if matrix == "hessian":
        parts = [tuple(state.block(i, j) for j in wrt) for i in wrt]
        found = parts[0][0] if single else tuple(parts)
    else:
        is_forward = matrix == "jacfwd" or inner  # a Hessian is symmetric
        each = [state.jacobian(k) if is_forward else state.reverse_jacobian(k) for k in wrt]
        found = each[0] if single else tuple(each)
    what = "Hessian" if matrix == "hessian" else "Jacobian"
    by = ", ".join(names[k] for k in wrt)
    return Graph(
        f"{name_of(function)}_{what.lower()}",
        Region(tuple(params), tuple(state.nodes), tuple(flatten(found))),
        layout_of(found) if isinstance(found, tuple) else None,
        f"Return the {what} of {name_of(function)} with respect to {by}.",
        (),
        tuple(zip(names, layouts, strict=False)) if len(params) < len(layouts) else (),
    )


def _result_kind(function: Callable[..., Any], layouts: Sequence[Layout]) -> nt.Type:
    """Return the type of a function's one result."""
    graph = primal_graph(function, tuple(map(ranked, layouts)))
    if graph.returns is not None or len(graph.body.yields) != 1:
        cure = "use jvp or vjp, which take any result"
        raise DifferentiationError("AD302", f"'{graph.name}' returns no single result", None, cure)
    types = infer(graph, [layout.kind for layout in layouts if isinstance(layout, Leaf)])
    (result,) = graph.body.yields
    kind = types[result] if isinstance(result, Value) else nt.float64
    if not (is_float(kind) or is_array(kind)):
        raise DifferentiationError("AD302", f"'{graph.name}' returns {kind}")
    return kind


class _Driver:
    """Writes loops over directions around products of a function's derivatives."""

    def __init__(
        self,
        callee: Callee,
        args: tuple[Any, ...],
        kinds: Sequence[nt.Type],
        result: nt.Type,
    ) -> None:
        self.callee, self.args, self.kinds, self.result = callee, args, kinds, result
        self.nodes: list[Node] = []

    def product(self, *steps: tuple[Kind, int], single: bool = True) -> Global:
        """Return what stands for the function of the loop's directions."""
        chain = (*self.callee.chain, *(Step(kind, (k,)) for kind, k in steps))
        return Global(name_of(self.callee.function), replace(self.callee, chain=chain, single=single))

    def call(self, callee: Global, *more: Any) -> Value:
        """Append a call outside of loops."""
        out = Value(callee.name, temporary=True)
        fn = "derivative" if callee.value.chain else "recurse"
        self.nodes.append(Apply(out, fn, (callee, *self.args, *more)))
        return out

    def written(self, template: Callable[..., Any], **given: Any) -> Any:
        """Write a template out."""
        ranks: dict[Value, int | None] = {
            arg: rank(kind) for arg, kind in zip(self.args, self.kinds, strict=True) if isinstance(arg, Value)
        }
        env: dict[str, Any] = {**given, "args": self.args}
        return lower_function(parse(template), env, self.nodes, ranks)

    def jacobian(self, k: int) -> Any:
        """The Jacobian by argument number k, a column at a time."""
        if not is_array(self.kinds[k]):
            return self.call(self.product(("slope", k)))
        template = jacobian_by_columns if is_array(self.result) else gradient_by_columns
        return self.written(template, array=self.args[k], product=self.product(("tangent", k)))

    def reverse_jacobian(self, k: int) -> Any:
        """The Jacobian by argument number k, a row at a time."""
        if not is_array(self.result):
            return self.call(self.product(("grad", k)))
        result, product = self.call(self.product()), self.product(("pullback", k), single=False)
        if is_array(self.kinds[k]):
            return self.written(jacobian_by_rows, array=self.args[k], result=result, product=product)
        return self.written(slopes_by_rows, result=result, product=product)

    def block(self, i: int, j: int) -> Any:
        """The second derivatives by arguments number i and j."""
        if not is_array(self.kinds[i]):
            return self.call(self.product(("grad", j), ("slope", i)))
        product = self.product(("grad", j), ("tangent", i))
        if is_array(self.kinds[j]):
            return self.written(hessian_by_rows, array=self.args[i], other=self.args[j], product=product)
        return self.written(gradient_by_columns, array=self.args[i], product=product)
