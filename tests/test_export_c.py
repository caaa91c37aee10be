"""Derivatives in C: compiled without a warning, with the results of the derivative itself."""

import math
import re
import subprocess
import sys

import numpy as np
import pytest
from corpus import CORPUS
from numba import float64, njit
from test_corpus import complete, floats
from test_golden import NAMES, pair

from adcompiler import DifferentiationError, grad, hessian, hvp, jacfwd, value_and_grad, vjp
from adcompiler.c_code.c_lines import Block, declared, text_of
from benchmarks.c_calls import FAST, STRICT, CFunction, single_values

FALSE_ALARMS = {"mixture": ["-Wno-maybe-uninitialized"]}
"""gcc does not see that the check before the loop leaves no array without a first element."""

REFUSED = {
    "cholesky_loops",
    "custom_rule",
    "gaussian_process",
    "interpolation",
    "inverse_trace",
    "joined",
    "multivariate_normal",
    "ring",
    "worst_case",
}
MODES = ("grad", "value_and_grad", "hessian", "jacfwd", "jacrev")
X = np.array([0.3, -1.2, 2.0])
M = np.array([[0.3, -1.2, 2.0], [1.1, 0.4, -0.7]])


def assert_same(found, expected, rtol=1e-11):
    expected = [*single_values(expected)]
    assert len(found) == len(expected)
    for one, other in zip(found, expected):
        assert np.shape(one) == np.shape(other)
        np.testing.assert_allclose(one, other, rtol=rtol, atol=1e-13)


def program(name):
    module, *_ = pair(name)
    return module.derivative, module.arguments


@pytest.mark.parametrize("name", [name for name in NAMES if name not in REFUSED])
def test_golden_programs(name, tmp_path):
    derivative, args = program(name)
    if derivative.mode not in MODES:
        pytest.skip("it takes more arguments than the function")
    compiled = CFunction(derivative, args, tmp_path, (*STRICT, *FALSE_ALARMS.get(name, ())))
    assert_same(compiled(*args), derivative(*args))


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_c_does_not_have_is_refused_at_its_line(name, tmp_path):
    derivative, args = program(name)
    with pytest.raises(DifferentiationError, match=r"AD501.*not written in C[\s\S]*\.py:\d+:"):
        CFunction(derivative, args, tmp_path)


@pytest.mark.parametrize(("function", "inputs"), CORPUS[::5], ids=[f.__name__ for f, _ in CORPUS[::5]])
def test_corpus(function, inputs, tmp_path):
    inputs = complete(function, inputs)
    stretches = "broadcast" in function.__name__
    derivative = value_and_grad(function, argnums=floats(inputs), jit=False, broadcasting=stretches)
    try:
        compiled = CFunction(derivative, inputs, tmp_path)
    except DifferentiationError as error:
        assert error.code == "AD501" and error.location is not None
        return
    assert_same(compiled(*inputs), derivative(*inputs))


def decaying(x, steps):
    h, before = x.copy(), x[0]
    for _ in range(steps):
        for i in range(len(h)):
            h[i] = np.tanh(1.1 * h[i] + 0.2 * h[i - 1] * before)
        before = 0.5 * before + h[1]
    return before * h[0]


@pytest.mark.parametrize("options", [{"checkpoints": k} for k in (1, 2, 3, 7, 40)] + [{"memory": 3000}])
def test_loops_that_are_run_again(options, tmp_path):
    derivative = value_and_grad(decaying, jit=False, **options)
    assert_same(CFunction(derivative, (X, 30), tmp_path)(X, 30), value_and_grad(decaying, jit=False)(X, 30))


@pytest.mark.parametrize("options", [{"checkpoints": k} for k in (1, 2, 3, 40)] + [{"memory": 3000}])
def test_loops_of_unknown_length_that_are_run_again(options, tmp_path):
    def settling(x, steps):
        h, t = x.copy(), 0
        while t < steps and np.sum(h) < 50.0:
            for i in range(len(h)):
                h[i] = np.tanh(1.1 * h[i] + 0.2 * h[i - 1])
            t += 1
        return h[0] * h[1]

    derivative = value_and_grad(settling, jit=False, **options)
    assert_same(CFunction(derivative, (X, 90), tmp_path)(X, 90), value_and_grad(settling, jit=False)(X, 90))


def test_too_little_memory_is_told(tmp_path):
    compiled = CFunction(value_and_grad(decaying, jit=False, memory=20), (X, 30), tmp_path)
    with pytest.raises(RuntimeError, match="status 1"):
        compiled(X, 30)


def smooth(x):
    return np.sum(np.tanh(x) * x) + x[0] * x[1]


@njit
def power(x, n):
    return 1.0 if n == 0 else x * power(x, n - 1)


def mixed(x, k):
    total = 0.0
    for i in range(len(x) - 1, -1, -1):
        if x[i] > k:
            total += x[i] ** k
        elif i % 2 == 0:
            total -= math.exp(x[i]) // 0.1 * x[i]
        else:
            total += abs(x[i]) * x[i] % 0.7 + (-7 // 2) % 3 * x[i]
    return total


def picked(x, index):
    first = x[index]
    large = x[x > 0.0]
    joined = np.concatenate((first, large, 2.0 * x))
    places = np.nonzero(x < 0.0)[0]
    return np.linalg.norm(joined) * np.sum(joined**2) + np.sum(x[places]) * np.trace(np.outer(x, x))


def narrow(x, n):
    return x[n[0] * n[1] - 2147483647] * (n[0] + 1)


OTHERS = {
    "index arrays and masks": (value_and_grad(picked), (X, np.array([2, -1, 0]))),
    "whole numbers of 32 bits": (grad(narrow), (X, np.array([65536, 32768], np.int32))),
    "hessian": (hessian(smooth), (X,)),
    "hvp": (hvp(smooth), (X, np.array([1.0, 0.5, -0.3]))),
    "jacobian": (jacfwd(lambda x: np.sin(x[:2]) * x[2]), (X,)),
    "slope": (grad(grad(lambda x: math.sin(x) * x)), (0.7,)),
    "recursion": (grad(lambda x: power(x, 3)), (0.7,)),
    "whole numbers": (value_and_grad(mixed), (X, 1)),
    "single precision": (grad(smooth), (X.astype(np.float32),)),
    "gaps": (grad(smooth), (np.arange(8.0)[::2],)),
    "columns first": (grad(lambda m: np.sum(m[0] * m[1] ** 2)), (np.asfortranarray(M),)),
    "tuples": (value_and_grad(lambda p: p[0] * np.sum(p[1])), ((2.0, X),)),
    "dictionaries": (value_and_grad(lambda p: p["a"] * np.sum(p["b"])), ({"a": 2.0, "b": X},)),
    "größe": (grad(lambda größe: größe * größe), (3.0,)),
    "names of C": (grad(lambda double, int_, done: double * done + int_, argnums=(0, 1, 2)), (3.0, 2.0, 1.5)),
    "the function": (value_and_grad(smooth).primal, (X,)),
}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("flags", [FAST], ids=["fast"])
def test_other_derivatives(name, flags, tmp_path):
    derivative, args = OTHERS[name]
    rtol = 1e-5 if name == "single precision" else 1e-11
    assert_same(CFunction(derivative, args, tmp_path, flags)(*args), derivative(*args), rtol)
    assert_same(CFunction(derivative, args, tmp_path)(*args), derivative(*args), rtol)


def compiled(folder, *flags):
    command = ["gcc", "-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", *flags, "m.c", "m_main.c", "-lm"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return subprocess.run(["./a.out"], cwd=folder, capture_output=True, text=True)


@pytest.mark.skipif(sys.platform != "linux", reason="sanitizers of gcc")
@pytest.mark.parametrize("name", ["network", "kalman_matrices", "heat", "newton", "early_exit", "windows"])
def test_the_program_beside_it_prints_the_results_and_loses_no_memory(name, tmp_path):
    derivative, args = program(name)
    derivative.export(tmp_path / "m.c", *args)
    done = compiled(tmp_path, "-fsanitize=address,undefined", "-fno-sanitize-recover")
    assert done.returncode == 0 and not done.stderr, done.stderr
    printed = [
        float(text)
        for line in done.stdout.splitlines()
        for text in line.split(" = ")[-1].split()[-99:]
        if "=" not in text and re.match(r"[-\d.]", text)
    ]
    expected = np.concatenate([np.ravel(part) for part in single_values(derivative(*args))])
    np.testing.assert_allclose(printed, expected, rtol=1e-11, atol=1e-13)


def status_of(derivative, args, tmp_path, other):
    with pytest.raises(RuntimeError) as caught:
        CFunction(derivative, args, tmp_path)(*other)
    return str(caught.value)


def test_what_goes_wrong_is_a_status(tmp_path):
    def product(x, y):
        return np.sum(x * y)

    assert status_of(grad(product), (X, X), tmp_path, (X, X[:2])) == "status 2"

    def third(x):
        return x[2] * x[0]

    assert status_of(grad(third), (X,), tmp_path, (X[:2],)) == "status 3"

    @njit
    def quotient(x, y):
        return x / y

    assert status_of(grad(quotient), (1.0, 2.0), tmp_path, (1.0, 0.0)) == "status 4"

    def checked(x):
        assert x > 0.0
        return math.sqrt(x)

    assert status_of(grad(checked), (1.0,), tmp_path, (-1.0,)) == "status 5"

    def raising(x):
        if x < 0.0:
            raise ValueError("negative")
        return x * x

    assert status_of(grad(raising), (1.0,), tmp_path, (-1.0,)) == "status 6"
    assert status_of(grad(smooth), (X,), tmp_path, (np.arange(8.0)[::2],)) == "status 7"


def test_memory_that_is_not_there_is_a_status(tmp_path):
    def large(x, n):
        tape = np.zeros(n)
        tape[0] = x
        return np.sum(tape * tape)

    assert status_of(grad(large), (1.0, 3), tmp_path, (1.0, 2**62)) == "status 1"


def test_results_are_written_to_the_callers_memory(tmp_path):
    function = CFunction(grad(smooth), (X,), tmp_path)
    given, (result,) = function.prepared((X,))
    own = np.full(6, np.nan)
    result.data, result.shape[0], result.strides[0] = own.ctypes.data, 3, 2
    import ctypes

    assert function.function(*given, ctypes.byref(result)) == 0
    np.testing.assert_allclose(own[::2], grad(smooth)(X), rtol=1e-12)
    assert np.isnan(own[1::2]).all()


CBLAS = """
enum { CblasRowMajor, CblasNoTrans, CblasTrans };
static void cblas_dgemm(int order, int ta, int tb, int n, int m, int inner, double alpha, const double *a,
    int sa, const double *b, int sb, double beta, double *c, int sc)
{
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < m; j++) {
            double total = order == CblasRowMajor ? 0 : 1e300;
            for (int k = 0; k < inner; k++) {
                double left = ta == CblasTrans ? a[k * sa + i] : a[i * sa + k];
                total += left * (tb == CblasTrans ? b[j * sb + k] : b[k * sb + j]);
            }
            c[i * sc + j] = beta * c[i * sc + j] + alpha * total;
        }
    }
}
"""


def test_products_by_a_blas(tmp_path):
    (tmp_path / "cblas.h").write_text(CBLAS)
    derivative, args = program("network")
    function = CFunction(derivative, args, tmp_path, ("-std=c99", "-O1", "-DAD_CBLAS", f"-I{tmp_path}"))
    assert_same(function(*args), derivative(*args))


def test_pullbacks_take_the_adjoints_after_the_arguments(tmp_path):
    vjp(lambda x, k: (np.tanh(x) * k, k * k), X, 0.5)[1].export(tmp_path / "m.c")
    header = re.sub(r"\s+", " ", (tmp_path / "m.h").read_text())
    assert "int lambda_pullback( f64_array1 x, double k, f64_array1 " in header
    assert "f64_array1 *out_d_x, double *out_d_k);" in header


def test_types_serve_as_well_but_give_no_program(tmp_path):
    grad(smooth).export(tmp_path / "m.c", float64[::1])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.c", "m.h"]
    header = (tmp_path / "m.h").read_text()
    assert "int smooth_grad(f64_array1 x, f64_array1 *out_d_x);" in header
    assert "The gradient of smooth (test_export_c.py, line" in header


def test_what_an_else_and_later_lines_share_is_declared_before_the_branch():
    lines = [Block("if (n == 0)", ["a = 1"]), Block("else", ["size = n"]), "b = size"]
    declared(lines, {"size": "int64_t"})
    assert [*text_of(lines)] == [
        "int64_t size = 0;",
        "if (n == 0) {",
        "    a = 1;",
        "} else {",
        "    size = n;",
        "}",
        "b = size;",
    ]
