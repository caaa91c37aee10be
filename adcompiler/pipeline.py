"""The pipeline: which passes a graph goes through before and after differentiation, in their order.

Read from top to bottom, `STAGES` is what happens between the text of a function and that of its derivative.
Differentiation itself stands between the stages `checked` and `polished` (`api/compile.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from numba.core import types as nt

from adcompiler import unit_passes as units
from adcompiler.analysis.alias import writes_arguments
from adcompiler.analysis.plain_types import typed
from adcompiler.analysis.shapes import symbolic_sizes
from adcompiler.analysis.single import with_single_constants
from adcompiler.frontend.lower import lower
from adcompiler.frontend.overloads import without_choices
from adcompiler.graph.layout import Layout
from adcompiler.graph.nodes import Graph
from adcompiler.graph.steps import Style as Style
from adcompiler.graph.verify import verify
from adcompiler.loops.distribute import distribute
from adcompiler.loops.dots import write_out_dots
from adcompiler.loops.flat import use_numbers
from adcompiler.loops.kept_rows import keep_rows
from adcompiler.loops.lane_blocks import block_recurrences
from adcompiler.loops.lane_choice import may_be_in_blocks
from adcompiler.loops.outer_loops import share_outer_loops
from adcompiler.loops.stores_last import store_last
from adcompiler.loops.unroll import unroll
from adcompiler.loops.upwards import count_upwards
from adcompiler.loops.vectorise import vectorise
from adcompiler.polish.accumulate import accumulate_in_numbers
from adcompiler.polish.arms import move_into_arms
from adcompiler.polish.chains import shorten_chains
from adcompiler.polish.outer_products import multiply_at_once
from adcompiler.polish.reciprocal import share_reciprocals
from adcompiler.polish.reuse import reuse_arrays
from adcompiler.polish.same_tapes import share_tapes
from adcompiler.polish.skip import skip_zeros
from adcompiler.polish.stacks import lists_to_arrays
from adcompiler.polish.sums_to_parts import add_to_views
from adcompiler.polish.wide_sums import widen_sums
from adcompiler.prepare.adjoint_blocks_typed import typed_blocks
from adcompiler.prepare.bounds import check_varied_indices
from adcompiler.prepare.buffers_in_rows import buffers_in_rows
from adcompiler.prepare.captured_buffers import with_buffers
from adcompiler.prepare.captured_values import as_captured, as_values
from adcompiler.prepare.complex_parts import typed_without_parts
from adcompiler.prepare.decomposition_results import by_parts, copy_written, name_parts
from adcompiler.prepare.divisors import check_divisors
from adcompiler.prepare.ellipses import typed_without_ellipses
from adcompiler.prepare.finite_values import check_values
from adcompiler.prepare.flat_masks import typed_with_flat_masks
from adcompiler.prepare.float_ranges import typed_with_float_ranges
from adcompiler.prepare.guard import guard_sizes
from adcompiler.prepare.hoist import hoist_calls, hoist_sizes
from adcompiler.prepare.induction import index_counters
from adcompiler.prepare.invariant_arrays import compute_once
from adcompiler.prepare.joined_stores import join_arms
from adcompiler.prepare.localise import localise
from adcompiler.prepare.originals import read_originals
from adcompiler.prepare.pieces import copy_into_one_piece
from adcompiler.prepare.row_shifts import without_row_shifts
from adcompiler.prepare.rows_at_once import multiply_rows_at_once
from adcompiler.prepare.scalars import replace_small_arrays
from adcompiler.prepare.shared_factors import share_factors
from adcompiler.prepare.shifts import without_shifts
from adcompiler.prepare.specialise import specialise
from adcompiler.prepare.triangles import substitute_in_triangles
from adcompiler.prepare.unpacked import take_before_loops, unpack
from adcompiler.simplify.copies import drop_copies
from adcompiler.simplify.cse import eliminate_common
from adcompiler.simplify.dead import remove_dead
from adcompiler.simplify.direct import index_directly
from adcompiler.simplify.fold import fold
from adcompiler.simplify.passed_checks import without_passed
from adcompiler.simplify.same_test import join_branches
from adcompiler.simplify.shape_reads import read_shapes_elsewhere
from adcompiler.simplify.sink import sink_loads, sink_multiples
from adcompiler.simplify.transposes import turn_products
from adcompiler.simplify.views import hoist_views
from adcompiler.threads.in_threads import in_threads
from adcompiler.threads.recurrences import recurrences_apart
from adcompiler.unit import Pass as Pass
from adcompiler.unit import Unit as Unit
from adcompiler.unit import apply as apply
from adcompiler.watch import report

Stage = tuple[Pass, ...]


def _blocks(unit: Unit) -> Graph:
    def typed_block(graph: Graph, kinds: list[nt.Type]) -> Graph:
        return through(Unit(graph, kinds, keep_arguments=False), "typed").graph

    return typed_blocks(unit.graph, typed_block)


FOLD = Pass("fold", lambda u: fold(u.graph), "constants and identities: more is known for all below")
CLEAN = (
    Pass("dead", lambda u: remove_dead(u.graph), "what nobody reads"),
    Pass("invariants", units.invariants, "what loops carry without changing it"),
)
COMMON = Pass("common", lambda u: eliminate_common(u.graph, u.unchanging()), "what is computed twice")
SINK = Pass("sink", lambda u: sink_loads(u.graph), "loads next to their use, where the text names them")
SIMPLE = (FOLD, *CLEAN, COMMON, *CLEAN, SINK)
SIZES = Pass("sizes", lambda u: hoist_sizes(u.graph, u.shapes()), "each size is read once, before the loops")
COPIES = Pass("copies", lambda u: drop_copies(u.graph), "copies of what is not written afterwards")
REUSE = Pass(
    "reuse",
    lambda u: reuse_arrays(u.graph, lambda loop: units.has_lanes(u) and may_be_in_blocks(loop)),
    "arrays are written where dead ones of that size were; threads come first",
    lambda u: not (u.style.parallel or u.transposes),
)
NAMED = Pass("named", lambda u: as_captured(u.graph), "captured arrays have their names")
POWERS = Pass("powers", units.powers, "`x ** 1.5` with a root, which is quick, and `x ** 3.0` as `x ** 3`")
RECIPROCALS = Pass("reciprocals", lambda u: share_reciprocals(u.graph), "one division for several")
OUTER_LOOPS = Pass(
    "outer_loops",
    lambda u: share_outer_loops(u.graph),
    "nests over one range share their outer loops: rows stay in the cache",
    units.has_shared_loops,
)
FORWARDED = Pass("forwarded", units.forwarded, "elements that are set and read at one place")
PARTS = Pass(
    "parts", lambda u: name_parts(u.graph), "rules are applied: results of decompositions as returned"
)

STAGES: dict[str, Stage] = {
    "lowered": (
        Pass("buffers", lambda u: with_buffers(u.graph), "captured arrays that are written become copies"),
        *(FOLD, *CLEAN),
        *(FOLD, *CLEAN),  # a branch that a constant resolves may make another test constant
    ),
    "typed": (
        Pass("captured", lambda u: as_values(u.graph), "captured arrays are values, as arguments are"),
        Pass("types", lambda u: typed(u.graph, u.arguments), "types as Numba infers them"),
        Pass(
            "ellipses",
            lambda u: typed_without_ellipses(u.graph, u.arguments),
            "`...` as slices, now that numbers of axes are known",
        ),
        Pass(
            "masks", lambda u: typed_with_flat_masks(u.graph, u.arguments), "masks of several axes as of one"
        ),
        Pass(
            "ranges", lambda u: typed_with_float_ranges(u.graph, u.arguments), "they move with start and step"
        ),
        Pass("choices", lambda u: without_choices(u.graph), "overloads were chosen for these types"),
        Pass("pieces", lambda u: copy_into_one_piece(u.graph), "what is reshaped has to lie in one piece"),
        Pass(
            "specialise",
            lambda u: specialise(u.graph, u.keep_arguments),
            "what depends on types is settled; written arguments are copied",
        ),
        Pass(
            "complex_parts",
            lambda u: typed_without_parts(u.graph, u.arguments),
            "`z.imag` is taken where it is read, if z is written: its adjoint shows none of that of z",
        ),
        Pass("blocks", _blocks, "what `with grad_of(x)` runs on adjoints has types, too"),
        *CLEAN,
        Pass("divisors", lambda u: check_divisors(u.graph), "`@njit` functions raise where they divide by 0"),
        COMMON,
        Pass(
            "finite",
            lambda u: check_values(u.graph),
            "with debug_nans, what is not finite is named; before values lose their names and places",
            lambda u: u.style.checks,
        ),
    ),
    "prepared": (
        SIZES,
        Pass(
            "calls",
            lambda u: hoist_calls(u.graph),
            "calls that do not change, before the loops",
            lambda u: not u.style.checks,
        ),
        Pass(
            "taken", lambda u: take_before_loops(u.graph, u.guards), "parts that stay the same, before loops"
        ),
        Pass("counters", lambda u: index_counters(u.graph), "counters become functions of loop indices"),
        COMMON,
        Pass(
            "guard",
            lambda u: guard_sizes(u.graph, u.guards),
            "sizes that are assumed to be equal are checked, and are one size from here on",
        ),
        *(FOLD, *CLEAN),
        COMMON,
        Pass("in_rows", lambda u: buffers_in_rows(u.graph, u.shapes), "arrays that take turns, as rows"),
        Pass("joined_stores", lambda u: join_arms(u.graph), "what all arms read or store"),
        Pass(
            "dots",
            lambda u: write_out_dots(u.graph, *symbolic_sizes(u.graph)),
            "vectors that loops gather to multiply them: their elements are read in place",
            units.has_sizes,
        ),
        Pass(
            "rows",
            lambda u: multiply_rows_at_once(u.graph, *symbolic_sizes(u.graph)),
            "a matrix times one row in each iteration: times all of them before; small arrays are left",
            lambda u: not (u.style.accurate or u.style.broadcasts or u.style.checks or u.style.room),
        ),
        Pass(
            "originals",
            lambda u: read_originals(u.graph),
            "what an argument still holds is read from there, not from the copy that is overwritten",
        ),
        Pass("short_loops", units.short_loops, "loops over the elements of arrays that can be numbers then"),
        Pass("shifts", lambda u: without_shifts(u.graph), "numbers taken out and put back: no derivative"),
        Pass("row_shifts", lambda u: without_row_shifts(u.graph, u.shapes()), "rows of such numbers"),
        Pass(
            "localise",
            lambda u: localise(u.graph, *symbolic_sizes(u.graph)),
            "arrays that live within an iteration are made there: nothing to store",
        ),
        Pass(
            "unchanging",
            lambda u: compute_once(u.graph, *symbolic_sizes(u.graph)),
            "arrays, and numbers of inner loops, that iterations compute alike: before; threads have own",
            lambda u: not (u.style.checks or u.style.parallel),
        ),
        Pass(
            "scalars",
            lambda u: replace_small_arrays(u.graph, u.shapes()),
            "arrays of a few numbers as numbers",
        ),
        Pass("unpacked", lambda u: unpack(u.graph), "parts of parameters have adjoints of their own"),
        *(FOLD, *CLEAN),
    ),
    "factored": (
        Pass("triangles", lambda u: substitute_in_triangles(u.graph), "triangular matrices need no factors"),
        Pass("factors", lambda u: share_factors(u.graph), "one factorisation for solve, det and inv"),
        Pass("written_results", lambda u: copy_written(u.graph), "rules read what functions returned"),
    ),
    "checked": (
        Pass(
            "indices",
            lambda u: check_varied_indices(u.graph, u.wrt),
            "indices at which the derivative would write beyond an end",
        ),
        *(FOLD, *CLEAN),
        COMMON,
    ),
    "by parts": (
        Pass(
            "by_parts",
            lambda u: by_parts(u.graph),
            "rules of a gradient that is differentiated again",
        ),
        *CLEAN,
    ),
    "derived": CLEAN,
    "derived last": (PARTS, *CLEAN),
    "polished": (
        POWERS,
        Pass("direct", lambda u: index_directly(u.graph), "elements of views as elements of their arrays"),
        Pass("transposes", lambda u: turn_products(u.graph), "products that are only read transposed"),
        FOLD,
        Pass("views", lambda u: hoist_views(u.graph), "views that stay the same, before the loops"),
        Pass(
            "outers",
            lambda u: multiply_at_once(u.graph, *symbolic_sizes(u.graph)),
            "outer products that a loop adds up: their factors as rows, multiplied after the loop",
            lambda u: not (u.style.accurate or u.style.broadcasts or u.style.checks or u.style.room),
        ),
        COPIES,
        *SIMPLE,
        Pass("branches", lambda u: join_branches(u.graph), "a choice and its reversal in one place"),
        *CLEAN,
        SIZES,
        Pass("upwards", lambda u: count_upwards(u.graph, u.starts), "loops whose order is free count up"),
        REUSE,
        Pass("unroll", lambda u: unroll(u.graph), "short loops that add to elements that stay the same"),
        *SIMPLE,
        Pass(
            "accumulate",
            lambda u: accumulate_in_numbers(u.graph),
            "sums over a loop in a number: LLVM keeps it in a register",
        ),
        *SIMPLE,
        Pass(
            "shapes",
            lambda u: read_shapes_elsewhere(u.graph, u.shapes()),
            "arrays that only their shape is read of",
        ),
        *SIMPLE,
        Pass("retype", units.retyped, "types of what passes made", units.has_sizes),
        Pass(
            "flat",
            lambda u: use_numbers(u.graph, u.shapes()),
            "arrays of one number are that number, where they meet others",
            units.has_sizes,
        ),
        *CLEAN,
        Pass(
            "multiples",
            lambda u: sink_multiples(u.graph),
            "multiples of arrays next to where they are added: no array to keep them",
        ),
        Pass("matrices", units.matrices, "products of a vector and what is computed for it, as sums"),
        Pass("fuse", units.fused, "array code as loops, if shapes agree", units.has_sizes),
        COMMON,
        Pass("same_tapes", lambda u: share_tapes(u.graph), "what loops keep twice"),
        *SIMPLE,
        Pass("fills", units.filled, "zeros that are added to once: set at once", units.has_sizes),
        Pass("ends", units.ends_apart, "where an index wraps around, or meets a wall", units.has_ends),
        Pass(
            "distribute",
            lambda u: distribute(u.graph, u.style.parallel),
            "sums to neighbours in a loop of their own: both are vectorised",
            lambda u: not u.style.accurate,
        ),
        Pass(
            "chains",
            lambda u: shorten_chains(u.graph),
            "what waits for the value of the iteration before",
            lambda u: not u.style.accurate,
        ),
        *SIMPLE,
        SIZES,
        REUSE,
        Pass("budget", units.budgeted, "states get the memory that is left"),
        Pass("passed_checks", lambda u: without_passed(u.graph), "checks that have passed before"),
        *SIMPLE,
        RECIPROCALS,
        FOLD,
        Pass(
            "lanes",
            lambda u: block_recurrences(u.graph, u.style.parallel),
            "recurrences, and nests, side by side: LLVM vectorises across them",
            units.has_lanes,
        ),
        Pass(
            "arms",
            lambda u: move_into_arms(u.graph),
            "what adds the adjoint of one arm of a choice goes into that arm",
        ),
        Pass(
            "zeros",
            lambda u: u.graph if u.transposes else skip_zeros(u.graph),
            "iterations through which no adjoint flows are passed over",
        ),
        Pass(
            "handed_on", units.handed_on, "what the next iteration reads, in registers", units.runs_in_order
        ),
        Pass("stacks", lambda u: lists_to_arrays(u.graph), "stacks of known length as arrays"),
        *CLEAN,
        FOLD,
        *(OUTER_LOOPS, FORWARDED, *CLEAN),
        OUTER_LOOPS,
        Pass("kept_rows", lambda u: keep_rows(u.graph), "what iterations keep", units.has_shared_loops),
        *(FORWARDED, *CLEAN),
        *(FORWARDED, RECIPROCALS, FOLD, *CLEAN, COMMON, *CLEAN),  # arrays of the size of one that is gone
        replace(REUSE, apply=lambda u: reuse_arrays(u.graph)),
        *(NAMED, *CLEAN),
    ),
    "at once": (
        Pass(
            "recurrences",
            lambda u: recurrences_apart(u.graph),
            "what iterations hand on in a loop of its own: the rest may run at once",
        ),
        Pass("threads", lambda u: in_threads(u.graph, u.notes), "the loops are what they will be"),
        Pass("reuse", lambda u: reuse_arrays(u.graph), "what a thread uses again and again"),
        *SIMPLE,
        SIZES,
    ),
    "itself": (
        *(PARTS, POWERS),
        COPIES,
        *SIMPLE,
        Pass(
            "fuse",
            units.fused,
            "as for derivatives, unless what it writes may overlap",
            lambda u: not u.style.broadcasts and not writes_arguments(u.graph),
        ),
        *(NAMED, *SIMPLE),
    ),
    "called": SIMPLE,
    "precise": (
        Pass("wide_sums", lambda u: remove_dead(widen_sums(u.graph)), "float32", lambda u: u.style.wide_sums),
        Pass("single", lambda u: with_single_constants(u.graph), "constants as precise as what they meet"),
    ),
    "written": (
        Pass(
            "vectorise",
            lambda u: vectorise(u.graph),
            "functions that LLVM vectorises, sums in any order",
        ),
        Pass(
            "stores_last",
            lambda u: store_last(u.graph),
            "what one iteration hands on to the next is computed before anything is written",
        ),
        Pass(
            "additions",
            lambda u: add_to_views(u.graph),
            "arrays are added to parts of others through a view: Numba compiles that faster",
        ),
    ),
}


def through(unit: Unit, stage: str) -> Unit:
    """Send a unit through a stage of the pipeline, and return it.

    >>> from adcompiler.graph.nodes import Apply, Literal, Region, Value
    >>> x, y = Value("x", type=nt.float64), Value("y", type=nt.float64)
    >>> doubled = Graph("f", Region((x,), (Apply(y, "mul", (x, Literal(1.0))),), (y,)))
    >>> through(Unit(doubled), "called").graph.body.nodes
    ()
    """
    for step in STAGES[stage]:
        apply(step, unit)
    verify(unit.graph)
    return unit


def passes() -> dict[str, Pass]:
    """Return all passes by their names, in the order in which they first run.

    >>> [*passes()][:3]
    ['buffers', 'fold', 'dead']
    """
    found: dict[str, Pass] = {}
    for stage in STAGES.values():
        for step in stage:
            found.setdefault(step.name, step)
    return found


def primal_graph(
    function: Callable[..., Any],
    layouts: Sequence[Layout] = (),
    raises: bool | None = False,
    staying: frozenset[Any] = frozenset(),
) -> Graph:
    """Return the graph of a function, before types are known; arguments are those of `lower`."""
    graph = lower(function, layouts, raises, staying)
    report("lower", None, graph)
    return through(Unit(graph), "lowered").graph
