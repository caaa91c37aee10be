"""Type checkers know what derivatives take and return; the names one sees are those that are meant."""

import runpy
from pathlib import Path

import pytest

import adcompiler
from adcompiler import optim

PROGRAM = Path(__file__).parent / "typed_program.py"
WRONG = {
    'slope("three")': "arg-type",
    "slope(np.ones(2), spring=2.0)": "call-arg",
    "plain()": "call-arg",
    "decorated(np.ones(2))": "call-arg",
    'grad(energy, jit="yes")': "call-overload",
    "root(1.0, 2.0)": "call-arg",
    "rows(np.ones(2), spring=2.0)": "call-arg",
    "vmap(energy).sauce": "attr-defined",
}


def complaints(path):
    api = pytest.importorskip("mypy.api")
    settings = ["--strict", "--config-file=", "--ignore-missing-imports", "--follow-imports=silent"]
    return api.run([*settings, str(path)])[0]


def test_what_is_right_is_accepted():
    runpy.run_path(str(PROGRAM))
    assert complaints(PROGRAM).startswith("Success")


def test_what_is_wrong_is_found(tmp_path):
    path = tmp_path / "wrong.py"
    path.write_text(PROGRAM.read_text() + "".join(f"{line}\n" for line in WRONG))
    found = [
        line.rpartition("[")[2].rstrip("]") for line in complaints(path).splitlines() if ": error:" in line
    ]
    assert found == [*WRONG.values()]


@pytest.mark.parametrize("module", [adcompiler, optim])
def test_names_that_are_seen_are_those_that_are_meant(module):
    seen = {name for name in dir(module) if not name.startswith("_")}
    assert seen == {*module.__all__}
    assert [*module.__all__] == sorted(module.__all__)
    for name in module.__all__:
        assert getattr(module, name).__doc__
