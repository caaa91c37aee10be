"""`docs/bridges.md`: its sections run, and print what stands below them; those of packages that are there."""

import contextlib
import io
import linecache
import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parent.parent / "docs" / "bridges.md").read_text()
SECTIONS = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```\n(.*?)^```)?", re.DOTALL | re.MULTILINE)


def run(section, names):
    """Run the blocks of a section; return what each prints, and what the page says."""
    for number, (text, expected) in enumerate(BLOCK.findall(section)):
        printed = io.StringIO()
        place = f"<{section.split()[0]} {number}>"
        linecache.cache[place] = len(text), None, text.splitlines(keepends=True), place
        with contextlib.redirect_stdout(printed):
            exec(compile(text, place, "exec"), names)
        yield printed.getvalue().strip(), expected.strip()


@pytest.mark.parametrize("section", SECTIONS, ids=[section.split()[0] for section in SECTIONS])
def test_section(section):
    package = section.split()[0].lower()
    pytest.importorskip(package)
    names = {"__name__": "page"}
    if section is not SECTIONS[0]:
        list(run(SECTIONS[0], names))
    pairs = list(run(section, names))
    assert pairs
    assert all(found == expected for found, expected in pairs), pairs
