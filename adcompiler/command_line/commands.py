"""`adcompiler`: the commands."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from adcompiler.api.exporting import layouts_for, write
from adcompiler.command_line import caching, doctor
from adcompiler.command_line.given import given, values
from adcompiler.command_line.output import complain, console, show_table, show_text, working
from adcompiler.command_line.target import CommandError, derivative_for, find
from adcompiler.command_line.timing import best_times, in_words
from adcompiler.emit.disk import cache_folder, kept
from adcompiler.errors import DifferentiationError
from adcompiler.explain.computation_graph import ComputationGraph, Evaluation

app = App(
    name="adcompiler",
    help="Derivatives for Numba.",
    version=lambda: doctor.version_of("adcompiler"),
    result_action="return_value",
    default_parameter=Parameter(negative=(), show_default=lambda value: value or None),
)
app.command(caching.app)

Target = Annotated[str, Parameter(help="The function: file.py:function or package.module:function.")]
Args = Annotated[
    str,
    Parameter(
        help='Arguments, as Python: "np.ones(3), 2.0"; or Numba types: "float64[:], float64".',
        allow_leading_hyphen=True,
    ),
]
Wrt = Annotated[str, Parameter(help="Arguments to differentiate, by name or position, separated by commas.")]
Output = Annotated[str, Parameter(name=["--output", "-o"])]
Mode = Annotated[
    str, Parameter(help="grad, value_and_grad, hvp, jacobian, jacfwd, jacrev, hessian or primal.")
]


@app.command
def show(
    target: Target,
    *,
    args: Args = "",
    wrt: Wrt = "",
    mode: Mode = "",
    graph: bool = False,
    plan: bool = False,
    stages: bool = False,
) -> None:
    """Print the source of a derivative; its graph, its plan, or its way through the compiler.

    Parameters
    ----------
    graph
        Print the graph of the function instead.
    plan
        Print what the reverse sweep stores instead.
    stages
        Print what each pass changed instead.
    """
    function, module = find(target)
    derivative, found = derivative_for(function, mode, wrt, jit=False), given(args, module)
    if graph:
        return show_text(str(derivative.graph), "python")
    if found:
        derivative._specialise(layouts_for(derivative, found))
    if stages:
        return show_text(str(derivative.stages()), "diff")
    show_text(derivative.explain() if plan else derivative.source.strip("\n"), "text" if plan else "python")


@app.command
def check(target: Target, *, args: Args = "", wrt: Wrt = "", rtol: float = 1e-5) -> int:
    """Compare a gradient with complex steps or differences; the exit status is 1 if they disagree.

    Parameters
    ----------
    rtol
        Tolerance, relative to the largest derivative by each argument.
    """
    function, module = find(target)
    found = values(args, module, "check")
    derivative = derivative_for(function, "value_and_grad", wrt)
    with working("comparing"):
        result = derivative.check(*found, rtol=rtol)
    show_table(f"{target}: the largest errors by each argument", result.columns, result.rows)
    console.print(result.summary, highlight=False, markup=False)
    return int(not result)


@app.command
def graph(
    target: Target,
    *,
    output: Output = "",
    args: Args = "",
    wrt: Wrt = "",
) -> None:
    """Draw the graph of a function; with arguments, what runs there, with values, partials and adjoints.

    Parameters
    ----------
    output
        The file: .svg, .dot, .mmd (Mermaid), or .html for a page with the code and both sweeps. If left out,
        Mermaid is printed.
    """
    function, module = find(target)
    derivative = derivative_for(function, "grad", wrt, jit=False)
    found = values(args, module, "graph") if args else ()
    if output.endswith(".html"):
        derivative.show(*values(args, module, "graph")).save(output)
        return print(f"wrote {output}")
    drawn: ComputationGraph | Evaluation = derivative.graph
    if found:
        inputs = zip(derivative.names, derivative.bound(tuple(found)), strict=True)
        drawn = derivative.graph.evaluate(**dict(inputs))
    kinds = {".svg": drawn.svg, ".dot": drawn.dot, ".mmd": drawn.mermaid}
    write = kinds.get(Path(output).suffix) if output else drawn.mermaid
    if write is None:
        raise CommandError(f"'{output}' is no .svg, .dot, .mmd or .html")
    if not output:
        return print(write())
    Path(output).write_text(write(), encoding="utf-8")
    print(f"wrote {output}")


@app.command
def bench(target: Target, *, args: Args = "", wrt: Wrt = "") -> None:
    """Time a function and its gradient."""
    function, module = find(target)
    found = values(args, module, "bench")
    derivative = derivative_for(function, "value_and_grad", wrt)
    with working("compiling"):
        derivative(*found)
        derivative.primal(*found)
    with working("timing"):
        primal, gradient = best_times(lambda: derivative.primal(*found), lambda: derivative(*found))
    rows = [
        ("function", in_words(primal), ""),
        ("value and gradient", in_words(gradient), f"{gradient / primal:.2f}"),
    ]
    show_table(target, ("", "time", "ratio"), rows)
    print(next(line for line in derivative.explain(*found).splitlines() if line.startswith("memory")))


@app.command
def export(target: Target, output: Output, *, args: Args = "", wrt: Wrt = "", mode: Mode = "") -> None:
    """Write a derivative to a file that needs no adcompiler.

    Parameters
    ----------
    output
        The file: model_grad.py for NumPy and Numba, model_grad.c for C99.
    """
    function, module = find(target)
    for path in write(derivative_for(function, mode, wrt, jit=False), Path(output), given(args, module)):
        print(f"wrote {path}")


@app.command
def warm(target: Target, *, args: list[str], wrt: Wrt = "", mode: Mode = "") -> int:
    """Compile derivatives into the cache: for images, and for the nodes of clusters.

    Parameters
    ----------
    args
        Types such as "float64[:], float64", or values; may be given several times.
    """
    function, module = find(target)
    derivative = derivative_for(function, mode, wrt)
    before = {file.stem for file in kept() if file.is_entry}
    for text in args:
        with working(f"compiling for {text}"):
            derivative._specialise(layouts_for(derivative, given(text, module)))
    entries = {file.stem for file in kept() if file.is_entry}
    print(f"compiled for {len(args)}, {len(entries - before)} new in {cache_folder()}")
    return 0


@app.command(name="doctor")
def examine() -> int:
    """Print the versions and the state of the cache, and try a gradient."""
    for name, value in doctor.facts():
        print(f"{name}: {value}")
    with working("trying a gradient"):
        wrong = doctor.self_test()
    print(f"self-test: {wrong or 'passed'}")
    if wrong:
        complain("please report this, with all that stands above")
    return int(bool(wrong))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command, and exit with its status: 0, 1 for what does not hold, 2 for what cannot be done.

    Args:
        arguments: what stands on the command line after the name of the program; None to read it there.
    """
    try:
        status = app(arguments)
    except BrokenPipeError:  # nobody reads on, as in `adcompiler show … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    except (CommandError, DifferentiationError, ModuleNotFoundError, OSError) as error:
        complain(str(error))
        status = 2
    except Exception as error:
        if not hasattr(error, "__notes__"):  # which what a program raises has
            raise
        complain("".join(traceback.format_exception_only(error)).rstrip())
        status = 2
    sys.exit(status if isinstance(status, int) else 0)
