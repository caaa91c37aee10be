"""What a program leaves out does not enter its gradient, whatever stands there: missing data, infinities.

Each program computes something of parameters and data and leaves out where `keep` is False. Its derivatives
must be those that it has where the data left out are harmless.
"""

import itertools
import math

import numpy as np
import pytest
from fuzzing import make

from adcompiler import grad, hvp, jvp
from adcompiler.testing import check_grad

FORMULAS = [
    "d * x",
    "(d - x) ** 2",
    "d / x",
    "x / d",
    "x ** d",
    "d ** x",
    "x * F.log(d)",
    "F.sqrt(d) * x",
    "F.exp(d * x) - x",
    "F.sin(x * d) * x",
    "d * d * x * x",
    "x * F.log(x * d)",
    "F.sqrt((d - x) ** 2)",
    "F.hypot(d, x) * x",
    "max(d * x, x)",
    "-0.5 * ((x - d) / F.exp(x)) ** 2 - x",
    "1.0 / (d + F.exp(-x * d))",
    "abs(d - x) * x",
]
"""Of elements; F stands for math or NumPy."""

ARRAYS = {
    "chosen": "return np.sum(np.where(keep, Q, 0.0))",
    "chosen second": "return np.sum(np.where(~keep, x, Q))",
    "chosen, squared": "return np.sum(np.where(keep, Q, 0.0) ** 2)",
    "masked": "return np.sum((Q)[keep])",
    "masked product": "z = Q\n    return np.sum(z[keep] * x[keep] ** 2)",
    "overwritten": "z = Q\n    z[~keep] = 0.0\n    return np.sum(z)",
    "picked": "return np.sum((Q)[np.flatnonzero(keep)])",
    "taken": "return np.sum(np.take(Q, np.flatnonzero(keep)))",
    "read in branches": """z = Q
    s = 0.0
    for i in range(len(z)):
        if keep[i]:
            s += z[i]
    return s""",
    "written element by element": """z = Q
    for i in range(len(z)):
        if not keep[i]:
            z[i] = 1.0
    return np.sum(z)""",
    "a step before": "z = Q\n    z = z * x + x\n    return np.sum(np.where(keep, z, 1.0))",
    "in two axes": "z = (Q) * np.ones((2, 1))\n    return np.sum(np.where(keep, z, 1.0))",
    "elements": "z = Q\n    return z[np.argmax(keep)] * z[len(z) - 1 - np.argmax(keep[::-1])]",
}
LOOPS = {
    "branch": "t = Q\n        if keep[i]:\n            s += t",
    "branch, product": "t = Q\n        if keep[i]:\n            s += t * x[i] ** 2",
    "passed over": "t = Q\n        if not keep[i]:\n            continue\n        s += t",
    "either": "t = Q\n        s += t if keep[i] else x[i]",
    "two branches": """t = Q
        if keep[i]:
            s += t
        else:
            s += x[i] * x[i]""",
    "inside": "if keep[i]:\n            t = Q\n            s += t",
    "stored": "z[i] = Q",
    "stored, overwritten": "z[i] = Q\n        if not keep[i]:\n            z[i] = x[i]",
    "stored in branches": "t = Q\n        if keep[i]:\n            z[i] = t",
    "a step before": "t = Q\n        u = t * x[i] + t\n        if keep[i]:\n            s += u",
    "appended": "t = Q\n        if keep[i]:\n            items.append(t)",
}


def whole(formula: str, body: str) -> str:
    formula = formula.replace("F.", "np.").replace("max(", "np.maximum(").replace("abs(", "np.abs(")
    text = body.replace("Q", formula)
    return f"import numpy as np\n\ndef program(x, d, keep):\n    {text}\n"


def looped(formula: str, body: str) -> str:
    text = formula.replace("F.", "math.")
    text = text.replace("exp", "E").replace("max", "M").replace("d", "d[i]").replace("x", "x[i]")
    text = text.replace("E", "exp").replace("M", "max")
    head = "    s = 0.0\n    z = np.zeros(len(x))\n    items = [0.0]\n    for i in range(len(x)):\n"
    tail = "    return s + np.sum(np.where(keep, z, 0.0)) + sum(items)\n"
    body = body.replace("Q", text)
    return f"import math\nimport numpy as np\n\ndef program(x, d, keep):\n{head}        {body}\n{tail}"


X = np.array([0.7, 1.3, 0.4, 2.1])
V = np.array([0.3, -1.1, 0.6, 0.9])
KEEP = np.array([True, False, True, False])
CLEAN = np.array([2.0, 1.5, 0.8, 1.7])
BAD = (math.nan, math.inf, -math.inf, 0.0)


def check(text: str, name: str, bad: tuple[float, ...], twice: bool = True, jit: bool = False) -> None:
    function = make(text, name)
    first = grad(function, argnums=0, jit=jit)
    second = hvp(function, argnums=0, jit=jit)
    expected: list[np.ndarray] = []
    with np.errstate(all="ignore"):
        for data in (CLEAN, *(np.where(KEEP, CLEAN, one) for one in bad)):
            tangent = jvp(function, (X, data, KEEP), (V, None, None), jit=jit)[1]
            found = [first(X, data, KEEP), tangent]
            if twice:
                found.append(second(X, data, KEEP, V))
            expected = expected or found
            for one, other in zip(found, expected, strict=True):
                assert np.allclose(one, other, rtol=1e-12, atol=0.0), (data, one, other, text)
    assert np.any(expected[0])


def some(bodies: dict[str, str]) -> list[tuple[int, str, str]]:
    """Pair each way to leave something out with every second formula."""
    pairs = itertools.product(enumerate(bodies), enumerate(FORMULAS))
    return [(j + k, body, formula) for (j, body), (k, formula) in pairs if (j + k) % 2]


@pytest.mark.parametrize(("k", "body", "formula"), some(ARRAYS))
def test_arrays(k, body, formula):
    check(whole(formula, ARRAYS[body]), f"{body}: {formula}", (BAD[k % 4],), k % 3 == 0)


@pytest.mark.parametrize(("k", "body", "formula"), some(LOOPS))
def test_loops(k, body, formula):
    """The math module raises where NumPy returns something that is not a number."""
    raises = any(sign in formula for sign in ("F.", "/", "**"))
    bad = (math.nan,) if raises else BAD[:3]
    check(looped(formula, LOOPS[body]), f"{body}: {formula}", bad, k % 3 == 0)


@pytest.mark.parametrize("body", ["chosen", "overwritten", "masked product"])
def test_compiled_arrays(body):
    check(whole("x * np.log(d * x) / d", ARRAYS[body]), body, BAD, jit=True)


@pytest.mark.parametrize("body", ["branch", "stored, overwritten", "appended"])
def test_compiled_loops(body):
    check(looped("x * F.log(d * x)", LOOPS[body]), body, BAD, jit=True)


DISTANCES = {
    "loops": """
    for i in range(len(p)):
        for j in range(len(p)):
            dx = p[i, 0] - p[j, 0]
            dy = p[i, 1] - p[j, 1]
            s += math.sqrt(dx * dx + dy ** 2)""",
    "summed": """
    for i in range(len(p)):
        for j in range(len(p)):
            r2 = 0.0
            for k in range(2):
                r2 += (p[i, k] - p[j, k]) ** 2
            s += r2 ** 0.5""",
    "scaled": """
    for i in range(len(p)):
        for j in range(len(p)):
            r2 = w[0] * (p[i, 0] - p[j, 0]) ** 2 + w[1] * (p[i, 1] - p[j, 1]) ** 2
            s += math.sqrt(r2 / w[2])""",
    "dot": """
    for i in range(len(p)):
        for j in range(len(p)):
            r = p[i] - p[j]
            s += np.sqrt(np.dot(r, r)) + np.sqrt(r @ r) + np.sqrt(np.sum(r * r))""",
    "stored": """
    r2 = np.zeros((len(p), len(p)))
    for i in range(len(p)):
        for j in range(len(p)):
            r2[i, j] = (p[i, 0] - p[j, 0]) ** 2 + (p[i, 1] - p[j, 1]) ** 2
    s += np.sum(np.sqrt(r2))""",
    "arrays": """
    d = p[:, None, :] - p[None, :, :]
    s += np.sum(np.sqrt(np.sum(d * d, axis=2))) + np.sum(np.sum(d ** 2, axis=-1) ** 0.5)""",
    "einsum": """
    d = p[:, None, :] - p[None, :, :]
    s += np.sum(np.sqrt(np.einsum("ijk,ijk->ij", d, d)))""",
    "expanded": """
    for i in range(len(p)):
        for j in range(len(p)):
            u = p[i, 0] * w[0] - p[j, 0] * w[0]
            v = (p[i, 1] - p[j, 1]) * w[1]
            s += math.sqrt(u * u + v * v) + math.hypot(u, v)""",
}


@pytest.mark.parametrize("name", DISTANCES)
def test_distance_to_itself(name):
    """It does not change, whatever moves; the others have ordinary derivatives."""
    head = "import math\nimport numpy as np\n\ndef program(p, w):\n    s = 0.0"
    text = f"{head}{DISTANCES[name]}\n    return s\n"
    function = make(text, name)
    p, w = np.array([[0.3, -0.2], [3.0, 4.0], [1.0, 1.5]]), np.array([1.5, 0.7, 2.0])
    step = 1e-6
    with np.errstate(all="ignore"):
        found = grad(function, argnums=(0, 1), jit=False)(p, w)
        for argument, gradient in zip((p, w), found, strict=True):
            for index in np.ndindex(argument.shape):
                unit = np.zeros_like(argument)
                unit[index] = 1.0
                given = [(p + h * unit, w) if argument is p else (p, w + h * unit) for h in (step, -step)]
                above, below = (function(*one) for one in given)
                assert gradient[index] == pytest.approx((above - below) / (2 * step), abs=1e-7)
                tangents = (unit, None) if argument is p else (None, unit)
                tangent = jvp(function, (p, w), tangents, jit=False)[1]
                assert tangent == pytest.approx(gradient[index], abs=1e-13)


def test_a_sum_of_what_a_search_finds():
    """`np.where(test)` is a tuple of indices: what it picks is no number."""

    def f(a, b):
        found = np.where(b < a)[0]
        return math.sin(np.sum(b[found])) * np.max(a[found])

    check_grad(f, (np.array([1.0, 3.0, 2.0, 0.5]), np.array([2.0, 1.0, 1.5, 0.7])))
