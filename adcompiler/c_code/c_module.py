"""A derivative as C99: a source file, its header, and a program that calls it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numba
import numpy as np
from numba.core import types as nt

from adcompiler.c_code.c_functions import enclosed, heading, used_in
from adcompiler.c_code.c_lines import all_words
from adcompiler.c_code.c_names import KEYWORDS, c_names
from adcompiler.c_code.c_statements import Statements
from adcompiler.c_code.c_support import CODES, array_struct, support_for
from adcompiler.c_code.c_threads import Iterations
from adcompiler.c_code.c_types import array_type, c_type, constant, number_type, refused
from adcompiler.errors import DifferentiationError
from adcompiler.graph.kinds import is_array, is_scalar
from adcompiler.graph.nodes import Apply, Atom, Effect, For, Graph, Literal, Node, Value, type_of
from adcompiler.graph.python import definitions
from adcompiler.graph.walk import defined, walk


@dataclass
class Function:
    """One function in C.

    Attributes:
        name: its name.
        parameters: name and type of each parameter.
        results: name and type of each result.
        text: its definition.
    """

    name: str
    parameters: list[tuple[str, nt.Type]]
    results: list[tuple[str, nt.Type]]
    text: str = ""

    @property
    def heading(self) -> str:
        given = [f"{c_type(kind)} {name}" for name, kind in self.parameters]
        return heading("int", self.name, [*given, *(f"{c_type(kind)} *{n}" for n, kind in self.results)])


@dataclass
class CModule:
    """The files of a derivative in C.

    Attributes:
        source: the `.c` file.
        header: the `.h` file.
        main: the main function, the last one.
    """

    source: str
    header: str
    main: Function
    arrays: dict[str, tuple[str, int]] = field(default_factory=dict)


def c_module(parts: Sequence[Graph], about: str, stem: str) -> CModule:
    """Return a derivative as C.

    Args:
        parts: the graphs of its functions, the main one last.
        about: says what it is, and where it comes from.
        stem: the name of the files.

    Raises:
        DifferentiationError: AD501 for what C does not have, with the line.
    """
    captured: dict[str, np.ndarray] = {}
    names = {part.name for part in parts}
    functions = [_function(part, names, captured, part is not parts[-1]) for part in parts]
    data = [_data(name, value) for name, value in captured.items()]
    body = "\n".join([*data, *(function.text for function in functions)])
    arrays = _arrays(parts, captured)
    main = functions[-1]
    prototypes = [f"static {function.heading};\n" for function in functions[:-1]]
    support = support_for(body, arrays)
    comment = "/* " + about.replace("*/", "* /").replace("\n", "\n * ").replace(" * \n", " *\n") + "\n */"
    includes = ["stdbool", "stddef", "stdint"] + ["complex"] * (
        "complex" in body + " ".join(str(a) for a in arrays.values())
    )
    own = [*(array_struct(name, *of) for name, of in arrays.items())]
    release = _RELEASE
    header = [comment, f"#ifndef {stem.upper()}_H", f"#define {stem.upper()}_H", ""]
    header += [f"#include <{name}.h>" for name in sorted(includes)] + ["", CODES, *own, release]
    header += [_documented(parts[-1], main), f"{main.heading};", "", "#endif", ""]
    source = [comment, f'#include "{stem}.h"', ""]
    source += [f"#include <{name}.h>" for name in ("math", "stdlib")]
    source += ["#ifdef AD_CBLAS", "#include <cblas.h>", "#endif"] * ("ad_matmul_" in body)
    source += ["", *support, *prototypes, body]
    return CModule("\n".join(source), "\n".join(header), main, arrays)


_RELEASE = """\
/* Gives up the memory of an array that a function returned: ad_release(d_x.owner). */
#ifndef ADCOMPILER_RELEASE
#define ADCOMPILER_RELEASE
#include <stdlib.h>
static inline void ad_release(void *owner)
{
    if (owner != NULL && --*(int64_t *)owner == 0) {
        free(owner);
    }
}
#endif
"""


_CONTRACT = """\
Returns AD_OK, or what went wrong. Results that are arrays: where data is NULL, they get memory of their own,
 * to be given up with ad_release; else data, shape and strides say where they are written."""


def _documented(graph: Graph, main: Function) -> str:
    lines = [graph.doc or f"Computes {main.name}.", "", _CONTRACT]
    return (
        "/* " + "\n * ".join(line.replace("*/", "* /") for line in lines).replace(" * \n", " *\n") + "\n */"
    )


def _arrays(parts: Sequence[Graph], captured: dict[str, np.ndarray]) -> dict[str, tuple[str, int]]:
    """Return the structs of all arrays."""
    found: dict[str, tuple[str, int]] = {}
    kinds = [v.type for part in parts for v in _values(part)]
    kinds += [nt.Array(_dtype(value), value.ndim, "C") for value in captured.values()]
    for kind in kinds:
        if is_array(kind):
            found[array_type(kind)] = number_type(kind.dtype), kind.ndim
    return dict(sorted(found.items()))


def _values(graph: Graph) -> Iterator[Value]:
    yield from defined(graph.body)


def _dtype(value: np.ndarray) -> nt.Type:
    return numba.from_dtype(value.dtype)


def _function(
    graph: Graph, functions: set[str], captured: dict[str, np.ndarray], is_static: bool
) -> Function:
    """Write one function."""
    for value in _values(graph):
        if value.type is None:
            raise refused(f"the type of '{value.name}' is not known")
    names = c_names(graph, functions)
    has_sweeps = any(isinstance(node, Effect) and node.fn == "reverse_sweep" for node in graph.body.nodes)
    makers = definitions(graph.body)
    iterations = Iterations(graph.name)
    writer = Statements(names, makers, _natural(graph), captured, iterations, is_forward=has_sweeps)
    parameters = [(names.found[p], nt.unliteral(p.type)) for p in graph.body.params if p in names.found]
    _at_nodes(writer, graph)
    results = _results(graph, writer)
    made = Function(graph.name, parameters, [(name, kind) for name, kind, _ in results])
    return _finished(made, writer, results, "static " if is_static else "")


def _at_nodes(writer: Statements, graph: Graph) -> None:
    """Write the nodes; a refusal without a place gets that of the statement that it is met in."""
    for node in graph.body.nodes:
        try:
            writer.node(node)
        except DifferentiationError as error:
            if error.location is not None:
                raise
            raise DifferentiationError(error.code, error.reason, _place(node), error.cure) from None


def _place(node: Node) -> Any:
    return node.loc


def _natural(graph: Graph) -> set[Value]:
    """Return the counters of loops that are never negative."""
    found: set[Value] = set()
    makers = definitions(graph.body)
    for node in walk(graph.body):
        if not isinstance(node, For) or not isinstance(node.step, Literal):
            continue
        bound = node.start if node.step.value > 0 else node.stop
        if _is_natural(_whole(bound, makers), 0 if node.step.value > 0 else -1, found):
            found.add(node.body.params[0])
    return found


def _is_natural(bound: Atom, lowest: int, natural: set[Value]) -> bool:
    return bound in natural or (isinstance(bound, Literal) and bound.value >= lowest)


def _whole(bound: Atom, makers: Mapping[Value, Node]) -> Atom:
    """Return where the iterations begin of which this is one thread's share, else the bound itself.

    A share begins at `low + part * count // parts`; where there are no iterations, part is 0.
    """
    match makers.get(bound) if isinstance(bound, Value) else None:
        case Apply(fn="add", args=(low, share)) if _is_share(share, makers):
            return low
        case Apply(fn="floordiv") if _is_share(bound, makers):
            return Literal(0)
    return bound


def _is_share(atom: Atom, makers: Mapping[Value, Node]) -> bool:
    made = makers.get(atom) if isinstance(atom, Value) else None
    while isinstance(made, Apply) and made.fn in ("floordiv", "mul"):  # `parts` may be twice their number
        made = makers.get(made.args[1]) if isinstance(made.args[1], Value) else None
    return isinstance(made, Apply) and made.fn == "number_of_parts"


def _results(graph: Graph, writer: Statements) -> list[tuple[str, nt.Type, Atom]]:
    """Return name, type and value of each result."""
    found: list[tuple[str, nt.Type, Atom]] = []
    labels = _labels(graph)
    taken = {*writer.names.variables, *KEYWORDS}
    for label, atom in zip(labels, graph.body.yields, strict=True):
        kind = nt.unliteral(type_of(atom)) if isinstance(atom, Value) else writer.kind(atom)
        name, k = label, 1
        while name in taken:
            k += 1
            name = f"{label}_{k}" if label != "result" else f"result_{k}"
        taken.add(name)
        if not (is_scalar(kind) or is_array(kind)):
            raise refused(f"a result is of type {kind}")
        found.append((name, kind, atom))
    return found


def _labels(graph: Graph) -> list[str]:
    """Return names for the results."""
    found = []
    for atom in graph.body.yields:
        name = atom.name if isinstance(atom, Value) else "result"
        found.append(f"out_{re.sub(r'[^A-Za-z0-9_]', '_', name)}")
    return found


def _finished(
    made: Function, writer: Statements, results: Sequence[tuple[str, nt.Type, Atom]], static: str
) -> Function:
    """Put the function together: checks of its arguments, its body, its end."""
    for name, kind, atom in results:
        if is_array(kind):
            writer.line(f"status = give_{array_type(kind)}({writer.text(atom)}, {name})")
            writer.stop_if("status != AD_OK", "status")
        else:
            writer.line(f"*{name} = {writer.text(atom)}")
    given = [name for name, _ in made.parameters]
    variables = used_in(writer.out, writer.names.variables, given)
    held = [name for name, kind in made.parameters if is_array(kind)]
    used = all_words(writer.out)
    first = [f"(void){name};" for name in given if name not in used and name not in held]
    for name, kind in made.parameters:
        if is_array(kind):
            test = f" || !is_plain_{array_type(kind)}({name})" if kind.layout == "C" else ""
            first += [f"if ({name}.data == NULL{test}) {{", "    return AD_LAYOUT;", "}"]
    text = enclosed(f"{static}{made.heading}", writer.out, variables, held, first)
    made.text = "\n".join([*writer.iterations.texts, text])
    return made


def _data(name: str, value: np.ndarray) -> str:
    """Return a captured array as data of the file."""
    if value.dtype.kind not in "biufc":
        raise refused(f"'{name}' is an array of {value.dtype}")
    kind = nt.Array(_dtype(value), value.ndim, "C")
    items = ", ".join(constant(item).text for item in value.ravel().tolist()) or "0"
    shape = ", ".join(map(str, value.shape))
    strides = ", ".join(str(int(np.prod(value.shape[k + 1 :]))) for k in range(value.ndim))
    item = number_type(kind.dtype)
    lines = [f"static {item} {name}_data[] = {{{items}}};"]
    lines.append(
        f"static const {array_type(kind)} {name} = {{{name}_data, {{{shape}}}, {{{strides}}}, NULL}};"
    )
    return "\n".join([*lines, ""])
