"""A detector of races: it runs parallel loops uncompiled, and notes which elements iterations touch."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np

from adcompiler.api.specialised import run_plainly


class Watched(np.ndarray):
    """An array that tells `Watch` which of its elements are read and written; `places` are their numbers."""

    places: Any
    watch: Any

    def __array_finalize__(self, source: Any) -> None:
        self.places, self.watch = None, None

    @property
    def T(self) -> Any:
        """Return the transpose, a view."""
        return self._like(super().T, lambda places: places.T)

    def reshape(self, *shape: Any, **keywords: Any) -> Any:
        """Return the elements in another shape."""
        return self._like(super().reshape(*shape, **keywords), lambda places: places.reshape(*shape))

    def copy(self, *order: Any, **keywords: Any) -> Any:
        """Return other elements."""
        found = super().copy(*order, **keywords)
        return found if self.watch is None else self.watch.watched(found)

    def _like(self, found: Any, of: Callable[[Any], Any]) -> Any:
        if self.places is not None:
            found.places, found.watch = of(self.places), self.watch
        return found

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        if self.places is None:
            return found
        places = self.places[index]
        if isinstance(found, np.ndarray):
            found.places, found.watch = places, self.watch
            return found
        self.watch.note(places, False)
        return found

    def __setitem__(self, index: Any, value: Any) -> None:
        super().__setitem__(index, value)
        if self.places is not None:
            self.watch.note(self.places[index], True)


class Watch:
    """What iterations of the parallel loop that runs touch.

    Attributes:
        races: elements that one iteration wrote and another one touched, by the number of the loop.
        loops: how many parallel loops have run.
    """

    def __init__(self, seed: int) -> None:
        self.order = random.Random(seed)
        self.count = self.loops = 0
        self.races: list[tuple[int, int]] = []
        self.iteration: int | None = None

    def note(self, places: Any, writes: bool) -> None:
        """Note that an iteration touches elements."""
        if self.iteration is not None:
            for place in np.atleast_1d(places).ravel():
                (self.writers if writes else self.readers)[int(place)].add(self.iteration)

    def prange(self, *bounds: int) -> Iterator[int]:
        """Run iterations in any order, and look afterwards which of them met."""
        items = list(range(*bounds))
        self.order.shuffle(items)
        if self.iteration is not None:  # inside another one
            yield from items
            return
        self.readers: dict[int, set[int]] = defaultdict(set)
        self.writers: dict[int, set[int]] = defaultdict(set)
        self.loops += 1
        for item in items:
            self.iteration = item
            yield item
        self.iteration = None
        for place, writers in self.writers.items():
            if len(writers | self.readers[place]) > 1:
                self.races.append((self.loops, place))

    def watched(self, array: np.ndarray) -> Watched:
        """Return an array that is watched."""
        found = array.view(Watched)
        found.places = np.arange(self.count, self.count + array.size).reshape(array.shape)
        found.watch = self
        self.count += array.size
        return found

    def making(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Let a function of NumPy make arrays that are watched."""

        def made(*args: Any, **keywords: Any) -> Any:
            plain = [arg.view(np.ndarray) if isinstance(arg, Watched) else arg for arg in args]
            return self.watched(np.asarray(function(*plain, **keywords)))

        return made


def run_watched(derivative: Any, args: tuple[Any, ...], number: int, seed: int = 0) -> tuple[Any, Watch]:
    """Return what a derivative that is not compiled gives on so many threads, and what was noted."""
    derivative(*args)
    *_, made = derivative.specialised.values()
    watch = Watch(seed)
    makers = ("empty", "zeros", "empty_like", "zeros_like", "ones", "full", "full_like", "ones_like")
    own = vars(np) | {name: watch.making(getattr(np, name)) for name in makers}
    given = (watch.watched(arg.copy()) if isinstance(arg, np.ndarray) else arg for arg in args)
    known = made.function.__globals__
    replaced = {
        "np": SimpleNamespace(**own),
        "prange": watch.prange,
        "number_of_parts": lambda count, least: max(1, min(number, count // least)),
    }
    with mock.patch.dict(known, {name: value for name, value in replaced.items() if name in known}):
        return run_plainly(made.function, tuple(given)), watch
