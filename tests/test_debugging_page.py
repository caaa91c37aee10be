"""`docs/debugging.md`: its blocks run one after the other, and print or raise what stands below them."""

import contextlib
import io
import re
from pathlib import Path

PAGE = (Path(__file__).parent.parent / "docs" / "debugging.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```\n(?:\n```\n(.*?)^```)?", PAGE, re.DOTALL | re.MULTILINE)


def outcome(text, path, names):
    """Return what a block prints, and what it raises."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(text, str(path), "exec"), names)
        except FloatingPointError as error:
            return f"{printed.getvalue()}{error}"
    return printed.getvalue()


def test_blocks_run_and_say_what_is_shown(tmp_path):
    path, names, before = tmp_path / "model.py", {"__name__": "model"}, 0
    path.write_text("\n".join(text for text, _ in BLOCKS))
    shown = 0
    for text, expected in BLOCKS:
        found = outcome("\n" * before + text, path, names).replace(str(path), "model.py")
        before += text.count("\n") + 1
        if expected:
            shown += 1
            assert found.strip() == re.sub(r"^adcompiler\S+Error: ", "", expected).strip()
    assert shown >= 2
