"""Exported C, compiled by gcc and called through ctypes."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numba.core import types as nt

from adcompiler.api.arguments import flat
from adcompiler.api.exporting import _exported
from adcompiler.c_code.c_module import CModule, c_module
from adcompiler.c_code.c_types import number_type

STRICT = ("-std=c99", "-O3", "-Wall", "-Wextra", "-Werror")
FAST = ("-std=c99", "-O3", "-ffast-math", "-march=native")
_NUMBERS = {"double": ctypes.c_double, "float": ctypes.c_float, "bool": ctypes.c_bool}
_NUMBERS |= {
    f"{sign}int{n}_t": getattr(ctypes, f"c_{sign}int{n}") for sign in ("", "u") for n in (8, 16, 32, 64)
}


class CFunction:
    """An exported derivative, called like the function; its results come one after the other.

    Args:
        derivative: the derivative.
        args: arguments that it is exported for.
        folder: where its files are written.
        flags: options for gcc.
    """

    def __init__(self, derivative: Any, args: Any, folder: Path, flags: tuple[str, ...] = STRICT) -> None:
        self.layouts = derivative.layouts(derivative.bound(args))
        exported = _exported(derivative, self.layouts, in_c=True)
        self.module: CModule = c_module(exported.parts, exported.header, "model")
        (folder / "model.c").write_text(self.module.source)
        (folder / "model.h").write_text(self.module.header)
        library = folder / f"{len([*folder.iterdir()])}.so"  # a library is loaded once under one name
        compiled = library.with_suffix(".o")
        compiling = ["gcc", *flags, "-fPIC", "-c", "-o", compiled, folder / "model.c"]
        # linked with -ffast-math, it would let the whole process take tiny numbers for zero
        own = [flag for flag in flags if flag == "-fopenmp"]
        linking = ["gcc", "-shared", *own, "-o", library, compiled, "-lm"]
        for command in (compiling, linking):
            done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
        loaded = ctypes.CDLL(str(library))
        self.function: Callable[..., int] = getattr(loaded, self.module.main.name)
        self.release = ctypes.CDLL(None).free

    def prepared(self, args: tuple[Any, ...]) -> tuple[list[Any], list[Any]]:
        """Return the arguments, and the results to be filled in, as ctypes has them."""
        pairs = zip(args, self.layouts, strict=True)
        values = [item for arg, layout in pairs for item in flat(arg, layout)]
        main = self.module.main
        given = [_given(v, kind) for v, (_, kind) in zip(values, main.parameters, strict=True)]
        return given, [_blank(kind) for _, kind in main.results]

    def __call__(self, *args: Any) -> list[Any]:
        given, results = self.prepared(args)
        status = self.function(*given, *map(ctypes.byref, results))
        if status:
            raise RuntimeError(f"status {status}")
        kinds = [kind for _, kind in self.module.main.results]
        found = [_read(result, kind) for result, kind in zip(results, kinds, strict=True)]
        for result, kind in zip(results, kinds, strict=True):
            if isinstance(kind, nt.Array):
                self.release(ctypes.c_void_p(result.owner))
        return found


def _structure(kind: nt.Array) -> Any:
    axes = ctypes.c_int64 * kind.ndim
    fields = [("data", ctypes.c_void_p), ("shape", axes), ("strides", axes), ("owner", ctypes.c_void_p)]
    return type("Structure", (ctypes.Structure,), {"_fields_": fields})


def _blank(kind: nt.Type) -> Any:
    return (_structure(kind) if isinstance(kind, nt.Array) else _NUMBERS[number_type(kind)])()


def _given(value: Any, kind: nt.Type) -> Any:
    if not isinstance(kind, nt.Array):
        return _NUMBERS[number_type(kind)](value)
    made = _blank(kind)
    made.data = value.ctypes.data or 8
    made.shape[:] = value.shape
    made.strides[:] = [step // value.itemsize for step in value.strides]
    return made


def _read(result: Any, kind: nt.Type) -> Any:
    if not isinstance(kind, nt.Array):
        return result.value
    shape, dtype = tuple(result.shape), np.dtype(kind.dtype.name.replace("boolean", "bool"))
    size = int(np.prod(shape)) * dtype.itemsize
    data = ctypes.string_at(result.data, size) if size else b""
    return np.frombuffer(data, dtype).reshape(shape)


def single_values(value: Any) -> Iterator[Any]:
    """Yield the numbers and arrays in a result."""
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, tuple | list):
        for part in value:
            yield from single_values(part)
    elif value is not None:
        yield value
