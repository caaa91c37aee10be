"""Imports inside a function, of packages that do not change while a program runs."""

from __future__ import annotations

import importlib

import gast

from adcompiler.frontend import resolve
from adcompiler.frontend.facts import is_unchanging
from adcompiler.frontend.state import Lowering


def import_statement(state: Lowering, stmt: gast.Import | gast.ImportFrom) -> None:
    """Bind what an import inside a function binds.

    Raises:
        DifferentiationError: AD101 for modules of the user's own, whose changes nobody would notice.
    """
    for alias in stmt.names:
        path = alias.name if isinstance(stmt, gast.Import) else f"{'.' * stmt.level}{stmt.module or ''}"
        if not is_unchanging(path):
            reason, cure = f"'{path}' is imported inside the function", "import it at the top of the file"
            raise state.refuse("AD101", reason, stmt, cure)
        name = alias.asname or alias.name.split(".")[0]
        found = _imported(alias, path, isinstance(stmt, gast.ImportFrom))
        if found is resolve.MISSING:
            raise state.refuse("AD106", f"'{path}' has no '{alias.name}'", stmt)
        state.env[name] = resolve.constant(name, found)
        state.local_names.add(name)


def _imported(alias: gast.alias, path: str, is_part: bool) -> object:
    """Return what one name of an import stands for, or `MISSING`."""
    whole = importlib.import_module(path)
    if is_part:
        return resolve.attribute(whole, alias.name)
    return whole if alias.asname else importlib.import_module(path.split(".")[0])
