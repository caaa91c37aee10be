"""Tiny functions, one construct each, with the inputs at which every mode is tested."""

from __future__ import annotations

import dataclasses
import enum
import functools
import math
import warnings
from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from corpus_memory import MEMORY
from numba import njit, prange, vectorize
from numba.typed import List

from adcompiler import grad, hvp, jvp, linearize, vjp

CORPUS: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []

GAIN = 1.5
TABLE = np.array([0.3, -1.2, 2.0])
TABLES = (np.array([1.0, 2.0]), np.array([3.0, 4.0]))
X3 = np.array([0.3, -1.2, 2.0])
Y3 = np.array([1.1, 0.4, -0.7])
X5 = np.array([0.5, 1.5, -0.3, 0.8, 2.2])
M23 = np.array([[0.3, -1.2, 2.0], [1.1, 0.4, -0.7]])
M32 = np.array([[0.2, 1.3], [-0.8, 0.9], [1.7, -0.4]])
T223 = np.arange(12.0).reshape(2, 2, 3) / 7.0 - 0.6


def case(*inputs: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        CORPUS.append((function, inputs))
        return function

    return enter


# scalars: operators


@case(0.3, 1.2)
def add(x, y):
    return x + y


@case(0.3, 1.2)
def subtract_from_constant(x, y):
    return 3 - x - 2.0 * y


@case(0.3, 1.2)
def divide(x, y):
    return x / y + 1 / x


@case(1.3)
def power_integer(x):
    return x**3 - x**-2 + x**1 + x**0


@case(1.3, 0.7)
def power_variable(x, y):
    return x**y + 2.0**x


@case(3.7)
def modulo(x):
    return x % 1.5 * x + x // 2.0


@case(-0.7)
def negate(x):
    return -x * +x


@case(1.3)
def same_variable_twice(x):
    return x * x / (x + x)


@case(0.4)
def reassign(x):
    y = x * x
    y = y * x
    x = y + x
    return x * y


@case(0.4, 1.3)
def augmented(x, y):
    s = x
    s += y
    s -= 2.0 * x
    s *= y
    s /= x
    s **= 2
    return s


@case(0.4, 1.3)
def swap(a, b):
    a, b = b, a * b
    return a / b


@case(0.4)
def chained_assignment(x):
    a = b = x * 2.0
    return a * b


@case(0.4)
def unused_work(x):
    y = math.sin(x)
    z = y * 3.0
    return y


@case(0.4)
def constant_result(x):
    return 2.5


@case(0.4)
def returns_argument(x):
    return x


# scalars: functions


@case(0.4)
def math_functions(x):
    return math.sin(x) * math.cos(x) + math.exp(x) / math.log(x + 2.0) + math.sqrt(x) + math.tanh(x)


@case(0.4)
def numpy_scalar_functions(x):
    return np.sin(x) * np.arctan(x) + np.log1p(x) + np.expm1(x) + np.cosh(x)


@case(0.4, -1.3)
def builtin_functions(x, y):
    return abs(y) * max(x, y) + min(x, y) ** 2 + float(x) + max(x, y, 0.1)


@case(0.4, 1.3)
def two_argument_functions(x, y):
    return math.atan2(x, y) + math.hypot(x, y) + math.pow(x, y)


@case(2.7)
def piecewise_constant(x):
    return math.floor(x) * x + int(x) + round(x)


# branches


@case(0.4)
def if_else(x):
    if x > 0:
        y = x * x
    else:
        y = -x
    return y


@case(-0.4)
def if_without_else(x):
    y = x
    if x < 0:
        y = x * 3.0
    return y * x


@case(0.7)
def elif_chain(x):
    if x < 0:
        y = x
    elif x < 0.5:
        y = x**2
    elif x < 1.0:
        y = x**3
    else:
        y = 1.0
    return y


@case(0.4)
def ternary(x):
    return x * x if x > 0.5 else math.sin(x)


@case(0.4, 1.2)
def nested_if(x, y):
    z = 0.0
    if x > 0:
        if y > 1:
            z = x * y
        else:
            z = x
        z = z * 2.0
    return z + y


@case(0.4)
def early_return(x):
    if x > 0:
        return x * 2.0
    return x * x


@case(-0.4)
def early_return_nested(x):
    if x < 1.0:
        if x > 0:
            return x
        x = x * 3.0
    return x * x


@case(0.4, 1.2)
def boolean_operators(x, y):
    if (x > 0 and y > 0) or not x < 1:
        return x * y
    return x


@case(0.4)
def chained_comparison(x):
    return x**2 if 0 < x < 1 else x


@case(0.4)
def branch_defines_variable(x):
    if x > 0:
        t = math.exp(x)
    if x > 0:
        return t * x
    return x


@case(0.4)
def asserts(x):
    assert x > 0, "positive"
    return math.log(x)


@case(0.4)
def raises(x):
    if x < 0:
        raise ValueError("negative")
    return math.sqrt(x)


# loops


@case(1.1)
def for_power(x):
    y = 1.0
    for _ in range(4):
        y = y * x
    return y


@case(X5)
def for_sum(x):
    s = 0.0
    for i in range(len(x)):
        s += x[i] * x[i]
    return s


@case(X5)
def for_start_stop(x):
    s = 1.0
    for i in range(1, 4):
        s = s * x[i] + x[i - 1]
    return s


@case(X5)
def for_step(x):
    s = 1.0
    for i in range(0, 5, 2):
        s = math.sin(s * x[i])
    return s


@case(X5)
def for_backwards(x):
    s = 1.0
    for i in range(4, -1, -1):
        s = math.sin(s * x[i])
    return s


@case(X5)
def for_backwards_step(x):
    s = 1.0
    for i in range(4, 0, -2):
        s = math.sin(s * x[i])
    return s


@case(X5, 3)
def for_variable_step(x, k):
    s = 1.0
    for i in range(1, len(x), k):
        s = math.sin(s * x[i])
    return s


@case(X5, 0)
def for_zero_iterations(x, n):
    s = x[0]
    for i in range(n):
        s = s * x[i]
    return s


@case(X5, -2)
def for_negative_bound(x, n):
    s = x[0]
    for i in range(n):
        s = math.sin(s * x[i])
    return s


@case(0.4, X5)
def recurrence(w, x):
    h = 0.0
    for i in range(len(x)):
        h = math.tanh(w * h + x[i])
    return h


@case(0.4, X5)
def two_states(w, x):
    a, b = 0.1, 0.2
    for i in range(len(x)):
        a, b = math.sin(b + x[i]), a * b * w
    return a + b


@case(X5)
def nested_loops(x):
    s = 0.0
    for i in range(len(x)):
        for j in range(len(x)):
            s += math.exp(x[i] * x[j] / 4.0)
    return s


@case(X5)
def triangular_loops(x):
    s = 0.0
    for i in range(len(x)):
        for j in range(i):
            s = math.sin(s + x[i] * x[j])
    return s


@case(X5)
def inner_result_used(x):
    s = 0.0
    for i in range(len(x)):
        t = 0.0
        for j in range(len(x)):
            t += x[i] * x[j] ** 2
        s += math.sin(t)
    return s


@case(X5)
def last_value_after_loop(x):
    t = 0.0
    for i in range(len(x)):
        t = x[i] ** 2
    return t


@case(X5)
def index_after_loop(x):
    s = 0.0
    for i in range(3):
        s += x[i] ** 2
    return s * x[i]


@case(X5)
def loop_with_branch(x):
    s = 1.0
    for i in range(len(x)):
        if x[i] > 0.6:
            s = s * x[i]
        else:
            s = s + math.sin(x[i])
    return s


@case(X5)
def loop_break(x):
    s = 1.0
    for i in range(len(x)):
        s = s * x[i]
        if s < 0:
            break
    return s


@case(X5)
def loop_break_first(x):
    s = 1.0
    for i in range(len(x)):
        if x[i] < 0:
            break
        s = s * x[i]
    return s


@case(X5)
def loop_continue(x):
    s = 1.0
    for i in range(len(x)):
        if x[i] < 0:
            continue
        s = s * x[i]
    return s


@case(X5)
def loop_return(x):
    s = 1.0
    for i in range(len(x)):
        s = s * (x[i] + 1.0)
        if s > 4.0:
            return s * x[i]
    return s


@case(X5)
def nested_break(x):
    s = 1.0
    for i in range(len(x)):
        for j in range(len(x)):
            if x[j] < 0:
                break
            s = s + x[i] * x[j] * 0.1
        if s > 4.0:
            break
        s = s * 1.1
    return s


@case(X5, 2.0)
def returns_from_nested_branches(x, y):
    for i in range(1, 4):
        if x[i] + y > 10.0:
            return x[i]
        if x[i] > 0.6 and y > 3.0:
            return x[i] * y
        if x[i] < 0.0 and y > 1.0:
            return x[i] * y * y
    else:
        y = y * x[0]
    return x[1] * y


@case(X5)
def for_else(x):
    s = 1.0
    for i in range(len(x)):
        s = s * x[i]
        if s > 100.0:
            break
    else:
        s = s * s
    return s


@case(9.0)
def while_halving(x):
    while x > 1.0:
        x = x / 2.0
    return x * x


@case(2.0)
def while_newton(a):
    x = a
    while abs(x * x - a) > 1e-12:
        x = 0.5 * (x + a / x)
    return x


@case(0.4, 5)
def while_counter(x, n):
    y = x
    k = 0
    while k < n:
        y = math.sin(y) + x
        k += 1
    return y


@case(0.4)
def while_true_break(x):
    y = x
    while True:
        y = y * 1.5
        if y > 3.0:
            break
    return y * y


@case(0.4)
def while_continue(x):
    y = x
    k = 0
    while k < 6:
        k += 1
        if k % 2 == 0:
            continue
        y = math.sin(y * k)
    return y


@case(X5)
def while_in_for(x):
    s = 0.0
    for i in range(len(x)):
        y = abs(x[i]) + 0.1
        while y < 2.0:
            y = y * (1.5 + 0.1 * y)
        s += y * y
    return s


@case(X5, np.array([1, 0, 3]), np.array([2, 4, -1, -1, -1]))
def while_in_an_iteration_that_is_run_again(x, head, after):
    energy = 0.0
    for i in range(len(x)):
        for cell in range(len(head)):
            if cell == 1:
                continue
            j = head[cell]
            while j != -1:
                if j > i:
                    energy += (x[i] - x[j]) ** 3
                j = after[j]
    return math.sin(energy)


# arrays: elements


@case(X3)
def element(x):
    return x[0] * x[2] + x[-1]


@case(M23)
def element_2d(a):
    return a[0, 1] * a[1, 2] + a[1][0]


@case(T223)
def element_3d(a):
    s = 0.0
    for i in range(2):
        for j in range(2):
            for k in range(3):
                s += a[i, j, k] ** 3
    return s


@case(X5)
def write_elements(x):
    y = np.zeros(5)
    for i in range(5):
        y[i] = x[i] * x[i]
    return y[0] * y[3] + y[4]


@case(X5)
def overwrite_elements(x):
    y = np.zeros(5)
    for i in range(5):
        y[i] = x[i] * x[i]
    for i in range(1, 5):
        y[i] = y[i] * y[i - 1] + 1.0
    return y[4]


@case(X5)
def accumulate_elements(x):
    y = np.zeros(3)
    for i in range(5):
        y[i % 3] += x[i] * x[i]
    return y[0] * y[1] * y[2]


@case(X5)
def scale_elements(x):
    y = x.copy()
    for i in range(5):
        y[i] *= y[i]
        y[i] -= 0.5
        y[i] /= 1.5
    return np.sum(y)


@case(X5)
def write_argument(x):
    for i in range(1, 5):
        x[i] = x[i] * x[i - 1]
    return x[4] + x[2]


@case(X5)
def prefix_products(x):
    y = np.empty(5)
    y[0] = x[0]
    for i in range(1, 5):
        y[i] = y[i - 1] * x[i]
    return y[4] + y[2]


@case(X5)
def scratch_in_loop(x):
    s = 0.0
    for i in range(5):
        t = np.zeros(3)
        for k in range(3):
            t[k] = x[i] * (k + 1.0)
        s += math.exp(t[0] * 0.1) * t[2]
    return s


@case(X5)
def scratch_reused(x):
    t = np.zeros(3)
    s = 0.0
    for i in range(5):
        for k in range(3):
            t[k] = x[i] * (k + 1.0) + 0.1 * t[k]
        s += t[0] * t[2]
    return s


@case(M23)
def write_2d(a):
    b = np.zeros((3, 2))
    for i in range(2):
        for j in range(3):
            b[j, i] = a[i, j] ** 2
    return b[0, 0] * b[1, 1] + b[2, 1]


@case(X5, 4)
def heat_steps(u, n):
    v = u.copy()
    for _ in range(n):
        w = v.copy()
        for i in range(1, 4):
            v[i] = w[i] + 0.1 * (w[i - 1] - 2.0 * w[i] + w[i + 1])
    return np.sum(v * v)


@case(X5, 3)
def burgers_in_place(u, n):
    for _ in range(n):
        for i in range(1, 5):
            u[i] = u[i] - 0.1 * u[i] * (u[i] - u[i - 1])
    return u[4] + u[2] * u[3]


# arrays: whole


@case(X3, Y3)
def array_arithmetic(x, y):
    return np.sum(x * y - x / (y + 3.0) + 2.0 * x - y**2)


@case(X3)
def array_functions(x):
    return np.sum(np.sin(x) * np.exp(x) + np.tanh(x) + np.abs(x) + np.sqrt(x * x + 1.0))


@case(X3, 0.7)
def array_and_scalar(x, c):
    return np.sum(c * x + x**2 / c - c)


@case(M23, X3)
def broadcast_row(a, x):
    return np.sum(np.sin(a * x + a))


@case(M23, np.array([[0.4], [1.2]]))
def broadcast_column(a, c):
    return np.sum(np.sin(a * c))


@case(np.array([[0.4], [1.2]]), np.array([[0.3, 0.8, -0.2]]))
def broadcast_both(c, r):
    return np.sum(np.sin(c + r) * c)


@case(X3, np.array([0.6]))
def broadcast_size_one(x, c):
    return np.sum(np.exp(x * c))


@case(X3)
def mean(x):
    return np.mean(x * x)


@case(X3)
def extrema(x):
    return np.max(x) * np.min(x * x)


@case(M23)
def sum_axis(a):
    s = np.sum(a * a, axis=0)
    t = np.sum(a, 1)
    return np.sum(s * s) + t[0] * t[1]


@case(M23)
def sum_methods(a):
    return a.sum() * a.mean() + a.max()


@case(X3, Y3)
def dot_product(x, y):
    return np.dot(x, y) * x.dot(x)


@case(M23, X3)
def matrix_vector(a, x):
    y = a @ x
    return np.sum(y * y)


@case(M23, np.array([0.3, 0.9]))
def vector_matrix(a, x):
    y = np.dot(x, a)
    return np.sum(np.sin(y))


@case(M23, M32)
def matrix_matrix(a, b):
    return np.sum(np.tanh(a @ b))


@case(M23)
def transpose(a):
    return np.sum(np.sin(a.T @ a))


@case(X3, Y3)
def outer(x, y):
    return np.sum(np.sin(np.outer(x, y)))


@case(M23)
def reshape(a):
    b = a.reshape(3, 2)
    c = np.reshape(a * a, (6,))
    return np.sum(b * b) + c[2] * c[3]


@case(X3, Y3)
def where(x, y):
    return np.sum(np.where(x > y, x * x, y))


@case(X3, Y3)
def maximum_minimum(x, y):
    return np.sum(np.maximum(x, y) * np.minimum(x, 0.5))


@case(X3)
def relu(x):
    return np.sum(np.maximum(x, 0.0) ** 2)


@case(X5)
def slices(x):
    return np.sum(x[1:4] * x[:3]) + np.sum(x[::2]) * x[-1]


@case(M23)
def rows_and_columns(a):
    r = a[0]
    c = a[:, 1]
    return np.sum(r * r) + c[0] * c[1] + np.sum(a[1, 1:])


@case(X5)
def write_slice(x):
    y = np.zeros(5)
    y[1:4] = x[:3] * x[2:]
    y[0] = x[4]
    return np.sum(y * y)


@case(X5, 0.3)
def fill_slice(x, c):
    y = x * x
    y[1:3] = c
    y[3:] += c * x[3:]
    return np.sum(y * x)


@case(X3, Y3)
def in_place_arrays(x, y):
    z = x * 1.0
    z += y
    z *= x
    z -= 0.5 * y
    z /= 2.0
    return np.sum(z * z)


@case(M23)
def view_is_written(a):
    b = a * 1.0
    row = b[1]
    row[0] = row[1] * row[2]
    row += 0.5
    return np.sum(b * b)


@case(X3)
def written_after_use(x):
    y = x * x
    z = np.sin(y)
    y[0] = 5.0
    return np.sum(z * z) + y[1]


@case(X3)
def used_between_writes(x):
    y = x.copy()
    s = 0.0
    for i in range(3):
        s += np.sum(y * y)
        y[i] = y[i] * s * 0.1
    return s


@case(M32, X3)
def matrix_overwritten_after_product(a, x):
    m = np.outer(x, x)
    y = x
    for i in range(3):
        y = np.tanh(m @ y)
        m[i] = y * x[i]
    return np.sum(y) + np.sum(a)


@case(M23, 3)
def functional_loop(a, n):
    b = a
    for _ in range(n):
        b = np.tanh(b + 0.1 * a)
    return np.sum(b)


@case(X3, 3)
def functional_loop_elements(x, n):
    u = x
    for _ in range(n):
        v = np.zeros(3)
        for i in range(3):
            v[i] = math.sin(u[i] + u[i - 1])
        u = v
    return np.sum(u)


@case(X3, Y3, 3)
def weights_in_loop(w, x, n):
    h = x
    for _ in range(n):
        h = np.tanh(h * w + x)
    return np.sum(h)


@case(X3)
def allocate_like(x):
    y = np.zeros_like(x)
    z = np.ones_like(x) * x
    w = np.full(3, x[0])
    v = np.full_like(x, x[1])
    y[1] = x[1] ** 2
    return np.sum(y + z * w + v * v)


@case(M23)
def shapes(a):
    n, m = a.shape
    s = 0.0
    for i in range(n):
        for j in range(m):
            s += a[i, j] ** 2 / (n * m)
    return s / a.size + len(a) * a[0, 0]


@case(X3)
def array_in_branch(x):
    y = x * 2.0
    if x[0] > 0:
        y = y * x
    else:
        y = y + 1.0
    return np.sum(y)


@case(X3)
def choose_array(x):
    y = x * x
    z = y if x[0] > 0 else x
    return np.sum(z * 3.0)


@case(X3)
def ravel_and_copy(x):
    m = np.outer(x, x)
    return np.sum(m.ravel() * m.flatten()) + m.copy()[0, 1]


# functions


def helper(x, scale=2.0):
    if x > 0:
        return x * scale
    return x


@njit
def compiled_inner(x):
    return math.sqrt(x) if x > 1.0 else x * x


@njit
def compiled_helper(x, y):
    return compiled_inner(x) * y


def fill(y, x):
    for i in range(len(x)):
        y[i] = x[i] ** 2
    return y


@case(0.4)
def call_function(x):
    return helper(x) + helper(-x, 3.0) + helper(x, scale=x)


@case(0.4, 1.2)
def call_dispatcher(x, y):
    return compiled_helper(x, y) + compiled_helper(y=x, x=y)


@case(X3)
def call_that_writes(x):
    y = np.zeros(3)
    z = fill(y, x)
    return y[0] * z[1] + z[2]


@case(0.4)
def local_function(x):
    def square(y):
        return y * y + x

    double = lambda y: 2.0 * y  # noqa: E731
    return square(x) + double(x)


def pair(x):
    return x * x, (x, 3.0)


@case(0.4)
def returns_tuple(x):
    a, (b, c) = pair(x)
    t = (a, b)
    return t[0] * t[1] + c


@case(0.4)
def tuple_in_loop(x):
    state = (x, 1.0)
    for _ in range(3):
        state = (state[0] * state[1], state[1] + x)
    return state[0]


@case(X3)
def module_constants(x):
    return GAIN * np.sum(x * TABLE) + math.pi * x[0] + np.e


@case(X3)
def global_elements(x):
    s = 0.0
    for i in range(3):
        s += TABLE[i] * x[i] ** 2
    return s


def make_scaled(factor):
    offsets = np.array([1.0, 2.0, 3.0])

    def scaled(x):
        return factor * np.sum(x * offsets)

    return scaled


case(X3)(make_scaled(2.5))


@case(0.5, 3)
def default_arguments(x, n, k=2.0):
    return k * x**n


@case(X3)
def loop_over_tuple(x):
    s = 0.0
    for f in (math.sin, math.cos, helper):
        for i in range(3):
            s += f(x[i])
    return s


@case(1.7)
def walrus(x):
    if (y := x * x) > 2.0:
        return y * x
    return y


# arrays that algebra must not confuse


@case(X3)
def integer_offsets_of_a_written_array(x):
    y = x + 1
    y[0] = 5.0 * x[1]
    z = y + 2
    return np.sum(z * z)


@case(X3)
def offsets_that_cancel_make_a_new_array(x):
    y = (x + 1) - 1
    z = x - 0
    y[0] = 2.0 * x[1]
    z[1] = 3.0 * x[0]
    return np.sum(x * y * z)


@case(X3)
def negated_twice_is_a_new_array(x):
    minus = -x[1:]
    y = -minus
    w = -(-1.0 * x[1:])
    y[0] = 2.0 * x[0]
    w[1] = 3.0 * x[1]
    return np.sum(x * x) + np.sum(y * x[:2] * w)


def write_first(v):
    v[0] = 3.0 * v[1]
    return v[2]


@case(X3)
def negated_before_it_is_written(x):
    y = x * 2.0
    z = -y * write_first(y)
    return np.sum(z * z)


def tripled(v):
    return 3.0 * v


@case(X3)
def product_before_it_is_written(x):
    y = x * 2.0
    pair = (tripled(y), write_first(y))
    return np.sum(2.0 * pair[0] * pair[1])


# iteration


@case(X3)
def for_over_elements(x):
    total = 0.0
    for v in x:
        total += v * v
    return total


@case(M23)
def for_over_rows(m):
    total = 0.0
    for row in m:
        total += row[0] * row[2]
    return total


@case(M23)
def for_over_rows_then_elements(m):
    total = 1.0
    for row in m:
        for v in row:
            total *= math.cos(v)
    return total


@case(M23)
def rows_are_written(m):
    for row in m:
        row[1] = row[0] * row[2]
    return np.sum(m * m)


@case(X3)
def enumerate_elements(x):
    total = 0.0
    for i, v in enumerate(x):
        total += (i + 1) * math.sin(v)
    return total


@case(X3)
def enumerate_from(x):
    total = 0.0
    for i, v in enumerate(x, 2):
        total += v**i
    return total


@case(X3, Y3)
def zip_arrays(x, y):
    total = 0.0
    for a, b in zip(x, y):
        total += math.sin(a) * b
    return total


@case(X5, X3)
def zip_stops_at_the_shortest(x, y):
    total = 0.0
    for a, b, k in zip(x, y, range(10)):
        total += a * b * (k + 1)
    return total


@case(X3, Y3)
def enumerate_zip(x, y):
    total = 0.0
    for i, (a, b) in enumerate(zip(x, y)):
        total += a * b**i
    return total


@case(X3)
def reversed_array(x):
    h = 0.0
    for v in reversed(x):
        h = math.tanh(h + v)
    return h


@case(X3)
def reversed_range(x):
    h = 0.0
    for i in reversed(range(len(x))):
        h = math.tanh(h + x[i])
    return h


@case(X5)
def reversed_range_with_step(x):
    h = 0.0
    for i in reversed(range(1, 5, 2)):
        h = math.tanh(h * 2.0 + x[i])
    return h


@case(X5)
def reversed_enumerated_slice(x):
    total = 0.0
    for i, v in enumerate(x[::-1]):
        total += v * i
    return total


@case(M23)
def ndindex_of_shape(m):
    total = 0.0
    for i, j in np.ndindex(m.shape):
        total += m[i, j] ** 2 * (i + 2 * j)
    return total


@case(M23)
def ndindex_as_index(m):
    out = np.zeros_like(m)
    for at in np.ndindex(m.shape):
        out[at] = math.sin(m[at])
    return np.sum(out)


@case(M23)
def ndindex_of_numbers(m):
    total = 0.0
    for i, j in np.ndindex(2, 2):
        total += m[i, j] * m[i, j + 1]
    return total


@case(X5)
def loop_over_elements_breaks(x):
    total = 0.0
    for v in x:
        if v > 2.0:
            break
        if v < 0.0:
            continue
        total += v * v
    else:
        total = -total
    return total


@case(1.3)
def loop_over_tuple_breaks(x):
    total = 0.0
    for k in (1, 2, 3):
        if total > 1.5:
            break
        total += x**k
    return total


@case(1.3)
def loop_over_tuple_returns(x):
    for k in (1, 2, 3):
        if x**k > 2.0:
            return x**k * 3.0
    return x


@case(1.3, 0.4)
def loop_over_active_tuple(x, y):
    total = 0.0
    for v in (x, y, x * y):
        total += v * v
    return total


@case(1.3, 0.4)
def loop_over_pairs(x, y):
    total = 0.0
    for v, w in ((x, 2.0), (y, 3.0)):
        total += v**w
    return total


@case(X3)
def prange_loop(x):
    total = 0.0
    for i in prange(len(x)):
        total += x[i] ** 2
    return total


@case(1.3)
def while_walrus(x):
    while (y := x * 0.7) > 0.3:
        x = y * y + 0.1
    return x * y


@case(1.3)
def while_walrus_else(x):
    n = 0
    while (y := x * 0.7) > 0.3:
        x = y
        n += 1
        if n > 10:
            break
    else:
        x = x * 3.0
    return x * y


@case(1.7)
def for_inside_while_breaks(x):
    while x > 0.1:
        for k in range(5):
            x *= 0.8
            if x < 0.5:
                break
        else:
            continue
        return x * x
    return x


# tuples


@case(0.3, 1.2)
def starred_unpacking(x, y):
    first, *rest, last = x * y, x, y, x + y
    return first * rest[0] + rest[1] * last


@case(0.3, 1.2)
def starred_call(x, y):
    pair = (x * y, y)
    return triple(x, *pair)


def triple(a, b, c):
    return a * b + c


@case(0.3, 1.2)
def variable_arguments(x, y):
    return summed(x, y, x * y)


def summed(first, *rest):
    total = first
    for v in rest:
        total += v * len(rest)
    return total


@case(0.3, 1.2)
def tuple_indexed_by_variable(x, y):
    pair = (x * y, x + y, y)
    total = 0.0
    for k in range(3):
        total += pair[k] * (k + 1)
    return total


@case(0.3, 1.2)
def tuple_sliced(x, y):
    t = (x, y, x * y, 2.0)
    a, b = t[1:3]
    return a * b + t[-1] * t[0]


@case(0.3, 1.2)
def tuple_joined(x, y):
    t = (x, y) + (x * y,)
    return t[0] * t[1] + t[2] * len(t)


@case(0.3, 1.2)
def sum_and_max_of_tuple(x, y):
    t = (x, y, x * y)
    return sum(t) * max(t) + min(t)


@case(0.7)
def contained_in_tuple(x):
    n = 2
    return x * x if n in (1, 2, 3) else x


@case(0.7)
def not_contained_in_tuple(x):
    n = 2
    return x * x if n not in (1, 2, 3) else x


@case(0.3, 1.2)
def nested_tuples(x, y):
    (a, b), c = (x * y, x), y
    return a * b + c


@case(1.3)
def tuple_carried_with_break(x):
    state = (x, 1.0)
    for k in range(6):
        state = (state[0] * 0.9, state[1] + state[0])
        if state[1] > 3.0:
            break
    return state[0] * state[1]


Point = namedtuple("Point", "x y")


@case(0.3, 1.2)
def named_tuple(x, y):
    p = Point(x * y, y=x)
    return p.x * p.y + p[0]


@case(0.3, 1.2)
def named_tuple_in_loop(x, y):
    p = Point(x, y)
    for _ in range(3):
        p = Point(p.x * p.y, p.x + p.y)
    return p.x * p.y


@case(0.3, 1.2)
def named_tuple_from_branch(x, y):
    if x > y:
        p = Point(x, 2.0)
    else:
        p = Point(y * x, y)
    return p.x**2 * p.y


@case(0.3, 1.2)
def named_tuple_through_call(x, y):
    return norm_of(Point(x, y))


def norm_of(p):
    a, b = p
    return math.sqrt(a * a + p.y * b)


# indices


@case(M23)
def ellipsis_index(m):
    return np.sum(m[..., 0] * m[..., 2])


@case(M23)
def ellipsis_write(m):
    m[..., 1] = m[..., 0] * 2.0
    return np.sum(m * m)


@case(X3)
def new_axis(x):
    grid = x[:, None] * x[None, :]
    return np.sum(grid * grid)


@case(X3, Y3)
def new_axis_difference(x, y):
    d = x[:, np.newaxis] - y[np.newaxis, :]
    return np.sum(np.exp(-d * d))


@case(X5)
def strided_new_axis(x):
    return np.sum(np.sin(x[::2, np.newaxis]))


@case(X5)
def integer_array_index(x):
    picked = x[np.array([3, 0, 3])]
    return np.sum(picked * picked * picked)


@case(M32)
def integer_array_index_of_rows(m):
    picked = m[np.array([2, 0, 2])]
    return np.sum(picked * picked * picked)


@case(M32)
def integer_array_index_of_columns(m):
    picked = m[:, np.array([1, 0, 1])]
    return np.sum(picked * picked * picked)


@case(X5)
def boolean_mask(x):
    return np.sum(x[x > 0.4] ** 2)


@case(X5)
def boolean_mask_of_rows(x):
    m = np.outer(x, x)
    return np.sum(np.sin(m[x > 0.4]))


@case(X5, 0.7)
def mask_is_filled(x, y):
    z = x * x
    z[x < 0.6] = y * y
    return np.sum(z * x)


@case(X5)
def mask_is_scaled(x):
    z = x * x
    z[x < 0.6] *= 3.0
    return np.sum(z * x)


@case(X5, X3)
def write_at_integer_array(x, y):
    z = x * 2.0
    z[np.array([4, 1, 2])] = y * y
    return np.sum(z * z)


@case(X5, X3)
def write_at_repeated_index(x, y):
    z = x * 2.0
    z[np.array([4, 1, 4])] = y * y
    return np.sum(z * z)


@case(X5, X3)
def add_at_integer_array(x, y):
    z = x * 2.0
    z[np.array([4, 1, 2])] += y * y
    return np.sum(z * z)


@case(X5)
def loop_over_index_array(x):
    total = 0.0
    for i in np.array([3, 1, 1]):
        total += x[i] ** 2
    return total


@case(X5)
def index_from_argsort(x):
    order = np.argsort(x)
    total = 0.0
    for k in range(len(x)):
        total += x[order[k]] * (k + 1)
    return total


# writing into arrays


@case(X3, Y3)
def out_argument(x, y):
    z = np.empty_like(x)
    np.multiply(x, y, out=z)
    np.sin(z, z)
    return np.sum(z)


@case(X3)
def fill_method(x):
    z = np.empty(4)
    z.fill(x[0] * x[1])
    return np.sum(z) * x[2]


@case(X3, Y3)
def arrays_swapped_in_loop(u, v):
    for _ in range(3):
        u, v = v, u * np.sin(v)
    return np.sum(u * v)


@case(X5)
def buffers_swapped_in_loop(u):
    v = np.zeros_like(u)
    for _ in range(4):
        for i in range(1, len(u) - 1):
            v[i] = u[i] + 0.1 * (u[i - 1] - 2.0 * u[i] + u[i + 1]) ** 2
        u, v = v, u
    return np.sum(u * u)


@case(X5)
def view_of_a_view(x):
    y = x * 1.0
    w = y[1:]
    z = w[::2]
    z[0] = z[1] * 2.0
    w[1] += z[0] * y[0]
    return np.sum(y * y)


@case(X3)
def two_names_for_one_array(x):
    y = x * 1.0
    z = y
    z[0] = y[1] * 3.0
    y[1] = z[0] * z[2]
    return np.sum(y * z)


@case(X3)
def array_passed_twice(x):
    y = x * 1.0
    mix(y, y)
    return np.sum(y * y)


def mix(a, b):
    for i in range(1, len(a)):
        a[i] = math.sin(b[i - 1] * b[i])


@case(X3)
def rebound_to_new_arrays(x):
    for _ in range(3):
        y = np.empty_like(x)
        for i in range(len(x)):
            y[i] = math.sin(x[i]) * x[0]
        x = y
    return np.sum(x)


# lists


@case(0.3, 1.2)
def list_literal(x, y):
    v = [x * y, x, 2.0 * y]
    return v[0] * v[1] + v[2] * len(v)


@case(X3)
def list_append(x):
    v = []
    for i in range(len(x)):
        v.append(math.sin(x[i]))
    return v[0] * v[1] * v[-1]


@case(X3)
def list_comprehension(x):
    v = [math.sin(a) for a in x]
    total = 0.0
    for a in v:
        total += a * a
    return total


@case(X5)
def comprehension_with_condition(x):
    v = [a * a for a in x if a > 0.4]
    total = 1.0
    for a in v:
        total *= a
    return total


@case(X3)
def array_of_comprehension(x):
    v = np.array([math.sin(a) for a in x])
    return np.sum(v * v)


@case(X3)
def nested_comprehension(x):
    v = np.array([a * b for a in x for b in x])
    return np.sum(v * v)


@case(0.3, 1.2)
def array_of_numbers(x, y):
    v = np.array([x * y, x, 2.0])
    return np.sum(v * v * v)


@case(0.3, 1.2)
def array_of_rows(x, y):
    m = np.array([[x * y, x], [2.0, y]])
    return np.sum(m @ m)


@case(0.3, 1.2)
def list_written(x, y):
    v = [x, y, 1.0]
    v[2] = v[0] * v[1]
    v[0] = v[2] * v[2]
    return v[0] * v[1] + v[2]


@case(X3)
def list_popped(x):
    v = [x[0], x[1] * x[2]]
    last = v.pop()
    v.append(last * x[0])
    return v[0] * v[1]


@case(0.3)
def list_repeated(x):
    v = [x] * 3
    v[1] = x * x
    return v[0] * v[1] * v[2]


@case(X3)
def list_of_arrays(x):
    v = [x * 2.0, np.sin(x)]
    v.append(x * x)
    total = 0.0
    for a in v:
        total += np.sum(a * a)
    return total


@case(X3)
def history_in_a_list(x):
    states = [x]
    for k in range(3):
        states.append(np.tanh(states[-1] * 1.5))
    return np.sum(states[-1] * states[1])


@case(X3)
def sum_of_list(x):
    v = [a * a for a in x]
    return sum(v) * 2.0


# values that carry no derivative


@case(X3)
def dictionary_of_integers(x):
    d = {"a": 1, "b": 2}
    return x[d["a"]] * x[d["b"]]


@case(X3)
def string_option(x, kind="sum"):
    if kind == "sum":
        return np.sum(x)
    return np.sum(x * x)


@case(X3)
def none_option(x, weights=None):
    if weights is None:
        return np.sum(x * x)
    return np.sum(x * weights)


@case(X3)
def compared_with_false_by_identity(x, prograde=False, low_path=True, count=0, shift=0.0):
    sign = -1.0 if prograde is False else 1.0
    sign = 2.0 * sign if low_path is not True else sign
    total = np.sum(x[0] * x) if count is False else sign * np.sum(x * x)  # 0 is not False
    return total + (x[0] if shift is not False and sign < 0 else x[1] ** 2)


@case(X3)
def counted_in_integers(x):
    counts = np.zeros(3, dtype=np.int64)
    total = 0.0
    for i in range(3):
        counts[i] += i * 2
        total += x[i] * counts[i]
    return total


@case(X5)
def argmax_of_values(x):
    return x[np.argmax(x)] * x[np.argmin(x)]


@case(X5)
def search_sorted(x):
    k = np.searchsorted(np.array([0.0, 1.0, 2.0]), x[1])
    return x[k] * x[0]


@case(3.7, 1.5)
def floor_and_remainder(x, y):
    return (x // y) * x + x % y + math.floor(x) * y


@case(3.7)
def casts(x):
    return float(int(x)) * x + np.float64(x) * 2.0


@case(X3)
def complex_constant(x):
    z = 3.0 + 4.0j
    return np.sum(x) * abs(z)


@case(0.3, X3)
def complex_state(omega, x):
    state = 1.0 + 0j
    for k in range(len(x)):
        state = state * np.exp(1j * omega * x[k]) + 0.1 * x[k]
    return abs(state) ** 2 + state.imag


@case(X3)
def deleted_and_printed(x):
    y = x * x
    z = np.sum(y)
    del y
    return z


@case(1.2)
def error_branch(x):
    if x < 0.0:
        raise ValueError(f"negative: {x}")
    return math.sqrt(x)


# functions


@case(0.3, 1.2)
def function_chosen_by_constant(x, y):
    f = triple if GAIN > 1.0 else summed
    return f(x, y, 2.0)


@case(X3)
def function_passed_on(x):
    return np.sum(mapped(math.sin, x)) * mapped(lambda v: v * v, x)[1]


def mapped(f, x):
    y = np.empty_like(x)
    for i in range(len(x)):
        y[i] = f(x[i])
    return y


@case(0.3)
def closure_of_closure(x):
    def outer(k):
        def inner(v):
            return v * k * x

        return inner(k) + inner(2.0)

    return outer(x * 3.0)


@case(0.7)
def recursive_power(x):
    return power_of(x, 5)


def power_of(x, n):
    if n == 0:
        return 1.0
    return x * power_of(x, n - 1)


@case(0.7)
def recursive_with_keywords(x):
    return weighted_power(x, 3, 0.5)


def weighted_power(x, n, k):
    if n == 0:
        return x * k
    return x * weighted_power(0.9 * x, k=k + 1.0, n=n - 1) + k


@case(0.7, 0.4)
def recursive_tree(x, y):
    return tree(x, y, 4)


@njit
def tree(x, y, depth):
    if depth == 0:
        return x * y
    return math.sin(tree(x * y, y, depth - 1)) + 0.5 * tree(x, y * x, depth - 1)


@case(X5)
def recursive_over_array(x):
    return total_of(x, 0, len(x))


def total_of(x, low, high):
    if high - low == 1:
        return x[low] ** 2
    middle = (low + high) // 2
    return total_of(x, low, middle) + math.sin(total_of(x, middle, high))


def halves(x, n):
    if n == 0:
        return x, x * x
    a, b = halves(x / 2.0, n - 1)
    return b * a, a + b * x


@case(1.3)
def recursive_pair(x):
    a, b = halves(x, 3)
    return a * a + np.sin(b)


def counted(x, n):
    if n == 0:
        return 0, x
    k, y = counted(x * 1.1, n - 1)
    return k + 1, y * x


@case(0.9)
def counted_recursion(x):
    k, y = counted(x, 4)
    return k * y


def minors(a, row, following):
    """Return the determinant of the rows from one on; `following` links the columns left, from the last."""
    n = len(a)
    if row == n:
        return 1.0
    total, sign, last = 0.0, 1.0, n
    column = following[n]
    while column < n:
        following[last] = following[column]
        total += sign * a[row, column] * minors(a, row + 1, following)
        following[last] = column
        last, column, sign = column, following[column], -sign
    return total


@case(M23)
def minors_by_linked_columns(m):
    following = np.array([1, 2, 0])
    return minors(m @ m.T, 0, following)


# found by random programs


@case(X3)
def list_popped_for_nothing(x):
    v = [math.sin(a) for a in x]
    if len(v) > 1:
        v.pop()
    return v[0] * x[1]


@case(1.2, 0.3)
def popped_in_a_loop(x, y):
    v = [y, 0.5]
    for _ in range(4):
        if len(v) > 1:
            y = v.pop()
    return x * y + v[0]


@case(X3)
def only_the_length_of_a_list_counts(x):
    v = [math.sin(a) for a in x]
    total = 0.0
    for k in range(len(v)):
        total += x[k] ** 2 * len(v)
    return total


@case(1.2, 0.3)
def closure_redefined_in_unrolled_loop(x, y):
    total = 0.0
    for k in (1, 2):
        if k * x > 0.5:

            def f(v):
                return v * k

            total += f(y) * x
    return total


@case(1.2, 0.3)
def closure_sees_later_values(x, y):
    def f(v):
        return v * x

    total = f(y)
    if total > 0.1:
        x = x * y
        total += f(y)
    return total


@case(1.2, 0.3)
def closure_default_is_of_its_definition(x, y):
    s = x * y

    def f(v, k=s, *, m=2.0 * s):
        return v * k + m

    for _ in range(2):
        s += f(x, m=s) * f(y)
    return s


@case(X3, Y3)
def tuple_first_defined_in_a_loop(x, y):
    for k in range(3):
        if x[k] > -1.0:
            for j in range(2):
                pair = (x[k] * y[j], y[k])
                if pair[0] > 1.0:
                    break
    return pair[0] * pair[1]


@case(X3)
def written_argument_is_returned(x):
    x[0] = x[1] * x[2]
    return x[0] * x[1]


@case(1.2)
def ends_without_a_value_on_some_path(x):
    if x > 0.0:
        return x * x
    elif x < -1.0:
        return x


# arrays put together


@case(X3, Y3)
def concatenated(x, y):
    z = np.concatenate((x * y, y, x))
    return np.sum(z * z * np.arange(9.0))


@case(M23)
def concatenated_along_an_axis(m):
    z = np.concatenate((m, m[:, :1] * 2.0), axis=1)
    return np.sum(z @ z.T)


@case(X3, Y3)
def stacked(x, y):
    z = np.stack((x, y * x))
    w = np.vstack((y, x))
    v = np.column_stack((x, y))
    return np.sum(z * w) + np.sum(v * v * np.arange(2.0)) + np.sum(np.hstack((x, y)) ** 2)


@case(X3)
def expanded(x):
    return np.sum(np.sin(np.expand_dims(x, 1) * np.expand_dims(x, axis=0)))


@case(X3)
def branch_on_the_number_of_axes(x):
    if x.ndim == 1:
        x = x.reshape((1, -1))
    total = 0.0
    if x.ndim == 2:
        for i in range(x.shape[1]):
            total += x[0, i] ** 2
    return total


@case(np.arange(24.0).reshape((2, 1, 3, 2, 1, 2)) / 7.0)
def six_axes(x):
    return np.sum(np.sum(np.sin(x), axis=4) * x[..., 0, :]) + x[1, 0, 2, 1, 0, 1] * np.mean(x * x)


@case(M23)
def f_ordered(m):
    z = np.asfortranarray(m * 2.0)
    z[1, :] *= z[0, :]
    return np.sum(z * m)


# overlaps, aliases and other traps


@case(X3)
def added_to_its_own_reverse(x):
    x += x[::-1]
    return np.sum(x * x * np.arange(3.0))


@case(X3)
def shifted_in_place(x):
    x[1:] = x[:-1]
    x[:-1] *= x[1:]
    return np.sum(x * x * np.arange(1.0, 4.0))


@case(X3)
def choice_of_tuples(x):
    p = (x[0], x[1]) if x[0] > 0 else (x[1], x[2])
    return p[0] * p[1]


def even(x, n):
    if n == 0:
        return x * x
    return odd(x * 1.1, n - 1)


def odd(x, n):
    if n == 0:
        return math.sin(x)
    return even(x + 0.3, n - 1)


@case(0.7)
def mutual_recursion(x):
    return even(x, 5) * odd(x, 2)


@case(X3)
def array_in_a_list_is_written(x):
    v = [x * 2.0, np.sin(x)]
    v[0][1] = 5.0 * x[0]
    return np.sum(v[0] * v[1])


@case(X3)
def list_made_anew_in_a_loop(x):
    total = 0.0
    for i in range(3):
        v = []
        for j in range(i + 1):
            v.append(x[j] * x[i])
        for w in v:
            total += w * w
    return total


@case(X3)
def list_grows_while_short(x):
    v = [x[0]]
    while len(v) < 4:
        v.append(v[-1] * 0.5 + x[1])
    return v[3] * v[1]


@case(M23)
def rows_indexed_twice(m):
    m[1][2] = m[0][1] * m[1][0]
    m[0] += m[1]
    m[:, 0] = m[:, 1] * m[:, 2]
    return np.sum(m * m)


@case(X5)
def masks_combined(x):
    m = (x > 0.0) & (x < 1.0)
    return np.sum(x[m] ** 2) + np.sum(x[~m])


@case(X5)
def places_of_a_test(x):
    total = 0.0
    for i in np.where(x > 0.0)[0]:
        total += x[i] ** 3
    return total


@case(X3)
def random_draws(x):
    np.random.seed(3)
    total = 0.0
    for _ in range(5):
        total += x[0] * np.random.normal() * x[1]
    return total


@case(np.zeros(0))
def empty_array(x):
    product = 1.0
    for v in x:
        product *= v
    return product + np.sum(x)


@case(X3, 0.5)
def closure_that_writes(x, k):
    y = x * k

    def put(i, v):
        y[i] = v * y[i]

    put(0, k)
    put(1, x[2])
    return np.sum(y)


@case(X3)
def elements_swapped(x):
    x[0], x[2] = x[2], x[0]
    return x[0] ** 2 + 3 * x[2]


@case(X3)
def typed_list(x):
    v = List()
    for a in x:
        v.append(a * a)
    return v[0] * v[1]


@case(X3)
def copied_into(x):
    y = np.empty_like(x)
    np.copyto(y, x * x)
    return np.sum(y * x)


@case(X3)
def array_without_derivative_is_changed_by_a_call(x):
    w = np.ones((3, 3))
    total = 0.0
    for i in range(3):
        total += w[i, i] * x[i] ** 2
        np.fill_diagonal(w, float(i + 2))
    return total


@case(X3)
def list_filled_in_branches(x):
    v = []
    if x[0] > 0:
        v.append(x[0])
    else:
        v.append(x[1])
    return v[0] ** 2


@case(X5)
def index_array_is_filled_first(x):
    order = np.empty(3, dtype=np.int64)
    for k in range(3):
        order[k] = 4 - 2 * k
    chosen = np.zeros(5, dtype=np.bool_)
    chosen[order] = True
    return np.sum(x[order] ** 3) + np.sum(x[chosen] * x[chosen])


@case(X3)
def mask_changes_in_a_loop(x):
    chosen = x > 0.0
    total = 0.0
    for k in range(3):
        total += np.sum(x[chosen] ** 2) ** 2
        chosen[k] = not chosen[k]
    return total


@case(X3)
def index_array_changes_in_a_loop(x):
    order = np.array([2, 0, 1])
    total = 0.0
    for k in range(3):
        picked = x[order]
        total += np.sum(np.sin(picked) * np.arange(3.0)) * picked[0]
        order[0] = (order[0] + 1) % 3
    return total


@case(X3)
def index_array_changes_after_use(x):
    order = np.array([2, 0, 1])
    picked = x[order]
    order[0] = 1
    return np.sum(picked * x[order] * np.arange(3.0))


@case(X3)
def dictionary_changes_in_a_loop(x):
    d = {0: 0, 1: 0, 2: 0}
    total = 0.0
    for i in range(6):
        k = i % 3
        total += x[k] ** 2 * (d[k] + 1)
        d[k] += 1
    return total


@case(X3)
def captured_arrays_of_one_name(x):
    total = 0.0
    for table in TABLES:
        total += table[0] * x[0] ** 2 + table[1] * x[1]
    return total * TABLES[1][0]


@case(X3)
def queue_of_integers(x):
    waiting = [0]
    total, n = 0.0, 0
    while len(waiting) > 0 and n < 5:
        k = waiting.pop(0)
        n += 1
        total += x[k] * total + x[k] ** 2
        waiting.append((k + 1) % 3)
        waiting.append((k + 2) % 3)
    return total


@case(X3)
def array_in_a_list_is_added_to(x):
    v = [x * 2.0, np.sin(x)]
    w = x * x
    v[0] += w
    v[1] = v[1] * w
    return np.sum(v[0] ** 2 * w) + np.sum(v[1])


@case(X3)
def value_of_and_or(x):
    y = (x[0] and x[1]) or x[2]
    z = 0.0 * x[0] or x[1] * x[2]
    return y * x[0] + z


@case(X3)
def bitwise_operators(x):
    k = 1
    k ^= 2
    k |= 8
    k <<= 1
    mask = x > 0
    mask |= x < -1.0
    return np.sum(x[mask] ** 2) * k


@case(X3)
def quotient_and_remainder(x):
    q, r = divmod(x[2] * 1.01, 0.7)
    return q * r


@case(M23)
def loop_over_flat(a):
    total = 0.0
    for k, v in enumerate(a.T.flat):
        total += v * v * k
    return total


@case(M23)
def ndenumerate_array(a):
    total = 0.0
    for (i, j), v in np.ndenumerate(a):
        total += v * v * (i + 1) * (j + 2)
    return total


@case(X3)
def keyword_arguments_of_numpy(x):
    return np.sum(np.full(shape=3, fill_value=x[0] * x[1]) ** 2) + np.sum(a=x * x)


@case(X3)
def column_updated_from_row(x):
    a = np.outer(x, x)
    for i in range(3):
        column, row = a[:, i], a[i]
        column += row * x[i]
    return np.sum(a)


@case(X3)
def part_updated_by_a_value_of_its_size(x):
    a = np.outer(x, x)
    for i in range(3):
        step = a.T[i] * 1.5
        corner = a[:2, :2]
        corner += step[:2]
        a[:] = a * 0.5 + step
    return np.sum(a * a)


@case(X3)
def parameter_shadows_a_function(x):
    def applied(sqrt, v):
        return sqrt(v)

    return applied(lambda v: v * x[1], x[0])


class Side(enum.IntEnum):
    LEFT = 0
    RIGHT = 1


@case(X3)
def enumeration(x):
    side = np.zeros(3, dtype=np.int64)
    side[1] = Side.RIGHT
    total = 0.0
    for i in range(3):
        total += x[i] ** 2 if side[i] == Side.RIGHT else math.sin(x[i])
    return total


@case(0.38, 0.82)
def break_reads_a_swapped_variable(x, y):
    k = -1
    while k < 2:
        k += 1
        x, y = y, x * 0.9
        if x < 0.7:
            break
    for _ in range(3):
        x, y = y, x * 1.1
        if x > 1.5 or y > 2.0:
            break
    return x + 3.0 * y


class Status(enum.Enum):
    FOUND = 0
    LIMIT = 1


def halving_status(x):
    status = Status.FOUND
    if x < -5.0:
        return status
    while x > 0.1:
        x = x * 0.5
        if x < 0.3:
            status = Status.LIMIT
            break
    return status


@case(0.2)
def enumeration_before_a_loop(x):
    return x * x if halving_status(x) == Status.LIMIT else math.sin(x)


@case(1.5)
def captured_array_rebound_in_loop(x):
    weights = TABLE
    total = 0.0
    for _ in range(3):
        total += weights[0] * x * total + x
        weights = weights * 1.1
    return total


@case(X3)
def list_made_and_gone_over_in_a_loop(x):
    total = 0.0
    for v in x:
        scaled = [v * w for w in x]
        for s in scaled:
            total += s * s * v
    return total


@case(X3)
def sum_that_is_read_on_its_way(x):
    a = x * 1.0
    total = 0.3
    for i in range(3):
        total += math.tanh(a[i])
        a[i] += math.tanh(total)
    return total + np.sum(a * a)


@case(X3)
def heat_with_buffers(x):
    u, new = np.zeros(5), np.zeros(5)
    u[1:4] = x
    for _ in range(3):
        for i in range(1, 4):
            new[i] = u[i] + 0.1 * u[i] * (u[i - 1] - 2.0 * u[i] + u[i + 1])
        u, new = new, u
    return np.sum(u * u)


@case(M23, X3)
def scratch_arrays_filled_anew(m, x):
    difference, weights = np.empty(3), np.empty(2)
    total = 0.0
    for k in range(3):
        for i in range(2):
            for j in range(3):
                difference[j] = m[i, j] - x[j] * k
            length = 0.0
            for j in range(3):
                length += difference[j] * difference[j]
            weights[i] = math.exp(-length)
        total += math.log(weights[0] + weights[1])
    return total


@case(np.array([[2.0, 0.3, -0.4], [0.3, 1.7, 0.2], [-0.4, 0.2, 1.5]]))
def cholesky_in_loops(a):
    n = a.shape[0]
    low = np.zeros((n, n))
    for j in range(n):
        s = a[j, j]
        for k in range(j):
            s -= low[j, k] * low[j, k]
        low[j, j] = math.sqrt(s)
        for i in range(j + 1, n):
            s = a[i, j]
            for k in range(j):
                s -= low[i, k] * low[j, k]
            low[i, j] = s / low[j, j]
    return math.log(low[0, 0]) + math.log(low[1, 1]) * low[2, 1] + low[2, 2]


@case(M23)
def counter_over_two_loops(m):
    p, total = 0, 0.0
    flat = np.zeros(6)
    for i in range(2):
        for j in range(3):
            flat[p] = math.sin(m[i, j]) * (p + 1)
            p += 1
    for k in range(p):
        total += flat[k] * flat[p - 1 - k]
    return total


@case(X3)
def pairs_of_a_triangle(x):
    energy = 0.0
    for i in range(3):
        for j in range(i):
            energy += 1.0 / ((x[i] - x[j]) ** 2 + 0.5)
    return energy * energy


@case(X3)
def one_array_under_two_carried_names(x):
    w = np.ones(3)
    v = w
    total = 0.0
    for _ in range(3):
        for i in range(3):
            total += w[0] * math.sin(x[i] * total + x[0])
            v[i] = v[i] * 2.0 + i
        w, v = v, w
    return total


@case(0.4, X3)
def number_stored_to_a_slice_in_a_loop(q, y):
    total = 0.0
    for k in range(2):
        y[1:] = np.tanh(q * y[0])
        total += np.sum(y * y)
    return total


@case(0.4, M23)
def product_written_in_place_in_a_loop(p, m):
    total = 0.0
    for k in range(2):
        w = m * np.sin(m)
        if p > 0.1:
            w[1:, :] = np.tanh(p * m[1:, :])
        total += np.sum(np.exp(-w[1] * w[1]))
    return total


@case(X3)
def sorted_and_scaled_in_a_loop(x):
    y = x * 1.0
    for k in range(3):
        order = np.argsort(y)
        y = y[order] * np.array([1.0, 0.5, -0.3])
    return np.sum(y * np.arange(3.0))


@case(np.array([[0.3, 0.8, -0.2], [0.5, 0.4, 0.9], [1.1, -0.7, 0.6]]), X3)
def elimination_with_shrinking_rows(m, x):
    n = len(x)
    a = m.copy()
    for k in range(n):
        for i in range(k + 1, n):
            f = a[i, k] / (2.0 + a[k, k] * a[k, k])
            a[i, k:] -= f * a[k, k:] * np.sin(x[k:])
    return np.sum(a * a)


@case(np.array([0.3, 0.8, -0.2, 0.5, 0.4, 0.9, 1.1, -0.7, 0.6]), X3)
def packed_triangle_from_both_ends(a, x):
    p, last = 0, 8
    total = 0.0
    for j in range(3):
        v = a[last] * x[j]
        for q in range(j):
            v += a[p] * x[q] * a[last]
            p += 1
        last -= j
        total += v * v * a[last]
    return total * a[p]


@case(0.3, np.array([0.2, 0.9, -0.4]))
def inner_loop_that_ends_by_an_outer_state(x, a):
    for e in a:
        for _ in range(2):
            for i in range(0, 4, 2):
                s = math.sin(x * a[i - 1])
                x = x * 0.7
                if s > 0.2 * e:
                    break
    return x + np.sum(a * a)


@case(X3, np.array([0.4, -0.3, 1.2]))
def shortest_warping(x, y):
    d = np.full((4, 4), 10.0)
    d[0, 0] = 0.0
    for i in range(3):
        for j in range(3):
            best = min(d[i, j + 1], d[i + 1, j], d[i, j])
            d[i + 1, j + 1] = (x[i] - y[j]) ** 2 * math.cos(best) + best
    return d[3, 3] * d[2, 2]


@case(X3, 0.4)
def best_of_two_neighbours_in_place(v, p):
    best = v.copy()
    for i in range(2, -1, -1):
        for j in range(i):
            best[j] = max(p * best[j + 1] + 0.6 * best[j], math.sin(v[j]))
    return best[0]


@case(np.array([[0.3, 0.8, -0.2], [0.5, 0.4, 0.9]]), 0.7)
def squared_distances(x, c):
    total = 0.0
    for i in range(2):
        for j in range(i + 1):
            r = c
            for k in range(3):
                r += (x[i, k] - 0.5 * x[j, k]) ** 2
            total += math.sqrt(r)
    return total


@case(X3)
def scratch_with_constant_indices(x):
    r = np.zeros(2)
    total = 0.0
    for i in range(3):
        r[0] = math.sin(x[i])
        r[1] = r[0] * x[i]
        r[-1] += x[0]
        total += r[0] * r[1]
    return total + r[1]


@case(0.8, 0.3)
def two_states_of_unknown_length(x, y):
    while x * x + y * y > 1e-2:
        x, y = 0.9 * x - 0.2 * math.sin(y), 0.8 * y + 0.1 * x * y
    return x + 2.0 * y


@case(0.3)
def longer_than_a_stack_is_at_first(x):
    k = 0
    while k < 150:
        x = math.sin(x) * 1.01 + 0.05
        k += 1
    return x


@case(X3, 0.5)
def logarithm_that_does_not_change(x, k):
    total = 0.0
    for i in range(3):
        for j in range(2):
            total += x[i] * math.exp(-2.0 * k * j) / math.log(3.0 + k)
    return total


@case(0.7, 0.4)
def ends_by_a_count_that_nothing_reads(x, y):
    n = 0
    while True:
        x = math.sin(x) + 0.1 * y
        if x < 0.3 or n > 200:
            break
        n += 1
    return x * y


@case(0.7, 0.9)
def assigned_before_the_end_of_an_endless_loop(x, y):
    n = 0
    while True:
        z = x * 0.8 * y
        if z < 0.3 or n > 20:
            if y > 0.5:
                x = z * 2.0
            else:
                x = z
            y = y + z
            n = 3
            break
        x = z
        y = y * 0.9
        n += 1
    return x * y * n


@case(X3)
def array_in_a_list_is_multiplied_in_place(x):
    v = [x * 2.0, x * x]
    v[0] *= x + 1.0
    v[1][1:] *= x[0]
    v[1][0] /= 3.0
    return np.sum(v[0] * v[1])


@case(X3)
def tangent_that_serves_two_values(x):
    total = 0.0
    for _ in range(2):
        x = np.tanh(x)
        total = np.sum((x + np.arange(3)) ** 2)
    return total**2


@case(np.array([[0.4, -1.1], [0.3, 0.7]]))
def tangent_of_a_matrix_that_serves_two_values(m):
    total = np.zeros(2)
    for k in range(2):
        m = np.tanh(m)
        total = np.std(m + np.arange(4).reshape(2, 2), axis=0) * (k + 1)
    return np.sum(np.tanh(total))


@case(np.array([[0.3, 0.5], [0.7, -0.2]]))
def array_first_assigned_in_a_loop(m):
    for k in range(2):
        m = np.tanh(m)
        sums = np.tanh(np.sum(m * m, axis=0)) * (k + 1)
    return np.sum(sums)


@case(np.array([[0.3, 0.5], [0.7, -0.2]]))
def array_first_assigned_and_written_in_a_loop(m):
    for k in range(2):
        y = m * (k + 1.0)
        y[0] = y[1] * m[0]
        m = np.tanh(m)
    return np.sum(y * m)


@case(np.array([[0.3, 0.5], [0.7, -0.2]]))
def array_first_assigned_in_a_branch_of_a_loop(m):
    best, s = -1e9, 0.0
    for k in range(2):
        v = np.sum(m[k])
        if v > best:
            best = v
            row = m[k] * m[k]
        else:
            s += v * k
    return np.sum(row) * best + s


@case(np.array([[0.3, 0.5], [0.7, -0.2]]))
def array_first_assigned_in_an_inner_loop(m):
    for k in range(2):
        for j in range(2):
            u = m[k] * m[j]
        s = u * 2.0
    return np.sum(s * u)


@case(np.array([[0.3, 0.5], [0.7, -0.2]]))
def array_made_anew_until_the_end(m):
    n = 0
    while n < 3:
        rows = np.zeros(2)
        for i in range(2):
            rows[i] = np.sum(m[i] * m[i]) * (n + 1)
        m = m * 0.9
        n += 1
    return np.sum(rows * rows)


FOUR_AT_HAND = np.full(3, 4.0)


def doubled(a, n):
    if n == 0:
        return a * 1.0
    return doubled(a * 2.0, n - 1)


@case(X3)
def recursive_with_an_array(x):
    y = doubled(x * x, 2)
    z = doubled(FOUR_AT_HAND, 1)
    z[0] = x[0] * x[1]
    return np.sum(y * z * x)


WEIGHTS_AT_HAND = np.array([[0.5, 1.5, -1.0]])


@case(X3)
def methods_of_a_captured_array(x):
    w = WEIGHTS_AT_HAND.copy()
    w[0] *= x
    return w.sum() + WEIGHTS_AT_HAND.ravel().dot(x) * WEIGHTS_AT_HAND.max()


@case(X3)
def array_put_into_a_list(x):
    v = [x * 1.0, x * 2.0]
    first = v[0][1]
    v[0] = x * 3.0
    v[1] = v[0] * v[1]
    return first * v[0][1] + np.sum(x * v[1])


@case(X3, 0.4)
def best_path_over_states(v, p):
    s = np.zeros((3, 2))
    s[0, 1] = math.sin(v[0])
    for k in range(1, 3):
        for i in range(2):
            best = s[k - 1, 0] * p
            for j in range(1, 2):
                best = max(best, s[k - 1, j] + v[j] * 0.1 * i)
            s[k, i] = best + math.cos(v[k] * i)
    return max(s[2, 0], s[2, 1])


@case(0.5, X3, np.array([0.4, -0.3, 1.2]))
def mean_of_a_quotient_in_a_branch(p, x, y):
    total = 0.0
    w = x[:2] * (-y[1:] * np.exp(-x[1:] * x[1:]))
    total += np.sum(y[1:] * np.maximum(0.7, 1.3))
    if p + 0.3 * np.sum(x) > 0.1:
        total += np.mean(w * (0.7 / (2.0 + np.maximum(x[1:], y[1:]) * np.maximum(x[1:], y[1:]))))
    return total


@case(X3, 0.7)
def clipped_between_bounds(x, high):
    total = np.sum(np.clip(x, None, high) * x) + np.clip(high, -1.0, 1.0)
    for i in range(3):
        total += np.clip(x[i], -0.5, high) ** 2
    return total


@case(X3)
def reversed_rolled_and_multiplied(x):
    y = np.flip(x) * np.roll(x, 1)
    y[:2] += np.diff(x) * np.flip(y[:2])
    return np.sum(y * y) + np.prod(x) + np.sum(np.tril(np.outer(x, y)))


@case(np.array([0.3, 0.8, -0.2, 0.5]))
def neighbours_counted_from_the_end(v):
    a = v * 1.0
    total = 0.0
    for i in range(len(v) - 2, 0, -1):
        a[i + 1] += math.tanh(a[i - 1])
        total += math.sin(0.7 * a[i - 2] - 0.5 * a[i + 1])
    return total + np.sum(a * a)


@case(M23, X3)
def diagonal_of_a_rectangle(m, x):
    return np.sum(np.diag(m) ** 2) + np.sum(np.diag(m.T) * x[:2]) + np.sum(np.diag(x) @ x)


@case(X3, np.array([0.5, 1.7, 2.0]), np.array([0.0, 1.0, 2.5]))
def interpolated_in_a_loop(rates, times, grid):
    total = 0.0
    for i in range(len(times)):
        total += np.exp(-np.interp(times[i], grid, rates) * times[i])
    return total


@case(M32.T.copy())
def functions_of_rows(m):
    total = 0.0
    for row in m:
        total += np.median(row) * np.ptp(row)
    for i, row in enumerate(m):
        total += np.sum(np.diff(row, 2)) * (i + 1.0)
    for a, b in zip(m, m * m):
        total += np.sum(np.convolve(a, b) ** 2)
    return total


@case(X5)
def functions_in_a_while_loop(x):
    k = 0
    while k < 3:
        x = np.cumsum(x) * 0.5
        x = x + np.quantile(x, 0.1 * k)
        k += 1
    return np.sum(x * x)


@case(X3, 0.3)
def functions_after_a_branch(x, s):
    if s > 0:
        y = x * 2.0
    else:
        y = np.zeros(3)
    t = (y, x * s)
    return np.sum(np.roll(y, 1, axis=0) * x) + np.average(t[1], weights=x * x) + np.percentile(t[0], 20.0)


@case(X3)
def state_is_normalised(x):
    state = np.zeros((3, 3))
    for _ in range(3):
        state = 0.5 * state + np.outer(x, x)
        state = state / np.linalg.norm(state, "fro")
        x = np.tanh(state @ x) - np.max(x, axis=0)
    return np.sum(np.var(state, axis=0)) + np.sum(x)


@case(X3)
def functions_of_whole_numbers(x):
    rows, columns = np.meshgrid(np.arange(2), np.arange(2))
    k = np.sort(np.array([[2, 0, 1], [1, 2, 0]]), axis=1)
    total = x[k[0, 1]] * x[np.max(k, axis=0)[0]] + x[np.cumsum(k, axis=1)[0, 1]]
    for i in range(2):
        total += x[rows[i, 1]] * x[columns[i, 1] + 1]
    return total + np.sum(np.linspace(x[0], x[1], 1)) + np.mean(k, axis=0)[0] * x[0]


@case(M23)
def flipped_array_is_written(m):
    m = m * 1.0
    y = np.flip(m, axis=0)
    z = np.rot90(m, 2)
    p = np.linalg.matrix_power(m @ m.T, 1)
    m[0, 0] = 3.0 * m[1, 1]
    p[0, 0] = m[0, 1]
    return np.sum(y * y * z) + np.sum(p * p)


CORPUS += MEMORY


# derivatives inside, dictionaries and dataclasses

curvature = hvp(lambda x: x * x * x)
of_pair = grad(lambda pair: pair[0] * pair[1] ** 2)


@dataclass
class Spring:
    stiffness: float
    rest: float = 0.4

    def energy(self, x):
        return self.stiffness * (x - self.rest) ** 2


@case(0.7)
def dataclass_with_a_method(x):
    spring = Spring(x * x)
    return spring.energy(x) + spring.rest


@case(0.7)
def dictionary_of_floats(x):
    d = {"x": x, "square": x * x}
    return d["x"] * d["square"]


@case(0.7, 1.3)
def dictionary_gone_over(x, y):
    d = {"x": x, "y": y, "both": x * y}
    total = d["both"] * sum(d.values())
    for k, (name, value) in enumerate(d.items()):
        if name != "x":
            total += k * value**2
    return total


@case(0.7)
def hessian_inside(x):
    return curvature(x, x * x)


@case(0.7)
def gradient_of_a_tuple_inside(x):
    return of_pair((x, x * x))[0]


@case(0.7, X3)
def gradient_made_inside(a, x):
    def energy(y):
        return np.sum(np.sin(y) * a)

    return np.sum(grad(energy)(x) ** 2)


@case(0.7, X3)
def products_inside(a, x):
    def f(y):
        return y * y * a, np.sum(y)

    (_, total), pullback = vjp(f, x)
    _, along = jvp(f, (x,), (x * a,))
    _, pushforward = linearize(f, x)
    return np.sum(pullback((x, a))[0]) * total + np.sum(along[0]) + pushforward(x)[1] * a


@case(0.7, np.array([0.3, -1.2]))
def small_array_filled_in_part(x, w):
    """Elements of a small array are written, and read, in one branch only."""
    a = np.empty(2)
    if x > 0.5:
        a[0] = x * w[0]
        a[1] = x + w[1]
    total = x
    if x > 0.5:
        total += a[0] * a[1]
    b = np.empty(3)
    for k in range(3):
        if k != 1:
            b[k] = w[0] * k + x
    return total + b[0] * b[2]


@case(X5, 0.3)
def small_states_swapped_in_a_loop(x, h):
    """Two states of two numbers change places in each step."""
    one, two = np.array([x[0], h]), np.array([x[1], 1.0])
    for t in range(4):
        new = one + h * two * x[t]
        one, two = new, one
    return np.dot(one, two) + one[0]


@case(M32, np.array([[0.4, -0.2, 0.9], [1.1, 0.3, -0.6], [0.2, -0.8, 0.5]]), M23.T.copy())
def layer_of_each_row(w, u, x):
    """Every row goes through one matrix, and a state through another, whose adjoint is a sum over steps."""
    h = np.zeros(3)
    total = 0.0
    for t in range(x.shape[0]):
        h = np.tanh(w @ x[t] + u @ h)
        total += np.sum(h * h)
    return total


@case(M32)
def columns_times_what_follows(data):
    m = data.shape[1]
    products = np.eye(m)
    for i in range(m - 1):
        products[i + 1 : m, i] = products[i, i + 1 : m] = data[:, i] @ data[:, i + 1 : m]
    return np.sum(products**3)


@case(M23.T.copy(), M32)
def rows_between_which_the_matrix_changes(w, x):
    total = 0.0
    for i in range(x.shape[0]):
        y = x[i] @ w.T
        w[i] += 0.1 * x[i]
        total += np.sum(y * y)
    return total


@case(M32)
def outer_products_that_are_read(x):
    found = np.zeros((2, 2))
    total = 0.0
    for i in range(x.shape[0]):
        found += np.outer(x[i], np.sin(x[i]))
        total += found[0, 1] * x[i, 0]
    return total + np.sum(found**2)


@case(M32)
def mask_of_matrix(m):
    inverse = m * 2.0
    inverse[m > 0.4] = 1.0 / m[m > 0.4]
    inverse[m < 0.1] *= 3.0
    return np.sum(inverse**2)


@case(X3, Y3, np.array([0.4, 1.3, -0.8]))
def powers_of_a_state_that_is_overwritten(mass, force, velocity):
    """What `velocity**2` was is gone when its factor's adjoint needs it."""
    total = 0.0
    for _ in range(3):
        velocity += 0.1 * force
        total += 0.5 * np.sum(mass * velocity**2)
    return total


@case(X3, M32)
def parts_that_grow_and_shrink(x, m):
    """Parts as long as an index tells are overwritten forwards and backwards, in branches and inner loops."""
    y, total = x.copy(), 0.0
    for i in range(3):
        y[: i + 1] *= y[i:][: i + 1].copy()[0] + m[i, 0]
        for j in range(i + 1):
            if x[j] > 0.1:
                y[j:] = np.sin(y[j:]) * m[j, 1]
        total += np.sum(y[i:] ** 2)
    for i in range(2, -1, -1):
        y[i:] *= total
    return total + np.sum(y)


@case(0.3)
def items_dropped_from_a_list(x):
    """What is popped and not used is gone from the list of tangents, too."""
    v = [x, x * x, 3.0 * x, 0.5 * x]
    v.pop()
    total = 0.0
    while len(v) > 1 and v[-1] > 0.2:
        v.pop()
        total += v[-1] ** 2
    return total + v[-1]


@case(X3)
def array_repeated_in_a_list(x):
    v = [x * 2.0] * 3
    v[0][1] = x[0] ** 2
    return np.sum(v[2] * v[1][0])


@case(X3, 3)
def array_appended_in_each_iteration(x, n):
    a = x * 2.0
    v = []
    for _ in range(n):
        v.append(a)
    v[0][1] = x[0] ** 2
    return np.sum(v[1] * v[2][0])


@case(0.3)
def call_between_comparisons(x):
    """The call is made once."""
    v = [x, 2.0 * x, 3.0 * x, 0.5 * x]
    total = 0.0
    if 0.0 < v.pop() < v.pop() <= 1.0:
        total += v[-1] ** 2
    return total * len(v) + v[0]


@case(0.7)
def assigned_in_the_second_test(x):
    v = 5.0
    scale = 1.0
    if x > 1.0 and (v := x * 2.0) > 3.5:
        scale = 2.0
    other = (v := v * x) if x < 1.0 else x
    return v * scale * x + other


@case(X3)
def assigned_in_a_test_that_ends_a_loop(x):
    k = 0
    total = 1.0
    while k < len(x) and (v := x[k] * total) < 2.0:
        total += v * v
        k += 1
    return total + k * v


@case(X3, 0.3)
def generators_added_up(x, a):
    largest = max(v * v for v in x)
    return sum(v * a for v in x) * largest - min(abs(v) for v in x if v > 0.0) + sum((v for v in x), a * 2.0)


@case(X3, 0.3)
def sums_that_start(x, a):
    v = [x[0], a]
    return sum(v, a * a) + sum((a, x[1]), a) + sum(x[1:], x[0] * a)


Motion = namedtuple("Motion", "place speed")


@dataclass
class Estimate:
    mean: float
    spread: float


@case(0.3, X3)
def fields_replaced(x, force):
    state = Motion(x, force[0])
    for k in range(3):
        state = state._replace(place=state.place + 0.1 * state.speed)
        state = state._replace(speed=state.speed - state.place * force[k])
    found = Estimate(state.place, state.speed)
    return dataclasses.replace(found, mean=found.spread * x).mean + found.mean


SETTINGS = {"rate": 0.1, "deep": {"steps": 3}, "weights": np.array([1.0, -2.0, 0.5])}


@case(X3)
def captured_dictionary(x):
    global SETTINGS
    v = x.copy()
    for _ in range(SETTINGS["deep"]["steps"]):
        v = v - SETTINGS["rate"] * np.sin(v)
    return SETTINGS["weights"] @ v


@case(M32, 0, 2)
def places_in_a_list(m, i, j):
    a = m.copy()
    a[[i, j]] = a[[j, i]]
    b = a[:, [1, 0, 1]] * a[[2, 1, 0]][:, [0, 0, 1]]
    b[1, [0, 2]] *= 3.0
    return np.sum(b * b) + a[0, 0]


@case(X3, 0.3, np.array([2, 0, 2]))
def added_at_places(x, a, places):
    y = np.zeros(3)
    np.add.at(y, places, x * a)
    np.subtract.at(y, places[:2], a)
    m = np.zeros((3, 3))
    np.add.at(m, places, np.outer(x, x))
    np.add.at(m, (places, places - 1), x)
    return np.sum(y * y) + np.sum(m**3)


@case(X3, 0.3)
def arrays_of_a_list_joined(x, a):
    y = np.concatenate([x[:2] * a, x, np.full(1, a)])
    return np.sum(np.stack([x, x**2], axis=1) * np.column_stack([x[::-1], x])) + y @ np.hstack([x, x * a])


@case(X3, 0.3)
def arrays_of_arrays(x, a):
    y = np.array(x)
    y[0] = a
    z = np.array(x * a, dtype=float)
    z[1] *= x[2]
    v = [a, x[0]]
    counts = np.zeros(3, dtype=int)
    counts[1] = 2
    return y @ x + z @ y + np.sum(np.array(v) ** 2) + max(abs(x - a)) + np.sum(abs(x) * counts)


@case(0.7, 4)
def factorials(x, n):
    total = 0.0
    for k in range(n):
        total += x**k / math.factorial(k) * math.comb(n, k)
    return total + math.fmod(x, 0.3) * math.log(x, 3.0) + math.dist((x, 1.0), (2.0, x * x)) * float(x > 0.2)


@case(X3, 0.4)
def last_item_used_after_the_list_has_grown(x, a):
    """`w[-1]` is another item by then, and so would be that of the adjoints."""
    w = [x * 2.0, np.sin(x)]
    last = w[-1]
    w.append(last * a)
    return np.sum(last * w[1])


@case(X3, 0.4)
def item_used_after_it_was_dropped(x, a):
    w = [x * 2.0, np.sin(x), x * a]
    first = w[2]
    w.pop()
    second = w[-1]
    w.pop()
    w.append(first * second)
    return np.sum(first * w[1] * second)


@case(X3, 3)
def item_used_while_the_list_grows(x, n):
    w = [x * 2.0]
    first = w[-1]
    total = 0.0
    for k in range(n):
        total += first[k] ** 2
        w.append(first * w[-1])
    return total + np.sum(w[-1] * first)


@case(0.3, 0.4)
def ranges_of_floats(start, step):
    total = (
        np.sum(np.arange(start, 2.0, step) ** 2)
        + np.sum(2 * np.arange(start, 3.1))
        + np.sum(np.arange(start + 3))
    )
    for t in np.arange(0.0, 1.0, step):
        total += math.exp(-t) * start
    return total


def partial_area(a, h):
    if a == 0.0:
        return 0.25 * a * h
    if h <= 0.0:
        return 0.0
    return h * h * a


@case(1.2, 0.3)
def branches_that_keep_one_number_twice(h, b):
    s = b
    if h > 0.0:
        s = partial_area(b, b)
        s -= partial_area(b, h)
    return s


@case(T223, 0.3)
def tuples_as_indices_and_of_lists(x, a):
    parts = tuple([x[0], 2, a])
    rows = (0, 1, 1)
    turned = np.rot90(x)
    picked = x[0][(0, 1), 1:] * x[:, rows, 0][1, 0]
    return np.sum(picked) * parts[1] * parts[2] + np.sum(parts[0] ** 2) + np.sum(turned[1, 1] * turned[0, 0])


@functools.lru_cache(16)
def recurrence_coefficients(n, a):
    return (1.0, a) if n == 0 else (2.0 * a, a * a * n)


@case(X3, 0.3)
def helpers_that_remember(x, a):
    total = 0.0
    for n in range(3):
        p, q = recurrence_coefficients(n, a)
        total += p * q * x[n]
    return total


@case(X3, 0.3)
def imports_inside(x, a):
    from math import cos as c
    from math import pi

    import numpy.linalg as la

    def inner(y):
        return np.exp(y) * pi

    return la.norm(x) * c(a) + inner(a)


@case(X3, 0.3)
def quiet_blocks(x, a):
    with np.errstate(divide="ignore", invalid="ignore"):
        y = np.where(x > 0.6, np.log(x), 0.0)
    for k in range(3):
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if k == 2:
                return np.sum(y * x) * a
            y = y * 2.0
    return a


@case(X3, 0.3)
def questions_about_arguments(x, a):
    if isinstance(x, (dict, functools.partial)) or not hasattr(x, "shape"):
        return a
    if hasattr(a, "__len__") or isinstance(a, np.ndarray):
        a = a[0]
    pair = [x[0], a]
    for _ in range(2):
        if isinstance(pair, np.ndarray):
            pair[0] = 100.0
        doubled = [2.0 * item for item in pair]
    return np.sum(x) * a + doubled[0] * pair[1]


@case(X3, 0.3)
def lists_of_what_is_gone_over(x, a):
    v = list(x)
    v.append(a)
    if any(x > 5.0) or not all([a > 0.0, x[0] < 9.0]) or any(item > 7.0 for item in v):
        return a
    products = list(map(lambda one, two: one * two * a, x, x[::-1]))
    return v[3] * v[1] + sum(map(np.sin, x)) + products[0] * len(list(range(4))) + np.sum(np.array(list(x)))


@case(T223, 0.3)
def reshaped_after_transposing(x, a):
    turned = x.transpose(2, 0, 1).reshape(6, 2) * a
    columns = x[:, :, ::2].reshape(-1)
    return np.sum(turned[:, 0] ** 2) + np.sum(columns**3) + np.sum(x[0].T.reshape(-1) * columns[:6])


@case(X3, 0.3)
def lists_and_ranges_as_vectors(x, a):
    m = np.outer(x, x) * a
    diagonal = m[range(3), range(3)]
    return np.cross([0, 0, 1], x) @ diagonal + np.dot(x, [1, 2, a]) + math.hypot(x[0], x[1], a) + math.cbrt(a)


@case(0.7, 3)
def lists_made_in_iterations(x, n):
    """The list that is left after the loop is that of the last iteration, and so are its adjoints."""
    w = [x, x]
    grown = [x]
    for k in range(n):
        w = [2.0 * x * k, x * x]
        grown = []
        for j in range(2):
            grown.append(w[j] * x + k)
    return w[0] * w[1] + grown[1]


@case(X3, 3)
def lists_chosen_by_a_branch(x, n):
    best = [x[0], x[1]]
    total = 0.0
    for k in range(n):
        candidate = [x[k] * k, item := x[0] * x[k]]
        if candidate[0] > best[0]:
            best = candidate
        total += best[1] * item
    return total + best[0]


BOUNDARIES = [0.1, 1, 2.5]
COEFFICIENTS = [[1.0, 2.0], [0.5, 3.0], [4.0, -1.0]]


@case(0.7, 3)
def captured_lists(x, n):
    total = 0.0
    for i in range(n):
        if BOUNDARIES[i] >= x:
            total += COEFFICIENTS[i][1] * x**2
            break
    for bound in BOUNDARIES:
        total += bound * x
    return total * len(BOUNDARIES)


@case(0.4)
def rows_of_several_types(x):
    turn = np.array([[1, 0, 0], [0, math.cos(x), -math.sin(x)], [0, math.sin(x), math.cos(x)]])
    angle = np.asarray(x)
    found = np.zeros(angle.shape + (2, 2))
    found[..., 0, 1] = np.cos(angle)
    return np.sum(turn @ np.array([x, 2, 3])) * found[0, 1]


@case(X3, 0.3)
def parts_of_lists(x, a):
    hs = [v * v for v in x]
    hs.append(a)
    total = 0.0
    for h in hs[1:]:
        total += h * h
    for k, h in enumerate(hs[-2:]):
        total += h**3 * k
    for one, two in zip(hs[:-1], hs[-2:]):
        total += one * two
    for h in hs[7:]:
        total += 100.0 * h
    return total


@case(X3, 0.3)
def sorted_in_place_and_flat(x, a):
    y = x * x
    y.sort()
    m = np.outer(y, x)
    m.sort(axis=0)
    m.flat[3] = a
    m.flat[5] += x[1] ** 2
    m.flat[::4] = x[2]
    return np.sum(y * np.arange(3.0)) + np.sum(m * m) + m.flat[7] * a


@case(X3, 2)
def products_of_several_types(x, n):
    m = np.outer(x, x)
    turned = (1j * m) @ x
    return np.sum((m @ np.arange(3)) ** 2) + np.sum(turned.imag**2) + np.sum(np.array([1, n, 3]) @ m)


@case(X3, 0.3)
def elements_left_out_by_where(x, a):
    y = x - x[0]
    quotients = np.divide(a, y, out=np.zeros_like(x), where=y != 0.0)
    logs = np.log(x, where=x > 0.6, out=np.full_like(x, 3.0) * a)
    return np.sum(quotients**2) + np.sum(logs * x)


@case(T223, 2)
def shapes_spread_with_a_star(x, n):
    stack = np.zeros((n, *x.shape))
    for k in range(n):
        stack[k] = x ** (k + 1)
    return np.sum(stack**2) + np.sum(np.ones((*x[0].shape, n)) * x[0, 0, 0])


@vectorize
def shrunk(x, least):
    size = abs(x)
    if size <= least:
        return 0
    return (size - least) * x / size


@vectorize(["float64(float64, float64)"])
def saturating(x, n):
    return x**n / (2 + x ** (2 * n))


@case(X3, M23, 0.4, 2)
def vectorized_functions(x, m, a, n):
    total = np.sum(shrunk(x, a) ** 2) + shrunk(a, x[0]) * saturating(a, n)
    y = saturating(m, n) * shrunk(m.T.copy(), 0.5).T
    return total + np.sum(y * m) + np.sum(saturating(a, x * x))


@case(X3, M23, 0.4)
def numbers_of_the_type_of_an_array(x, m, a):
    total = x.dtype.type(0)
    for v in x:
        total += m.dtype.type(v * a) * x.dtype.type(2)
    return total


@case(X3, 0.4)
def numbers_before_an_array(x, a):
    return np.sum(np.append(a * a, np.append(x[0], x * a)) ** 2)


@case(X3, 0.4, 3)
def lists_written_to_parts_of_arrays(x, a, n):
    m, v = np.zeros((3, 4)), np.ones(4)
    for k in range(n):
        m[k, :n] = [a * x[k], 1.0, x[0] * x[1]]
        m[:, 3] = [x[k] ** 2, a, 2.0]
        v[1:n] = [a * k, x[k]]
        m[k, 2:] += v[:2]
    return np.sum(m**2) + np.sum(v * m[1])


@case(X5, 0.4, 3)
@njit
def levels_of_growing_size(x, a, n):
    coarse = np.zeros(1) + a
    for level in range(n):
        size = 2**level
        fine = np.empty(size)
        for i in range(size):
            fine[i] = coarse[i // 2] * x[i] / (1.0 + a * a)
        for i in range(1, size):
            fine[i] += fine[i - 1] * x[0] / (2.0 + fine[i] ** 2)
        coarse = fine
    return np.sum(np.arange(4.0) * fine) + np.sum(fine * fine)


@case(X5, M23, 0.4)
@njit
def parts_chosen_in_a_loop(x, m, a):
    out = np.zeros((2, 3))
    for i in range(2):
        if x[i] > a:
            if m[i, 0] > 0.5:
                part = m[i]
            elif m[i, 1] < 0.0:
                part = x[1:4]
            else:
                part = 0.5 * (m[i] + x[:3])
        out[i] = part / (1.0 + a * a)
    return np.sum(out * out * m)


@case(X3, 0.4)
@njit
def pairs_spread_in_calls(x, a):
    pair = (x, x[::-1] * a)
    turned = np.cross(*pair) + np.outer(*pair)[0]
    numbers = np.zeros(3)
    numbers[1] = np.array(a * x[0], dtype=np.float64)
    numbers[2] = np.array(x[1]) * a
    return np.sum(turned * numbers) + turned.dot(*pair[:1])


@case(X3, 0.4)
@njit
def numbers_stacked(v, a):
    sines, cosines = np.sin(v[..., 1:3]), np.cos(v[..., 1:3])
    x = np.asarray(sines[..., 0] * cosines[..., 1])
    y = np.asarray(sines[..., 0] * sines[..., 1])
    total = np.zeros(3, dtype=np.asarray(x * a).dtype)
    for k in range(3):
        total[k] = v[k] * a
    return np.sum(v * np.stack((x, y, np.asarray(cosines[..., 0])), axis=-1) * total)


@case(0.9, 0.4, 1.3)
def root_with_a_formula_for_each_sign(x, a, b):
    """Three numbers of each iteration are kept side by side; those of a branch are what it hands on."""
    for _ in range(30):
        square = x * x * a
        if square > 0.5:
            c = (1.0 - np.cos(np.sqrt(square))) / square
        elif square < -0.5:
            c = (np.cosh(np.sqrt(-square)) - 1.0) / -square
        else:
            c = 0.5 - square / 24.0
        slope = 1.0 + 0.3 * c * x
        after = x - (x * c + 0.2 * x**3 - b) / slope
        if abs(after - x) < 1e-9:
            break
        x = after
    return x * c


@case(0.3 * M32 @ M32.T, 0.2 * M32 @ M32.T, X3)
def recurrence_run_twice_over_the_same_rows(w, x, b):
    """The adjoint of a row of `w` is the sum of both runs, so that it is no factor of an outer product."""
    h, total = b.copy(), 0.0
    for _ in range(2):
        for i in range(1, len(x)):
            h = np.sin(np.dot(x, h) + w[i - 1])
            total += np.sum(h * h)
    return total


@case(X3, 1.0)
def branch_whose_result_is_computed_again(x, y):
    """The reversal of the branch reads what it hands on, not what it computed itself when it ran again."""
    total = y
    for i in range(4):
        if x[0] > -5.0:
            root = math.sqrt(total * total + 0.5)
        else:
            root = i + total
        total = root * x[0]
        if i > 2:
            total = i + i + math.sqrt(i * i + 0.5) ** 2 + total * x[1]
    return total


@case(np.linspace(-0.6, 0.7, 13), M23)
def parameters_of_each_call_in_one_vector(p, x):
    """The parts of `p` are taken in each iteration, and are the same in all."""

    def layer(p, row):
        d = len(row)
        w = p[0 : 3 * d].reshape(3, d)
        b = p[3 * d : 3 * d + 3]
        out = p[3 * d + 3]
        for i in range(3):
            z = b[i]
            for j in range(d):
                z += w[i, j] * row[j]
            out += math.tanh(z)
        return out

    total = 0.0
    for i in range(len(x)):
        total += layer(p, x[i]) ** 2
    return total


@case(X3, X5[:3])
def scratch_that_is_changed_after_it_was_computed(x, y):
    """Each step computes the matrix alike, and changes part of it through a view: both go before the loop."""
    total = 0.0
    for k in range(3):
        m = np.sin(np.outer(x, y))
        m[1, ::2] += 0.3
        v = np.tanh(x * y)
        v[1:] += 0.3 * x[1:]
        total += (np.sum(m * m) + np.sum(v * x)) * (k + 1)
    return total


@case(X3, 0.4, X5[:3])
def real_part_of_an_array_that_each_iteration_writes(x, p, y):
    """The part is taken anew in each iteration: what it shows has changed."""
    w, total = x + 1j * y, 0.0
    for k in range(2):
        inner = np.sum(w * w.real)
        w[k] = p + 0.5j * w[2]
        total += abs(inner)
    return total


@case(M23, X3, 0)
def parts_that_need_not_fit(m, x, steps):
    """What does not fit a new shape is an error only if the loop runs."""
    total = x[0] * x[1]
    for _ in range(steps):
        total += np.sum(x[0:4].reshape(2, 2)) * m[0, 0]
    return total


@case(X3, X3)
def squares_in_place_in_a_short_loop(x, y):
    """The loop is written out: each iteration sets the adjoint anew."""
    a, b, total = np.exp(-x), x + y, 0.0
    for _ in range(3):
        for k in range(3):
            total += y[k] * a[0]
        for _ in range(3):
            a *= a
        a, b = b, a
    return total + np.sum(a * -0.18)


@case(X3, 0.4, X5)
def numbers_that_each_sample_finds_alike(w, k, x):
    """Logarithms and a quotient of the inner loop: in tables before the outer one."""
    total = 0.0
    for i in range(len(x)):
        p = 0.0
        for c in range(len(w)):
            z = (x[i] - w[c]) / (1.0 + k * w[c] ** 2)
            p += math.exp(math.log(1.5 + math.sin(w[c])) - 0.5 * z * z)
        total += math.log(p)
    return total


@case(M23, 0.7, 3)
def coefficients_of_a_field_in_time_steps(m, k, steps):
    """Two indices, and an order that counts down."""
    u = m.copy()
    for _ in range(steps):
        for i in range(len(m) - 1, -1, -1):
            for j in range(1, 3):
                u[i, j] += math.sqrt(1.0 + m[i, j] ** 2) * u[i, j - 1] / (2.0 + k * m[i, j])
    return np.sum(u * u)


@case(M23[:, :2], X3[:2], X5)
def a_softmax_of_each_row_in_each_step(w, start, y):
    """Neither steps nor states need be there: what all steps compute alike stands under both tests."""
    n, a, total = len(start), np.abs(start), 0.0
    for t in range(len(y)):
        for j in range(n):
            s = 0.0
            for i in range(n):
                z = 0.0
                for k in range(n):
                    z += math.exp(w[i, k])
                s += a[i] * math.exp(w[i, j]) / z
            total += s * math.sin(y[t] * j)
    return total


@case(X3, 0.4)
def rows_that_are_written_as_tuples(x, k):
    """A Jacobian by hand: numbers of several types in a row, in a column and in a part."""
    jac, y = np.zeros((2, 3)), np.ones(4)
    for _ in range(2):
        jac[0] = x[0] * k, x[1] ** 2 + y[1], 1
        jac[:, 1] += jac[:, 0]
        jac[:, 2] = (x[2], np.sin(x[0]))
        y[1:3] = jac[0, 1], k
    return np.sum(jac**2) + y @ y


@case(X3[:1], np.array([[0.7]]))
def the_number_in_an_array_of_one(x, m):
    return x.item() * 2 + m.item() * x[0] + np.sum(m * 2.0).item()


@case(X5, 0.4, 3)
def a_ring_of_sites(u0, k, steps):
    """Neighbours that go round, by a remainder, by a test, and by an index below zero."""
    n, u, energy = len(u0), u0.copy(), 0.0
    for _ in range(steps):
        new = np.empty(n)
        for i in range(n):
            right = u[i + 1] if i < n - 1 else u[0]
            new[i] = u[i] + k * (u[(i - 1) % n] - 2.0 * u[i] + right) + 0.1 * u[i - 1] * u[(i + 2) % n]
            energy -= math.cos(new[i] - right)
        u = new
    return energy + np.sum(u**2)


@case(M23, 0.4, 2)
def a_torus_of_sites(m, k, steps):
    """Rows and columns go round; two arrays swap their roles."""
    rows, columns = m.shape
    u, new = m.copy(), np.empty_like(m)
    for _ in range(steps):
        for i in range(rows):
            up, down = (i - 1) % rows, (i + 1) % rows
            for j in range(columns):
                near = u[up, j] + u[down, j] + u[i, (j - 1) % columns] + u[i, (j + 1) % columns]
                new[i, j] = u[i, j] + k * (near - 4.0 * u[i, j]) * u[i, j]
        u, new = new, u
    return np.sum(u * u)


@case(X3, 3)
def moved_in_one_arm(x, n):
    """What is written in place is new on one path, and an older array on the other."""
    a = x * x
    b = a if n == 2 else a + 1.0
    b *= x
    return np.sum(b * b) + np.sum(a * a)


@case(X3, 3)
def moved_in_a_loop(x, n):
    a = x * x
    b = d = a
    for t in range(n):
        b = a + 1.0
        b *= x
        if t % 2 == 1:
            d = d - 0.5
            d *= b
    return np.sum(a * b) + np.sum(d * d)


@case(X3)
def item_replaced_by_an_array_that_was_updated(x):
    u, w = x * 1.0, x * x
    w += 0.1 * w
    h = [u]
    h[0] = w
    h[-1] *= 0.9
    return np.sum(w * x)


@case(X3, X3[::-1].copy(), 3)
def updated_beside_a_choice(x, y, n):
    u, v, w, total = x * 1.0, y.copy(), x + y, 0.0
    for i in range(2):
        for j in range(n):
            u[1:] -= 0.2 * u[1:] * (u[1:] - u[:-1])
            if j % 2 == 0:
                v[0] = w[-1] * 0.5
        w[0] = u[-1] * 0.5
        total += np.sum(u) + np.sum(v * v) + np.sum(w * w * w)
    return total


@case(X3, 3)
def copied_while_another_name_shows_it(x, n):
    a, v = np.zeros(3), x
    for i in range(n):
        v = a
        a += x
    b = a.copy()
    b *= x
    return np.sum(b) * v[1] ** 2


@case(X3, 3)
def copied_while_a_choice_shows_a_part(x, n):
    a, v = np.zeros(n), x
    if n > 2:
        v = a[1:]
        a += x
    b = a.copy()
    b[1] = 5.0
    return np.sum(b * x) + v[0] * x[1]


@case(np.array([0.4, -0.3, 0.7, 0.2, -0.6, -0.1, 0.5]), 0.2, 3)
def flux_chosen_by_signs(u, dt, n):
    u, flux = u.copy(), np.zeros(len(u) + 1)
    for t in range(n):
        for i in range(1, len(u)):
            a, b = u[i - 1], u[i]
            if a > b:
                flux[i] = 0.5 * a * a if a + b > 0 else 0.5 * b * b
            elif a > 0:
                flux[i] = 0.5 * a * a
            elif b < 0:
                flux[i] = 0.5 * b * b
            else:
                flux[i] = 0.0
        u -= dt * (flux[1:] - flux[:-1])
        u[0] = u[1]
    return np.sum(u * u)


@case(X5, 0.3)
def both_arms_store_at_computed_places(x, c):
    y, z = np.zeros(6), x.copy()
    for i in range(4):
        if x[i] > c:
            z[i] *= 0.5
            y[i + 1] = x[i] * z[i]
            z[i] += y[i]
        else:
            y[i + 1] = c
            z[i] += x[i + 1] * c
    return np.sum(y * y) + np.sum(z * z)


@case(X3, 3)
def updated_by_what_may_be_itself(x, n):
    a = np.ones(n)
    w = x
    if n <= 5:
        w = a
    a -= 0.5 * (w - x[1])
    a += w + x
    return np.sum(a * x)


@case(M32.reshape(1, 3, 2).repeat(2, axis=0) * np.array([1.0, -0.6]), np.array([[0.3, -0.7], [0.4, 0.9]]))
def rows_replaced_by_products(a, w):
    a = a.copy()
    for r in range(a.shape[0]):
        for q in range(a.shape[1]):
            a[r, q, :] = np.tanh(a[r, q, :] @ w)
            a[r, q, 0] *= 1.5
    return np.sum(a * a)


@case(M32 * 0.3, np.array([[0.3, -0.7], [0.4, 0.9]]))
def rows_replaced_that_the_next_one_reads(a, w):
    a = a.copy()
    for q in range(1, a.shape[0]):
        a[q] = w @ a[q] + 0.5 * a[q - 1]
        a[q - 1] += a[q] * w[0, 0]
    return np.sum(a * a)


@case(0.8, 1.3, 0.3)
def stack_of_intervals(a, b, tolerance):
    stack, total = [(0.0, b)], 0.0
    while stack:
        left, right = stack.pop()
        middle = 0.5 * (left + right)
        height = math.sin(a * middle)
        if right - left > tolerance:
            stack.append((left, middle))
            stack.append((middle, right))
        else:
            total += height * (right - left)
    return total


@case(X3, 3)
def tuples_of_arrays_in_a_list(x, n):
    states = [(x * 1.0, np.sin(x))]
    for k in range(n):
        position, speed = states[-1]
        speed = speed - 0.1 * position
        states.append((position + 0.1 * speed, speed))
    states[0] = (states[n][0] * x, states[1][1])
    return sum(np.sum(p * p) + v[0] for p, v in states)


@case(np.array([-0.2, -0.8, 0.4]), np.array([0.3, 0.5, 0.2]), 2)
def two_updates_in_a_loop_within_another(x, b, n):
    x, b = x.copy(), b.copy()
    for _ in range(n):
        for t in range(len(x)):
            b += 0.5
            b += np.sin(b * x[t])
        x[0] = 0.0
    return np.sum(b)


@case(np.array([0.7, 0.4]), M32 * 0.3 + 1.0, 2)
def rows_scaled_before_the_array_is_read(x, a, n):
    x, a = x.copy(), a.copy()
    y, b = x.copy(), np.ones((2, *a.shape))
    for _ in range(n):
        x[1] = 0.0
        for i in range(len(b)):
            for row in a:
                row[0] *= np.cos(a[1, 0])
            b[i] = a * b[i, 0, 0] * y[0]
    if x[0] > y[1]:
        y[0] *= 2.0
    return np.sum(b * b) * y[0]


@case(M32.T @ M32, 2)
def changed_through_a_view_behind_a_choice(a, n):
    w = np.ones(n)
    u = w[::-1]
    for i in range(n):
        c = np.cos(u[i])
        o = w[::-1]
        o[1] = a[i, 1]
        if np.sum(w) > 0.2:
            o[:] += c
    return np.sum(u * 0.85)


@njit
def _doubled_at_the_front(p):
    p[0] = 2.0 * p[1]
    return p[-1]


@case(X3)
def called_for_what_it_writes(x):
    w = x * 1.0
    _doubled_at_the_front(w)
    return np.sum(w * x)


@njit
def _scaled_and_moved(p, o):
    for i in range(len(o)):
        o[i] *= p[i]
        o += p


@case(X3, X3[::-1].copy())
def writes_to_a_view_that_has_no_name(x, w):
    u = x.copy()
    _scaled_and_moved(w, u[::-1])
    return np.sum(u * x)


@case(np.array([0.4, -0.7]), M32.T @ M32 * 0.2)
def scaled_and_read_in_a_nest(x, a):
    x, u = x.copy(), a[-1].copy()
    w = np.sin(x)
    for _ in range(len(x)):
        for i in range(a.shape[1] - 1, -1, -1):
            x *= w[i]
            u[:] = (x + u) * x
    w[:] *= u
    return np.sum(u * u) + np.sum(w)


@case(X3, 0.7)
def one_array_several_times_in_a_list(x, c):
    g, h = 2 * [x], [x, x] + [np.sin(x)]
    for i in range(len(g)):
        g[i][0] *= c
    for row in h:
        row[1] *= c * x[0]
    return np.sum(x * x)


@case(X3, X5)
def item_that_becomes_another_array(x, v):
    g = [x] * 2
    pair = (x.copy(), np.sin(v))
    for i in range(2):
        g[i] = pair[0]
    return np.sum(x) * np.sum(v) + np.sum(g[1] * g[0])


@case(X3)
def overlapping_parts_by_way_of_a_list(x):
    g = [x, 2.0 * x]
    g[-2][1:] += x[:-1]
    y = g[0]
    y[:-1] *= x[1:]
    g[0][:] += g[0][::-1]
    return np.sum(x * x)


@case(X3, X3[::-1].copy(), 0.6)
def inner_loop_that_ends_at_once(x, y, c):
    for i in range(len(x)):
        for _ in range(len(x)):
            if y[i] > 0.2:
                break
            x[0] = c
    return x @ x * y[0]


@case(np.array([0.4, -0.7]), np.array([0.2, 0.7]))
def boundary_set_after_a_solve(x, y):
    a = np.outer(x, y) + 2.0 * np.eye(2)
    for _ in range(2):
        y = np.linalg.solve(a, y)
        y[0] += x[1]
        y *= 0.5
    return y @ x


def _last_items(rows, factors):
    t = 0.0
    for row, factor in zip(rows, factors):
        t = np.sin(t + row[-1] * factor)
    return t


@case(X3)
def lists_for_a_function_that_is_called_in_a_loop(x):
    h = [e * e for e in x]
    g = [np.ones(len(x)) for _ in range(3)]
    s = 0.0
    for _ in range(len(g)):
        s += _last_items(g, h)
    return s


@case(X5, 0.7)
def sums_to_neighbours_that_add_alike(x, k):
    s = 0.0
    for i in range(1, len(x) - 1):
        s += k * x[i + 1] - x[i - 1] + 2.0 * x[i]
    for i in range(2, len(x) - 2):
        s += np.cos(x[i - 2]) * k - k * x[i + 2] + x[i + 1] * x[i - 1]
    return k * s


@case(np.linspace(-0.4, 1.3, 12), np.cos(np.arange(20.0)))
def part_that_is_written_and_read_by_two_names(a, z):
    w = z[1:]
    s = 0.0
    for i in range(8):
        w[i] = a[i] * (a[i + 2] - a[i + 1])
        s += a[i] * (z[i + 1] + z[i + 9])
    return s + np.sum(w * w)


@case(np.array([0.6]), np.array([1.3]))
def neighbours_of_a_part_that_is_empty(u, k):
    m = len(u[2:])
    s = np.sum(u * k)
    for i in range(m):
        s += k[i] * (u[i] + u[i + 2])
    return s


@case(X5, X5[::-1].copy())
def counts_of_neighbours(u, w):
    n, h, s = len(u), np.zeros(len(u), np.int64), 0.0
    for i in range(1, n - 1):
        t = u[i] > 0.0
        h[i - 1] += t
        h[i + 1] += t
    for i in range(n):
        s += h[i] * w[i] * u[i]
    return s


@case(X5, np.array([200, 3, 5, 100, 0], np.uint8), np.array([True, False, True, True, False]))
def short_numbers_that_are_subtracted(u, pixels, marks):
    h, counts, s = np.zeros(len(u)), np.zeros(len(u), np.int64), 0.0
    for i in range(1, len(u) - 1):
        t = pixels[i]
        h[i - 1] -= t
        h[i + 1] -= t
        h[i] -= marks[i]
        counts[i] -= pixels[i]
        counts[i - 1] -= marks[i]
        s -= pixels[i]
    h[1:] -= pixels[:-1]
    return np.sum(h * u) + np.sum(counts * u) + s * u[0]


@case(X3)
def rows_counted_from_the_end(x):
    a = np.zeros((2, len(x)))
    a[0] = x
    a[1] = 2.0 * x
    a[-2, 1:] += a[0, :-1]
    a[0, :-1] *= a[-2, 1:]
    a[-1][1:] += a[1][:-1]
    return np.sum(a * a)
