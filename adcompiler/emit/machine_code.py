"""Machine code that Numba made, as bytes to keep and to load again.

All use of Numba's private interfaces for this stands here.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import io
import os
import pickle
import sys
from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
from numba import cloudpickle
from numba.core import sigutils
from numba.core.compiler import CompileResult
from numba.core.registry import cpu_target
from numba.core.serialize import NumbaPickler

_IGNORED = ("NUMBA_CACHE", "NUMBA_DEBUG", "NUMBA_NUM_THREADS", "NUMBA_DISABLE_JIT")


class Holder:
    """Stands in a dispatcher for Numba's own disk cache: hands over what was loaded, keeps what is compiled.

    Attributes:
        loaded: the parts of a result that was compiled earlier, or None.
        made: the result that was compiled now, or None.
    """

    cache_path = None

    def __init__(self, loaded: Any = None) -> None:
        self.loaded = loaded
        self.made: Any = None

    def load_overload(self, signature: Any, target: Any) -> Any:
        """Return the compiled function for a signature, None if it has to be compiled."""
        if self.loaded is None or self.loaded[3].args != sigutils.normalize_signature(signature)[0]:
            return None
        target.refresh()
        try:
            return CompileResult._rebuild(target, *self.loaded)
        except Exception:  # what cannot be loaded is compiled
            return None

    def save_overload(self, signature: Any, result: Any) -> None:
        """Keep what was compiled."""
        self.made = result

    def enable(self) -> None:
        """Numba asks for this."""

    disable = flush = enable


def parts_to_keep(result: Any) -> Any:
    """Return the parts of a compiled function that can be loaded in another process; None if it cannot be."""
    if result.library.has_dynamic_globals or any(not lifted.can_cache for lifted in result.lifted):
        return None
    return result._reduce()


def has_recursion(source: str) -> bool:
    """Tell whether functions of a module call themselves: code of these that Numba 0.68 loads again crashes.

    >>> has_recursion("def f(x): return g(x)"), has_recursion("def f(x): return x and f(x - 1)")
    (False, True)
    """
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    called = {f.name: {node.id for node in ast.walk(f) if isinstance(node, ast.Name)} for f in functions}
    try:
        TopologicalSorter({name: names & called.keys() for name, names in called.items()}).prepare()
    except CycleError:
        return True
    return False


def dumped(value: object, known: Mapping[int, int]) -> bytes:
    """Return a value as bytes, in which known objects stand by their numbers.

    Args:
        value: what to write down.
        known: the number of each known object, by its id.
    """
    buffer = io.BytesIO()
    _Pickler(buffer, known).dump(value)
    return buffer.getvalue()


def loaded(data: bytes, known: Sequence[object]) -> Any:
    """Return what `dumped` was given, with the known objects of this process.

    >>> kind = type("Point", (), {})
    >>> loaded(dumped([kind], {id(kind): 0}), [int])
    [<class 'int'>]
    """
    return _Unpickler(io.BytesIO(data), known).load()


def tracked(values: Sequence[object]) -> dict[int, str]:
    """Return under which names machine code of this process finds classes that cannot be imported.

    Numba writes such a class into the code whole, with the name; where the name is known, its class is taken.

    Args:
        values: objects, some of which may be classes.

    Returns:
        the names, by the positions of the classes.
    """
    names = cloudpickle.cloudpickle._DYNAMIC_CLASS_TRACKER_BY_CLASS
    return {k: names[value] for k, value in enumerate(values) if isinstance(value, type) and value in names}


def track(names: Mapping[int, str], values: Sequence[object]) -> None:
    """Let machine code of another process find the classes of this one.

    Args:
        names: what `tracked` returned there.
        values: the objects that were handed to it, as they are here.
    """
    for position, name in names.items():
        cloudpickle.cloudpickle._lookup_class_or_track(name, values[position])


class _Pickler(NumbaPickler):
    def __init__(self, buffer: io.BytesIO, known: Mapping[int, int]) -> None:
        super().__init__(buffer, protocol=4)
        self.known = known

    def persistent_id(self, value: object) -> int | None:
        return self.known.get(id(value))

    def reducer_override(self, value: Any) -> Any:
        """Write down how to make a rule of a function that the other process has."""
        return getattr(value, "remade", None) or super().reducer_override(value)


class _Unpickler(pickle.Unpickler):
    def __init__(self, buffer: io.BytesIO, known: Sequence[object]) -> None:
        super().__init__(buffer)
        self.known = known

    def persistent_load(self, number: int) -> object:
        return self.known[number]


@functools.cache
def toolchain() -> str:
    """Return what code depends on beside its function: this package, compilers, processor, settings."""
    digest, package = hashlib.sha256(), Path(__file__).parent.parent
    for path in sorted(package.rglob("*.py")):
        found = path.stat()
        digest.update(f"{path.relative_to(package)} {found.st_mtime_ns} {found.st_size}\0".encode())
    versions = [numba.__version__, llvmlite.__version__, np.__version__, sys.version]
    settings = sorted(
        f"{name}={value}"
        for name, value in os.environ.items()
        if name.startswith("NUMBA_") and not name.startswith(_IGNORED)
    )
    for fact in (*versions, *cpu_target.target_context.codegen().magic_tuple(), *settings):
        digest.update(f"{fact}\0".encode())
    return digest.hexdigest()
