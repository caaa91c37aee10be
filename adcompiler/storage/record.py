"""Carry out the plan: the forward sweep records, the reverse sweep reads back or recomputes.

Values that a loop stores go to an array indexed by the iteration where the number of iterations is known
beforehand and the values are numbers, else to a list used as a stack. What an inner loop records is
itself a value of the outer iteration, so nesting needs no further machinery.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from numba import int64

from adcompiler.analysis.alias import written_arrays
from adcompiler.analysis.sizes import Shape
from adcompiler.analysis.types import element, is_array, is_list, is_scalar
from adcompiler.errors import DifferentiationError
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    For,
    If,
    Literal,
    Node,
    Region,
    Role,
    Value,
    While,
    type_of,
)
from adcompiler.graph.steps import Room
from adcompiler.graph.walk import (
    defined,
    free,
    map_region,
    regions,
    renamed_keys,
    results,
    values,
    walk,
    with_regions,
)
from adcompiler.reverse.reverse import ReverseSweep
from adcompiler.storage.checkpoints import Checkpoints
from adcompiler.storage.export import export
from adcompiler.storage.hand_out import Unset, handed_out
from adcompiler.storage.loop_state import LoopState, loop_state
from adcompiler.storage.merge import Replay, merge_sweeps
from adcompiler.storage.plan import LoopPlan, kept_of_one_iteration, plan_loop
from adcompiler.storage.recompute import Frame
from adcompiler.storage.repeat import control, may_repeat, repeated
from adcompiler.storage.run_again import Once, forward_loop, reverse_loop, trips_of
from adcompiler.storage.snapshot import arrays_to_keep, served_from_copies
from adcompiler.storage.supply import Supply
from adcompiler.storage.tape import (
    STACK,
    Tape,
    allocation,
    record,
    tape_of,
    tape_of_array,
    tape_of_rows,
    widened,
)
from adcompiler.storage.tape_nodes import TapeNodes
from adcompiler.storage.whole_copies import with_whole_copies

Merged = tuple[Region, Region, tuple[LoopPlan, ...]]
"""Two sweeps of which loops have been merged, and the plans of these loops."""


@dataclass
class Recording:
    """The forward and reverse sweep under construction, and the plan of each loop.

    Attributes:
        starts: what the counters that reverse loops count back have been at first.
        room: what limits the states that loops keep to be run again from.
        depth: how many loops around may be run again so.
        restored: the arrays that reverse loops put back as they were.
        made: the tape behind each storage.
    """

    sweep: ReverseSweep
    plans: list[tuple[LoopPlan, list[Tape]]] = field(default_factory=list)
    tapes: dict[Value, Tape] = field(default_factory=dict)
    stacks: set[Value] = field(default_factory=set)
    replays: dict[Node, Replay] = field(default_factory=dict)
    originals: dict[Value, Atom] = field(default_factory=dict)
    starts: dict[Value, Literal] = field(default_factory=dict)
    room: Room | None = None
    depth: int = 0
    restored: list[Value] = field(default_factory=list)
    made: dict[Value, Tape] = field(default_factory=dict)

    @property
    def shapes(self) -> dict[Value, Shape]:
        """The shapes of the primal's arrays, and of their shadows."""
        shadows = self.sweep.bound.shadows
        own = {array: shape for array, shape in self.sweep.shapes.items() if isinstance(array, Value)}
        return own | {shadows[array]: own[array] for array in shadows if array in own}

    def frame(self, primal: Region, back: Region, repeated: bool = False) -> tuple[Region, Region]:
        """Settle all loops of a region and of the branches in it; return both sweeps.

        Args:
            primal: the region.
            back: its ideal reverse.
            repeated: whether it is part of an iteration that is repeated: what it stores is then short-lived.
        """
        rewritten: dict[Node, list[Node]] = {}
        back = self.settle(back, rewritten, repeated)
        return self.rebuild(primal, rewritten), back

    def settle(self, back: Region, rewritten: dict[Node, list[Node]], repeated: bool) -> Region:
        nodes: list[Node] = []
        for node in back.nodes:
            primal = self.sweep.partner.get(node)
            if isinstance(node, If) and primal is not None:
                arms = [self.settle(arm, rewritten, repeated) for arm in (node.then, node.orelse)]
                new = with_regions(node, tuple(arms))
                self.sweep.partner[new] = primal
                nodes.append(new)
            elif isinstance(node, For) and isinstance(primal, For | While):
                forward, node = self.loop(primal, node, repeated)
                rewritten[primal] = forward
                nodes.append(node)
            else:
                nodes.append(node)
        return Region(back.params, tuple(nodes), back.yields)

    def rebuild(self, region: Region, rewritten: dict[Node, list[Node]]) -> Region:
        """Put the rewritten loops and the copies of arrays into the forward sweep."""
        nodes: list[Node] = []
        for node in region.nodes:
            nodes += self.sweep.before.get(node, [])
            if node in rewritten:
                nodes += rewritten[node]
            elif isinstance(node, If):
                new = with_regions(node, tuple(self.rebuild(arm, rewritten) for arm in regions(node)))
                self.rename_partner(node, new)
                nodes.append(new)
            else:
                nodes.append(node)
            nodes += self.sweep.after.get(node, [])
        return Region(region.params, tuple(nodes), region.yields)

    def with_copies(self, region: Region) -> Region:
        """Put in the copies of arrays that the reverse sweep asks for."""
        before, after = self.sweep.before, self.sweep.after
        groups = ((*before.get(node, ()), node, *after.get(node, ())) for node in region.nodes)
        return replace(region, nodes=tuple(node for group in groups for node in group))

    def rename_partner(self, old: Node, new: Node) -> None:
        for back, primal in list(self.sweep.partner.items()):
            if primal is old:
                self.sweep.partner[back] = new
        if isinstance(old, For | While) and old in self.sweep.trips:
            self.sweep.trips[new] = self.sweep.trips[old]

    def loop(self, primal: For | While, back: For, repeated: bool) -> tuple[list[Node], For]:
        """Settle one loop and its reverse."""
        original, primal = primal, with_whole_copies(primal, back.body, self.sweep)
        primal = self.with_snapshots(primal, back.body)
        if original is not primal:
            self.rename_partner(original, primal)
        whole = replace(primal, body=map_region(primal.body, self.with_copies))
        repeatable = may_repeat(whole, self.reads(primal, back), self.sweep.info)
        marked = getattr(primal, "checkpoints", None)
        room = Room(marked) if marked else self.room
        may_run_again = room is not None and not repeatable
        known = len(self.restored)
        self.depth += may_run_again
        body, back_body = self.frame(primal.body, back.body, repeated or repeatable or may_run_again)
        self.depth -= may_run_again
        position, back_body = _split_position(primal, back_body)
        back = replace(back, body=back_body)
        inside = defined(body)
        needed = [value for value in free(back_body) if value in inside]
        plan = plan_loop(primal, body, needed, self.sweep.info)
        repeatable = repeatable and inside.keys() >= {*self.restored[known:]}
        if room and may_run_again and plan.stored and (marked or self.is_checkpointed(primal, plan)):
            state = self.state(original, must=bool(marked) or not self.depth)
            if state is not None:
                points = self.checkpoints(original, primal, state, room)
                return self.checkpointed(points, body, back, position, plan)
        plan.replayed = repeatable and not repeated and any(self.is_large(value) for value in plan.stored)
        may_merge = repeatable and not position
        merged = self.merge(*export(body, back_body, self.sweep)) if may_merge else None
        if plan.replayed:
            before, forward, made = self.replayed(primal, back, body, plan, merged)
        else:
            before, forward, made = self.recorded(primal, back, body, plan)
        made = replace(made, body=_prepend(position, made.body))
        self.may_be_merged(forward, made, merged, plan)
        return [*before, forward], made

    def replayed(
        self, primal: For | While, back: For, body: Region, plan: LoopPlan, merged: Merged | None
    ) -> tuple[list[Node], For | While, For]:
        """Return the loop as it is, and its reverse that repeats each iteration."""
        self.plans.append((plan, []))
        once, once_back, inner = merged or (body, back.body, ())
        for part in inner:
            part.merged = True
        once, once_back = export(once, once_back, self.sweep)
        again = repeated(once, once_back, self.sweep.info.owners, self.starts)
        return [], self.counted(primal, primal.body), replace(back, body=again)

    def recorded(
        self, primal: For | While, back: For, body: Region, plan: LoopPlan
    ) -> tuple[list[Node], For | While, For]:
        """Return the allocation of what a loop keeps, the loop that does, and its reverse that reads this."""
        inside = defined(body)
        tapes = [self.tape(primal, value, inside) for value in plan.stored if value not in self.stacks]
        self.plans.append((plan, tapes))
        self.made.update((tape.storage, tape) for tape in tapes)
        self.tapes.update((tape.storage, tape) for tape in tapes if tape.kind != STACK)
        self.stacks.update(tape.storage for tape in tapes if tape.kind == STACK)
        moved = [value for value in plan.stored if value in self.stacks]
        recording = self.write(body, tapes, moved)
        made = self.read_back(primal, back, recording, plan, tapes)
        allocations = [node for tape in tapes for node in allocation(tape)]
        allocations += [Apply(stack, "list", (), role=Role.TAPE) for stack in moved]
        return allocations, self.counted(primal, recording), made

    def is_checkpointed(self, loop: For | While, plan: LoopPlan) -> bool:
        """Tell whether to keep states of a loop: a few numbers of an innermost loop take less than arrays."""
        is_long = any(map(self.is_large, plan.stored)) or any(map(regions, walk(loop.body)))
        is_small = all(is_scalar(type_of(value)) for value in loop.carried) and not self.writes_outside(loop)
        return is_long or (is_small and not self.depth)

    def state(self, loop: For | While, must: bool) -> LoopState | None:
        """Return what an iteration begins with; None, unless it must be known, where it cannot be kept."""
        try:
            return loop_state(loop, self.sweep.info, self.sweep.shapes, self.sweep.bound)
        except DifferentiationError:
            if must:
                raise
            return None

    def writes_outside(self, loop: For | While) -> bool:
        """Tell whether a loop writes arrays from outside."""
        inside = defined(loop.body)
        owners = self.sweep.info.owners
        return any(owners.get(array, array) not in inside for array in written_arrays(loop.body))

    def checkpointed(
        self, points: Checkpoints, body: Region, back: For, position: tuple[Node, ...], plan: LoopPlan
    ) -> tuple[list[Node], For]:
        """Return a loop that keeps states of some iterations, with what it needs, and its reverse."""
        sweep = self.sweep
        plan = kept_of_one_iteration(plan, points.room)
        self.restored += points.state.memory
        self.plans.append((plan, []))
        before = points.allocation()
        first, unset = TapeNodes(), Unset(self.made, sweep.shapes, defined(body))
        run, names = handed_out(body, plan.stored, unset)
        begun = [unset.write(first, value) for value in plan.stored]
        once = Once(body, run, tuple(names.get(value, value) for value in plan.stored))
        forward, kept = forward_loop(points, once, begun)
        for value, other, last in zip(plan.stored, once.handed, kept.last, strict=True):
            if value in self.made:
                self.made[other] = self.made[last] = self.made[value]
        supply = Supply(plan, {}, sweep.partner, self.shapes)
        made, mapping = reverse_loop(points, once, supply, back, position, kept)
        self.starts.update(renamed_keys(self.starts, mapping))
        count = [] if points.is_counted else trips_of(points.loop, points.trips)
        return [*count, *before, *first.made, forward], made

    def checkpoints(
        self, whole: For | While, primal: For | While, state: LoopState, room: Room
    ) -> Checkpoints:
        """Return what is to be kept of a loop."""
        total = self.sweep.trips.get(primal)
        trips = Value("trips", temporary=True, type=int64) if total is None else total
        return Checkpoints(whole, state, room, trips, total is not None)

    def reads(self, primal: For | While, back: For) -> list[Value]:
        """Return what the reversal of an iteration reads; for a number of iterations, what decides it."""
        found = [*free(back.body)]
        loops = (node for node in walk(primal.body) if isinstance(node, For | While))
        counted = (node for node in loops if self.sweep.trips.get(node) in found)
        return found + [value for node in counted for value in values(control(node))]

    def from_originals(self, forward: Region) -> Region:
        """Let the forward sweep read arrays rather than the copies that are kept of them."""

        def rewrite(region: Region) -> Region:
            nodes = [
                replace(node, args=(self.originals[node.out], *node.args[1:]))
                if isinstance(node, Apply) and node.fn == "getitem" and node.out in self.originals
                else node
                for node in region.nodes
            ]
            return replace(region, nodes=tuple(nodes))

        return map_region(forward, rewrite)

    def with_snapshots(self, primal: For | While, back: Region) -> For | While:
        """Let inner loops read from copies of arrays, where that saves storing elements."""
        frame = Frame(primal, primal.body, self.sweep.info)
        kept = arrays_to_keep(primal, back, self.sweep.info, frame.is_cheap)
        if not kept:
            return primal
        copies, loads = served_from_copies(primal, kept, self.sweep.info)
        self.originals.update((load.out, load.args[0]) for load in loads if isinstance(load, Apply))

        def rewrite(region: Region) -> Region:
            nodes: list[Node] = []
            for node in region.nodes:
                new = loads.get(node, node)
                if regions(node):
                    new = with_regions(node, tuple(map(rewrite, regions(node))))
                    self.rename_partner(node, new)
                nodes.append(new)
            return replace(region, nodes=tuple(nodes))

        body = rewrite(primal.body)
        return replace(primal, body=replace(body, nodes=(*copies, *body.nodes)))

    def is_large(self, value: Value) -> bool:
        """Tell whether a value is more than a number."""
        return not is_scalar(type_of(value))

    def merge(self, forward: Region, back: Region) -> Merged:
        """Merge loops of two sweeps that run one after the other."""
        return merge_sweeps(forward, back, self.replays, self.sweep.info.access, self.starts)

    def may_be_merged(
        self,
        forward: For | While,
        made: For,
        both: Merged | None,
        plan: LoopPlan,
    ) -> None:
        """Note a loop that could be reversed as it runs."""
        if both is not None and isinstance(forward, For) and not forward.breaks:
            body, back, inner = both
            if not self.sweep.bound.all.isdisjoint((*free(body), *free(back))):
                return  # what is added to a bound shadow may be read under another name
            self.replays[made] = Replay(forward, body, back, (plan, *inner))

    def counted(self, primal: For | While, body: Region) -> For | While:
        """Let a loop count its iterations if the reverse sweep asks for their number."""
        total = self.sweep.trips.get(primal)
        if total is None:
            return replace(primal, body=body)
        count, more = Value("trips"), Value("trips")
        total.type = int64
        step = Apply(more, "add", (count, Literal(1)), role=Role.TAPE)
        body = Region((*body.params, count), (step, *body.nodes), (*body.yields, more))
        return replace(primal, inits=(*primal.inits, Literal(0)), body=body, outs=(*primal.outs, total))

    # recording

    def tape(self, loop: For | While, value: Value, inside: dict[Value, None]) -> Tape:
        """Return where a loop keeps a value; the array of an inner loop gets another axis if it can."""
        assert self.sweep.info.dependences is not None
        makers = self.sweep.info.dependences.makers
        if value in self.sweep.bound.all:
            return tape_of(loop, value, None, makers)  # the array itself is meant, not what it holds
        inner = self.tapes.get(value)
        wide = None if inner is None else widened(inner, loop, inside, makers)
        if wide is not None:
            return wide
        kind = type_of(value)
        made = makers.get(value)
        if made is not None and made.fn in ("np.empty", "copy") and is_array(kind):
            source = made.args[0] if made.fn == "copy" else value
            assert isinstance(source, Value)
            shape = self.sweep.shapes[source]
            own = tape_of_array(loop, made, str(element(kind)), shape, inside, makers)
            if own is not None:
                return own
        is_held = made is not None and made.fn == "getitem" and is_list(type_of(made.args[0]))
        if is_array(kind) and not is_held and value in self.sweep.shapes and not self.is_written(value, loop):
            rows = tape_of_rows(loop, value, str(element(kind)), self.sweep.shapes[value], inside, makers)
            if rows is not None:
                return rows
        return tape_of(loop, value, str(kind) if is_scalar(kind) else None, makers)

    def is_written(self, value: Value, loop: For | While) -> bool:
        """Tell whether a loop may write the memory of an array."""
        classes = self.sweep.info.classes
        memory = classes.get(value, value)
        return any(classes.get(array, array) is memory for array in written_arrays(Region((), (loop,), ())))

    def write(self, body: Region, tapes: list[Tape], moved: list[Value]) -> Region:
        """Store each taped value right after its definition; stacks are made outside the loop."""
        stores = {tape.value: record(tape) for tape in tapes}
        replaced = {tape.value for tape in tapes if tape.inner} | set(moved)

        def rewrite(region: Region) -> Region:
            nodes: list[Node] = [n for param in region.params for n in stores.get(param, [])]
            for node in region.nodes:
                if isinstance(node, If):
                    new = with_regions(node, tuple(map(rewrite, regions(node))))
                    self.rename_partner(node, new)
                    node = new
                nodes += [] if replaced.issuperset(results(node)) and results(node) else [node]
                nodes += [n for value in results(node) for n in stores.get(value, [])]
            return Region(region.params, tuple(nodes), region.yields)

        return rewrite(body)

    def read_back(
        self, primal: For | While, back: For, body: Region, plan: LoopPlan, tapes: list[Tape]
    ) -> For:
        """Load and recompute, at the start of each region of the reverse loop, what it needs."""
        supply = Supply(plan, {tape.value: tape for tape in tapes}, self.sweep.partner, self.shapes)
        index, *entries = back.body.params
        inits, outs, yields = [*back.inits], [*back.outs], [*back.body.yields]
        params = replace(primal, body=body).carried
        for param, after in (plan.states | plan.counters).items():
            entry = Value(param.name)
            supply.mapping[after] = entry
            entries.append(entry)
            begin = primal.inits[params.index(param)]
            if param in plan.counters and isinstance(begin, Literal):
                self.starts[entry] = begin
            inits.append(primal.outs[params.index(param)])
            outs.append(Value(param.name))
            yields.append(param)
        region = supply.begin(body, Region((), back.body.nodes, tuple(yields)))
        region = Region((index, *entries), region.nodes, region.yields)
        return replace(back, inits=tuple(inits), outs=tuple(outs), body=region)


def _split_position(primal: For | While, back: Region) -> tuple[tuple[Node, ...], Region]:
    """Take off the nodes that compute the primal's index from the number of the iteration."""
    if isinstance(primal, For):
        index = primal.body.params[0]
        for k, node in enumerate(back.nodes):
            if isinstance(node, Apply) and node.out is index:
                return back.nodes[: k + 1], replace(back, nodes=back.nodes[k + 1 :])
    return (), back


def _prepend(nodes: tuple[Node, ...], region: Region) -> Region:
    return replace(region, nodes=(*nodes, *region.nodes))
