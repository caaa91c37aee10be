"""Apply a rule in forward mode: the tangent of a primitive's result from those of its arguments."""

from __future__ import annotations

import ast
from dataclasses import replace

from adcompiler.analysis.types import element, is_array, is_complex, is_list
from adcompiler.forward.own_jvp import forward_custom
from adcompiler.forward.tangents import TangentSweep
from adcompiler.graph.kinds import DOUBLE_OF
from adcompiler.graph.nodes import Apply, Atom, Global, Node, Value, type_of
from adcompiler.graph.walk import operands, values
from adcompiler.primitives import Elementwise, Fill, Spelling, card
from adcompiler.rules.find import (
    atom_rank,
    find_elementwise,
    find_tangent,
    no_rule,
    not_for_complex,
    takes_complex,
    unknown_partial,
)
from adcompiler.rules.formula import evaluate, expand, with_slope
from adcompiler.rules.plain_products import plain_products


def tangent_of_result(sweep: TangentSweep, node: Apply) -> Atom | None:
    """Append the tangent of what a primitive returns, and return it; None where it is zero.

    Raises:
        DifferentiationError: AD202 where no card has a rule.
    """
    if node.fn == "list" or card(node.fn).spelling is Spelling.JOIN:
        items = [sweep.whole(arg) for arg in node.args]
        return sweep.apply(node.fn, *items, keywords=node.keywords)
    varied = [arg for arg in values(operands(node)) if sweep.tangent(arg) is not None]
    if card(node.fn).is_constant or not varied:
        return None
    if any(is_list(type_of(arg)) for arg in varied) and card(node.fn).takes_list:
        return _linear(sweep, node)
    if sweep.has_complex and any(is_complex(type_of(v)) for v in values((node.out, *operands(node)))):
        if (rule := card(node.fn).complex_partials) is not None and len(node.args) == 1:
            return _of_complex(sweep, node, rule)
        if not takes_complex(node):
            raise not_for_complex(node)
    return _by_rule(sweep, node)


def _by_rule(sweep: TangentSweep, node: Apply) -> Atom | None:
    rule = find_elementwise(node)
    if rule is not None:
        return _elementwise(sweep, node, rule)
    if node.fn == "custom[0]":
        return forward_custom(sweep, node)
    return _linear(sweep, node) if card(node.fn).is_linear else _structured(sweep, node)


def _linear(sweep: TangentSweep, node: Apply) -> Atom | None:
    """The tangent is the function of the tangent of each argument, the others as they are."""
    total: Atom | None = None
    for k, arg in enumerate(node.args):
        found = sweep.tangent(arg)
        if found is None or (card(node.fn).allocates is Fill.VALUE and k != 1):
            continue
        if node.fn in ("reshape", "ravel") and not sweep.info.is_written(node.out):
            found = sweep.apply("np.ascontiguousarray", found)
        args = (*node.args[:k], found, *node.args[k + 1 :])
        term = sweep.apply(node.fn, *args, keywords=node.keywords)
        total = term if total is None else sweep.apply("add", total, term)
    return total


def _added(one: ast.expr | None, two: ast.expr) -> ast.expr:
    """Return the tree of a sum as one would write it.

    >>> show = lambda *texts: ast.unparse(_added(*(ast.parse(text, mode="eval").body for text in texts)))
    >>> show("s", "-t"), show("s if c else 0.0", "0.0 if c else t")
    ('s - t', 's if c else t')
    """
    match one, two:
        case None | ast.Constant(value=0.0), _:
            return two
        case _, ast.Constant(value=0.0):
            assert one is not None
            return one
        case ast.IfExp(), ast.IfExp() if ast.dump(one.test) == ast.dump(two.test):
            return ast.IfExp(one.test, _added(one.body, two.body), _added(one.orelse, two.orelse))
        case _, ast.UnaryOp(op=ast.USub()):
            assert one is not None
            return ast.BinOp(one, ast.Sub(), two.operand)
    assert one is not None
    return ast.BinOp(one, ast.Add(), two)


def _elementwise(sweep: TangentSweep, node: Apply, rule: Elementwise) -> Atom | None:
    """The tangent is the sum of partial derivative times tangent over the arguments."""
    env: dict[str, Atom] = dict(zip(rule.inputs, node.args, strict=True)) | {"y": node.out}
    tree: ast.expr | None = None
    for k, (name, arg, partial) in enumerate(zip(rule.inputs, node.args, rule.partials, strict=True)):
        found = sweep.tangent(arg)
        if found is None:
            continue
        if k in rule.unknown:
            raise unknown_partial(node, k)
        if partial is not None:
            env[f"t_{name}"] = found
            tree = _added(tree, with_slope(node, name, f"t_{name}", partial, node.fn == "times"))
    if tree is None:
        return None
    atom = _evaluated(sweep, node, tree, env)
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    inputs = {name.removeprefix("t_") for name in names}
    used = [node.out if name == "y" else env[name] for name in inputs if name in env]
    atom = _spread(sweep, node, used, atom)
    is_same = any(sweep.tangent(v) is atom and _is_alike(sweep, v, node.out) for v in values(used))
    is_wide = any(_is_alike(sweep, v, node.out) for v in values(used))
    return atom if is_same else sweep.cast(node.out, atom, is_wide)


def _is_alike(sweep: TangentSweep, one: Value, other: Value) -> bool:
    return str(element(one.type)) == str(element(other.type))


def _evaluated(sweep: TangentSweep, node: Apply, tree: ast.expr, env: dict[str, Atom]) -> Atom:
    nodes: list[Node] = []
    of_complex = sweep.has_complex and any(is_complex(type_of(v)) for v in values(env.values()))
    atom = evaluate(tree, env, is_array(node.out.type), nodes, of_complex)
    sweep.nodes += [
        replace(made, loc=node.loc, role=node.role)
        for made in plain_products(nodes, sweep.known, node.fn == "times")
    ]
    return atom


def _spread(sweep: TangentSweep, node: Apply, used: list[Atom], atom: Atom) -> Atom:
    """Give a tangent the shape of its array, where it was computed from fewer arguments."""
    if not is_array(node.out.type):
        return atom
    own = sweep.shapes.get(node.out)
    arrays = [arg for arg in used if atom_rank(arg)]
    all_used = {arg for arg in node.args if atom_rank(arg)} <= {*arrays}
    if all_used or any(arg is node.out or sweep.shapes.get(arg) == own for arg in values(arrays)):
        return atom
    if not arrays:
        return sweep.apply("np.full_like", node.out, atom)
    return sweep.apply("add", sweep.apply("np.zeros_like", node.out), atom)


def _of_complex(sweep: TangentSweep, node: Apply, rule: Elementwise) -> Atom:
    found = sweep.tangent(node.args[0])
    assert rule.tangent is not None and found is not None
    return _evaluated(sweep, node, rule.tangent, {"x": node.args[0], "y": node.out, "t": found})


def _structured(sweep: TangentSweep, node: Apply) -> Atom | None:
    """Write out the rule of a function that is not linear."""
    found = find_tangent(node)
    if found is None:
        raise no_rule(node)
    rule, inputs = found
    given = list(node.args) if len(inputs) < len(node.args) else [*inputs, node.out]
    tangents = [sweep.tangent(atom) for atom in inputs]
    whole: list[Atom] = [atom if t is None else t for atom, t in zip(inputs, tangents, strict=True)]
    args = [*given, *whole]
    axes = [atom_rank(atom) for atom in (*given, *inputs)]
    if node.fn.startswith("np.linalg."):  # LAPACK does not mix precisions, and literals widen single ones
        args = [_widened(sweep, atom, own) for atom, own in zip(args, (*given, *inputs), strict=True)]
    ranks = {atom: count for atom, count in zip(args, axes, strict=True) if isinstance(atom, Value)}
    nodes: list[Node] = []
    parts = expand(rule, args, nodes, ranks)
    sweep.nodes += [replace(made, loc=node.loc, role=node.role) for made in nodes]
    total: Atom | None = None
    for part, own in zip(parts, tangents, strict=True):
        assert isinstance(part, Atom)
        if own is not None:
            total = part if total is None else sweep.apply("add", total, part)
    assert total is not None
    return sweep.cast(node.out, total)


def _widened(sweep: TangentSweep, atom: Atom, own: Atom) -> Atom:
    """Return an array, or the tangent of one, in double precision."""
    kind = type_of(own)
    if kind is None or not is_array(kind) or str(element(kind)) not in DOUBLE_OF:
        return atom
    return sweep.apply("astype", atom, Global(DOUBLE_OF[str(element(kind))], None))
