"""Generated text is written with the forms of `docs/palette.md`, whose costs are known."""

import ast
import re
from pathlib import Path

import pytest

from adcompiler.primitives import CARDS

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "palette.md").read_text()
PALETTE = {*re.findall(r"np\.\w+(?:\.\w+)?", PAGE)}
GOLDEN = sorted((ROOT / "tests" / "golden").glob("*.py"))


def calls(text):
    found = {ast.unparse(node.func) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)}
    return {name for name in found if name.startswith("np.")}


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_calls_of_numpy_are_on_the_palette(path):
    program, generated = path.read_text().split("# ==== generated ====")
    elementwise = {name for name, card in CARDS.items() if card.is_elementwise or card.is_step}
    assert calls(generated) <= PALETTE | elementwise | calls(program)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_arrays_are_not_added_to_parts_without_a_name(path):
    """`a[k] += v` costs 2 s where `row = a[k]; row += v` costs 0.1 s."""
    generated = ast.parse(path.read_text().split("# ==== generated ====")[1])
    for node in ast.walk(generated):
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Subscript):
            slices = [part for part in ast.walk(node.target.slice) if isinstance(part, ast.Slice)]
            assert not slices, ast.unparse(node)
