"""Types of every value, found by Numba's own type inference; all private-API use for it lives here."""

from __future__ import annotations

import ast
import functools
import importlib
import linecache
import operator
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numba
import numpy as np
from numba import float32, float64, int64
from numba.core import types
from numba.core.compiler import CompilerBase, Flags
from numba.core.compiler_machinery import FunctionPass, PassManager, register_pass
from numba.core.registry import cpu_target
from numba.core.typed_passes import NopythonTypeInference
from numba.core.untyped_passes import (
    FixupArgs,
    GenericRewrites,
    IRProcessing,
    RewriteDynamicRaises,
    TranslateByteCode,
)

from adcompiler.analysis import common_kinds, stand_ins
from adcompiler.analysis.common_kinds import with_checked_reals
from adcompiler.analysis.complaints import complaint
from adcompiler.analysis.stand_ins import with_products, with_stand_ins
from adcompiler.errors import DifferentiationError
from adcompiler.frontend.overloads import choices, constant_kind, without_choices
from adcompiler.graph.kinds import dtype_name as dtype_name
from adcompiler.graph.kinds import element as element
from adcompiler.graph.kinds import is_array as is_array
from adcompiler.graph.kinds import is_complex as is_complex
from adcompiler.graph.kinds import is_continuous as is_continuous
from adcompiler.graph.kinds import is_float as is_float
from adcompiler.graph.kinds import is_list as is_list
from adcompiler.graph.kinds import is_memory as is_memory
from adcompiler.graph.kinds import is_mutable as is_mutable
from adcompiler.graph.kinds import is_scalar as is_scalar
from adcompiler.graph.kinds import rank as rank
from adcompiler.graph.nodes import UNDEFINED, Apply, Atom, Global, Graph, If, Literal, Region, Role, Value
from adcompiler.graph.python import to_python
from adcompiler.graph.python_expressions import Style
from adcompiler.graph.unparse import unparse
from adcompiler.graph.walk import defined, map_operands, map_region, merges, walk
from adcompiler.primitives import card
from adcompiler.quiet import quietly
from adcompiler.runtime import numpy_forms, vector_math
from adcompiler.runtime.guards import GUARDS
from adcompiler.runtime.helpers import HELPERS
from adcompiler.turns import uninterrupted

Types = dict[Value, types.Type]


@register_pass(mutates_CFG=False, analysis_only=True)
class _Stop(FunctionPass):
    """Marks the compilation as complete once the types are known."""

    _name = "adcompiler_stop_after_types"

    def __init__(self) -> None:
        super().__init__()

    def run_pass(self, state: Any) -> bool:
        state.cr = "types only"
        return False


class _TypeInference(CompilerBase):
    """Numba's compiler, stopped after type inference: no code is generated.

    Of the passes before it only those are run that inference needs: the text has a name for every value,
    and neither closures nor branches on the kind of an argument.
    """

    def define_pipelines(self) -> list[Any]:
        self.state.cr = None
        manager = PassManager("types only")
        manager.add_pass(TranslateByteCode, "analyzing bytecode")
        manager.add_pass(FixupArgs, "fix up args")
        manager.add_pass(IRProcessing, "processing IR")
        manager.add_pass(GenericRewrites, "nopython rewrites")
        manager.add_pass(RewriteDynamicRaises, "rewrite dynamic raises")
        manager.add_pass(NopythonTypeInference, "type inference")
        manager.add_pass(_Stop, "stop")
        manager.finalize()
        return [manager]


def infer(graph: Graph, arguments: Sequence[types.Type]) -> Types:
    """Return the Numba type of every value of a graph, given those of its arguments.

    Raises:
        DifferentiationError: AD304, with Numba's words, where the function does not type; AD202 where Numba
            runs another overload for these types than was followed.
    """
    chosen = choices(graph)
    graph = without_choices(graph)
    found = _tried(graph, arguments)
    for node in chosen:
        _, *atoms = node.args
        kinds = [found[a] if isinstance(a, Value) else constant_kind(a) for a in atoms]
        node.args[0].value.check(kinds, node.loc)  # type: ignore[union-attr]
    return found


def _tried(graph: Graph, arguments: Sequence[types.Type]) -> Types:
    try:
        return _inferred(replace(graph, body=with_stand_ins(graph.body)), arguments)
    except DifferentiationError:
        pass  # what the stand-ins do not know, NumPy's own functions may
    try:
        return _inferred(replace(graph, body=with_products(graph.body)), arguments)
    except DifferentiationError:
        pass
    try:
        return _inferred(graph, arguments)
    except DifferentiationError as error:
        refusal = error
    if any(isinstance(node, Apply) and node.fn == "of_reals" for node in walk(graph.body)):
        try:
            _inferred(with_checked_reals(graph), arguments)
        except DifferentiationError as error:
            refusal = error if error.code == "AD202" else refusal
    raise refusal


def enter_types(found: Types) -> None:
    """Let values know their types."""
    for value, kind in found.items():
        value.type = kind


def refresh(graph: Graph) -> None:
    """Correct the types of products whose factors were moved: `0.5 * (d * x)` becomes `(0.5 * d) * x`.

    Args:
        graph: a graph that was simplified since its types were inferred. A number in place of an array, or
            the other way round, is set right.
    """
    for node in walk(graph.body):
        if not isinstance(node, Apply) or not card(node.fn).is_cheap_on_arrays:
            continue
        kinds = [atom.type for atom in node.args if isinstance(atom, Value)]
        arrays = [kind for kind in kinds if is_array(kind)]
        known = node.out.type
        is_captured = any(isinstance(atom, Global) for atom in node.args)
        if None in kinds or is_captured or (known is not None and is_array(known) == bool(arrays)):
            continue
        numbers = {str(element(kind)) for kind in kinds}
        is_weak = node.role is not Role.PRIMAL and "float32" in numbers
        if not is_weak:  # constants of a derivative have the precision of what they meet
            numbers |= {"float64" for atom in node.args if isinstance(getattr(atom, "value", None), float)}
        numbers |= {"float64"} if node.fn == "truediv" and "float32" not in numbers else set()
        number = next((kind for kind in _WIDEST_FIRST if str(kind) in numbers), None)
        if number is None:
            node.out.type = None
        elif arrays:
            widest = max(arrays, key=lambda kind: kind.ndim)
            node.out.type = widest.copy(layout="C", readonly=False, dtype=number)
        else:
            node.out.type = number


_WIDEST_FIRST = (float64, float32, int64)


def _inferred(graph: Graph, arguments: Sequence[types.Type]) -> Types:
    names = _names(graph.body)
    captured: dict[str, object] = {}
    body = _name_globals(graph.body, captured)
    style = Style(names)
    tree = to_python(Graph("primal", body), style)
    source = unparse(tree)
    filename = f"<typing of {graph.name}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    namespace = {
        "np": numpy_forms,
        "math": __import__("math"),
        "operator": operator,
        "abs": np.abs,  # Numba's own is for numbers only
        "fast": vector_math,
        "stand_ins": stand_ins,
        "common": common_kinds,
        **GUARDS,
        **_helpers(),
        **captured,
    }
    if "factors." in source:
        namespace["factors"] = importlib.import_module("adcompiler.runtime.factors")
    if "special." in source:
        namespace["special"] = importlib.import_module("adcompiler.runtime.special").special
    exec(compile(ast.parse(source), filename, "exec"), namespace)
    try:
        try:
            versions = _run(namespace["primal"], tuple(arguments))
        except Exception:  # once more in NumPy's own terms, for the message
            namespace["np"] = np
            versions = _run(namespace["primal"], tuple(arguments))
    except Exception as error:  # Numba's typing also fails with AttributeError and the like
        raise complaint(error, graph, tree, source, names) from error
    found = {value: _unify(versions.get(name, [])) for value, name in names.items()}
    found.update(zip(graph.body.params, arguments, strict=True))
    return found


@functools.cache
def _helpers() -> dict[str, object]:
    return {name: numba.njit(cache=True)(function) for name, function in HELPERS.items()}


def _names(body: Region) -> dict[Value, str]:
    """Name every value apart, except those merged with an undefined value, which Numba cannot copy.

    What a branch chooses has the name of such a value that it becomes, as the program has it: Numba wants to
    see an assignment above what reads it.
    """
    # Numba names its temporaries $NAME + OFFSET: a name must not end in a digit, or two may collide
    names = {value: f"v{k}_" for k, value in enumerate(defined(body))}
    pairs = [pair for node in walk(body) for pair in merges(node)]
    maybe = {target for target, source in pairs if source == UNDEFINED}
    links = [(target, source) for target, source in pairs if isinstance(source, Value)]
    chosen = {out for node in walk(body) if isinstance(node, If) for out in node.outs}
    size = -1
    while size != len(maybe):
        size = len(maybe)
        maybe |= {target for target, source in links if source in maybe}
        maybe |= {source for target, source in links if target in maybe and source in chosen}
    changed = True
    while changed:
        changed = False
        for target, source in links:
            if source in maybe:
                low = min(names[target], names[source])
                changed = changed or names[target] != names[source]
                names[target] = names[source] = low
    return names


def _name_globals(region: Region, captured: dict[str, object]) -> Region:
    """Give each captured object a plain name of its own, unless it is NumPy's."""

    def change(atom: Any) -> Any:
        if isinstance(atom, Global) and not atom.name.startswith("np."):
            name = f"g_{atom.name}_{id(atom.value)}_"
            captured[name] = atom.value
            return Global(name, atom.value)
        return atom

    def rewrite(inner: Region) -> Region:
        nodes = tuple(map_operands(node, change) for node in inner.nodes)
        return Region(inner.params, nodes, tuple(map(change, inner.yields)))

    return map_region(region, rewrite)


def _run(function: Any, arguments: tuple[types.Type, ...]) -> dict[str, list[Any]]:
    flags = Flags()
    flags.nrt = True
    target = cpu_target.target_context
    typing = cpu_target.typing_context
    library: Any = None
    with uninterrupted(), quietly(Warning):
        typing.refresh()
        target.refresh()
        pipeline = _TypeInference(typing, target, library, arguments, None, flags, {})
        pipeline.compile_extra(function)
    versions: dict[str, list[Any]] = {}
    for name, kind in pipeline.state.typemap.items():
        versions.setdefault(name.split(".")[0], []).append(kind)
    return versions


def _unify(found: list[types.Type]) -> types.Type:
    """The type of a variable is what all its versions unify to."""
    kinds = [kind for kind in found if kind is not types.undefined]
    if not kinds:
        return types.undefined
    first = kinds[0]
    if all(kind == first for kind in kinds):
        return _plain(first)
    return _plain(cpu_target.typing_context.unify_types(*kinds) or first)


def _plain(kind: types.Type) -> types.Type:
    return types.unliteral(kind)


def is_array_atom(atom: Atom) -> bool:
    """Tell whether an atom is an array, also one that is captured."""
    if isinstance(atom, Global):
        return isinstance(atom.value, np.ndarray)
    return isinstance(atom, Value) and is_array(atom.type)


def precision(atom: Atom) -> types.Type | None:
    """Return float64 or float32 for a number that has this precision."""
    if isinstance(atom, Literal):
        return (
            float32
            if isinstance(atom.value, np.float32)
            else float64
            if isinstance(atom.value, float)
            else None
        )
    return atom.type if isinstance(atom, Value) and is_float(atom.type) else None


@functools.cache
def argument_type(kind: str) -> types.Type:
    """Return the type for a short description such as `float64` or `float64[:, :]`.

    >>> argument_type("float64[:, :]")
    Array(float64, 2, 'C', False, aligned=True)
    """
    scalar, _, axes = kind.partition("[")
    base = getattr(numba, {"float": "float64", "int": "int64", "bool": "boolean"}.get(scalar, scalar))
    return types.Array(base, axes.count(":"), "C") if axes else base
