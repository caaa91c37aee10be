"""What names and dotted names mean at one point of a function."""

from __future__ import annotations

import types

import gast
import numpy as np

from adcompiler.frontend import resolve
from adcompiler.frontend.bindings import Ambiguous, Binding
from adcompiler.frontend.state import Lowering
from adcompiler.graph.nodes import UNDEFINED, Atom, Literal


def read(state: Lowering, node: gast.Name) -> Binding:
    """Return what a name is bound to, in the function, in those around it, or outside."""
    found = variable(state, node.id)
    if isinstance(found, Ambiguous):
        raise state.refuse("AD104", found.reason, node)
    if found is not None:
        if found == UNDEFINED:
            raise state.refuse("AD106", f"'{node.id}' has no value here", node)
        return found
    if node.id in state.local_names:
        raise state.refuse("AD106", f"'{node.id}' is read before it is assigned", node)
    value = resolve.lookup(state.source.function, node.id)
    if value is resolve.MISSING:
        raise state.refuse("AD106", f"'{node.id}' is not defined", node)
    return captured(state, node, node.id, value)


def captured(state: Lowering, node: gast.expr, name: str, value: object) -> Atom:
    """Return the atom for a captured object; arrays that mean more than their numbers are refused."""
    if isinstance(value, np.ndarray) and type(value) not in (np.ndarray, np.memmap, np.recarray):
        cure = "capture a plain array: np.asarray(...), or .filled(...) for one with a mask"
        raise state.refuse("AD102", f"'{name}' is a {type(value).__name__}", node, cure)
    if isinstance(value, np.float32):
        return state.apply(node, "np.float32", (Literal(float(str(value))),))
    return resolve.constant(name, value)


def variable(state: Lowering, name: str) -> Binding | None:
    """Return what a local variable, or one of the functions around, is bound to."""
    found = state.env.get(name)
    if found is None and state.enclosing is not None and name not in state.local_names:
        return variable(state.enclosing, name)
    return found


def dotted(state: Lowering, node: gast.expr) -> object:
    """Return the Python object that `np.linalg.norm` stands for, or MISSING for local values."""
    match node:
        case gast.Name() if isinstance(module := _module(state, node.id), types.ModuleType):
            return module
        case gast.Name() if node.id not in state.local_names and not _shadowed(state, node.id):
            return resolve.lookup(state.source.function, node.id)
        case gast.Attribute():
            owner = dotted(state, node.value)
            if owner is not resolve.MISSING:
                found = resolve.attribute(owner, node.attr)
                if found is resolve.MISSING and isinstance(owner, types.ModuleType):
                    raise state.refuse("AD106", f"'{owner.__name__}' has no '{node.attr}'", node)
                return found
    return resolve.MISSING


def _module(state: Lowering, name: str) -> object:
    """Return the module that a local variable is bound to, if it is bound to one."""
    return getattr(variable(state, name), "value", None)


def _shadowed(state: Lowering, name: str) -> bool:
    return state.enclosing is not None and variable(state.enclosing, name) is not None


def called(state: Lowering, node: gast.Call) -> str | None:
    """Return the canonical name of the primitive that a call names, or None."""
    return resolve.primitive(dotted(state, node.func))
