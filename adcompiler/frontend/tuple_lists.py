"""Lists of tuples as one list for each place in the tuples: `stack.append((a, b))` appends to two lists.

No derivative goes through a tuple that a list holds, but through the numbers and arrays of lists. A variable
is taken apart if all that happens to it is known: items are appended, popped, read, replaced, counted, gone
over.
"""

from __future__ import annotations

import ast
import builtins
import copy
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

import gast

_AROUND = ("enumerate", "zip", "reversed")
_LIBRARIES = ("np", "numpy", "math", "cmath")


def without_tuple_lists(body: list[gast.stmt], parameters: Collection[str] = ()) -> list[gast.stmt]:
    """Return the statements of a function with such lists taken apart.

    Args:
        body: the statements.
        parameters: names of the function's parameters, which may be lists of anything.

    >>> made = gast.parse("h = [(1.0, x)]\\nwhile h:\\n    a, b = h.pop()")
    >>> for statement in without_tuple_lists(made.body): print(gast.unparse(statement))
    h_0 = [1.0]
    h_1 = [x]
    while h_0:
        a, b = (h_0.pop(), h_1.pop())
    """
    nodes = [node for stmt in body for node in gast.walk(stmt)]
    if not any(map(_holds_tuples, nodes)):
        return body
    names = [node.id for node in nodes if isinstance(node, gast.Name)]
    widths = _widths(nodes, names)
    lists = {name: _lists(name, widths[name], names) for name in widths if name not in parameters}
    return _Parted(lists).statements(copy.deepcopy(body)) if lists else body


def _holds_tuples(node: gast.AST) -> bool:
    """Tell whether a node makes a list of tuples, or of nothing yet."""
    match node:
        case gast.List(elts=items):
            return all(map(_width, items))
        case gast.ListComp(elt=item):
            return _width(item) > 0
    return False


def _lists(name: str, width: int, names: list[str]) -> list[str]:
    """Return the names of the lists that stand for one of tuples."""
    found = [f"{name}_{k}" for k in range(width)]
    while not {*found}.isdisjoint(names):
        found = [f"{one}_" for one in found]
    return found


@dataclass
class _Seen:
    """What is known of the variables that may be lists of tuples.

    Attributes:
        widths: how many items the tuples have that are put into each.
        uses: how often each is mentioned in a way that is understood.
        made: those that are bound to a list that is written out.
    """

    widths: dict[str, set[int]] = field(default_factory=dict)
    uses: dict[str, int] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)

    def note(self, name: str, *items: gast.expr) -> None:
        self.uses[name] = self.uses.get(name, 0) + 1
        self.widths.setdefault(name, set()).update(map(_width, items))


def _width(node: gast.expr) -> int:
    """Return how many items a tuple that is written out has; 0 for all else."""
    is_plain = isinstance(node, gast.Tuple) and not any(
        isinstance(e, gast.Starred | gast.Tuple) for e in node.elts
    )
    return len(node.elts) if is_plain else 0


def _widths(nodes: list[gast.AST], names: list[str]) -> dict[str, int]:
    """Return the lists of tuples of which all uses are understood, and how long the tuples are."""
    seen = _Seen()
    for node in nodes:
        _note(node, seen)
    found: dict[str, int] = {}
    for name in seen.made:
        width, *others = seen.widths[name] or {0}
        if width > 1 and not others and names.count(name) == seen.uses[name]:
            found[name] = width
    return found


def _note(node: gast.AST, seen: _Seen) -> None:
    """Take up what a node does to a list, if it is understood."""
    match node:
        case gast.Assign(targets=[gast.Tuple(elts=targets)], value=gast.Tuple(elts=given)):
            others = _mentioned(given)
            for target, value in zip(targets, given, strict=False):
                if len(targets) == len(given) and getattr(target, "id", "") not in others:
                    _note(gast.Assign([target], value, None), seen)
        case gast.Assign(targets=[gast.Name(id=name)], value=gast.List(elts=items)):
            seen.made.add(name)
            seen.note(name, *items)
        case gast.AugAssign(target=gast.Name(id=name), op=gast.Add(), value=gast.List(elts=items)):
            if name not in _mentioned(items):
                seen.note(name, *items)
        case gast.Assign(targets=[gast.Name(id=name)], value=gast.ListComp(elt=item)) if _is_repeatable(
            node.value
        ):
            seen.made.add(name)
            seen.note(name, item)
        case gast.Expr(
            value=gast.Call(func=gast.Attribute(value=gast.Name(id=name), attr="append"), args=[item])
        ):
            seen.note(name, item)
        case gast.Assign(targets=[gast.Subscript(value=gast.Name(id=name), slice=place)], value=item):
            if _is_repeatable(place):
                seen.note(name, item)
        case gast.Subscript(value=gast.Name(id=name), slice=place, ctx=gast.Load()) if _is_repeatable(place):
            seen.note(name)
        case gast.Call(func=gast.Attribute(value=gast.Name(id=name), attr="pop"), args=[], keywords=[]):
            seen.note(name)
        case gast.Call(func=gast.Name(id="len" | "bool"), args=[gast.Name(id=name)]):
            seen.note(name)
        case _:
            for name in (*_tested(node), *_gone_over(node)):
                seen.note(name)


def _mentioned(nodes: list[gast.expr]) -> set[str]:
    return {part.id for node in nodes for part in gast.walk(node) if isinstance(part, gast.Name)}


def _tested(node: gast.AST) -> Iterator[str]:
    """Yield the variables of which a node asks for the truth."""
    match node:
        case gast.While(test=test) | gast.If(test=test) | gast.IfExp(test=test):
            asked = [test]
        case gast.UnaryOp(op=gast.Not(), operand=test):
            asked = [test]
        case gast.BoolOp(values=tests):
            asked = tests
        case _:
            asked = []
    yield from (test.id for test in asked if isinstance(test, gast.Name))


def _gone_over(node: gast.AST) -> Iterator[str]:
    """Yield the variables whose items a loop goes over."""
    match node:
        case gast.For(iter=gast.Name(id=name)) | gast.comprehension(iter=gast.Name(id=name)):
            yield name
        case gast.For(iter=gast.Call(func=gast.Name(id=fn), args=args)) if fn in _AROUND:
            yield from (arg.id for arg in args if isinstance(arg, gast.Name))


def _is_repeatable(node: gast.AST) -> bool:
    """Tell whether an expression gives the same again, and is no slice: all that it calls only computes."""
    if isinstance(node, gast.Slice | gast.Tuple):
        return False
    called = [part.func for part in gast.walk(node) if isinstance(part, gast.Call)]
    return all(map(_only_computes, called))


def _only_computes(function: gast.expr) -> bool:
    match function:
        case gast.Name(id=name):
            return hasattr(builtins, name)
        case gast.Attribute(value=gast.Name(id=library), attr=_):
            return library in _LIBRARIES
    return False


class _Parted(ast.NodeTransformer):
    """Writes down what stands for statements and expressions about lists of tuples."""

    def __init__(self, lists: dict[str, list[str]]) -> None:
        self.lists = lists

    def statements(self, body: list[gast.stmt]) -> list[gast.stmt]:
        """Return what stands for some statements."""
        found: list[gast.stmt] = []
        for stmt in body:
            made = self.visit(stmt)
            found += made if isinstance(made, list) else [made]
        return found

    def visit(self, node: Any) -> Any:
        """Return what stands for a node: one node, or several statements."""
        match node:
            case gast.Assign(targets=[gast.Tuple(elts=targets)], value=gast.Tuple(elts=given)):
                return self._several(node, targets, given)
            case gast.Assign(targets=[gast.Name(id=name)]) if name in self.lists:
                return [
                    _at(_assign(_name(one, gast.Store()), v), node) for one, v in self._made(name, node.value)
                ]
            case gast.Assign(targets=[gast.Subscript(value=gast.Name(id=name), slice=place)]) if (
                name in self.lists
            ):
                place = self.visit(place)
                return self._each(
                    name, node.value, node, lambda one, item: _assign(_part(one, place, gast.Store()), item)
                )
            case gast.Expr(
                value=gast.Call(func=gast.Attribute(value=gast.Name(id=name), attr="append"), args=[item])
            ):
                if name in self.lists:
                    return self._each(name, item, node, _append)
            case gast.AugAssign(target=gast.Name(id=name), value=gast.List(elts=items)) if name in self.lists:
                parts = [self._each(name, item, node, _append) for item in items]
                return [statement for part in parts for statement in part]
            case gast.Subscript(value=gast.Name(id=name), slice=place) if name in self.lists:
                parts = [
                    _part(one, self.visit(copy.deepcopy(place)), gast.Load()) for one in self.lists[name]
                ]
                return _at(gast.Tuple(parts, gast.Load()), node)
            case gast.Call(func=gast.Attribute(value=gast.Name(id=name), attr="pop")) if name in self.lists:
                return _at(gast.Tuple([_method(one, "pop") for one in self.lists[name]], gast.Load()), node)
            case gast.For() | gast.comprehension():
                node.iter = self._over(node.iter)
            case gast.Name(id=name) if name in self.lists:
                return _at(_name(self.lists[name][0]), node)
        return self.generic_visit(node)

    def _several(
        self, node: gast.Assign, targets: list[gast.expr], given: list[gast.expr]
    ) -> gast.Assign | list[gast.stmt]:
        """Return what assigns several variables at once, first those that are lists of tuples."""
        parted = [isinstance(target, gast.Name) and target.id in self.lists for target in targets]
        if not any(parted):
            return self.generic_visit(node)
        pairs = [*zip(targets, given, parted, strict=True)]
        lists = [_at(gast.Assign([target], value, None), node) for target, value, parts in pairs if parts]
        others = [(target, self.visit(value)) for target, value, parts in pairs if not parts]
        left, right = ([pair[k] for pair in others] for k in (0, 1))
        last = _assign(gast.Tuple(left, gast.Store()), gast.Tuple(right, gast.Load()))
        return [*self.statements(lists), *([_at(last, node)] if others else [])]

    def _made(self, name: str, value: gast.List | gast.ListComp) -> list[tuple[str, gast.expr]]:
        """Return what each of the lists is that a variable is bound to."""
        lists = self.lists[name]
        if isinstance(value, gast.ListComp):
            items = [gast.ListComp(item, copy.deepcopy(value.generators)) for item in value.elt.elts]
            return [(one, self.generic_visit(item)) for one, item in zip(lists, items, strict=True)]
        columns = [[self.visit(item.elts[k]) for item in value.elts] for k in range(len(lists))]
        return [(one, gast.List(column, gast.Load())) for one, column in zip(lists, columns, strict=True)]

    def _each(
        self, name: str, item: gast.Tuple, node: gast.stmt, write: Callable[[str, gast.expr], gast.stmt]
    ) -> list[gast.stmt]:
        """Return a statement for each of the lists; all items are there before the first list changes."""
        lists = self.lists[name]
        items: list[gast.expr] = [self.visit(each) for each in item.elts]
        nodes: list[gast.stmt] = []
        if not _mentioned(items).isdisjoint(lists):
            names = [f"${one}" for one in lists]
            target = gast.Tuple([_name(one, gast.Store()) for one in names], gast.Store())
            nodes.append(_assign(target, gast.Tuple(items, gast.Load())))
            items = [_name(one) for one in names]
        nodes += [write(one, each) for one, each in zip(lists, items, strict=True)]
        return [_at(made, node) for made in nodes]

    def _over(self, node: gast.expr) -> gast.expr:
        """Return what a loop goes over."""
        match node:
            case gast.Name(id=name) if name in self.lists:
                return _at(gast.Call(_name("zip"), [_name(one) for one in self.lists[name]], []), node)
            case gast.Call(func=gast.Name(id="reversed"), args=[gast.Name(id=name)]) if name in self.lists:
                turned = [gast.Call(_name("reversed"), [_name(one)], []) for one in self.lists[name]]
                return _at(gast.Call(_name("zip"), turned, []), node)
            case gast.Call(func=gast.Name(id=fn), args=args) if fn in _AROUND:
                return _at(gast.Call(node.func, [self._over(arg) for arg in args], node.keywords), node)
        return node


def _name(name: str, context: gast.expr_context | None = None) -> gast.Name:
    return gast.Name(name, context or gast.Load(), None, None)


def _assign(target: gast.expr, value: gast.expr) -> gast.Assign:
    return gast.Assign([target], value, None)


def _part(name: str, place: gast.expr, context: gast.expr_context) -> gast.Subscript:
    return gast.Subscript(_name(name), copy.deepcopy(place), context)


def _method(name: str, method: str, *args: gast.expr) -> gast.Call:
    return gast.Call(gast.Attribute(_name(name), method, gast.Load()), [*args], [])


def _append(name: str, item: gast.expr) -> gast.stmt:
    return gast.Expr(_method(name, "append", item))


def _at(made: Any, node: gast.AST) -> Any:
    """Let what is new stand where a node stood."""
    for part in gast.walk(made):
        if not hasattr(part, "lineno"):
            gast.copy_location(part, node)
    return made
