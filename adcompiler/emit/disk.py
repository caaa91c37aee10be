"""The cache folder: the user's own, of files that are whole or not there.

Each file begins with the hash of what follows, so that a damaged one is made anew. What is written appears at
once. Where nothing can be kept, programs run all the same, and compile in each process.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ENTRY = ".entry"
"""Suffix of files with machine code; those with text for people end in `.py`."""
_SUFFIXES = (ENTRY, ".py", ".tmp", ".npy", ".nbi", ".nbc")  # the last three: of earlier versions
_DIGEST = hashlib.sha256().digest_size
_DEFAULT_LIMIT = 1024
_warned: set[str] = set()


def cache_folder() -> Path:
    """Return the folder of generated modules: `$ADCOMPILER_CACHE`, else the user's cache folder."""
    chosen = os.environ.get("ADCOMPILER_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return Path(chosen) if chosen else base / "adcompiler"


def size_limit() -> int:
    """Return how many bytes the folder may hold: `$ADCOMPILER_CACHE_MB` megabytes, else 1024."""
    try:
        megabytes = float(os.environ.get("ADCOMPILER_CACHE_MB", _DEFAULT_LIMIT))
    except ValueError:
        megabytes = _DEFAULT_LIMIT
    return int(megabytes * 2**20)


def writable_folder() -> Path:
    """Return the cache folder, or one for this process only where that is not the user's own."""
    folder = cache_folder()
    reason = _fault(folder)
    if reason is None:
        return folder
    if str(folder) not in _warned:
        _warned.add(str(folder))
        warnings.warn(f"{reason}; what is compiled is forgotten at the end of this process", stacklevel=2)
    return _own_folder()


_temporary: dict[int, tempfile.TemporaryDirectory[str]] = {}


def _own_folder() -> Path:
    process = os.getpid()
    if process not in _temporary:
        _temporary[process] = tempfile.TemporaryDirectory(prefix="adcompiler-")
    return Path(_temporary[process].name)


def _fault(folder: Path) -> str | None:
    """Make a folder that only this user can read and write, or say why there is none."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
    except OSError as error:
        return f"the cache folder {folder} cannot be made ({error.strerror})"
    if hasattr(os, "geteuid") and found.st_uid != os.geteuid():
        return f"the cache folder {folder} belongs to another user"
    if os.name == "posix" and stat.S_IMODE(found.st_mode) & 0o022:
        return f"the cache folder {folder} can be written by other users (chmod 700 makes it safe)"
    return None if os.access(folder, os.W_OK) else f"the cache folder {folder} cannot be written"


def read_entry(stem: str) -> bytes | None:
    """Return what an entry holds; None if there is none, or it is damaged."""
    path = writable_folder() / f"{stem}{ENTRY}"
    try:
        data = path.read_bytes()
        os.utime(path)  # the least recently used ones are removed first
    except OSError:
        return None
    content = data[_DIGEST:]
    return content if hashlib.sha256(content).digest() == data[:_DIGEST] else None


def write_entry(stem: str, content: bytes) -> None:
    """Keep an entry, and remove old ones where the folder has grown too large."""
    folder = writable_folder()
    write_at_once(folder / f"{stem}{ENTRY}", hashlib.sha256(content).digest() + content)
    if _is_time_to_prune(folder):
        prune()


_written: dict[Path, int] = {}


def _is_time_to_prune(folder: Path) -> bool:
    """Tell whether this process writes to a folder for the first time, or has written a lot since."""
    _written[folder] = count = _written.get(folder, -1) + 1
    return count % 64 == 0


def write_at_once(path: Path, data: bytes) -> None:
    """Write a file so that no other process ever sees half of it; warn once where that is impossible."""
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        if "write" not in _warned:
            _warned.add("write")
            warnings.warn(f"nothing can be kept in {path.parent} ({error.strerror})", stacklevel=2)
    except BaseException:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise


@dataclass(frozen=True)
class Kept:
    """Files of one name in the cache folder.

    Attributes:
        stem: the name.
        is_entry: whether it is a derivative with its machine code, rather than a text for people.
        size: bytes on disk.
        used: when it was last used, in seconds since 1970.
    """

    stem: str
    is_entry: bool
    size: int
    used: float


def kept() -> list[Kept]:
    """Return what the cache folder holds, most recently used first."""
    found: dict[str, dict[str, os.stat_result]] = {}
    for path, stats in _files():
        found.setdefault(path.stem, {})[path.suffix] = stats
    entries: list[Kept] = []
    for stem, files in found.items():
        size, used = sum(f.st_size for f in files.values()), max(f.st_mtime for f in files.values())
        entries.append(Kept(stem, ENTRY in files, size, used))
    return sorted(entries, key=lambda entry: entry.used, reverse=True)


def _files() -> Iterator[tuple[Path, os.stat_result]]:
    try:
        paths = [path for path in cache_folder().iterdir() if path.suffix in _SUFFIXES]
    except OSError:
        return
    for path in paths:
        try:
            yield path, path.stat()
        except OSError:
            continue


def prune(limit: int | None = None) -> int:
    """Remove the least recently used entries until the rest takes at most some bytes.

    Args:
        limit: how many bytes may stay; `size_limit()` if None.

    Returns:
        how many bytes were removed.
    """
    room, removed = size_limit() if limit is None else limit, 0
    for entry in kept():
        room -= entry.size
        if room < 0:
            removed += entry.size
            for suffix in _SUFFIXES:
                (cache_folder() / f"{entry.stem}{suffix}").unlink(missing_ok=True)
    return removed
