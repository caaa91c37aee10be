"""`adcompiler cache`: what the cache folder holds."""

from __future__ import annotations

import datetime

from cyclopts import App

from adcompiler.emit.disk import cache_folder, kept, prune, size_limit

_SHOWN = 10
app = App(name="cache", help="What was compiled, and is kept for other processes.")


@app.command
def info() -> None:
    """Say where it is, and how much there is."""
    files = kept()
    size, entries = sum(file.size for file in files), [file for file in files if file.is_entry]
    print(f"{cache_folder()}: {len(entries)} derivatives, {_megabytes(size)} of {_megabytes(size_limit())}")
    for entry in entries[:_SHOWN]:
        used = datetime.datetime.fromtimestamp(entry.used).isoformat(" ", "minutes")
        print(f"  {used}  {_megabytes(entry.size):>9}  {entry.stem}")
    if len(entries) > _SHOWN:
        print(f"  and {len(entries) - _SHOWN} that were used before")


@app.command
def clear() -> None:
    """Remove everything."""
    print(f"removed {_megabytes(prune(0))} from {cache_folder()}")


@app.command(name="prune")
def prune_oldest(*, megabytes: float | None = None) -> None:
    """Remove what was not used for the longest time.

    Parameters
    ----------
    megabytes
        How much may stay; $ADCOMPILER_CACHE_MB, else 1024.
    """
    limit = None if megabytes is None else int(megabytes * 2**20)
    print(f"removed {_megabytes(prune(limit))} from {cache_folder()}")


def _megabytes(size: int) -> str:
    return f"{size / 2**20:.2f} MB"
