"""What some functions of `adcompiler.runtime` need of it, as text that stands by itself."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Container
from dataclasses import dataclass, field

from adcompiler.standalone.runtime_module import Key, RuntimeModule, globals_of, runtime_module


@dataclass
class Pieces:
    """Statements in an order in which each stands after what it needs.

    Attributes:
        taken: names that mean something else where the statements will stand.
        names: the new name of each name of the runtime.
        texts: the statements.
        imports: the import statements that they need.
    """

    taken: Container[str] = ()
    names: dict[Key, str] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    imports: dict[str, None] = field(default_factory=dict)

    def need(self, module: str, name: str, called: str = "") -> str:
        """Take out what binds a name, and all that this needs.

        Args:
            module: the module of the runtime that has it.
            name: the name.
            called: the name that it should have; its own if empty.

        Returns:
            the name that it has.

        >>> pieces = Pieces(taken={"fast_exp"})
        >>> pieces.need("by_numba", "exp", "fast_exp"), len(pieces.texts)
        ('fast_exp_2', 12)
        """
        home = runtime_module(module)
        key = home.runtime.get(name, (module, name))
        if key[0] != module:
            self.need(*key, called)
        elif key not in self.names:
            self._take_out(home, name, called)
        if name in home.overloads:
            self.need(module, home.overloads[name])
        return self.names[key]

    def _take_out(self, home: RuntimeModule, name: str, called: str) -> None:
        statement = home.statements[name]
        for other, same in home.statements.items():  # one statement may bind several names
            if same is statement:
                self.names[home.name, other] = self._free(called if called and other == name else other)
        here: dict[str, str] = {}
        for read in dict.fromkeys(node.id for node in globals_of(statement)):
            if read in home.imports:
                self.imports[home.imports[read]] = None
            elif read in home.statements or read in home.runtime:
                here[read] = self.need(home.name, read)
        here[name] = self.names[home.name, name]
        text = home.text(statement, here)
        if home.name == "guards" and isinstance(statement, ast.FunctionDef):  # known to Numba here only
            self.imports["from numba import njit"] = None
            text = f"@njit(cache=True)\n{text}"
        self.texts.append(text)

    def _free(self, name: str) -> str:
        used, k, free = {*self.names.values()}, 1, name
        while free in used or free in self.taken or hasattr(builtins, free):
            k += 1
            free = f"{name}_{k}"
        return free
