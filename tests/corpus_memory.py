"""Tiny functions about memory: aliases, arrays and lists that may be one of several, first assignments."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

MEMORY: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
ARRAY = np.array([1.0, 2.0, 3.0])
A4 = np.array([0.3, -0.5, 0.7, 1.1])


def case(*inputs: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        MEMORY.append((function, inputs))
        return function

    return enter


@case(ARRAY)
def two_names_swapped(a):
    b = a
    for _ in range(2):
        a, b = b, a
    b *= b
    return np.sum(a * b)


@case(ARRAY)
def list_rebuilt_in_a_loop(x):
    v = [a for a in x]
    for _ in range(3):
        v = [v[i] * v[(i + 1) % 3] for i in range(3)]
    return v[0]


@case(ARRAY)
def list_chosen(x):
    v, w = [x[0]], [x[1]]
    u = v if x[0] > 0 else w
    return u[0]


@case(ARRAY)
def list_chosen_and_written(x):
    v, w = [x[0], 1.0], [x[1], x[2]]
    u = v if x[0] > 5 else w
    u[0] *= x[2]
    u.append(x[1] * x[1])
    return u[0] * v[0] + w[0] * w[1] + u[-1]


@case(ARRAY)
def array_of_changing_size_first_assigned_in_a_loop(x):
    for k in range(1, 3):
        y = x[:k] * x[:k]
    return np.sum(y)


@case(ARRAY)
def array_put_into_a_list_under_another_name(x):
    v = [x * 1.0, x * 2.0]
    a = np.zeros(3)
    v[0] = a
    v[0][1] = x[0] * x[1]
    return a[1] * a[1] + np.sum(v[1] * v[0])


@case(ARRAY)
def ambiguous_array(x):
    a = x * 2.0
    b = x * 3.0
    c = a if x[0] > 0 else b
    c[0] = 5.0 * x[1] * x[2]
    return np.sum(a * a) + np.sum(b) + np.sum(c * b)


@case(ARRAY, ARRAY + 0.1)
def ambiguous_array_leaves_a_branch(a, b):
    a = b if b[0] > 0.1 else a
    a += 1.0
    if b[0] > 0.0:
        a, b = b, a
    return np.sum(b * b) + np.sum(a)


@case(ARRAY)
def array_in_a_list_has_another_name(x):
    a = x * 2.0
    v = [a]
    a[0] = x[1] * x[2]
    return np.sum(v[0] * a)


@case(ARRAY)
def array_in_a_list_is_scaled_in_place(x):
    a = x * 2.0
    v = [a]
    v[0] *= x[0]
    return np.sum(a * a)


@case(A4, 0.7)
def accepted_step(x, h):
    state = np.zeros(4)
    state[0] = x[0]
    for k in range(1, 4):
        state[k] = x[k] * state[k - 1]
    err = 0.0
    for it in range(6):
        trial = state + h * np.sin(state)
        if np.sum(trial * trial) < 3.0:
            state = trial
        else:
            h *= 0.5
        state[it % 4] += x[0] * h
    return np.sum(state * state)


@case(np.arange(12.0).reshape(4, 3) / 7 + 0.2, 0.7)
def smoother(ms, g):
    filtered = np.zeros((4, 3))
    filtered[0] = ms[0]
    for t in range(1, 4):
        filtered[t] = g * filtered[t - 1] + ms[t]
    s = filtered[3]
    total = np.sum(s * s)
    for t in range(2, -1, -1):
        s = filtered[t] + g * (s - filtered[t] * filtered[t])
        filtered[t] = s
        total += s[0] * s[1]
    return total + np.sum(filtered)


@case(A4, np.arange(12.0).reshape(3, 4) / 7 + 0.2)
def layers(x, w):
    hidden = np.zeros((4, 4))
    hidden[0] = x
    for j in range(3):
        h = hidden[j]
        for i in range(4):
            hidden[j + 1, i] = math.tanh(w[j, i] * h[i] + h[(i + 1) % 4])
        h = hidden[j + 1]
    return np.sum(h * h)


@case(A4)
def buffers_swapped_in_branches(x):
    a = x * 1.0
    b = np.zeros(4)
    for k in range(5):
        for i in range(4):
            b[i] = math.sin(a[i]) + a[(i + k) % 4]
        if b[k % 4] > 0.5:
            a, b = b, a
        elif b[0] > 0:
            a[0] = b[1]
    return np.sum(a * b)


@case(A4)
def own_copy(v):
    a = v.copy()
    a += v
    a = a + v * v
    a[0] = 2.0
    return np.sum(a * a)


def advanced(state, rate, work):
    work[:] = state
    for i in range(len(state)):
        work[i] *= rate
    return work


@case(A4, 0.8)
def work_buffer_returned(x, r):
    work = np.zeros(4)
    y = x * 1.0
    for k in range(3):
        y = advanced(y, r, work)
        if k == 1:
            y = y * y
    return np.sum(y * x)


@case(A4)
def rows_taken_in_turn(x):
    table = np.zeros((3, 4))
    row = table[0]
    row += x
    for k in range(1, 3):
        nxt = table[k]
        for i in range(4):
            nxt[i] = row[i] * x[i] + row[(i + 1) % 4]
        row = nxt
    return np.sum(row) + np.sum(table * table)


@case(A4, 0.5)
def while_accepts(x, h):
    t = 0.0
    y = np.zeros(4)
    y[:] = x
    n = 0
    while t < 2.0 and n < 40:
        n += 1
        k1 = np.cos(y)
        z = y + h * k1
        e = abs(z[0] - y[0])
        if e < 0.3:
            y = z
            t += h
        else:
            h *= 0.7
            y[1] *= 0.99
    return np.sum(y)


@case(A4)
def list_of_arrays_grows_and_shrinks(x):
    stack = [x * 1.0]
    total = 0.0
    for k in range(6):
        if k % 3 < 2:
            stack.append(np.sin(stack[-1]) * x)
        else:
            top = stack.pop()
            top[0] *= 2.0
            stack[-1] += top
            total += np.sum(top * top)
    return total + np.sum(stack[0] * stack[-1])


@case(A4)
def list_passed_on(x):
    hist = [x * 1.0]
    old = hist
    for k in range(3):
        new = [x * 1.0 * k]
        new.append(old[-1] * x)
        if k == 1:
            old = new
        else:
            old.append(new[0] * 0.5)
    return np.sum(old[-1] * old[0]) + np.sum(hist[-1])


@case(A4)
def early_return_of_one_of_two(x):
    def pick(a, b):
        if a[0] > 0:
            return a
        return b

    a = x * 1.0
    b = x * 2.0
    c = pick(a, b)
    c[1] = x[0] * x[2]
    d = pick(b, a)
    d += c
    return np.sum(a * b) + np.sum(c * c)


@case(1.3)
def product(a):
    for i in range(3):
        if i == 0:
            z = a
        else:
            z = z * a
    return z


@case(A4)
def array_product(x):
    for i in range(3):
        if i == 0:
            z = x * 2.0
        else:
            z = z * x
    return np.sum(z)


@case(A4)
def in_nested(x):
    total = 0.0
    for i in range(3):
        for j in range(2):
            if i == 0 and j == 0:
                m = np.array([[x[0], 1.0], [x[1], x[2]]])
                best = x[0]
            elif x[j] > best:
                best = x[j] * best
            else:
                m = m @ m.T
        total += m[0, 1] * best
    return total + np.sum(m)


@case(A4)
def different_forms(x):
    n = 0
    while n < 3:
        a = np.eye(3) * x[n]
        b = np.outer(x, x)
        c = np.linalg.inv(a + np.eye(3))
        d = np.vstack((x, x * x))
        e = np.diag(x[:2])
        f = b.T
        n += 1
    return np.sum(a @ c) + np.sum(b * f) + np.sum(d) + e[1, 1] * e[0, 0]


@case(A4)
def in_branch_of_loop(x):
    for k in range(4):
        if x[k] > 0.5:
            w = x[: k + 1] * x[k]
            s = x[k] ** 2
    return np.sum(w * w) * s


@case(A4)
def try_until(x):
    for k in range(10):
        y = np.sin(x * k)
        r = np.sum(y)
        if r > 1.0:
            break
    return r * np.sum(y)


@case(A4)
def last_row(x):
    rows = np.outer(x, x * x)
    for row in rows:
        v = row
        for e in v:
            q = e * e
        row[0] = q
    return np.sum(v) * q


IDX = np.array([0, 2, 2])


@case(A4)
def gather_in_nested_loops(v):
    out = np.zeros((2, 3))
    for i in range(2):
        for j in range(3):
            out[i, j] += np.sum(v[IDX]) * v[j]
    return np.sum(out)


@case(A4)
def mask_in_nested_loops(v):
    out = np.zeros((2, 3))
    for i in range(2):
        for j in range(3):
            out[i, j] += np.sum(v[v > 0.0] * v[v > 0.0])
    return np.sum(out)


@case(A4, A4 + 1.0)
def gathers_of_two_arrays_in_nested_loops(v, w):
    out = np.zeros(2)
    for i in range(2):
        s = 0.0
        for j in range(3):
            s += np.dot(v[(IDX + j) % 4], w[IDX])
        out[i] = s
    return np.sum(out * out)


@case(A4)
def history_whose_items_are_replaced(v):
    h = [v * 2.0]
    for k in range(2):
        h.append(np.sin(h[-1]))
        h[k] = h[k] * 0.5
    return np.sum(h[2] * h[1])


@case(A4)
def item_written_that_is_older_than_its_list(b):
    items = [np.tanh(b)]
    for k in range(2):
        items.append(np.tanh(items[-1]))
        items[k][0] = 0.5 * b[1]
    return np.sum(items[0]) + np.sum(items[1] * items[2])


@case(0.3, A4, A4[::-1] * 2.0)
def buffers_swapped_after_a_loop_that_adds(y, a, b):
    for _ in a:
        b += math.tanh(y)
    for item in a:
        a -= math.tanh(item)
        b, a = a, b
    return np.sum(a * a) + np.sum(b * b)


@case(A4, A4 + 0.2)
def array_is_written_after_it_was_popped(a, b):
    items = [np.tanh(b)]
    last = items.pop()
    last[:] = np.tanh(0.5 * (last + a))
    return np.sum(last)


COUPLING = 0.0


@case(A4, A4 + 1.0)
def coupling_is_switched_off(x, y):
    return np.sum(x * y) * COUPLING + np.sum(y * y) + COUPLING * np.sum(np.sin(x))


@case(np.arange(1.0, 10.0).reshape(3, 3))
def added_at_an_index_array_beside_a_number(m):
    m2 = m * 1.0
    m2[IDX, 0] += m[0]
    m2[1, IDX] -= m[2]
    return np.sum(m2 * m2)


@case(1.5)
def list_of_zeros_is_written(x):
    w = [0.0] * 3
    w[1] = x * x
    return w[0] + w[1]


@case(A4)
def largest_of_a_list(x):
    w = [0.0] * len(x)
    for i in range(len(x)):
        w[i] = x[i] * x[0]
    return max(w) - min(w)


@case(0.7, np.array([3.0, -1.0, 2.0]))
def state_rebound_under_a_branch(theta, y):
    a = np.zeros(2)
    a[0] = theta
    for t in range(len(y)):
        if y[t] > 0.0:
            a = a * y[t]
    return a[0]


@case(np.array([1.0, 2.0, 3.0]))
def literal_first_assigned_in_a_loop(x):
    total = 0.0
    for i in range(len(x)):
        gain = np.array([[x[i], 1.0], [0.5, x[i] * x[i]]])
        total += gain[0, 0]
    return total + gain[1, 1] + np.sum(np.outer(x, gain[0]))


@case(np.arange(1.0, 7.0).reshape(2, 3))
def last_row_of_a_slice_is_written(x):
    a = x * 1.5
    v = a[1:]
    last = v[-1]
    last[...] = np.sin(x[0, 0]) * last
    return np.sum(a * a)


@case(A4)
def flipped_view_is_written(x):
    a = x * 1.5
    v = np.flip(a)
    v[1:] *= v[:-1]
    return np.sum(a * a)


WORK = np.array([0.5, -0.3, 0.2])


@case(ARRAY)
def writes_captured_array(x):
    for i in range(3):
        WORK[i] = x[i] * x[i - 1]
    return np.sum(WORK * WORK)


@case(0.22, A4, 2.0 * A4)
def filled_and_then_bound_to_another(x, a, b):
    for _ in range(len(a)):
        a.fill(-0.7)
        a = b
        x += 0.5 * math.tanh(x * a[3])
    return x + np.sum(a * a) + np.sum(b * b)


@case(A4)
def dot_of_vectors_first_assigned_in_an_inner_loop(x):
    total = 0.0
    for k in range(3):
        for _ in range(2):
            w = np.sin(x * (k + 1))
        for _ in range(2):
            total += math.sin(np.dot(w, w)) + np.max(np.outer(w, x))
    return total


@case(A4, 2.0 * A4)
def one_of_two_arrays_after_a_loop(a, b):
    for _ in range(2):
        b = a
    for k in range(1, len(b)):
        b[k] = math.sin(a[k - 1] + b[k])
    return np.sum(b * b) + np.sum(a * a)


@case(A4)
def last_element_under_two_indices(b):
    b[-1] *= math.tanh(b[3])
    return np.sum(b * b)


@case(A4)
def real_part_of_real_numbers_is_the_array(x):
    part = x.real
    x[0] = 2.0 * part[1]
    np.real(x)[2] = part[0] * part[3]
    return np.sum(part * part) + np.sum(x**3)


@case(np.outer(A4, A4) + np.eye(4))
def diagonal_is_kept_while_its_matrix_is_written(a):
    d = np.diag(a).copy()
    a[0, 0] = d[1] * d[2]
    return np.trace(a) * np.sum(d * d)


@case(0.3, A4, 2.0 * A4)
def smallest_of_a_view_of_what_was_just_computed(q, x, y):
    m = np.sin(np.outer(x, y)[:3] + q)
    least = np.min(m[:, -2:], axis=1)
    return least[-1] + np.sum(y[:2])


@case(np.outer(A4, A4) + np.eye(4))
def diagonal_of_a_matrix_that_is_written_between(a):
    total = 0.0
    for k in range(3):
        d = np.diag(a)
        total += np.sum(d * d) + np.diagonal(a, 1).copy()[0]
        a[0, 0] = d[1] * total
        a[k, k + 1] = 0.5 * total
    return total


@case(np.outer(A4, A4) + np.eye(4))
def axes_turned_by_a_formula_show_the_array(a):
    turned = np.einsum("ij->ji", a)
    same = np.sum(a, axis=())
    a[0, 1] = turned[2, 0] * same[1, 1]
    return np.sum(turned[1] * same[0]) + np.sum(turned**2)
