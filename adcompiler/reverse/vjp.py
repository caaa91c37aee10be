"""Apply a rule in reverse mode; undoing broadcasts happens here and nowhere else."""

from __future__ import annotations

import ast
from dataclasses import replace

from adcompiler.analysis.sizes import Shape
from adcompiler.analysis.types import element, is_array, is_complex
from adcompiler.graph.kinds import DOUBLE_OF
from adcompiler.graph.nodes import Apply, Atom, Global, Literal, Node, Value, type_of
from adcompiler.graph.walk import operands, values
from adcompiler.primitives import Elementwise, Structured, card, part_of
from adcompiler.reverse.adjoints import AdjointSweep, Contribution
from adcompiler.reverse.at_hand import share
from adcompiler.rules.find import (
    atom_rank,
    find_elementwise,
    find_structured,
    no_rule,
    not_for_complex,
    takes_complex,
    unknown_partial,
)
from adcompiler.rules.formula import evaluate, expand, with_slope
from adcompiler.rules.plain_products import plain_products


def apply_rule(sweep: AdjointSweep, node: Apply, adjoint: Contribution) -> None:
    """Add to the adjoints of a primitive's inputs, given the adjoint of its output.

    Raises:
        DifferentiationError: AD202 where no card has a rule.
    """
    rule = _complex_rule(sweep, node) or find_elementwise(node)
    if rule is not None:
        _elementwise(sweep, node, rule, adjoint)
        return
    if node.fn == "np.transpose":
        _transposed(sweep, node, adjoint)
        return
    found = find_structured(node)
    if found is not None:
        _structured(sweep, node, *found, adjoint)
    elif not card(node.fn).is_constant and any(a in sweep.active for a in values(operands(node))):
        raise no_rule(node)


def _complex_rule(sweep: AdjointSweep, node: Apply) -> Elementwise | None:
    """Return the rule of a function of complex numbers that has one for these."""
    if not sweep.has_complex or not any(
        is_complex(type_of(value)) for value in values((node.out, *operands(node)))
    ):
        return None
    rule = card(node.fn).complex_partials
    if rule is not None and len(node.args) == len(rule.inputs):
        return rule
    if not takes_complex(node) and not card(node.fn).is_constant:
        raise not_for_complex(node)
    return None


def _transposed(sweep: AdjointSweep, node: Apply, adjoint: Contribution) -> None:
    """The adjoint of an array with its axes in another order has them in the old order."""
    order = [atom.value for atom in node.args[1:] if isinstance(atom, Literal)]
    back = [Literal(order.index(k)) for k in range(len(order))]
    found = sweep.apply("np.transpose", sweep.full(node.out, adjoint), *back)
    sweep.contribute(node.args[0], Contribution(found))


def _is_full(
    sweep: AdjointSweep, node: Apply, rule: Elementwise, tree: ast.expr, adjoint: Contribution
) -> bool:
    """Tell whether adjoint * partial has the shape of the output."""
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    own = sweep.shapes.get(node.out)
    inputs = [a for name, a in zip(rule.inputs, node.args, strict=True) if name in names]
    same = any(isinstance(a, Value) and sweep.shapes.get(a) == own for a in inputs)
    return adjoint.full or "y" in names or same


def _elementwise(sweep: AdjointSweep, node: Apply, rule: Elementwise, adjoint: Contribution) -> None:
    if node.fn == "mul" and node.args[0] is node.args[1]:
        square = card("np.square").partials
        assert square is not None
        node, rule = replace(node, args=node.args[:1]), square
    if rule is card(node.fn).complex_partials:  # its formulas are not products with the adjoint
        adjoint = Contribution(sweep.full(node.out, adjoint))
    arrays = atom_rank(node.out) > 0
    keeps = node.out in sweep.masked or node.fn == "times"
    env: dict[str, Atom] = dict(zip(rule.inputs, node.args, strict=True))
    for name, arg, partial in zip(rule.inputs, node.args, rule.partials, strict=True):
        if not isinstance(arg, Value) or arg not in sweep.active:
            continue
        if rule.inputs.index(name) in rule.unknown:
            raise unknown_partial(node, rule.inputs.index(name))
        if partial is None:
            continue
        is_adjoint = rule is card(node.fn).complex_partials
        tree = partial if is_adjoint else with_slope(node, name, "d", partial, keeps)
        full = not arrays or _is_full(sweep, node, rule, partial, adjoint)
        atom = _evaluated(sweep, tree, env | {"y": node.out, "d": adjoint.atom}, arrays, keeps)
        found = Contribution(atom, full, adjoint.scalar and not full)
        sweep.contribute(arg, _unbroadcast(sweep, node, arg, found) if arrays else found)


def _evaluated(
    sweep: AdjointSweep, tree: ast.expr, env: dict[str, Atom], arrays: bool, keeps_zeros: bool
) -> Atom:
    nodes: list[Node] = []
    is_of_complex = sweep.has_complex and any(is_complex(type_of(v)) for v in values(env.values()))
    atom = evaluate(tree, env, arrays, nodes, is_of_complex)
    nodes, atom = share(plain_products(nodes, sweep.known, keeps_zeros), atom, sweep.computed)
    sweep.nodes += [replace(made, loc=sweep.loc, role=sweep.role) for made in nodes]
    return atom


def _unbroadcast(sweep: AdjointSweep, node: Apply, arg: Value, found: Contribution) -> Contribution:
    """Sum an adjoint over the axes along which the argument was stretched."""
    if sweep.shapes.get(arg) == sweep.shapes[node.out]:
        return found
    atom = sweep.full(node.out, found)
    if atom_rank(arg) == 0:
        return Contribution(sweep.apply("np.sum", atom))
    whole = sweep.shapes[node.out][-atom_rank(arg) :]
    same = sweep.shapes.get(arg) == whole
    stretched = [] if same else _stretched(sweep.shapes.get(arg), whole)
    summed: Atom = sweep.sum_to(atom, atom_rank(node.out), arg, same or bool(stretched))
    for axis in stretched:
        total = Value("total", temporary=True)
        sweep.nodes.append(
            Apply(total, "np.sum", (summed,), (("axis", Literal(axis)),), loc=sweep.loc, role=sweep.role)
        )
        before = [sweep.apply("slice", Literal(None), Literal(None)) for _ in range(axis)]
        summed = sweep.apply("getitem", total, *before, Literal(None))
    return Contribution(summed)


def _stretched(own: Shape | None, whole: Shape) -> list[int]:
    """Return the axes of size 1 along which an array is stretched, if the shapes differ in nothing else."""
    pairs = [*enumerate(zip(own or (), whole, strict=False))]
    if own is None or len(own) < 2 or any(one not in (1, size) for _, (one, size) in pairs):
        return []
    return [axis for axis, (one, size) in pairs if one != size]


def _structured(
    sweep: AdjointSweep, node: Apply, rule: Structured, inputs: tuple[Atom, ...], adjoint: Contribution
) -> None:
    nodes, results, incoming = _expanded(sweep, node, rule, inputs, adjoint)
    wanted = [
        (arg, result)
        for arg, result in zip(inputs, results, strict=True)
        if isinstance(arg, Value) and arg in sweep.active
    ]
    keep = _needed(nodes, [result for _, result in wanted])
    if node.out in sweep.masked:
        keep = [_keeping_zeros(made, incoming) for made in keep]
    sweep.nodes += [replace(made, loc=sweep.loc, role=sweep.role) for made in keep]
    for arg, result in wanted:
        is_scalar = rule.broadcasts and atom_rank(node.out) == 0
        sweep.contribute(arg, Contribution(result, not rule.broadcasts, is_scalar))


def _expanded(
    sweep: AdjointSweep, node: Apply, rule: Structured, inputs: tuple[Atom, ...], adjoint: Contribution
) -> tuple[list[Node], tuple[Atom, ...], Atom]:
    """Return the nodes of a rule, what they add to the adjoint of each input, and the adjoint they read."""
    incoming = sweep.cast(node.out, Contribution(sweep.full(node.out, adjoint)))
    is_part = part_of(node.fn, len(node.args)) is not None
    given = node.args if is_part else (*inputs, node.out)
    axes = [atom_rank(atom) for atom in given]
    if node.fn.startswith("np.linalg."):  # LAPACK does not mix precisions, and literals widen single ones
        given = tuple(_widened(sweep, atom) for atom in given)
        incoming = _widened(sweep, incoming, node.out)
    ranks = {atom: count for atom, count in zip(given, axes, strict=True) if isinstance(atom, Value)}
    if isinstance(incoming, Value):
        ranks[incoming] = atom_rank(node.out)
    nodes: list[Node] = []
    results = expand(rule.vjp, [*given, incoming], nodes, ranks)
    return nodes, results, incoming  # type: ignore[return-value]


def _keeping_zeros(node: Node, incoming: Atom) -> Node:
    """Let the adjoint of a dot product keep zeros zero where it is a factor."""
    if isinstance(node, Apply) and node.fn == "mul" and incoming in node.args:
        return replace(node, fn="times")
    return node


def _widened(sweep: AdjointSweep, atom: Atom, like: Value | None = None) -> Atom:
    """Return an array, or the adjoint of one, in double precision."""
    kind = type_of(like or atom)
    if not is_array(kind) or str(element(kind)) not in DOUBLE_OF:
        return atom
    return sweep.apply("astype", atom, Global(DOUBLE_OF[str(element(kind))], None))


def _needed(nodes: list[Node], results: list[Atom]) -> list[Node]:
    """Keep the nodes of a straight-line rule that these results are computed from."""
    if not all(isinstance(node, Apply) for node in nodes):  # loops: what is dead is removed later
        return nodes
    live = set(values(results))
    kept: list[Node] = []
    for node in reversed(nodes):
        assert isinstance(node, Apply)
        if node.out in live:
            live.update(values(operands(node)))
            kept.append(node)
    return kept[::-1]
