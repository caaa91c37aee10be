"""Code blocks of pages, run one after the other: what they print is what stands below them."""

import contextlib
import io
import linecache
import re

BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```\n(.*?)^```)?", re.DOTALL | re.MULTILINE)


def run(text, names, title):
    """Run the blocks of a text; return what each prints, and what the text says."""
    for number, (block, expected) in enumerate(BLOCK.findall(text)):
        printed = io.StringIO()
        place = f"<{title} {number}>"
        linecache.cache[place] = len(block), None, block.splitlines(keepends=True), place
        with contextlib.redirect_stdout(printed):
            exec(compile(block, place, "exec"), names)
        yield printed.getvalue().strip(), expected.strip()
