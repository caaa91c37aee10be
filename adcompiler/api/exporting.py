"""Derivatives written to files that stand by themselves."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numba.core import types as nt

from adcompiler.api.arguments import flat, kind_of, layout_of_type, layout_of_value
from adcompiler.errors import DifferentiationError, defects_reported
from adcompiler.graph.layout import Layout
from adcompiler.turns import importing, in_turn

if TYPE_CHECKING:
    from adcompiler.standalone.numba_module import Exported


@in_turn
def export(derivative: Any, path: str | os.PathLike[str], /, *args: Any) -> None:
    """Write the derivative to a file that needs no adcompiler: `.py` for Numba, `.c` for C99.

    Args:
        derivative: the derivative.
        path: the file.
        *args: arguments that it is written for, or Numba types such as `float64[:]`; where there are none,
            those of the latest call.

    Raises:
        DifferentiationError: AD501 where it needs what only this program has.

    >>> import pathlib, tempfile
    >>> from adcompiler import grad
    >>> path = pathlib.Path(tempfile.mkdtemp(), "model.py")
    >>> grad(lambda x: x * x).export(path, 3.0)
    >>> "def lambda_grad(x):" in path.read_text()
    True
    """
    write(derivative, Path(path), args)


def layouts_for(derivative: Any, values: Sequence[Any]) -> tuple[Layout, ...]:
    """Return the layouts of arguments that are given as values or as types."""
    values = derivative.bound(tuple(values))
    own = [
        layout_of_type(value)
        if isinstance(value, nt.Type)
        else layout_of_value(value, derivative.names[k], k in derivative.wrt)
        for k, value in enumerate(values[: derivative.own])
    ]
    return (*own, *derivative._direction(own))


@in_turn
def write(derivative: Any, path: Path, args: Sequence[Any] = ()) -> list[Path]:
    """Write a derivative to a file in the language of its name, as `export` does; return the files."""
    layouts = layouts_for(derivative, args) if args else derivative._current().layouts
    return write_for(derivative, path, layouts, derivative.bound(tuple(args)) if args else ())


@in_turn
def write_for(
    derivative: Any, path: Path, layouts: tuple[Layout, ...], values: Sequence[Any] = ()
) -> list[Path]:
    """Write a derivative for arguments of some layouts; return the files."""
    derivative.check_arguments(layouts)
    if derivative.style.checks:
        cure = "export a derivative without debug_nans"
        raise DifferentiationError("AD501", "its checks name the files of this program", None, cure)
    match path.suffix:
        case ".py":
            with importing():
                from adcompiler.standalone.numba_module import numba_module

            found = {path: numba_module(_exported(derivative, layouts))}
        case ".c":
            found = _in_c(_exported(derivative, layouts, in_c=True), path, values)
        case _:
            cure = "export to a file whose name ends in .py or .c"
            raise DifferentiationError("AD501", f"'{path.name}' names no language to write", None, cure)
    for file, text in found.items():
        file.write_text(text, encoding="utf-8")
    return [*found]


def _in_c(exported: Exported, path: Path, values: Sequence[Any]) -> dict[Path, str]:
    """Return a derivative in C: source, header, and for arguments that are values a program that calls it."""
    with importing():
        from adcompiler.c_code.c_main import c_main
        from adcompiler.c_code.c_module import c_module

    with defects_reported(path.stem):
        made = c_module(exported.parts, exported.header, path.stem)
    texts = {path: made.source, path.with_suffix(".h"): made.header}
    if values and not any(isinstance(value, nt.Type) for value in values):
        pairs = zip(values, exported.layouts.values(), strict=True)
        found = [item for value, layout in pairs for item in flat(value, layout)]
        texts[path.with_name(f"{path.stem}_main.c")] = c_main(made, path.stem, found)
    return texts


def _exported(derivative: Any, layouts: tuple[Layout, ...], in_c: bool = False) -> Exported:
    """Return what is written: as for compiled callers, it assumes nothing that only some calls need.

    In C, it is one function.
    """
    with importing():
        from adcompiler.explain.in_words import module_header
        from adcompiler.standalone.numba_module import Exported

    style, stays = replace(derivative.style, in_lanes=False), not in_c
    made = derivative._compiled(layouts, style, [], stays)
    if made.interface.is_conditional and not style.broadcasts:
        made = derivative._compiled(layouts, replace(style, cautious=True), [], stays)
    named = dict(zip(derivative.names, layouts, strict=True))
    code = derivative.python.__code__
    title, *rest = module_header(derivative.mode, derivative.python.__qualname__, named, ()).splitlines()
    place = f"{os.path.basename(code.co_filename)}, line {code.co_firstlineno}"
    what = title.removeprefix("Generated by adcompiler: ")
    header = "\n".join([f"{what[0].upper()}{what[1:]} ({place}).", "", *rest])
    if in_c and derivative.style.parallel:
        header += "\nIts loops run on all cores with OpenMP: compile it, and link, with -fopenmp."
    header += f"\nWritten by adcompiler {sys.modules['adcompiler'].__version__}."
    seeds = [kind for kind in made.interface.seeds if kind is not None and derivative.mode != "hvp"]
    kinds = (*map(kind_of, layouts), *seeds)
    return Exported(made.text, made.parts, header, kinds, named, derivative.options)
