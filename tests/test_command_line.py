"""The commands, in processes of their own; what is refused, in this one."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from adcompiler.command_line.commands import main

DOCS = Path(__file__).parent.parent / "docs"
MODEL = """
import numpy as np

from adcompiler import custom_vjp, grad

DATA = np.array([0.3, -1.2, 2.0])


def energy(x, k):
    total = 0.0
    for i in range(len(x)):
        total += k * np.exp(x[i]) * x[i]
    return total


@grad(argnums="k")
def slope(x, k):
    return k * np.sum(x * x)


@custom_vjp
def doubled(x):
    return 2.0 * x


@doubled.defvjp
def doubled_vjp(x, y, d):
    return 3.0 * d  # which is wrong


def wrong(x):
    return doubled(x)


def pick(x):
    if x[1] < 0.0:
        raise ValueError("negative")
    return x[1] ** 2


def refused(x):
    with open("file"):
        return x
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "model.py").write_text(MODEL)
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("")
    (tmp_path / "package" / "inner.py").write_text("from model import energy\n")
    return tmp_path


def run(folder, *arguments):
    """Run a command; return its status, what it printed, and what it complained of."""
    paths = os.pathsep.join([str(DOCS.parent), os.environ.get("PYTHONPATH", "")])
    settings = os.environ | {"PYTHONPATH": paths, "COLUMNS": "120", "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-m", "adcompiler", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=settings, encoding="utf-8")
    return done.returncode, done.stdout, done.stderr


def test_source_is_shown_for_likely_types(folder):
    status, printed, _ = run(folder, "show", "model.py:energy")
    assert status == 0
    assert "# types inferred from use: x: float64[:], k: float64" in printed
    assert "def energy_value_and_grad(x, k):" in printed


@pytest.mark.parametrize(
    "place", ["model.py:energy", "model:energy", "package.inner:energy", "package/inner.py:energy"]
)
def test_files_and_packages(folder, place):
    if place.startswith("package/"):
        (folder / "package" / "model.py").write_text(MODEL)
    status, printed, complaints = run(
        folder, "show", place, "--mode", "grad", "--wrt", "k", "--args", "np.ones(3), 2.0"
    )
    assert (status, complaints) == (0, "")
    assert "def energy_grad(x, k):" in printed and "# types as called: x: float64[:], k: float64" in printed
    assert "with respect to k" in printed


def test_files_of_packages_import_their_neighbours(folder):
    (folder / "package" / "outer.py").write_text("from .inner import energy\n")
    (folder / "package" / "model.py").write_text(MODEL)
    assert run(folder, "check", "package/outer.py:energy", "--args", "np.ones(3), 2.0")[0] == 0


def test_arguments_may_begin_with_a_sign(folder):
    assert run(folder, "check", "model.py:wrong", "--args", "-0.5")[0] == 1


def test_what_is_no_number_is_said_to_be_none(folder):
    status, printed, complaints = run(
        folder, "check", "model.py:energy", "--args", "np.full(2, np.nan), -1.0"
    )
    assert status == 0 and "Warning" not in complaints
    assert "the function itself is nan here: debug_nans=True says from where on" in printed


def test_decorated_functions_are_shown_as_they_are(folder):
    _, printed, _ = run(folder, "show", "model.py:slope", "--args", "DATA, 2.0")
    assert "def slope_grad(x, k):" in printed and "with respect to k" in printed


def test_graph_plan_and_stages(folder):
    assert run(folder, "show", "model.py:energy", "--graph")[1].startswith("graph energy(x, k):")
    assert "for loop at line 11" in run(folder, "show", "model.py:energy", "--plan")[1]
    assert (
        "=== energy: lower ==="
        in run(folder, "show", "model.py:energy", "--stages", "--args", "float64[:], float64")[1]
    )


def test_right_gradients_pass(folder):
    status, printed, _ = run(folder, "check", "model.py:energy", "--args", "DATA, 2.0", "--wrt", "x,k")
    assert status == 0
    assert "4 of 4 derivatives agree with complex steps" in printed
    assert re.search(r"x\[1\].*pass", printed) and re.search(r"\bk\b.*pass", printed)


def test_wrong_gradients_fail(folder):
    status, printed, _ = run(folder, "check", "model.py:wrong", "--args", "0.5")
    assert status == 1
    assert "FAIL" in printed and "0 of 1 derivatives agree" in printed


def test_times_and_memory(folder):
    status, printed, _ = run(folder, "bench", "model.py:energy", "--args", "np.ones(100), 2.0")
    assert status == 0
    assert "value and gradient" in printed and "memory beyond arguments and results: 0 bytes" in printed


def test_exported_modules_run(folder):
    assert run(folder, "export", "model.py:energy", "out.py", "--args", "DATA, 2.0", "--mode", "grad")[0] == 0
    assert "def energy_grad(x, k):" in (folder / "out.py").read_text()
    typed = run(folder, "export", "model.py:energy", "-o", "out.c", "--args", "float64[::1], float64")
    assert typed[:2] == (0, "wrote out.c\nwrote out.h\n") and (folder / "out.h").exists()
    assert run(folder, "export", "model.py:energy", "out.c", "--args", "DATA, 2.0")[1].endswith(
        "out_main.c\n"
    )


def test_warm_fills_the_cache(folder, monkeypatch):
    monkeypatch.setenv("ADCOMPILER_CACHE", str(folder / "cache"))
    types = ["--args", "float64[::1], float64", "--args", "float32[::1], float64"]
    status, printed, _ = run(folder, "warm", "model:energy", *types)
    assert status == 0 and "compiled for 2, 2 new" in printed
    assert "compiled for 2, 0 new" in run(folder, "warm", "model:energy", *types)[1]
    assert "2 derivatives" in run(folder, "cache", "info")[1]
    assert "removed" in run(folder, "cache", "prune", "--megabytes", "0")[1]
    assert "0 derivatives" in run(folder, "cache", "info")[1]
    assert "removed 0.00 MB" in run(folder, "cache", "clear")[1]


def test_doctor(folder):
    status, printed, _ = run(folder, "doctor")
    assert status == 0
    for name in ("Python: ", "numba: ", "numpy: ", "cache: ", "self-test: passed"):
        assert name in printed


def test_a_reader_that_stops_is_no_error(folder):
    command = f"{shlex.quote(sys.executable)} -m adcompiler show model.py:energy | head -c 1"
    env = os.environ | {"PYTHONPATH": str(DOCS.parent)}
    done = subprocess.run(
        command, shell=True, cwd=folder, capture_output=True, text=True, env=env, check=False
    )
    assert done.stdout == "#" and "Errno" not in done.stderr and "Traceback" not in done.stderr


def test_version(folder):
    assert re.fullmatch(r"[\d.]+\n", run(folder, "--version")[1])


COMPLAINTS = {
    "show nope.py:f": "there is no file 'nope.py'",
    "show modle.py:f": "did you mean 'model.py'?",
    "show model.py:energi": "'model.py' has no function 'energi'; did you mean 'energy'?",
    "show model.py:DATA": "'DATA' in 'model.py' is of type ndarray, not a function",
    "show model.py": "names no function: write model.py:energy or model.py:slope or model.py:doubled",
    "show model": "names no function: write file.py:function or package.module:function",
    "show nothing:f": "'nothing' cannot be imported: ModuleNotFoundError",
    "show model.py:energy --mode x": "'x' is no derivative: one of grad, value_and_grad",
    "show model.py:energy --args 'np.ones('": "--args: 'np.ones(' is no Python: '(' was never closed",
    "show model.py:energy --args 'ones'": "--args: 'ones' has no value: NameError",
    "show model.py:energy --args '1.0'": "missing a required argument: 'k'",
    "show model.py:energy --wrt q": "[AD305]",
    "check model.py:energy": "check needs values of the arguments",
    "check model.py:energy --args 'float64[:], float64'": "check needs values, not types",
    "show model.py:refused": "[AD101]",
    "export model.py:energy out.f90 --args 'DATA, 2.0'": "names no language to write",
    "export model.py:energy nowhere/out.py --args 'DATA, 2.0'": "No such file or directory: 'nowhere",
    "graph model.py:energy -o nowhere/out.dot": "No such file or directory: 'nowhere",
    "bench model.py:pick --args 'np.ones(1)'": "in a call of pick with x of shape (1,)",
    "check model.py:pick --args '-np.ones(2)'": 'raise ValueError("negative")',
}


@pytest.mark.parametrize("command", COMPLAINTS)
def test_complaints(folder, command, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setitem(sys.modules, "model", None)  # to be gone afterwards
    with pytest.raises(SystemExit) as ended:
        main(shlex.split(command))
    printed, complaints = capsys.readouterr()
    assert (ended.value.code, printed) == (2, "")
    assert COMPLAINTS[command] in complaints
    assert "Traceback" not in complaints


def test_unknown_commands(folder):
    status, printed, complaints = run(folder, "shew")
    assert status != 0 and 'Did you mean "show"?' in printed + complaints


def test_commands_of_the_page(folder):
    """Each command of the page runs; what stands below it is what it prints."""
    page = (DOCS / "command_line.md").read_text()
    (folder / "model.py").write_text(re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0])
    for block in re.findall(r"```console\n(.*?)```", page, re.DOTALL):
        command, _, expected = block.partition("\n")
        assert command.startswith("$ adcompiler ")
        status, printed, complaints = run(folder, *shlex.split(command)[2:])
        assert status == 0, complaints
        if expected.strip():
            assert printed.strip() == expected.strip()


def test_page_of_exported_files(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    page = (DOCS / "export.md").read_text()
    names = {"__name__": "page"}
    for k, block in enumerate(re.findall(r"```python\n(.*?)```", page, re.DOTALL)):
        (folder / f"block_{k}.py").write_text(block)
        exec(compile(block, str(folder / f"block_{k}.py"), "exec"), names)
    (command,) = re.findall(r"```bash\n(.*?)```", page, re.DOTALL)
    done = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("result = "), done.stderr
    (prototype,) = re.findall(r"```c\n(.*?)```", page, re.DOTALL)
    assert prototype.strip() in (folder / "energy_grad.h").read_text()
