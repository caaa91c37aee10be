"""The pages say what is so: constructs, error codes, and the source that the README shows."""

import re
from pathlib import Path

import pytest
from corpus import CORPUS

from adcompiler import grad
from adcompiler.errors import CODES
from adcompiler.samples import recurrence

ROOT = Path(__file__).parent.parent
LANGUAGE = (ROOT / "docs" / "language.md").read_text()


def test_constructs_are_shown_by_the_corpus():
    names = {function.__name__ for function, _ in CORPUS}
    rows = [line.split("|")[3] for line in LANGUAGE.splitlines() if line.startswith("|")][2:]
    shown = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert len(shown) > 60
    assert shown <= names


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_documented(code):
    page = (ROOT / "docs" / "errors.md").read_text()
    what, cure = CODES[code]
    assert f"## {code}: {what}" in page
    assert cure in page


def test_readme_shows_what_is_generated():
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert grad(recurrence).source.strip() == blocks[1].strip()
