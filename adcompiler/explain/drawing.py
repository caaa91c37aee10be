"""Pictures as text for Graphviz and Mermaid, and as SVG.

SVG is laid out by the `dot` of the package graphviz-pure, which needs nothing from the system (the extra
`adcompiler[graph]`), or else by that of an installed Graphviz.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from adcompiler.errors import DifferentiationError
from adcompiler.explain.picture import Box, Item, Picture

_FONT = "Helvetica"
_STYLE = """<style>
svg.adcompiler { background: #fff; color: #1f2328; --in: #0969da; --out: #1a7f37; --soft: #848d97; }
@media (prefers-color-scheme: dark) {
  svg.adcompiler { background: #0d1117; color: #e6edf3; --in: #58a6ff; --out: #3fb950; --soft: #6e7681; }
}
svg.adcompiler text { fill: currentColor; font: 10.5px Helvetica, Arimo, Arial, sans-serif; }
svg.adcompiler .edge text { font-size: 9px; }
svg.adcompiler .node text:first-of-type { font-weight: bold; }
svg.adcompiler .node path, svg.adcompiler .edge path { stroke: currentColor; fill: none; }
svg.adcompiler .edge polygon { fill: currentColor; stroke: currentColor; }
svg.adcompiler .cluster path { stroke: var(--soft); fill: var(--soft); fill-opacity: 0.06; }
svg.adcompiler .input path { stroke: var(--in); stroke-width: 1.6; }
svg.adcompiler .output path { stroke: var(--out); stroke-width: 2.4; }
svg.adcompiler .step path { stroke: var(--soft); }
svg.adcompiler .write path { stroke-dasharray: 5 3; }
</style>"""


def dot(picture: Picture) -> str:
    """Return a picture as text for Graphviz.

    >>> from adcompiler.explain.picture import Edge
    >>> print(dot(Picture(Box("", [Item("n0", "x", (), "input"), Item("n1", "y")]), [Edge("n0", "n1", "2")])))
    digraph {
      bgcolor=transparent
      node [shape=box style=rounded fontname=Helvetica fontsize=12 margin="0.12,0.05"]
      edge [fontname=Helvetica fontsize=10 arrowsize=0.7]
      n0 [label="x" class="input" id="n0"]
      n1 [label="y" class="value" id="n1"]
      n0 -> n1 [label="2"]
    }
    """
    lines = [
        "digraph {",
        "  bgcolor=transparent",
        f'  node [shape=box style=rounded fontname={_FONT} fontsize=12 margin="0.12,0.05"]',
        f"  edge [fontname={_FONT} fontsize=10 arrowsize=0.7]",
        *_dot_parts(picture.box, "  ", []),
    ]
    for edge in picture.edges:
        about = [f'label="{_quoted(edge.text)}"'] if edge.text else []
        about += ["style=dashed", "constraint=false"] if edge.is_dashed else []
        lines.append(f"  {edge.start} -> {edge.end}" + (f" [{' '.join(about)}]" if about else ""))
    return "\n".join([*lines, "}"])


def _dot_parts(box: Box, pad: str, count: list[int]) -> Iterator[str]:
    for part in box.parts:
        if isinstance(part, Item):
            text = _quoted("\n".join((part.title, *part.lines)))
            yield f'{pad}{part.key} [label="{text}" class="{part.kind}" id="{part.key}"]'
            continue
        count.append(0)
        yield f"{pad}subgraph cluster_{len(count)} {{"
        yield f'{pad}  label="{_quoted(part.title)}" labeljust=l fontname={_FONT} fontsize=11 style=rounded'
        yield from _dot_parts(part, pad + "  ", count)
        yield f"{pad}}}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def mermaid(picture: Picture) -> str:
    """Return a picture as text for Mermaid.

    >>> from adcompiler.explain.picture import Edge
    >>> print(mermaid(Picture(Box("", [Item("n0", "x"), Item("n1", "y")]), [Edge("n0", "n1", "2")])))
    flowchart TD
      n0["x"]
      n1["y"]
      n0 -->|"2"| n1
    """
    lines = ["flowchart TD", *_mermaid_parts(picture.box, "  ", [])]
    for edge in picture.edges:
        arrow = "-.->" if edge.is_dashed else "-->"
        text = f'|"{_entities(edge.text)}"|' if edge.text else ""
        lines.append(f"  {edge.start} {arrow}{text} {edge.end}")
    return "\n".join(lines)


def _mermaid_parts(box: Box, pad: str, count: list[int]) -> Iterator[str]:
    for part in box.parts:
        if isinstance(part, Item):
            text = "<br/>".join(map(_entities, (part.title, *part.lines)))
            left, right = {"input": ("([", "])"), "output": ("[[", "]]")}.get(part.kind, ("[", "]"))
            yield f'{pad}{part.key}{left}"{text}"{right}'
            continue
        count.append(0)
        yield f'{pad}subgraph box{len(count)} ["{_entities(part.title)}"]'
        yield from _mermaid_parts(part, pad + "  ", count)
        yield f"{pad}end"


def _entities(text: str) -> str:
    """Write what means something to Mermaid as it wants it."""
    return re.sub(r"[#\"<>\[\]{}|`*_]", lambda found: f"#{ord(found[0])};", text)


def layout_program() -> str | None:
    """Return the program that lays graphs out, or None if there is none."""
    own = Path(sysconfig.get_path("scripts"), "graphviz-pure")
    return str(own) if own.exists() else shutil.which("graphviz-pure") or shutil.which("dot")


def svg(picture: Picture) -> str:
    """Return a picture as SVG, for light and dark pages.

    Raises:
        ModuleNotFoundError: where nothing is installed that lays graphs out.
        DifferentiationError: AD402 where that fails.
    """
    program = layout_program()
    if program is None:
        raise ModuleNotFoundError('to draw graphs, pip install "adcompiler[graph]"')
    text = _laid_out(program, dot(picture))
    body = re.sub(r"<!--.*?-->\n?|<title>.*?</title>\n?", "", text[text.index("<svg") :], flags=re.DOTALL)
    body = re.sub(r' (?:fill|stroke|font-family|font-size)="[^"]*"', "", body)
    start = body.index(">") + 1
    head = body[: start - 1].replace("<svg", '<svg class="adcompiler" role="img"')
    return f"{head}>\n{_STYLE}{body[start:]}"


def _laid_out(program: str, text: str) -> str:
    """Return a graph as SVG: its nodes ranked box by box or, where Graphviz fails at this, all at once."""
    for source in (text, text.replace("digraph {", "digraph {\n  newrank=true", 1)):
        done = subprocess.run([program, "-Tsvg"], input=source.encode(), capture_output=True, check=False)
        if done.returncode == 0:
            return done.stdout.decode()
    cure = "draw it at a smaller point, or write it as mermaid() or dot()"
    raise DifferentiationError("AD402", "Graphviz cannot lay the drawing out", None, cure)


class Drawing:
    """What has a picture, and shows it in notebooks."""

    @property
    def picture(self) -> Picture:
        """What the drawing shows."""
        raise NotImplementedError

    def dot(self) -> str:
        """Return the drawing as text for Graphviz."""
        return dot(self.picture)

    def mermaid(self) -> str:
        """Return the drawing as text for Mermaid."""
        return mermaid(self.picture)

    def svg(self) -> str:
        """Return the drawing as SVG; this needs the extra `adcompiler[graph]`, or Graphviz."""
        return svg(self.picture)

    def __repr__(self) -> str:
        """Show the text where no drawing can be shown."""
        return str(self)

    def _repr_svg_(self) -> str | None:
        """Show the drawing in a notebook, where it can be drawn."""
        return None if layout_program() is None else self.svg()
