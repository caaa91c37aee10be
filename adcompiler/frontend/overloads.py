"""What Numba runs in place of a function, method or attribute: an implementation that an overload gives.

The implementation depends on the types of the arguments, which are not known while a function is lowered. So
it is chosen for likely types of these numbers of axes, and an effect in the graph remembers the choice until
types are known: `check` then holds it against what Numba chooses.
"""

from __future__ import annotations

import inspect
import itertools
import types as python_types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from numba.core import types as nt
from numba.core import utils
from numba.core.dispatcher import Dispatcher
from numba.core.errors import NumbaError
from numba.core.registry import cpu_target
from numba.core.target_extension import get_local_target
from numba.core.typing.templates import (
    _OverloadAttributeTemplate,
    _OverloadFunctionTemplate,
)

from adcompiler.errors import DifferentiationError
from adcompiler.frontend.bindings import Binding, Closure, Record, flatten
from adcompiler.frontend.facts import OWN, package_of
from adcompiler.frontend.ranks import Items, Ranks, atom_rank
from adcompiler.graph.layout import is_bare
from adcompiler.graph.nodes import Atom, Effect, Global, Graph, Region, Value
from adcompiler.graph.walk import map_region, walk
from adcompiler.source import Location
from adcompiler.turns import uninterrupted

CHOICE = "chosen_overload"
CURE = "give it a derivative with custom_vjp, or call the implementation itself"
_MOST_TRIALS = 60

Kinds = Sequence[nt.Type]
Finder = Callable[[Kinds, Mapping[str, nt.Type]], python_types.FunctionType | None]


def finder(function: object) -> Finder | None:
    """Return what chooses the implementation that compiled code runs; None if it is the function itself.

    >>> def cubed(x):
    ...     return x
    >>> finder(cubed) is None
    True
    """
    if isinstance(function, Dispatcher):
        return None
    found = _typing()._lookup_global(function)
    if not isinstance(found, nt.Function) or not _is_given_by_users(function, found.templates):
        return None
    templates = _in_order(found.templates, found.typing_key)
    return lambda kinds, named: _implementation(templates, kinds, named)


def member_finder(name: str, is_method: bool, owner: Atom, ranks: Ranks) -> Finder | None:
    """Return what chooses the implementation of a method or attribute; None where users gave none."""
    known = [template for templates in _typing()._attributes.values() for template in templates]
    if not any(_is_users(template, name, is_method) for template in known):
        return None
    if not any(_users_template(kind, name, is_method) for kind in _candidates(owner, ranks)):
        return None

    def find(kinds: Kinds, named: Mapping[str, nt.Type]) -> python_types.FunctionType | None:
        template = _users_template(kinds[0], name, is_method)
        return None if template is None else _called(template._overload_func, kinds, named)

    return find


def _users_template(kind: nt.Type, name: str, is_method: bool) -> Any:
    """Return the overload that Numba takes for a member of a type; None where it knows one by itself."""
    for template in _in_order(_typing()._get_attribute_templates(kind), name):
        if _is_users(template, name, is_method):
            return template
        if not isinstance(template, _OverloadAttributeTemplate) and _knows(template, kind, name):
            return None
    return None


def _typing() -> Any:
    with uninterrupted():
        cpu_target.typing_context.refresh()
    return cpu_target.typing_context


def _in_order(templates: Any, key: object) -> list[Any]:
    target = get_local_target(cpu_target.typing_context)
    return list(utils.order_by_target_specificity(target, list(templates), fnkey=key))


def _is_given_by_users(function: object, templates: Sequence[Any]) -> bool:
    """Tell whether a function is not one that Numba knows by itself, which is followed or has a rule here."""
    overloads = [getattr(template, "_overload_func", None) for template in templates]
    homes = [package_of(found) for found in overloads if found is not None]
    if any(home not in (None, *OWN) for home in homes):
        return True
    is_numbas = bool(homes) and None not in homes
    return (
        isinstance(function, python_types.FunctionType) and not is_numbas and package_of(function) not in OWN
    )


def _is_users(template: Any, name: str, is_method: bool) -> bool:
    return (
        isinstance(template, _OverloadAttributeTemplate)
        and template._attr == name
        and template.is_method == is_method
        and package_of(template._overload_func) not in OWN
    )


def _knows(template: Any, kind: nt.Type, name: str) -> bool:
    try:
        return template.resolve(kind, name) is not None
    except (NumbaError, NotImplementedError):
        return False


def _implementation(
    templates: Sequence[Any], kinds: Kinds, named: Mapping[str, nt.Type]
) -> python_types.FunctionType | None:
    for template in templates:
        if not issubclass(template, _OverloadFunctionTemplate):
            return None  # typed and compiled by hand
        found = _called(template._overload_func, kinds, named)
        if found is not None:
            return found
    return None


def _called(
    overload: Callable[..., Any], kinds: Kinds, named: Mapping[str, nt.Type]
) -> python_types.FunctionType | None:
    """Ask an overload for its implementation; what it raises for likely types says that these are others."""
    try:
        inspect.signature(overload).bind(*kinds, **named)
        found = overload(*kinds, **named)
    except Exception:
        return None
    found = found[1] if isinstance(found, tuple) else found
    return found if isinstance(found, python_types.FunctionType) else None


@dataclass(frozen=True, eq=False)
class Choice:
    """The implementation chosen for a call, and what chose it.

    Attributes:
        name: the function's name.
        find: chooses the implementation for types of arguments.
        given: the arguments, whose single values the types of are handed to `check`.
        named: likewise for keyword arguments.
        likely: the types that it was chosen for.
        function: the implementation.
    """

    name: str
    find: Finder
    given: tuple[Binding, ...]
    named: Mapping[str, Binding]
    likely: str
    function: python_types.FunctionType

    def check(self, kinds: Sequence[nt.Type], where: Location) -> None:
        """Refuse the call if Numba runs another implementation for these types of its single values.

        Raises:
            DifferentiationError: AD202.
        """
        if any(kind is nt.undefined for kind in kinds):
            return
        supply = iter(kinds)
        given = [_rebuilt(item, supply) for item in self.given]
        named = {key: _rebuilt(item, supply) for key, item in self.named.items()}
        found = self.find(given, named)
        if found is None or not _same(found, self.function):
            shown = ", ".join(map(str, [*given, *named.values()]))
            reason = (
                f"compiled code runs another overload of '{self.name}' for ({shown}) than for ({self.likely})"
            )
            raise DifferentiationError("AD202", reason, where, CURE)


def choose(
    name: str, find: Finder, given: Sequence[Binding], named: Mapping[str, Binding], ranks: Ranks
) -> Choice | None:
    """Return the implementation for the likeliest types of arguments that there is one for."""
    candidates = [_candidates(item, ranks) for item in (*given, *named.values())]
    trials = itertools.islice(itertools.product(*map(enumerate, candidates)), 4000)
    for trial in sorted(trials, key=lambda trial: sum(k for k, _ in trial))[:_MOST_TRIALS]:
        kinds = [kind for _, kind in trial]
        function = find(kinds[: len(given)], dict(zip(named, kinds[len(given) :], strict=True)))
        if function is not None:
            return Choice(name, find, tuple(given), dict(named), ", ".join(map(str, kinds)), function)
    return None


def noted(choice: Choice, where: Location) -> Effect:
    """Return the node that remembers a choice until types are known."""
    atoms = [atom for item in (*choice.given, *choice.named.values()) for atom in flatten(item)]
    return Effect(CHOICE, (Global(choice.name, choice), *atoms), loc=where)


def choices(graph: Graph) -> list[Effect]:
    """Return the choices that a graph remembers."""
    return [node for node in walk(graph.body) if isinstance(node, Effect) and node.fn == CHOICE]


def without_choices(graph: Graph) -> Graph:
    """Return the graph without the choices that it remembers."""

    def rewrite(region: Region) -> Region:
        nodes = [n for n in region.nodes if not (isinstance(n, Effect) and n.fn == CHOICE)]
        return replace(region, nodes=tuple(nodes))

    return replace(graph, body=map_region(graph.body, rewrite)) if choices(graph) else graph


def constant_kind(atom: Atom) -> nt.Type:
    """Return the type of a constant, as Numba sees it in the code."""
    return nt.unliteral(_typing().resolve_value_type(atom.value))  # type: ignore[union-attr]


def likely_result(dispatcher: Any, args: Sequence[Atom], ranks: Ranks) -> nt.Type | None:
    """Return the type of what a dispatcher returns for likely types of arguments, if one fits."""
    choices = [_candidates(arg, ranks) for arg in args]
    for kinds in itertools.islice(itertools.product(*choices), 16):
        try:
            found = nt.Dispatcher(dispatcher).get_call_type(_typing(), kinds, {})
        except (NumbaError, TypeError):
            continue
        return found.return_type
    return None


def _candidates(binding: Binding, ranks: Ranks) -> list[nt.Type]:
    if isinstance(binding, tuple):
        parts = [_candidates(part, ranks) for part in binding]
        return [_tuple(binding, kinds) for kinds in itertools.islice(itertools.product(*parts), 16)]
    if isinstance(binding, Value):
        axes = atom_rank(binding, ranks)
        if isinstance(axes, Items):
            return [nt.UniTuple(nt.int64, int(axes))]
        return _of_rank(axes) if axes is not None else [*_of_rank(0)[:2], *_of_rank(1), *_of_rank(2)]
    try:
        return [] if isinstance(binding, Closure) else [constant_kind(binding)]  # type: ignore[arg-type]
    except ValueError:
        return []


def _of_rank(rank: int) -> list[nt.Type]:
    numbers = [nt.float64, nt.int64, nt.boolean, nt.complex128, nt.float32]
    if rank < 0:
        return [nt.slice2_type, nt.slice3_type]
    arrays = [nt.Array(number, rank, layout) for number in numbers[:2] for layout in "CA"]
    return arrays if rank else numbers


def _tuple(binding: tuple[Any, ...], kinds: Sequence[nt.Type]) -> nt.Type:
    if isinstance(binding, Record) and not is_bare(binding.maker):
        same = bool(kinds) and all(kind == kinds[0] for kind in kinds)
        return (
            nt.NamedUniTuple(kinds[0], len(kinds), binding.maker)
            if same
            else nt.NamedTuple(kinds, binding.maker)
        )
    return nt.Tuple(list(kinds))


def _rebuilt(binding: Binding, supply: Iterator[nt.Type]) -> nt.Type:
    if isinstance(binding, tuple):
        return _tuple(binding, [_rebuilt(part, supply) for part in binding])
    return next(supply)


def _same(one: python_types.FunctionType, two: python_types.FunctionType) -> bool:
    """Tell whether two implementations do the same."""
    if one is two:
        return True
    cells = [[cell.cell_contents for cell in f.__closure__ or ()] for f in (one, two)]
    return one.__code__ == two.__code__ and _equal(cells) and one.__defaults__ == two.__defaults__


def _equal(cells: list[list[Any]]) -> bool:
    def same(a: Any, b: Any) -> bool:
        if isinstance(a, python_types.FunctionType) and isinstance(b, python_types.FunctionType):
            return _same(a, b)
        if isinstance(a, Dispatcher) and isinstance(b, Dispatcher):
            return _same(a.py_func, b.py_func)
        plain = (int, float, str, bool, type(None), nt.Type, tuple)
        return a is b or (isinstance(a, plain) and type(a) is type(b) and a == b)

    return all(same(a, b) for a, b in zip(*cells, strict=True))
