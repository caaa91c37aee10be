"""Exported modules: the same bits in a process that has no adcompiler."""

import math
import pickle
import subprocess
import sys
from collections import namedtuple

import numpy as np
import pytest
from numba import complex128, float64, int64, njit
from scipy import special
from test_golden import pair

from adcompiler import (
    DifferentiationError,
    custom_vjp,
    grad,
    hessian,
    hvp,
    jacfwd,
    jacrev,
    value_and_grad,
    vjp,
)
from adcompiler.standalone.type_text import type_text

RUN = """
import importlib, pickle, sys
sys.modules["adcompiler"] = None  # whatever imports it fails
sys.path.insert(0, "")
found = {}
for name, (function, args) in pickle.load(open("calls.pickle", "rb")).items():
    module = importlib.import_module(name)
    args = (module.Layer(*args[0]), *args[1:]) if hasattr(module, "Layer") else args
    found[name] = getattr(module, function)(*args)
    found[name] = (found[name][0], tuple(found[name][1])) if hasattr(module, "Layer") else found[name]
pickle.dump(found, open("found.pickle", "wb"))
"""
Layer = namedtuple("Layer", "weights bias")
TABLE = np.array([[1.0, 2.0], [3.0, 4.5]])
LARGE = np.random.default_rng(2).normal(size=300)
WEIGHTS = (0.5, 2.0)
X = np.array([0.3, -1.2, 2.0])
GOLDEN = [
    "recurrence",
    "kalman_matrices",
    "heat",
    "garch",
    "softmax",
    "mixture",
    "binomial_tree",
    "pendulum",
    "dictionary",
]


def captured(x):
    return np.sum(LARGE * np.sin(x[0])) + WEIGHTS[1] * np.sum(np.linalg.solve(TABLE, x[:2]) ** 2)


def energy(x):
    return np.sum(np.exp(x) * x) + x[0] * x[1]


def outputs(x, k):
    return np.tanh(x * k), k**2


def layer(p, x):
    return math.tanh(p.bias + np.sum(p.weights * x))


def of_dictionary(p, x):
    return p["a"] * np.sum(p["b"] * x)


@njit
def power(x, n):
    return 1.0 if n == 0 else x * power(x, n - 1)


def recursive(x, n):
    return power(x, n) + power(2.0 * x, n)


def single(x):
    return np.sum(np.exp(x) * np.sqrt(x))


def gammas(x, y):
    return special.gammaln(x) + special.psi(y) * x + special.zeta(2.5, x)


def written(x, l):  # noqa: E741
    x[0] = x[1] * l
    return np.sum(x * x)


def of_complex(x):
    z = x * (1.0 + 2.0j)
    return np.sum(np.abs(z * z))


FIRST = lambda x, k: np.tanh(x * k)  # noqa: E731
PULLBACK = vjp(outputs, X, 0.5)[1]
SINGLE = np.array([0.3, 1.2], np.float32)
CASES = {
    "captured": (value_and_grad(captured), (X,), "captured_value_and_grad"),
    "forward": (jacfwd(FIRST), (X, 0.5), "lambda_jacobian"),
    "rows": (jacrev(FIRST), (X, 0.5), "lambda_jacobian"),
    "second": (hessian(energy), (X,), "energy_hessian"),
    "product": (hvp(energy), (X, np.ones(3)), "energy_hvp"),
    "slope": (grad(grad(lambda x: math.sin(x) * x)), (0.7,), "lambda_grad_slope"),
    "recursive": (grad(recursive), (0.7, 4), "recursive_grad"),
    "single": (grad(single), (SINGLE,), "single_grad"),
    "gammas": (grad(gammas, argnums=(0, 1)), (1.3, 2.4), "gammas_grad"),
    "written": (grad(written, argnums=("x", "l")), (X, 2.0), "written_grad"),
    "primal": (value_and_grad(energy).primal, (X,), "energy"),
    "columns": (grad(energy), (np.arange(6.0)[::2],), "energy_grad"),
    "options": (value_and_grad(energy, fastmath=True), (X,), "energy_value_and_grad"),
    "complex_numbers": (grad(of_complex), (X,), "of_complex_grad"),
}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """The results of all modules, from one process without adcompiler."""
    folder = tmp_path_factory.mktemp("exported")
    calls = {}
    for name, (derivative, args, function) in CASES.items():
        derivative.export(folder / f"{name}.py", *args)
        calls[name] = function, args
    for name in GOLDEN:
        program, *_ = pair(name)
        program.derivative.export(folder / f"golden_{name}.py", *program.arguments)
        args = tuple(tuple(a.values()) if isinstance(a, dict) else a for a in program.arguments)
        calls[f"golden_{name}"] = f"{name}_{program.derivative.mode}", args
    value_and_grad(layer).export(folder / "named.py", Layer(X, 0.3), X)
    calls["named"] = "layer_value_and_grad", ((X, 0.3), X)
    PULLBACK.export(folder / "pulled.py")
    calls["pulled"] = "outputs_pullback", (X, 0.5, np.ones(3), 2.0)
    return run(folder, calls), folder


def run(folder, calls):
    (folder / "calls.pickle").write_bytes(pickle.dumps(calls))
    done = subprocess.run([sys.executable, "-c", RUN], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return pickle.loads((folder / "found.pickle").read_bytes())


def assert_same(found, expected):
    """Compare to rounding: compilers may fuse a product and a sum in one text and not in the other."""
    if isinstance(expected, (tuple, list, dict)):
        parts = expected.values() if isinstance(expected, dict) else expected
        assert len(found) == len(parts)
        for one, other in zip(found, parts):
            assert_same(one, other)
    elif expected is None:
        assert found is None
    else:
        one, other = np.asarray(found), np.asarray(expected)
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        np.testing.assert_allclose(one, other, rtol=1e-5 if one.dtype == np.float32 else 1e-12, atol=1e-14)


@pytest.mark.parametrize("name", CASES)
def test_results_are_the_same(found, name):
    derivative, args, _ = CASES[name]
    assert_same(found[0][name], derivative(*args))


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_programs_are_the_same(found, name):
    program, *_ = pair(name)
    compiled = value_and_grad(program.derivative.function, argnums=program.derivative.argnums)
    if program.derivative.mode != "value_and_grad":
        compiled = type(program.derivative)(
            program.derivative.function, program.derivative.mode, program.derivative.argnums, True, {}
        )
    assert_same(found[0][f"golden_{name}"], compiled(*program.arguments))


def test_named_tuples_are_classes_of_the_module(found):
    value, gradient = value_and_grad(layer)(Layer(X, 0.3), X)
    assert_same(found[0]["named"], (value, tuple(gradient)))
    assert 'Layer = namedtuple("Layer", ["weights", "bias"])' in (found[1] / "named.py").read_text()


def test_pullbacks_take_the_adjoints_after_the_arguments(found):
    assert_same(found[0]["pulled"], PULLBACK((np.ones(3), 2.0)))


def test_ruff_has_nothing_to_say(found):
    ruff = pytest.importorskip("ruff").find_ruff_bin()
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [ruff, *command, "--isolated", "."], cwd=found[1], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout


def test_only_what_is_used_is_written_out(found):
    text = (found[1] / "golden_recurrence.py").read_text()
    assert "fast_" not in text and "intrinsic" not in text
    assert "fast_exp32" in (found[1] / "single.py").read_text()
    assert "fast_tanh" not in (found[1] / "single.py").read_text()
    assert "adcompiler." not in "".join(path.read_text() for path in found[1].glob("*.py"))


def test_header_says_where_it_comes_from(found):
    text = (found[1] / "captured.py").read_text()
    first = captured.__code__.co_firstlineno
    assert text.startswith(f'"""Value and gradient of captured (test_export.py, line {first}).')
    assert "x: float64[:]" in text


def test_types_serve_as_well_as_arguments(tmp_path):
    derivative = grad(energy)
    derivative.export(tmp_path / "one.py", float64[::1])
    derivative.export(tmp_path / "other.py", X)
    assert (tmp_path / "one.py").read_text() == (tmp_path / "other.py").read_text()


def test_dictionaries_are_tuples(tmp_path):
    p = {"a": 2.0, "b": X}
    grad(of_dictionary).export(tmp_path / "m.py", p, X)
    assert "p is passed as a tuple of its items in this order: a, b." in (tmp_path / "m.py").read_text()
    found = run(tmp_path, {"m": ("of_dictionary_grad", ((2.0, X), X))})["m"]
    assert_same(found, grad(of_dictionary)(p, X))


def test_without_arguments_it_is_for_the_latest_ones(tmp_path):
    derivative = grad(lambda x, n: x * n)
    derivative(2.0, 3)
    derivative.export(tmp_path / "m.py")
    assert "types.float64, types.int64" in (tmp_path / "m.py").read_text()


@pytest.mark.parametrize("name", ["recursive", "captured", "gammas", "single"])
def test_later_processes_have_the_same_results(found, name):
    """What Numba keeps of a module is right, or nothing is kept."""
    derivative, args, function = CASES[name]
    for _ in range(2):
        assert_same(run(found[1], {name: (function, args)})[name], derivative(*args))


def test_other_arguments_are_refused_by_numba(tmp_path):
    grad(energy).export(tmp_path / "m.py", float64[::1])
    with pytest.raises(AssertionError, match="No matching definition"):
        run(tmp_path, {"m": ("energy_grad", (np.ones(3, complex),))})


def test_names_of_the_user_and_of_the_runtime_stay_apart(tmp_path):
    def clash(x):
        scaled_exp, bits, fast_exp = x[0], x[1], 0.5
        return np.sum(np.exp(x) * fast_exp) + scaled_exp * bits

    grad(clash).export(tmp_path / "m.py", X)
    assert_same(run(tmp_path, {"m": ("clash_grad", (X,))})["m"], grad(clash)(X))


@custom_vjp
def clipped(x):
    return min(x, 1.0)


@clipped.defvjp
def clipped_vjp(x, y, d):
    return d


def test_what_only_this_program_has_is_refused_at_its_line(tmp_path):
    def with_rule(x):
        y = x * x
        return clipped(y)

    line = with_rule.__code__.co_firstlineno + 2
    with pytest.raises(DifferentiationError, match=rf"AD501.*'clipped' is a CustomFunction[\s\S]*py:{line}:"):
        grad(with_rule).export(tmp_path / "m.py", 0.3)
    assert not (tmp_path / "m.py").exists()


@pytest.mark.parametrize("name", ["m", "m.txt", "m.f90"])
def test_other_languages_are_refused(tmp_path, name):
    with pytest.raises(DifferentiationError, match=r"AD501.*names no language"):
        grad(energy).export(tmp_path / name, X)


def test_types_are_written_as_expressions():
    assert type_text(complex128[:, :], {}) == "types.complex128[:, :]"
    assert type_text(int64[::1, :], {}) == "types.int64[::1, :]"
