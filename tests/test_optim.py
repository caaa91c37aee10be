"""Optimizers: step by step equal to recurrences in plain NumPy, to torch and to optax; schedules."""

import math
import os
import re
import runpy
import subprocess
import sys
from collections import namedtuple
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numba import njit
from numba.core.errors import TypingError

from adcompiler import DifferentiationError, optim, value_and_grad

STEPS = 12
Params = namedtuple("Params", "w b inner")


def sgd_reference(p, g, memory, t, rate, momentum=0.0, nesterov=False, weight_decay=0.0):
    g = g + weight_decay * p
    memory["v"] = momentum * memory.get("v", 0.0) + g
    return p - rate * (g + momentum * memory["v"] if nesterov else memory["v"])


def adamw_reference(p, g, memory, t, rate, b1=0.9, b2=0.999, eps=1e-8, weight_decay=1e-2):
    memory["m"] = b1 * memory.get("m", 0.0) + (1 - b1) * g
    memory["v"] = b2 * memory.get("v", 0.0) + (1 - b2) * g**2
    mean, square = memory["m"] / (1 - b1**t), memory["v"] / (1 - b2**t)
    return (1 - rate * weight_decay) * p - rate * mean / (np.sqrt(square) + eps)


def adam_reference(p, g, memory, t, rate, **options):
    return adamw_reference(p, g, memory, t, rate, **options, weight_decay=0.0)


def rmsprop_reference(p, g, memory, t, rate, decay=0.99, eps=1e-8):
    memory["v"] = decay * memory.get("v", 0.0) + (1 - decay) * g**2
    return p - rate * g / (np.sqrt(memory["v"]) + eps)


def lion_reference(p, g, memory, t, rate, b1=0.9, b2=0.99, weight_decay=1e-3):
    old = memory.get("m", 0.0)
    memory["m"] = b2 * old + (1 - b2) * g
    return p - rate * np.sign(b1 * old + (1 - b1) * g) - rate * weight_decay * p


CASES = {
    "sgd": (optim.sgd, optim.sgd_init, sgd_reference, {}),
    "momentum": (optim.sgd, optim.sgd_init, sgd_reference, {"momentum": 0.9, "weight_decay": 0.1}),
    "nesterov": (optim.sgd, optim.sgd_init, sgd_reference, {"momentum": 0.8, "nesterov": True}),
    "adam": (optim.adam, optim.adam_init, adam_reference, {"b1": 0.8, "b2": 0.95, "eps": 1e-3}),
    "adamw": (optim.adamw, optim.adam_init, adamw_reference, {"weight_decay": 0.2}),
    "rmsprop": (optim.rmsprop, optim.rmsprop_init, rmsprop_reference, {"decay": 0.9, "eps": 1e-4}),
    "lion": (optim.lion, optim.lion_init, lion_reference, {"weight_decay": 0.3}),
}


def start():
    rng = np.random.default_rng(3)
    return Params(rng.normal(size=(3, 4)), 0.7, (rng.normal(size=5), rng.normal(size=(4, 2)).T))


def slopes(params):
    """Gradients that depend on the parameters, one of them always zero."""
    first = np.cos(3.0 * params.w)
    first[0, 0] = 0.0
    inner = (params.inner[0] ** 3, np.sin(params.inner[1]))
    return Params(first, 2.0 * params.b - 1.0, inner)


def flattened(params):
    return [params.w, params.b, params.inner[0], params.inner[1]]


def by_reference(name, steps=STEPS):
    _, _, reference, options = CASES[name]
    leaves, memories = [np.array(leaf) for leaf in flattened(start())], [{}, {}, {}, {}]
    for t in range(1, steps + 1):
        found = flattened(slopes(Params(*leaves[:2], tuple(leaves[2:]))))
        rate = 0.1 / t
        leaves = [reference(p, g, m, t, rate, **options) for p, g, m in zip(leaves, found, memories)]
    return leaves


@pytest.mark.parametrize("name", CASES)
def test_steps_from_python(name):
    step, init, _, options = CASES[name]
    params = start()
    first = params.w
    state = init(params)
    for t in range(1, STEPS + 1):
        params, state = step(params, slopes(params), state, 0.1 / t, **options)
    assert params.w is first
    assert type(params.b) is float
    for found, wanted in zip(flattened(params), by_reference(name)):
        np.testing.assert_allclose(found, wanted, rtol=1e-13, atol=1e-15)


compiled_slopes = njit(slopes)


@njit
def all_compiled(a, b, c, d, e, f, g, steps):
    s, m, n = optim.sgd_init(a), optim.sgd_init(b), optim.sgd_init(c)
    ad, aw, r, li = optim.adam_init(d), optim.adam_init(e), optim.rmsprop_init(f), optim.lion_init(g)
    for t in range(1, steps + 1):
        rate = 0.1 / t
        a, s = optim.sgd(a, compiled_slopes(a), s, rate)
        b, m = optim.sgd(b, compiled_slopes(b), m, rate, momentum=0.9, weight_decay=0.1)
        c, n = optim.sgd(c, compiled_slopes(c), n, rate, momentum=0.8, nesterov=True)
        d, ad = optim.adam(d, compiled_slopes(d), ad, rate, b1=0.8, b2=0.95, eps=1e-3)
        e, aw = optim.adamw(e, compiled_slopes(e), aw, rate, weight_decay=0.2)
        f, r = optim.rmsprop(f, compiled_slopes(f), r, rate, decay=0.9, eps=1e-4)
        g, li = optim.lion(g, compiled_slopes(g), li, rate, weight_decay=0.3)
    return a, b, c, d, e, f, g


def test_steps_in_compiled_code():
    for name, params in zip(CASES, all_compiled(*(start() for _ in CASES), STEPS)):
        for found, wanted in zip(flattened(params), by_reference(name)):
            np.testing.assert_allclose(found, wanted, rtol=1e-13, atol=1e-15, err_msg=name)


TORCH = {
    "sgd": ("SGD", {}),
    "momentum": ("SGD", {"momentum": 0.9, "weight_decay": 0.1}),
    "nesterov": ("SGD", {"momentum": 0.8, "nesterov": True}),
    "adam": ("Adam", {"betas": (0.8, 0.95), "eps": 1e-3}),
    "adamw": ("AdamW", {"weight_decay": 0.2}),
    "rmsprop": ("RMSprop", {"alpha": 0.9, "eps": 1e-4}),
}


@pytest.mark.parametrize("name", TORCH)
@pytest.mark.filterwarnings("ignore")
def test_steps_of_torch(name):
    torch = pytest.importorskip("torch")
    leaves = [torch.tensor(np.array(leaf), requires_grad=True) for leaf in flattened(start())]
    kind, options = TORCH[name]
    optimizer = getattr(torch.optim, kind)(leaves, lr=0.1, **options)
    for t in range(1, STEPS + 1):
        values = [leaf.detach().numpy() for leaf in leaves]
        for leaf, g in zip(leaves, flattened(slopes(Params(*values[:2], tuple(values[2:]))))):
            leaf.grad = torch.tensor(np.array(g))
        optimizer.param_groups[0]["lr"] = 0.1 / t
        optimizer.step()
    for found, wanted in zip(leaves, by_reference(name)):
        np.testing.assert_allclose(found.detach().numpy(), wanted, rtol=1e-12, atol=1e-14)


OPTAX = {
    "sgd": ("sgd", {}),
    "nesterov": ("sgd", {"momentum": 0.8, "nesterov": True}),
    "adam": ("adam", {"b1": 0.8, "b2": 0.95, "eps": 1e-3}),
    "adamw": ("adamw", {"weight_decay": 0.2}),
    "rmsprop": ("rmsprop", {"decay": 0.9, "eps": 1e-4, "eps_in_sqrt": False}),
    "lion": ("lion", {"weight_decay": 0.3}),
}


@pytest.mark.parametrize("name", OPTAX)
@pytest.mark.filterwarnings("ignore")
def test_steps_of_optax(name):
    optax = pytest.importorskip("optax")
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        kind, options = OPTAX[name]
        optimizer = getattr(optax, kind)(lambda count: 0.1 / (count + 1.0), **options)
        leaves = [jax.numpy.asarray(leaf) for leaf in flattened(start())]
        state = optimizer.init(leaves)
        for _ in range(STEPS):
            values = [np.array(leaf) for leaf in leaves]
            grads = flattened(slopes(Params(*values[:2], tuple(values[2:]))))
            updates, state = optimizer.update([jax.numpy.asarray(g) for g in grads], state, leaves)
            leaves = optax.apply_updates(leaves, updates)
        for found, wanted in zip(leaves, by_reference(name)):
            np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-14)


SCHEDULES = [
    ("linear_schedule", (0.1, 0.9, 7)),
    ("exponential_decay", (0.5, 0.3, 7)),
    ("cosine_decay", (0.5, 9)),
    ("cosine_decay", (0.5, 9, 0.2)),
    ("warmup_cosine_decay", (0.5, 4, 13, 0.1)),
    ("step_decay", (0.5, 0.3, 5)),
    ("constant_schedule", (0.5,)),
]


def schedule_reference(name, count, args):
    match name, args:
        case "linear_schedule", (first, last, steps):
            return np.interp(count, [0, steps], [first, last])
        case "exponential_decay", (first, rate, steps):
            return first * math.exp(math.log(rate) * count / steps)
        case "cosine_decay", (first, steps, *alpha):
            low = first * (alpha[0] if alpha else 0.0)
            return low + (first - low) * math.cos(0.5 * math.pi * min(count / steps, 1.0)) ** 2
        case "warmup_cosine_decay", (peak, warm, steps, last):
            if count < warm:
                return np.interp(count, [0, warm], [0.0, peak])
            part = min((count - warm) / (steps - warm), 1.0)
            return last + (peak - last) * math.cos(0.5 * math.pi * part) ** 2
        case "step_decay", (first, rate, size):
            return first * math.prod([rate] * sum(1 for k in range(1, count + 1) if k % size == 0))
    return args[0]


@pytest.mark.parametrize(("name", "args"), SCHEDULES)
def test_schedules(name, args):
    schedule = getattr(optim, name)
    compiled = njit(lambda count: schedule(count, *args))
    for count in range(20):
        assert schedule(count, *args) == pytest.approx(schedule_reference(name, count, args), rel=1e-13)
        assert compiled(count) == pytest.approx(schedule(count, *args), rel=1e-14)


@pytest.mark.filterwarnings("ignore")
def test_schedules_of_optax():
    optax = pytest.importorskip("optax")
    others = {
        "linear_schedule": optax.linear_schedule(0.1, 0.9, 7),
        "exponential_decay": optax.exponential_decay(0.5, 7, 0.3),
        "cosine_decay": optax.cosine_decay_schedule(0.5, 9, 0.2),
        "warmup_cosine_decay": optax.warmup_cosine_decay_schedule(0.0, 0.5, 4, 13, 0.1),
        "step_decay": optax.exponential_decay(0.5, 5, 0.3, staircase=True),
    }
    for name, args in SCHEDULES:
        if name in others and args != (0.5, 9):
            for count in range(20):
                found = getattr(optim, name)(count, *args)
                assert found == pytest.approx(float(others[name](count)), rel=1e-5, abs=1e-7)


@njit
def clipped(grads, norm):
    return optim.clip_by_global_norm(grads, norm), optim.global_norm(grads)


@pytest.mark.parametrize("clip", [optim.clip_by_global_norm, lambda g, n: clipped(g, n)[0]])
def test_clipping(clip):
    grads = start()
    before = np.concatenate([np.ravel(leaf) for leaf in flattened(grads)])
    norm = np.linalg.norm(before)
    assert optim.global_norm(grads) == pytest.approx(norm, rel=1e-14)
    found = clip(grads, 2.0 * norm)
    assert found.w is grads.w or np.shares_memory(found.w, grads.w)
    np.testing.assert_array_equal(np.concatenate([np.ravel(leaf) for leaf in flattened(found)]), before)
    found = clip(grads, 0.5 * norm)
    after = np.concatenate([np.ravel(leaf) for leaf in flattened(found)])
    np.testing.assert_allclose(after, 0.5 * before, rtol=1e-14)
    zero = (np.zeros(3), 0.0)
    np.testing.assert_array_equal(clip(zero, 0.0)[0], np.zeros(3))
    assert np.isnan(clip((np.ones(2), math.nan), 1.0)[0]).all()


def test_averages():
    @njit
    def averaged(params, steps):
        average = optim.ema_init(params)
        for k in range(steps):
            params[0][:] = params[0] + 1.0
            average = optim.ema(average, (params[0], 2.0 * k), 0.9)
        return average

    vector, number = np.array([1.0, 2.0]), 5.0
    found = averaged((vector.copy(), number), 6)
    average, moving = optim.ema_init({"v": vector, "n": number}), vector.copy()
    for k in range(6):
        moving += 1.0
        average = optim.ema(average, {"n": 2.0 * k, "v": moving}, 0.9)
        vector, number = 0.9 * vector + 0.1 * moving, 0.9 * number + 0.1 * 2.0 * k
    np.testing.assert_allclose(found[0], vector, rtol=1e-14)
    assert found[1] == pytest.approx(number, rel=1e-14)
    np.testing.assert_allclose(average["v"], vector, rtol=1e-14)
    assert average["n"] == pytest.approx(number, rel=1e-14)


@value_and_grad
def valley(params, bend):
    """A chained Rosenbrock function over all parameters; the integer has no gradient."""
    w, b, n = params
    x = np.concatenate((w.ravel(), np.array([b])))
    return np.sum((1.0 - x[:-1]) ** 2 + bend * (x[1:] - x[:-1] ** n) ** 2)


def valley_start():
    return (np.array([[-1.2, 1.0, 0.5], [0.3, -0.7, 1.5]]).T, 0.2, 2)


def valley_gradient(params):
    return np.concatenate([np.ravel(g) for g in valley(params, 10.0)[1][:2]])


@njit
def descended(params, steps):
    state = optim.lbfgs_init(params, valley, (10.0,), memory=5)
    done = 0
    while state.norm > 1e-9 and done < steps:
        params, state = optim.lbfgs(params, valley, state, (10.0,))
        done += 1
    return params, state, done


def test_lbfgs_reaches_the_minimum_from_python_and_compiled():
    found, state, steps = descended(valley_start(), 200)
    assert steps < 80
    np.testing.assert_allclose(found[0], 1.0, rtol=1e-8)
    assert (found[1], found[2]) == (pytest.approx(1.0, rel=1e-8), 2)
    params = valley_start()
    vector, state = params[0], optim.lbfgs_init(params, valley, (10.0,), memory=5)
    for _ in range(steps):
        params, state = optim.lbfgs(params, valley, state, (10.0,))
    assert params[0] is vector and type(params[1]) is float
    np.testing.assert_allclose(params[0], found[0], rtol=1e-9)


def dense_direction(gradient, pairs):
    """Minus the inverse Hessian of BFGS, updated pair by pair from a multiple of the identity, times g."""
    identity = np.eye(len(gradient))
    inverse = identity
    for k, (s, y) in enumerate(pairs):
        if k == 0:
            inverse = identity * (pairs[-1][0] @ pairs[-1][1]) / (pairs[-1][1] @ pairs[-1][1])
        left = identity - np.outer(s, y) / (s @ y)
        inverse = left @ inverse @ left.T + np.outer(s, s) / (s @ y)
    return -inverse @ gradient


def steps_of_lbfgs(count, memory):
    """Yield points and gradients before and after each step."""
    params = valley_start()
    state = optim.lbfgs_init(params, valley, (10.0,), memory)
    for _ in range(count):
        before = np.append(np.ravel(params[0]), params[1]), valley_gradient(params), state.value
        params, state = optim.lbfgs(params, valley, state, (10.0,))
        yield before, (np.append(np.ravel(params[0]), params[1]), valley_gradient(params), state.value)


def test_lbfgs_steps_are_those_of_its_formula_and_meet_the_wolfe_conditions():
    pairs = []
    for (x, g, value), (x_next, g_next, value_next) in steps_of_lbfgs(25, 4):
        direction = dense_direction(g, pairs[-4:])
        step = (x_next - x) @ direction / (direction @ direction)
        np.testing.assert_allclose(x_next - x, step * direction, rtol=1e-6, atol=1e-12)
        assert value_next <= value + 1e-4 * step * (g @ direction)
        assert abs(g_next @ direction) <= 0.9 * abs(g @ direction)
        pairs.append((x_next - x, g_next - g))


@pytest.mark.filterwarnings("ignore")
def test_lbfgs_goes_where_optax_goes():
    optax = pytest.importorskip("optax")
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        turned = optax.scale_by_lbfgs(memory_size=4)
        state = turned.init(jax.numpy.zeros(7))
        for (x, g, _), (x_next, _, _) in steps_of_lbfgs(25, 4):
            update, state = turned.update(jax.numpy.asarray(g), state, jax.numpy.asarray(x))
            direction = -np.asarray(update)
            cosine = direction @ (x_next - x) / np.linalg.norm(direction) / np.linalg.norm(x_next - x)
            assert cosine == pytest.approx(1.0, abs=1e-9)


@pytest.mark.filterwarnings("ignore")
def test_steps_of_lbfgs_in_torch():
    torch = pytest.importorskip("torch")
    x = torch.tensor(np.append(np.ravel(valley_start()[0]), valley_start()[1]), requires_grad=True)
    options = {"max_eval": 30, "history_size": 4, "tolerance_grad": 0.0, "tolerance_change": 0.0}
    optimizer = torch.optim.LBFGS([x], max_iter=1, line_search_fn="strong_wolfe", **options)

    def closure():
        optimizer.zero_grad()
        value = ((1.0 - x[:-1]) ** 2 + 10.0 * (x[1:] - x[:-1] ** 2) ** 2).sum()
        value.backward()
        return value

    for _, (wanted, _, _) in steps_of_lbfgs(35, 4):
        optimizer.step(closure)
        np.testing.assert_allclose(x.detach().numpy(), wanted, rtol=1e-8, atol=1e-8)


def test_lbfgs_where_a_step_leaves_the_domain_and_where_nothing_falls():
    """A first step that is too long meets a logarithm of a negative number; at the minimum all stays."""
    barrier = value_and_grad(lambda x: x[0] - math.log(x[0]) + 50.0 * x[1] * x[1])
    x = np.array([30.0, 1.0])
    state = optim.lbfgs_init(x, barrier)
    for _ in range(60):
        x, state = optim.lbfgs(x, barrier, state)
    np.testing.assert_allclose(x, [1.0, 0.0], atol=1e-7)
    flat = value_and_grad(lambda x: 0.0 * x)
    assert optim.lbfgs(2.0, flat, optim.lbfgs_init(2.0, flat))[0] == 2.0


def test_lbfgs_over_a_dictionary_in_single_precision():
    params = {"w": np.full(3, 2.0, np.float32), "b": 1.0, "name": "layer"}
    loss = value_and_grad(lambda p: np.sum((p["w"] - 1.0) ** 2) + (p["b"] + p["w"][0]) ** 2)
    state = optim.lbfgs_init(params, loss)
    for _ in range(30):
        params, state = optim.lbfgs(params, loss, state)
    assert params["w"].dtype == np.float32 and params["name"] == "layer"
    np.testing.assert_allclose(params["w"], 1.0, atol=1e-3)
    assert params["b"] == pytest.approx(-1.0, abs=1e-3)


@dataclass
class Layer:
    w: np.ndarray
    b: float
    size: int


@pytest.mark.parametrize(
    "params",
    [
        {"w": np.ones(3), "b": 2.0, "size": 3},
        [np.ones(3), 2.0, 3],
        Layer(np.ones(3), 2.0, 3),
        (np.ones(3), 2.0, 3),
    ],
    ids=["dict", "list", "dataclass", "tuple"],
)
def test_structures_and_what_has_no_gradient(params):
    """The gradient of an integer is None, so it stays."""

    slope = params_slope(params)
    stepped, _ = optim.adam(params, slope, optim.adam_init(params), 0.1)
    assert type(stepped) is type(params)
    w, b, size = parts(stepped)
    np.testing.assert_allclose(w, 1.1, rtol=1e-7)
    assert (b, size) == (pytest.approx(1.9), 3)


def parts(p):
    return [*p.values()] if isinstance(p, dict) else [p.w, p.b, p.size] if isinstance(p, Layer) else [*p]


def params_slope(params):
    found = [-np.ones(3), 4.0, None]
    if isinstance(params, dict):
        return dict(zip(params, found))
    return Layer(*found) if isinstance(params, Layer) else type(params)(found)


def test_refusals():
    with pytest.raises(DifferentiationError, match="AD305"):
        optim.sgd((1.0, 2.0), (1.0,), optim.sgd_init((1.0, 2.0)), 0.1)
    with pytest.raises(DifferentiationError, match="AD306"):
        optim.sgd((1,), (1.0,), optim.sgd_init((1,)), 0.1)
    with pytest.raises(ValueError, match="differ in shape"):
        optim.sgd((np.ones(3),), (np.ones(2),), optim.sgd_init((np.ones(3),)), 0.1)
    with pytest.raises(ValueError, match="differ in shape"):
        optim.sgd((np.ones(3),), (np.ones(3),), optim.sgd_init((np.ones(2),)), 0.1)


def test_refusals_in_compiled_code():
    @njit
    def step(params, grads, state):
        return optim.sgd(params, grads, state, 0.1)

    vector = (np.ones(3),)
    with pytest.raises(ValueError, match="differ in shape"):
        step(vector, (np.ones(2),), optim.sgd_init(vector))
    with pytest.raises(ValueError, match="differ in shape"):
        step(vector, vector, optim.sgd_init((np.ones(2),)))
    with pytest.raises(TypingError, match="moves float64 and float32"):
        step((np.ones(3, np.int64),), vector, optim.sgd_init(vector))


def test_page_runs(tmp_path):
    page = (Path(__file__).parent.parent / "docs" / "training.md").read_text()
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        if "numba_progress" in block:
            pytest.importorskip("numba_progress")
        path = tmp_path / "page.py"
        path.write_text(block)
        runpy.run_path(str(path))


def test_without_compiling():
    program = """
import numpy as np
from adcompiler import optim
params = (np.ones((2, 2)).T, 1.0)
params, state = optim.adam(params, params, optim.adam_init(params), 0.1)
assert np.allclose(params[0], 0.9) and abs(params[1] - 0.9) < 1e-6
bowl = lambda p: (p[0] ** 2 + np.sum((p[1] - 1.0) ** 2), (2.0 * p[0], 2.0 * (p[1] - 1.0)))
params = (3.0, np.zeros(2))
state = optim.lbfgs_init(params, bowl)
for _ in range(5):
    params, state = optim.lbfgs(params, bowl, state)
assert abs(params[0]) < 1e-6 and np.allclose(params[1], 1.0)
"""
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
