"""Cards: all that is known about a primitive, in one place.

A node of the graph names its primitive: `math.exp`, `getitem`, `np.zeros`. Its card says how it is written,
what it returns, what it does to memory, what it costs, and what its derivative is. Analyses and passes ask
cards; nothing else in the compiler lists primitives by name. Tests hold each claim against NumPy and Numba.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from adcompiler.primitives.rule import Elementwise, Structured


class Spelling(Enum):
    """How a primitive is written in Python."""

    FUNCTION = auto()
    OPERATOR = auto()
    ATTRIBUTE = auto()
    METHOD = auto()
    JOIN = auto()
    """A function of a tuple; in the graph its items are arguments of their own."""
    FORM = auto()
    """A form of its own, such as `a[i]`, `(a, b)` or `print(a)`; the writer of source knows each."""


class Follows(Enum):
    """How the axes of a result follow from the arguments."""

    NUMBER = auto()
    SAME_SHAPE = auto()
    """The shape of the first argument."""
    SAME_RANK = auto()
    """The number of axes of the first argument."""
    BROADCAST = auto()
    """The shape that all arguments are stretched to."""
    PRODUCT = auto()
    """The axes of both arguments, without the last of the first and the last but one of the second."""
    GIVEN = auto()
    """The first argument is a shape."""
    REDUCED = auto()
    """The axes of the first argument without `axis`; none if there is no `axis`."""
    VECTOR = auto()
    MATRIX = auto()
    OWN = auto()
    """A rule of its own, or not known."""


class Gives(Enum):
    """The type of the numbers in a result."""

    WIDEST = auto()
    """The widest of the arguments' types: float64 before int64."""
    SAME = auto()
    """The type that all arguments have."""
    PART = auto()
    """The type that all arguments have; of complex numbers, that of their parts."""
    REAL = auto()
    """float64 for integers, too."""
    TEST = auto()
    """Booleans."""
    OWN = auto()


class Shows(Enum):
    """What memory a result may share with the arguments."""

    NOTHING = auto()
    FIRST = auto()
    """A view of the first argument."""
    FIRST_IF_CONTIGUOUS = auto()
    """A view of the first argument if its elements lie in C order one after the other, else a copy."""
    MAYBE_FIRST = auto()
    """A view of the first argument, or a copy of it: nothing may depend on which."""
    ALL = auto()
    """A tuple of all arguments."""
    HOLDS = auto()
    """It may hold all arguments."""
    HANDED_OUT = auto()
    """It may hold, be, or have been held by any argument."""


class Fill(Enum):
    """What stands in a new array."""

    NOTHING = auto()
    ZEROS = auto()
    ONES = auto()
    VALUE = auto()
    """The second argument."""


class Vanishes(Enum):
    """When a result is zero because of zeros among the arguments."""

    WITH_ALL = auto()
    """It is zero where all arguments are, and else may be anything."""
    WITH_ANY = auto()
    WITH_FIRST = auto()
    NEVER = auto()


class Range(Enum):
    """Where results lie, whatever the arguments."""

    ANYWHERE = auto()
    BOUNDED = auto()
    NATURAL = auto()
    """Zero or more."""
    AT_LEAST_ONE = auto()


class Triangle(Enum):
    """Of a matrix, on which side of the diagonal it may not be zero."""

    NONE = auto()
    """Both, or not known."""
    LOWER = auto()
    UPPER = auto()
    SAME = auto()
    """As the first argument."""
    OTHER = auto()
    """On the other side than the first argument."""


_VIEWS = (Shows.FIRST, Shows.FIRST_IF_CONTIGUOUS, Shows.MAYBE_FIRST, Shows.ALL)


@dataclass(frozen=True)
class Card:
    """What is known about one primitive.

    Attributes:
        name: its name in the graph.

        spelling: how it is written.
        operator: the operator of Python's syntax tree, where it is one.
        out_of_place: for `iadd` and its like, `add` and its like.
        arity: least and greatest number of arguments; None where that is not fixed.
        is_written_where_used: whether it reads better in place than under a name.
        hint: a name for its result.
        also: other names that mean it: `np.amax` is `np.max`.
        method: the method of arrays that means it.

        follows: how axes follow.
        gives: the type of the numbers.
        range: where results lie.
        vanishes: which zeros make it zero.
        triangle: which half of a matrix may not be zero.
        opposite: of a test, the test that holds where it does not.
        divides: whether it divides its first argument by the second.
        compute: the Python function, where no library has it under this name.
        on_numbers: what it is called for single booleans: `np.logical_and` is `and`.
        order_of_matrix: of a function of a matrix, or of a matrix and a right side, the order in which Numba
            stores the result: "C" or "F", empty if it is a number.
        takes_one_type: whether compiled code wants its arguments to be arrays of one type.
        part_names: names of the results, where there are several.
        part_ranks: the number of axes of each.

        takes_array: whether its first argument has to be an array or a list.
        is_of_tuples: whether of one tuple, it is about the items.
        shows: what memory the result shares.
        reads_elements: whether it looks at elements, or at shapes and types alone.
        measures: whether it reads a size off an array or a list.
        takes_list: whether for a list, its tangent is the same function of the tangents.
        writes_first: whether it writes the first argument.
        changes_length: whether it makes its first argument, a list, longer or shorter.
        allocates: what stands in the new array that it makes.
        is_safe: whether it cannot raise, and costs next to nothing.
        is_pure: whether it can be dropped, moved or repeated.
        is_opaque: whether it may do anything to its arguments.
        is_statement: whether, as a statement, it does what this card says and no more.
        is_call: whether it runs a function of the user's.
        is_bundle: whether it may return a tuple of numbers and arrays, of which each carries a derivative.
        is_guard: whether it checks an assumption of generated code, as a statement.
        relates_sizes: whether such a check says that sizes are equal, or which one is larger.
        is_choice: whether it leaves some of what it reads out, elements that are no numbers among it.

        is_cheap: whether repeating it for numbers costs less than a store and a load.
        is_cheap_on_arrays: likewise, element by element.
        is_instruction: whether loops that apply it to numbers can be vectorised as they are.
        fast: its name among the vector functions.
        in_lanes: its name where it takes numbers of several lanes; empty where it does not.
        in_sets: its name where it takes sets of indices: its own, if all it does is to hand elements on.

        is_constant: whether its result carries no derivative.
        partials: the rule of an elementwise function.
        holds_for_complex: whether its rules hold for complex numbers, though it is not analytic.
        is_conversion: whether it changes nothing but the type of numbers.
        keeps_reals: whether real numbers stay as they are.
        is_of_module: whether it calls another function of the generated module.
        is_constant_of_reals: whether it is constant for real numbers only.
        complex_partials: its rule for complex arguments, where that is another one.
        is_analytic: whether its rules hold for complex numbers as they are.
        is_linear: whether it is linear in each argument that carries a derivative, the others held fixed.
        is_step: whether it is constant but for jumps, and elementwise.
        is_steep_at_zero: whether its slope is infinite at zero.
        vjps: vector-Jacobian products by ranks of the arguments and axis.
        jvps: Jacobian-vector products by ranks of the arguments, of functions that are not linear.
        complex_vjps: those for complex arguments, where they are others.
        complex_jvps: likewise.
        is_of_first: whether further arguments do not change the derivative.
        refused: why no derivative goes through it, with a way out.

        cure_for_complex: what to write in place of it for complex arguments, where these are refused.

        example: a call with arguments `x` (a number), `v` (a vector), `m` (a square matrix), `b` (booleans).
    """

    name: str

    spelling: Spelling = Spelling.FUNCTION
    operator: type[ast.operator] | type[ast.cmpop] | type[ast.unaryop] | None = None
    out_of_place: str = ""
    arity: tuple[int, int | None] | None = None
    is_written_where_used: bool = False
    hint: str = ""
    also: str = ""
    method: str = ""

    follows: Follows = Follows.OWN
    gives: Gives = Gives.OWN
    range: Range = Range.ANYWHERE
    vanishes: Vanishes = Vanishes.NEVER
    triangle: Triangle = Triangle.NONE
    opposite: str = ""
    divides: bool = False
    compute: Callable[..., Any] | None = None
    on_numbers: str = ""
    order_of_matrix: str | None = None
    takes_one_type: bool = False
    part_names: tuple[str, ...] = ()
    part_ranks: tuple[int, ...] = ()

    takes_array: bool = False
    takes_list: bool = False
    is_of_tuples: bool = False
    shows: Shows = Shows.NOTHING
    reads_elements: bool = True
    measures: bool = False
    writes_first: bool = False
    changes_length: bool = False
    allocates: Fill | None = None
    is_safe: bool = False
    is_pure: bool = True
    is_opaque: bool = False
    is_statement: bool = False
    is_call: bool = False
    is_bundle: bool = False
    is_guard: bool = False
    relates_sizes: bool = False
    is_choice: bool = False

    is_cheap: bool = False
    is_cheap_on_arrays: bool = False
    is_instruction: bool = False
    fast: str = ""
    in_lanes: str = ""
    in_sets: str = ""

    is_constant: bool = False
    partials: Elementwise | None = None
    holds_for_complex: bool = False
    is_conversion: bool = False
    keeps_reals: bool = False
    is_of_module: bool = False
    is_constant_of_reals: bool = False
    complex_partials: Elementwise | None = None
    is_analytic: bool = False
    is_linear: bool = False
    is_step: bool = False
    is_steep_at_zero: bool = False
    vjps: dict[tuple[tuple[int, ...], int | None], Structured] = field(default_factory=dict)
    jvps: dict[tuple[int, ...], Callable[..., Any]] = field(default_factory=dict)
    complex_vjps: dict[tuple[tuple[int, ...], int | None], Structured] = field(default_factory=dict)
    complex_jvps: dict[tuple[int, ...], Callable[..., Any]] = field(default_factory=dict)
    is_of_first: bool = False
    refused: str = ""
    cure_for_complex: str = ""

    example: str = ""

    @property
    def is_view(self) -> bool:
        """Whether the result may be a view of an argument, or a tuple of them."""
        return self.shows in _VIEWS and not self.writes_first

    @property
    def may_keep(self) -> bool:
        """Whether it may keep its arguments, or hand them out again."""
        return self.is_call or self.shows in (Shows.ALL, Shows.HOLDS, Shows.HANDED_OUT)

    @property
    def is_elementwise(self) -> bool:
        """Whether it has partial derivatives, element by element."""
        return self.partials is not None

    @property
    def result_hint(self) -> str:
        """A name for its result where the user gave none."""
        return self.hint or self.name.rsplit(".", 1)[-1]
