"""Remove `break`, `continue` and `return` from nested positions: flags and nested branches instead.

After this pass a statement list runs from top to bottom. `return e` has become `$result = e`, a
`break` sets the loop's stop flag as the last thing an iteration does, and code that a jump would
skip stands in the branch where the jump is not taken. Flag names start with `$`, which no user's
name can.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import gast

from adcompiler.frontend.parse import Source, own_nodes
from adcompiler.frontend.quiet_blocks import without_quiet_blocks
from adcompiler.frontend.tuple_lists import without_tuple_lists

RESULT, RETURNED = "$result", "$returned"


@dataclass
class Structured:
    """A jump-free body, with the name of the stop flag of each loop that can be left early."""

    body: list[gast.stmt]
    stops: dict[gast.AST, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Loop:
    stop: str
    skip: str


def structure(source: Source) -> Structured:
    """Return the jump-free form of a function's body."""
    tree = source.tree
    if isinstance(tree, gast.Lambda):
        return Structured([_assign(RESULT, tree.body, tree.body)])
    parameters = {part.id for part in gast.walk(tree.args) if isinstance(part, gast.Name)}
    body = without_tuple_lists(without_quiet_blocks(tree.body, source.function), parameters)
    last = body[-1]
    returns = [n for stmt in body for n in own_nodes(stmt) if isinstance(n, gast.Return)]
    if all(node.value is None for node in returns):
        body = [*body, gast.copy_location(gast.Return(None), last)]
    elif not _always_leaves(body):
        body = [*body, _no_value(tree.name, last)]
    rewriter = _Rewriter(Structured([]))
    rewriter.out.body = rewriter.block(body, None)
    if rewriter.returns_partially:
        rewriter.out.body.insert(0, _flag(RETURNED, False, tree.body[0]))
    return rewriter.out


def _no_value(function: str, like: gast.AST) -> gast.Raise:
    """Python returns None where a function's end is reached; no derivative follows from that."""
    text = gast.Constant(f"'{function}' ended without a value", None)
    error = gast.Call(gast.Name("ValueError", gast.Load(), None, None), [text], [])
    made = gast.Raise(error, None)
    for node in gast.walk(made):
        gast.copy_location(node, like)
    return made


def _name(name: str, like: gast.AST, context: gast.AST) -> gast.Name:
    return gast.copy_location(gast.Name(name, context, None, None), like)


def _assign(name: str, value: gast.expr, like: gast.AST) -> gast.Assign:
    return gast.copy_location(gast.Assign([_name(name, like, gast.Store())], value, None), like)


def _rebound(stmt: gast.With, name: str) -> gast.Assign:
    """`with grad_of(x) as d:` binds x, to those who ask what statements bind; its own are run elsewhere."""
    made = _assign(name, stmt.items[0].context_expr, stmt)
    made.adjoint_block = stmt
    return made


def _flag(name: str, value: bool, like: gast.AST) -> gast.Assign:
    return _assign(name, gast.copy_location(gast.Constant(value, None), like), like)


def _none_of(flags: list[str], like: gast.AST) -> gast.expr:
    names = [_name(flag, like, gast.Load()) for flag in flags]
    test = names[0] if len(names) == 1 else gast.BoolOp(gast.Or(), names)
    return gast.copy_location(gast.UnaryOp(gast.Not(), gast.copy_location(test, like)), like)


def _jumps(stmts: list[gast.stmt], in_loop: bool = True) -> set[type]:
    """Return the kinds of jump that leave this list: Return, and Break/Continue of the loop around it."""
    kinds: set[type] = set()
    for stmt in stmts:
        match stmt:
            case gast.Return():
                kinds.add(gast.Return)
            case gast.Break() | gast.Continue() if in_loop:
                kinds.add(type(stmt))
            case gast.If():
                kinds |= _jumps(stmt.body, in_loop) | _jumps(stmt.orelse, in_loop)
            case gast.For() | gast.While():
                kinds |= _jumps(stmt.body, False) | _jumps(stmt.orelse, in_loop)
    return kinds


def _endless(stmt: gast.While) -> bool:
    constant = isinstance(stmt.test, gast.Constant) and bool(stmt.test.value)
    return constant and gast.Break not in _jumps(stmt.body)


def _always_leaves(stmts: list[gast.stmt]) -> bool:
    """Tell whether every path through the list ends in a jump."""
    if not stmts:
        return False
    match stmts[-1]:
        case gast.Return() | gast.Break() | gast.Continue() | gast.Raise():
            return True
        case gast.If() as stmt:
            return _always_leaves(stmt.body) and _always_leaves(stmt.orelse)
        case gast.While() as stmt:
            return _endless(stmt)
        case _:
            return any(isinstance(s, gast.Return | gast.Break | gast.Continue) for s in stmts)


def _tested_inside(stmt: gast.While) -> gast.While:
    """Return `while True: if not test: break` for a test that assigns variables."""
    leave = gast.copy_location(gast.Break(), stmt.test)
    failed = gast.copy_location(gast.UnaryOp(gast.Not(), stmt.test), stmt.test)
    test = gast.copy_location(gast.If(failed, [*stmt.orelse, leave], []), stmt.test)
    always = gast.copy_location(gast.Constant(True, None), stmt.test)
    return gast.copy_location(gast.While(always, [test, *stmt.body], []), stmt)


@dataclass
class _Rewriter:
    out: Structured
    returns_partially: bool = False
    loops: int = 0

    def block(self, stmts: list[gast.stmt], loop: _Loop | None) -> list[gast.stmt]:
        done: list[gast.stmt] = []
        for position, stmt in enumerate(stmts):
            rest = stmts[position + 1 :]
            match stmt:
                case gast.Return() | gast.Break() | gast.Continue():
                    return done + self.jump(stmt, loop)
                case gast.If() if _jumps([stmt]):
                    return done + self.branch(stmt, rest, loop)
                case gast.If():
                    done.append(self._if(stmt, self.block(stmt.body, loop), self.block(stmt.orelse, loop)))
                case gast.For() | gast.While():
                    done += self.loop(stmt, loop)
                    if gast.Return in _jumps(stmt.body) or _jumps(stmt.orelse):
                        return done + self.after(stmt, [stmt], rest, loop)
                case gast.With(items=[gast.withitem(context_expr=gast.Call(args=[gast.Name() as of]))]):
                    done.append(_rebound(stmt, of.id))
                case _:
                    done.append(stmt)
        return done

    def jump(self, stmt: gast.stmt, loop: _Loop | None) -> list[gast.stmt]:
        match stmt:
            case gast.Return(value=None):
                value = gast.copy_location(gast.Constant(None, None), stmt)
                return self.jump(gast.copy_location(gast.Return(value), stmt), loop)
            case gast.Return():
                self.returns_partially = True
                flags = [_flag(RETURNED, True, stmt)]
                if loop is not None:
                    flags.append(_flag(loop.stop, True, stmt))
                return [_assign(RESULT, stmt.value, stmt), *flags]
            case gast.Break():
                assert loop is not None
                return [_flag(loop.stop, True, stmt)]
            case _:
                assert loop is not None
                return [_flag(loop.skip, True, stmt)]

    def branch(self, stmt: gast.If, rest: list[gast.stmt], loop: _Loop | None) -> list[gast.stmt]:
        """Where one branch always jumps, the rest belongs to the other; else guard it by flags."""
        body, orelse = stmt.body, stmt.orelse
        if _always_leaves(body):
            return [self._if(stmt, self.block(body, loop), self.block(orelse + rest, loop))]
        if _always_leaves(orelse):
            return [self._if(stmt, self.block(body + rest, loop), self.block(orelse, loop))]
        new = self._if(stmt, self.block(body, loop), self.block(orelse, loop))
        return [new, *self.after(stmt, [stmt], rest, loop)]

    def _if(self, stmt: gast.If, body: list[gast.stmt], orelse: list[gast.stmt]) -> gast.If:
        return gast.copy_location(gast.If(stmt.test, body, orelse), stmt)

    def after(
        self, like: gast.stmt, jumping: list[gast.stmt], rest: list[gast.stmt], loop: _Loop | None
    ) -> list[gast.stmt]:
        """Run `rest` only if no jump was taken; a return out of an inner loop stops this one too."""
        kinds = _jumps(jumping)
        flags = [RETURNED] if gast.Return in kinds else []
        if loop is not None:
            flags += [loop.stop] if gast.Break in kinds else []
            flags += [loop.skip] if gast.Continue in kinds else []
        done: list[gast.stmt] = []
        if loop is not None and isinstance(like, gast.For | gast.While) and gast.Return in kinds:
            stop = _flag(loop.stop, True, like)
            test = _name(RETURNED, like, gast.Load())
            done.append(gast.copy_location(gast.If(test, [stop], []), like))
        if rest:
            test = _none_of(flags, like)
            done.append(gast.copy_location(gast.If(test, self.block(rest, loop), []), like))
        return done

    def loop(self, stmt: gast.For | gast.While, outer: _Loop | None) -> list[gast.stmt]:
        if isinstance(stmt, gast.While) and any(isinstance(n, gast.NamedExpr) for n in own_nodes(stmt.test)):
            stmt = _tested_inside(stmt)
        self.loops += 1
        loop = _Loop(f"$stop{self.loops}", f"$skip{self.loops}")
        kinds = _jumps(stmt.body)
        body = self.block(stmt.body, loop)
        if gast.Continue in kinds:
            body.insert(0, _flag(loop.skip, False, stmt))
        leaves = bool(kinds & {gast.Break, gast.Return})
        if leaves:
            body.insert(0, _flag(loop.stop, False, stmt))
        new = gast.For(stmt.target, stmt.iter, body, [], None) if isinstance(stmt, gast.For) else None
        new = gast.copy_location(new or gast.While(stmt.test, body, []), stmt)
        if not leaves:
            return [new, *self.block(stmt.orelse, outer)]
        self.out.stops[new] = loop.stop
        done = [_flag(loop.stop, False, stmt), new]
        if stmt.orelse:
            test = _none_of([loop.stop], stmt)
            done.append(gast.copy_location(gast.If(test, self.block(stmt.orelse, outer), []), stmt))
        return done
