"""Every elementwise rule at its own points: scalar and array, against central differences."""

import ast
import math

import numpy as np
import pytest
from fuzzing import make

from adcompiler.graph.run import primitive
from adcompiler.rules import CONSTANT, ELEMENTWISE, STRUCTURED
from adcompiler.testing import check_grad

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
POINTS = [(name, point) for name, rule in ELEMENTWISE.items() for point in rule.at]
IDS = [f"{name}-{point}" for name, point in POINTS]


def program(name, count, reduce):
    args = ["x", "y", "z", "w"][:count]
    slots = ", ".join("{" + str(k) + "}" for k in range(count))
    call = OPERATORS.get(name, f"{name}({slots})").format(*args)
    body = f"np.sum({call} * 1.5)" if reduce else f"{call} * 1.5"
    imports = "import math\nimport numpy as np\nfrom scipy import special\n"
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


@pytest.mark.parametrize("name", [n for n in ELEMENTWISE if not n.startswith(SCALAR_ONLY)])
def test_rule_on_arrays(name):
    if not available(name):
        pytest.skip(f"this Python or NumPy has no {name}")
    columns = [np.array(column) for column in zip(*ELEMENTWISE[name].at)]
    if name == "np.where":
        columns[0] = columns[0] > 0
    check_grad(program(name, len(columns), True), columns, differentiable(name), jit=False, rtol=1e-6)


def test_tables_do_not_overlap():
    assert not CONSTANT & set(ELEMENTWISE)


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
    known |= {"special"}
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
    ],
)
def test_conventions_at_non_smooth_points(text, point, expected):
    from adcompiler import grad

    function = make(f"import math\n\ndef program(x):\n    return {text}\n", f"convention {text}")
    assert grad(function, jit=False)(point) == expected
    assert grad(function)(point) == expected


EXPRESSIONS = {
    "T": "x.T",
    "reshape": "x.reshape(x.size)",
    "ravel": "x.ravel()",
    "flatten": "x.flatten()",
    "copy": "x.copy()",
    "astype": "x.astype(np.float64)",
    "np.ascontiguousarray": "np.ascontiguousarray(x)",
    "np.asfortranarray": "np.asfortranarray(x)",
    "matmul": "x @ y",
    "np.sort": "np.sort(x * x)",
    "np.cumsum": "np.cumsum(x)",
    "np.roll": "np.roll(x, 2)",
    "np.full": "np.full(3, x)",
    "np.full_like": "np.full_like(np.zeros(2), x)",
}
NUMBERS_ONLY = {"item", "np.float32"}  # of arrays, these are not in the language
KEYS = [key for key in STRUCTURED if key[0] not in NUMBERS_ONLY]


@pytest.mark.parametrize("key", KEYS, ids=[f"{name}-{ranks}-{axis}" for name, ranks, axis in KEYS])
def test_structured_rule(key):
    name, ranks, axis = key
    if name in ("copy", "astype", "np.ascontiguousarray", "np.asfortranarray", "np.asarray") and ranks == (
        0,
    ):
        pytest.skip("numbers have no such method")
    rng = np.random.default_rng(1)
    args = [
        rng.normal(size=(3,) * min(rank, 3) + (2,) * (rank - 3)) if rank else float(rng.normal())
        for rank in ranks
    ]
    names = ["x", "y"][: len(ranks)]
    suffix = "" if axis is None else f", axis={axis}"
    call = EXPRESSIONS.get(name, f"{name}({', '.join(names)}{suffix})")
    # a weight for every element, so that a permuted adjoint would be seen
    result = f"    z = {call}\n    return np.sum(np.sin(z) * z)\n"
    function = make(f"import numpy as np\n\ndef program({', '.join(names)}):\n{result}", f"rule {key}")
    check_grad(function, args, jit=False, rtol=1e-6)
