"""From a graph to a Python function, given a name for every value and which values to write in place."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from adcompiler.graph.kinds import is_list_of_arrays
from adcompiler.graph.layout import Leaf, Packed, Static, build, is_bare
from adcompiler.graph.nodes import (
    UNDEFINED,
    Apply,
    Atom,
    Effect,
    For,
    Graph,
    If,
    Literal,
    Node,
    Region,
    Role,
    Store,
    Value,
    While,
)
from adcompiler.graph.numbers import add_in_place, add_to_all, in_place, literal
from adcompiler.graph.python_expressions import ExpressionWriter, Style, load
from adcompiler.graph.simple_statements import choice_of, moved_out, negated
from adcompiler.graph.unparse import Comment
from adcompiler.graph.walk import uses, walk
from adcompiler.primitives import card

_AUGMENTED = (ast.Add, ast.Sub, ast.Mult, ast.Div)


@dataclass
class Writer(ExpressionWriter):
    """Writes regions as statements."""

    reads: dict[Value, int]
    out: list[ast.stmt] = field(default_factory=list)
    quoted: str = ""
    is_forward: bool = False
    has_arrays_in_lists: bool = False

    def assign(self, target: ast.expr, value: ast.expr) -> None:
        self.out.append(ast.Assign([target], value))

    def inner(self, write: Callable[[], None]) -> list[ast.stmt]:
        """Collect the statements of a nested block."""
        outer, self.out, is_forward = self.out, [], self.is_forward
        self.is_forward = False
        write()
        result, self.out, self.is_forward = self.out, outer, is_forward
        return result or [ast.Pass()]

    def region(self, region: Region) -> None:
        for node in region.nodes:
            self.node(node)

    def quote(self, node: Node) -> None:
        """Quote the user's line above the statements that reverse it."""
        is_allocation = isinstance(node, Apply) and card(node.fn).allocates is not None
        if not self.style.quotes or self.is_forward or is_allocation:
            return
        text = node.loc.statement if node.role is Role.ADJOINT else ""
        if _is_header(text):
            return
        if text and text != self.quoted:
            self.out.append(Comment(text))
        self.quoted = text or self.quoted

    def node(self, node: Node) -> None:
        if isinstance(node, Apply | If) and any(v in self.style.inlined for v in _outs(node)):
            return
        self.quote(node)
        start = len(self.out)
        self.write(node)
        for made in self.out[start:]:
            made.origin = getattr(made, "origin", node)  # type: ignore[attr-defined]

    def write(self, node: Node) -> None:
        match node:
            case Apply():
                self.apply(node)
            case Store():
                self.store(node)
            case Effect():
                self.effect(node)
            case If():
                self.branch(node)
            case For():
                self.loop(node)
            case While():
                self.while_loop(node)

    def apply(self, node: Apply) -> None:
        if node.out in self.style.unpacked:
            self.unpack(node)
            return
        name = self.style.names[node.out]
        first = node.args[0] if node.args else None
        own = isinstance(first, Value) and first not in self.style.inlined and self.style.names[first] == name
        symbol = card(node.fn).operator
        if own and symbol in _AUGMENTED and node.out in self.style.scalars:
            target, value = ast.Name(name, ast.Store()), self.expr(node.args[1])
            step = ast.AugAssign(target, symbol(), value)
            self.out.append(add_in_place(target, value) if node.fn == "add" else step)
        else:
            self.assign(ast.Name(name, ast.Store()), self.compute(node))

    def unpack(self, node: Apply) -> None:
        """Write a call and its results in one statement: `a, _, b = f(x)`."""
        parts = self.style.unpacked[node.out]
        names = ["_" if part is None else self.style.names[part] for part in parts]
        if names:
            targets: list[ast.expr] = [ast.Name(name, ast.Store()) for name in names]
            self.assign(ast.Tuple(targets, ast.Store()), self.compute(node))

    def store(self, node: Store) -> None:
        array = self.expr(node.array)
        if not node.accumulate:
            place = self.index(node.index) if node.index else ast.Slice()
            self.assign(ast.Subscript(array, place, ast.Store()), self.expr(node.value))
            return
        if not node.index and self.has_arrays_in_lists and isinstance(array, ast.Name):
            self.out.append(add_to_all(array, self.expr(node.value), node.array.type))
            return
        target = ast.Subscript(array, self.index(node.index), ast.Store()) if node.index else array
        assert isinstance(target, ast.Name | ast.Subscript)
        self.out.append(add_in_place(target, self.expr(node.value)))

    def effect(self, node: Effect) -> None:
        args = self.exprs(node.args)
        match node.fn:
            case "assert":
                self.out.append(ast.Assert(args[0], args[1] if len(args) > 1 else None))
            case "raise":
                self.out.append(ast.Raise(ast.Call(args[0], args[1:], []), None))
            case "reverse_sweep":
                self.is_forward = False
                self.out += [Comment()] if self.out else []
            case "append":
                call = ast.Call(ast.Attribute(args[0], "append", ast.Load()), args[1:], [])
                self.out.append(ast.Expr(call))
            case _:
                made = Apply(Value(node.fn), node.fn, node.args, node.keywords)
                self.out.append(ast.Expr(self.compute(made)))

    def copies(self, targets: Iterable[Value], sources: Iterable[Atom]) -> None:
        """Assign in parallel; one by one where no target is read by a later source."""
        pairs, numbers = [], set()
        for target, source in zip(targets, sources, strict=True):
            name = self.style.names[target]
            same = isinstance(source, Value) and source not in self.style.inlined
            if source == UNDEFINED or (same and self.style.names[source] == name):  # type: ignore[index]
                continue
            pairs.append((name, self.expr(source)))
            numbers |= {name} if target in self.style.scalars else set()
        written: set[str] = set()
        clash = False
        for name, value in pairs:
            read = {n.id for n in ast.walk(value) if isinstance(n, ast.Name)}
            clash = clash or bool(read & written)
            written.add(name)
        if clash:
            names: list[ast.expr] = [ast.Name(name, ast.Store()) for name, _ in pairs]
            self.assign(ast.Tuple(names, ast.Store()), ast.Tuple([v for _, v in pairs], ast.Load()))
            return
        for name, value in pairs:
            step = in_place(name, value) if name in numbers else None
            self.out.append(step or ast.Assign([ast.Name(name, ast.Store())], value))

    def branch(self, node: If) -> None:
        def arm(region: Region) -> list[ast.stmt]:
            def write() -> None:
                self.region(region)
                self.copies(node.outs, region.yields)

            return self.inner(write)

        before = self.quoted
        then = arm(node.then)
        self.quoted = before
        orelse = arm(node.orelse)
        arms = [part for stmt in (*then, *orelse) for part in ast.walk(stmt)]
        self.quoted = "" if any(isinstance(part, Comment) for part in arms) else before
        self.out += choice_of(self.expr(node.test), then, orelse)

    def loop(self, node: For) -> None:
        index, *params = node.body.params
        self.copies(params, node.inits)
        target = ast.Name(self.style.names[index], ast.Store())
        call = ast.Call(
            load("prange" if node.parallel else "range"), self.bounds((node.start, node.stop, node.step)), []
        )
        quoted = self.quoted if node.role is Role.ADJOINT and not _is_header(node.loc.statement) else ""
        body = self.body(node.body, params, node.breaks, quoted)
        self.quoted = quoted
        self.out.append(ast.For(target, call, body, []))
        self.copies(node.outs, params)

    def while_loop(self, node: While) -> None:
        self.copies(node.body.params, node.inits)
        cond = self.inner(lambda: self.region(node.cond))
        test = self.expr(node.cond.yields[0])
        body = self.body(node.body, node.body.params, node.breaks)
        if not isinstance(cond[0], ast.Pass):
            leave = ast.If(ast.UnaryOp(ast.Not(), test), [ast.Break()], [])
            test, body = ast.Constant(True), [*cond, leave, *body]
        after = moved_out(body) if isinstance(test, ast.Constant) and test.value is True else []
        self.out += [ast.While(test, body, []), *after]
        self.copies(node.outs, node.body.params)

    def body(self, region: Region, params: Iterable[Value], breaks: bool, quoted: str = "") -> list[ast.stmt]:
        params, yields = tuple(params), region.yields[1:] if breaks else region.yields
        flag = region.yields[0] if breaks else Literal(False)
        self.quoted = quoted

        def write() -> None:
            unread = isinstance(flag, Value) and self.reads[flag] == 1
            self.tail(region.nodes, flag, unread, lambda: self.copies(params, yields))

        result = self.inner(write)
        self.quoted = ""
        return result

    def tail(self, nodes: tuple[Node, ...], flag: Atom, unread: bool, finish: Callable[[], None]) -> None:
        """Write the end of an iteration; a flag decided by its last branch becomes `if …: break`.

        `unread` tells that nothing but the break itself reads the flag.
        """
        last = nodes[-1] if nodes else None
        if isinstance(last, If) and flag is last.test:
            both = (last.then, Literal(True)), (last.orelse, Literal(False))
            self.early(nodes, last, None, both, False, finish)
            return
        if isinstance(last, If) and flag in last.outs and flag not in self.style.inlined:
            k = last.outs.index(flag)
            arms = [(last.then, last.then.yields[k]), (last.orelse, last.orelse.yields[k])]
            for arm, other, negate in ((0, 1, False), (1, 0, True)):
                if arms[arm][1] == Literal(True):
                    gone = k if unread and self.reads[last.outs[k]] == 1 else None
                    self.early(nodes, last, gone, (arms[arm], arms[other]), negate, finish)
                    return
        for node in nodes:
            self.node(node)
        if isinstance(flag, Literal):
            finish()
            self.out += [ast.Break()] if flag.value else []
            return
        test, copies = self.expr(flag), self.inner(finish)
        if _names(test, ast.Load) & {name for stmt in copies for name in _names(stmt, ast.Store)}:
            self.out.append(ast.If(test, [*copies, ast.Break()], []))
            self.out += copies
        else:
            self.out += [stmt for stmt in copies if not isinstance(stmt, ast.Pass)]
            self.out.append(ast.If(test, [ast.Break()], []))

    def early(
        self,
        nodes: tuple[Node, ...],
        last: If,
        gone: int | None,
        arms: tuple[tuple[Region, Atom], tuple[Region, Atom]],
        negate: bool,
        finish: Callable[[], None],
    ) -> None:
        """Write a last branch that leaves the loop in one arm; its output number `gone` is not needed."""
        for node in nodes[:-1]:
            self.node(node)
        keep = [j for j in range(len(last.outs)) if j != gone]

        def arm(region: Region, flag: Atom) -> None:
            outs, yields = [last.outs[j] for j in keep], [region.yields[j] for j in keep]

            def end() -> None:
                self.copies(outs, yields)
                finish()

            self.tail(region.nodes, flag, gone is not None, end)

        test = self.expr(last.test)
        leaving = self.inner(lambda: arm(*arms[0]))
        self.out.append(ast.If(negated(test) if negate else test, leaving, []))
        arm(*arms[1])


def _names(tree: ast.AST, context: type[ast.expr_context]) -> set[str]:
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, context)}


def _is_header(statement: str) -> bool:
    return statement.startswith(("for ", "while "))


def _outs(node: Apply | If) -> tuple[Value, ...]:
    return (node.out,) if isinstance(node, Apply) else node.outs


def definitions(region: Region) -> dict[Value, Node]:
    """Map every value that a node defines to that node."""
    return {v: node for node in walk(region) if isinstance(node, Apply | If) for v in _outs(node)}


def to_python(graph: Graph, style: Style) -> ast.FunctionDef:
    """Write a graph as a Python function definition.

    >>> from adcompiler.graph.unparse import unparse
    >>> from adcompiler.graph.text import unique_names
    >>> from adcompiler.frontend.lower import lower
    >>> from adcompiler.samples import sigmoid
    >>> graph = lower(sigmoid)
    >>> print(unparse(to_python(graph, Style(unique_names(graph.body)))))
    def sigmoid(x):
        neg = -x
        exp = math.exp(neg)
        add = 1.0 + exp
        result = 1.0 / add
        return result
    <BLANKLINE>
    """
    has_sweeps = any(isinstance(node, Effect) and node.fn == "reverse_sweep" for node in graph.body.nodes)
    made, reads = definitions(graph.body), dict(uses(graph.body))
    in_lists = any(map(is_list_of_arrays, (value.type for value in (*made, *reads))))
    writer = Writer(style, made, reads, is_forward=has_sweeps, has_arrays_in_lists=in_lists)
    parameters = graph.parameters or [(style.names[param], Leaf()) for param in graph.body.params]
    supply, names = iter(graph.body.params), dict[str, str]()
    for name, layout in parameters:
        target = build(layout, (ast.Name(style.names[v], ast.Store()) for v in supply), _targets)
        if isinstance(layout, Packed):
            writer.assign(target, load(name))
        elif isinstance(target, ast.Name):
            names[name] = target.id
    writer.region(graph.body)
    if not isinstance(graph.returns, Static) or not writer.out:
        writer.out.append(ast.Return(_returned(graph, writer)))
    args = [ast.arg(names.get(name, name)) for name, _ in parameters]
    doc: list[ast.stmt] = [ast.Expr(ast.Constant(graph.doc))] if graph.doc else []
    defaults = [literal(default.value) for default in graph.defaults]
    arguments = ast.arguments([], args, None, [], [], None, defaults)
    return ast.FunctionDef(graph.name, arguments, doc + writer.out, [], None)


def _targets(layout: Packed, parts: list[Any]) -> ast.expr:
    unused = ast.Name("_", ast.Store())
    return ast.Tuple([part if isinstance(part, ast.expr) else unused for part in parts], ast.Store())


def _returned(graph: Graph, writer: Writer) -> ast.expr | None:
    found = writer.exprs(graph.body.yields)
    if graph.returns is None:
        return found[0] if len(found) == 1 else ast.Tuple(found, ast.Load())

    def pack(layout: Packed, parts: list[Any]) -> ast.expr:
        items = [part if isinstance(part, ast.expr) else ast.Constant(part) for part in parts]
        if is_bare(layout.maker):
            return ast.Tuple(items, ast.Load())
        return ast.Call(load(writer.style.makers.get(layout.maker, layout.maker.__name__)), items, [])

    if isinstance(graph.returns, Static):
        return None
    tree: ast.expr = build(graph.returns, iter(found), pack)
    return tree
