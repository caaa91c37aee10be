"""What tells versions of a function apart: its text and code, and all that these read of their surroundings.

The facts are found by walking from the function through the names in its code, before anything is lowered,
and are the same in every process.
"""

from __future__ import annotations

import builtins
import functools
import hashlib
import inspect
import linecache
import os
import sys
import time
import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numba.core.typing.templates import builtin_registry
from numba.np.ufunc.dufunc import DUFunc

from adcompiler.custom import CustomFunction

MISSING = object()
OWN = ("numba", "adcompiler", "numpy")
"""Packages whose overloads are known."""
_UNCHANGING = ("numpy", "math", "scipy", "numba", "adcompiler", "builtins", "operator", "cmath", "functools")
_STARTED = time.time()
_PLAIN = (types.FunctionType, staticmethod, types.MemberDescriptorType)
"""What makes an attribute of a class or of slots the object that is kept there."""
_REMEMBERING = type(functools.cache(os.getpid))
"""What `functools.cache` and `lru_cache` make of a function."""
_CONSTANTS: tuple[Any, ...] = (bool, int, float, complex, str, bytes, type(None))
_WITHOUT_ATTRIBUTES: tuple[type, ...] = (
    types.FunctionType,
    types.BuiltinFunctionType,
    CustomFunction,
    np.ndarray,
    np.generic,
)
_WITHOUT_ATTRIBUTES += (*_CONSTANTS, list, dict, set)


def process() -> str:
    """Return what tells this process from others: objects without an address are the same in one only."""
    return f"{os.getpid()} {_STARTED}"


def looked_up(function: types.FunctionType, name: str) -> object:
    """Return what a free name of a function stands for, or `MISSING`."""
    code = function.__code__
    if name in code.co_freevars and function.__closure__ is not None:
        cell = function.__closure__[code.co_freevars.index(name)]
        try:
            return cell.cell_contents
        except ValueError:
            return MISSING
    if name in function.__globals__:
        return function.__globals__[name]
    return getattr(builtins, name, MISSING)


def behind(function: Any) -> Any:
    """Return what runs when an object is called: behind an `@njit` dispatcher, or one that remembers results.

    >>> behind(functools.cache(process)) is process, behind(process) is process
    (True, True)
    """
    function = function.__wrapped__ if isinstance(function, _REMEMBERING) else function
    return getattr(function, "py_func", function)


def of_elements(function: Any) -> types.FunctionType | None:
    """Return the function of numbers that `numba.vectorize` made one of arrays from; None for all else."""
    plain = getattr(function, "__wrapped__", None) if isinstance(function, DUFunc) else None
    return plain if isinstance(plain, types.FunctionType) else None


def is_unchanging(module: str) -> bool:
    """Tell whether what a module holds is known by its version."""
    return module.split(".")[0] in _UNCHANGING


def fingerprint(value: object) -> str:
    """Return what tells versions of an object apart: of functions their code, and what that reads.

    >>> fingerprint((1.0, "a")) == fingerprint((2.0, "a"))
    False
    """
    facts = Facts()
    facts.visit(value)
    if facts.opaque:
        facts.enter(process(), *map(str, sorted(facts.opaque)))
    return facts.hexdigest()


@dataclass
class Facts:
    """The facts of some objects, and where they were found.

    Attributes:
        digest: the hash of all facts.
        names: free names of functions that were looked up.
        attributes: owners, by their ids, and names of attributes that were looked up.
        functions: functions whose code was looked at, in the order they were met (an ordered set).
        values: all objects that were visited, in order.
        places: where they stand there, by their ids.
        opaque: ids of objects of which only attributes are known.
    """

    digest: Any = field(default_factory=hashlib.sha256)
    names: dict[tuple[types.FunctionType, str], object] = field(default_factory=dict)
    attributes: dict[tuple[int, str], tuple[object, object]] = field(default_factory=dict)
    functions: dict[types.FunctionType, None] = field(default_factory=dict)
    values: list[object] = field(default_factory=list)
    opaque: set[int] = field(default_factory=set)
    places: dict[int, int] = field(default_factory=dict)

    def enter(self, *facts: str) -> None:
        """Add to the hash."""
        for fact in facts:
            self.digest.update(fact.encode("utf-8", "surrogatepass") + b"\0")

    def hexdigest(self) -> str:
        """Return the hash."""
        return str(self.digest.hexdigest())

    def visit(self, value: Any) -> None:
        """Enter the facts of an object; of one that was met before, that it was."""
        if isinstance(value, _CONSTANTS):
            self.enter(f"{type(value).__qualname__} {_shown(value)}")
        elif id(value) in self.places:
            self.enter("seen")
        else:
            self.places[id(value)] = len(self.values)
            self.values.append(value)
            self.visit_new(value)

    def visit_new(self, value: Any) -> None:
        """Enter the facts of an object with parts, or with an address."""
        match value:
            case np.ndarray() if not value.dtype.hasobject:
                content = hashlib.sha256(np.ascontiguousarray(value).tobytes())
                self.enter(f"{value.dtype}{value.shape}{value.flags.num}{content.hexdigest()}")
            case np.generic() if value.dtype.kind != "O":
                self.enter(f"{type(value)} {value.dtype} {value.tobytes().hex()}")
            case np.dtype() | np.ufunc():
                self.enter(f"{type(value)} {value!r}")
            case tuple() | list() | set() | frozenset():
                self.enter(f"{type(value).__qualname__} {len(value)}")
                self.visit_all(sorted(value, key=repr) if isinstance(value, set | frozenset) else value)
            case dict():
                self.enter(f"dict {len(value)}")
                self.visit_all(part for item in value.items() for part in item)
            case types.FunctionType():
                self.visit_function(value)
            case CustomFunction():
                self.visit_all(value.reads())
            case DUFunc() if of_elements(value) is not None:
                self.enter(f"{value._frozen} {value.types if value._frozen else ''}")
                self.visit(of_elements(value))
            case types.ModuleType() | types.BuiltinFunctionType():
                self.enter(f"{getattr(value, '__module__', '')} {value.__name__}", *_version(value.__name__))
            case type():
                self.enter(f"{value.__module__} {value.__qualname__} {getattr(value, '_fields', '')}")
            case _ if isinstance(behind(value), types.FunctionType):
                self.enter(f"{getattr(value, 'targetoptions', '')}")
                self.visit(behind(value))
            case _ if hasattr(type(value), "facts_of_derivative"):
                self.visit_all(value.facts_of_derivative())
            case _:
                self.opaque.add(id(value))
                self.visit(type(value))

    def visit_all(self, values: Iterable[Any]) -> None:
        """Enter the facts of several objects."""
        for value in values:
            self.visit(value)

    def visit_function(self, function: types.FunctionType) -> None:
        """Enter the text, the code and the defaults of a function, and what its names stand for."""
        self.functions[function] = None
        module = function.__module__ or ""
        if is_unchanging(module) and function.__globals__ is getattr(
            sys.modules.get(module), "__dict__", None
        ):
            self.enter(f"{module} {function.__qualname__}", *_version(module))
            return
        names: set[str] = set()
        done: set[int] = set()
        self.enter(function.__qualname__, *_text(function.__code__))
        self.visit_code(function.__code__, names)
        self.visit_all((function.__defaults__, function.__kwdefaults__))
        for name in sorted(names | set(function.__code__.co_freevars)):
            found = self.names[function, name] = looked_up(function, name)
            if found is MISSING:
                continue
            self.enter(name)
            self.visit(found)
            self.visit_attributes(found, names, done)

    def visit_code(self, code: types.CodeType, names: set[str]) -> None:
        """Enter the facts of code and collect the names in it."""
        names.update(code.co_names)
        self.enter(
            code.co_code.hex(), f"{code.co_names}{code.co_varnames}{code.co_freevars}{code.co_cellvars}"
        )
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                self.visit_code(constant, names)
            else:
                self.visit(constant)

    def visit_attributes(self, owner: object, names: set[str], done: set[int]) -> None:
        """Enter the facts of those attributes of an object that a function may read by their names."""
        is_known = isinstance(owner, types.ModuleType) and is_unchanging(owner.__name__)
        if is_known or isinstance(owner, _WITHOUT_ATTRIBUTES) or hasattr(owner, "py_func"):
            return
        if id(owner) in done:
            return
        done.add(id(owner))
        for name in sorted(names):
            kept = inspect.getattr_static(owner, name, MISSING)
            if kept is MISSING or (hasattr(type(kept), "__get__") and not isinstance(kept, _PLAIN)):
                continue  # properties and the like: what they return is nowhere kept
            found = self.attributes[id(owner), name] = owner, getattr(owner, name, MISSING)
            self.enter(f".{name}")
            if isinstance(kept, types.FunctionType):
                self.visit(kept)  # a method is another object each time
            else:
                self.visit(found[1])
                self.visit_attributes(found[1], names, done)


def names_in(code: types.CodeType) -> set[str]:
    """Return the names that code reads from outside, and those of attributes, functions inside included.

    >>> sorted(names_in((lambda x: (lambda math: math.sqrt(x) + one)).__code__))
    ['one', 'sqrt', 'x']
    """
    inside = [names_in(part) for part in code.co_consts if isinstance(part, types.CodeType)]
    return {*code.co_names, *code.co_freevars}.union(*inside)


def _shown(value: Any) -> str:
    """Return the text of a constant, whatever its class says of itself."""
    return next(str(kind.__repr__(value)) for kind in _CONSTANTS if isinstance(value, kind))


def _version(module: str) -> Iterator[str]:
    """Yield the version of the package that a module belongs to."""
    package = sys.modules.get(module.split(".")[0])
    yield str(getattr(package, "__version__", ""))


def _text(code: types.CodeType) -> list[str]:
    """Return the lines of a function, which the derivative quotes."""
    lines = linecache.getlines(code.co_filename)
    return lines[code.co_firstlineno - 1 : _last_line(code)]


def _last_line(code: types.CodeType) -> int:
    own = [line for _, _, line in code.co_lines() if line is not None]
    inner = [_last_line(part) for part in code.co_consts if isinstance(part, types.CodeType)]
    return max((*own, *inner), default=0)


def package_of(function: object) -> str | None:
    """Return the package of a function; Numba makes some that have none."""
    module = getattr(function, "__module__", None)
    return None if module is None else str(module).split(".")[0]


def given_by_users() -> list[types.FunctionType]:
    """Return the overloads that Numba has been given by others than itself and this package."""
    templates = [*builtin_registry.functions, *builtin_registry.attributes]
    overloads = [getattr(template, "_overload_func", None) for template in templates]
    return [found for found in overloads if found is not None and package_of(found) not in (None, *OWN)]
