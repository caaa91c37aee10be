"""A stage imports only what stands to its left, no file imports itself through others; files stay short."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import adcompiler

ROOT = Path(adcompiler.__file__).parent
STAGES = [
    "enabled",
    "source",
    "errors",
    "graph",
    "watch",
    "custom",
    "seen",
    "definitions",
    "frontend",
    "runtime",
    "analysis",
    "rules",
]
STAGES += [
    "optimize",
    "transform",
    "backend",
    "arguments",
    "checks",
    "callees",
    "pipeline",
    "matrices",
    "compile",
    "view",
    "footprint",
    "explain",
    "api",
    "pullback",
    "pushforward",
    "second_order",
    "testing",
    "inside_numba",
]
# The graph's interpreter and the writer call the helper functions of generated code.
RANK = {stage: k for k, stage in enumerate(STAGES)} | {"runtime": -1}
FILES = sorted(p for p in ROOT.rglob("*.py") if p.stem not in ("__init__", "samples"))


@pytest.mark.parametrize("path", FILES, ids=[str(p.relative_to(ROOT)) for p in FILES])
def test_imports_run_one_way(path):
    own = path.relative_to(ROOT).with_suffix("").parts[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("adcompiler."):
            other = node.module.split(".")[1]
            assert RANK[other] <= RANK[own], f"{own} imports {other}"


def module_name(path):
    """Return the dotted name of a file; a package is called as its folder."""
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path, modules):
    """Yield the modules that a file imports anywhere in it, also inside functions and for type checkers."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path} imports by a relative name"
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                if submodule in modules:
                    yield submodule
                elif node.module in modules:
                    yield node.module


def ring(imports):
    """Return a ring of modules, each imported by the next one; None if there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return error.args[1]
    return None


def test_no_file_imports_itself_through_others():
    modules = {module_name(path): path for path in ROOT.rglob("*.py")}
    found = ring({name: {*imported(path, modules)} for name, path in modules.items()})
    assert found is None, " <- ".join(found)


def test_a_ring_is_found(tmp_path):
    texts = {
        "p.a": "from p import b",
        "p.b": "def f():\n    from p.c import g",
        "p.c": "if TYPE_CHECKING:\n    import p.a",
        "p.d": "from p.a import b",
    }
    modules = {name: tmp_path / f"{name}.py" for name in texts}
    for name, path in modules.items():
        path.write_text(texts[name])
    found = ring({name: {*imported(path, modules)} for name, path in modules.items()})
    assert sorted(found[1:]) == ["p.a", "p.b", "p.c"]


LONGEST = {"frontend": 450, "transform": 450}
"""The most lines of a file by folder; 500 elsewhere.

Above 450 are api.py, graph/python.py, definitions/shapes.py and analysis/shapes.py.
"""


@pytest.mark.parametrize("path", FILES, ids=[str(p.relative_to(ROOT)) for p in FILES])
def test_files_stay_short(path):
    assert len(path.read_text().splitlines()) <= LONGEST.get(path.parent.name, 500)
