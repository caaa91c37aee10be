"""`python -m adcompiler cache info | clear | prune`: what the cache folder holds."""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Sequence

from adcompiler.emit.disk import cache_folder, kept, prune, size_limit

_SHOWN = 10


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command.

    Args:
        arguments: what stands on the command line after the name of the program; None to read it there.
    """
    parser = argparse.ArgumentParser("python -m adcompiler", description="Derivatives for Numba.")
    commands = parser.add_subparsers(required=True, metavar="cache")
    cache = commands.add_parser("cache", help="what was compiled, and is kept for other processes")
    actions = cache.add_subparsers(dest="action", required=True)
    actions.add_parser("info", help="where it is, and how much there is")
    actions.add_parser("clear", help="remove everything")
    limited = actions.add_parser("prune", help="remove what was not used for the longest time")
    limited.add_argument("--megabytes", type=float, help="how much may stay; $ADCOMPILER_CACHE_MB, else 1024")
    given = parser.parse_args(arguments)
    match given.action:
        case "info":
            _show()
        case "clear":
            print(f"removed {_megabytes(prune(0))} from {cache_folder()}")
        case "prune":
            limit = None if given.megabytes is None else int(given.megabytes * 2**20)
            print(f"removed {_megabytes(prune(limit))} from {cache_folder()}")


def _show() -> None:
    files = kept()
    size, entries = sum(file.size for file in files), [file for file in files if file.is_entry]
    print(f"{cache_folder()}: {len(entries)} derivatives, {_megabytes(size)} of {_megabytes(size_limit())}")
    for entry in entries[:_SHOWN]:
        used = datetime.datetime.fromtimestamp(entry.used).isoformat(" ", "minutes")
        print(f"  {used}  {_megabytes(entry.size):>9}  {entry.stem}")
    if len(entries) > _SHOWN:
        print(f"  and {len(entries) - _SHOWN} that were used before")


def _megabytes(size: int) -> str:
    return f"{size / 2**20:.2f} MB"


if __name__ == "__main__":
    main()
