"""What is compiled once serves all later processes, and nothing that has changed is served."""

import os
import subprocess
import sys
import textwrap

import pytest

from adcompiler.emit import disk

COUNTED = """
import sys
import numba.core.event as events
from numba import njit

class Count(events.Listener):
    compiled = 0

    def on_start(self, event):
        Count.compiled += 1

    def on_end(self, event):
        pass

events.register("numba:compile", Count())
"""

PROGRAM = """
from collections import namedtuple
import numpy as np
from numba import njit
from scipy import special
from adcompiler import custom_vjp, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp

Point = namedtuple("Point", "w b")
scale = 2.0
weights = np.arange(3.0)

class Settings:
    rate = 0.5

@custom_vjp
def root(a):
    return a ** 0.5

@root.defvjp
def of_root(a, x, d):
    return 0.5 * d / x

def helper(x):
    return scale * np.tanh(x)

def loss(p, x):
    return np.sum(helper(p.w * x + p.b) * weights) * Settings.rate

def model(w, x):
    return np.exp(-w[0] * x) * w[1]

def rooted(x):
    return root(x) * special.gammaln(x)

def cube_sum(x):
    return np.sum(x ** 3) * x[0]

slope = grad(cube_sum)

def penalty(x):
    return np.sum(slope(x) ** 2)

def entries(data):
    return data["w"] * data["b 1"] ** 2

@njit(cache=False, fastmath=False)
def swapped(a, b=float("1.5")):
    return np.einsum("ij->ji", a) * b

row = np.array([[1.0, 2.0]])

def in_many_ways(x):
    bins = np.zeros(2)
    np.add.at(bins, np.array([0, 1, 0]), x)
    parts = [v * v for v in x]
    turned = swapped(np.outer(x, x))
    x[0] = 0.0
    return np.sum(bins * row.ravel()) + sum(parts) + np.sum(swapped(turned, 2.0)[0])

one, two = np.ones(3), np.array([1.0, 2.0])
found = grad(loss)(Point(one, one), one)
assert type(found) is Point, type(found)
outputs, pullback = vjp(model, two, one)
results = [
    found,
    jacobian(model)(two, one),
    hessian(cube_sum)(two),
    hvp(cube_sum)(two, two),
    outputs,
    pullback(one),
    jvp(model, (two, one), (two, None)),
    grad(rooted)(2.0),
    grad(penalty)(two),
    grad(entries)({"w": 2.0, "b 1": 3.0}),
    grad(lambda x, y=3.0: x * y)(1.0),
    grad(in_many_ways)(np.array([1.0, 2.0, 3.0])),
]
"""


def run(path, text, cache, **variables):
    """Return what a program prints in a process of its own."""
    path.write_text(textwrap.dedent(text))
    own = {"ADCOMPILER_CACHE": str(cache), "PYTHONWARNINGS": "default"} | variables
    done = subprocess.run(
        [sys.executable, path], env=os.environ | own, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip() + done.stderr.strip()


def test_the_second_process_compiles_nothing(tmp_path):
    text = COUNTED + PROGRAM + "print(Count.compiled > 0, repr(results))"
    first = run(tmp_path / "program.py", text, tmp_path / "cache")
    second = run(tmp_path / "program.py", text, tmp_path / "cache")
    assert first.startswith("True")
    assert second == first.replace("True", "False", 1)


RECURSIVE = """
import numpy as np
from adcompiler import value_and_grad

def power(x, n):
    return x if n == 0 else x * power(x, n - 1)

def total(x, low, high):
    middle = (low + high) // 2
    return x[low] ** 2 if high - low == 1 else total(x, low, middle) + np.sin(total(x, middle, high))

print(value_and_grad(power)(1.5, 3))
print(value_and_grad(lambda x: power(x, 2))(1.5))
print(value_and_grad(lambda x: total(x, 0, len(x)))(np.ones(5)))
"""


def test_recursive_functions_live_on_in_the_second_process(tmp_path):
    """Numba crashes when it loads code of such functions, so that they are compiled again."""
    one, two = (run(tmp_path / "program.py", RECURSIVE, tmp_path / "cache") for _ in range(2))
    assert one == two


IMPLICIT = """
import numpy as np
from adcompiler import custom_root, grad
from numba import njit

@custom_root(lambda x, a: a @ x - np.sum(x) ** 2 * a[0])
@njit
def solution(x, a):
    return np.linalg.solve(a, x)

found = grad(lambda a: np.sum(solution(np.ones(3), a)))(np.eye(3))
print(Count.compiled > 0, repr(found))
"""


def test_rules_of_implicit_functions_are_kept(tmp_path):
    first = run(tmp_path / "program.py", COUNTED + IMPLICIT, tmp_path / "cache")
    second = run(tmp_path / "program.py", COUNTED + IMPLICIT, tmp_path / "cache")
    changed = IMPLICIT.replace("** 2", "** 3")
    third = run(tmp_path / "program.py", COUNTED + changed, tmp_path / "cache")
    assert first.startswith("True")
    assert second == first.replace("True", "False", 1)
    assert third.startswith("True")
    assert third != first


def test_gradients_inside_compiled_functions_are_kept(tmp_path):
    text = """
    import numpy as np
    from numba import njit
    from adcompiler import grad

    @grad
    def slope(x):
        return np.sum(x * x)

    @njit
    def descend(x):
        for _ in range(3):
            x = x - 0.25 * slope(x)
        return x

    descend(np.ones(2))
    print(Count.compiled)
    """
    text = COUNTED + textwrap.dedent(text)
    counts = [int(run(tmp_path / "program.py", text, tmp_path / "cache")) for _ in range(2)]
    assert counts[1] < counts[0]


CHANGES = {
    "a global": ("scale = 2.0", "scale = 3.0"),
    "an array": ("weights = np.array([1.0, 2.0])", "weights = np.array([1.0, 3.0])"),
    "a helper": ("return x * x  # helper", "return x * x * x  # helper"),
    "a helper's default": ("factor=1.0", "factor=2.0"),
    "an attribute of a class": ("rate = 1.0", "rate = 2.0"),
    "an attribute of an object": ("SimpleNamespace(shift=1.0)", "SimpleNamespace(shift=2.0)"),
    "a rule": ("return 3.0 * d", "return 4.0 * d"),
    "a member of a tuple": ('("a", "b")', '("a", "c")'),
    "an imported module": ("2.0  # other", "5.0  # other"),
    "a closure": ("maker(2.0)", "maker(4.0)"),
    "a default": ("extra=1.0", "extra=6.0"),
    "an overload": ("OVERLOADED = False", "OVERLOADED = True"),
    "a constant tuple": ("(1.0, 2.0, 3.0)", "(1.0, 2.0, 4.0)"),
    "an enumeration": ("ONE = 1", "ONE = 2"),
    "a helper of a helper": ("return 2.0 * x  # inner", "return 3.0 * x  # inner"),
    "what a gradient inside differentiates": ("return x**3", "return x**4"),
    "a function that is an argument": ("return 5.0 * x", "return 6.0 * x"),
}
CHANGING = """
import enum, types
import numpy as np
from numba import njit
from numba.extending import overload
from adcompiler import custom_vjp, grad
import other

OVERLOADED = False
scale = 2.0
weights = np.array([1.0, 2.0])
settings = types.SimpleNamespace(shift=1.0)

class Settings:
    rate = 1.0

class Kind(enum.IntEnum):
    ONE = 1

@njit
def helper(x):
    return x * x  # helper

def with_default(x, factor=1.0):
    return factor * x

@custom_vjp
def ruled(x):
    return 3.0 * x

@ruled.defvjp
def of_ruled(x, y, d):
    return 3.0 * d

def maker(a):
    return lambda x: a * x

made = maker(2.0)

def stub(x):
    return x * x * x

def inner(x):
    return 2.0 * x  # inner

def outer(x):
    return inner(x)

def power(x):
    return x**3

slope = grad(power)

def argument(x):
    return 5.0 * x

if OVERLOADED:
    @overload(stub)
    def of_stub(x):
        return lambda x: 7.0 * x

def in_loop(x):
    total = 0.0
    for t in (1.0, 2.0, 3.0):
        total += t * x
    return total

FUNCTIONS = [
    lambda x: scale * x,
    lambda x: np.sum(weights * x),
    lambda x: helper(x),
    lambda x: with_default(x),
    lambda x: Settings.rate * x,
    lambda x: settings.shift * x,
    lambda x: ruled(x),
    lambda x, name="c": x if name in ("a", "b") else 3.0 * x,
    lambda x: other.factor * x,
    lambda x: made(x),
    lambda x, extra=1.0: extra * x,
    lambda x: stub(x),
    in_loop,
    lambda x: Kind.ONE * x,
    lambda x: outer(x),
    lambda x: slope(x),
    lambda x, f=argument: f(x),
]
print([grad(function)(2.0) for function in FUNCTIONS])
print([float(grad(function, jit=False)(2.0)) for function in FUNCTIONS])
"""


def test_what_has_changed_is_not_served(tmp_path):
    other, text = "factor = 2.0  # other", CHANGING
    shown = []
    for is_changed in (False, True):
        for before, after in CHANGES.values() if is_changed else ():
            assert before in text + other
            text, other = text.replace(before, after), other.replace(before, after)
        (tmp_path / "other.py").write_text(other)
        lines = run(tmp_path / "program.py", text, tmp_path / "cache", PYTHONDONTWRITEBYTECODE="1")
        shown += [eval(line) for line in lines.splitlines()]
    first, uncompiled, second, right = shown
    assert (first, second) == (uncompiled, right)
    assert [change for change, a, b in zip(CHANGES, first, second, strict=True) if a == b] == []


SMALL = (
    COUNTED
    + """
from adcompiler import grad
print(grad(lambda x: x * x)(3.0), Count.compiled)
assert Count.compiled or "adcompiler.pipeline" not in sys.modules
"""
)


CACHED_CALLER = """
import model
from numba import njit
@njit(cache=True)
def twice(x):
    return 2.0 * model.slope(x)
print(twice(3.0))
"""


def test_callers_that_numba_caches_are_made_anew(tmp_path):
    """Numba's cache sees neither the generated module, nor that the function behind it has changed."""
    model, caller = tmp_path / "model.py", tmp_path / "caller.py"
    caller.write_text(CACHED_CALLER)
    own = {"ADCOMPILER_CACHE": str(tmp_path / "cache")}
    environment = os.environ | own | {"PYTHONDONTWRITEBYTECODE": "1"}  # it is dated by the second
    for power, wanted in ((2, "12.0"), (2, "12.0"), (3, "54.0")):
        model.write_text(f"from adcompiler import grad\nslope = grad(lambda x: x**{power})\n")
        found = subprocess.check_output([sys.executable, str(caller)], env=environment, text=True)
        assert found.strip() == wanted


@pytest.mark.parametrize("damage", ["truncated", "empty", "flipped", "a folder in its place"])
def test_damaged_files_are_made_anew(damage, tmp_path):
    cache, path = tmp_path / "cache", tmp_path / "program.py"
    assert run(path, SMALL, cache) == "6.0 1"
    assert run(path, SMALL, cache) == "6.0 0"
    (entry,) = cache.glob("*.entry")
    data = bytearray(entry.read_bytes())
    data[len(data) // 2] ^= 1
    damaged = {"truncated": data[: len(data) // 2], "empty": b"", "flipped": bytes(data)}
    if damage in damaged:
        entry.write_bytes(damaged[damage])
        assert run(path, SMALL, cache) == "6.0 1"
        assert run(path, SMALL, cache) == "6.0 0"
    else:
        entry.unlink()
        entry.mkdir()
        assert run(path, SMALL, cache).startswith("6.0 1")


def test_text_that_was_planted_is_not_run(tmp_path):
    cache, path = tmp_path / "cache", tmp_path / "program.py"
    run(path, SMALL, cache)
    (text,) = cache.glob("*.py")
    text.write_text("raise SystemExit('planted')")
    assert run(path, SMALL, cache) == "6.0 0"
    assert "planted" not in text.read_text()
    run(path, SMALL + f"import py_compile; py_compile.compile({str(text)!r})", cache)
    assert run(path, SMALL, cache) == "6.0 0"


def test_the_folder_is_the_users_own(tmp_path, monkeypatch):
    monkeypatch.setenv("ADCOMPILER_CACHE", str(tmp_path / "cache"))
    assert disk.writable_folder() == tmp_path / "cache"
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    for cause, folder in {"other users": "open", "another user": "cache", "made": "file/below"}.items():
        (tmp_path / "file").touch()
        monkeypatch.setenv("ADCOMPILER_CACHE", str(tmp_path / folder))
        if cause == "another user":
            monkeypatch.setattr(os, "geteuid", lambda: 12345)
        monkeypatch.setattr(disk, "_warned", set())
        with pytest.warns(UserWarning, match=cause):
            own = disk.writable_folder()
        assert own.stat().st_mode & 0o777 == 0o700
        assert disk.writable_folder() == own  # without a second warning
        monkeypatch.undo()


def test_without_room_all_goes_on_with_one_warning(tmp_path):
    text = """
    import os
    from adcompiler.emit import disk
    from adcompiler import grad, hessian

    def full(*arguments):
        raise OSError(28, "No space left on device")

    os.replace = full
    print(grad(lambda x: x * x)(3.0), hessian(lambda x: x * x)(3.0))
    """
    shown = run(tmp_path / "program.py", text, tmp_path / "cache")
    assert shown.startswith("6.0 2.0")
    assert shown.count("No space left") == 1
    assert not [*(tmp_path / "cache").glob("*.tmp")]


def test_the_oldest_entries_go_first(tmp_path, monkeypatch):
    monkeypatch.setenv("ADCOMPILER_CACHE", str(tmp_path / "cache"))
    for k in range(6):
        disk.write_entry(f"entry_{k}", bytes(1000))
        os.utime(tmp_path / "cache" / f"entry_{k}.entry", (k + 100, k + 100))
    assert disk.read_entry("entry_0") == bytes(1000)  # which is a use
    assert disk.prune(3200) == 3 * 1032
    assert [entry.stem for entry in disk.kept()] == ["entry_0", "entry_5", "entry_4"]
    monkeypatch.setenv("ADCOMPILER_CACHE_MB", "0.002")
    monkeypatch.setattr(disk, "_written", {})
    disk.write_entry("entry_9", bytes(1000))
    assert {entry.stem for entry in disk.kept()} == {"entry_9", "entry_0"}


def test_commands(tmp_path):
    cache = tmp_path / "cache"
    run(tmp_path / "program.py", SMALL, cache)

    def command(*arguments):
        own = os.environ | {"ADCOMPILER_CACHE": str(cache)}
        return subprocess.check_output(
            [sys.executable, "-m", "adcompiler", "cache", *arguments], env=own, text=True
        )

    assert "1 derivatives" in command("info")
    assert "lambda_grad" in command("info")
    assert "removed 0.00 MB" in command("prune", "--megabytes", "100")
    command("clear")
    assert "0 derivatives" in command("info")
    assert not [*cache.glob("*.entry")]
