"""Without compilation, the generated text means the same as with it."""

import math
import os
import subprocess
import sys

import numpy as np
import pytest
from fuzzing import make
from numba import njit

from adcompiler import grad, hvp, jvp, value_and_grad, vjp

RECORDS = np.array(
    [(1.0, 2, [1.0, 2.0]), (3.0, 4, [3.0, 4.0])], dtype=[("mass", "f8"), ("charge", "i8"), ("place", "f8", 2)]
)
X = np.array([1.0, 2.0])


def of_records(x, r):
    total = 0.0
    for i in range(len(r)):
        total += x[i] * r[i].mass * r[i]["charge"]
    return total + np.sum(r[1].place * x)


def of_fields(x, r):
    first = r[0]
    return np.sum(x * x * r.mass) + first.mass


def of_each_record(x, r):
    total = 0.0
    for one in r:
        total += one.mass * x[0]
    return total


def of_captured_records(x):
    return x[0] * RECORDS[1].mass


def mean_of_nothing(x):
    return np.mean(x[:0]) + np.sum(x)


def spread_of_nothing(x):
    return np.std(x[:0]) + np.var(x[:0]) + np.sum(x)


def average_of_nothing(x):
    return np.average(x[:0]) + np.nanmean(x[:0]) + x[0]


def divided_by_zero(x):
    return x[0] / 0.0 + x[1] // 0.0


def divided_by_no_elements(x):
    n = len(x) - 2
    return x[0] / n + 1.0 / n


def outside_domains(x):
    return math.log(x[0] - 5.0) + math.sqrt(-x[0]) + math.acos(x[1]) + math.lgamma(-x[0])


def powers(x):
    return x[0] ** -0.5 + (-x[0]) ** 0.5 + (len(x) - 2.0) ** -1.0


def overflow(x):
    return math.exp(1000.0 * x[0]) + 10.0 ** (400.0 * x[0])


def test_a_sum_of_hundreds_of_terms():
    terms = " + ".join(f"{k}.5 * x ** {k % 5}" for k in range(500))
    program = make(f"def program(x):\n    return {terms}\n", "a sum of 500 terms")
    slope = sum((k + 0.5) * (k % 5) * 0.7 ** (k % 5 - 1) for k in range(500))
    np.testing.assert_allclose(grad(program, jit=False)(0.7), slope)


CASES = [
    *((of_records, (RECORDS,)), (of_fields, (RECORDS,)), (of_each_record, (RECORDS,))),
    (of_records, (RECORDS.view(np.recarray),)),
    *((f, ()) for f in (of_captured_records, mean_of_nothing, spread_of_nothing, average_of_nothing)),
    *((f, ()) for f in (divided_by_zero, divided_by_no_elements, outside_domains, powers, overflow)),
]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("function", "others"), CASES)
def test_the_same_as_compiled(function, others):
    found = []
    for jit in (True, False):
        outputs, pullback = vjp(function, X, *others, jit=jit)
        none = (None,) * len(others)
        found.append(
            [
                *value_and_grad(function, jit=jit)(X, *others),
                *(outputs, pullback(1.0)[0]),
                *jvp(function, (X, *others), (X, *none), jit=jit),
                hvp(function, jit=jit)(X, *others, X),
            ]
        )
    for compiled, plain in zip(*found, strict=True):
        np.testing.assert_allclose(plain, compiled, rtol=1e-12)


def picked(x, flag):
    if flag is False:
        return x * x
    return 5.0 * x if flag is not True else 3.0 * x


FLAGS = [False, True, np.False_, 0, 1, 0.0, 1.0, np.zeros(1), np.zeros(1, bool)]


@pytest.mark.parametrize("jit", [True, False])
@pytest.mark.parametrize("flag", FLAGS, ids=repr)
def test_only_booleans_are_false_or_true(flag, jit):
    value = njit(picked)(7.0, flag)
    assert value_and_grad(picked, jit=jit)(7.0, flag) == (value, 14.0 if value == 49.0 else value / 7.0)
    assert jvp(picked, (7.0, flag), (1.0, None), jit=jit)[0] == value
    assert flag is np.False_ or picked(7.0, flag) == value  # which is one of Numba's booleans


def test_errors_of_the_python_model_are_raised():
    for jit in (True, False):
        with pytest.raises(ZeroDivisionError):
            grad(lambda x: 1.0 / (x * 0.0), jit=jit, error_model="python")(1.0)


PROGRAM = """
import math
import numba
import numpy as np
from numba import njit
from numba.extending import overload
from scipy import special
from adcompiler import custom_root
from adcompiler import custom_vjp
from adcompiler import grad
from adcompiler import hessian
from adcompiler import hvp
from adcompiler import jacobian
from adcompiler import jvp
from adcompiler import value_and_grad
from adcompiler import vjp

@njit
def inner(x):
    return np.sum(np.sin(x) * x)

@njit(error_model="numpy")
def f(x, k=2.0):
    return inner(x) * k + np.max(x, axis=0) + special.erf(x[0]) + np.linalg.norm(x)

@custom_vjp
def root(a):
    return math.sqrt(a)

@root.defvjp
def of_root(a, x, d):
    return 0.5 * d / x

@custom_root(lambda x, a: x * x * x - a)
def cube_root(guess, a):
    return a ** (1.0 / 3.0)

def g(x):
    return root(x[0]) * cube_root(1.0, x[1]) * np.sum(np.linalg.solve(np.outer(x, x) + np.eye(3), x))

def cubed(x):
    return x

@overload(cubed)
def of_cubed(x):
    return lambda x: x * x * x

gradient = grad(inner)

@njit
def descend(x):
    for _ in range(3):
        x = x - 0.1 * gradient(x)
    return x

x = np.array([1.0, 2.0, 3.0])
found = [grad(f)(x), *value_and_grad(f)(x), vjp(f, x)[1](1.0)[0], *jvp(f, (x,), (x,)), hvp(inner)(x, x)]
found += [hessian(inner)(x), jacobian(lambda x: x * x)(x), grad(g)(x), descend(x), grad(inner).primal(x)]
found.append(grad(lambda x: cubed(x))(2.0))
assert "def inner_grad(x)" in grad(inner).source
np.set_printoptions(precision=9)
print([np.round(part, 9).tolist() for part in found])
print(bool(numba.config.DISABLE_JIT), type(inner).__name__)
"""


def test_compiled_code_calls_what_runs_as_plain_python():
    slope = grad(lambda x: x**3, jit=False)

    @njit
    def shifted(x):
        return slope(x) + 1.0

    assert shifted(2.0) == 13.0
    assert slope(2.0) == 12.0 and not slope.jit


def test_where_compiling_is_switched_off(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    lines = []
    for disabled in ("0", "1"):
        env = os.environ | {"NUMBA_DISABLE_JIT": disabled}
        command = [sys.executable, "program.py"]
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        lines.append(done.stdout.splitlines())
    assert lines[0][0] == lines[1][0]
    assert [line[1] for line in lines] == ["False CPUDispatcher", "True function"]
