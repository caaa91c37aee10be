"""Proofs of the functions on arrays: every call of `function_cases` against NumPy and central differences."""

import contextlib
import math
import re

import numpy as np
import pytest
from coverage_page import kind_of
from function_cases import CASES
from fuzzing import make
from numba.core.registry import cpu_target

from adcompiler import value_and_grad
from adcompiler.definitions import DEFINITIONS
from adcompiler.frontend.resolve import primitive
from adcompiler.primitives import CARDS, Spelling
from adcompiler.testing import check_grad, check_hvp, check_jvp

_rng = np.random.default_rng(5)


def _definite():
    m = _rng.normal(size=(3, 3))
    return m @ m.T + 3 * np.eye(3)


ARGUMENTS = {
    "s": 0.7,
    "t": 1.3,
    "u": _rng.normal(size=3),
    "v": _rng.normal(size=5),
    "w": _rng.normal(size=5),
    "h": np.array([0.3, np.nan, -1.2, 0.8]),
    "l": _rng.normal(size=4),
    "m": _rng.normal(size=(3, 4)),
    "n": _rng.normal(size=(4, 3)),
    "y": _rng.normal(size=(4, 2)),
    "q": _rng.normal(size=(3, 3)) + 2 * np.eye(3),
    "r": _rng.normal(size=(3, 3)),
    "p": _definite(),
    "c": _rng.normal(size=(2, 3, 4)),
    "e": _rng.normal(size=(2, 4, 3)),
    "f": _rng.normal(size=(2, 3, 4)),
    "f4": _rng.normal(size=(2, 3, 2, 2)),
    "x": np.array([0.1, 0.9, 2.3, -0.4, 3.9]),
    "xp": np.array([0.0, 1.0, 2.0, 3.2]),
    "fp": np.array([1.0, -1.0, 0.5, 2.0]),
    "z": np.array([0.3, 3.4, 6.2, 0.2, -3.0]),
    "k": np.array([2, 0, 1]),
    "i": np.array([0, 2, 1, 2, 0]),
    "b": np.array([True, False, True, True, False]),
}
CALLS = [
    (name, *(case if isinstance(case, tuple) else (case, 0)))
    for name, cases in CASES.items()
    for case in cases
]
FIRST = [next(call for call in CALLS if call[0] == name) for name in CASES]
PRIMITIVE = ("np.float32", "np.float64", "item", "np.complex64", "np.complex128")  # in other tests
IN_CORPUS = ("np.add.at", "np.subtract.at", "math.factorial", "math.comb", "math.dist")


def named_in(expression):
    """Return the names of the arguments of an expression."""
    bare = re.sub(r'"[^"]*"|\b(np|special|scipy|c?math)(\.\w+)+|\b\w+=', "", expression)
    return [name for name in ARGUMENTS if re.search(rf"\b{name}\b", bare)]


def program(expression, parts):
    """Return a function that weighs all elements of an expression differently, and its arguments."""
    names = named_in(expression)
    total = "" if "math" in expression else "np.sum"  # of numbers, Numba has none before 0.66
    found = [f"found[{k}]" for k in range(parts)] or ["found"]
    sums = " + ".join(f"{total}(np.sin({one}) * {one})" for one in found)
    text = (
        "import cmath\nimport math\n\nimport numpy as np\nimport scipy.linalg\nfrom scipy import special\n\n"
        f"def program({', '.join(names)}):\n"
        f"{'    np.random.seed(3)' if 'random' in expression else ''}\n"
        f"    found = {expression}\n"
        f"    return {sums}\n"
    )
    return make(text, f"call {expression}"), [ARGUMENTS[name] for name in names]


def varied(args):
    """Return the positions of arguments that can be differentiated."""
    return [k for k, a in enumerate(args) if np.asarray(a).dtype.kind == "f" and not np.any(np.isnan(a))]


@pytest.mark.parametrize(("name", "expression", "parts"), CALLS, ids=[call[1] for call in CALLS])
def test_call(name, expression, parts):
    function, args = program(expression, parts)
    check_grad(function, args, varied(args), jit=False, rtol=2e-6)
    check_jvp(function, args, varied(args), jit=False, rtol=2e-6)
    if (name, expression, parts) in FIRST:
        check_hvp(function, args, varied(args), jit=False)


@pytest.mark.parametrize(("name", "expression", "parts"), FIRST, ids=[call[0] for call in FIRST])
def test_compiled_call(name, expression, parts):
    function, args = program(expression, parts)
    check_grad(function, args, varied(args), rtol=2e-6)


@pytest.mark.parametrize(("name", "expression", "parts"), FIRST, ids=[call[0] for call in FIRST])
def test_single_precision(name, expression, parts):
    function, args = program(expression, parts)
    single = [a.astype(np.float32) if np.asarray(a).dtype == np.float64 and np.ndim(a) else a for a in args]
    wrt = tuple(varied(args))
    _, exact = value_and_grad(function, argnums=wrt, jit=False)(*args)
    _, found = value_and_grad(function, argnums=wrt, jit=False)(*single)
    for k, one, other in zip(wrt, found, exact, strict=True):
        assert np.ndim(one) == 0 or one.dtype == single[k].dtype
        np.testing.assert_allclose(one, other, rtol=2e-3, atol=2e-3 * max(1.0, np.max(np.abs(other))))


def test_every_rule_and_definition_has_a_proof():
    parts = {name.partition("[")[0] for name, c in CARDS.items() if c.vjps}
    joins = {name for name, c in CARDS.items() if c.spelling is Spelling.JOIN}
    known = (parts | set(DEFINITIONS) | joins) - {*PRIMITIVE, *IN_CORPUS}
    aliases = {"np.trapz": "np.trapezoid", "np.fill_diagonal": "np.diag"}
    aliases |= dict.fromkeys(("factors.lower_solved", "factors.upper_solved"), "np.linalg.solve")
    missing = sorted(name for name in known if aliases.get(name, name) not in CASES)
    assert not missing
    for c in CARDS.values():
        assert c.is_linear or {ranks for ranks, _ in c.vjps} == set(c.jvps), c.name


@pytest.mark.parametrize("jit", [False, True], ids=["uncompiled", "compiled"])
def test_a_solution_and_its_adjoint_share_the_factors(jit):
    gradient = value_and_grad(lambda a, b: np.sum(np.linalg.solve(a, b) ** 2), argnums=(0, 1), jit=jit)
    gradient(np.eye(3), np.ones(3))
    assert gradient.source.count("factorise(") == 1
    for a, b in (np.zeros((3, 3)), np.ones(3)), (np.ones((3, 2)), np.ones(3)), (np.eye(3), np.ones(4)):
        with pytest.raises(np.linalg.LinAlgError):
            gradient(a, b)


ONES = np.ones
UNEQUAL = [
    ("np.einsum('i,i->', a, b)", ONES(3), ONES(4)),
    ("np.sum(a @ b)", ONES((2, 3, 4)), ONES((3, 4, 3))),
    ("np.sum(np.tensordot(a, b, axes=([0, 1], [0, 1])))", ONES((2, 6)), ONES((3, 4))),
    ("np.sum(np.cross(a, b))", ONES(2), ONES(2)),
    ("np.sum(np.bincount(np.array([0, 1, 1]), a * b[0]))", ONES(2), ONES(2)),
    ("np.interp(0.3, a, b)", np.arange(3.0), ONES(2)),
]


@pytest.mark.parametrize(("expression", "a", "b"), UNEQUAL, ids=[case[0] for case in UNEQUAL])
def test_unequal_sizes_are_an_error(expression, a, b):
    """Compiled code does not check indices: what would reach beyond an array has to be seen before."""
    function = make(
        f"import numpy as np\n\ndef program(a, b):\n    return {expression}\n", f"unequal {expression}"
    )
    for jit in (False, True):
        with pytest.raises(AssertionError):
            value_and_grad(function, jit=jit)(a, b)


@pytest.mark.parametrize("call", ["np.median(x)", "np.quantile(x, 0.3)", "np.max(x[:, None], axis=0)[0]"])
def test_missing_values_are_not_lost(call):
    function = make(f"import numpy as np\n\ndef program(x):\n    return {call}\n", f"missing {call}")
    assert np.isnan(value_and_grad(function, jit=False)(np.array([1.0, np.nan, 3.0]))[0])


def numba_names():
    """Yield the functions of math, NumPy and its linear algebra that Numba can type."""
    context = cpu_target.typing_context
    context.refresh()
    for prefix, module in (("math", math), ("np", np), ("np.linalg", np.linalg)):
        for name in dir(module):
            function = getattr(module, name)
            if name.startswith("_") or not callable(function) or isinstance(function, type):
                continue
            with contextlib.suppress(Exception):
                context.resolve_value_type(function)
                yield f"{prefix}.{name}", primitive(function) or f"{prefix}.{name}"


@pytest.mark.filterwarnings("ignore")
def test_every_function_of_numba_is_in_the_tables():
    names = dict(numba_names())
    assert len(names) > 280
    unknown = sorted(name for name, canonical in names.items() if kind_of(canonical) is None)
    assert not unknown
