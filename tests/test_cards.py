"""Every claim on a card, held against Python, NumPy and Numba."""

import functools
import itertools
import math

import numpy as np
import pytest
from fuzzing import make
from numba import boolean, float64, int64, njit
from test_rules import available

from adcompiler.analysis.types import element, enter_types, infer, rank
from adcompiler.frontend import resolve
from adcompiler.frontend.lower import lower
from adcompiler.graph.nodes import Apply, Graph, Literal, Region, Store, Value
from adcompiler.graph.run import run
from adcompiler.graph.run_primitive import primitive
from adcompiler.graph.verify import verify
from adcompiler.graph.walk import walk
from adcompiler.primitives import (
    CARDS,
    Fill,
    Follows,
    Gives,
    Range,
    Shows,
    Spelling,
    Triangle,
    Vanishes,
    card,
)
from adcompiler.primitives.deck import library_function
from adcompiler.runtime import vector_math

pytestmark = pytest.mark.filterwarnings("ignore")
SAMPLES = (-2.0, -1.0, -0.3, 0.0, 0.4, 1.0, 3.0)


def named(test):
    """Return the names of the cards that make a claim."""
    return [name for name, c in CARDS.items() if test(c) and (not c.partials or available(name))]


EXAMPLES = named(lambda c: c.example)
ELEMENTWISE = named(lambda c: c.partials and c.name != "complex")


def values():
    """Return the arguments that examples may name: a number, a vector, a positive matrix, booleans."""
    rng = np.random.default_rng(3)
    m = rng.normal(size=(4, 4))
    return 0.7, rng.normal(size=4), m @ m.T + 4 * np.eye(4), np.array([True, False, True, True])


@functools.cache
def example(name):
    text = f"import numpy as np\ndef program(x, v, m, b):\n    return {card(name).example}\n"
    return make(text, f"card {name}")


def first_argument(name):
    """Return which of the arguments of an example is the primitive's first."""
    graph = lower(example(name))
    node = next(n for n in walk(graph.body) if isinstance(n, Apply) and n.fn == name)
    params = dict(zip(graph.body.params, range(4), strict=True))
    return params.get(node.args[0])


def applied(name, *args):
    return primitive(name, [a.copy() if isinstance(a, np.ndarray) else a for a in args], {})


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_a_call_of_the_primitive(name):
    graph = verify(lower(example(name)))
    assert any(isinstance(n, Apply) and n.fn == name for n in walk(graph.body))
    expected = example(name)(*values())
    (found,) = run(graph, values())
    if card(name).allocates is not Fill.NOTHING:
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", EXAMPLES)
def test_axes_of_a_result(name):
    args, known = values(), card(name)
    found, place = example(name)(*args), first_argument(name)
    first = np.shape(args[place]) if place is not None else None
    match known.follows:
        case Follows.SAME_SHAPE:
            assert np.shape(found) == first
        case Follows.SAME_RANK:
            assert np.ndim(found) == len(first)
        case Follows.VECTOR:
            assert np.ndim(found) == 1
        case Follows.MATRIX:
            assert np.ndim(found) == 2
        case Follows.NUMBER | Follows.REDUCED:
            assert np.ndim(found) == 0
        case Follows.GIVEN:
            assert np.shape(found) == args[1].shape


@pytest.mark.parametrize("name", named(lambda c: c.follows is Follows.PRODUCT))
def test_axes_of_a_product(name):
    for one, two in itertools.product((np.ones(3), np.ones((3, 3))), repeat=2):
        shape = one.shape[:-1] + two.shape[:-2] + two.shape[-1:] if two.ndim > 1 else one.shape[:-1]
        assert np.shape(applied(name, one, two)) == shape


SCALARS = ("math.", "max", "min", "float", "abs", "pow", "times", "mod")


@pytest.mark.parametrize("name", [n for n in ELEMENTWISE if not n.startswith(SCALARS)])
def test_elementwise_functions_stretch_their_arguments(name):
    point = card(name).partials.at[0]
    shapes = [(2, 1), (1, 3), (3,), ()][: len(point)]
    args = [np.full(shape, value) for shape, value in zip(shapes, point, strict=True)]
    if name in ("special.yn", "special.jn", "special.kn", "np.ldexp", "special.expn"):
        args = [args[0].astype(int), *args[1:]] if name != "np.ldexp" else [args[0], args[1].astype(int)]
    assert np.shape(applied(name, *args)) == np.broadcast_shapes(*shapes)


@pytest.mark.parametrize("name", [n for n in EXAMPLES if card(n).shows in (Shows.NOTHING, Shows.FIRST)])
def test_views_and_new_arrays(name):
    args = values()
    found = example(name)(*args)
    shared = [np.shares_memory(found, arg) for arg in args if isinstance(found, np.ndarray)]
    if isinstance(found, np.ndarray):
        assert any(shared) == (card(name).shows is Shows.FIRST)


@pytest.mark.parametrize("name", named(lambda c: c.shows is Shows.FIRST_IF_CONTIGUOUS))
def test_views_of_contiguous_arrays(name):
    args = values()
    assert any(np.shares_memory(example(name)(*args), arg) for arg in args)
    strided = [a[::2] if np.ndim(a) == 1 else np.asfortranarray(a) if np.ndim(a) else a for a in args]
    assert not any(np.shares_memory(example(name)(*strided), arg) for arg in strided)


@pytest.mark.parametrize("name", EXAMPLES)
def test_nothing_is_written_and_nothing_remembered(name):
    args = values()
    before = example(name)(*args)
    for arg, same in zip(args, values(), strict=True):
        np.testing.assert_array_equal(arg, same)
    if card(name).allocates is not Fill.NOTHING:
        np.testing.assert_array_equal(before, example(name)(*values()))
    assert card(name).is_pure and not card(name).writes_first


@pytest.mark.parametrize("name", named(lambda c: c.out_of_place))
def test_operators_that_write(name):
    whole = name.startswith(("iand", "ior", "ixor", "ilshift", "irshift"))
    number = np.int64 if whole else float
    array, other = np.full((2, 2), 3).astype(number), np.full((2, 2), 2).astype(number)
    expected = applied(card(name).out_of_place, array, other)
    found = primitive(name, [array, other], {})
    assert found is array and not card(name).is_pure and card(name).writes_first
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", [n for n in EXAMPLES if not card(n).reads_elements])
def test_what_reads_shapes_only(name):
    args = values()
    spoilt = [a * np.nan if np.ndim(a) and a.dtype == float else a for a in args]
    found, expected = example(name)(*spoilt), example(name)(*args)
    if card(name).allocates is not Fill.NOTHING:
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", named(lambda c: c.allocates and c.example))
def test_what_stands_in_a_new_array(name):
    found = example(name)(*values())
    expected = {Fill.ZEROS: 0.0, Fill.ONES: 1.0, Fill.VALUE: 0.7}.get(card(name).allocates)
    assert expected is None or np.all(found == expected)


def typed(name, *kinds):
    """Return the type of what a primitive gives for arguments of some types."""
    params = tuple(Value(f"x{k}") for k in range(len(kinds)))
    out = Value("y")
    return infer(Graph("f", Region(params, (Apply(out, name, params),), (out,))), kinds)[out]


@pytest.mark.parametrize("name", named(lambda c: c.gives is not Gives.OWN and c.arity and c.name != "is"))
def test_types_of_numbers(name):
    known = card(name)
    count = known.arity[0] if known.partials is None else len(known.partials.inputs)
    integers = known.gives is Gives.WIDEST or (known.gives is Gives.SAME and name != "np.sign")
    found = element(typed(name, *[float64] * count)) if can_be_typed(name, count) else None
    match known.gives:
        case Gives.TEST:
            assert found == boolean
        case _:
            assert found in (None, float64)
    if integers and not name.startswith(("math.", "np.fabs")):
        assert element(typed(name, *[int64] * count)) == int64
    if known.gives is Gives.WIDEST and count == 2:
        assert element(typed(name, int64, float64)) == float64
    if known.operator and known.gives is Gives.REAL:
        assert element(typed(name, int64, int64)) == float64


def can_be_typed(name, count):
    """Tell whether Numba knows a function for plain floats, without what it needs of SciPy."""
    return (
        not name.startswith("special.")
        and (library_function(name) is not None or card(name).operator or name in ("max", "min", "abs"))
        and name not in ("math.ldexp", "np.ldexp", "math.nextafter", "np.angle")
    )


@pytest.mark.parametrize("name", [n for n in EXAMPLES if card(n).follows is not Follows.OWN])
def test_axes_in_types(name):
    graph = lower(example(name))
    kinds = infer(graph, (float64, float64[::1], float64[:, ::1], boolean[::1]))
    enter_types(kinds)
    verify(graph)
    node = next(n for n in walk(graph.body) if isinstance(n, Apply) and n.fn == name)
    assert rank(kinds[node.out]) == np.ndim(example(name)(*values()))


@pytest.mark.parametrize("name", named(lambda c: c.range is not Range.ANYWHERE and c.name != "len"))
def test_ranges(name):
    with np.errstate(all="ignore"):
        found = []
        for x in (*SAMPLES, 30.0, -30.0):
            if not (x < 0 and name == "math.sqrt"):
                found.append(float(applied(name, x)))
    finite = np.array(found)[~np.isnan(found)]
    match card(name).range:
        case Range.BOUNDED:
            assert np.all(np.abs(finite) <= 2.0)
        case Range.NATURAL:
            assert np.all(finite >= 0.0)
        case Range.AT_LEAST_ONE:
            assert np.all(finite >= 1.0)


@pytest.mark.parametrize("name", named(lambda c: c.triangle is not Triangle.NONE))
def test_triangles(name):
    _, _, m, _ = values()
    above, below = np.triu(applied(name, m), 1), np.tril(applied(name, m), -1)
    of_lower = applied(name, np.tril(m) if "cholesky" not in name else m)
    match card(name).triangle:
        case Triangle.LOWER:
            assert not np.any(above)
        case Triangle.UPPER:
            assert not np.any(below)
        case Triangle.SAME:
            assert np.array_equal(of_lower, np.tril(of_lower))
        case Triangle.OTHER:
            assert np.array_equal(of_lower, np.triu(of_lower))


@pytest.mark.parametrize("name", named(lambda c: c.vanishes is not Vanishes.NEVER))
def test_zeros_of_zeros(name):
    count = 2 if card(name).arity and card(name).arity[0] == 2 else 1
    zero, one = np.zeros((2, 2)), np.full((2, 2), 1.5)
    if name in ("float", "np.float32"):
        zero, one = 0.0, 1.5
    if name in ("np.outer",):
        zero, one = np.zeros(2), np.full(2, 1.5)
    rest = {"astype": (float,), "sum_to": ((2, 2),)}.get(name, (one,) * (count - 1))
    calls = [(zero, *rest)]
    match card(name).vanishes:
        case Vanishes.WITH_ALL:
            calls = [(zero,) * count]
            assert np.any(applied(name, one, *(zero,) * (count - 1)))
        case Vanishes.WITH_ANY:
            calls = [(zero, one), (one, zero)]
    assert not any(np.any(applied(name, *call)) for call in calls)


@pytest.mark.parametrize("name", named(lambda c: c.opposite))
def test_opposite_tests(name):
    for a, b in itertools.product(SAMPLES, repeat=2):
        assert applied(name, a, b) is not applied(card(name).opposite, a, b)
    assert card(card(name).opposite).opposite == name


@pytest.mark.parametrize("name", named(lambda c: c.divides))
def test_divisions_by_zero(name):
    with pytest.raises(ZeroDivisionError):
        applied(name, 1.0, 0.0)


@pytest.mark.parametrize("name", named(lambda c: c.is_safe and c.compute and c.arity and not c.measures))
def test_what_cannot_fail(name):
    count = card(name).arity[0]
    for args in itertools.product((0, -1, 0.0, -0.0, 1e308, math.inf, math.nan, True), repeat=count):
        applied(name, *args)


@pytest.mark.parametrize("name", named(lambda c: c.is_step))
def test_steps_are_flat(name):
    for x in (-1.3, 0.4, 2.6):
        assert applied(name, x) == applied(name, x + 1e-6)


@pytest.mark.parametrize("name", named(lambda c: c.is_steep_at_zero))
def test_slopes_at_zero(name):
    power = (0.5,) * (len(card(name).partials.inputs) - 1)
    assert float(applied(name, 1e-30, *power)) / 1e-30 > 1e9


@pytest.mark.parametrize("name", named(lambda c: c.fast))
def test_vector_functions_are_the_same(name):
    function = getattr(vector_math, card(name).fast)
    compiled = njit((lambda x: function(x)) if card(name).arity[0] == 1 else lambda x, y: function(x, y))
    for point in card(name).partials.at:
        if name.startswith("np.") or point[0] > 0 or len(point) == 1:
            assert compiled(*map(float, point)) == pytest.approx(float(applied(name, *point)), rel=1e-14)


@pytest.mark.parametrize("name", named(lambda c: c.on_numbers))
def test_what_it_is_called_for_numbers(name):
    count = card(name).arity[0]
    items = (0.5, -2.0) if card(name).on_numbers == "mul" else (True, False)
    for args in itertools.product(items, repeat=count):
        assert np.asarray(applied(name, *args)).item() == applied(card(name).on_numbers, *args)


@pytest.mark.parametrize("name", named(lambda c: c.is_choice))
def test_choices_leave_out_what_is_no_number(name):
    v = np.array([1.0, np.nan, 2.0])
    calls = {
        "np.where": lambda: np.where(np.isnan(v), 0.0, v),
        "np.take": lambda: np.take(v, [0, 2]),
        "np.nan_to_num": lambda: np.nan_to_num(v),
    }
    other = (np.ones(3),) if card(name).arity == (2, 2) else ()
    found = calls[name]() if name in calls else library_function(name)(v, *other)
    assert np.all(np.isfinite(found))


@pytest.mark.parametrize("name", named(lambda c: c.also or c.method))
def test_other_names(name):
    known = card(name)
    for other in known.also.split():
        function = library_function(other)
        assert function is None or resolve.primitive(function) == name
    gone = known.method == "ptp" and np.__version__ >= "2"
    assert not known.method or gone or hasattr(np.ndarray, known.method)


@pytest.mark.parametrize("name", [n for n in EXAMPLES if card(n).is_linear and n != "item"])
def test_linear_functions(name):
    x, v, m, b = values()
    rng = np.random.default_rng(4)
    place = first_argument(name)
    place = 0 if card(name).allocates is Fill.VALUE else place
    one = [x, v, m, b]
    two = [x, v, m, b]
    two[place] = rng.normal(size=np.shape(one[place])) if np.ndim(one[place]) else rng.normal()
    both = [x, v, m, b]
    one[place] = rng.normal(size=np.shape(one[place])) if np.ndim(one[place]) else rng.normal()
    both[place] = one[place] + 2.0 * two[place]
    call = apart(name, place)
    np.testing.assert_allclose(call(*both), call(*one) + 2.0 * call(*two), rtol=2e-6)


def apart(name, place):
    """Return an example in which only its first argument is changed: `np.vdot(v, v)` names one twice."""
    letter = "xvmb"[place]
    text = card(name).example
    where = text.index("(") + 1 if "(" in text and not text.startswith(letter) else 0
    where = text.index(letter, where) if card(name).allocates is not Fill.VALUE else text.rindex("x")
    if card(name).spelling in (Spelling.METHOD, Spelling.ATTRIBUTE) or card(name).allocates is Fill.VALUE:
        return example(name)
    text = f"{text[:where]}first{text[where + 1 :]}"
    source = f"import numpy as np\ndef program(first, x, v, m, b):\n    return {text}\n"
    function = make(source, f"linear {name}")
    return lambda *args: function(args[place], *values())


@pytest.mark.parametrize("name", [n for n in EXAMPLES if card(n).is_analytic and not card(n).is_linear])
def test_analytic_functions(name):
    """The slope along i is i times the slope along 1."""
    x, v, m, b = values()
    z = m + 0.3j * m[::-1] if "m" in card(name).example.split("(", 1)[-1] else v + 0.3j * v[::-1]
    place, w, h = first_argument(name), np.cos(np.arange(z.size).reshape(z.shape)), 1e-6

    def at(change):
        args = [x, v + 0j, m, b]
        args[place] = z + change
        return np.asarray(example(name)(*args))

    along = (at(h * w) - at(-h * w)) / (2 * h)
    across = (at(1j * h * w) - at(-1j * h * w)) / (2 * h)
    np.testing.assert_allclose(across, 1j * along, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_numbers_of_arguments(name):
    least, most = card(name).arity
    assert least <= len(card(name).partials.inputs) and (
        most is None or len(card(name).partials.inputs) <= most
    )


def test_what_is_no_graph_is_shown():
    x, y = Value("x", type=float64), Value("y", type=float64[:])
    cases = {
        "no primitive is called 'math.exq'; there is 'math.exp'": Apply(y, "math.exq", (x,)),
        "'mul' takes 2 arguments, not 1": Apply(y, "mul", (x,)),
        "has 0 axes, but type": Apply(y, "math.exp", (x,)),
    }
    for message, node in cases.items():
        with pytest.raises(AssertionError) as error:
            verify(Graph("f", Region((x,), (node,), (y,))))
        assert message in str(error.value) and f"\n>   y = {node.fn}(x)" in str(error.value)


def test_a_node_stands_at_one_place():
    x, place = Value("x", type=float64[:]), Value("i", type=int64)
    store = Store(x, (place,), Literal(0.0))
    with pytest.raises(AssertionError, match="a node stands at two places"):
        verify(Graph("f", Region((x, place), (store, store), ())))
