"""Every elementwise rule at the ends of its domain, at infinity, at ties: zeros stay zeros, modes agree."""

import ast
import itertools

import numpy as np
import pytest
from fuzzing import make
from test_rules import ELEMENTWISE, OPERATORS, available, differentiable

from adcompiler import grad, jvp

VALUES = {
    1: (0.0, -0.0, 0.5, 1.0, -1.0, 2.0, -2.0, 3.0, 800.0, -800.0, 1e200, -1e200, np.inf, -np.inf),
    2: (0.0, -0.0, 0.5, 1.0, -1.0, 2.0, -2.0, 800.0, -800.0, 1e200, np.inf, -np.inf),
    3: (0.0, 0.5, 1.0, -1.0, 2.0, 800.0, np.inf),
    4: (0.0, 0.5, 1.0, -1.0, 2.0),
}


def shown(rule):
    """Return the formulas of a rule as text."""
    return tuple(ast.dump(tree) if tree else None for tree in rule.partials), rule.at


NUMBERS_ONLY = ("math.", "max", "min", "float", "abs")
COMPILED = (
    "pow",
    "truediv",
    "np.logaddexp",
    "np.sqrt",
    "special.xlogy",
    "special.gammainc",
    "max",
    "np.where",
)
SLOW = ("special.yn", "special.hyp1f1", "special.hyperu", "special.hyp0f1")
"""SciPy adds up terms without end for large arguments."""
PLAIN = ("np.multiply", "times", "np.square", "np.sin", "np.cos", "np.tan", "special.dawsn", "special.cosm1")
PLAIN += ("special.huber", "special.pseudo_huber", "special.ellipeinc")
"""Slopes that are finite at every finite argument are multiplied as they are: at infinity they may be NaN."""
NAMES = {shown(rule): name for name, rule in ELEMENTWISE.items() if available(name)}.values()
"""One name for each rule: the others are tested at ordinary points."""
pytestmark = pytest.mark.filterwarnings("ignore")


def text_of(name, count):
    """Return the text of a function over arrays of points, and of its sum with weights."""
    names = ["x", "y", "z", "w"][:count]
    slots = ", ".join("{" + str(k) + "}" for k in range(count))
    item = "[i]" if name.startswith(NUMBERS_ONLY) else ""
    call = OPERATORS.get(name, f"{name}({slots})").format(*(f"{n}{item}" for n in names))
    body = f"    found = {call}\n"
    if item:
        body = f"    found = np.empty(x.size)\n    for i in range(x.size):\n        found[i] = {call}\n"
    head = "import math\nimport numpy as np\nfrom scipy import special\n"
    head += "from adcompiler.runtime.guards import times\n\n"
    head += f"def program({', '.join(names)}, mask, weight):\n{body}"
    return head + "    return found\n", head + "    return np.sum(np.where(mask, found, 0.0) * weight)\n"


def points(name, count):
    """Return all edges, or all pairs of them, one array for each argument."""
    columns = [
        np.array(column) for column in zip(*itertools.product(VALUES[count], repeat=count), strict=True)
    ]
    if name == "np.where":
        columns[0] = columns[0] > 0
    if name in SLOW:
        columns = [np.clip(column, -20.0, 20.0) for column in columns]
    if "ldexp" in name:
        columns[1] = np.clip(columns[1], -900, 900).astype(np.int64)
    return columns


def derivatives(name, jit=False):
    """Return arguments, positions, and functions: of weights to adjoints, and of tangents to tangents."""
    count, wrt = len(ELEMENTWISE[name].inputs), tuple(differentiable(name))
    found, total = (make(text, f"edges {k} {name}") for k, text in enumerate(text_of(name, count)))
    args, mask = points(name, count), np.ones(len(VALUES[count]) ** count, bool)
    gradient = grad(total, argnums=wrt, jit=jit)

    def reverse(mask, weight):
        with np.errstate(all="ignore"):
            return gradient(*args, mask, weight)

    def forward(tangents):
        changes = [tangents.get(k) for k in range(count)]
        with np.errstate(all="ignore"):
            return jvp(found, (*args, mask, 1.0), (*changes, None, None), jit=jit)[1]

    return args, wrt, reverse, forward


def points_of(which, name, args):
    """Return the points where an array is true, as far as a rule has to be right there."""
    found = [tuple(a[i] for a in args) for i in np.flatnonzero(which)]
    return [point for point in found if name not in PLAIN or np.all(np.isfinite(point))]


def assert_zero(name, found, args):
    wrong = points_of(found != 0, name, args)
    assert not wrong, f"no zero at {wrong[:5]}"


def assert_same(name, one, two, args):
    wrong = points_of(~np.isclose(one, two, rtol=1e-9, atol=1e-300, equal_nan=True), name, args)
    assert not wrong, f"results differ at {wrong[:5]}"


@pytest.mark.parametrize("name", sorted(NAMES))
def test_rule_at_edges(name):
    args, wrt, reverse, forward = derivatives(name)
    everywhere, ones, zeros = np.ones(args[0].size, bool), np.ones(args[0].size), np.zeros(args[0].size)
    for mask, weight in ((everywhere, zeros), (~everywhere, ones)):
        for adjoint in reverse(mask, weight):
            assert_zero(name, adjoint, args)
    assert_zero(name, forward(dict.fromkeys(wrt, zeros)), args)
    for k, adjoint in zip(wrt, reverse(everywhere, ones), strict=True):
        tangent = forward(dict.fromkeys(wrt, zeros) | {k: ones})
        assert_same(name, adjoint, tangent, args)


@pytest.mark.parametrize("name", COMPILED)
def test_compiled_rule_at_edges(name):
    args, wrt, reverse, forward = derivatives(name)
    _, _, compiled_reverse, compiled_forward = derivatives(name, jit=True)
    everywhere, ones = np.ones(args[0].size, bool), np.ones(args[0].size)
    for one, two in zip(reverse(everywhere, ones), compiled_reverse(everywhere, ones), strict=True):
        assert_same(name, one, two, args)
    assert_same(name, forward(dict.fromkeys(wrt, ones)), compiled_forward(dict.fromkeys(wrt, ones)), args)
