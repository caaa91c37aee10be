"""Write array expressions as loops over elements, and expressions over the same elements as one loop.

`y = np.exp(-x) * w` makes three arrays with three loops; as one loop over the elements it makes one, and LLVM
vectorises it. Expressions share a loop if they have the same shape, and if no element is written that
another iteration touches. What is used within the loop only is never stored (array contraction, Warren 1984).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from numba import int64
from numba.core import types as nt

from adcompiler.analysis.alias import shared_memory, written_arrays
from adcompiler.analysis.fusible import (
    can_store,
    gains_by_loop,
    is_arithmetic,
    is_elementwise,
    is_gather,
    is_inexact,
    is_number,
    shows_part,
    summed_axes,
)
from adcompiler.analysis.sizes import Shape, Shapes, Size, arrays_of, form_of
from adcompiler.analysis.types import is_array, is_list, is_memory, is_scalar, rank
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    Effect,
    For,
    Graph,
    Literal,
    Node,
    Region,
    Role,
    Store,
    Value,
    entry,
    type_of,
)
from adcompiler.graph.walk import operands, regions, results, uses, values, walk, with_regions
from adcompiler.loops.elements import Elements, Place
from adcompiler.loops.elementwise_loops import TARGET, write_loops
from adcompiler.loops.groups import Group
from adcompiler.loops.stretches import stretched
from adcompiler.loops.sums_of_sums import join_sums
from adcompiler.prepare.allocation import allocate
from adcompiler.prepare.guard import write_form
from adcompiler.primitives import card, hint

MOST_GROUPS = 6  # that are open at once


def fuse(
    graph: Graph, shapes: Shapes, sizes: Mapping[Value, Size], wanted: Collection[Node] | None = None
) -> Graph:
    """Return the graph with elementwise array code written as loops.

    Args:
        graph: the final graph of a function.
        shapes: symbolic shape of every array; code whose shapes are not known to be equal is left alone.
        sizes: what is known of the numbers that are sizes.
        wanted: where given, only these nodes, and what can share their loops, are written so.
    """
    body, parts = join_sums(graph.body)
    fusion = _Fusion(body, shapes, sizes, parts, wanted)
    return replace(graph, body=fusion.region(body, frozenset()))


class _Fusion:
    def __init__(
        self,
        body: Region,
        shapes: Shapes,
        sizes: Mapping[Value, Size],
        parts: Mapping[Apply, tuple[Apply, ...]],
        wanted: Collection[Node] | None,
    ) -> None:
        self.shapes, self.parts, self.wanted = shapes, parts, wanted
        self.classes = shared_memory(body)
        self.changed = {self.memory(array) for array in written_arrays(body)}
        makers = {node.out: node for node in walk(body) if isinstance(node, Apply)}
        counters = {node.body.params[0]: node for node in walk(body) if isinstance(node, For)}
        self.elements = Elements(
            shapes, sizes, makers, counters, stretched(body, shapes, makers, self.classes)
        )
        self.uses = uses(body)

    def region(self, region: Region, around: frozenset[Value]) -> Region:
        known = set(around) | set(region.params)
        nodes: list[Node] = []
        groups: list[Group] = []
        joined: set[Node] = set()

        def close(closed: Sequence[Group]) -> None:
            for group in closed:
                nodes.extend(self.written(group, known))
                known.update(group.hands_on)
            groups[:] = [group for group in groups if group not in closed]

        for node, following in zip(region.nodes, (*region.nodes[1:], None), strict=False):
            if node in joined or self.is_recorded(node, groups) or self.is_shown(node, groups):
                continue
            measured = self.measured(node, groups, known)
            if measured:
                nodes += measured
                known.update(results(node))
                continue
            if self.is_blank(node):
                nodes += self.blank(node, known)
                known.update(results(node))
                continue
            if regions(node):
                self.merge(groups)
                close([*groups])
                inner = frozenset(known)
                node = with_regions(node, tuple(self.region(part, inner) for part in regions(node)))
            shape = self.shape_of(node)
            if shape is not None:
                assert isinstance(node, Apply | Store)
                pair = self.together(node, following)
                if self.have_joined(pair, shape, groups):
                    joined.update(pair)
                else:
                    groups.append(Group(shape))
                    self.enter(node, groups[-1])
                    close(groups[: max(len(groups) - MOST_GROUPS, 0)])
                continue
            if self.needed_by(node, groups):
                self.merge(groups)
                close(self.needed_by(node, groups))
            nodes.append(node)
            known.update(results(node))
        self.merge(groups)
        close([*groups])
        return Region(region.params, tuple(nodes), region.yields)

    def is_recorded(self, node: Node, groups: list[Group]) -> bool:
        """Let what puts results of a group on a stack wait until they are there; tell whether it does."""
        if not isinstance(node, Effect) or node.fn != "append":
            return False
        stack, item = self.memory(node.args[0]), node.args[-1]
        group = next((group for group in groups if item in group.computed), None)
        if group is None or any(stack in other.stacks for other in groups if other is not group):
            return False
        group.after.append(node)
        group.stacks.add(stack)
        return True

    def is_shown(self, node: Node, groups: list[Group]) -> bool:
        """Let views of what a group computes, and numbers made of its sums, wait; tell whether they do."""
        used = {*values(operands(node))}
        if not isinstance(node, Apply) or not (shows_part(node) or is_arithmetic(node)):
            return False
        if is_arithmetic(node) and any(used & group.hands_on for group in groups):
            self.merge(groups)
        found = [group for group in groups if group.hands_on & used]
        if len(found) == 1:
            found[0].after.append(node)
            found[0].shown.add(node.out)
        return len(found) == 1

    def needed_by(self, node: Node, groups: list[Group]) -> list[Group]:
        """Return the groups that have to run before a node, in order."""
        needed: list[Group] = []
        for group in reversed(groups):
            if not self.goes_first(node, group) or not all(self.may_precede(late, group) for late in needed):
                needed.insert(0, group)
        return needed

    def measured(self, node: Node, groups: list[Group], known: set[Value]) -> list[Node]:
        """Return the size of what a group computes from other sizes, where a node asks for it."""
        if not isinstance(node, Apply) or not card(node.fn).measures:
            return []
        array = node.args[0]
        group = next((group for group in groups if array in group.computed), None)
        if group is None or not isinstance(array, Value) or not self.is_plain(array, group):
            return []
        nodes: list[Node] = []
        bounds = [self.bound(axis, group, known, nodes) for axis in range(len(group.shape))]
        if None in bounds:
            return []
        total, *rest = sizes = [bound for bound in bounds if bound is not None]
        if node.fn == "shape":
            return [*nodes, replace(node, fn="tuple", args=tuple(sizes))]
        for size in rest if node.fn == "size" else ():
            total = self.apply("mul", nodes, total, size)
        return [*nodes, replace(node, fn="pos", args=(total,))]

    def is_blank(self, node: Node) -> bool:
        """Tell whether a node makes zeros like what was read back from a tape for its shape."""
        made = entry(self.elements.makers, node.args[0]) if isinstance(node, Apply) and node.args else None
        is_kept = made is not None and made.fn in ("getitem", "pop") and made.role is Role.TAPE
        return is_kept and isinstance(node, Apply) and node.fn == "np.zeros_like" and is_inexact(node.out)

    def blank(self, node: Node, known: set[Value]) -> list[Node]:
        """Return the allocation from sizes alone."""
        assert isinstance(node, Apply)
        nodes: list[Node] = []
        shape = self.shapes.get(node.out, ())
        sizes = [self.bound(axis, Group(shape), known, nodes) for axis in range(len(shape))]
        if None in sizes:
            return [node]
        return [*nodes, *allocate("np.zeros", node.out, [s for s in sizes if s is not None])]

    # what can be written by element

    def shape_of(self, node: Node) -> Shape | None:
        """Return the shape over which a node can be written as a loop, None if it cannot."""
        match node:
            case Store(index=index) if can_store(node):
                shape = self.shapes.get(node)
                part = self.elements.part(node.array, index, len(shape or ()))
                return shape if shape and part and self.fit((node.value,), shape) else None
            case Apply(fn=fn, args=(source, *_)) if fn in ("np.sum", "np.mean"):
                shape = entry(self.shapes, source) if is_inexact(source) else None
                is_known = shape is not None and summed_axes(node) is not None
                return shape if shape and is_known and self.fit((source,), shape) else None
            case Apply(fn="np.outer", args=args) if all(map(is_inexact, args)) and not node.keywords:
                return self.shapes.get(node.out)
            case Apply() if is_gather(node):
                shape = self.shapes.get(node.out)
                return shape if shape and self.fit(node.args[1:], shape) else None
            case Apply() if card(node.fn).is_view and self.memory(node.out) in self.changed:
                return None  # such as the real part of an array that is written
            case Apply() if is_elementwise(node):
                shape = self.shapes.get(node.out)
                args = node.args[:1] if node.fn == "astype" else node.args
                return shape if shape and self.fit(args, shape) else None
        return None

    def fit(self, atoms: tuple[Atom, ...], shape: Shape) -> bool:
        """Tell whether operands have this shape, or are stretched to it along axes known to have size 1."""
        for atom in atoms:
            if not is_array(type_of(atom)):
                if not isinstance(atom, Literal) and not is_scalar(type_of(atom)):
                    return False
                continue
            own = entry(self.shapes, atom) or ()
            pairs = zip(reversed(own), reversed(shape), strict=False)
            if not own or len(own) > len(shape) or any(one not in (1, two) for one, two in pairs):
                return False
        return True

    # which of them share a loop

    def memory(self, atom: Atom) -> Value:
        assert isinstance(atom, Value)
        return self.classes.get(atom, atom)

    def joins(self, node: Apply | Store, shape: Shape, group: Group) -> bool:
        """Let a node join a group if it can; return whether it did."""
        if shape != group.shape:
            return False
        inside = group.computed
        totals = {n.out for n in group.nodes if isinstance(n, Apply) and n.fn in ("np.sum", "np.mean")}
        used = {*values(operands(node))}
        if used & (group.shown | totals) or any(
            value in inside and not self.is_plain(value, group) for value in used
        ):
            return False
        whole = [*values(node.args[: 1 if node.fn == "getitem" else None])] if isinstance(node, Apply) else []
        if isinstance(node, Apply) and node.fn in ("np.outer", "getitem") and inside.intersection(whole):
            return False
        part = self.elements.part(node.array, node.index, len(shape)) if isinstance(node, Store) else None
        if part is not None and part[0] in inside:
            return False
        trial = replace(
            group,
            nodes=[*group.nodes],
            accesses=dict(group.accesses),
            writes={memory: [*found] for memory, found in group.writes.items()},
            reads={memory: set(found) for memory, found in group.reads.items()},
        )
        self.enter(node, trial)
        if not self.keeps_order(trial):
            return False
        vars(group).update(vars(trial))
        return True

    def keeps_order(self, group: Group) -> bool:
        """Tell whether no iteration touches what another one writes."""
        for memory, written in group.writes.items():
            reads = group.reads.get(memory, set())
            clashes = [
                other
                for one in written
                for other in (*written, *reads)
                if one != other and not self.elements.are_apart(one, other, group.shape)
            ]
            if clashes:
                return False
        return True

    def together(self, node: Apply | Store, following: Node | None) -> list[Apply | Store]:
        """Return a node, with the store that follows if the node is for it alone and has its shape."""
        if not isinstance(following, Store) or not isinstance(node, Apply) or following.value is not node.out:
            return [node]
        shape = self.shape_of(node) if self.uses[node.out] == 1 else None
        return [node, following] if shape is not None and shape == self.shape_of(following) else [node]

    def have_joined(self, nodes: Sequence[Apply | Store], shape: Shape, groups: list[Group]) -> bool:
        """Let nodes join the last group, or an earlier one that computes what they use.

        What they use of later ones goes before that group.
        """
        used = {value for node in nodes for value in values(operands(node))}
        for place in range(len(groups) - 1, -1, -1):
            group, later = groups[place], groups[place + 1 :]
            if later and not group.hands_on.intersection(used):
                continue
            first = [other for other in later if not all(self.is_independent(node, other) for node in nodes)]
            rest = [other for other in later if other not in first]
            if not all(self.may_precede(one, other) for one in first for other in (group, *rest)):
                continue
            trial = replace(group)
            if all(self.joins(node, shape, trial) for node in nodes):
                groups[place:] = [*first, trial, *rest]
                return True
        return False

    def merge(self, groups: list[Group]) -> None:
        """Let whole groups join earlier ones that compute what they use."""
        for place in range(len(groups) - 1, 0, -1):
            late, earlier = groups[place], groups[:place]
            if not late.after and self.have_joined(late.nodes, late.shape, earlier):
                groups[: place + 1] = earlier

    def may_precede(self, later: Group, group: Group) -> bool:
        """Tell whether one group may run before another that stands before it now."""
        return not later.stacks and all(self.is_independent(node, group) for node in later.nodes)

    def is_independent(self, node: Apply | Store, group: Group) -> bool:
        """Tell whether a node that stands after expressions of a group may run before them."""
        atoms = {*values(operands(node))}
        if atoms & group.hands_on:
            return False
        memory = {self.memory(value) for value in atoms if is_memory(type_of(value))}
        if memory & group.writes.keys():
            return False
        return not isinstance(node, Store) or self.memory(node.array) not in group.reads

    def is_plain(self, value: Value, group: Group) -> bool:
        """Tell whether a value computed by a group is an array over its loops."""
        return self.shapes.get(value) == group.shape

    def enter(self, node: Apply | Store, group: Group) -> None:
        group_values = group.computed
        loops = len(group.shape)
        for position, atom in enumerate((node.value,) if isinstance(node, Store) else node.args):
            if atom in group_values or not is_array(type_of(atom)):
                continue
            if isinstance(node, Apply) and node.fn == "getitem" and position == 0:
                group.reads.setdefault(self.memory(atom), set()).add((atom, ()))  # anywhere
                continue
            found = self.elements.of(atom, loops)
            if isinstance(node, Apply) and node.fn == "np.outer":
                found = self.elements.through_views(atom, (Place(position),))
            assert found is not None
            group.accesses[node, position] = found
            if not is_array(type_of(found[0])):
                continue
            group.reads.setdefault(self.memory(found[0]), set()).add(found)
        if isinstance(node, Store):
            part = self.elements.part(node.array, node.index, loops)
            assert part is not None
            group.accesses[node, TARGET] = part
            group.writes.setdefault(self.memory(node.array), []).append(part)
        group.nodes.append(node)

    def goes_first(self, node: Node, group: Group) -> bool:
        """Tell whether a node that stands after expressions of a group may run before all of them."""
        reads = {*values(operands(node))}
        if reads & group.hands_on:
            return False
        is_written = any(self.memory(v) in group.writes for v in reads if is_memory(type_of(v)))
        if isinstance(node, Effect):
            return card(node.fn).is_guard or (node.fn == "reverse_sweep" and not is_written)
        if not isinstance(node, Apply) or card(node.fn).is_call:
            return False
        is_kept = (node.fn, node.role) == ("pop", Role.TAPE) or card(node.fn).is_pure
        if not is_kept or (group.after and any(is_list(type_of(value)) for value in reads)):
            return False
        return shows_part(node) or not is_written

    # writing them

    def written(self, group: Group, known: set[Value]) -> list[Node]:
        """Return a group as loops, or as it was where loops gain nothing."""
        sizes: list[Node] = []
        bounds = [self.bound(axis, group, known, sizes) for axis in range(len(group.shape))]
        work = [node for node in group.nodes if gains_by_loop(node)]
        is_copy = all(isinstance(node, Store) and not node.accumulate for node in work)
        is_gain = bool(work) and not (is_copy and not self.keeps_order(group))
        is_gain &= self.wanted is None or any(
            part in self.wanted for node in group.nodes for part in self.as_asked(node)
        )
        if None in bounds or not is_gain or self.is_for_slice(group):
            asked: list[Node] = [part for node in group.nodes for part in self.as_asked(node)]
            return [*asked, *group.after]
        inside = Counter(v for node in group.nodes for v in values(operands(node)))
        kept = {v for v in group.computed if self.uses[v] > inside[v]}
        found = [bound for bound in bounds if bound is not None]
        loops = write_loops(group.nodes, group.accesses, found, kept)
        return [*sizes, *loops, *group.after]

    def as_asked(self, node: Apply | Store) -> tuple[Apply | Store, ...]:
        """Return what a node stands for."""
        return self.parts.get(node, (node,)) if isinstance(node, Apply) else (node,)

    def is_for_slice(self, group: Group) -> bool:
        """Tell whether all that is done is to add a number to a slice whose size only the slice tells."""
        (*others, only) = group.nodes
        if others or not isinstance(only, Store) or only.index or not is_number(only.value):
            return False
        is_view = only.array in self.elements.makers
        return is_view and any(only.array in arrays_of(size) for size in group.shape)

    def bound(self, axis: int, group: Group, known: set[Value], nodes: list[Node]) -> Atom | None:
        """Append the computation of a size, from what is known where the loops are to stand."""
        size = group.shape[axis]
        form = form_of(size)
        if known.issuperset(arrays_of(size)) and len(arrays_of(size)) == len(form.terms):
            total = write_form(form, nodes)
            if isinstance(total, Literal) or (form.constant >= 0 and min(form.terms.values()) > 0):
                return total
            return self.apply("max", nodes, total, Literal(0))
        for node, position in group.accesses:
            atom = node.args[position] if isinstance(node, Apply) else node.value
            own = self.shapes.get(atom) if isinstance(atom, Value) and atom in known else None
            if isinstance(node, Apply) and node.fn == "np.outer":
                continue
            place = axis - len(group.shape) + len(own or ())
            if own is not None and place >= 0 and own[place] == size:
                assert isinstance(atom, Value)
                shape = self.apply("shape", nodes, atom)
                return self.apply("getitem", nodes, shape, Literal(place))
        return None

    def apply(self, fn: str, nodes: list[Node], *args: Atom) -> Value:
        out = Value("count" if fn == "mul" else hint(fn), temporary=True)
        axes = rank(type_of(args[0])) if fn == "shape" else 0
        out.type = nt.UniTuple(int64, axes) if axes else int64
        nodes.append(Apply(out, fn, args, role=Role.TAPE))
        return out
