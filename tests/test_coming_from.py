"""`docs/coming_from.md`: what stands there for this package runs, and gives what the page says."""

import re
from pathlib import Path

import numpy as np
import pytest

PAGE = (Path(__file__).parent.parent / "docs" / "coming_from.md").read_text()
ROW = re.compile(
    r"^\| (?P<what>.+?) \|(?: .+ \|)?? `(?P<here>[^`]+)` \| `(?P<gives>[^`]+)` \|$", re.MULTILINE
)
ROWS = [(match["what"], match["here"], match["gives"]) for match in ROW.finditer(PAGE)]


def run(text, path, names):
    """Run text from a file of its own, where its functions find their text."""
    path.write_text(text)
    exec(compile(text, str(path), "exec"), names)


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """Return what the blocks of the page define."""
    found = {"__name__": "coming_from"}
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    run("\n".join(blocks), tmp_path_factory.mktemp("page") / "coming_from.py", found)
    return found


def assert_same(found, expected):
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for key, item in expected.items():
            assert_same(found[key], item)
    elif isinstance(expected, tuple):
        assert isinstance(found, tuple) and len(found) == len(expected)
        for item, other in zip(found, expected, strict=True):
            assert_same(item, other)
    elif isinstance(expected, (str, bool)):
        assert found == expected
    else:
        assert np.shape(found) == np.shape(expected)
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_every_row_of_code_is_read():
    results = re.findall(r"^\|.*\| `[^`]+` \| `[^`]+` \|$", PAGE, re.MULTILINE)
    assert len(ROWS) == len(results) > 70


@pytest.mark.parametrize(("what", "here", "gives"), ROWS)
def test_a_row(names, tmp_path, what, here, gives):
    run(f"found = {here}\n", tmp_path / "row.py", names)
    assert_same(names["found"], eval(gives))
