"""Messages between the processes of MPI, inside functions that are differentiated.

The reversal of a message is one the other way round: who has received an array sends its adjoint back. Every
process runs the same function; its gradient is that of the sum of what all of them return, so that each has
to return its share of the result. Numba calls MPI through numba-mpi.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator,misc"
from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from adcompiler.custom import custom_vjp

with suppress(ImportError, RuntimeError):  # where it is missing, the first call says so
    import numba_mpi

NOBODY = -1
"""The process beyond an end: nothing is sent there, and zeros come from there."""


@custom_vjp
def exchange(x: Any, dest: int, source: int) -> Any:
    """Send an array to one process, and return what another one sends: all of one shape.

    Args:
        x: an array of float64.
        dest: the process that gets it, or `NOBODY`.
        source: the process whose array is returned, or `NOBODY` for zeros. It has to name this one as `dest`.

    Example:
        >>> left = exchange(u[-2:-1], rank + 1, rank - 1)  # doctest: +SKIP
    """
    given = np.ascontiguousarray(x)
    found = np.zeros(given.shape)
    if dest >= 0 and source >= 0:
        numba_mpi.sendrecv(given, dest, found, source)
    elif dest >= 0:
        numba_mpi.send(given, dest)
    elif source >= 0:
        numba_mpi.recv(found, source)
    return found


@exchange.defvjp
def _exchange_back(x, dest, source, y, d):
    return exchange(d, source, dest), 0.0, 0.0


@exchange.defjvp
def _exchanged_tangents(x, dest, source, y, t, t_dest, t_source):
    return exchange(t, dest, source)


def _summed(x: Any) -> Any:
    """Return the sum of a number or an array over all processes."""
    given = np.array([x]) if np.ndim(x) == 0 else np.ascontiguousarray(x)
    found = np.zeros_like(given)
    numba_mpi.allreduce(given, found)
    return found[0] if np.ndim(x) == 0 else found


@overload(_summed)
def _summed_in_compiled_code(x):
    def of_number(x):
        given = np.array([x])
        found = np.zeros_like(given)
        numba_mpi.allreduce(given, found)
        return found[0]

    def of_array(x):
        given = np.ascontiguousarray(x)
        found = np.zeros(given.shape)
        numba_mpi.allreduce(given, found)
        return found

    return of_array if isinstance(x, types.Array) else of_number


@custom_vjp
def all_sum(x: Any) -> Any:
    """Return the sum of a number or an array of float64 over all processes, to each of them.

    Example:
        >>> norm = math.sqrt(all_sum(np.sum(u * u)))  # doctest: +SKIP
    """
    return _summed(x)


@all_sum.defvjp
def _sum_of_adjoints(x, y, d):
    return all_sum(d)


@all_sum.defjvp
def _sum_of_tangents(x, y, t):
    return all_sum(t)


@custom_vjp
def broadcast(x: Any, root: int) -> Any:
    """Return the array or number of one process, to all of them.

    Args:
        x: a number or an array of float64; those of other processes do not matter, but for their shape.
        root: the process whose value it is.

    Example:
        >>> w = broadcast(w, 0)  # doctest: +SKIP
    """
    return _summed(x * (1.0 if numba_mpi.rank() == root else 0.0))


@broadcast.defvjp
def _adjoint_at_root(x, root, y, d):
    return _summed(d) * (1.0 if numba_mpi.rank() == root else 0.0), 0.0


@broadcast.defjvp
def _tangent_of_root(x, root, y, t, t_root):
    return _summed(t * (1.0 if numba_mpi.rank() == root else 0.0))
