"""Calls of primitives: one node each, or the few that their arguments are written out as."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import gast
import numpy as np

from adcompiler.definitions import DEFINITIONS
from adcompiler.frontend import defined, einsum, tuples
from adcompiler.frontend.asked import answered
from adcompiler.frontend.bindings import Binding, TypeOf
from adcompiler.frontend.buffers import writable
from adcompiler.frontend.dictionaries import VIEWS, iterated
from adcompiler.frontend.listed import any_or_all, as_array, as_tuple, listed, with_list
from adcompiler.frontend.ranks import Items, Listed, atom_rank
from adcompiler.frontend.state import Lowering
from adcompiler.graph.nodes import Apply, Atom, Literal, Store, Value
from adcompiler.primitives import Follows, Gives, Shows, Spelling, card, is_known, library_function

Keywords = tuple[tuple[str, Atom], ...]
ONLY_INSIDE = {"isinstance", "getattr"}
"""Names of builtins that are primitives, and no part of the language."""

OUTSIDE_LOOPS = {"enumerate", "zip", "reversed", "map", "filter"}


def primitive(state: Lowering, node: gast.Call, fn: str, name: str | None) -> Binding:
    """Lower a call of a primitive; `name` is the variable that its result is assigned to."""
    if _of_nothing(node, fn):
        size = gast.copy_location(gast.Constant(0, None), node.args[0])
        node, fn = (
            gast.copy_location(gast.Call(node.func, [size, *node.args[1:]], node.keywords), node),
            "np.zeros",
        )
    node = with_list(state, node, fn)
    known = _by_form(state, node, fn, name)
    if known is None:
        known = _on_tuple(state, node, fn)
    if known is not None:
        return known
    if fn in DEFINITIONS:
        args = defined.arguments(state, node.args)
        keywords = {str(k.arg): defined.argument(state, k.value) for k in node.keywords}
    else:
        args = tuples.items(state, _with_shape(fn, node.args))
        keywords = {str(k.arg): state.atom(k.value) for k in node.keywords}
    return applied(state, node, fn, args, keywords, name)


def _of_nothing(node: gast.Call, fn: str) -> bool:
    """Tell whether it is `np.array([])`, to which compiled code cannot give a type."""
    first = node.args[0] if node.args else None
    return fn in ("np.array", "np.asarray") and isinstance(first, gast.List) and not first.elts


def _with_shape(fn: str, args: list[gast.expr]) -> list[gast.expr]:
    """Return arguments in which a shape that is written as a list is a tuple, as compiled code wants it."""
    places = range(1) if card(fn).follows is Follows.GIVEN else range(1, 2) if fn == "reshape" else ()
    return [
        gast.Tuple(arg.elts, gast.Load()) if k in places and isinstance(arg, gast.List) else arg
        for k, arg in enumerate(args)
    ]


def applied(
    state: Lowering,
    node: gast.Call,
    fn: str,
    args: Sequence[Binding],
    keywords: dict[str, Binding],
    name: str | None,
) -> Binding:
    """Apply a primitive, also a method, to arguments that have been lowered."""
    if fn in ("np.array", "np.asarray") and args:
        args = [as_array(state, node, args[0]), *args[1:]]
    inlined = defined.inlined(state, node, fn, args, keywords, name)
    if inlined is not None:
        return inlined
    atoms, options = _positional(fn, *defined.as_given(state, node, fn, args, keywords))
    places = [atom for key, atom in options if key == "out"]
    if not places and len(atoms) == _UFUNC_INPUTS.get(fn, len(atoms)) + 1:
        atoms, places = atoms[:-1], [atoms[-1]]
    if places:
        return _into(state, node, fn, atoms, places[0], options)
    if fn in _UFUNC_INPUTS and any(key == "where" for key, _ in options):
        other = "give it an array as out, or write np.where(mask, …, other)"
        raise state.refuse("AD102", f"'{fn}' leaves some elements undefined", node, other)
    least, most = card(fn).arity or (0, None)
    if len(atoms) + len(options) < least:
        raise state.refuse("AD107", f"'{fn}' takes at least {least} arguments", node)
    rewritten = _rewritten(state, node, fn, atoms, options, name)
    if rewritten is not None:
        return rewritten
    if not is_known(fn):
        cure = "write np.sort" if fn == "sorted" else None
        raise state.refuse("AD102", f"'{fn}' is not part of the language", node, cure)
    if most is not None and len(atoms) > most:
        raise state.refuse("AD107", f"'{fn}' takes at most {most} arguments", node)
    return state.apply(node, fn, atoms, _of_marked(fn, atoms) or name, options)


def _of_marked(fn: str, args: Sequence[Atom]) -> str | None:
    """Return the name of what a mark of a definition stands for, where numbers are real."""
    is_mark = fn.startswith("common.") and card(fn).shows is Shows.FIRST
    return args[0].name if is_mark and isinstance(args[0], Value) and not args[0].temporary else None


def _by_form(state: Lowering, node: gast.Call, fn: str, name: str | None) -> Binding | None:
    """Lower what depends on how the arguments are written."""
    if fn == "T" and len(node.args) + len(node.keywords) > 1:
        axes = [*node.args[1:], *(k.value for k in node.keywords)]
        return transposed(state, node, state.atom(node.args[0]), axes, name)
    if fn == "np.einsum" and node.args:
        return einsum.contracted(state, node, name)
    if fn in OUTSIDE_LOOPS:
        raise state.refuse("AD102", f"'{fn}' is part of the language in the head of a loop only", node)
    if (answer := answered(state, node, fn)) is not None:
        return Literal(answer)
    if fn in ONLY_INSIDE:
        raise state.refuse("AD102", f"'{fn}' is not part of the language", node)
    if fn == "complex" and len(node.args) == 1 and not node.keywords:
        return state.apply(node, "np.complex128", (state.atom(node.args[0]),), name)
    if fn == "tuple" and len(node.args) == 1:
        return as_tuple(state, node)
    if fn == "list" and len(node.args) == 1:
        return listed(state, node, name)
    if fn in ("any", "all") and len(node.args) == 1:
        return any_or_all(state, node, fn, name)
    if fn == "type" and len(node.args) == 1:
        return TypeOf(state.atom(node.args[0]))
    if card(fn).spelling is Spelling.JOIN and node.args:
        return _joined(state, node, fn, name)
    least = (card(fn).arity or (0,))[0]
    if not node.args and not node.keywords and least and fn not in DEFINITIONS:
        raise state.refuse("AD107", f"'{fn}' takes at least {least} arguments", node)
    return None


def transposed(
    state: Lowering, node: gast.Call, array: Atom, axes: Sequence[gast.expr], name: str | None
) -> Atom:
    """`np.transpose(x, (0, 2, 1))`: the axes become arguments of their own."""
    given = tuples.items(state, [*axes])
    order = given[0] if len(given) == 1 and isinstance(given[0], tuple) else tuple(given)
    if not all(isinstance(k, Literal) and type(k.value) is int for k in order):
        raise state.refuse("AD102", "the order of axes has to be constant", node)
    places = [int(k.value) % len(order) for k in order]  # type: ignore[union-attr, arg-type]
    if places == sorted(places):
        return array
    if places == sorted(places, reverse=True):
        return state.apply(node, "T", (array,), name)
    return state.apply(node, "np.transpose", (array, *map(Literal, places)), name)


def _joined(state: Lowering, node: gast.Call, fn: str, name: str | None) -> Binding:
    """`np.concatenate((a, b), 0)`: the arrays become arguments, the axis a keyword."""
    parts = defined.argument(state, node.args[0])
    if not isinstance(parts, tuple) or not parts:
        reason = f"'{fn}' needs its arrays written down"
        cure = f"write {fn}((a, b)), or make the array before the loop and fill it: y[k] = a"
        raise state.refuse("AD102", reason, node, cure)
    arrays = tuple(state.materialise(part, node) for part in parts)
    keywords = [(k.arg, state.atom(k.value)) for k in node.keywords]
    keywords += [("axis", state.atom(axis)) for axis in node.args[1:]]
    is_of_numbers = all(atom_rank(array, state.ranks) == 0 for array in arrays)
    if fn == "np.stack" and is_of_numbers and all(axis in (Literal(0), Literal(-1)) for _, axis in keywords):
        return state.apply(node, "np.array", (state.apply(node, "list", arrays),), name)
    return state.apply(node, fn, arrays, name, tuple(keywords))


def _on_tuple(state: Lowering, node: gast.Call, fn: str) -> Binding | None:
    """Functions of a tuple that is known here: `len`, `sum`, `max`, `min`."""
    if fn == "tuple" and not node.args:
        return ()
    start = node.args[1:] if fn == "sum" else []
    if not card(fn).is_of_tuples or not node.args or len(node.args) > 1 + len(start[:1]) or node.keywords:
        return None
    found = None
    first = node.args[0]
    is_view = (
        isinstance(first, gast.Call) and isinstance(first.func, gast.Attribute) and first.func.attr in VIEWS
    )
    if is_view or isinstance(first, gast.Tuple | gast.Name | gast.Subscript | gast.Attribute | gast.Starred):
        given = tuples.items(state, [first])
        found = iterated(given[0]) if len(given) == 1 else tuple(given)
    if not isinstance(found, tuple):
        return None
    if fn == "len":
        return Literal(len(found))
    atoms = [state.materialise(item, node) for item in found]
    total: Atom = atoms[0] if fn != "sum" else state.atom(start[0]) if start else Literal(0)
    for atom in atoms[fn != "sum" :]:
        total = state.apply(node, "add" if fn == "sum" else fn, (total, atom))
    return total


def _positional(fn: str, args: tuple[Atom, ...], keywords: Keywords) -> tuple[tuple[Atom, ...], Keywords]:
    """`np.full(n, fill_value=x)` is `np.full(n, x)`; options such as `axis` stay keywords."""
    function = library_function(fn)
    given = dict(keywords)
    try:
        names = [*inspect.signature(function).parameters] if given and callable(function) else []
    except ValueError:  # written in C, without a signature
        names = []
    while len(args) < len(names) and names[len(args)] in given.keys() - _OPTIONS:
        args = (*args, given.pop(names[len(args)]))
    return args, tuple(given.items())


_OPTIONS = {"axis", "dtype", "out", "where", "keepdims", "ddof"}
_UFUNC_INPUTS = {f"np.{name}": f.nin for name, f in vars(np).items() if isinstance(f, np.ufunc)} | {
    "np.dot": 2,
    "matmul": 2,
}


def _into(
    state: Lowering, node: gast.Call, fn: str, args: tuple[Atom, ...], place: Atom, keywords: Keywords
) -> Atom:
    """`np.add(a, b, out=c)` is `c[:] = np.add(a, b)`; `where=m` leaves elements as they were."""
    rest = tuple(pair for pair in keywords if pair[0] not in ("out", "where"))
    value = state.apply(node, fn, args, None, rest)
    place = writable(state, place, node)
    if not isinstance(place, Value):
        raise state.refuse("AD102", "'out' needs an array", node)
    if (mask := dict(keywords).get("where")) is not None:
        value = state.apply(node, "np.where", (mask, value, place))
    state.nodes.append(Store(place, (), value, False, loc=state.where(node)))
    return place


def _rewritten(
    state: Lowering, node: gast.Call, fn: str, args: tuple[Atom, ...], keywords: Keywords, name: str | None
) -> Binding | None:
    """Return what a primitive is written as, None where it stays as it is."""
    rewrite: Callable[..., Any] | None = _decomposed if card(fn).part_ranks else None
    match fn:
        case "np.clip":
            rewrite = _clipped
        case "divmod":
            rewrite = _divided
        case "np.copyto":
            rewrite = _copied
        case "max" | "min":
            rewrite = _largest
        case "float" | "np.float64":
            rewrite = _as_float
        case "sum":
            rewrite = _started
        case "math.log":
            rewrite = _logarithm
        case "np.array":
            rewrite = _array_of_another
        case "np.asarray":
            rewrite = _number_as_it_is
        case "np.expand_dims":
            rewrite = _with_new_axis
        case "reshape":
            rewrite = _reshaped
    return None if rewrite is None else rewrite(state, node, fn, args, keywords, name)


# what single primitives are written as: each returns None where there is nothing to change


def _clipped(
    state: Lowering, node: gast.Call, fn: str, args: tuple[Atom, ...], keywords: Keywords, name: str | None
) -> Atom | None:
    """`np.clip(x, a, b)` is `np.minimum(np.maximum(x, a), b)`; a bound that is None is left out."""
    if len(args) != 3 or keywords:
        return None
    bounds = [
        (fn, atom)
        for fn, atom in zip(("np.maximum", "np.minimum"), args[1:], strict=True)
        if atom != Literal(None)
    ]
    if not bounds:
        raise state.refuse("AD102", "'np.clip' without a bound does nothing", node)
    found = args[0]
    for k, (fn, bound) in enumerate(bounds):
        found = state.apply(node, fn, (found, bound), name if k == len(bounds) - 1 else None)
    return found


def _divided(
    state: Lowering, node: gast.Call, fn: str, args: tuple[Atom, ...], keywords: Keywords, name: str | None
) -> Binding | None:
    """`divmod(a, b)` is `(a // b, a % b)`."""
    if len(args) != 2:
        return None
    return tuple(state.apply(node, op, args) for op in ("floordiv", "mod"))


def _copied(
    state: Lowering, node: gast.Call, fn: str, args: tuple[Atom, ...], keywords: Keywords, name: str | None
) -> Atom | None:
    """`np.copyto(a, b)` is `a[:] = b`."""
    target = writable(state, args[0], node) if len(args) == 2 and not keywords else None
    if not isinstance(target, Value):
        return None
    state.nodes.append(Store(target, (), args[1], False, loc=state.where(node)))
    return Literal(None)


def _largest(
    state: Lowering, node: gast.Call, fn: str, args: tuple[Atom, ...], keywords: Keywords, name: str | None
) -> Atom | None:
    """`max(a, b, c)` is `max(max(a, b), c)`; of whole numbers it is known."""
    whole = [arg.value for arg in args if isinstance(arg, Literal) and type(arg.value) is int]
    if len(whole) == len(args):
        return Literal(max(whole) if fn == "max" else min(whole))
    if len(args) < 3:
        return None
    first = state.apply(node, fn, args[:2])
    for arg in args[2:-1]:
        first = state.apply(node, fn, (first, arg))
    return state.apply(node, fn, (first, args[-1]), name)


def _as_float(
    state: Lowering, node: gast.Call, fn: str, args: tuple[Atom, ...], keywords: Keywords, name: str | None
) -> Atom | None:
    """`float(2)` is `2.0`, and `float(x < y)` is `1.0 * (x < y)`."""
    if len(args) == 1 and isinstance(args[0], Value) and _is_test(state, args[0]):
        return state.apply(node, "mul", (Literal(1.0), args[0]), name)
    value = args[0].value if len(args) == 1 and isinstance(args[0], Literal) else None
    return Literal(float(value)) if isinstance(value, int | float) else None


def _is_test(state: Lowering, value: Value) -> bool:
    """Tell whether a number is True or False by what makes it: compiled code makes no float of that."""
    made = next((n for n in reversed(state.nodes) if isinstance(n, Apply) and n.out is value), None)
    return made is not None and card(made.fn).gives is Gives.TEST and not atom_rank(value, state.ranks)


def _started(
    state: Lowering, node: gast.Call, fn: str, args: tuple[Atom, ...], keywords: Keywords, name: str | None
) -> Atom | None:
    """`sum(v, a)` is `a + sum(v)`."""
    start = [*args[1:], *(atom for key, atom in keywords if key == "start")]
    if len(start) != 1 or len(args) + len(keywords) != 2:
        return None
    return state.apply(node, "add", (start[0], state.apply(node, fn, args[:1])), name)


def _logarithm(
    state: Lowering, node: gast.Call, fn: str, args: tuple[Atom, ...], keywords: Keywords, name: str | None
) -> Atom | None:
    """`math.log(x, b)` is `math.log(x) / math.log(b)`."""
    if len(args) != 2:
        return None
    return state.apply(node, "truediv", tuple(state.apply(node, fn, (arg,)) for arg in args), name)


def _array_of_another(
    state: Lowering, node: gast.Call, fn: str, args: tuple[Atom, ...], keywords: Keywords, name: str | None
) -> Atom | None:
    """`np.array(x)` of an array is a copy of it; of a list it stays what it is.

    Of a number it is the number, where no variable is there by which an array could be written.
    """
    kinds = [*args[1:], *(atom for key, atom in keywords if key == "dtype")]
    rank = state.ranks.get(args[0]) if args and isinstance(args[0], Value) else None
    if rank is None or isinstance(rank, Items | Listed) or len(args) + len(keywords) > 1 + len(kinds[:1]):
        return None
    if rank:
        array = state.apply(node, "np.asarray", args[:1])
        return state.apply(node, "astype" if kinds else "copy", (array, *kinds), name)
    if name is not None or any(getattr(kind, "value", None) not in (float, np.float64) for kind in kinds):
        return None
    return state.apply(node, "float", args[:1]) if kinds else args[0]


def _number_as_it_is(
    state: Lowering, node: gast.Call, fn: str, args: tuple[Atom, ...], keywords: Keywords, name: str | None
) -> Atom | None:
    """`np.asarray(x)` of a number is the number: an array without axes has no place in compiled code."""
    is_number = len(args) == 1 and not keywords and isinstance(args[0], Value)
    return args[0] if is_number and atom_rank(args[0], state.ranks) == 0 else None


def _with_new_axis(
    state: Lowering, node: gast.Call, fn: str, args: tuple[Atom, ...], keywords: Keywords, name: str | None
) -> Atom | None:
    """`np.expand_dims(x, 1)` is `x[:, None]`; of a number it is an array of one."""
    if len(args) + len(keywords) == 2 and atom_rank(args[0], state.ranks) == 0:
        return state.apply(node, "np.full", (Literal(1), args[0]), name)
    axes = [*args[1:], *(atom for _, atom in keywords)]
    axis = axes[0].value if len(axes) == 1 and isinstance(axes[0], Literal) else None
    if not isinstance(axis, int) or not -1 <= axis <= 5:
        return None
    whole = state.apply(node, "slice", (Literal(None), Literal(None)))
    before: list[Atom] = [Literal(...)] if axis == -1 else [whole] * axis
    return state.apply(node, "getitem", (args[0], *before, Literal(None)))


def _reshaped(
    state: Lowering, node: gast.Call, fn: str, args: tuple[Atom, ...], keywords: Keywords, name: str | None
) -> Atom | None:
    """`x.reshape(2, 3)` is `x.reshape((2, 3))`."""
    if len(args) <= 2:
        return None
    shape = state.apply(node, "tuple", args[1:])
    return state.apply(node, fn, (args[0], shape), name, keywords)


def _decomposed(
    state: Lowering, node: gast.Call, fn: str, args: tuple[Atom, ...], keywords: Keywords, name: str | None
) -> Binding:
    """`q, r = np.linalg.qr(a)`: each result becomes a primitive of its own, with a rule of its own."""
    whole = state.apply(node, fn, args, None, keywords)
    names = card(fn).part_names
    parts = [state.apply(node, "getitem", (whole, Literal(k)), part) for k, part in enumerate(names)]
    found = [state.apply(node, f"{fn}[{k}]", (args[0], *parts), part) for k, part in enumerate(names)]
    for out, rank in zip(found, card(fn).part_ranks, strict=True):
        state.ranks[out] = rank
    return tuple(found)
