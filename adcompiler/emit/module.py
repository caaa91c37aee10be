"""Generated modules on disk: content-addressed, importable, shown by `.source`, cached by Numba."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import io
import os
import re
import sys
import tempfile
import types
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba.core.errors import NumbaError, NumbaPerformanceWarning

import adcompiler.runtime
from adcompiler.emit.write import ModuleText
from adcompiler.errors import DifferentiationError
from adcompiler.runtime.guards import GUARDS
from adcompiler.runtime.helpers import helper_source


def cache_folder() -> Path:
    """Return the folder of generated modules: `$ADCOMPILER_CACHE`, else the user's cache folder."""
    chosen = os.environ.get("ADCOMPILER_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return Path(chosen) if chosen else base / "adcompiler"


def module_text(text: ModuleText, header: str, options: Mapping[str, Any]) -> str:
    """Return the whole text of a generated module."""
    arguments = ", ".join(f"{key}={value!r}" for key, value in options.items())
    imports = [name for name in ("math", "operator") if any(f"{name}." in part for part in text.sources)]
    lines = [f"# {line}" for line in header.splitlines()]
    lines += [f"import {name}" for name in imports]
    if text.arrays:
        lines.append("from pathlib import Path")
    lines += ["", "import numpy as np", "from numba import njit", ""]
    runtime = []
    if any("fast." in part for part in text.sources):
        runtime.append("from adcompiler.runtime import vector_math as fast")
    if any("factors." in part for part in text.sources):
        runtime.append("from adcompiler.runtime import factors")
    if any("special." in part for part in text.sources):
        runtime.append("from adcompiler.runtime.special import special")
    guards = sorted(
        name for name in GUARDS if any(re.search(rf"(?<![\w.]){name}\(", part) for part in text.sources)
    )
    if guards:
        runtime.append(f"from adcompiler.runtime.guards import {', '.join(guards)}")
    lines += [*runtime, ""] if runtime else []
    lines += [f"from {module} import {name}" for name, module in text.imports.items()]
    lines += [f"# {name}: handed over by the caller" for name in text.objects]
    lines += [f"{name} = {value!r}" for name, value in text.constants.items()]
    for name in text.arrays:
        lines.append(f'{name} = np.load(Path(__file__).with_suffix(".{name}.npy"))')
    for helper in text.helpers:
        lines += ["", "@njit(cache=True)", helper_source(helper)]
    # What is handed over may differ in another process, and recursive functions crash when Numba loads
    # them from its disk cache.
    is_cached = not text.objects and len(text.sources) == 1
    caches = "cache=True, " if is_cached else ""
    for function in text.sources:
        lines += ["", f"@njit({caches}{arguments})", function]
    return "\n".join(lines)


def load(source: str, text: ModuleText) -> types.ModuleType:
    """Write a module's text to the cache folder, if it is not there yet, and import it."""
    name, arrays = text.name, text.arrays
    digest = hashlib.sha256(source.encode() + numba.__version__.encode() + _own_version().encode())
    for key, version in text.versions.items():
        digest.update(f"{key} {version}".encode())
    for key, value in text.objects.items():
        digest.update(f"{key} {id(value)}".encode())
    for array in arrays.values():
        digest.update(f"{array.dtype}{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
    stem = f"{name.encode('ascii', 'replace').decode().replace('?', '_')}_{digest.hexdigest()[:16]}"
    full_name = f"adcompiler_generated_{stem}"
    if full_name in sys.modules:
        return sys.modules[full_name]
    path = _writable_folder() / f"{stem}.py"
    for key, array in arrays.items():
        data = io.BytesIO()
        np.save(data, array)
        _write_at_once(path.with_suffix(f".{key}.npy"), data.getvalue())
    _write_at_once(path, source.encode())
    spec = importlib.util.spec_from_file_location(full_name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    vars(module).update(text.objects)
    sys.modules[full_name] = module
    spec.loader.exec_module(module)
    return module


@functools.cache
def _own_version() -> str:
    """Return what tells versions of the functions apart that generated modules import from here."""
    folder = Path(adcompiler.runtime.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def _writable_folder() -> Path:
    """Return the cache folder, or one for temporary files where the user's cannot be written."""
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass
    folder = Path(tempfile.gettempdir()) / "adcompiler"
    folder.mkdir(exist_ok=True)
    return folder


def _write_at_once(path: Path, data: bytes) -> None:
    """Write a file, unless it is there already, so that no other process ever sees half of it."""
    if path.exists() and path.read_bytes() == data:
        return
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    os.replace(temporary, path)


def compile_now(function: Any, kinds: tuple[Any, ...], origin: types.FunctionType) -> None:
    """Compile a generated function for argument types.

    Raises:
        DifferentiationError: AD901 where Numba cannot compile the text.
    """
    try:
        with warnings.catch_warnings():  # a gradient without parallel parts is no fault
            warnings.simplefilter("ignore", NumbaPerformanceWarning)
            function.compile(kinds)
    except NumbaError as error:
        reason = f"Numba cannot compile the code generated for '{origin.__name__}': {str(error)[:600]}"
        raise DifferentiationError("AD901", reason) from error
