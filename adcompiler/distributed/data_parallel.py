"""Gradients of a sum over shards of data, each shard on a worker of Dask Distributed.

A step hands out the parameters, lets each worker compute value and gradient of its shards, and adds up. All
of it are tasks without side effects whose inputs the scheduler keeps: what a lost worker had computed is
computed again by others, from the same numbers, and added in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from adcompiler.api.checks import Argnums
from adcompiler.api.first_order import value_and_grad
from adcompiler.optim.trees import tree_map

FAN = 8
"""How many parts are added up in one task."""


def data_parallel(
    function: Callable[..., Any], client: Any, shards: Iterable[Any], argnums: Argnums = 0, **options: Any
) -> DataParallel:
    """Return a function for value and gradient of a sum over shards of data.

    Args:
        function: called as `function(*parameters, *shard)`; it returns one float.
        client: a `distributed.Client`.
        shards: for each shard, a tuple of arguments such as arrays of shape (rows, columns), or a function
            without parameters that loads them on the worker.
        argnums: the parameters to differentiate, as for `value_and_grad`.
        options: as for `value_and_grad`.

    Returns:
        a function of the parameters, which returns (value, gradient): the sums, in the structure that
        `value_and_grad` returns. Workers compile once, and read the code of the others from the cache if they
        share its folder.

    Raises:
        ValueError: where there are no shards.

    Example:
        >>> from distributed import Client  # doctest: +SKIP
        >>> step = data_parallel(loss, Client(), [(x[:500], y[:500]), (x[500:], y[500:])])  # doctest: +SKIP
        >>> value, d_w = step(w)  # doctest: +SKIP
    """
    derivative = client.submit(_itself, value_and_grad(function, argnums=argnums, **options), pure=False)
    data = [client.submit(_loaded, shard, pure=False) for shard in shards]
    if not data:
        raise ValueError("there are no shards")
    return DataParallel(client, derivative, data)


@dataclass
class DataParallel:
    """Value and gradient of a sum over shards: see `data_parallel`.

    Attributes:
        client: a `distributed.Client`.
        derivative: the future of value and gradient of one shard; it stays where it was compiled.
        data: the future of each shard's arguments.
    """

    client: Any
    derivative: Any
    data: Sequence[Any]

    def __call__(self, *parameters: Any) -> Any:
        """Return the sums of values and gradients."""
        given = self.client.submit(_itself, parameters, pure=False)
        parts = [self.client.submit(_part, self.derivative, given, shard, pure=False) for shard in self.data]
        while len(parts) > 1:
            groups = [parts[k : k + FAN] for k in range(0, len(parts), FAN)]
            parts = [self.client.submit(_total, group, pure=False) for group in groups]
        return tree_map(_own, parts[0].result())


def _itself(value: Any) -> Any:
    return value


def _own(leaf: Any, others: tuple[Any, ...], settings: Any) -> Any:
    """Return an array that may be written: what arrives may lie in a message."""
    return leaf if isinstance(leaf, float) or leaf.flags.writeable else leaf.copy()


def _loaded(shard: Any) -> tuple[Any, ...]:
    return tuple(shard() if callable(shard) else shard)


def _part(derivative: Any, parameters: tuple[Any, ...], shard: tuple[Any, ...]) -> Any:
    """Return value and gradient of one shard."""
    return derivative(*parameters, *shard)


def _total(parts: Sequence[Any]) -> Any:
    """Return the sum of values and gradients, first one first."""
    first, *others = parts
    return tree_map(lambda leaf, rest, _: sum(rest, leaf), first, tuple(others))
