"""Which results of a derivative are zero whatever the arguments are: a net under the passes.

A pass that drops what it should have kept usually leaves the zeros behind to which something was to be added.
"""

from __future__ import annotations

from collections.abc import Iterator

from adcompiler.analysis.alias import memory_classes
from adcompiler.graph.nodes import UNDEFINED, Apply, Atom, Effect, For, Graph, Literal, Region, Store, Value
from adcompiler.graph.walk import merges, walk
from adcompiler.primitives import Fill, Vanishes, card


def vanishing(graph: Graph) -> tuple[bool, ...]:
    """Tell of each result whether it is zero in any case: nothing is ever added to the zeros it starts as.

    >>> x, d_x = Value("x"), Value("d_x")
    >>> made = Apply(d_x, "np.zeros_like", (x,))
    >>> vanishing(Graph("f_grad", Region((x,), (made,), (d_x, x))))
    (True, False)
    """
    classes = memory_classes(graph.body)

    def key(atom: Atom) -> Atom:
        return classes.get(atom, atom) if isinstance(atom, Value) else atom

    flows = [(key(target), [*map(key, sources)]) for target, sources in _flows(graph.body)]
    carrying = set(map(key, graph.body.params))
    size = -1
    while size != len(carrying):
        size = len(carrying)
        for target, sources in flows:
            if all(source in carrying or _is_something(source) for source in sources):
                carrying.add(target)
    return tuple(key(atom) not in carrying and not _is_something(atom) for atom in graph.body.yields)


def _is_something(atom: Atom) -> bool:
    """Tell whether an atom is not zero by itself."""
    if isinstance(atom, Literal):
        return atom != UNDEFINED and atom.value not in (0, None)
    return not isinstance(atom, Value)


def _flows(body: Region) -> Iterator[tuple[Value, tuple[Atom, ...]]]:
    """Yield (target, sources) wherever what is not zero, in all of the sources, makes something else so."""
    for node in walk(body):
        match node:
            case Apply() if card(node.fn).allocates in (Fill.ZEROS, Fill.NOTHING):
                pass
            case Apply() if card(node.fn).vanishes is Vanishes.WITH_ALL:
                yield from ((node.out, (atom,)) for atom in node.args)
            case Apply() if card(node.fn).vanishes is Vanishes.WITH_ANY:
                yield node.out, node.args
            case Apply() if card(node.fn).vanishes is Vanishes.WITH_FIRST:
                yield node.out, node.args[:1]
            case Apply(fn="np.full_like" | "np.full"):
                yield node.out, node.args[1:2]
            case Apply(fn="np.where", args=(_, one, two)):
                yield from ((node.out, (atom,)) for atom in (one, two))
            case Apply() if card(node.fn).is_view and node.fn != "tuple" and isinstance(node.args[0], Value):
                pass  # it shows what its first argument holds
            case Apply():
                yield node.out, ()
            case Store():
                yield node.array, (node.value,)
            case Effect(fn="append", args=(Value() as array, item)):
                yield array, (item,)
            case For():
                yield node.body.params[0], ()
        yield from ((target, (source,)) for target, source in merges(node))


def lost(before: tuple[bool, ...], after: tuple[bool, ...]) -> bool:
    """Tell whether a result became zero that was none.

    >>> lost((False, True), (True, True))
    True
    """
    return any(now and not then for then, now in zip(before, after, strict=True))
