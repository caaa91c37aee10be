"""Which values are written in place in C, and the names of all others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from numba.core import types as nt

from adcompiler.c_code.c_types import c_type
from adcompiler.emit.inline import inlined_values
from adcompiler.emit.names import assign_names
from adcompiler.graph.kinds import is_array, is_scalar
from adcompiler.graph.nodes import Apply, Graph, If, Node, Region, Value, type_of
from adcompiler.graph.python import definitions
from adcompiler.graph.walk import regions, values, walk
from adcompiler.primitives import card

_TAKEN = """
auto bool break case char complex const continue default do double else enum extern false float for
goto if I inline int long register restrict return short signed sizeof static struct switch true
typedef union unsigned void volatile while status done main NULL NAN INFINITY abs div exp log sin
cos tan pow sqrt tanh sinh cosh erf erfc gamma lgamma tgamma floor ceil trunc round y0 y1 yn j0 j1
jn index time fabs fmod hypot signgam gain free malloc calloc memcpy printf exp2 expm1 log2 log10
log1p cbrt asin acos atan atan2 asinh acosh atanh copysign ldexp remainder rint nearbyint scalb
significand drem logb fdim fma fmax fmin random rand srand select clock access read write link pause
signal raise stdin stdout stderr
"""
KEYWORDS = frozenset(_TAKEN.split())
"""Names that mean something in C, or in its library."""


def written_in_place(body: Region) -> set[Value]:
    """Return the values that have no variable: numbers that C writes as expressions, and tuples of sizes."""
    chosen = {value for value in inlined_values(body) if is_scalar(value.type)}
    makers = definitions(body)
    chosen -= {value for value in chosen if not _is_expression(makers[value])}
    chosen |= {v for v, node in makers.items() if _is_structure(v) and _is_expression(node)}
    while True:
        broken = {v for v in chosen if isinstance(makers[v], If) and not _is_within(makers[v], chosen)}
        if not broken:
            return chosen
        chosen -= broken


def _is_structure(value: Value) -> bool:
    return not (is_scalar(value.type) or is_array(value.type))


def _is_expression(node: Node) -> bool:
    """Tell whether C has an expression for a number: no loop over an array, and no call of a function."""
    if not isinstance(node, Apply):
        return not any(map(_is_structure, node.outs)) if isinstance(node, If) else True
    measures = node.fn == "getitem" or (not card(node.fn).reads_elements and not card(node.fn).allocates)
    reads = any(is_array(type_of(arg)) for arg in values(node.args))
    return (measures or not reads) and not card(node.fn).is_of_module


def _is_within(node: Node, chosen: set[Value]) -> bool:
    inner = [part for region in regions(node) for part in walk(region)]
    return all(isinstance(part, Apply | If) and chosen.issuperset(_outs(part)) for part in inner)


def _outs(node: Apply | If) -> tuple[Value, ...]:
    return (node.out,) if isinstance(node, Apply) else node.outs


@dataclass
class Names:
    """The variables of a function.

    Attributes:
        inlined: values without one.
        found: the variable of each other value.
        variables: the type of each variable.
    """

    inlined: set[Value]
    found: dict[Value, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def fresh(self, base: str, kind: str) -> str:
        """Return a new variable."""
        name, k = base, 1
        while name in self.variables or name in KEYWORDS or name in self.taken:
            k += 1
            name = f"{base}_{k}"
        self.variables[name] = kind
        return name


def c_names(graph: Graph, taken: set[str]) -> Names:
    """Return the variables of a function: values share one if they share a name and a type.

    Args:
        graph: the function.
        taken: names of functions.
    """
    names = Names(written_in_place(graph.body), taken=taken)
    kinds: dict[tuple[str, str], str] = {}
    for value, name in assign_names(graph.body, names.inlined, taken).items():
        kind = _type_of_variable(value)
        if kind and (name, kind) not in kinds:
            kinds[name, kind] = names.fresh(_identifier(name), kind)
        if kind:
            names.found[value] = kinds[name, kind]
    return names


def _type_of_variable(value: Value) -> str:
    kind = nt.unliteral(value.type) if value.type is not None else None
    return c_type(kind) if is_scalar(kind) or is_array(kind) else ""


def _identifier(name: str) -> str:
    """Return a name in the letters that C has."""
    found = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return f"v{found}" if found.startswith("_") else found


def parameter_names(graph: Graph, names: Mapping[Value, str]) -> list[str]:
    """Return the variables of the parameters."""
    return [names[param] for param in graph.body.params]
