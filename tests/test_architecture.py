"""A stage imports only what stands to its left, no file imports itself through others; files stay short."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import adcompiler
from adcompiler.primitives import is_known

ROOT = Path(adcompiler.__file__).parent
STAGES = [
    "enabled",
    "quiet",
    "source",
    "errors",
    "turns",
    "portable",
    "primitives",
    "graph",
    "watch",
    "helpers_compiled",
    "custom",
    "optim",
    "definitions",
    "frontend",
    "runtime",
    "analysis",
    "rules",
    "simplify",
    "prepare",
    "reverse",
    "storage",
    "forward",
    "loops",
    "polish",
    "threads",
    "lanes",
    "sets",
    "emit",
    "unit",
    "unit_passes",
    "pipeline",
    "explain",
    "standalone",
    "c_code",
    "sparse",
    "api",
    "integrators",
    "bridges",
    "distributed",
    "testing",
    "command_line",
    "__main__",
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


def test_no_file_is_called_like_another():
    names = [path.name for path in FILES]
    assert not {name for name in names if names.count(name) > 1}


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


@pytest.mark.parametrize("path", FILES, ids=[str(p.relative_to(ROOT)) for p in FILES])
def test_files_stay_short(path):
    assert len(path.read_text().splitlines()) <= 450


@pytest.mark.parametrize(("name", "most"), [("nodes", 150), ("run", 120)])
def test_the_graph_and_its_meaning_stand_on_a_page_each(name, most):
    assert len((ROOT / "graph" / f"{name}.py").read_text().splitlines()) <= most


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


def test_functions_stay_short():
    """Nine of ten functions have at most 20 lines, docstrings included."""
    trees = (ast.parse(path.read_text()) for path in FILES)
    functions = [n for tree in trees for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    lengths = sorted(n.end_lineno - n.lineno + 1 for n in functions)
    assert lengths[len(lengths) * 9 // 10] <= 20


def test_mypy_is_silenced_seldom():
    assert sum(path.read_text().count("type: ignore") for path in FILES) < 30


def test_no_dict_of_types_is_handed_through():
    """Values know their types: only what infers them holds them in a dict."""
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                assert "types" not in {arg.arg for arg in node.args.args}, f"{path}:{node.lineno}"
