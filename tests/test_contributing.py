"""CONTRIBUTING.md carried out: what each walk-through adds is taken out of a copy, missed, and put back."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^```(?:python)?\n# (\S+\.\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BETWEEN = re.compile(r"^\.\.\.\n", re.MULTILINE)
PROGRAM = "program.py"
CHECK = """
import sys
from program import arguments, derivative
from adcompiler import DifferentiationError
from adcompiler.testing import check_grad, check_jvp
try:
    check_grad(derivative.function, arguments, jit=False)
    check_jvp(derivative.function, arguments, (0,), jit=False)
except DifferentiationError as error:
    sys.exit(f"refused: {error.code}")
"""
REFUSED = {
    "An elementwise function": "AD202",
    "A structured function": "AD202",
    "A definition": "AD202",
    "A construct": "AD202",
}


def walk_through(title: str) -> dict[str, list[str]]:
    """Return what a section of the page adds: excerpts by the file that they belong to, and the program."""
    page = (ROOT / "CONTRIBUTING.md").read_text()
    section = page.split(f"\n## {title}\n")[1].split("\n## ")[0]
    assert section.count("\n```") == 2 * len(BLOCK.findall(section)), "a block without the name of its file"
    return {name: BETWEEN.split(text) for name, text in BLOCK.findall(section)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A copy of the package, and of the tests of passes."""
    copy = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "adcompiler", copy / "adcompiler")
    shutil.copytree(ROOT / "tests" / "passes", copy / "tests" / "passes")
    for name in ("conftest.py", "test_passes.py"):
        shutil.copy(ROOT / "tests" / name, copy / "tests")
    return copy


def run_without(folder: Path, added: dict[str, list[str]], *command: str) -> str:
    """Return what Python says of a copy without what a walk-through adds."""
    for name, excerpts in added.items():
        text = (folder / name).read_text()
        for excerpt in excerpts:
            assert text.count(excerpt) == 1, f"not in {name}, or more than once:\n{excerpt}"
            text = text.replace(excerpt, "")
        (folder / name).write_text(text)
    found = run_with(folder, *command)
    for name in added:
        shutil.copy(ROOT / name, folder / name)
    assert found.returncode
    return found.stdout + found.stderr


def run_with(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run Python on a copy as it is."""
    env = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": ""}
    call = [sys.executable, *command]
    return subprocess.run(call, cwd=folder, env=env, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("title", REFUSED)
def test_what_the_page_adds_is_what_its_program_needs(title, folder):
    added = walk_through(title)
    (program,) = added.pop(PROGRAM)
    (folder / PROGRAM).write_text(program)
    said = run_without(folder, added, "-c", CHECK)
    assert f"refused: {REFUSED[title]}" in said, said
    whole = run_with(folder, "-c", CHECK)
    assert whole.returncode == 0, whole.stderr


def test_the_pass_of_the_page(folder):
    added = walk_through("A pass")
    (cases,) = (name for name in added if name.startswith("tests/passes/"))
    assert (ROOT / cases).read_text().count(*added.pop(cases)) == 1
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_passes.py", "-k"]
    command += [f"{Path(cases).stem} or belongs"]
    said = run_without(folder, added, *command)
    assert "FAILED tests/test_passes.py::test_every_file_belongs_to_a_pass" in said, said
    whole = run_with(folder, *command)
    assert whole.returncode == 0, whole.stdout
