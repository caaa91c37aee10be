"""Statements: assignments, branches, loops, checks, calls of other functions."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from numba.core import types as nt

from adcompiler.c_code.c_lines import Block, assigned, words
from adcompiler.c_code.c_picking import Picking
from adcompiler.c_code.c_types import PRODUCT, SUM, Term, c_type, cast, refused, short_name
from adcompiler.graph.kinds import is_array, is_list, is_scalar
from adcompiler.graph.nodes import (
    UNDEFINED,
    Apply,
    Atom,
    Effect,
    For,
    Global,
    If,
    Literal,
    Node,
    Region,
    Role,
    Store,
    Value,
    While,
)
from adcompiler.primitives import Follows, card

_IN_PLACE: dict[Any, str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}


@dataclass
class Statements(Picking):
    """Writes the nodes of one function.

    Attributes:
        quoted: the user's line that stands above the statements that reverse it.
        is_forward: whether the reverse sweep is still to come.
    """

    quoted: str = ""
    is_forward: bool = False

    def region(self, region: Region) -> None:
        for node in region.nodes:
            self.node(node)

    def node(self, node: Node) -> None:
        if isinstance(node, Apply | If) and any(v in self.names.inlined for v in _outs(node)):
            return
        self.quote(node)
        match node:
            case Apply():
                self.apply(node)
            case Store():
                self.stored(node)
            case Effect():
                self.effect(node)
            case If():
                self.branch(node)
            case For():
                self.loop(node)
            case While():
                self.while_loop(node)

    def quote(self, node: Node) -> None:
        """Quote the user's line above the statements that reverse it."""
        text = node.loc.statement.split("\n")[0] if node.role is Role.ADJOINT else ""
        if self.is_forward or text == self.quoted or not text or text.startswith(("for ", "while ")):
            return
        if isinstance(node, Apply) and card(node.fn).allocates is not None:
            return
        self.quoted = text
        self.line(f"/* {text.replace('*/', '* /').replace('/*', '/ *')} */")

    def apply(self, node: Apply) -> None:
        if (
            card(node.fn).changes_length
            or node.fn == "list"
            or any(is_list(t) for t in map(self.kind, node.args))
        ):
            raise refused("a list is made or read", node.loc, "write it with arrays, or export a .py file")
        kind = nt.unliteral(node.out.type)
        if card(node.fn).is_of_module:
            self.call(node)
        elif node.fn == "np.nonzero":
            self.nonzero(node)
        elif is_array(kind):
            self.array(node)
        elif is_scalar(kind):
            self.number(node)
        else:
            raise refused(f"a value is of type {kind}", node.loc)

    def number(self, node: Apply) -> None:
        """Write a statement that computes a number."""
        if (
            any(is_array(self.kind(arg)) for arg in node.args)
            and not self.measured(node)
            and not self.element(node)
        ):
            if card(node.fn).follows is Follows.PRODUCT or node.fn == "np.vdot":
                self.product(node)
            elif not self.reduced(node) and not self.normed(node):
                raise refused(f"'{node.fn}' is called here", node.loc)
            return
        name, term = self.names.found[node.out], self.computed(node)
        first = node.args[0] if node.args else None
        own = isinstance(first, Value) and self.names.found.get(first) == name
        symbol = _IN_PLACE.get(card(node.fn).operator)
        if own and symbol and term.text.startswith(f"{name} {symbol} "):
            rest = term.text[len(name) + 3 :]
            self.line(f"{name} {symbol}= {rest}")
        else:
            self.put(name, term)
        if node.fn == "slots_within":
            self.stop_if(f"{name} == 0", "AD_MEMORY")

    def put(self, name: str, term: Term) -> None:
        if term.text != name:
            self.line(f"{name} = {term.text}")

    def array(self, node: Apply) -> None:
        """Write a statement that makes an array."""
        first = node.args[0] if node.args else None
        known = card(node.fn)
        match node.fn:
            case _ if known.allocates is not None:
                self.allocated(node)
            case "getitem" if self.picked_elements(node):
                pass
            case "np.concatenate":
                self.concatenated(node)
            case "getitem" | "nth" if first is not None and is_array(self.kind(first)):
                index = node.args[1:]
                self.target(node, lambda name: self.view(name, node.args[0], index, node.loc))
            case "T":
                self.permuted(node, range(self.kind(node.args[0]).ndim)[::-1])
            case "np.transpose":
                order = [arg.value for arg in node.args[1:] if isinstance(arg, Literal)]
                self.permuted(node, order)
            case "reshape" | "ravel" | "flatten":
                self.reshaped(node)
            case "copy" | "astype" | "np.ascontiguousarray":
                self.copied(node)
            case "stop_gradient" | "of_reals" | "np.asarray":
                self.refer(self.names.found[node.out], node.args[0])
            case "matmul" | "np.dot":
                self.product(node)
            case "np.outer":
                self.outer(node)
            case "np.sum":
                self.summed_along(node)
            case "sum_to":
                self.summed_to(node)
            case "longer":
                self.longer(node)
            case "np.expand_dims" if isinstance(node.args[1], Literal):
                axis = node.args[1].value % (self.kind(node.args[0]).ndim + 1)
                self.expanded(node, axis)
            case _ if self.made_by_place(node):
                pass
            case _ if known.is_elementwise or known.operator or known.follows is Follows.BROADCAST:
                self.operation_on_arrays(node)
            case _:
                raise refused(f"'{node.fn}' is called here", node.loc)

    def expanded(self, node: Apply, axis: int) -> None:
        """Write `np.expand_dims(a, axis)`."""
        base, rank = self.text(node.args[0]), self.kind(node.args[0]).ndim
        axes = [(f"{base}.shape[{k}]", f"{base}.strides[{k}]") for k in range(rank)]
        axes.insert(axis, ("1", "0"))
        self.target(node, lambda name: self.show(name, base, [], axes))

    def longer(self, node: Apply) -> None:
        """Write `longer(stack)`: a copy with room for twice as many."""
        base, kind = self.text(node.args[0]), nt.unliteral(node.out.type)

        def make(name: str) -> None:
            self.new(name, kind, [f"2 * {base}.shape[0]"])
            with self.loops([f"{base}.shape[0]"]) as places:
                self.line(f"{self.at(name, kind, places)} = {self.at(base, kind, places)}")

        self.target(node, make)

    def refer(self, name: str, source: Atom) -> None:
        """Let a variable be the same array as another."""
        text = self.text(source)
        if text != name:
            self.line(f"ad_hold({text}.owner)")
            self.line(f"ad_drop({name}.owner)")
            self.convert(name, source)

    def convert(self, name: str, source: Atom) -> None:
        text, wanted = self.text(source), self.names.variables[name]
        kind = self.kind(source)
        if c_type(kind) != wanted:
            raise refused(f"a variable is of type {wanted} and of type {c_type(kind)}")
        self.line(f"{name} = {text}")

    def effect(self, node: Effect) -> None:
        """Write a check, or the place where the reverse sweep begins."""
        args = node.args
        match node.fn:
            case "reverse_sweep":
                self.is_forward = False
                self.line("")
            case fn if card(fn).is_of_module:
                self.called(node, [])
            case "assert":
                self.stop_if(f"!({self.text(args[0])})", "AD_ASSERTION")
            case "add_parts":
                self.parts_added(node)
            case "raise":
                is_division = isinstance(args[0], Global) and args[0].value is ZeroDivisionError
                self.line(f"status = {'AD_ZERO_DIVISION' if is_division else 'AD_RAISED'}")
                self.line("goto done")
            case "same_size" | "fits":
                self.stop_if(self.compared(args[0], "!=", args[1]), "AD_SIZE")
            case "at_least":
                self.stop_if(self.compared(args[0], "<", args[1]), "AD_SIZE")
            case "fills":
                self.stop_if(
                    f"{self.compared(args[1], '!=', args[0])} && {self.text(args[1])} != 1", "AD_SIZE"
                )
            case "in_bounds":
                size, index = self.term(args[0]), self.term(args[1])
                test = f"{index.within(SUM)} >= {size.within(SUM)}"
                if not self.is_natural(args[1]):
                    test = f"({test} || {index.within(SUM)} < -{size.within(PRODUCT + 1)})"
                self.stop_if(self.while_running(dict(node.keywords).get("runs"), args[2:], test), "AD_INDEX")
            case "all_in_bounds":
                whole, start, stop = (self.term(arg).within(SUM) for arg in args[:3])
                test = f"{start} < {stop} && ({stop} > {whole} || {start} < -({whole}))"
                self.stop_if(self.while_running(dict(node.keywords).get("runs"), args[3:], test), "AD_INDEX")
            case "nonzero":
                self.stop_if(f"{self.term(args[0]).within(SUM)} == 0", "AD_ZERO_DIVISION")
            case _:
                what = "a list is changed" if card(node.fn).changes_length else f"'{node.fn}' is called"
                raise refused(what, node.loc)

    def parts_added(self, node: Effect) -> None:
        """Write `add_parts(array, parts)`."""
        array, parts = (self.text(arg) for arg in node.args)
        size = " * ".join(term.text for term in self.sizes(node.args[0], node.loc))
        name = f"ad_add_parts_{short_name(self.kind(node.args[0]).dtype)}"
        self.line(f"{name}({array}.data, {parts}.data, {size}, {parts}.shape[0])")

    def while_running(self, runs: Atom | None, more: Sequence[Atom], test: str) -> str:
        runs = runs or (more[0] if more else None)
        return test if runs is None else f"{self.term(runs).within(SUM)} > 0 && {test}"

    def compared(self, one: Atom, sign: str, two: Atom) -> str:
        return f"{self.term(one).within(SUM)} {sign} {self.term(two).within(SUM)}"

    def copies(self, targets: Iterable[Value], sources: Iterable[Atom]) -> None:
        """Assign in parallel; through further variables where a later source reads an earlier target."""
        pairs = [(self.names.found.get(t, ""), t, s) for t, s in zip(targets, sources, strict=True)]
        pairs = [p for p in pairs if p[0] and not (p[2] != UNDEFINED and self.text(p[2]) == p[0])]
        written: set[str] = set()
        clash = False
        for name, _, source in pairs:
            clash = clash or (source != UNDEFINED and bool(words(self.text(source)) & written))
            written.add(name)
        if not clash:
            for name, target, source in pairs:
                self.copy(name, target, source)
            return
        held = [(self.names.fresh("next", self.names.variables[name]), name, t, s) for name, t, s in pairs]
        for other, _, target, source in held:
            self.copy(other, target, source)
        for other, name, target, _ in held:
            if is_array(target.type):
                self.move(name, other)
            else:
                self.line(f"{name} = {other}")

    def copy(self, name: str, target: Value, source: Atom) -> None:
        if is_array(target.type):
            if source != UNDEFINED:
                self.refer(name, source)
        elif source == UNDEFINED:
            self.line(f"{name} = 0")
        else:
            self.put(name, cast(self.term(source), nt.unliteral(target.type)))

    def branch(self, node: If) -> None:
        test = self.text(node.test)
        arms = []
        for region in (node.then, node.orelse):
            self.quoted = ""
            arms.append(self.arm(region, node.outs))
        then, orelse = arms
        if then.body:
            self.out.append(Block(f"if ({test})", then.body))
            self.out += [Block("else", orelse.body)] if orelse.body else []
        elif orelse.body:
            self.out.append(Block(f"if (!({test}))", orelse.body))
        self.quoted = ""

    def arm(self, region: Region, outs: Iterable[Value], finish: Callable[[], None] | None = None) -> Block:
        """Return the statements of an arm."""
        outer, block = self.out, Block("")
        self.out = block.body
        self.region(region)
        self.copies(outs, region.yields)
        if finish is not None:
            finish()
        self.out = outer
        return block

    def loop(self, node: For) -> None:
        index, *params = node.body.params
        self.copies(params, node.inits)
        counter = self.names.found[index]
        block = Block("", [], counter)
        outer, self.out, quoted = self.out, block.body, self.quoted
        self.body(node.body, params, node.breaks)
        self.out, self.quoted = outer, quoted
        changed = assigned(block.body)
        if counter in changed:
            block.counter = self.names.fresh(f"{counter}_k", "int64_t")
            block.body.insert(0, f"{counter} = {block.counter}")
        stop = self.fixed(node.stop, changed | {block.counter}, "stop")
        i = block.counter
        match node.step:
            case Literal(value=int(step)):
                sign = "<" if step > 0 else ">"
                change = {1: f"{i}++", -1: f"{i}--"}.get(step, f"{i} += {step}")
                test = f"{i} {sign} {stop}"
            case _:
                step_text = self.fixed(node.step, changed | {i}, "step")
                test, change = f"({step_text} > 0 ? {i} < {stop} : {i} > {stop})", f"{i} += {step_text}"
        block.header = f"for ({i} = {self.text(node.start)}; {test}; {change})"
        self.at_once(block) if node.parallel else self.out.append(block)
        self.copies(node.outs, params)

    def at_once(self, block: Block) -> None:
        """Write a loop whose iterations run at once."""
        failed, left = (self.names.fresh(name, "int") for name in ("failed", "left"))
        if self.iterations.move(block, self.names.variables, failed, left):
            self.line(f"{failed} = AD_OK")
            self.out.append(block)
            self.stop_if(f"{failed} != AD_OK", failed)
        else:
            self.out.append(block)

    def fixed(self, atom: Atom, changed: set[str], base: str) -> str:
        """Return a bound of a loop; under a name of its own where the loop changes what it reads."""
        term = self.term(atom)
        if not words(term.text) & changed:
            return term.within(SUM)
        name = self.names.fresh(base, "int64_t")
        self.line(f"{name} = {term.text}")
        return name

    def while_loop(self, node: While) -> None:
        params = node.body.params
        self.copies(params, node.inits)
        outer, block = self.out, Block("while (true)")
        self.out = block.body
        self.region(node.cond)
        test = self.term(node.cond.yields[0])
        if block.body or "?" in test.text:
            with self.block(f"if (!({test.text}))"):
                self.line("break")
        else:
            block.header = f"while ({test.text})"
        self.body(node.body, params, node.breaks)
        self.out = outer
        self.out.append(block)
        self.copies(node.outs, params)

    def body(self, region: Region, params: Sequence[Value], breaks: bool) -> None:
        """Write an iteration."""
        flag = region.yields[0] if breaks else Literal(False)
        following = region.yields[breaks:]
        last = region.nodes[-1] if region.nodes else None
        if breaks and isinstance(last, If) and last.test is flag:
            for node in region.nodes[:-1]:
                self.node(node)
            test = self.text(flag)

            def leave() -> None:
                self.copies(params, following)
                self.line("break")

            self.out.append(Block(f"if ({test})", self.arm(last.then, last.outs, leave).body))
            self.out += self.arm(last.orelse, last.outs, lambda: self.copies(params, following)).body
            return
        self.region(region)
        if flag == Literal(False):
            self.copies(params, following)
            return
        test = self.text(flag)
        copies = Block(f"if ({test})")
        outer, self.out = self.out, copies.body
        self.copies(params, following)
        self.out = outer
        if words(test) & assigned(copies.body):
            self.out.append(Block(f"if ({test})", [*copies.body, "break"]))
            self.out += copies.body
        else:
            self.out += copies.body
            with self.block(f"if ({test})"):
                self.line("break")

    def call(self, node: Apply) -> None:
        """Write a call of another function of the module that returns something."""
        kind = nt.unliteral(node.out.type)
        kinds = [nt.unliteral(part) for part in kind.types] if isinstance(kind, nt.BaseTuple) else [kind]
        if not all(is_scalar(part) or is_array(part) for part in kinds):
            raise refused(f"a call returns a value of type {kind}", node.loc)
        results = self.called(node, kinds)
        if isinstance(kind, nt.BaseTuple):
            self.returned[node.out] = results
        elif is_array(kind):
            self.move(self.names.found[node.out], results[0].text)
        else:
            self.line(f"{self.names.found[node.out]} = {results[0].text}")

    def called(self, node: Apply | Effect, kinds: Sequence[nt.Type]) -> list[Term]:
        """Write a call, and return its results."""
        callee, *args = node.args
        assert isinstance(callee, Global)
        given = [self.text(arg) for arg in args if arg != Literal(None)]
        results = [self.names.fresh("result", c_type(part)) for part in kinds]
        for result, part in zip(results, kinds, strict=True):
            if is_array(part):
                self.line(f"ad_drop({result}.owner)")
                self.line(f"{result} = ({c_type(part)}){{0}}")
        self.line(f"status = {callee.name}({', '.join([*given, *(f'&{result}' for result in results)])})")
        self.stop_if("status != AD_OK", "status")
        return [Term(result, part) for result, part in zip(results, kinds, strict=True)]


def _outs(node: Apply | If) -> tuple[Value, ...]:
    return (node.out,) if isinstance(node, Apply) else node.outs
