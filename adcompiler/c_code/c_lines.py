"""Statements of C as nested blocks, and where their variables are declared."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

_WORD = re.compile(r"[A-Za-z_]\w*")
_RESULT = re.compile(r"(?<!&)&([A-Za-z_]\w*)")


@dataclass
class Block:
    """A loop or an arm of a branch.

    Attributes:
        header: what stands before the brace.
        body: its statements.
        counter: the variable that a `for` sets first.
        before: a line above it that belongs to it.
    """

    header: str
    body: list[Line] = field(default_factory=list)
    counter: str = ""
    before: str = ""


Line = str | Block


def words(text: str) -> set[str]:
    """Return the identifiers in a text, without the members of structs.

    >>> sorted(words("x.data[i] = y"))
    ['i', 'x', 'y']
    """
    return set(_WORD.findall(re.sub(r'\.\s*[A-Za-z_]\w*|/\*.*?\*/|"[^"]*"', "", text)))


def all_words(lines: Sequence[Line]) -> set[str]:
    """Return the identifiers in statements and all that are nested in them."""
    found: set[str] = set()
    for line in lines:
        found |= words(line) if isinstance(line, str) else words(line.header) | all_words(line.body)
    return found


def assigned(lines: Sequence[Line]) -> set[str]:
    """Return the variables that statements assign, counters and results of calls among them."""
    found: set[str] = set()
    for line in lines:
        if isinstance(line, Block):
            found |= {line.counter} | assigned(line.body)
        elif match := re.match(r"([A-Za-z_]\w*)(\.\w+(\[\d+\])?)? [-+*/]?= ", line):
            found |= {match[1], *_RESULT.findall(line)}
    return found


def declared(lines: list[Line], variables: Mapping[str, str]) -> None:
    """Declare each variable in the innermost block that all its uses stand in, where it is first set.

    Args:
        lines: the body of a function; it is changed.
        variables: type of each variable.

    >>> body = ["a = 1", Block("for (i = 0; i < n; i++)", ["b = a * i", "c += b"], "i"), "return c"]
    >>> declared(body, {"a": "int", "b": "double", "c": "double", "i": "int64_t"})
    >>> print(*text_of(body), sep="\\n")
    int a = 1;
    double c = 0;
    for (int64_t i = 0; i < n; i++) {
        double b = a * i;
        c += b;
    }
    return c;
    """
    wanted = {name: kind for name, kind in variables.items() if name}
    inner: dict[int, dict[str, str]] = {}
    mentions = [words(x) if isinstance(x, str) else words(x.header) | all_words(x.body) for x in lines]
    here: dict[int, list[str]] = {}
    for name, kind in wanted.items():
        places = [k for k, found in enumerate(mentions) if name in found]
        if all(_only_counts(lines[k], name) for k in places):
            for k in places:
                _count_with(lines[k], name, kind, inner.setdefault(k, {}))
        elif len(places) == 1 and _is_inside(lines[places[0]], name):
            inner.setdefault(places[0], {})[name] = kind
        else:
            here.setdefault(places[0], []).append(name)
    for k, some in inner.items():
        block = lines[k]
        if isinstance(block, Block):
            declared(block.body, some)
    for k in sorted(here, reverse=True):
        _declare(lines, k, here[k], wanted)


def _is_inside(line: Line, name: str) -> bool:
    return isinstance(line, Block) and name not in words(line.header)


def _only_counts(line: Line, name: str) -> bool:
    """Tell whether all that reads a variable stands in loops that count with it."""
    if not isinstance(line, Block):
        return name not in words(line)
    if line.counter == name:
        return not any(isinstance(part, Block) and part.counter == name for part in line.body)
    return name not in words(line.header) and all(_only_counts(part, name) for part in line.body)


def _count_with(line: Line, name: str, kind: str, inner: dict[str, str]) -> None:
    """Declare a counter in the header of its loop, here or further inside."""
    if isinstance(line, Block) and line.counter == name:
        line.header = line.header.replace(f"({name} =", f"({kind} {name} =", 1)
    else:
        inner[name] = kind


def _declare(lines: list[Line], k: int, names: Sequence[str], kinds: Mapping[str, str]) -> None:
    """Declare variables at their first use, line number k; before a branch if that is in its `else`."""
    while k > 0 and isinstance(line := lines[k], Block) and line.header.startswith("else"):
        k -= 1
    line = lines[k]
    before: list[Line] = []
    for name in names:
        start = f"{name} = "
        if isinstance(line, str) and line.startswith(start) and name not in words(line[len(start) :]):
            lines[k] = line = f"{kinds[name]} {line}"
        else:
            before.append(f"{kinds[name]} {name} = 0")
    lines[k:k] = before


def text_of(lines: Sequence[Line], depth: int = 0) -> Iterator[str]:
    """Yield the lines of statements, indented."""
    margin = "    " * depth
    for k, line in enumerate(lines):
        if isinstance(line, Block):
            follows = k > 0 and line.header.startswith("else")
            yield from [f"{margin}{line.before}"] * bool(line.before)
            yield f"{margin}{'} ' if follows else ''}{line.header} {{"
            yield from text_of(line.body, depth + 1)
            then = lines[k + 1] if k + 1 < len(lines) else None
            if not (isinstance(then, Block) and then.header.startswith("else")):
                yield f"{margin}}}"
        elif line.endswith(":") or not line:
            yield line
        elif line.startswith("/*"):
            yield f"{margin}{line}"
        else:
            yield f"{margin}{line};"
