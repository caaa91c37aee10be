"""`docs/bridges.md`: its sections run, and print what stands below them; those of packages that are there."""

import re
from pathlib import Path

import pytest
from blocks import run

PAGE = (Path(__file__).parent.parent / "docs" / "bridges.md").read_text()
SECTIONS = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]


@pytest.mark.filterwarnings("ignore")  # other packages warn of what will become of them
@pytest.mark.parametrize("section", SECTIONS, ids=[section.split()[0] for section in SECTIONS])
def test_section(section):
    package = section.split()[0].lower().replace("pytorch", "torch").strip(",")
    pytest.importorskip(package)
    names = {"__name__": "page"}
    if section is not SECTIONS[0]:
        list(run(SECTIONS[0], names, "start"))
    pairs = list(run(section, names, package))
    assert pairs
    assert all(found == expected for found, expected in pairs), pairs
