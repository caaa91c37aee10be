"""Calls of `function_cases` with complex arguments: right, or refused where that is listed.

Of functions that are linear, two calls each, of others up to six.
"""

import warnings

import numpy as np
import pytest
from fuzzing import make
from test_functions import ARGUMENTS, CALLS, named_in

from adcompiler import DifferentiationError, jvp, value_and_grad
from adcompiler.primitives import card

# of the calls that NumPy takes for complex numbers: what orders them, and what is known for real ones only
ORDERED = (
    *("np.max", "np.min", "np.ptp", "np.sort", "np.median", "np.partition", "np.nanmax", "np.nanmin"),
    *("np.nanmedian", "np.maximum.accumulate", "np.maximum.outer", "np.maximum.reduce"),
    *("np.minimum.accumulate", "np.minimum.outer", "np.minimum.reduce", "np.clip", "np.argsort"),
)
OTHERS = ("np.histogram", "linalg.sqrtm", "linalg.logm", "astype")
REFUSED = {
    "np.take_along_axis(m, np.argsort(m), axis=1)",
    "np.linspace(s, t, 4, dtype=np.float64)",
    *("np.linalg.svd(q)", "np.linalg.svd(m, full_matrices=False)", "np.linalg.svd(n, full_matrices=False)"),
}
ELSEWHERE = ("cmath.", "math.", "special.")
_rng = np.random.default_rng(3)


def complex_argument(name, value):
    """Return an argument with an imaginary part; the matrix `p` is Hermitian."""
    if np.asarray(value).dtype.kind != "f":
        return value
    imaginary = _rng.normal(size=np.shape(value))
    if name == "p":
        return value + 1j * (imaginary - imaginary.T) * 0.3
    return value + 1j * imaginary if np.ndim(value) else complex(value + 1j * imaginary)


COMPLEX = {name: complex_argument(name, value) for name, value in ARGUMENTS.items()}


def program(expression, parts):
    """Return a function that weighs what a call returns, and its arguments; phases of vectors are free."""
    names = named_in(expression)
    found = [f"found[{k}]" for k in range(parts)] or ["found"]
    linear = "" if "np.linalg.eigh" in expression else " + np.real({0} * (0.7 - 0.4j))"
    sums = " + ".join(f"np.sum(np.abs({one}) ** 3{linear.format(one)})" for one in found)
    text = (
        f"import numpy as np\nimport scipy.linalg\n\n\ndef program({', '.join(names)}):\n"
        f"    found = {expression}\n    return {sums}\n"
    )
    return make(text, f"complex call {expression}"), [COMPLEX[name] for name in names]


def is_taken_by_numpy(expression, parts):
    """Tell whether NumPy takes complex numbers in a call."""
    function, args = program(expression, parts)
    if "random" in expression or not any(np.iscomplexobj(a) for a in args):
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return bool(np.isfinite(function(*args)))
        except Exception:
            return False


TAKEN = [c for c in CALLS if not c[0].startswith(ELSEWHERE) and is_taken_by_numpy(*c[1:])]
WRONG = [c for c in TAKEN if c[0] in ORDERED + OTHERS or c[1] in REFUSED]
BY_NAME = {name: [c for c in TAKEN if c[0] == name and c not in WRONG] for name, *_ in TAKEN}
FIRST = [found[0] for found in BY_NAME.values() if found]
RIGHT = [c for name, found in BY_NAME.items() for c in found[: 2 if card(name).is_linear else 6]]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "expression", "parts"), RIGHT, ids=[call[1] for call in RIGHT])
def test_call(name, expression, parts):
    function, args = program(expression, parts)
    wrt = [k for k, a in enumerate(args) if np.iscomplexobj(a) and not np.any(np.isnan(a))]
    value, gradient = value_and_grad(function, argnums=tuple(wrt), jit=False)(*args)
    np.testing.assert_allclose(value, function(*args), rtol=1e-10)
    random = np.random.default_rng(1)
    along = [random.normal(size=np.shape(args[k])) + 1j * random.normal(size=np.shape(args[k])) for k in wrt]
    changes = dict(zip(wrt, along, strict=True))

    def moved(step):
        return function(*(a + step * changes[k] if k in changes else a for k, a in enumerate(args)))

    expected = (moved(1e-5) - moved(-1e-5)) / 2e-5
    found = sum(np.sum(np.real(g * change)) for g, change in zip(gradient, along, strict=True))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    if (name, expression, parts) in FIRST and not card(name).is_linear:
        tangents = [changes.get(k) for k in range(len(args))]
        tangents = [complex(t) if t is not None and np.ndim(t) == 0 else t for t in tangents]
        np.testing.assert_allclose(jvp(function, args, tangents, jit=False)[1], found, rtol=1e-9, atol=1e-9)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "expression", "parts"), WRONG, ids=[call[1] for call in WRONG])
def test_refused_call(name, expression, parts):
    function, args = program(expression, parts)
    with pytest.raises(DifferentiationError) as caught:
        value_and_grad(function, jit=False)(*args)
    assert caught.value.code == "AD202"
