"""A derivative as a module of its own, which needs NumPy and Numba and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numba.core import types as nt

from adcompiler.emit.module import decorator, literal, names_of_numba
from adcompiler.emit.write import ModuleText
from adcompiler.errors import DifferentiationError
from adcompiler.graph.layout import Layout, Packed, Static
from adcompiler.graph.nodes import Apply, Global, Graph
from adcompiler.graph.walk import operands, walk
from adcompiler.runtime.guards import GUARDS
from adcompiler.runtime.helpers import helper_source
from adcompiler.source import Location
from adcompiler.standalone.data_text import array_text
from adcompiler.standalone.runtime_module import BY_NUMBA
from adcompiler.standalone.runtime_pieces import Pieces
from adcompiler.standalone.type_text import type_text

_OF_THREADS = ("number_of_parts", "add_parts")

_HOMES = {"fast": BY_NUMBA, "factors": "factors"}
_WORD = re.compile(r"\b[^\W\d]\w*")


@dataclass(frozen=True)
class Exported:
    """A derivative to write out.

    Attributes:
        text: its functions, and what they refer to.
        parts: their graphs.
        header: says what it is, and where it comes from.
        kinds: the types of its arguments.
        layouts: layout of each argument, by name.
        options: options for Numba.
    """

    text: ModuleText
    parts: Sequence[Graph]
    header: str
    kinds: Sequence[nt.Type]
    layouts: Mapping[str, Layout]
    options: Mapping[str, Any]


def numba_module(exported: Exported) -> str:
    """Return the text of a module that holds a derivative and all that it needs.

    Args:
        exported: the derivative.

    Raises:
        DifferentiationError: AD501 where it needs what only this program has.
    """
    writer = _Writer(exported, Pieces(_words(exported)))
    functions = "\n\n".join(writer.functions())
    data, runtime = "\n".join(writer.data()), "\n\n".join(writer.pieces.texts)
    body = "\n\n".join(part for part in (runtime, data, functions) if part)
    return formatted("\n".join([_head(exported), *writer.imports(body), "", body, ""]))


def _words(exported: Exported) -> set[str]:
    """Return all names in the text of the functions, and those that stand beside them."""
    text = exported.text
    found = {word for source in text.sources for word in _WORD.findall(source)} - {*GUARDS, *_OF_THREADS}
    return found | {*text.constants, *text.imports, *text.objects, "namedtuple"}


@dataclass
class _Writer:
    exported: Exported
    pieces: Pieces
    makers: dict[Any, str] = field(default_factory=dict)
    registered: set[str] = field(default_factory=set)

    def functions(self) -> Iterator[str]:
        """Yield the functions, with names for what they need of the runtime."""
        text = self.exported.text
        self.makers = {value: name for name, value in self.captured() if _is_maker(value)}
        for kind in self.exported.kinds:
            self.name_makers(kind)
        options = [f"{key}={literal(value)}" for key, value in self.exported.options.items()]
        options += [] if _is_recursive(self.exported.parts) else ["cache=True"]
        for helper in text.helpers:
            yield f"@njit(cache=True)\n{helper_source(helper)}"
        for source in text.sources[:-1]:
            yield f"{decorator(options, source)}\n{self.linked(source)}"
        kinds = [type_text(kind, self.makers) for kind in self.exported.kinds]
        signature = f"[({', '.join(kinds)}{',' if len(kinds) == 1 else ''})]"
        yield f"{decorator([signature, *options], text.sources[-1])}\n{self.linked(text.sources[-1])}"

    def linked(self, source: str) -> str:
        """Return a function's text with names of this module for what it needs of the runtime."""

        def of_module(found: re.Match[str]) -> str:
            first, name = found[1], found[2]
            if first == "special":
                self.register(name)
                return found[0]
            return self.pieces.need(_HOMES[first], name, f"{first}_{name}" if first == "fast" else name)

        for guard in GUARDS:
            if re.search(rf"(?<![\w.]){guard}\(", source):
                self.pieces.need(BY_NUMBA if guard == "times" else "guards", guard)
        for name in _OF_THREADS:
            if f"{name}(" in source:
                self.pieces.need(BY_NUMBA, name)
        return re.sub(r"(?<![\w.])(fast|factors|special)\.(\w+)", of_module, source)

    def register(self, name: str) -> None:
        """Teach Numba a function of `scipy.special`."""
        from adcompiler.runtime.special import REAL

        if name in self.registered:
            return
        self.registered.add(name)
        self.pieces.imports["from scipy import special"] = None
        if name in REAL:
            call = self.pieces.need("special", "_register")
            symbol, count = REAL[name]
            self.pieces.texts.append(f'{call}("{name}", "{symbol}", {count})')
        else:
            self.pieces.texts.append(f"{self.pieces.need('special', f'_register_{name}')}()")

    def captured(self) -> Iterator[tuple[str, Any]]:
        """Yield what the functions read of their surroundings, with its name."""
        text = self.exported.text
        yield from ((name, getattr(sys.modules[home], name)) for name, home in text.imports.items())
        yield from text.objects.items()

    def name_makers(self, kind: nt.Type) -> None:
        """Name the classes of the named tuples in an argument."""
        if isinstance(kind, nt.BaseNamedTuple) and kind.instance_class not in self.makers:
            name, k = kind.instance_class.__name__, 1
            while name in self.makers.values() or name in self.exported.layouts:
                k += 1
                name = f"{kind.instance_class.__name__}_{k}"
            self.makers[kind.instance_class] = name
        for part in kind.types if isinstance(kind, nt.BaseTuple) else ():
            self.name_makers(part)

    def data(self) -> Iterator[str]:
        """Yield what defines named tuples, constants and captured arrays."""
        for maker, name in self.makers.items():
            fields = ", ".join(f'"{field}"' for field in maker._fields)
            yield f'{name} = namedtuple("{maker.__name__}", [{fields}])'
        for name, value in self.exported.text.constants.items():
            yield f"{name} = {literal(value)}"
        for name, value in self.captured():
            if value not in self.makers if isinstance(value, type) else True:
                yield f"{name} = {self.value(name, value)}"

    def value(self, name: str, value: Any) -> str:
        if isinstance(value, np.ndarray):
            found = array_text(value)
            if found is not None:
                return found
        if isinstance(value, tuple) and not hasattr(value, "_fields"):
            return f"({', '.join(self.value(name, part) for part in value)},)"
        if isinstance(value, bool | int | float | complex | np.generic):
            return literal(value)
        what = (
            "array of other elements than numbers" if isinstance(value, np.ndarray) else type(value).__name__
        )
        cure = "pass it as an argument, or write what it computes in functions that adcompiler follows"
        reason = f"'{name}' is a {what} of this program"
        raise DifferentiationError("AD501", reason, place_of(self.exported.parts, value), cure)

    def imports(self, body: str) -> list[str]:
        """Return the import statements that a text needs."""
        body = re.sub(r"#.*", "", body)
        needed = {name for name in ("math", "operator", "base64") if re.search(rf"(?<![\w.]){name}\.", body)}
        lines = [
            *self.pieces.imports,
            *(f"import {name}" for name in sorted(needed)),
            f"from numba import {', '.join(names_of_numba(self.exported.text))}",
        ]
        lines += ["from numba import types"] * bool(self.exported.kinds)
        lines += ["import numpy as np"] * bool(re.search(r"(?<![\w.])np\.", body))
        lines += ["from collections import namedtuple"] * bool(self.makers)
        return sorted_imports(dict.fromkeys(lines))


def _is_recursive(parts: Sequence[Graph]) -> bool:
    """Tell whether functions call themselves: machine code of such that Numba 0.68 has kept crashes."""
    return any(
        isinstance(node, Apply) and node.fn in ("recurse", "recurse_parts")
        for part in parts
        for node in walk(part.body)
    )


def _is_maker(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, tuple) and hasattr(value, "_fields")


def place_of(parts: Sequence[Graph], value: object) -> Location | None:
    """Return where a program reads an object."""
    for graph in parts:
        for node in walk(graph.body):
            if any(isinstance(atom, Global) and atom.value is value for atom in operands(node)):
                return node.loc
    return None


def _head(exported: Exported) -> str:
    """Return the docstring of the module: what it is, and how it is called."""
    lines = [exported.header, ""]
    lines += ["It is compiled for these types when it is imported."]
    for name, layout in exported.layouts.items():
        note = _form(layout)
        lines += [f"{name} is passed as {note}."] if note else []
    text = "\n".join(lines).replace("\\", "\\\\").replace('"', "'")
    return f'"""{text}\n"""\n# ruff: noqa - generated: names and tests are as they are meant\n'


def _form(layout: Layout) -> str:
    """Return how an argument is passed, where that is not as it was to the function itself."""
    match layout:
        case Static():
            return "None: what it stands for is part of the text"
        case Packed(maker=maker) if maker is dict:
            return f"a tuple of its items in this order: {', '.join(map(str, layout.names))}"
        case Packed(maker=maker) if maker is list:
            return "a tuple of its items"
        case Packed(maker=maker) if maker is not tuple:
            return f"the named tuple {maker.__name__} of this module"
    return ""


def sorted_imports(lines: Iterator[str] | Mapping[str, None]) -> list[str]:
    """Return import statements in the order that Ruff has: the standard library first.

    >>> sorted_imports(iter(["from numba import types", "import math", "from numba import njit"]))
    ['import math', '', 'from numba import njit, types']
    """
    whole, parts = set(), dict[str, set[str]]()
    for line in lines:
        match line.split(" import "):
            case [home, names] if home.startswith("from "):
                parts.setdefault(home, set()).update(names.split(", "))
            case _:
                whole.add(line)
    found = sorted(whole) + [f"{home} import {', '.join(sorted(parts[home]))}" for home in sorted(parts)]
    own = [line for line in found if line.split()[1].split(".")[0] in sys.stdlib_module_names]
    rest = [line for line in found if line not in own]
    return [*own, *([""] if own and rest else []), *rest]


def formatted(text: str) -> str:
    """Return a module as Ruff formats it, where Ruff is installed."""
    try:
        from ruff import find_ruff_bin
    except ImportError:
        return text
    command = [find_ruff_bin(), "format", "--isolated", "--stdin-filename", "module.py", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    return done.stdout
