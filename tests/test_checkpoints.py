"""Loops in bounded memory: the same gradients, as few iterations as theory says, bytes in bounds."""

import math
import os
import platform
import random
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from fuzzing import fails, inputs, make
from nest_generator import NestGenerator
from numba import njit
from program_generator import ProgramGenerator

from adcompiler import (
    DifferentiationError,
    checkpointed,
    grad,
    hessian,
    hvp,
    jacobian,
    value_and_grad,
    vjp,
)
from adcompiler.runtime.helpers import next_of_many, thinned
from adcompiler.storage.run_again import iterations_run

HERE = Path(__file__).parent
U = np.linspace(0.1, 1.0, 7) ** 2


def swapped(u0, k, steps):
    u = u0.copy()
    new = np.zeros_like(u)
    for _ in range(steps):
        for i in range(1, len(u) - 1):
            new[i] = u[i] + k * (u[i + 1] - 2.0 * u[i] + u[i - 1]) + 0.01 * np.sin(u[i])
        u, new = new, u
    return np.sum(u * u)


def in_place(u0, k, steps):
    u = u0.copy()
    total = 0.0
    for t in range(steps):
        u[1:-1] = u[1:-1] + k * (u[2:] - 2.0 * u[1:-1] + u[:-2]) + 0.01 * np.sin(u[1:-1])
        total += u[t % 5] * t
    return np.sum(u * u) + total


def functional(u0, k, steps):
    u = u0
    for _ in range(steps):
        u = u + k * (np.roll(u, 1) - 2.0 * u + np.roll(u, -1)) + 0.01 * np.sin(u)
    return np.sum(u * u)


def three_levels(u0, k, steps):
    before, u = u0 * 0.9, u0 * 1.0
    for _ in range(steps):
        after = 2.0 * u - before
        after[1:-1] += k * (u[2:] - 2.0 * u[1:-1] + u[:-2]) * u[1:-1]
        before, u = u, after
    return np.sum(u * before)


def numbers(u0, k, steps):
    y, v = u0[0], u0[1]
    for t in range(steps, 0, -2):
        a = -k * np.sin(y) * t
        if a > 0.0:
            v = v + 0.01 * a
        y = y + 0.01 * v
    return y * y + v


def read_then_overwritten(u0, k, steps):
    w = u0 * 2.0
    y = k
    for t in range(steps):
        y = y * math.exp(-0.1 * w[t % 7]) + 0.1 * np.sum(np.sin(w))
    w[:] = w * w
    return y + np.sum(w)


def left_early(u0, k, steps):
    u = u0.copy()
    for _ in range(steps):
        u = u * np.cos(u) + 0.1 * k
        if np.sum(u) < 0.9:
            break
    return np.sum(u * u) + k


def until_small(u0, k, steps):
    x, n = 1.0 + u0[2], 0
    while abs(x * x - k) > 1e-9 and n < steps:
        x = x - 0.3 * (x * x - k) / (2.0 * x) * np.sum(u0)
        n += 1
    return x * k


def nested(u0, k, steps):
    u = u0.copy()
    history = np.zeros(steps)
    for t in range(steps):
        for _ in range(3):
            u[1:-1] = u[1:-1] + k * (u[2:] - 2.0 * u[1:-1] + u[:-2]) * u[1:-1]
        history[t] = u[2] * u[3]
        for i in range(1, len(u)):
            u[i] = math.tanh(u[i] + 0.1 * u[i - 1])
    return np.sum(history * history) + u[4]


def set_inside(u0, k, steps):
    u, new = u0.copy(), np.empty_like(u0)
    for _ in range(steps):
        smooth = u + k * np.sin(u)
        n = len(u)
        for i in range(n):
            new[(i + 1) % n] = smooth[i] - 0.1 * u[i] * smooth[n - 1 - i]
        u[:] = new
    return np.sum(u * u) + (smooth[2] if steps else 0.0)


def chosen_in_each_step(u0, k, steps):
    u, v = u0.copy(), k * u0
    last = u
    for t in range(steps):
        w = u if t % 2 == 0 else v
        for i in range(1, len(u)):
            w[i] = math.tanh(w[i] + 0.3 * v[i - 1] * u[i - 1])
        last = w
    return np.sum(u * u) + np.sum(v) + last[1]


def two_names_before(u0, k, steps):
    u = u0.copy()
    middle = u[1:-1]
    for _ in range(steps):
        middle[:] = np.sin(middle * k) + 0.1 * u[:-2]
        u[0] = u[0] * 0.9 + u[2] * 0.1
    return np.sum(u * u)


def one_after_the_other(u0, k, steps):
    u = u0.copy()
    for _ in range(steps):
        u[1:] = np.sin(u[1:]) + 0.1 * u[:-1] * k
    total = np.sum(u**3)
    for _ in range(steps):
        u[:-1] = np.cos(u[:-1]) * k + 0.1 * u[1:] * total
    return np.sum(u * u)


def swapped_while(u0, k, steps):
    u, v, t = u0.copy(), np.zeros_like(u0), 0
    while t < steps and np.sum(u) < 50.0:
        for i in range(len(u)):
            v[i] = math.sin(u[i]) + 0.2 * u[i - 1] * k
        u, v = v, u
        t += 1
    return np.sum(u * u)


def inside_a_loop_that_is_replayed(u0, k, steps):
    total = 0.0
    for j in range(3):
        u, n = u0 * (k + j), 0
        while n < steps:
            u += np.tanh(np.abs(u[j] * u) + 0.1)
            n += 1
        total += np.sum(u * u)
    return total


def with_a_history(u0, k, steps):
    u, past = u0.copy(), [k]
    for t in range(steps):
        u[1:-1] = u[1:-1] + past[-1] * (u[2:] - 2.0 * u[1:-1] + u[:-2]) * past[t // 2]
        if u[2] > 0.05:
            past.append(math.sin(u[3] + past[-1]) * 0.3)
        past.append(k * len(past))
    past.append(u[2])
    return np.sum(u * u) * past[len(past) // 2] + sum(past)


def two_lists_in_loops_in_loops(u0, k, steps):
    total, odd, even = 0.0, [u0[0]], [k, u0[1]]
    for t in range(steps):
        for _ in range(2):
            odd.append(math.tanh(even[-1] * odd[t % len(odd)] + u0[t % 7]))
            total += odd[-1] * even[t]
        n = 0
        while n < 2 and total < 9.0:
            even.append(math.sin(sum(odd)) + even[-2])
            n += 1
        even.append(even[len(even) // 2] * 0.5)
    for x in odd:
        even.append(x * even[-1])
    return total + even[-1] + sum(even)


PROGRAMS = [
    with_a_history,
    two_lists_in_loops_in_loops,
    inside_a_loop_that_is_replayed,
    chosen_in_each_step,
    two_names_before,
    one_after_the_other,
    swapped_while,
    set_inside,
    swapped,
    in_place,
    functional,
    three_levels,
    numbers,
    read_then_overwritten,
    left_early,
    until_small,
    nested,
]


@pytest.mark.parametrize("function", PROGRAMS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("slots", [1, 2, 4])
def test_gradients_are_those_without_checkpoints(function, slots):
    derivative = value_and_grad(function, argnums=(0, 1), checkpoints=slots, jit=False)
    plain = value_and_grad(function, argnums=(0, 1), jit=False)
    for steps in (0, 1, 2, 5, 13):
        value, gradients = derivative(U, 0.2, steps)
        expected, wanted = plain(U, 0.2, steps)
        assert value == pytest.approx(expected, rel=1e-12)
        for one, other in zip(gradients, wanted, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-13)
    assert "next_checkpoint" in derivative.source


@pytest.mark.parametrize("function", [swapped, in_place, left_early, nested], ids=lambda f: f.__name__)
def test_compiled(function):
    derivative = value_and_grad(function, argnums=(0, 1), checkpoints=3)
    plain = value_and_grad(function, argnums=(0, 1))
    for steps in (0, 1, 7, 40):
        value, gradients = derivative(U, 0.2, steps)
        expected, wanted = plain(U, 0.2, steps)
        assert value == pytest.approx(expected, rel=1e-12)
        for one, other in zip(gradients, wanted, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("generator", [ProgramGenerator, NestGenerator])
@pytest.mark.parametrize("start", range(0, 32, 8))
def test_random_programs(generator, start):
    for seed in range(start, start + 8):
        rng = random.Random(seed)
        source = generator(rng).program()
        function, args = make(source, f"checkpoints {seed}"), inputs(rng)
        if fails(function, args):
            continue
        wrt = tuple(range(len(args)))
        with np.errstate(all="ignore"):
            expected, wanted = value_and_grad(function, argnums=wrt, jit=False)(*args)
            try:
                run = value_and_grad(function, argnums=wrt, jit=False, checkpoints=1 + seed % 3)
                value, gradients = run(*args)
            except DifferentiationError as error:
                assert error.code == "AD205", f"{error}\n{source}"
                continue
        assert value == pytest.approx(expected, nan_ok=True)
        for one, other in zip(gradients, wanted, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-10, err_msg=source)


# how many iterations are run


def decayed(y, steps):
    for _ in range(steps):
        y = math.exp(-0.5 * y)
    return y


def decayed_while(y, steps):
    t = 0
    while t < steps:
        y = math.exp(-0.5 * y)
        t += 1
    return y


def counted_runs(function, slots, steps):
    """Run the generated text with a counter in place of the exponential."""
    derivative = grad(function, checkpoints=slots, jit=False)
    derivative(0.3, 2)
    calls = []

    def exponential(x):
        calls.append(x)
        return math.exp(x)

    known = {"exponential": exponential}
    text = derivative.source.replace("math.exp(", "exponential(").replace("from numba import njit", "")
    exec("def njit(*args, **options):\n    return args[0] if args else njit\n" + text, known)
    found = known[f"{function.__name__}_grad"](0.3, steps)
    assert found == pytest.approx(grad(function, jit=False)(0.3, steps), rel=1e-12)
    return len(calls)


def fewest(steps, slots):
    """The fewest iterations by dynamic programming, after Griewank and Walther."""
    costs = {(n, 1): n * (n - 1) // 2 for n in range(1, steps + 1)}
    for s in range(2, slots + 1):
        costs[1, s] = 0
        for n in range(2, steps + 1):
            costs[n, s] = min(m + costs[m, s] + costs[n - m, s - 1] for m in range(1, n))
    return costs[steps, slots] + steps


@pytest.mark.parametrize("slots", [1, 2, 3, 5, 10])
@pytest.mark.parametrize("steps", [1, 2, 3, 7, 10, 33, 60])
def test_as_few_iterations_as_possible(steps, slots):
    assert counted_runs(decayed, slots, steps) == iterations_run(steps, slots) == fewest(steps, slots)


def test_a_thousand_iterations_with_ten_slots():
    assert counted_runs(decayed, 10, 1000) == 4636


@pytest.mark.parametrize("slots", [1, 2, 3, 10, 40])
def test_schedules_of_another_package(slots):
    schedules = pytest.importorskip("checkpoint_schedules")
    for steps in (1, 4, 57, 200):
        runs = 0
        for action in schedules.Revolve(steps, min(slots, steps)):
            if type(action).__name__ == "Forward":
                runs += action.n1 - action.n0
            if type(action).__name__ == "EndReverse":
                break
        assert iterations_run(steps, slots) == runs


def again(steps, slots):
    """How many iterations are run again to reverse some from the first state, the last one included."""
    return iterations_run(steps, slots) if steps else 0


def runs_of_unknown_length(most, slots):
    """How many iterations are run in all if a loop turns out to have 1, 2, ... iterations."""
    places, order, kept, due = np.zeros(slots, np.int64), np.arange(slots), 0, 0
    for k in range(most):
        if k == due:
            kept = thinned(places, order, kept, k)
            places[kept], kept = k, kept + 1
            due = next_of_many(places, kept)
            assert sorted(order) == list(range(slots))
        lengths = np.diff([*places[:kept], k])  # the last iteration is not run again
        yield k + 1 + sum(again(length, slots - j) for j, length in enumerate(lengths))


@pytest.mark.parametrize("slots", [1, 2, 3, 5, 10, 40])
def test_loops_of_unknown_length_are_run_as_often_as_their_states_say(slots):
    counts = [*runs_of_unknown_length(200, slots)]
    for steps in (1, 2, 10, 57, 200):
        assert counted_runs(decayed_while, slots, steps) == counts[steps - 1]


@pytest.mark.parametrize(
    ("slots", "most", "usual"),
    [
        (1, 1.0, 1.0),
        (2, 1.172, 1.02),
        (3, 1.104, 1.03),
        (5, 1.072, 1.015),
        (10, 1.042, 1.01),
        (40, 1.024, 1.005),
    ],
)
def test_loops_of_unknown_length_run_little_more(slots, most, usual):
    """Against the fewest that are possible where the length is known; as many while no state gives way."""
    counts = [*runs_of_unknown_length(1000, slots)]
    ratios = [count / iterations_run(steps + 1, slots) for steps, count in enumerate(counts)]
    assert min(ratios) == 1.0 and max(ratios) <= most and np.mean(ratios) <= usual
    assert ratios[: slots + 1] == [1.0] * (slots + 1)


def test_as_many_slots_as_there_may_be():
    """What is decided when slots are full takes a few steps for each state, however many there are."""
    places, order = np.arange(4096), np.arange(4096)
    kept = thinned(places, order, 4096, 4096)
    assert 4096 - 4096 // 16 <= kept < 4096 - 100
    assert sorted(order) == list(range(4096)) and np.all(np.diff(places[:kept]) > 0)
    assert np.all(places[:kept] == order[:kept])


# memory


def traced_peak(derivative, args):
    """The peak in bytes of one call, its results included."""
    derivative(*args)
    tracemalloc.start()
    try:
        derivative(*args)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("function", [swapped, in_place, three_levels], ids=lambda f: f.__name__)
def test_memory_holds(function):
    args = np.linspace(0.0, 1.0, 150) ** 2, 0.1, 60
    plain = grad(function, argnums=(0, 1), jit=False)
    assert traced_peak(plain, args) > 70_000
    for memory in (45_000, 60_000):
        derivative = grad(function, argnums=(0, 1), memory=memory, jit=False)
        assert traced_peak(derivative, args) <= memory + 2000  # what Python has around each array
        np.testing.assert_allclose(derivative(*args)[0], plain(*args)[0], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("workspace", "limit"), [(True, "0"), (False, "256"), (False, "0")])
def test_pages_of_tapes_are_not_found_again_one_by_one(workspace, limit):
    """The second call finds the pages that the first one had, or large ones, of which there are few."""
    text = f"""
import resource, sys
import numpy as np
from adcompiler import grad
from test_checkpoints import swapped
derivative = grad(swapped, workspace={workspace})
args = np.linspace(0.0, 1.0, 4000), 0.1, 1000
derivative(*args)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
derivative(*args)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
    keeps = workspace or limit != "0"
    if keeps and platform.libc_ver()[0] != "glibc":
        pytest.skip("only the C library of GNU can be told to")
    switch = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    if not keeps and (not switch.exists() or "[never]" in switch.read_text()):
        pytest.skip("there are no large pages")
    command, surroundings = [sys.executable, "-c", text], {**os.environ, "ADCOMPILER_WORKSPACE_MB": limit}
    done = subprocess.run(command, cwd=HERE, env=surroundings, capture_output=True, text=True, check=True)
    pages = 8 * 4000 * 1000 // 4096
    assert int(done.stdout) < pages // (20 if keeps else 2)  # there may be few large pages left


def test_too_little_memory_for_one_state():
    with pytest.raises(MemoryError, match="leaves no room"):
        grad(swapped, memory="2kB", jit=False)(np.zeros(1000), 0.1, 10)


def damped_below_zero(x, rate, steps):
    v = x.copy()
    total = 0.0
    for _ in range(steps):
        v -= rate * v
        total += np.sum(v**2)
        v[:] = np.where(v > 0, v, 0.5 * v)
    return total


def test_masks_take_memory_too():
    args = (np.array([1.0, -2.0, 0.5]), 0.3, 6)
    want = grad(damped_below_zero, argnums=(0, 1), jit=False)(*args)
    found = grad(damped_below_zero, argnums=(0, 1), jit=False, memory="2kB")(*args)
    assert np.allclose(found[0], want[0]) and np.isclose(found[1], want[1])


# one loop, other derivatives, results beside the gradient


def marked(u0, k, steps):
    u = u0.copy()
    for _ in checkpointed(range(2, steps), slots=4):
        for _ in range(3):
            u[1:-1] = u[1:-1] + k * (u[2:] - 2.0 * u[1:-1] + u[:-2]) * u[1:-1]
    for j, x in checkpointed(enumerate(u), 2):
        k = k * math.sin(x) + j
    return np.sum(u * u) + k


def unmarked(u0, k, steps):
    u = u0.copy()
    for _ in range(2, steps):
        for _ in range(3):
            u[1:-1] = u[1:-1] + k * (u[2:] - 2.0 * u[1:-1] + u[:-2]) * u[1:-1]
    for j, x in enumerate(u):
        k = k * math.sin(x) + j
    return np.sum(u * u) + k


def test_one_loop():
    derivative = grad(marked, argnums=(0, 1), jit=False)
    for one, other in zip(
        derivative(U, 0.2, 9), grad(unmarked, argnums=(0, 1), jit=False)(U, 0.2, 9), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-10)
    assert "keeps the states of 4 iterations at most" in derivative.explain()
    assert marked(U, 0.2, 9) == unmarked(U, 0.2, 9)


def test_marks_mean_nothing_to_numba():
    @njit
    def summed(u, n):
        total = 0.0
        for k in checkpointed(range(n), slots=3):
            for x in checkpointed(u, 2):
                total += k * x
        return total

    assert summed(U, 3) == pytest.approx(3.0 * np.sum(U))


def test_other_derivatives():
    direction = np.cos(U)
    expected = hessian(in_place, jit=False)(U, 0.2, 6)
    np.testing.assert_allclose(hessian(in_place, checkpoints=2, jit=False)(U, 0.2, 6), expected, rtol=1e-9)
    np.testing.assert_allclose(
        hvp(in_place, checkpoints=2, jit=False)(U, 0.2, 6, direction), expected @ direction, rtol=1e-9
    )
    gradient = grad(in_place, checkpoints=2, jit=False)
    np.testing.assert_allclose(jacobian(gradient, jit=False)(U, 0.2, 6), expected, rtol=1e-9)

    def beside(u0, k):
        return np.sum(gradient(u0, k, 6) ** 2)

    wanted = 2.0 * expected @ gradient(U, 0.2, 6)
    np.testing.assert_allclose(grad(beside, jit=False)(U, 0.2), wanted, rtol=1e-9)


def test_results_beside_the_gradient_are_those_of_the_function():
    def pair(u0, k, steps):
        u = u0.copy()
        for _ in range(steps):
            u[1:-1] = u[1:-1] + k * (u[2:] - 2.0 * u[1:-1] + u[:-2]) * u[1:-1]
        return np.sum(u * u), u

    def marked_pair(u0, k, steps):
        u = u0.copy()
        for _ in checkpointed(range(steps), 2):
            u[1:-1] = u[1:-1] + k * (u[2:] - 2.0 * u[1:-1] + u[:-2]) * u[1:-1]
        return np.sum(u * u), u

    expected = pair(U, 0.2, 9)[1]
    _, state = grad(pair, has_aux=True, checkpoints=2, jit=False)(U, 0.2, 9)
    np.testing.assert_array_equal(state, expected)
    np.testing.assert_array_equal(grad(marked_pair, has_aux=True, jit=False)(U, 0.2, 9)[1], expected)


@pytest.mark.parametrize("jit", [False, True])
def test_lists_beside_the_gradient_are_those_of_the_function(jit):
    def pair(x, n):
        items = [x]
        for _ in checkpointed(range(n), 2):
            own = [items[-1], x]
            own.append(math.sin(own[0]))
            items.append(own[-1] * own[1])
        return items[-1], items

    derivative = grad(pair, has_aux=True, jit=jit)
    for n in (0, 1, 6):
        d, items = derivative(0.5, n)
        assert items == pair(0.5, n)[1]
        assert d == pytest.approx((pair(0.5 + 1e-6, n)[0] - pair(0.5 - 1e-6, n)[0]) / 2e-6, rel=1e-6)


def test_pullbacks():
    def trajectory(u0, k):
        u = u0.copy()
        out = np.zeros(9)
        for t in checkpointed(range(9), slots=2):
            u[1:-1] = u[1:-1] + k * (u[2:] - 2.0 * u[1:-1] + u[:-2]) * u[1:-1]
            out[t] = u[2] * u[3]
        return out

    out, pull = vjp(trajectory, U, 0.2)
    np.testing.assert_array_equal(out, trajectory(U, 0.2))
    d_u, d_k = pull(np.ones(9))
    d = 1e-6
    assert d_k == pytest.approx(
        (np.sum(trajectory(U, 0.2 + d)) - np.sum(trajectory(U, 0.2 - d))) / (2 * d), rel=1e-6
    )
    assert d_u.shape == U.shape


# what is refused


def refusal(function, *args, **options):
    with pytest.raises(DifferentiationError) as info:
        grad(function, jit=False, **options)(*args)
    return str(info.value)


def updated_and_named(m, v, n):
    u = v.copy()
    for _ in range(n):
        u /= m
        last = u
    return last[0] * v[1]


def rows_named(m, v, n):
    a = np.outer(v, v)
    for t in range(n):
        row = a[t % 3]
        row *= m
        last = row
    return last[0] + last[1] * a[0, 1]


def swapped_and_named(m, v, n):
    a, b = v.copy(), v * v
    for _ in range(n):
        a, b = b, a
        a += m * b
        now = a
        before = b
    return np.sum(now * before) + now[0]


def made_anew(m, v, n):
    a = np.outer(v, v)
    for _ in range(n):
        a = np.outer(v, v * m)
    return np.sum(a) + a[0, 1]


def named_anew_and_written(m, v, n):
    b, w, total = np.ones(len(v)), v * m, 0.0
    for _ in range(n):
        total += w[1] * v[0]
        w = b
    b[1] = v[2]
    return total + w[2] * v[1] + np.sum(b * b)


@pytest.mark.parametrize(
    "function", [updated_and_named, rows_named, swapped_and_named, made_anew, named_anew_and_written]
)
def test_names_that_a_loop_gives_for_what_follows(function):
    args = 1.2, np.array([0.9, 1.1, 0.7]), 6
    value, (d_m, d_v) = value_and_grad(function, argnums=(0, 1), jit=False)(*args)
    again, (d_m_again, d_v_again) = value_and_grad(function, argnums=(0, 1), jit=False, memory="2kB")(*args)
    assert again == pytest.approx(value)
    assert d_m_again == pytest.approx(d_m)
    np.testing.assert_allclose(d_v_again, d_v)


def test_states_that_cannot_be_kept_are_refused():
    def shrinks(x, n):
        items = [x] * (n + 1)
        for _ in checkpointed(range(n), 2):
            x = math.sin(items.pop() * x)
        return x

    def may_have_two_names(x, n):
        one, two = [x], [x, x]
        items = one if n > 2 else two
        for _ in checkpointed(range(n), 2):
            items.append(math.sin(items[-1] * one[0]))
        return items[-1] + two[-1]

    def draws(x, n):
        for _ in range(n):
            x = math.sin(x) + np.random.random()
        return x

    def searches(x, n):
        row, places = x * 1.0, [2 * k for k in range(n)]
        for k in range(n):
            row[places.index(2 * k)] += np.prod(row)
        return np.sum(row)

    def has_two_names(x, n):
        u = np.zeros(4)
        v = u[1:]
        for t in range(n):
            v = v if t < 2 else u[:3]
            v[:] = v * x + np.sin(v)
        return np.sum(u) + x

    def changes_its_size(u, n):
        last = u
        for t in range(n):
            last = np.sin(u[: 1 + (n - t) % 4])
            u = u * np.cos(u) + 0.1 * np.sum(last)
        return np.sum(u * u) + np.sum(last)

    def turns_round(x, n):
        a = np.zeros(len(x))
        for _ in range(n):
            a += x
            a = a[::-1]
        return np.sum(a * x)

    def turns_a_copy_round(x, n):
        a = np.zeros(len(x))
        for _ in range(n):
            a += x
            a = a[::-1].copy()
        return np.sum(a * x)

    assert "copy what 'a' becomes in the loop" in refusal(turns_round, U, 4, checkpoints=2)
    expected = grad(turns_a_copy_round, jit=False)(U, 4)
    assert grad(turns_a_copy_round, checkpoints=2, jit=False)(U, 4) == pytest.approx(expected)
    assert "the size of 'last'" in refusal(changes_its_size, U, 4, checkpoints=2)
    assert "only appends to the list" in refusal(shrinks, 0.5, 4)
    assert "several names: 'items'" in refusal(may_have_two_names, 0.5, 4)
    assert "draw the numbers before the loop" in refusal(draws, 0.5, 4, checkpoints=2)
    assert "call it before the loop" in refusal(searches, U, 4, checkpoints=2)
    assert "[AD205]" in refusal(has_two_names, 0.5, 4, checkpoints=2)


@pytest.mark.parametrize(
    "options", [{"checkpoints": 0}, {"checkpoints": 2, "memory": "1MB"}, {"memory": "lots"}, {"memory": -1}]
)
def test_options_that_mean_nothing(options):
    with pytest.raises(DifferentiationError, match="AD305"):
        grad(in_place, **options)


def test_where_the_mark_stands():
    def inside(x, u):
        for k, item in enumerate(checkpointed(u, 2)):
            x = math.sin(x * item) + k
        return x

    def variable(x, n):
        for _ in checkpointed(range(n), n):
            x = math.sin(x)
        return x

    assert "around all that a loop goes over" in refusal(inside, 0.5, U)
    assert "no constant" in refusal(variable, 0.5, 3)
