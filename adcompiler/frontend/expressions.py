"""From gast expressions to nodes of the graph."""

from __future__ import annotations

import operator
import types
from typing import TYPE_CHECKING

import gast
import numpy as np

from adcompiler.frontend import calls, defined, loops, resolve, tuples
from adcompiler.frontend.bindings import Ambiguous, Binding, Closure, Record, TypeOf, flatten, join
from adcompiler.frontend.buffers import writable
from adcompiler.frontend.parse import Source
from adcompiler.frontend.ranks import atom_rank, joined_rank, rank_of
from adcompiler.graph.nodes import (
    UNDEFINED,
    Apply,
    Atom,
    Effect,
    Global,
    If,
    Literal,
    Node,
    Region,
    Value,
)
from adcompiler.primitives import CARDS, card, hint

if TYPE_CHECKING:
    from adcompiler.frontend.lower import Lowering

_SYMBOLS = {known.operator.__name__: name for name, known in CARDS.items() if known.operator}


def symbol(op: gast.AST) -> str:
    """Return the primitive that an operator of the syntax tree stands for."""
    return _SYMBOLS[type(op).__name__]


def apply(
    state: Lowering,
    node: gast.AST,
    fn: str,
    args: tuple[Atom, ...],
    name: str | None = None,
    keywords: tuple[tuple[str, Atom], ...] = (),
) -> Value:
    """Append a primitive and return its output, named for the variable or else for the primitive."""
    out = Value(name or hint(fn), temporary=name is None)
    made = Apply(out, fn, args, keywords, state.where(node))
    state.nodes.append(made)
    state.ranks[out] = rank_of(made, state.ranks)
    if fn == "range" and 1 <= len(args) <= 3:
        state.spans[out] = args
    return out


def atom(state: Lowering, node: gast.expr, name: str | None = None) -> Atom:
    """Lower an expression to a single value; a tuple display becomes a tuple value."""
    return materialise(state, binding(state, node, name), node)


def materialise(state: Lowering, value: Binding, node: gast.AST) -> Atom:
    """Turn a binding into an atom."""
    if isinstance(value, tuple):
        return apply(state, node, "tuple", tuple(materialise(state, item, node) for item in value))
    if isinstance(value, TypeOf):
        return apply(state, node, "type", (value.value,))
    if isinstance(value, Closure):
        raise state.refuse("AD102", "a function cannot be used as a value here", node)
    if isinstance(value, Ambiguous):
        raise state.refuse("AD104", value.reason, node)
    return value


def closure(state: Lowering, node: gast.FunctionDef | gast.Lambda) -> Closure:
    """Return the binding of a nested function; it reads the variables around it as they are when called."""
    source = Source(state.source.function, node, state.source.file, state.source.lines)
    return Closure(source, state)


def binding(state: Lowering, node: gast.expr, name: str | None = None) -> Binding:
    """Lower an expression; `name` is the variable that it is about to be assigned to."""
    match node:
        case gast.Constant():
            return _constant(state, node)
        case gast.Name():
            return _name(state, node)
        case gast.Tuple():
            return tuple(tuples.items(state, node.elts))
        case gast.List():
            parts = [materialise(state, item, node) for item in tuples.items(state, node.elts)]
            return apply(state, node, "list", tuple(parts), name)
        case gast.ListComp():
            return loops.comprehension(state, node, name)
        case gast.Dict() if None not in node.keys:
            return _dictionary(state, node, name)
        case gast.JoinedStr():
            return _text(state, node)
        case gast.BinOp():
            joined = tuples.joined(state, node)
            if joined is not None:
                return joined
            left, right = atom(state, node.left), atom(state, node.right)
            if isinstance(node.op, gast.MatMult):
                product = defined.inlined(state, node, "matmul", (left, right), {}, name)
                if product is not None:
                    return product
            known = _arithmetic(type(node.op), left, right)
            return known if known is not None else apply(state, node, symbol(node.op), (left, right), name)
        case gast.UnaryOp():
            return _unary(state, node, name)
        case gast.Compare():
            return _compare(state, node, name)
        case gast.BoolOp():
            return _boolean(state, node, node.values, name)
        case gast.IfExp():
            return _ternary(state, node, name)
        case gast.Call():
            return calls.call(state, node, name)
        case gast.Subscript():
            return _subscript(state, node, name)
        case gast.Attribute():
            return _attribute(state, node, name)
        case gast.NamedExpr():
            value = binding(state, node.value, node.target.id)
            state.env[node.target.id] = value
            return value
        case gast.Lambda():
            return closure(state, node)
        case _:
            kind = type(node).__name__
            raise state.refuse("AD102", f"'{kind}' expressions are not part of the language", node)


_WHOLE = {gast.Add: operator.add, gast.Sub: operator.sub, gast.Mult: operator.mul}


def _arithmetic(op: type[gast.operator], left: Atom, right: Atom) -> Literal | None:
    """Return the result for two whole numbers, such as the number of an axis and one."""
    if not (isinstance(left, Literal) and isinstance(right, Literal)):
        return None
    if type(left.value) is not int or type(right.value) is not int:
        return None
    if op in _WHOLE:
        return Literal(_WHOLE[op](left.value, right.value))
    if op in (gast.Mod, gast.FloorDiv) and right.value:
        return Literal(left.value % right.value if op is gast.Mod else left.value // right.value)
    return None


def _dictionary(state: Lowering, node: gast.Dict, name: str | None) -> Atom:
    pairs = [
        apply(state, node, "tuple", (atom(state, key), atom(state, value)))
        for key, value in zip(node.keys, node.values, strict=True)
    ]
    return apply(state, node, "dict", (apply(state, node, "list", tuple(pairs)),), name)


def _text(state: Lowering, node: gast.JoinedStr) -> Atom:
    """An f-string: its parts joined; formats are left to `str`."""
    parts: list[Atom] = []
    for part in node.values:
        if isinstance(part, gast.FormattedValue):
            parts.append(apply(state, node, "str", (atom(state, part.value),)))
        else:
            parts.append(atom(state, part))
    whole: Atom = parts[0] if parts else Literal("")
    for part in parts[1:]:
        whole = apply(state, node, "add", (whole, part))
    return whole


def _constant(state: Lowering, node: gast.Constant) -> Literal:
    if node.value is None or isinstance(node.value, bool | int | float | str | complex):
        return Literal(node.value)
    raise state.refuse("AD102", f"constants of type {type(node.value).__name__} are not supported", node)


def _name(state: Lowering, node: gast.Name) -> Binding:
    found = _variable(state, node.id)
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
    return _captured(state, node, node.id, value)


def _captured(state: Lowering, node: gast.expr, name: str, value: object) -> Atom:
    """Return the atom for a captured object; arrays that mean more than their numbers are refused."""
    if isinstance(value, np.ndarray) and type(value) not in (np.ndarray, np.memmap, np.recarray):
        cure = "capture a plain array: np.asarray(...), or .filled(...) for one with a mask"
        raise state.refuse("AD102", f"'{name}' is a {type(value).__name__}", node, cure)
    return resolve.constant(name, value)


def _variable(state: Lowering, name: str) -> Binding | None:
    """Return what a local variable, or one of the functions around, is bound to."""
    found = state.env.get(name)
    if found is None and state.enclosing is not None and name not in state.local_names:
        return _variable(state.enclosing, name)
    return found


def _unary(state: Lowering, node: gast.UnaryOp, name: str | None) -> Atom:
    operand = atom(state, node.operand)
    if isinstance(operand, Literal) and isinstance(node.op, gast.USub):
        assert isinstance(operand.value, int | float | complex)
        return Literal(-operand.value)
    if isinstance(operand, Literal) and isinstance(node.op, gast.Not):
        return Literal(not operand.value)
    return apply(state, node, symbol(node.op), (operand,), name)


def _compare(state: Lowering, node: gast.Compare, name: str | None) -> Atom:
    if len(node.ops) > 1:  # a < b < c: b is evaluated once
        operands = [node.left, *node.comparators]
        parts = []
        for k, op in enumerate(node.ops):
            pair = gast.Compare(operands[k], [op], [operands[k + 1]])
            parts.append(gast.copy_location(pair, node))
        return _boolean(state, node, parts, name)
    op = type(node.ops[0])
    if op in (gast.In, gast.NotIn):
        found = tuples.contained(state, node, atom(state, node.left), binding(state, node.comparators[0]))
        if isinstance(found, Literal):
            return Literal(bool(found.value) == (op is gast.In))
        return found if op is gast.In else apply(state, node, "not", (found,), name)
    left, right = atom(state, node.left), atom(state, node.comparators[0])
    if op in (gast.Is, gast.IsNot):
        if Literal(None) in (left, right):
            same = left == right
        elif isinstance(left, Value) and isinstance(right, Literal) and isinstance(right.value, bool):
            found = apply(state, node, "is", (left, right), name)
            return found if op is gast.Is else apply(state, node, "not", (found,), name)
        elif isinstance(left, Value) or isinstance(right, Value):
            raise state.refuse("AD102", "'is' compares with None only", node, "compare with '=='")
        else:
            same = type(left) is type(right) and left.value is right.value
        return Literal(same == (op is gast.Is))
    if op.__name__ not in _SYMBOLS:
        raise state.refuse("AD102", f"'{op.__name__}' comparisons are not part of the language", node)
    if isinstance(left, Literal) and isinstance(right, Literal):
        compute = card(_SYMBOLS[op.__name__]).compute
        assert compute is not None
        return Literal(compute(left.value, right.value))
    return apply(state, node, _SYMBOLS[op.__name__], (left, right), name)


def aside(state: Lowering, node: gast.expr) -> tuple[list[Node], Binding]:
    """Lower an expression into a list of nodes of its own."""
    nodes = state.nodes
    state.nodes = []
    value = binding(state, node)
    result = state.nodes, value
    state.nodes = nodes
    return result


def _boolean(state: Lowering, node: gast.AST, parts: list[gast.expr], name: str | None) -> Atom:
    """`a and b`: b is evaluated on its own path, unless it can neither fail nor cost anything."""
    is_and = not isinstance(node, gast.BoolOp) or isinstance(node.op, gast.And)
    first = atom(state, parts[0])
    if len(parts) == 1:
        return first
    if isinstance(first, Literal):
        if bool(first.value) != is_and:
            return first
        return _boolean(state, node, parts[1:], name)
    nodes, rest = state.nodes, parts[1:]
    state.nodes = []
    second = _boolean(state, node, rest, None)
    inner, state.nodes = state.nodes, nodes
    where = state.where(node)
    is_test = all(map(_is_test, parts))
    if is_test and all(isinstance(n, Apply) and card(n.fn).is_safe for n in inner):
        state.nodes += inner
        return apply(state, node, "and" if is_and else "or", (first, second), name)
    out = Value(name or ("both" if is_and else "either"), temporary=name is None)
    decided = Region((), (), (Literal(not is_and) if _is_test(parts[0]) else first,))
    evaluated = Region((), tuple(inner), (second,))
    then, orelse = (evaluated, decided) if is_and else (decided, evaluated)
    state.nodes.append(If(first, then, orelse, (out,), where))
    return out


def _is_test(node: gast.expr) -> bool:
    """Tell whether an expression is True or False by its form; `x and y` of numbers is one of them."""
    match node:
        case gast.Compare() | gast.UnaryOp(op=gast.Not()):
            return True
        case gast.BoolOp():
            return all(map(_is_test, node.values))
        case gast.Constant():
            return isinstance(node.value, bool)
        case gast.Name():
            return str(node.id).startswith("$")  # a flag of our own
    return False


def _ternary(state: Lowering, node: gast.IfExp, name: str | None) -> Binding:
    test = atom(state, node.test)
    if isinstance(test, Literal):
        return binding(state, node.body if test.value else node.orelse, name)
    then, left = aside(state, node.body)
    orelse, right = aside(state, node.orelse)
    outs: list[Value] = []
    yields: tuple[list[Atom], list[Atom]] = ([], [])
    joined = join(left, right, name or "choice", outs, yields)
    if outs == [joined] and name is None:
        joined = Value("choice", temporary=True)
        outs = [joined]
    for out, one, two in zip(outs, *yields, strict=True):
        state.ranks[out] = joined_rank(one, two, state.ranks)
    regions = Region((), tuple(then), tuple(yields[0])), Region((), tuple(orelse), tuple(yields[1]))
    state.nodes.append(If(test, *regions, tuple(outs), state.where(node)))
    return joined


def indices(state: Lowering, node: gast.expr) -> tuple[Atom, ...]:
    """Lower a subscript to its list of indices; slices are values made by `slice`."""
    parts = node.elts if isinstance(node, gast.Tuple) else [node]
    return tuple(flatten(tuple(_index(state, part) for part in parts)))


def _index(state: Lowering, node: gast.expr) -> Atom | tuple[Atom, ...]:
    if isinstance(node, gast.Slice):
        bounds = [Literal(None) if e is None else atom(state, e) for e in (node.lower, node.upper)]
        step = [] if node.step is None else [atom(state, node.step)]
        return apply(state, node, "slice", (*bounds, *step))
    if isinstance(node, gast.Constant) and node.value is Ellipsis:
        return Literal(...)
    value = binding(state, node)
    if isinstance(value, tuple):
        return tuple(materialise(state, item, node) for item in flatten(value))
    return materialise(state, value, node)


def place(state: Lowering, node: gast.AST) -> tuple[Value, tuple[Atom, ...]]:
    """Lower the target of a store: the array and its index."""
    if not isinstance(node, gast.Subscript):
        raise state.refuse("AD101", "only names and elements of arrays can be assigned", node)
    array = writable(state, atom(state, node.value), node)
    if not isinstance(array, Value):
        cure = "copy the constant into a local array first"
        raise state.refuse("AD101", "a captured constant cannot be written to", node, cure)
    return array, indices(state, node.slice)


def _subscript(state: Lowering, node: gast.Subscript, name: str | None) -> Binding:
    base = binding(state, node.value)
    if isinstance(base, tuple):
        return tuples.item(state, node, base)
    whole = materialise(state, base, node)
    if isinstance(whole, Global) and isinstance(whole.value, tuple):
        index = atom(state, node.slice)
        if isinstance(index, Literal) and isinstance(index.value, int):
            return resolve.constant(f"{whole.name}_{index.value}", whole.value[index.value])
    places = indices(state, node.slice)
    out = Value(name or _element_name(whole, places), temporary=name is None)
    made = Apply(out, "getitem", (whole, *places), loc=state.where(node))
    state.nodes.append(made)
    state.ranks[out] = rank_of(made, state.ranks)
    return out


def _element_name(array: Atom, index: tuple[Atom, ...]) -> str:
    """Name an element after its array and index: `x_i` for `x[i]`."""
    if not isinstance(array, Value) or array.temporary:
        return "size" if getattr(array, "name", "") == "shape" else "item"
    plain = [atom.name for atom in index if isinstance(atom, Value) and not atom.temporary]
    plain += [str(atom.value) for atom in index if isinstance(atom, Literal) and str(atom.value).isdigit()]
    return "_".join([array.name, *plain]) if len(plain) == len(index) else "item"


def dotted(state: Lowering, node: gast.expr) -> object:
    """Return the Python object that `np.linalg.norm` stands for, or MISSING for local values."""
    match node:
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


def _shadowed(state: Lowering, name: str) -> bool:
    return state.enclosing is not None and _variable(state.enclosing, name) is not None


def called(state: Lowering, node: gast.Call) -> str | None:
    """Return the canonical name of the primitive that a call names, or None."""
    return resolve.primitive(dotted(state, node.func))


def _attribute(state: Lowering, node: gast.Attribute, name: str | None) -> Binding:
    value = dotted(state, node)
    if value is not resolve.MISSING:
        return _captured(state, node, node.attr, value)
    found = binding(state, node.value)
    if isinstance(found, Record):
        if node.attr not in found.names:
            raise state.refuse("AD102", f"it has no field '{node.attr}'", node)
        return found[found.names.index(node.attr)]  # type: ignore[no-any-return]
    base = materialise(state, found, node)
    followed = calls.member(state, node, base, node.attr, name)
    if followed is not None:
        return followed
    if node.attr == "ndim" and atom_rank(base, state.ranks) is not None:
        return Literal(atom_rank(base, state.ranks))
    if node.attr == "ndim" and str(state.source.function.__module__).startswith("adcompiler.definitions"):
        reason = "the number of axes of an argument is not known before the program runs"
        raise state.refuse("AD102", reason, node, "give the array its axes: x.reshape(n, m)")
    if node.attr in resolve.ATTRIBUTES:
        return apply(state, node, node.attr, (base,), name)
    if node.attr in ("real", "imag"):
        return apply(state, node, f"np.{node.attr}", (base,), name or node.attr)
    return apply(state, node, "getattr", (base, Literal(node.attr)), name or node.attr)


def effect(state: Lowering, node: gast.expr) -> None:
    """Lower an expression statement: a call made for what it does."""
    if not isinstance(node, gast.Call):
        atom(state, node)
        return
    result = calls.call(state, node, None)
    last = state.nodes[-1] if state.nodes else None
    if isinstance(last, Apply) and result is last.out and last.fn != "pop":
        state.nodes[-1] = Effect(last.fn, last.args, last.loc, last.keywords)
