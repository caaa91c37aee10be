"""Derivatives in other processes: pickled by name or by parts, with the text that they are made from."""

import concurrent.futures
import copy
import linecache
import multiprocessing
import pickle
import subprocess
import sys
import textwrap
import types

import numpy as np
import pytest
from numba import njit

from adcompiler import DifferentiationError, custom_vjp, grad, hessian, hvp, jacobian, value_and_grad, vjp

scale = 2.0
X = np.array([0.3, -1.2, 2.0])


def helper(x):
    return scale * x * x


@grad
def decorated(x, n=3):
    return helper(x) * n


def plain(x):
    return np.sum(helper(x)) ** 2


@njit
def by_numba(x):
    return helper_of_numba(x) * x


@njit
def helper_of_numba(x):
    return 3.0 * x


@njit
def caller(x):
    return decorated(x) + 1.0


@custom_vjp
def root(a):
    x = a
    while abs(x * x - a) > 1e-14 * a:
        x = 0.5 * (x + a / x)
    return x


@root.defvjp
def of_root(a, x, d):
    return 0.5 * d / x


def closure(factor, jit=False):
    return grad(lambda x: factor * helper(x), jit=jit)


def local_root():
    return custom_vjp(lambda a: a**0.5)


OBJECTS = {
    "decorated": (decorated, (0.7,), {}),
    "keyword": (decorated, (0.7,), {"n": 2}),
    "value beside it": (decorated.value_and_grad, (0.7,), {}),
    "grad": (grad(plain, jit=False), (X,), {}),
    "value_and_grad": (value_and_grad(plain, jit=False), (X,), {}),
    "hvp": (hvp(plain, jit=False), (X, np.ones(3)), {}),
    "hessian": (hessian(plain, jit=False), (X,), {}),
    "jacobian": (jacobian(helper, jit=False), (X,), {}),
    "of a gradient": (grad(decorated), (0.7,), {}),
    "dispatcher": (grad(by_numba, fastmath=True), (0.7,), {}),
    "closure": (closure(5.0), (0.7,), {}),
    "custom rule": (grad(lambda a: root(a) * a), (4.0,), {}),
}


def by_pickle(value):
    return pickle.loads(pickle.dumps(value))


def by_cloudpickle(value):
    cloudpickle = pytest.importorskip("cloudpickle")
    return pickle.loads(cloudpickle.dumps(value))


def assert_equal(one, two):
    for a, b in zip(*(found if isinstance(found, tuple) else (found,) for found in (one, two)), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("through", [by_pickle, by_cloudpickle])
@pytest.mark.parametrize("name", OBJECTS)
def test_derivatives_come_back(name, through):
    made, args, keywords = OBJECTS[name]
    found = through(made)
    assert repr(found) == repr(made)
    assert_equal(found(*args, **keywords), made(*args, **keywords))


def test_a_name_leads_to_the_same_object():
    assert by_pickle(decorated) is decorated
    assert by_pickle([root])[0] is root


def test_what_comes_again_is_compiled_once():
    assert by_pickle(closure(5.0)) is by_pickle(closure(5.0))
    assert by_pickle(closure(5.0)) is not by_pickle(closure(6.0))


def test_settings_come_along():
    made = by_pickle(grad(plain, argnums=("x",), jit=False, error_model="python"))
    assert (made.argnums, made.jit, made.given) == (("x",), False, {"error_model": "python"})


def test_copies_are_the_object_itself():
    for made in (decorated, closure(2.0), root):
        assert copy.copy(made) is made
        assert copy.deepcopy({"a": [made]})["a"][0] is made


def test_functions_that_read_each_other():
    module = types.ModuleType("adcompiler_test_of_mutual_names")
    text = """
    @grad
    def first(x):
        return x * x if second is not None else x
    @grad
    def second(x):
        return x * x if first is not None else x
    """
    vars(module)["grad"] = grad
    exec(textwrap.dedent(text), vars(module))  # in no module that is imported, so that they are taken apart
    found = by_pickle(module.first)
    assert found is not module.first
    assert found.function.__globals__["second"].function.__globals__["first"] is found


@pytest.mark.parametrize("through", [by_pickle, by_cloudpickle])
def test_pullbacks_come_back(through):
    _, pullback = vjp(lambda x, n: (helper(x), n * np.sum(x)), X, 3, jit=False)
    found = through(pullback)
    assert_equal(found((X, 2.0)), pullback((X, 2.0)))
    assert_equal(through(found)((X, 2.0)), pullback((X, 2.0)))


def test_a_pullback_of_what_has_changed_stays(monkeypatch):
    _, pullback = vjp(helper, X, jit=False)
    monkeypatch.setitem(globals(), "scale", 7.0)
    np.testing.assert_array_equal(pullback(np.ones(3))[0], 4.0 * X)
    with pytest.raises(DifferentiationError, match="call vjp again"):
        pickle.dumps(pullback)


def test_refusals_come_back():
    with pytest.raises(DifferentiationError) as caught:
        grad(lambda x: open(x))(1.0)
    for error in (caught.value, DifferentiationError("AD305", "a reason", None, "a cure")):
        found = by_pickle(error)
        assert vars(found) == vars(error)
        assert str(found) == str(error)


def test_rules_come_back():
    made = local_root()
    made.defvjp(lambda a, x, d: 0.5 * d / x)
    found = by_pickle(made)
    assert found is not made
    assert found(9.0) == 3.0
    assert grad(lambda a: found(a))(4.0) == 0.25
    assert by_pickle(custom_vjp(by_numba))(2.0) == 12.0


def in_pool(pool):
    """Return what processes of a pool make of derivatives."""
    made = [decorated, closure(5.0), grad(by_numba), caller]
    found = [pool.apply_async(f, (0.7,)) for f in made]
    refused = pool.apply_async(grad(lambda x: open(x)), (0.7,))
    with pytest.raises(DifferentiationError, match="'open' is not part of the language"):
        refused.get(timeout=120)
    return [result.get(timeout=120) for result in found], [f(0.7) for f in made]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_pools(start):
    with multiprocessing.get_context(start).Pool(1) as pool:
        found, expected = in_pool(pool)
    assert found == expected


def test_executors():
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        assert [*pool.map(closure(5.0), [1.0, 2.0])] == [20.0, 40.0]


def test_joblib():
    joblib = pytest.importorskip("joblib")
    calls = [joblib.delayed(f)(0.7) for f in (decorated, closure(5.0))]
    assert joblib.Parallel(2)(calls) == [decorated(0.7), closure(5.0)(0.7)]


def test_dask():
    dask = pytest.importorskip("dask")
    task = dask.delayed(closure(5.0))(1.0)
    assert task.compute(scheduler="processes", num_workers=1) == 20.0


def fresh(code, *, folder, data=b""):
    """Return what a new process prints."""
    run = subprocess.run(
        [sys.executable, "-c", code], input=data, cwd=folder, capture_output=True, timeout=120
    )
    assert run.returncode == 0, run.stderr.decode()
    return run.stdout.decode().strip()


SCRIPT = """
import numpy as np
from numba import njit
from adcompiler import grad

weight = 2.0

def outer():
    def helper(x):
        return weight * x * x
    return helper

inner = outer()

@njit
def f(x):
    return inner_j(x) + 1.0

inner_j = njit(inner)
derivative = grad(f)
of_lambda = grad(lambda x: inner(x) * 2.0)

@grad
def named(x):
    return inner(x)
"""
LOAD = "import pickle, sys; print(*[f(3.0) for f in pickle.load(sys.stdin.buffer)])"


def test_a_process_without_the_file(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    module = types.ModuleType("__main__")  # where no name leads to the objects
    exec(compile(SCRIPT, str(path), "exec"), vars(module))
    path.unlink()
    linecache.clearcache()
    data = pickle.dumps([module.derivative, module.of_lambda, module.named])
    assert fresh(LOAD, folder=tmp_path, data=data) == "12.0 24.0 12.0"


def test_main_modules(tmp_path):
    path = tmp_path / "script.py"
    more = """
    if __name__ == "__main__":
        import multiprocessing, pickle, sys
        weight = 10.0
        assert pickle.loads(pickle.dumps(named)) is named
        pickle.dump([named], open("made.pickle", "wb"))
        for start in ("fork", "spawn"):
            with multiprocessing.get_context(start).Pool(1) as pool:
                print(*[pool.apply_async(f, (3.0,)).get(timeout=100) for f in (named, derivative)])
    """
    path.write_text(SCRIPT + textwrap.dedent(more))
    run = subprocess.run(
        [sys.executable, path.name], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    assert lines[0].split()[0] == "60.0", "a forked process has what the main module has"
    assert lines[1].split()[0] == "12.0", "a spawned one has its own main module"
    assert fresh(LOAD, folder=tmp_path, data=(tmp_path / "made.pickle").read_bytes()) == "60.0"


def test_commands_have_a_text(tmp_path):
    code = "from adcompiler import grad\n@grad\ndef f(x):\n    return x * x\nprint(f(3.0))"
    assert fresh(code, folder=tmp_path) == "6.0"


def made_in(path, text):
    path.write_text(text)
    namespace = {"grad": grad}
    exec(compile(text, str(path), "exec"), namespace)
    return namespace["f"]


FILE = "@grad(jit=False)\ndef f(x):\n    return helper(x) * 2.0\ndef helper(x):\n    return x * x\n"


@pytest.mark.parametrize("now", [None, "x = 1", "def f(:", FILE.replace("2.0", "3.0")])
def test_the_text_is_that_of_the_decoration(tmp_path, now):
    path = tmp_path / "edited.py"
    made = made_in(path, FILE)
    path.unlink() if now is None else path.write_text(now)
    linecache.checkcache()
    assert made(3.0) == 12.0


def test_a_text_that_only_linecache_has():
    name, text = "<a cell of a test>", FILE
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    namespace = {"grad": grad}
    exec(compile(text, name, "exec"), namespace)
    del linecache.cache[name]
    assert by_pickle(namespace["f"])(3.0) == 12.0


def test_no_text_is_refused():
    namespace = {"grad": grad}
    exec(compile(FILE, "<nowhere>", "exec"), namespace)
    with pytest.raises(DifferentiationError, match="way out: define the function in a file") as caught:
        namespace["f"](3.0)
    assert by_pickle(caught.value).code == "AD001"
    with pytest.raises(DifferentiationError, match="AD001"):
        by_pickle(namespace["f"])(3.0)
