"""Algebra on constants and neutral elements, as one simplifies a formula by hand."""

from __future__ import annotations

from dataclasses import replace

from numba.core import types as nt

from adcompiler.analysis.alias import memory_classes, written_arrays
from adcompiler.analysis.types import element, is_array, is_float, is_list
from adcompiler.graph.atoms import is_adjoint
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    For,
    Graph,
    If,
    Literal,
    Node,
    Region,
    Role,
    Value,
    While,
    type_of,
)
from adcompiler.graph.walk import map_operands, regions, rename, uses, with_regions
from adcompiler.primitives import card, hint
from adcompiler.simplify.constants import computed, is_arithmetic
from adcompiler.simplify.terms import Term, joined, same_product, term_of, type_of_multiple

Made = dict[Value, Apply]


def fold(graph: Graph) -> Graph:
    """Return the graph with constants computed and neutral elements removed.

    Args:
        graph: the graph to simplify.
        types: types as far as known, extended with the values made here. Where x is a float number,
            `1.0 * x` becomes `x`. For an array it may not: the product is a new array, `x` is not.

    >>> from numba import float64
    >>> from adcompiler.graph.text import to_text
    >>> x, t, y = (Value(name, type=float64) for name in "xty")
    >>> nodes = (Apply(t, "pow", (x, Literal(1))), Apply(y, "mul", (Literal(1.0), t)))
    >>> print(to_text(fold(Graph("f", Region((x,), nodes, (y,))))))
    graph f(x):
      return x
    """
    folder = _Folder(graph.body)
    return replace(graph, body=rename(folder.region(graph.body), folder.renamed))


class _Folder:
    def __init__(self, body: Region) -> None:
        self.uses = uses(body)
        self.classes = memory_classes(body)
        self.written = {self.classes.get(array, array) for array in written_arrays(body)}
        self.known: dict[Value, Atom] = {}
        self.made: Made = {}
        self.extra: list[Node] = []
        self.sizes: set[Value] = set()
        self.renamed: dict[Value, Value] = {}

    def make(self, node: Apply, fn: str, *args: Atom) -> Value:
        """Add a node of its own before the one that is being simplified."""
        out = Value(hint(fn), temporary=True)
        self.made[out] = made = replace(node, out=out, fn=fn, args=args)
        self.extra.append(made)
        self.same_type(out, node)
        return out

    def same_type(self, out: Value, node: Apply) -> None:
        if node.out.type is not None:
            out.type = node.out.type

    def is_float(self, atom: Atom) -> bool:
        if isinstance(atom, Literal):
            return isinstance(atom.value, float)
        return is_float(type_of(atom))

    def is_number(self, atom: Atom) -> bool:
        return self.is_float(atom) or isinstance(type_of(atom), nt.Complex)

    def is_integer(self, atom: Atom) -> bool:
        return isinstance(type_of(atom), nt.Integer)

    def read(self, atom: Atom) -> Atom:
        while isinstance(atom, Value) and atom in self.known:
            atom = self.known[atom]
        return atom

    def region(self, region: Region) -> Region:
        nodes: list[Node] = []
        for node in region.nodes:
            node = map_operands(node, self.read)
            if isinstance(node, Apply):
                simple = self.simplify(node)
                nodes += self.extra
                self.extra = []
                if not isinstance(simple, Apply):
                    self.known[node.out] = simple
                    self.keep_name(simple, node.out)
                    continue
                self.made[simple.out] = node = simple
            elif isinstance(node, If) and isinstance(node.test, Literal):
                arm = self.region(node.then if node.test.value else node.orelse)
                nodes += arm.nodes
                self.known.update(zip(node.outs, arm.yields, strict=True))
                continue
            else:
                if isinstance(node, For) and not any(map(self.may_be_negative, (node.start, node.step))):
                    self.sizes.add(node.body.params[0])
                node = with_regions(node, tuple(self.region(inner) for inner in regions(node)))
                if isinstance(node, For):
                    node = self.counted(node)
                if isinstance(node, While) and node.cond.yields == (Literal(False),) and not node.cond.nodes:
                    self.known.update(zip(node.outs, node.inits, strict=True))
                    continue
            nodes.append(node)
        return Region(region.params, tuple(nodes), tuple(map(self.read, region.yields)))

    def keep_name(self, atom: Atom, out: Value) -> None:
        """Let what a node comes down to have the node's name, where that says which adjoint it is."""
        made = self.maker(atom)
        if made is None or made.role is not Role.ADJOINT:
            return
        if not made.out.temporary or made.out in self.renamed:
            return
        if is_adjoint(out) and not is_adjoint(made.out):
            self.renamed[made.out] = new = Value(out.name, out.temporary)
            self.same_type(new, made)

    def counted(self, node: For) -> For:
        """A loop that counts down without reading its index may as well count up, to no less than zero."""
        start, stop = self.maker(node.start), self.maker(node.stop)
        is_upwards = (node.start, node.step) == (Literal(0), Literal(1))
        if is_upwards and stop is not None and stop.fn == "max" and self.uses[stop.out] == 1:
            return replace(node, stop=stop.args[0]) if stop.args[1:] == (Literal(0),) else node
        down = node.step == Literal(-1) and node.stop == Literal(-1)
        if not down or start is None or start.fn != "sub" or start.args[1] != Literal(1):
            return node
        if uses(node.body)[node.body.params[0]]:
            return node
        return replace(node, start=Literal(0), stop=start.args[0], step=Literal(1))

    def simplify(self, node: Apply) -> Apply | Atom:
        if all(isinstance(atom, Literal) for atom in node.args) and is_arithmetic(node):
            return computed(node)
        match node.fn:
            case "and" | "or":
                return self.boolean(node)
            case "mul":
                return self.mul(node)
            case "times" if self.is_never_zero(node.args[0]):
                return self.simplify(replace(node, fn="mul"))
            case "times" if isinstance(node.args[0], Literal) and self.is_float(node.args[1]):
                return Literal(0.0)
            case "times" if (product := self.without_sign(node)) is not None:
                return product
            case "add":
                return self.add(node)
            case "sub":
                return self.sub(node)
            case "len" if (steps := self.maker(node.args[0])) and steps.fn == "range":
                bounds = [atom.value for atom in steps.args if isinstance(atom, Literal)]
                is_constant = len(bounds) == len(steps.args) and 0 not in bounds[2:]
                return Literal(len(range(*bounds))) if is_constant else node
            case "max" if len(node.args) == 2 and self.is_zero(node.args[1]) and self.is_size(node.args[0]):
                return node.args[0]
            case "truediv" if negated := self.negated(node.args[0]):
                return replace(node, fn="neg", args=(self.make(node, "truediv", negated, node.args[1]),))
            case "truediv" if (quotient := self.of_constants(node)) is not None:
                return quotient
            case "truediv" | "pow" if self.is_one(node.args[1]) and self.is_float(node.args[0]):
                return node.args[0]
            case "pos" if self.is_float(node.args[0]) or self.is_integer(node.args[0]):
                return node.args[0]
            case "getitem" if (inner := self.maker(node.args[0])) and inner.fn == "tuple":
                return inner.args[node.args[1].value] if isinstance(node.args[1], Literal) else node
            case "T" if (inner := self.maker(node.args[0])) and inner.fn == "T":
                return inner.args[0]
            case "np.zeros_like" if (blank := self.only_measured(node)) is not None:
                return replace(blank, out=node.out, fn="np.zeros")
            case fn if card(fn).is_conversion and self.is_already(node):
                return node.args[0]
            case "np.float32" if (inner := self.maker(node.args[0])) and inner.fn == "np.float32":
                return node.args[0]
            case "neg":
                negated = self.negated(node.args[0])
                if negated is not None:
                    return self.under_name(node, negated)
                inner = self.fixed(node.args[0])
                if inner is not None and inner.fn == "mul" and isinstance(inner.args[0], Literal):
                    negative = Literal(-inner.args[0].value)
                    return replace(node, fn="mul", args=(negative, inner.args[1]))
        return node

    def of_constants(self, node: Apply) -> Apply | None:
        """Return 6.0 / (3.0 * x) of the reverse sweep as 2.0 / x."""
        number, divisor = node.args
        below = self.fixed(divisor)
        if node.role is not Role.ADJOINT or not isinstance(number, Literal):
            return None
        if below is None or below.fn != "mul":
            return None
        factor = below.args[0]
        if not isinstance(factor, Literal) or not self.is_float(factor) or factor.value == 0:
            return None
        return replace(node, args=(Literal(number.value / factor.value), below.args[1]))

    def is_already(self, node: Apply) -> bool:
        """Tell whether a conversion changes nothing: its argument is of that kind, and never written."""
        source = node.args[0]
        kind = type_of(source)
        if kind is None or is_list(kind):
            return False
        assert isinstance(source, Value)
        dtype = getattr(node.args[1], "name", "") if node.fn == "astype" else node.fn
        is_same = dtype == f"np.{element(kind)}" or (card(node.fn).keeps_reals and is_float(element(kind)))
        memory = [self.classes.get(value, value) for value in (source, node.out)]
        return is_same and not (is_array(kind) and self.written.intersection(memory))

    def is_same_array(self, atom: Atom, out: Value) -> bool:
        """Tell whether an atom is an array of floats of the type of what is computed from it."""
        kind = type_of(atom)
        return is_array(kind) and is_float(element(kind)) and kind == type_of(out)

    def maker(self, atom: Atom) -> Apply | None:
        return self.made.get(atom) if isinstance(atom, Value) else None

    def is_stable(self, atom: Atom) -> bool:
        """Tell whether an atom means the same wherever it is read: a number, or memory never written."""
        if not isinstance(atom, Value) or self.is_float(atom) or self.is_integer(atom):
            return True
        return self.classes.get(atom, atom) not in self.written

    def through(self, atom: Atom) -> Apply | None:
        """Return what computes a value, if it may as well be computed where the value is read."""
        made = self.maker(atom)
        return made if made is not None and all(map(self.is_stable, (atom, *made.args))) else None

    def fixed(self, atom: Atom) -> Apply | None:
        """Like `through`, but leaves arrays that the user gave a name."""
        is_ours = isinstance(atom, Value) and (atom.temporary or self.is_float(atom))
        return self.through(atom) if is_ours else None

    def may_be_negative(self, atom: Atom) -> bool:
        if isinstance(atom, Literal) and isinstance(atom.value, int):
            return atom.value < 0
        return not self.is_size(atom)

    def is_size(self, atom: Atom) -> bool:
        if atom in self.sizes:  # the index of a loop that counts up
            return True
        made = self.maker(atom)
        base = self.maker(made.args[0]) if made is not None and made.fn == "getitem" else None
        return made is not None and (made.fn == "len" or (base is not None and base.fn == "shape"))

    def is_one(self, atom: Atom) -> bool:
        made = self.maker(atom)
        if made is not None and made.fn == "np.float32":
            return self.is_one(made.args[0])
        return isinstance(atom, Literal) and atom.value == 1 and not isinstance(atom.value, bool)

    def is_zero(self, atom: Atom) -> bool:
        return isinstance(atom, Literal) and atom.value == 0 and not isinstance(atom.value, bool)

    def is_never_zero(self, atom: Atom) -> bool:
        """Tell whether an adjoint is some number other than zero, such as one part of a mean."""
        made = self.maker(atom)
        if isinstance(atom, Literal):
            return bool(atom.value)
        if made is None:
            return False
        match made.fn:
            case "truediv":
                divisor = self.maker(made.args[1])
                is_count = divisor is not None and divisor.fn in ("len", "size")
                return self.is_never_zero(made.args[0]) and (is_count or isinstance(made.args[1], Literal))
            case "mul":
                return all(map(self.is_never_zero, made.args))
        return made.fn in ("neg", "pos") and self.is_never_zero(made.args[0])

    def boolean(self, node: Apply) -> Apply | Atom:
        """`and` and `or` of plain tests, neither of which has an effect."""
        for known, other in (node.args, node.args[::-1]):
            if isinstance(known, Literal):
                return other if bool(known.value) == (node.fn == "and") else known
        return node

    def only_measured(self, node: Apply) -> Apply | None:
        """Return what allocates an array that nothing reads but a node that makes zeros like it."""
        blank = self.maker(node.args[0])
        is_alone = blank is not None and self.uses[blank.out] == 1 and len(node.args) == 1
        return blank if blank is not None and is_alone and blank.fn in ("np.empty", "np.zeros") else None

    def without_sign(self, node: Apply) -> Apply | None:
        """Return the negative of a product where one factor is a negative."""
        for position, atom in enumerate(node.args):
            if negated := self.negated(atom):
                factors = [negated if k == position else arg for k, arg in enumerate(node.args)]
                return replace(node, fn="neg", args=(self.make(node, node.fn, *factors),))
        return None

    def mul(self, node: Apply) -> Apply | Atom:
        left, right = node.args
        if (product := self.without_sign(node)) is not None:
            return product
        for one, other in ((left, right), (right, left)):
            if self.is_one(one) and (self.is_number(other) or (one == Literal(1) and self.is_integer(other))):
                return other
            if isinstance(one, Literal) and one.value == -1 and self.is_float(other):
                return replace(node, fn="neg", args=(other,))
            if one == Literal(1.0) and self.is_same_array(other, node.out):
                return replace(node, fn="copy", args=(other,))
        if isinstance(right, Literal) and not isinstance(left, Literal):
            return self.mul(replace(node, args=(right, left)))  # constants first: 2.0 * x
        if isinstance(left, Literal):
            scaled = self.scaled(node, left, right)
            is_product = scaled is not None and scaled.fn == "mul" and isinstance(scaled.args[0], Literal)
            return self.mul(scaled) if scaled is not None and is_product else scaled or node
        return node

    def is_shared(self, atom: Atom) -> bool:
        """Tell whether a value is used more than once."""
        return isinstance(atom, Value) and self.uses[atom] > 1

    def scaled(self, node: Apply, factor: Literal, atom: Atom) -> Apply | None:
        """Multiply a product or quotient that begins with a constant: 2 * (3.0 * x / y) is 6.0 * x / y."""
        inner = self.fixed(atom)
        if inner is None or inner.fn not in ("mul", "truediv"):
            return None
        first, second = inner.args
        is_shared = self.is_shared(atom)
        if is_shared and (inner.fn == "truediv" or not isinstance(first, Literal)):
            return None  # it is needed as it is
        if isinstance(first, Literal):
            value = Literal(factor.value * first.value)
            return replace(inner, out=node.out, args=(value, second), loc=node.loc, role=node.role)
        product = Value("mul", temporary=True, type=type_of_multiple(first, node.out.type))
        spine = self.scaled(replace(node, out=product), factor, first)
        if spine is None:
            return None
        self.made[spine.out] = spine
        self.extra.append(spine)
        return replace(inner, out=node.out, args=(spine.out, second), loc=node.loc, role=node.role)

    def under_name(self, node: Apply, atom: Atom) -> Apply | Atom:
        """Return what a node comes down to; a product without a name is computed under the node's own."""
        made = self.fixed(atom)
        if made is not None and made.fn in ("mul", "truediv"):
            return replace(made, out=node.out)
        return atom if self.is_number(atom) else node

    def negated(self, atom: Atom) -> Atom | None:
        """Return x where the atom is -x, computed in place."""
        made = self.through(atom)
        is_negative = made is not None and made.fn == "neg" and made.out.temporary
        return made.args[0] if made is not None and is_negative else None

    def add(self, node: Apply) -> Apply | Atom:
        left, right = node.args
        for zero, other in ((left, right), (right, left)):
            is_whole = zero == Literal(0) and type_of(other) == nt.int64
            if is_whole or (self.is_zero(zero) and self.is_float(other)):
                return other
        if left is right and self.is_float(left):
            return self.mul(replace(node, fn="mul", args=(Literal(2.0), left)))
        if (moved := self.shifted(node, 1)) is not None:
            return moved
        negative = self.through(right)
        is_own = negative is not None and (negative.out.temporary or self.uses[negative.out] == 1)
        if negative is not None and negative.fn == "neg" and is_own:
            return replace(node, fn="sub", args=(left, negative.args[0]))
        if (minus := self.negated(left)) is not None:
            return replace(node, fn="sub", args=(right, minus))
        first, second = self.through(left), self.through(right)
        if first is not None and second is not None and self.is_float(left) and same_product(first, second):
            return replace(node, fn="mul", args=(Literal(2.0), left))
        return self.gathered(node, 1) or node

    def sub(self, node: Apply) -> Apply | Atom:
        left, right = node.args
        if self.is_zero(right) and (self.is_float(left) or (right == Literal(0) and self.is_integer(left))):
            return left
        if self.is_zero(left) and self.is_float(right):
            return replace(node, fn="neg", args=(right,))
        if (minus := self.negated(right)) is not None:
            return replace(node, fn="add", args=(left, minus))
        return self.shifted(node, -1) or self.gathered(node, -1) or node

    def gathered(self, node: Apply, sign: int) -> Apply | Atom | None:
        """Join multiples of one product that the reverse sweep adds, as in `x * x + 2 * (x * x)`."""
        if node.role is not Role.ADJOINT or not all(map(self.is_float, node.args)):
            return None
        left, added = node.args[0], term_of(node.args[1], self.in_term)
        both = joined(term_of(left, self.in_term), added, sign)
        if both is not None:
            return self.product(node, both)
        total = self.maker(left)
        if total is None or total.fn not in ("add", "sub") or self.is_shared(left):
            return None
        both = joined(added, term_of(total.args[1], self.in_term), sign if total.fn == "add" else -sign)
        if both is None:
            return None
        part = self.product(node, both)
        last = self.make(node, part.fn, *part.args) if isinstance(part, Apply) else part
        return replace(node, fn="add" if sign > 0 else "sub", args=(total.args[0], last))

    def in_term(self, atom: Atom) -> Apply | None:
        """Return what computes a number of the reverse sweep, or a number without a name."""
        made = self.maker(atom)
        is_open = made is not None and (made.role is Role.ADJOINT or made.out.temporary)
        return made if is_open and self.is_float(atom) else None

    def product(self, node: Apply, term: Term) -> Apply | Atom:
        """Return a term, written under the name of a node."""
        number: list[Atom] = [] if term.number == 1 else [Literal(term.number)]
        if term.guarded:
            factors = (self.chained(node, [*number, *term.guarded]), self.chained(node, [*term.factors]))
            return replace(node, fn="times", args=factors)
        *first, last = [*number, *term.factors]
        return replace(node, fn="mul", args=(self.chained(node, first), last)) if first else last

    def chained(self, node: Apply, factors: list[Atom]) -> Atom:
        """Return the product of some factors, computed before a node."""
        product = factors[0]
        for factor in factors[1:]:
            product = self.make(node, "mul", product, factor)
        return product

    def shifted(self, node: Apply, sign: int) -> Apply | Atom | None:
        """Index arithmetic: (i + 2) - 1 is i + 1, and (n - 1) + 1 is n."""
        left, right = node.args
        inner = self.maker(left)
        if inner is None or inner.fn not in ("add", "sub") or not self.is_integer(inner.args[0]):
            return None
        offset = inner.args[1]
        if not (isinstance(offset, Literal) and isinstance(right, Literal)):
            return None
        if type(offset.value) is not int or type(right.value) is not int:
            return None
        first = offset.value if inner.fn == "add" else -offset.value
        total = first + sign * right.value
        if total == 0:
            return inner.args[0]
        fn, size = ("add", total) if total > 0 else ("sub", -total)
        return replace(node, fn=fn, args=(inner.args[0], Literal(size)))
