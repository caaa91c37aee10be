"""Every elementwise rule at its own points: scalar and array, against central differences."""

import ast
import contextlib
import math

import numpy as np
import pytest
from fuzzing import make

from adcompiler import DifferentiationError, grad
from adcompiler.graph.run_primitive import primitive
from adcompiler.primitives import CARDS
from adcompiler.testing import check_grad, check_hvp, check_jvp

OPERATORS = {
    "add": "{0} + {1}",
    "sub": "{0} - {1}",
    "mul": "{0} * {1}",
    "truediv": "{0} / {1}",
    "neg": "-{0}",
    "pos": "+{0}",
    "pow": "{0} ** {1}",
    "mod": "{0} % {1}",
}
SCALAR_ONLY = ("math.", "max", "min", "float", "abs")
# the result of `complex` is no real number: test_complex.py
ELEMENTWISE = {name: c.partials for name, c in CARDS.items() if c.partials and name != "complex"}
POINTS = [(name, point) for name, rule in ELEMENTWISE.items() for point in rule.at]
IDS = [f"{name}-{point}" for name, point in POINTS]


def program(name, count, reduce):
    args = ["x", "y", "z", "w"][:count]
    slots = ", ".join("{" + str(k) + "}" for k in range(count))
    call = OPERATORS.get(name, f"{name}({slots})").format(*args)
    body = f"np.sum({call} * 1.5)" if reduce else f"{call} * 1.5"
    imports = "import math\nimport numpy as np\nfrom scipy import special\n"
    imports += "from adcompiler.runtime.guards import times\n"
    text = f"{imports}\ndef program({', '.join(args)}):\n    return {body}\n"
    return make(text, f"rule {name} {reduce}")


def differentiable(name):
    return [k for k, partial in enumerate(ELEMENTWISE[name].partials) if partial is not None]


def available(name):
    """NumPy 1 lacks some of the aliases."""
    if not name.startswith("np."):
        return True
    try:
        primitive(name, [np.array([0.5])] * len(ELEMENTWISE[name].inputs), {})
    except AttributeError:
        return False
    except (TypeError, ValueError):
        pass
    return True


@pytest.mark.parametrize(("name", "point"), POINTS, ids=IDS)
def test_rule_on_numbers(name, point):
    if not available(name):
        pytest.skip(f"this Python or NumPy has no {name}")
    point = (bool(point[0]), *point[1:]) if name == "np.where" else point
    check_grad(program(name, len(point), False), point, differentiable(name), jit=False, rtol=1e-6)
    check_jvp(program(name, len(point), False), point, differentiable(name), jit=False, rtol=1e-6)


NOT_TWICE = {"special.ellipeinc"}
"""Functions whose rule reads one with respect to whose argument no derivative is known."""


@pytest.mark.parametrize(("name", "point"), POINTS, ids=IDS)
def test_second_derivative_of_rule(name, point):
    if not available(name):
        pytest.skip(f"this Python or NumPy has no {name}")
    point = (bool(point[0]), *point[1:]) if name == "np.where" else point
    refused = pytest.raises(DifferentiationError) if name in NOT_TWICE else contextlib.nullcontext()
    with refused:
        check_hvp(program(name, len(point), False), point, differentiable(name), jit=False)


@pytest.mark.parametrize("name", [n for n in ELEMENTWISE if not n.startswith(SCALAR_ONLY)])
def test_rule_on_arrays(name):
    if not available(name):
        pytest.skip(f"this Python or NumPy has no {name}")
    columns = [np.array(column) for column in zip(*ELEMENTWISE[name].at)]
    if name == "np.where":
        columns[0] = columns[0] > 0
    check_grad(program(name, len(columns), True), columns, differentiable(name), jit=False, rtol=1e-6)
    check_jvp(program(name, len(columns), True), columns, differentiable(name), jit=False, rtol=1e-6)


ARRAYS = [n for n in ELEMENTWISE if not n.startswith(SCALAR_ONLY)]


def arguments(name):
    columns = [np.array(column) for column in zip(*ELEMENTWISE[name].at)]
    if name == "np.where":
        columns[0] = columns[0] > 0
    return columns


@pytest.mark.parametrize("name", [n for n in ARRAYS if len(ELEMENTWISE[n].inputs) > 1])
def test_rule_stretches_its_arguments(name):
    """Each argument in turn is a number, or a row against columns."""
    if not available(name):
        pytest.skip(f"this Python or NumPy has no {name}")
    columns = arguments(name)
    for k in range(len(columns)):
        number = [column[0].item() if k == j else column for j, column in enumerate(columns)]
        check_grad(program(name, len(columns), True), number, differentiable(name), jit=False, rtol=1e-6)
        check_jvp(program(name, len(columns), True), number, differentiable(name), jit=False, rtol=1e-6)
        rows = [c[:, None] if k == j else np.repeat(c[:1], 3) for j, c in enumerate(columns)]
        check_grad(program(name, len(columns), True), rows, differentiable(name), jit=False, rtol=1e-6)
        check_jvp(program(name, len(columns), True), rows, differentiable(name), jit=False, rtol=1e-6)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_compiled_rule(name):
    if not available(name):
        pytest.skip(f"this Python or NumPy has no {name}")
    point = ELEMENTWISE[name].at[0]
    point = (bool(point[0]), *point[1:]) if name == "np.where" else point
    check_grad(program(name, len(point), False), point, differentiable(name), rtol=1e-6)
    check_jvp(program(name, len(point), False), point, differentiable(name), rtol=1e-6)


@pytest.mark.parametrize("name", ARRAYS)
def test_rule_in_single_precision(name):
    if not available(name):
        pytest.skip(f"this Python or NumPy has no {name}")
    columns = arguments(name)
    single = [c.astype(np.float32) if c.dtype == np.float64 else c for c in columns]
    wrt = tuple(k for k in differentiable(name) if single[k].dtype == np.float32)
    exact = grad(program(name, len(columns), True), argnums=wrt, jit=False)(*columns)
    found = grad(program(name, len(columns), True), argnums=wrt, jit=False)(*single)
    for one, other in zip(found, exact, strict=True):
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, other, rtol=2e-4, atol=1e-4)


NOT_ANALYTIC = {"np.abs", "np.absolute", "np.fabs", "np.copysign", "np.real", "np.conj", "np.conjugate"}
NOT_ANALYTIC |= {
    "np.maximum",
    "np.minimum",
    "np.fmax",
    "np.fmin",
    "np.nan_to_num",
    "np.hypot",
    "np.nextafter",
}


def complex_step(name, point, position):
    """Return the derivative of an analytic function to all digits (Squire and Trapp 1998)."""
    moved = [complex(value, 1e-30) if k == position else value for k, value in enumerate(point)]
    try:
        return primitive(name, moved, {}).imag / 1e-30
    except TypeError:
        return None  # it takes no complex numbers


@pytest.mark.parametrize(
    "name", [n for n in ARRAYS if n.startswith("np.") and n not in {*NOT_ANALYTIC, "np.where"}]
)
def test_partials_to_all_digits(name):
    if not available(name):
        pytest.skip(f"this Python or NumPy has no {name}")
    for point in ELEMENTWISE[name].at:
        for k in differentiable(name):
            expected = complex_step(name, point, k)
            if expected is not None:
                function = program(name, len(point), False)
                found = grad(function, argnums=k, jit=False)(*point) / 1.5
                assert found == pytest.approx(expected, rel=1e-13)


def test_what_is_constant_has_no_rule():
    assert not [name for name, c in CARDS.items() if c.is_constant and (c.partials or c.vjps or c.jvps)]


def test_partials_read_inputs_and_output_only():
    known = {
        "y",
        "exp",
        "log",
        "log1p",
        "sqrt",
        "sin",
        "cos",
        "sinh",
        "cosh",
        "trunc",
        "floor",
        "sign",
        "abs",
    }
    known |= {"special", "conj"}
    for name, rule in ELEMENTWISE.items():
        for tree in filter(None, rule.partials):
            names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
            assert names <= known | set(rule.inputs), name


@pytest.mark.parametrize(
    ("text", "point", "expected"),
    [
        ("abs(x)", 0.0, 0.0),
        ("max(x, 0.0)", 0.0, 0.5),
        ("min(x, 0.0)", 0.0, 0.5),
        ("math.sqrt(x)", 0.0, math.inf),
        ("x ** 0", 0.0, 0.0),
        ("x ** 2", 0.0, 0.0),
        ("math.hypot(x, 0.0)", 0.0, 0.0),
        ("0.0 ** (1.0 + x)", 0.0, 0.0),
        ("max(x, 1.0 * x)", 0.5, 1.0),
        ("np.fmax(x, math.nan)", 0.5, 1.0),
        ("np.fmin(math.nan, x)", 0.5, 1.0),
        ("np.logaddexp(x, -math.inf)", 0.5, 1.0),
        ("np.sinc(x)", 0.0, 0.0),
        ("x ** 2.5", 0.0, 0.0),
        ("np.nan_to_num(x)", math.inf, 0.0),
        ("np.linalg.norm(np.array([x, 0.0]))", 0.0, 0.0),
        ("np.std(np.array([x, 1.0]))", 1.0, 0.0),
    ],
)
def test_conventions_at_non_smooth_points(text, point, expected):
    function = make(
        f"import math\nimport numpy as np\n\ndef program(x):\n    return {text}\n", f"convention {text}"
    )
    assert grad(function, jit=False)(point) == expected
    assert grad(function)(point) == expected
