"""Read the text of a graph: the inverse of `text.py`, for tests of passes."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict

import numpy as np

from adcompiler.graph.nodes import (
    UNDEFINED,
    Apply,
    Atom,
    Effect,
    For,
    Global,
    Graph,
    If,
    Literal,
    Node,
    Region,
    Role,
    Store,
    Value,
    While,
)
from adcompiler.graph.text import expected_role
from adcompiler.primitives import hint
from adcompiler.source import Location

_HEAD = re.compile(r"graph (?P<name>.+)\((?P<params>[^()]*)\):$")
_IF = re.compile(r"(?:(?P<outs>.+) = )?if (?P<test>.+):$")
_FOR = re.compile(
    r"(?:(?P<outs>.+) = )?for (?P<index>\w+) in (?P<free>p)?range\((?P<range>.*?)\)"
    r" with \((?P<with>.*)\)(?P<breaks> breaking)?(?P<parallel> parallel)?:$"
)
_WHILE = re.compile(r"(?:(?P<outs>.+) = )?while with \((?P<with>.*)\)(?P<breaks> breaking)?:$")
_APPLY = re.compile(r"(?P<out>\w+) = (?P<fn>[\w.]+(?:\[\d+\])?)\((?P<args>.*)\)$")
_STORE = re.compile(r"(?P<array>\w+)\[(?P<index>.*)\] (?P<sign>\+?=) (?P<value>.+)$")
_SINGLE = re.compile(r"np\.float32\((?P<value>[^()]+)\)$")
_ROLE = re.compile(r"  # (?P<role>primal|adjoint|tape)$")
_EFFECT = re.compile(r"(?P<fn>[\w. ]+)\((?P<args>.*)\)$")


def from_text(text: str, names: Mapping[str, Any] | None = None) -> Graph:
    """Return the graph that a text shows.

    Args:
        text: what `to_text` returned, or something like it.
        names: what names that the graph does not define stand for; None for each of the others.

    A node's role is the one that `text.expected_role` tells, or stands at the end of its line: `# tape`.

    Raises:
        ValueError: for a line that is no line of a graph.

    >>> from adcompiler.graph.text import to_text
    >>> text = '''graph f(x, n):
    ...   s_2 = for i in range(0, n, 1) with (s=0.0):
    ...     item = getitem(x, i)
    ...     s_1 = add(s, item)
    ...     yield s_1
    ...   return s_2'''
    >>> to_text(from_text(text)) == text
    True
    """
    lines = [line.rstrip() for line in text.strip("\n").splitlines() if line.strip()]
    reader = _Reader(lines, dict(names or {}))
    head = reader.match(_HEAD)
    if head is None:
        raise ValueError(f"a graph begins with 'graph name(parameters):', not with {lines[0]!r}")
    params = tuple(map(reader.value, _split(head["params"])))
    nodes, yields = reader.block(1, "return")
    return Graph(head["name"], Region(params, nodes, yields))


def _split(text: str | None) -> list[str]:
    """Split names or atoms at commas."""
    if not text:
        return []
    call = ast.parse(f"f({text})", mode="eval").body
    assert isinstance(call, ast.Call)
    return [ast.unparse(arg) for arg in call.args]


class _Place(TypedDict):
    """What a line tells about its node beside what this does."""

    loc: Location
    role: Role


@dataclass
class _Reader:
    """A position in the lines, and the values that have names so far."""

    lines: list[str]
    names: dict[str, Any]
    at: int = 0
    values: dict[str, Value] = field(default_factory=dict)
    is_reversing: bool = False

    def here(self) -> _Place:
        """Return the place and the role of the line that was read last."""
        line = self.lines[self.at - 1]
        mark = _ROLE.search(line)
        role = Role[mark["role"].upper()] if mark else expected_role(self.is_reversing)
        return {"loc": Location("<graph>", self.at, 0, 0, _ROLE.sub("", line).strip()), "role": role}

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Match the current line, and pass over it."""
        found = pattern.match(_ROLE.sub("", self.lines[self.at]).strip())
        self.at += found is not None
        return found

    def value(self, name: str, fn: str = "") -> Value:
        """Define a value; it is temporary if it is named after the primitive that computes it."""
        self.values[name] = Value(name, bool(fn) and re.sub(r"_\d+$", "", name) == hint(fn))
        return self.values[name]

    def atom(self, text: str) -> Atom:
        if text in self.values:
            return self.values[text]
        if text == "undefined":
            return UNDEFINED
        if text in ("inf", "-inf", "nan"):
            return Literal(float(text))
        if single := _SINGLE.match(text):
            return Literal(np.float32(single["value"]))
        if text == "Ellipsis":
            return Literal(...)
        try:
            return Literal(ast.literal_eval(text))
        except ValueError:
            return Global(text, self.names.get(text))

    def atoms(self, text: str | None) -> tuple[Atom, ...]:
        return tuple(map(self.atom, _split(text)))

    def block(self, depth: int, *ends: str) -> tuple[tuple[Node, ...], tuple[Atom, ...]]:
        """Read lines of one depth, up to `yield`, `return` or `while` and what follows it."""
        nodes: list[Node] = []
        while self.at < len(self.lines):
            line = self.lines[self.at]
            word, _, rest = line.strip().partition(" ")
            if word in ends and " with " not in rest:
                self.at += 1
                return tuple(nodes), self.atoms(rest)
            nodes.append(self.node(depth))
        raise ValueError(f"a block ends without {' or '.join(ends)}")

    def node(self, depth: int) -> Node:
        if found := self.match(_IF):
            test, here = self.atom(found["test"]), self.here()
            then = Region((), *self.block(depth + 1, "yield"))
            self.at += 1  # else:
            orelse = Region((), *self.block(depth + 1, "yield"))
            return If(test, then, orelse, self.outs(found), **here)
        if found := self.match(_FOR):
            inits, params = self.carried(found["with"])
            here, (start, stop, step) = self.here(), self.atoms(found["range"])
            index = self.value(found["index"])
            body = Region((index, *params), *self.block(depth + 1, "yield"))
            breaks, free, parallel = (bool(found[mark]) for mark in ("breaks", "free", "parallel"))
            outs = self.outs(found)
            return For(start, stop, step, inits, body, outs, breaks, None, free, parallel, **here)
        if found := self.match(_WHILE):
            here, (inits, params) = self.here(), self.carried(found["with"])
            cond = Region((), *self.block(depth + 1, "while"))
            body = Region(params, *self.block(depth + 1, "yield"))
            return While(inits, cond, body, self.outs(found), bool(found["breaks"]), **here)
        return self.statement()

    def statement(self) -> Node:
        if found := self.match(_STORE):
            index = () if found["index"] == "..." else self.atoms(found["index"])
            value = self.atom(found["value"])
            return Store(self.values[found["array"]], index, value, found["sign"] == "+=", **self.here())
        if found := self.match(_APPLY):
            args, keywords = self.arguments(found["args"])
            return Apply(self.value(found["out"], found["fn"]), found["fn"], args, keywords, **self.here())
        if found := self.match(_EFFECT):
            args, keywords = self.arguments(found["args"])
            here = self.here()
            self.is_reversing |= found["fn"] == "reverse_sweep"
            return Effect(found["fn"], args, keywords, **here)
        raise ValueError(f"not a line of a graph: {self.lines[self.at]!r}")

    def outs(self, found: re.Match[str]) -> tuple[Value, ...]:
        return tuple(map(self.value, _split(found["outs"])))

    def arguments(self, text: str) -> tuple[tuple[Atom, ...], tuple[tuple[str, Atom], ...]]:
        call = ast.parse(f"f({text})", mode="eval").body
        assert isinstance(call, ast.Call)
        args = tuple(self.atom(ast.unparse(arg)) for arg in call.args)
        return args, tuple((str(k.arg), self.atom(ast.unparse(k.value))) for k in call.keywords)

    def carried(self, text: str) -> tuple[tuple[Atom, ...], tuple[Value, ...]]:
        """Return what a loop's values are at first, and the values themselves."""
        _, pairs = self.arguments(text)
        return tuple(atom for _, atom in pairs), tuple(self.value(name) for name, _ in pairs)
