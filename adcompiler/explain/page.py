"""A page that shows a function, its derivative and what happens at a point, in one file without network."""

from __future__ import annotations

import json
import linecache
import re
import webbrowser
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from adcompiler.errors import DifferentiationError
from adcompiler.explain.computation_graph import ComputationGraph, Evaluation
from adcompiler.explain.drawing import layout_program, svg
from adcompiler.explain.footprint import Allocation
from adcompiler.explain.numbers_shown import shown
from adcompiler.explain.picture import Picture
from adcompiler.graph.nodes import Node, Role
from adcompiler.source import NOWHERE, Location

_PATHS = 12
"""Up to so many paths, the chain rule of a step is written out."""


@dataclass(frozen=True, repr=False)
class Page:
    """A page of HTML; notebooks show it, `save` and `open` are for all else.

    Attributes:
        html: its text.
    """

    html: str

    def save(self, path: str | Path) -> None:
        """Write the page to a file."""
        Path(path).write_text(self.html, encoding="utf-8")

    def open(self) -> None:
        """Show the page in a browser."""
        path = Path(mkdtemp(), "derivative.html")
        self.save(path)
        webbrowser.open(path.as_uri())

    def __repr__(self) -> str:
        return f'<page of {len(self.html) / 1000:.0f} kB: .open() shows it, .save("page.html") keeps it>'

    def _repr_html_(self) -> str:
        frame = 'style="width: 100%; height: 760px; border: 0"'
        return f'<iframe srcdoc="{escape(self.html)}" {frame}></iframe>'


@dataclass(frozen=True)
class Shown:
    """What a page shows.

    Attributes:
        title: what it is about.
        file: the file of the function.
        first: the number of its first line.
        own: its lines.
        made: the lines of the generated module.
        nodes: the node that each line of it comes from, counted from 1.
        memory: bytes of each array that the derivative makes, by its name; None where they are not known.
    """

    title: str
    file: str
    first: int
    own: Sequence[str]
    made: Sequence[str]
    nodes: Mapping[int, Node]
    memory: Mapping[str, int | None]

    def place(self, loc: Location) -> str:
        """Return what tells a line from all others: its number, with the file if it is another one."""
        if loc is NOWHERE:
            return ""
        return str(loc.line) if loc.file == self.file else f"{Path(loc.file).name}:{loc.line}"

    def elsewhere(self, locations: Iterable[Location]) -> dict[str, Location]:
        """Return which of some places are in other functions, in their order."""
        own = range(self.first, self.first + len(self.own))
        others = {loc for loc in locations if loc.file != self.file or loc.line not in own} - {NOWHERE}
        return {self.place(loc): loc for loc in sorted(others, key=lambda loc: (loc.file, loc.line))}


def page(about: Shown, graph: ComputationGraph, at: Evaluation | DifferentiationError) -> Page:
    """Return the page.

    Args:
        about: the texts.
        graph: the graph of the function.
        at: the graph at a point, or why it could not be evaluated there.
    """
    drawn = (at if isinstance(at, Evaluation) else graph).picture
    picture, no_picture = _drawn(drawn)
    data = {
        "title": about.title,
        "subtitle": "Point at a line, tap it or move there with Tab: what belongs to it lights up.",
        "own": _own(about, drawn),
        "made": _made(about),
        "svg": picture,
        "no_svg": no_picture,
        "items": [{"key": item.key, "place": about.place(item.loc)} for item in drawn.box.items()],
        "steps": _steps(about, at) if isinstance(at, Evaluation) else [],
        "no_steps": "" if isinstance(at, Evaluation) else _no_steps(at),
    }
    text = files("adcompiler.explain").joinpath("page.html").read_text(encoding="utf-8")
    return Page(text.replace("/*DATA*/", json.dumps(data).replace("<", "\\u003c")))


def _drawn(picture: Picture) -> tuple[str, str]:
    """Return a picture as SVG, or else why there is none."""
    if layout_program() is None:
        return "", 'pip install "adcompiler[graph]" draws the graph here.'
    try:
        return svg(picture), ""
    except DifferentiationError as error:
        return "", f"{error.reason}."


def _no_steps(error: DifferentiationError) -> str:
    cure = "Show it with smaller arguments, or with a larger limit=."
    return f"There is nothing to step through: {error.reason}. {cure}"


def _own(about: Shown, drawn: Picture) -> list[dict[str, Any]]:
    """Return the lines of the function, and below them those of others that it runs."""
    lines = enumerate(about.own, about.first)
    own = [{"number": str(number), "text": text, "place": str(number)} for number, text in lines]
    nodes = (node.loc for node in about.nodes.values())
    others = about.elsewhere([*nodes, *(item.loc for item in drawn.box.items())])
    if not others:
        return own
    own += [{"number": "", "text": text, "place": ""} for text in ("", "# and what it calls:")]
    for place, loc in others.items():
        text = linecache.getline(loc.file, loc.line).rstrip() or loc.statement
        own.append({"number": place, "text": text, "place": place})
    return own


def _made(about: Shown) -> list[dict[str, Any]]:
    """Return the generated lines: the place and the sweep of each, and what it stores."""
    found = []
    for number, text in enumerate(about.made, 1):
        node = about.nodes.get(number)
        if text.strip().startswith("#"):  # it quotes the line that is reversed below
            node = about.nodes.get(number + 1)
        place = "" if node is None else about.place(node.loc)
        sweep = "" if node is None else "reverse" if node.role is Role.ADJOINT else "forward"
        found.append(
            {
                "number": number,
                "text": text,
                "place": place,
                "sweep": sweep,
                "stored": _stored(text, about.memory),
            }
        )
    return found


def _stored(text: str, memory: Mapping[str, int | None]) -> list[str]:
    """Return what a line stores, with its bytes.

    >>> _stored("    h_tape = np.empty(n)", {"h_tape": 800}), _stored("h_tape[i] = h", {"h_tape": 800})
    (['800 bytes'], ['stores'])
    """
    made = re.match(r"\s*(\w+)(\[.*\])? = ", text)
    name = "" if made is None else re.sub(r"_([b-z]|\d+)$", "", made[1])  # one of several of that name
    if made is None or name not in memory:
        return ["stores"] if re.match(r"\s*\w+_stack(_\w)?\.append\(", text) else []
    size = memory[name]
    return ["stores"] if made[2] else ["memory" if size is None else f"{size:,} bytes"]


def memory_of(found: Sequence[Allocation], known: Mapping[object, int]) -> dict[str, int | None]:
    """Return the bytes of the arrays that a derivative makes, by name."""
    return {allocation.name: allocation.bytes(known) for allocation in found}


def _steps(about: Shown, at: Evaluation) -> list[dict[str, Any]]:
    """Return what the page says about each step."""
    labels = {node.name: node.label for node in at.graph.nodes}
    found = []
    for k, node in enumerate(at.graph.nodes):
        count, chain = _chain(at, node.name)
        slopes = [(labels[source], at.partials.get((source, node.name))) for source in node.inputs]
        found.append(
            {
                "key": f"n{k}",
                "label": node.label,
                "place": about.place(node.loc),
                "operation": node.operation,
                "value": shown(at.values[node.name]),
                "adjoint": shown(at.adjoints[node.name]) if node.name in at.adjoints else None,
                "partials": [(source, shown(slope)) for source, slope in slopes if slope is not None],
                "paths": count,
                "chain": chain,
            }
        )
    return found


def _chain(at: Evaluation, name: str) -> tuple[int, str | None]:
    """Return the number of paths to the result, and the chain rule over them unless there are many."""
    if name not in at.adjoints or name == at.graph.output:
        return 0, None
    try:
        count = len(at.graph.paths(name))
    except DifferentiationError:
        return 0, None
    return count, at.graph.chain(name) if 0 < count <= _PATHS else None
