"""Many threads at once, Ctrl-C at any moment, processes that fork: gradients are found as ever."""

import linecache
import os
import signal
import subprocess
import sys
import textwrap
import threading
import warnings
from contextvars import ContextVar

import numpy as np
import pytest
from numba import config, njit
from numba.core.compiler_lock import global_compiler_lock

from adcompiler import custom_vjp, grad, jvp, value_and_grad, vjp
from adcompiler.enabled import enabled, is_disabled
from adcompiler.quiet import quietly
from adcompiler.turns import in_turn, uninterrupted

COUNT = 24


def numbered(k):
    """Return a function of its own for each number."""
    lines = [
        f"def f{k}(x, n):\n",
        "    s = 0.0\n",
        "    for i in range(n):\n",
        f"        s += {k + 1}.0 * x**2 + np.sin(x) * i\n",
        "    return s / n if n > 1 else s\n",
    ]
    name = f"<function {k} of test_faults>"
    linecache.cache[name] = (1, None, lines, name)
    namespace = {"np": np}
    exec(compile("".join(lines), name, "exec"), namespace)
    return namespace[f"f{k}"]


def slope(k, x, n):
    return (2.0 * (k + 1) * x * n + np.cos(x) * sum(range(n))) / n


def at_once(work, count=8):
    """Run a function of the thread's number in many threads that change often; raise what they raise."""
    start, errors = threading.Barrier(count), []

    def run(thread):
        start.wait()
        try:
            work(thread)
        except BaseException as error:
            errors.append(error)

    before = sys.getswitchinterval()
    threads = [threading.Thread(target=run, args=(thread,)) for thread in range(count)]
    try:
        sys.setswitchinterval(1e-5)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    if errors:
        raise errors[0]


def by_grad(f, jit):
    return grad(f, jit=jit)(0.3, 4)


def by_vjp(f, jit):
    return vjp(f, 0.3, 4, jit=jit)[1](1.0)[0]


def by_jvp(f, jit):
    return jvp(f, (0.3, 4), (1.0, None), jit=jit)[1]


def by_caller(f, jit):
    derivative = grad(f)
    return njit(lambda x, n: derivative(x, n))(0.3, 4)


def test_each_thread_meets_each_function():
    functions = [*map(numbered, range(COUNT))]
    ways = [by_grad, by_vjp, by_jvp]

    def work(thread):
        for k, function in enumerate(functions):
            way = ways[(k + thread) % len(ways)]
            assert way(function, False) == pytest.approx(slope(k, 0.3, 4), rel=1e-12)

    at_once(work)


def test_threads_that_compile():
    functions = [*map(numbered, range(4))]
    ways = [by_grad, by_caller, by_vjp, by_jvp]

    def work(thread):
        for turn in range(4):
            k = (turn + thread) % 4
            assert ways[thread % 4](functions[k], True) == pytest.approx(slope(k, 0.3, 4), rel=1e-12)

    at_once(work)


def test_threads_that_share_derivatives():
    shared = [value_and_grad(numbered(k), jit=False) for k in range(COUNT)]
    shared[:2] = [grad(numbered(k)).value_and_grad for k in range(2)]

    def work(thread):
        for k, derivative in enumerate(shared):
            assert derivative(0.3, 4)[1] == pytest.approx(slope(k, 0.3, 4), rel=1e-12)
            if thread == 0 and k % 5 == 0:
                derivative.recompile()
            assert derivative.explain()

    at_once(work)


def test_threads_that_decorate():
    def work(thread):
        @custom_vjp
        def own(x):
            return x * thread

        own.defvjp(lambda x, y, d: d * thread)
        assert grad(lambda x: own(x) * x, jit=False)(3.0) == 6.0 * thread

    at_once(work)


def test_switched_off_in_other_threads_too(monkeypatch):
    monkeypatch.setattr(config, "DISABLE_JIT", 1)
    found = []
    with enabled():
        assert not config.DISABLE_JIT
        assert is_disabled()
        thread = threading.Thread(target=lambda: found.append(bool(config.DISABLE_JIT)))
        thread.start()
        thread.join()
    assert found == [True]
    assert config.DISABLE_JIT


def test_warnings_of_other_threads_are_shown():
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        with quietly(RuntimeWarning):
            warnings.warn("here", RuntimeWarning, 1)
            thread = threading.Thread(target=lambda: warnings.warn("there", RuntimeWarning, 1))
            thread.start()
            thread.join()
        warnings.warn("afterwards", RuntimeWarning, 1)
    assert [str(warning.message) for warning in shown] == ["there", "afterwards"]


PROGRAM = """
import os, signal, sys, threading
import numpy as np
from numba import njit
from adcompiler import grad

scale = 2.0
X = np.array([0.3, 0.4])

def f(x):
    s = 0.0
    for i in range(len(x)):
        s += np.sin(x[i]) * scale
    return s

def power(x, n):
    return x if n == 0 else x * power(x, n - 1)

def g(x):
    return f(x) + power(x[0], 2)

EXPECTED = 2.0 * np.cos(X) + np.array([3.0 * 0.3**2, 0.0])
derivative = grad(g)
"""

INTERRUPTED = """
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell starts behind itself
how, factor = sys.argv[1], float(sys.argv[2])
calls, limit, came = 0, 30.0, 0
if how == "raise":  # an import that ends halfway is not begun anew; signals wait for its end
    import adcompiler.api.making

def watch(frame, event, arg):
    global calls
    if event != "call" or (how == "raise" and f"{os.sep}adcompiler{os.sep}" not in frame.f_code.co_filename):
        return
    calls += 1
    if calls == int(limit) and how == "signal":
        signal.raise_signal(signal.SIGINT)
    elif calls == int(limit):
        raise KeyboardInterrupt

while True:
    calls = 0
    sys.settrace(watch)
    try:
        found = derivative(X)
        sys.settrace(None)
        if calls < int(limit):
            break
        derivative.recompile()  # it came where Python can only print it
    except KeyboardInterrupt:
        sys.settrace(None)
        came += 1
    limit *= factor
np.testing.assert_allclose(found, EXPECTED)
assert came > 10, came

def elsewhere():
    np.testing.assert_allclose(grad(f)(X), 2.0 * np.cos(X))
    print("done")

threading.Thread(target=elsewhere).start()
"""


def run(tmp_path, text, *arguments):
    """Return what a program prints, in a process with a cache folder of its own."""
    path = tmp_path / "program.py"
    path.write_text(PROGRAM + textwrap.dedent(text))
    given = {"ADCOMPILER_CACHE": str(tmp_path / "cache"), "PYTHONWARNINGS": "ignore::DeprecationWarning"}
    command = [sys.executable, str(path), *arguments]
    found = subprocess.run(command, env={**os.environ, **given}, capture_output=True, text=True, timeout=150)
    assert found.returncode == 0, found.stderr[-3000:]
    return found.stdout.split()


@pytest.mark.parametrize(("how", "factor"), [("signal", "1.7"), ("raise", "1.5")])
def test_the_call_after_an_interrupt(tmp_path, how, factor):
    assert run(tmp_path, INTERRUPTED, how, factor) == ["done"]


def test_the_second_signal_does_not_wait():
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        signal.raise_signal(signal.SIGINT)
        passed = True
        signal.raise_signal(signal.SIGINT)
        pytest.fail("the second one was held back")
    assert passed
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_turn_ends_however_it_ends():
    seen = ContextVar("seen", default=0)

    @in_turn
    def broken():
        seen.set(1)
        global_compiler_lock.acquire()  # as Numba leaves it when it is interrupted
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken()
    assert seen.get() == 0
    assert not global_compiler_lock.is_locked()


FORKED = """
@njit
def caller(x):
    return derivative(x)

derivative(X)
stop = threading.Event()

def compile_on():
    while not stop.is_set():
        grad(f)(X)
        grad(g).recompile()
        derivative.recompile()
        derivative(X)

threads = [threading.Thread(target=compile_on) for _ in range(2)]
for thread in threads:
    thread.start()
for number in range(4):
    child = os.fork()
    if child == 0:
        np.testing.assert_allclose(derivative(X), EXPECTED)
        np.testing.assert_allclose(caller(X), EXPECTED)
        np.testing.assert_allclose(grad(f, jit=False)(X), 2.0 * np.cos(X))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print(status)
stop.set()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_children_of_a_process_that_compiles(tmp_path):
    assert run(tmp_path, FORKED) == ["0"] * 4
