"""What commands print: colour and tables for people, plain text for other programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.syntax import Syntax
from rich.table import Table

console = Console(soft_wrap=True)
_errors = Console(stderr=True, soft_wrap=True)


def show_text(text: str, language: str) -> None:
    """Print a text, in colour where somebody looks at it."""
    if console.is_terminal:
        console.print(Syntax(text, language, background_color="default"))
    else:
        print(text)


def show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; columns but the first are numbers."""
    table = Table(title=title, title_justify="left")
    for k, column in enumerate(columns):
        table.add_column(column, justify="right" if k else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console.print(table)


def complain(text: str) -> None:
    """Print what went wrong to the standard error."""
    _errors.print(text, style="red", markup=False, highlight=False)


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show that something is going on while it takes long."""
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=_errors, transient=True) as progress:
        progress.add_task(what, total=None)
        yield
