"""The pages say what is so: constructs, error codes, and the source that the README shows."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from api_page import GROUPS, api_page
from blocks import run
from corpus import CORPUS
from coverage_page import rules_page
from pages import errors_page, language_page

import adcompiler
from adcompiler import grad
from adcompiler.samples import recurrence

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PACKAGE = ROOT / "adcompiler"
DESIGN = (DOCS / "design.md").read_text()
AT_THE_TOP = {*re.findall(r"`(\w+)`", re.findall(r"^.*serve several stages", DESIGN, re.MULTILINE)[0])}


def check(path, text, update):
    if update:
        path.write_text(text)
    assert path.read_text() == text, "run pytest tests/test_docs.py --update-golden"


def test_table_of_constructs(update_golden):
    page = DOCS / "language.md"
    check(page, language_page(page.read_text()), update_golden)


def test_page_of_refusals(update_golden):
    check(DOCS / "errors.md", errors_page(), update_golden)


def test_page_of_the_api(update_golden):
    assert sorted(" ".join(GROUPS.values()).split()) == sorted(adcompiler.__all__)
    check(DOCS / "api.md", api_page(), update_golden)


def test_page_of_functions(update_golden):
    check(DOCS / "rules.md", rules_page(), update_golden)


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "CONTRIBUTING.md",
        "docs/design.md",
        "docs/coming_from.md",
        "docs/features.md",
        "docs/gallery.md",
    ],
)
def test_files_that_pages_name_exist(page):
    named = re.findall(r"\b(?:\w+/)+\w+\.(?:py|md|txt)\b", (ROOT / page).read_text())
    assert {
        name for name in named if not any((ROOT / at / name).exists() for at in ("", "adcompiler", "docs"))
    } == set()


ROWS = re.findall(r"^      → (\w+) .* {2,}(.*)$", DESIGN, re.MULTILINE)


@pytest.mark.parametrize(("stage", "named"), ROWS)
def test_every_file_stands_in_the_table_of_stages(stage, named):
    files = {path.stem for path in (PACKAGE / stage).glob("*.py")} - {"__init__"}
    assert {*re.findall(r"\w+", re.sub(r"\(.*?\)", "", named))} == files


def test_every_folder_and_file_at_the_top_is_explained():
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert folders == {stage for stage, _ in ROWS} | {"runtime"}
    files = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__", "__main__", "samples"}
    assert files == AT_THE_TOP - {"runtime"}


def test_every_tiny_function_is_in_the_corpus_once():
    names = [function.__name__ for function, _ in CORPUS]
    assert len(names) == len(set(names)) > 200


RUN = [
    "index.md",
    "tutorial.md",
    "how_it_works.md",
    *(f"guide/{path.name}" for path in DOCS.glob("guide/*.md")),
]


@pytest.mark.parametrize("page", RUN)
def test_blocks_run_and_print_what_stands_below_them(page):
    pairs = [*run((DOCS / page).read_text(), {"__name__": "page"}, page)]
    assert pairs
    for found, expected in pairs:
        assert found == expected


def test_readme_shows_what_is_generated():
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert grad(recurrence).source.strip() == blocks[1].strip()


def test_blocks_of_the_readme_run_one_after_the_other():
    """As plain Python: that what is compiled finds the same is proved elsewhere."""
    text = "".join(re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL))
    env = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr
    assert "4 of 4 derivatives agree with complex steps" in done.stdout
