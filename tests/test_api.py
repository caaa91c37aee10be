"""The public functions: argument forms, options, source, explanation."""

import math

import numpy as np
import pytest
from numba import njit, prange

from adcompiler import DifferentiationError, grad, value_and_grad


def model(w, x, bias=0.5):
    return math.tanh(w * x + bias)


def slope(w, x, bias):
    return (1 - math.tanh(w * x + bias) ** 2) * x


def test_grad_of_the_first_argument():
    assert grad(model)(0.3, 2.0) == pytest.approx(slope(0.3, 2.0, 0.5))


@pytest.mark.parametrize("argnums", [(0, 2), ("w", "bias"), [0, "bias"], (-3, -1)])
def test_argnums_as_positions_and_names(argnums):
    d_w, d_bias = grad(model, argnums=argnums)(0.3, 2.0)
    assert d_w == pytest.approx(slope(0.3, 2.0, 0.5))
    assert d_bias == pytest.approx(slope(0.3, 2.0, 0.5) / 2.0)


def test_keyword_and_default_arguments():
    f = grad(model, argnums="w")
    assert f(x=2.0, w=0.3) == pytest.approx(slope(0.3, 2.0, 0.5))
    assert f(0.3, x=2.0, bias=1.5) == pytest.approx(slope(0.3, 2.0, 1.5))


def test_decorators():
    @grad
    def plain(x):
        return x * x

    @value_and_grad(argnums=("x", "y"))
    def both(x, y):
        return x * y

    assert plain(3.0) == 6.0
    assert both(3.0, 4.0) == (12.0, (4.0, 3.0))
    assert plain.__name__ == "plain"


def test_single_and_tuple_results():
    assert isinstance(grad(model)(0.3, 2.0), float)
    assert isinstance(grad(model, argnums=(0,))(0.3, 2.0), tuple)


def test_value_and_grad_of_a_grad():
    f = grad(model)
    value, gradient = f.value_and_grad(0.3, 2.0)
    assert value == pytest.approx(model(0.3, 2.0))
    assert gradient == f(0.3, 2.0)


def test_primal_is_compiled_and_callable_inside():
    primal = grad(model).primal

    @njit
    def outer(w):
        return primal(w, 2.0) * 2.0

    assert outer(0.3) == pytest.approx(2.0 * model(0.3, 2.0))


def test_dispatcher_options_are_taken_over():
    @njit(fastmath=True, error_model="numpy")
    def f(x):
        return 1.0 / x

    derivative = grad(f)
    assert derivative.options["fastmath"] is True
    assert derivative.primal is f
    assert "fastmath=True" in derivative.source
    assert derivative(2.0) == -0.25


def test_error_models():
    def f(x, y):
        return x / y

    assert grad(f)(1.0, 0.0) == math.inf
    with pytest.raises(ZeroDivisionError):
        grad(f, error_model="python")(1.0, 0.0)

    @njit
    def python_model(x, y):
        return x / y

    with pytest.raises(ZeroDivisionError):
        grad(python_model)(1.0, 0.0)


def test_source_before_the_first_call():
    @grad
    def f(x, n: int, scale: float, m):
        s = 0.0
        for i in range(n):
            s += x[i] * scale * m[i, 0]
        return s

    text = f.source
    assert "x: float64[:]" in text
    assert "n: int64" in text
    assert "m: float64[:, :]" in text
    assert "inferred from use" in text
    assert "from annotations" in text
    assert "def f_grad(x, n, scale, m):" in text
    compile(text, "source", "exec")


def test_source_follows_the_latest_call():
    @grad
    def f(x):
        return np.sum(x * x)

    f(np.ones((2, 2)))
    assert "x: float64[:, :]" in f.source


def test_specialised_per_type_not_per_shape():
    f = grad(lambda x: np.sum(x * x), jit=False)
    f(np.ones(3))
    f(np.ones(7))
    assert len(f.specialised) == 1
    f(np.ones((2, 2)))
    assert len(f.specialised) == 2


def test_arguments_are_not_changed():
    def f(x):
        x[0] = x[1] * x[1]
        x += 1.0
        return np.sum(x)

    x = np.array([1.0, 2.0])
    np.testing.assert_allclose(grad(f)(x), [0.0, 5.0])
    np.testing.assert_array_equal(x, [1.0, 2.0])


def test_gradients_do_not_share_memory():
    def f(x, y):
        return np.sum(x + y)

    d_x, d_y = grad(f, argnums=(0, 1))(np.ones(3), np.ones(3))
    d_x[0] = 7.0
    np.testing.assert_array_equal(d_y, [1.0, 1.0, 1.0])


def test_strided_and_fortran_arrays():
    def f(x):
        return np.sum(np.sin(x) * x)

    base = np.arange(24.0).reshape(4, 6)
    for x in (base[::2, ::3], np.asfortranarray(base), base.T):
        np.testing.assert_allclose(grad(f)(x), np.cos(x) * x + np.sin(x))


def test_explain_names_what_is_stored():
    @grad
    def recurrence(w, x):
        h = 0.0
        for i in range(len(x)):
            h = math.tanh(w * h + x[i])
        return h

    text = recurrence.explain()
    assert "stores 'h' (float64, 8 bytes) once per iteration in h_tape" in text
    assert text.count("stores") == 1


def test_linear_accumulation_stores_nothing():
    def f(x):
        s = 0.0
        for i in range(len(x)):
            s += math.sin(x[i]) * x[i]
        return s

    derivative = grad(f)
    assert "stores nothing" in derivative.explain()
    assert "tape" not in derivative.source


def test_training_loop_compiles_whole():
    @value_and_grad(argnums=("w", "b"))
    def loss(w, b, x, y):
        e = x @ w + b - y
        return np.mean(e * e)

    @njit
    def train(x, y, steps):
        w, b = np.zeros(2), 0.0
        value = 0.0
        for _ in range(steps):
            value, (d_w, d_b) = loss(w, b, x, y)
            w -= 0.1 * d_w
            b -= 0.1 * d_b
        return value, w, b

    x = np.random.default_rng(0).normal(size=(50, 2))
    value, w, b = train(x, x @ np.array([2.0, -1.0]) + 0.5, 400)
    assert value < 1e-12
    np.testing.assert_allclose([*w, b], [2.0, -1.0, 0.5], atol=1e-5)


def test_wrong_arguments():
    with pytest.raises(DifferentiationError, match="AD305"):
        grad(model)(0.3)
    with pytest.raises(DifferentiationError, match="AD305"):
        grad(model, argnums="nothing")
    with pytest.raises(DifferentiationError, match="AD305"):
        grad(model, argnums=(0, 0))


def test_cast_to_single_precision_keeps_the_derivative():
    assert grad(lambda x: np.float32(x) * 2.0)(1.5) == 2.0


def test_parallel_is_taken_over_and_correct():
    @njit(parallel=True)
    def f(x):
        s = 0.0
        for i in prange(len(x)):
            s += math.sin(x[i]) * x[i]
        return s

    x = np.linspace(0.0, 1.0, 5)
    derivative = grad(f)
    np.testing.assert_allclose(derivative(x), np.cos(x) * x + np.sin(x))
    assert " in prange(" in derivative.source


def test_unused_argument_has_zero_gradient():
    def f(x, y):
        return x * 2.0

    d_x, d_y = grad(f, argnums=(0, 1))(1.0, np.ones((2, 3)))
    assert d_x == 2.0
    np.testing.assert_array_equal(d_y, np.zeros((2, 3)))


def test_captured_array_is_part_of_the_cache_key():
    def make(weights):
        return grad(lambda x: np.sum(weights * x))

    np.testing.assert_array_equal(make(np.array([1.0, 2.0]))(np.zeros(2)), [1.0, 2.0])
    np.testing.assert_array_equal(make(np.array([3.0, 4.0]))(np.zeros(2)), [3.0, 4.0])


def test_primal_can_be_differentiated_and_called():
    primal = grad(model).primal

    def twice(w):
        return 2.0 * primal(w, 2.0)

    assert grad(primal)(0.3, 2.0) == pytest.approx(slope(0.3, 2.0, 0.5))
    assert grad(twice)(0.3) == pytest.approx(2.0 * slope(0.3, 2.0, 0.5))


def test_parameters_named_like_builtins():
    def f(sum, min, len=2.0):
        return sum * min * len

    assert grad(f, argnums="min")(3.0, min=5.0) == 6.0


def test_graph_of_a_function_with_a_loop():
    def f(w, x):
        h = w * 2.0
        for i in range(len(x)):
            h = math.tanh(w * h + x[i])
        return h

    graph = grad(f).graph
    loop = next(node for node in graph.nodes if node.operation.startswith("for"))
    assert {"w", "x", "h"} <= set(loop.inputs)
    assert graph.paths("w") == [["w", "h", loop.name], ["w", loop.name]]
    assert "h_3 = for i in range(0, n, 1) with (h_1=h):" in str(graph)


@pytest.mark.parametrize("jit", [False, True])
def test_gradients_never_share_memory(jit):
    def f(x, y, z):
        return np.sum((x + y + z.T) ** 2)

    gradients = grad(f, argnums=(0, 1, 2), jit=jit)(np.ones((2, 2)), np.ones((2, 2)), np.ones((2, 2)))
    for k, one in enumerate(gradients):
        for other in gradients[k + 1 :]:
            assert not np.shares_memory(one, other)


def pops_once_too_often(x):
    items = []
    for i in range(3):
        items.append(x * i)
    total = 0.0
    for _ in range(4):
        total += math.sin(items.pop())
    return total


@pytest.mark.parametrize("jit", [True, False])
def test_a_list_of_the_program_stays_a_list(jit):
    with pytest.raises(IndexError):
        value_and_grad(pops_once_too_often, jit=jit)(0.3)


def total_of_squares(v):
    return np.sum(v * v)


def total_by_elements(v):
    total = 0.0
    for i in range(len(v)):
        total += v[i]
    return total


def gathered(x, places):
    total = 0.0
    for i in places:
        total += x[i]
    return total


LIKELY = [
    (lambda x: total_of_squares(x), "x: float64[:]"),
    (lambda x: total_by_elements(x[1:]), "x: float64[:]"),
    (lambda x: np.sum(np.tanh(2.0 * x)), "x: float64[:]"),
    (lambda x, k: np.sum(k * x), "x: float64[:], k: float64"),
    (lambda x: np.abs(x).sum(), "x: float64[:]"),
    (lambda x: np.max(x, axis=0), "x: float64[:]"),
    (lambda x, t: np.interp(t, x, x), "x: float64[:], t: float64"),
    (lambda x: np.prod(x), "x: float64[:]"),
    (lambda x: min(x), "x: float64[:]"),
    (lambda x: sum([v * v for v in x]), "x: float64[:]"),
    (lambda x: x @ x, "x: float64[:]"),
    (lambda x: np.linalg.det(x), "x: float64[:, :]"),
    (lambda x: (x * 2.0)[0, 1], "x: float64[:, :]"),
    (lambda x: math.sin(x), "x: float64"),
    (gathered, "x: float64[:], places: int64[:]"),
]


@pytest.mark.parametrize(("function", "types"), LIKELY)
def test_likely_types_of_arguments(function, types):
    first = grad(function, jit=False).source.splitlines()[1]
    assert first == f"# types inferred from use: {types}"


def test_no_likely_type():
    with pytest.raises(DifferentiationError, match="annotate the arguments, or call it first"):
        _ = grad(lambda k, x: x[k] * 2.0).source
