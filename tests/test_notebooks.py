"""Every notebook runs from its first cell to its last; what the cells assert holds."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "examples" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
names = pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])


@pytest.fixture
def nbformat():
    return pytest.importorskip("nbformat")


@names
def test_notebook_runs(path, nbformat):
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute(cwd=FOLDER)


@names
def test_notebook_is_committed_without_outputs(path, nbformat):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert 10 <= len(notebook.cells) <= 20
    assert all("id" in cell and not cell.metadata for cell in notebook.cells)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    assert any("assert " in cell.source for cell in code)


def test_notebooks_are_listed_on_their_page():
    page = (FOLDER.parent.parent / "docs" / "notebooks.md").read_text()
    assert NOTEBOOKS and all(f"`{path.name}`" in page for path in NOTEBOOKS)
