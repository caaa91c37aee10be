"""What a variable may be bound to while lowering: an atom, a tuple of bindings, or a local function."""

from __future__ import annotations

import enum
import keyword
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from adcompiler.frontend.parse import Source
from adcompiler.graph.layout import Layout, Leaf, Packed, Static
from adcompiler.graph.nodes import UNDEFINED, Atom, Global, Literal, Value
from adcompiler.graph.steps import Axes, Chain


@dataclass(frozen=True, eq=False)
class Closure:
    """A nested function or lambda, with the lowering of the function that it stands in.

    Attributes:
        source: its text.
        frame: what the variables around it are read from when it is called.
        defaults: what its parameters are bound to where no argument is given, as it was at the definition.
    """

    source: Source
    frame: Any
    defaults: dict[str, Binding]


@dataclass(frozen=True, eq=False)
class TypeOf:
    """`type(x)`: it can be called, to make a value of the type of x."""

    value: Atom


@dataclass(frozen=True)
class Inner:
    """A nested function without the variables around it, which are the record that it makes a closure of."""

    source: Source


@dataclass(frozen=True)
class Transformation:
    """Which derivative of a function is meant.

    Attributes:
        mode: `"grad"`, `"value_and_grad"`, `"hvp"`, `"jacobian"`, `"jacfwd"`, `"jacrev"`, `"hessian"`,
            one of `Entries`, or `"vmap"` for the function itself over a batch.
        wrt: positions of the arguments to differentiate.
        single: whether the derivative by one argument is returned by itself, not as a tuple.
        has_aux: whether the function returns a pair, of which the second part is handed on.
        steps: by what the result is differentiated again.
        stacked: whether blocks by several arguments stand side by side in one matrix.
        in_lanes: whether Jacobians and Hessians are computed along several directions at once.
        holomorphic: whether it is the derivative of a complex result by complex arguments.
        in_axes, out_axes: along which axes a batch goes, for `"vmap"`.
    """

    mode: str
    wrt: tuple[int, ...]
    single: bool = True
    has_aux: bool = False
    steps: Chain = ()
    stacked: bool = False
    in_lanes: bool = False
    in_axes: Axes = 0
    out_axes: Axes = 0
    holomorphic: bool = False


@dataclass(frozen=True, eq=False)
class Transform:
    """A derivative of a function, which can be called like it."""

    how: Transformation
    function: Binding


@dataclass(frozen=True, eq=False)
class Operation:
    """What is called, and is no function of the program: a pullback, or a product with a derivative.

    Attributes:
        run: lowers a call, given the state, the place, the arguments and the name of the variable.
    """

    run: Callable[..., Binding]


@dataclass(frozen=True)
class Ambiguous:
    """What a variable holds that is of one kind on one path and of another kind on another path.

    Attributes:
        reason: what to tell the user if the variable is read.
        tuple: the tuple that it is on one of the paths, if it is.
    """

    reason: str
    tuple: Any = field(default=None, compare=False)


class Record(tuple[Any, ...]):
    """A tuple whose items have names: a named tuple, or a dictionary with constant keys."""

    names: tuple[str, ...]
    maker: Any

    def __new__(cls, items: Iterable[Any], names: tuple[str, ...], maker: Any) -> Record:
        made = super().__new__(cls, items)
        made.names, made.maker = names, maker
        return made


Binding = Atom | tuple["Binding", ...] | Closure | TypeOf | Ambiguous | Transform | Operation
Environment = dict[str, Binding]


def flatten(binding: Any) -> Iterator[Any]:
    """Yield the leaves of nested tuples.

    >>> list(flatten((1, (2, 3))))
    [1, 2, 3]
    """
    if isinstance(binding, tuple):
        for item in binding:
            yield from flatten(item)
    else:
        yield binding


def part_names(binding: Any, name: str) -> Iterator[str]:
    """Yield a name for each leaf: of the fields of a record its own, of other tuples that of the whole.

    >>> list(part_names(Record((1, (2, 3)), ("b", "c"), None), "state"))
    ['b', 'c', 'c']
    """
    if isinstance(binding, tuple):
        names = getattr(binding, "names", ()) or (name,) * len(binding)
        for part, own in zip(binding, names, strict=True):
            yield from part_names(part, label(own) or name)
    else:
        yield name


def label(key: Any) -> str:
    """Return the identifier for a field's name or a dictionary's key; empty if there is none like it.

    >>> label("learning rate"), label("class"), label(0)
    ('learning_rate', '', '')
    """
    text = re.sub(r"\W", "_", str(key))
    return text if text.isidentifier() and not keyword.iskeyword(text) else ""


def rebuild(binding: Any, leaf: Callable[[Any], Any]) -> Any:
    """Return the same nesting of tuples with every leaf replaced.

    >>> rebuild((1, (2, 3)), str)
    ('1', ('2', '3'))
    """
    if isinstance(binding, tuple):
        return like(binding, [rebuild(item, leaf) for item in binding])
    return leaf(binding)


def like(binding: tuple[Any, ...], items: Iterable[Any]) -> tuple[Any, ...]:
    """Return a tuple of new items, a record if `binding` is one."""
    if isinstance(binding, Record):
        return Record(items, binding.names, binding.maker)
    return tuple(items)


def layout_of(binding: Any) -> Layout:
    """Return how a binding is built from single values."""
    if not isinstance(binding, tuple):
        return Leaf()
    parts = tuple(map(layout_of, binding))
    if isinstance(binding, Record):
        return Packed(parts, binding.names, binding.maker)
    return Packed(parts)


def field_names(parameters: Iterable[tuple[str, Layout]]) -> set[str]:
    """Return the names that say which value is meant: one field or parameter has it.

    >>> pair = Packed((Leaf(), Leaf()), ("mean", "x"), dict)
    >>> sorted(field_names([("state", pair), ("x", Leaf())]))
    ['mean', 'state']
    """
    found = Counter[str]()
    for name, layout in parameters:
        found[name] += 1
        found.update(_fields(layout))
    return {name for name, count in found.items() if count == 1}


def _fields(layout: Layout) -> Iterator[str]:
    if isinstance(layout, Packed):
        yield from filter(None, map(label, layout.names))
        for part in layout.parts:
            yield from _fields(part)


def unpacked(
    layout: Layout, name: str, params: list[Value], fields: Collection[str] = frozenset()
) -> Binding:
    """Return what a parameter is bound to; its single values are appended to `params`.

    Args:
        layout: how the parameter is built.
        name: its name.
        params: gets the single values.
        fields: names of fields that stand for themselves; others come after the name of the whole.
    """
    match layout:
        case Leaf():
            params.append(Value(name))
            return params[-1]
        case Static(value=None | str()):
            return Literal(layout.value)
        case Static():
            return Global(name, layout.value)
    keys = [re.sub(r"\W", "_", key) for key in layout.names] or [*map(str, range(len(layout.parts)))]
    names = [key if layout.names and key in fields else f"{name}_{key}" for key in keys]
    parts = [unpacked(part, own, params, fields) for own, part in zip(names, layout.parts, strict=True)]
    is_record = layout.names or layout.maker is dict or isinstance(layout.maker, Inner)
    return Record(parts, layout.names, layout.maker) if is_record else tuple(parts)


def join(
    left: Binding, right: Binding, name: str, outs: list[Value], yields: tuple[list[Atom], list[Atom]]
) -> Binding:
    """Merge what two branches bind to one name; new outputs and their yields are appended."""
    if left is right or (isinstance(left, Literal) and _same_literal(left, right)):
        return left
    if isinstance(left, Ambiguous) or isinstance(right, Ambiguous):
        return left if isinstance(left, Ambiguous) else right
    if isinstance(left, tuple) or isinstance(right, tuple):
        return _joined_tuples(left, right, name, outs, yields)
    if (left == Literal(None)) != (right == Literal(None)) and UNDEFINED not in (left, right):
        return Ambiguous(f"'{name.lstrip('$')}' is None on one path and something else on another")
    if is_fixed(left) or is_fixed(right):
        if left == UNDEFINED or right == UNDEFINED:
            return UNDEFINED
        return Ambiguous(f"'{name.lstrip('$')}' is a different function or constant after the two branches")
    out = Value(name.lstrip("$"))
    outs.append(out)
    assert isinstance(left, Atom) and isinstance(right, Atom)
    yields[0].append(left)
    yields[1].append(right)
    return out


def _joined_tuples(
    left: Binding, right: Binding, name: str, outs: list[Value], yields: tuple[list[Atom], list[Atom]]
) -> Binding:
    left = rebuild(right, lambda _: UNDEFINED) if left == UNDEFINED else left
    right = rebuild(left, lambda _: UNDEFINED) if right == UNDEFINED else right
    if not (isinstance(left, tuple) and isinstance(right, tuple) and len(left) == len(right)):
        reason = f"'{name.lstrip('$')}' is a tuple of different lengths after the two branches"
        return Ambiguous(reason, left if isinstance(left, tuple) else right)
    names = [getattr(side, "names", ()) for side in (left, right)]
    if names[0] != names[1]:
        return Ambiguous(f"'{name.lstrip('$')}' has different fields after the two branches", left)
    own = [label(key) or name for key in names[0]] or [name] * len(left)
    return like(left, [join(a, b, c, outs, yields) for a, b, c in zip(left, right, own, strict=True)])


def is_fixed(binding: Binding) -> bool:
    """Tell whether a binding is a function, class or module, which no variable of the graph can hold."""
    return isinstance(binding, Closure | TypeOf | Transform | Operation) or (
        isinstance(binding, Global) and not isinstance(binding.value, np.ndarray | np.generic | enum.Enum)
    )


def _same_literal(left: Literal, right: Binding) -> bool:
    return isinstance(right, Literal) and type(left.value) is type(right.value) and left == right
