"""Sums over one axis after another as one sum: one nest of loops serves them all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from adcompiler.analysis.alias import shared_memory, written_arrays
from adcompiler.analysis.fusible import is_inexact, summed_axes
from adcompiler.analysis.types import is_array, rank
from adcompiler.graph.nodes import Apply, Literal, Node, Region, Value, entry, type_of
from adcompiler.graph.walk import regions, uses, walk, with_regions
from adcompiler.primitives import Fill, card


def join_sums(region: Region) -> tuple[Region, dict[Apply, tuple[Apply, ...]]]:
    """Return a region whose sums of sums are sums over several axes, and what each of these stands for.

    Such a sum names its axes in a tuple, which only loops can be written of. A sum that others only ask for
    its shape stays beside the one that does without it; one of what is written afterwards stays alone.
    """
    parts: dict[Apply, tuple[Apply, ...]] = {}
    classes = shared_memory(region)
    used = uses(region)
    read = used - Counter(array for node in walk(region) if (array := _asked_for_shape(node)))

    def joined(body: Region) -> Region:
        sums: dict[Value, Apply] = {}
        nodes: list[Node] = []
        for node in body.nodes:
            node = with_regions(node, tuple(joined(inner) for inner in regions(node)))
            written = {classes.get(array, array) for array in written_arrays(Region((), (node,), ()))}
            sums = {out: made for out, made in sums.items() if _source(made, classes) not in written}
            if isinstance(node, Apply) and node.fn == "np.sum":
                inner = entry(sums, node.args[0])
                if inner is not None and read[inner.out] == 1:
                    stays = used[inner.out] > 1
                    whole = _over_both(inner, node)
                    parts[whole] = (node,) if stays else (*parts.pop(inner, (inner,)), node)
                    if not stays:
                        nodes.remove(inner)
                    node = whole
                if is_inexact(node.args[0]) and summed_axes(node) is not None:
                    sums[node.out] = node
            nodes.append(node)
        return replace(body, nodes=tuple(nodes))

    return joined(region), parts


def _source(made: Apply, classes: Mapping[Value, Value]) -> Value:
    """Return the memory that a sum reads."""
    array = made.args[0]
    assert isinstance(array, Value)
    return classes.get(array, array)


def _asked_for_shape(node: Node) -> Value | None:
    """Return the array of which a node wants to know the shape only."""
    match node:
        case Apply(args=(Value() as array, *_)) if card(node.fn).measures:
            return array
        case Apply(args=(Value() as array, *_)) if card(node.fn).allocates in (Fill.ZEROS, Fill.NOTHING):
            return array
    return None


def _over_both(inner: Apply, outer: Apply) -> Apply:
    """Return the sum over the axes of two sums, of which one sums the other.

    >>> from numba import float64
    >>> a, b, c = Value("a", type=float64[:, :, :]), Value("b", type=float64[:, :]), Value("c")
    >>> first = Apply(b, "np.sum", (a,), (("axis", Literal(1)),))
    >>> _over_both(first, Apply(c, "np.sum", (b,), (("axis", Literal(1)),))).keywords
    (('axis', Literal(value=(1, 2))),)
    """
    source = inner.args[0]
    done = summed_axes(inner) or ()
    if not is_array(outer.out.type) and rank(type_of(inner.out)) == len(summed_axes(outer) or ()):
        return replace(outer, args=(source,), keywords=())
    left = [axis for axis in range(rank(type_of(source))) if axis not in done]
    axes = sorted([*done, *(left[axis] for axis in summed_axes(outer) or ())])
    return replace(outer, args=(source,), keywords=(("axis", Literal(tuple(axes))),))
