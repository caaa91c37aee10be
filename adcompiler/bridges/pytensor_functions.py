"""Functions that Numba compiles as operations of PyTensor, the language of PyMC's models.

They have gradients of any order. PyTensor's linker for Numba, which nutpie uses, compiles them along with the
rest of a model; others call them from Python.
"""

# mypy: disable-error-code="misc, untyped-decorator"
from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, cast

import numba
import numpy as np
from numba.core import types as nt
from numba.np.numpy_support import as_dtype

from adcompiler.api.arguments import layout_of_type
from adcompiler.bridges.with_pullbacks import WithPullbacks
from adcompiler.frontend.texts import function_of

Function = Callable[..., Any]


def to_pytensor(function: Function) -> Function:
    """Return a function of PyTensor's variables that calls a numeric Python function, with its derivatives.

    Args:
        function: a numeric Python function or `@njit` dispatcher of numbers and arrays, that returns a
            number, an array, or a tuple of these. Variables without axes are given to it as numbers.

    Returns:
        a function of variables, numbers and arrays, for use in models. It is compiled for the types of its
        variables when it is called. Variables of floats have a gradient; whole numbers have none.

    Raises:
        ImportError: where PyTensor is not installed.
        DifferentiationError: for a function that cannot be compiled or differentiated, where it is called.

    Example:
        >>> from adcompiler.bridges.pytensor_functions import to_pytensor
        >>> cube = to_pytensor(lambda x: x * x * x)  # doctest: +SKIP
        >>> x = pt.dscalar()  # doctest: +SKIP
        >>> pytensor.grad(cube(x), x).eval({x: 2.0})  # doctest: +SKIP
        array(12.)
    """
    return cast(Function, functools.update_wrapper(_operation()(WithPullbacks.of(function)), function))


@functools.cache
def _operation() -> Any:
    """Return the class of operations; PyTensor is imported when it is first needed."""
    from pytensor.gradient import DisconnectedType
    from pytensor.graph.basic import Apply
    from pytensor.graph.op import Op
    from pytensor.link.numba.dispatch.basic import numba_funcify
    from pytensor.tensor import as_tensor_variable
    from pytensor.tensor.type import TensorType

    class Called(Op):
        """A call of a function, whose pullback is such an operation again."""

        __props__ = ("host",)

        def __init__(self, host: WithPullbacks) -> None:
            self.host = host

        def make_node(self, *args: Any) -> Any:
            inputs = [as_tensor_variable(arg) for arg in args]
            found = _items(_returned(self.host, inputs))
            outputs = [TensorType(str(_dtype(kind)), (None,) * getattr(kind, "ndim", 0))() for kind in found]
            return Apply(self, inputs, outputs)

        def perform(self, node: Any, inputs: Sequence[Any], storage: Sequence[list[Any]]) -> None:
            found = self.host.function(*map(_plain, inputs))
            for place, one in zip(storage, found if isinstance(found, tuple) else (found,), strict=True):
                is_shared = any(np.may_share_memory(one, given) for given in inputs)
                place[0] = np.array(one) if is_shared else np.asarray(one)

        def pullback(
            self, inputs: Sequence[Any], outputs: Sequence[Any], cotangents: Sequence[Any]
        ) -> list[Any]:
            varied = tuple(k for k, one in enumerate(inputs) if one.type.numpy_dtype.kind == "f")
            adjoints = [
                result.zeros_like() if isinstance(one.type, DisconnectedType) else one
                for result, one in zip(outputs, cotangents, strict=True)
            ]
            pulled = Called(self.host.pullback(len(inputs), varied, len(outputs)))
            found = iter(pulled(*inputs, *adjoints, return_list=True))
            return [next(found) if k in varied else one.zeros_like("float64") for k, one in enumerate(inputs)]

        L_op = pullback  # as it is called before version 3

    @numba_funcify.register(Called)
    def compiled(op: Called, node: Any, **options: Any) -> Any:
        return _with_tensors(op.host, node.inputs)

    return Called


def _returned(host: WithPullbacks, inputs: Sequence[Any]) -> Any:
    """Return Numba's type of what a function returns for variables.

    Raises:
        TypeError: where it is something else than numbers and arrays.
    """
    kinds = [numba.from_dtype(one.type.numpy_dtype) for one in inputs]
    ranks = [one.type.ndim for one in inputs]
    kinds = [nt.Array(kind, rank, "C") if rank else kind for kind, rank in zip(kinds, ranks, strict=True)]
    (compiled,) = host.function._specialise(tuple(map(layout_of_type, kinds))).function.overloads.values()
    found = compiled.signature.return_type
    if not all(isinstance(kind, nt.Array | nt.Number | nt.Boolean) for kind in _items(found)):
        raise TypeError(
            f"{host.function.python.__name__} has to return a number, an array, or a tuple of these"
        )
    return found


def _items(kind: Any) -> Sequence[Any]:
    return kind.types if isinstance(kind, nt.BaseTuple) else (kind,)


def _dtype(kind: Any) -> Any:
    return as_dtype(getattr(kind, "dtype", kind))


def _plain(value: Any) -> Any:
    """Return an argument as the function takes it: an array without axes is a number."""
    return value.item() if np.ndim(value) == 0 else value


def _with_tensors(host: WithPullbacks, inputs: Sequence[Any]) -> Any:
    """Return the compiled function as one of arrays, where PyTensor has arrays without axes."""
    names = [f"a{k}" for k in range(len(inputs))]
    given = [name if one.type.ndim else f"{name}.item()" for name, one in zip(names, inputs, strict=True)]
    returned = _returned(host, inputs)
    results = [f"r{k}" for k in range(len(_items(returned)))]
    made = [
        f"{result}.copy()" if isinstance(kind, nt.Array) else f"np.asarray({result})"
        for result, kind in zip(results, _items(returned), strict=True)
    ]
    target = ", ".join(results) + "," * isinstance(returned, nt.BaseTuple)
    text = f"def called({', '.join(names)}):\n    {target} = function({', '.join(given)})\n"
    text += f"    return {', '.join(made)}\n"
    return numba.njit(function_of(text, {"np": np, "function": host.function}, host.function))
