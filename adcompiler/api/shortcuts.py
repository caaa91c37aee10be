"""Shortcuts: functions that hand arguments of a known structure to compiled code without looking at each.

The text of such a function is written once for a structure of arguments. It has the parameters of the
user's function, so that Python itself matches positions, names and defaults; it takes dictionaries and lists
apart, and holds strings, functions and None against those that the code was generated for:

    def call(x, p, kind=_0):
        if not (_type(x) in _plain): raise _unfit
        if not (_type(p) is _1 and _tuple(p) == _2): raise _unfit
        _v0, _v1, = p.values()
        if not (_type(kind) is _str and kind == _3): raise _unfit
        return _run(x, (_v0, _v1,), None)

Nothing of the user's stands in it but the names of parameters. The types of numbers and arrays are left to
Numba (`typed_calls.py`), except that it takes an array with a mask or a unit for a plain one. Whatever does
not fit raises an UnfitError and is looked at in full. Where there is nothing to take apart and to test,
Numba's dispatcher is the shortcut itself.
"""

from __future__ import annotations

import builtins
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, is_dataclass
from typing import Any

import numpy as np
from numba.core import types as nt

from adcompiler.api.arguments import kind_of, needs_repacking
from adcompiler.api.checks import check_apart
from adcompiler.api.specialised import Specialised
from adcompiler.api.typed_calls import TypedCalls, UnfitError
from adcompiler.graph.kinds import element, is_array, is_scalar
from adcompiler.graph.layout import Layout, Leaf, Packed, Static, is_bare, leaves, map_leaves

_PLAIN = frozenset({np.ndarray, float, int, bool, complex, np.float64, np.float32, np.int64, np.bool_})
_BUILTINS = {item.__name__: item for item in (type, tuple, len, str)} | {"plain": _PLAIN, "unfit": UnfitError}


def unfit(*args: Any, **kwargs: Any) -> Any:
    """Stand where there is no shortcut yet."""
    raise UnfitError


@dataclass
class Shortcut:
    """The calls with arguments of one structure.

    Attributes:
        run: the compiled functions.
        checked: for each single value, whether it has been an array: its class has to be looked at.
        call: the function that is written.
    """

    run: TypedCalls
    checked: tuple[bool, ...]
    call: Callable[..., Any] = unfit


class Shortcuts:
    """All shortcuts of one derivative.

    Attributes:
        call: the shortcut that was taken last.
    """

    def __init__(self, function: str) -> None:
        self.function = function
        self.clear()

    def clear(self) -> None:
        """Forget all shortcuts."""
        self.call: Callable[..., Any] = unfit
        self.known: dict[int, tuple[Specialised, Shortcut | None]] = {}
        self.structures: dict[tuple[Layout, ...], Shortcut] = {}

    def enter(self, signature: inspect.Signature, made: Specialised) -> None:
        """Let the next calls with arguments of the same types take a shortcut, if there can be one."""
        if id(made) not in self.known:
            self.known[id(made)] = made, self._made(signature, made)
        shortcut = self.known[id(made)][1]
        if shortcut is not None:
            self.call = shortcut.call

    def _made(self, signature: inspect.Signature, made: Specialised) -> Shortcut | None:
        kinds = [leaf.kind for layout in made.layouts for leaf in leaves(layout)]
        if not all(map(_is_number, kinds)) or not all(map(str.isidentifier, signature.parameters)):
            return None
        structure = tuple(map_leaves(layout, lambda leaf: Leaf()) for layout in made.layouts)
        shortcut = self.structures.get(structure)
        if shortcut is None:
            shortcut = Shortcut(_calls(signature), (False,) * len(kinds))
        if not shortcut.run.enter(made.function, tuple(map(kind_of, made.layouts))):
            return None
        checked = tuple(old or is_array(kind) for old, kind in zip(shortcut.checked, kinds, strict=True))
        if shortcut.call is unfit or checked != shortcut.checked:
            shortcut.checked = checked
            shortcut.call = _written(signature, made, shortcut, self.function)
        self.structures[structure] = shortcut
        return shortcut


def _calls(signature: inspect.Signature) -> TypedCalls:
    parameters = signature.parameters.values()
    return TypedCalls([*signature.parameters], [p.default for p in parameters if p.default is not p.empty])


def _is_number(kind: nt.Type) -> bool:
    return is_scalar(element(kind)) and (is_array(kind) or is_scalar(kind))


@dataclass(frozen=True)
class _Name:
    """A default value in a signature: written as the name under which the text finds it."""

    text: str

    def __repr__(self) -> str:
        return self.text


class _Writer:
    """Writes the lines of a function, and keeps the objects that they name.

    Attributes:
        prefix: what names begin with that are no parameters.
        lines: the lines.
        objects: the objects by their names.
    """

    def __init__(self, parameters: Sequence[str]) -> None:
        self.prefix = "_"
        while any(name.startswith(self.prefix) for name in parameters):
            self.prefix += "_"
        self.lines: list[str] = []
        self.objects: dict[str, Any] = {f"{self.prefix}{name}": value for name, value in _BUILTINS.items()}
        self.objects["__builtins__"] = vars(builtins)  # Numba looks BLAS up by an import from this frame

    def name(self, value: Any) -> str:
        """Return the name of an object."""
        found = f"{self.prefix}{len(self.objects)}"
        self.objects[found] = value
        return found

    def require(self, test: str) -> None:
        """Write that something has to hold."""
        self.lines.append(f"if not ({test}): raise {self.prefix}unfit")

    def apart(self, layout: Packed, text: str) -> list[str]:
        """Write how something is taken apart, and return the names of its parts."""
        names = [f"{self.prefix}v{len(self.lines)}_{k}" for k in range(len(layout.parts))]
        if names:
            self.lines.append(f"{', '.join(names)}, = {text}")
        return names

    def signature(self, signature: inspect.Signature) -> str:
        """Return the parameters, with names in place of their defaults."""
        plain = []
        for parameter in signature.parameters.values():
            default = parameter.default
            named = default if default is parameter.empty else _Name(self.name(default))
            plain.append(parameter.replace(annotation=parameter.empty, default=named))
        return str(inspect.Signature(plain))

    def given(self, layout: Layout, text: str, checked: Iterator[bool]) -> str:
        """Return what compiled code is given for an argument, after what has to hold for it."""
        own = self.prefix
        match layout:
            case Leaf():
                if next(checked):
                    self.require(f"{own}type({text}) in {own}plain")
                return text
            case Static(value=str() as value):
                self.require(f"{own}type({text}) is {own}str and {text} == {self.name(value)}")
                return "None"
            case Static(value=value):
                self.require(f"{text} is {self.name(value)}")
                return text if hasattr(value, "py_func") else "None"
            case Packed():
                return self._given_parts(layout, text, checked)

    def _given_parts(self, layout: Packed, text: str, checked: Iterator[bool]) -> str:
        own, maker, is_dict = self.prefix, self.name(layout.maker), layout.maker is dict
        if is_dataclass(layout.maker):
            return self._given_fields(layout, text, checked)
        fits = f"{own}tuple({text}) == {self.name(layout.names)}" if is_dict else ""
        fits = fits or f"{own}len({text}) == {len(layout.parts)}"
        self.require(f"{own}type({text}) is {maker} and {fits}")
        names = self.apart(layout, f"{text}.values()" if is_dict else text)
        parts = [self.given(part, name, checked) for part, name in zip(layout.parts, names, strict=True)]
        if parts == names and layout.maker not in (dict, list):
            return text
        return _tuple(parts) if is_bare(layout.maker) else f"{maker}{_tuple(parts)}"

    def _given_fields(self, layout: Packed, text: str, checked: Iterator[bool]) -> str:
        self.require(f"{self.prefix}type({text}) is {self.name(layout.maker)}")
        names = self.apart(layout, _tuple([f"{text}.{name}" for name in layout.names]))
        parts = [self.given(part, name, checked) for part, name in zip(layout.parts, names, strict=True)]
        return _tuple(parts)

    def returned(self, layout: Layout, text: str) -> str:
        """Return what the caller gets for a result."""
        if not isinstance(layout, Packed) or not needs_repacking(layout):
            return text
        names = self.apart(layout, text)
        parts = [self.returned(part, name) for part, name in zip(layout.parts, names, strict=True)]
        if layout.maker is dict:
            pairs = zip(map(self.name, layout.names), parts, strict=True)
            return f"{{{', '.join(f'{key}: {part}' for key, part in pairs)}}}"
        if layout.maker is list:
            return f"[{', '.join(parts)}]"
        if is_dataclass(layout.maker):
            fields = ", ".join(f"{name}={part}" for name, part in zip(layout.names, parts, strict=True))
            return f"{self.name(layout.maker)}({fields})"
        return _tuple(parts) if layout.maker is tuple else f"{self.name(layout.maker)}{_tuple(parts)}"


def _tuple(parts: Sequence[str]) -> str:
    return f"({''.join(f'{part}, ' for part in parts)})"


def _written(
    signature: inspect.Signature, made: Specialised, shortcut: Shortcut, function: str
) -> Callable[..., Any]:
    """Write a shortcut and return it."""
    writer, checked = _Writer([*signature.parameters]), iter(shortcut.checked)
    head = f"def call{writer.signature(signature)}:"
    pairs = zip(made.layouts, signature.parameters, strict=True)
    given = [writer.given(layout, name, checked) for layout, name in pairs]
    if made.interface.writes:
        rest = f"{writer.name(function)}, {writer.name(made.interface.writes)}"
        writer.lines.append(f"{writer.name(check_apart)}({_tuple(given)}, {rest})")
    is_simple = all(p.kind is p.POSITIONAL_OR_KEYWORD for p in signature.parameters.values())
    if is_simple and not writer.lines and not needs_repacking(made.interface.returns):
        return shortcut.run
    found = f"{writer.prefix}found"
    writer.lines.append(f"{found} = {writer.name(shortcut.run)}({', '.join(given)})")
    writer.lines.append(f"return {writer.returned(made.interface.returns, found)}")
    text = "\n    ".join([head, *writer.lines])
    exec(compile(text, f"<arguments of {function}>", "exec"), writer.objects)
    written: Callable[..., Any] = writer.objects["call"]
    return written
