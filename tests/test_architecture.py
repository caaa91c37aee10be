"""A stage imports only what stands to its left; files stay short."""

import ast
from pathlib import Path

import pytest

import adcompiler
from adcompiler.primitives import is_known

ROOT = Path(adcompiler.__file__).parent
STAGES = [
    "enabled",
    "source",
    "errors",
    "primitives",
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
    "specialised",
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


@pytest.mark.parametrize("path", FILES, ids=[str(p.relative_to(ROOT)) for p in FILES])
def test_files_stay_short(path):
    assert len(path.read_text().splitlines()) <= 500


@pytest.mark.parametrize("path", FILES, ids=[str(p.relative_to(ROOT)) for p in FILES])
def test_names_of_primitives_are_listed_on_cards_only(path):
    """Three names in one display are a table."""
    if path.relative_to(ROOT).parts[0] in ("primitives", "definitions", "runtime"):
        return
    types = {"float64", "float32", "int64", "bool", "np.float64", "np.int64", "np.bool_", "boolean"}
    types |= {"float", "int"}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Set | ast.Tuple | ast.List | ast.Dict):
            items = node.keys if isinstance(node, ast.Dict) else node.elts
            texts = [item.value for item in items if isinstance(item, ast.Constant)]
            names = [t for t in texts if isinstance(t, str) and t not in types and is_known(t)]
            assert len(names) < 3, f"line {node.lineno}: {names} belong on cards"
