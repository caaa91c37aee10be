"""The site is built without a warning, and its links lead somewhere."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parent.parent
LINK = re.compile(r'(?:href|src)="([^"]*)"')
OUTSIDE = ("http:", "https:", "mailto:", "data:", "javascript:")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("zensical")
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "docs", folder / "docs")
    shutil.copy(ROOT / "zensical.toml", folder)
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "build" / "site"


def test_links_lead_somewhere(site):
    pages = {path.relative_to(site).as_posix(): path.read_text() for path in site.rglob("*.html")}
    pages.pop("404.html")  # whose links are those of the site's root
    names = {page: {*re.findall(r'\bid="([^"]*)"', text)} for page, text in pages.items()}
    lost = []
    for page, text in pages.items():
        for link in LINK.findall(text):
            place, _, name = unquote(link).partition("#")
            if link.startswith(OUTSIDE):
                continue
            target = ((site / page).parent / place).resolve() if place else site / page
            there = target.relative_to(site.resolve()).as_posix() if target.is_file() else None
            if there is None and not (target / "index.html").is_file():
                lost.append((page, link))
            elif name and there in names and name not in names[there]:
                lost.append((page, link))
    assert not lost


def test_every_page_is_in_the_navigation():
    named = {*re.findall(r'"([\w/]+\.md)"', (ROOT / "zensical.toml").read_text())}
    assert named == {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}


def test_pictures_are_small_and_shown():
    text = "".join(path.read_text() for path in (ROOT / "docs").rglob("*.md"))
    for path in (ROOT / "docs" / "pictures").iterdir():
        assert path.stat().st_size <= 60_000
        assert f"pictures/{path.name}" in text
