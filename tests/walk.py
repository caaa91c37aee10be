"""A newcomer's walk: the built wheel in an empty environment, outside of the checkout, step by step.

    python tests/walk.py                                  # with the Python that runs this
    python tests/walk.py python3.11 python3.12 python3.13 --examples

Builds the wheel, and for each Python makes an environment that holds it and nothing else; plays README and
tutorial, each in two processes; types commands, right and wrong ones; runs exports where adcompiler cannot be
imported; takes pictures of a page if there is Chromium. Each step says how many seconds of processor time it
took; the first that goes wrong ends the walk.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
SETTINGS = dict.fromkeys(("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PIP_QUIET"), "1")
MODEL = '''"""An epidemic, fitted to cases: a file as people have it."""

import math

import numpy as np

CASES = np.array([1.0, 2.0, 4.0, 7.0, 12.0])


def spread(s, i, beta, gamma):
    return s - 0.1 * beta * s * i, i + 0.1 * (beta * s - gamma) * i


def likelihood(theta, cases):
    beta, gamma = math.exp(theta[0]), math.exp(theta[1])
    s, i, total = 0.99, 0.01, 0.0
    for day in range(len(cases)):
        for _ in range(10):
            s, i = spread(s, i, beta, gamma)
        total += 1000.0 * i - cases[day] * math.log(1000.0 * i)
    return total


def reads_a_file(x):
    with open("x") as file:
        return x * float(file.read())
'''
AT = "--args 'np.array([0.5, -1.0]), CASES'"
COMMANDS = (
    ("doctor", 0, "self-test: passed"),
    ("show model.py:likelihood --mode grad", 0, "def likelihood_grad(theta, cases):"),
    (f"check model.py:likelihood {AT} --wrt theta,cases", 0, "7 of 7 derivatives agree"),
    (f"bench model.py:likelihood {AT}", 0, "value and gradient"),
    (f"graph model.py:likelihood {AT} -o page.html", 0, "wrote page.html"),
    (f"export model.py:likelihood {AT} -o exported.py", 0, "wrote exported.py"),
    (f"export model.py:likelihood {AT} -o exported.c", 0, "wrote exported_main.c"),
    ("warm model:likelihood --args 'float64[::1], float64[::1]'", 0, "compiled for 1"),
    ("cache info", 0, "likelihood_value_and_grad"),
    ("show model.py:likelyhood", 2, "did you mean 'likelihood'?"),
    ("show model.py:reads_a_file", 2, "[AD101] statement not supported"),
    ("check model.py:likelihood", 2, "check needs values of the arguments"),
    (
        "check model.py:likelihood --args 'np.zeros(1), CASES'",
        2,
        "with theta of shape (1,), cases of shape (5,)",
    ),
    ("export model.py:likelihood -o nowhere/x.py", 2, "No such file or directory"),
    ("cache clear", 0, "removed"),
)
NOTEBOOK = """import sys, nbformat, nbclient
nbclient.NotebookClient(nbformat.read(sys.argv[1], 4)).execute()
"""
ALONE = """import sys, numpy as np
sys.modules["adcompiler"] = None
from exported import likelihood_value_and_grad
value, slope = likelihood_value_and_grad(np.array([0.5, -1.0]), np.array([1.0, 2.0, 4.0, 7.0, 12.0]))
print(f"total = {value!r}"), print("d_theta =", *slope.tolist())
"""
PLAYED = """import sys
from adcompiler.emit.disk import kept
exec(compile(open(sys.argv[1]).read(), sys.argv[1], "exec"))
print("kept:", len([file for file in kept() if file.is_entry]))
"""


@dataclass
class Walk:
    """One Python's environment, and the folder in which its user works."""

    python: Path
    folder: Path

    def run(self, what: str, command: list[str], status: int = 0, words: str = "") -> str:
        """Run a step, say what it took, and return what it printed; the walk ends where it surprises."""
        env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "ADCOMPILER_"))}
        env |= SETTINGS | {"ADCOMPILER_CACHE": str(self.folder / "cache")}
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f"{seconds:8.2f} s  {what}", flush=True)
        said = done.stdout + done.stderr
        if done.returncode != status or words not in said or "Traceback" in said:
            sys.exit(f"status {done.returncode} where {status} and {words!r} belong:\n{said}")
        return done.stdout

    def read_and_type(self) -> None:
        """Play the pages that come first, each as one file: the second process has nothing to compile."""
        for page in ("README.md", "docs/tutorial.md"):
            blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
            (self.folder / "typed.py").write_text("".join(blocks))
            played = [str(self.python), "-c", PLAYED, "typed.py"]
            first, second = (self.run(f"{page}, {how}", played) for how in ("typed in", "once more"))
            kept = [re.findall(r"^kept: (\d+)$", text, re.MULTILINE) for text in (first, second)]
            assert kept[0] == kept[1] != ["0"], f"the second process compiled: {kept}"

    def command(self) -> None:
        """Type each command, and what one types wrong."""
        (self.folder / "model.py").write_text(MODEL)
        for command, status, words in COMMANDS:
            typed = [str(self.python.parent / "adcompiler"), *shlex.split(command)]
            self.run(f"adcompiler {command}", typed, status, words)

    def deploy(self) -> None:
        """Run what was exported where there is no adcompiler, in Python and in C."""
        expected = self.run("exported.py, without adcompiler", [str(self.python), "-c", ALONE])
        if shutil.which("cc") is None:
            return
        flags = ["-std=c99", "-O3", "-Wall", "-Wextra", "-Werror"]
        self.run("cc", ["cc", *flags, "exported.c", "exported_main.c", "-lm", "-o", "exported"])
        found = self.run("exported.c", [str(self.folder / "exported")])
        ours, theirs = ([float(n) for n in re.findall(r" (-?[\d.]+)", text)] for text in (expected, found))
        assert len(ours) == 3 and all(map(math.isclose, ours, theirs)), (ours, theirs)

    def look(self) -> None:
        """Take pictures of the page for people to look at: wide and narrow, light and dark."""
        browser = shutil.which("chromium") or shutil.which("google-chrome")
        for width, scheme in ((1400, 1), (1400, 0), (500, 1), (500, 0)) if browser else ():
            picture = f"page_{width}_{'dark' if scheme == 0 else 'light'}.png"
            options = [f"--user-data-dir={self.folder / 'browser'}", f"--window-size={width},1600"]
            options += ["--headless", "--no-sandbox", "--disable-gpu", f"--screenshot={picture}"]
            options += [f"--blink-settings=preferredColorScheme={scheme}", f"file://{self.folder}/page.html"]
            self.run(f"{self.folder / picture}", [str(browser), *options])

    def examples(self, wheel: Path) -> None:
        """Install what the gallery and the notebooks need, and run each of them."""
        install = [str(self.python), "-m", "pip", "install", f"{wheel}[examples,notebooks]"]
        self.run("pip install, with extras", install)
        shutil.copytree(ROOT / "examples", self.folder / "examples", dirs_exist_ok=True)
        for path in sorted((self.folder / "examples").glob("*.py")):
            if path.stem not in ("__init__", "all_pictures", "dask_training"):
                self.run(f"examples/{path.name}", [str(self.python), str(path)])
        for path in sorted((self.folder / "examples" / "notebooks").glob("*.ipynb")):
            self.run(path.name, [str(self.python), "-c", NOTEBOOK, str(path)])


def walks(pythons: list[str], wheel: Path, home: Path) -> Iterator[Walk]:
    """Make an environment for each Python, and install the wheel."""
    for name in pythons:
        folder = home / Path(name).name
        folder.mkdir()
        walk = Walk(folder / "venv" / "bin" / "python", folder)
        walk.run(f"{name} -m venv", [name, "-m", "venv", "venv"])
        walk.run(f"pip install {wheel.name}", [str(walk.python), "-m", "pip", "install", str(wheel)])
        yield walk


def main() -> None:
    """Read what is asked for, build the wheel, and walk."""
    parser = argparse.ArgumentParser(description="A newcomer's walk with the built wheel.")
    parser.add_argument("pythons", nargs="*", default=[sys.executable], help="interpreters to walk with")
    parser.add_argument("--examples", action="store_true", help="run gallery and notebooks, too: minutes")
    given = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="walk-"))
    source, outside = home / "source", shutil.ignore_patterns(".*", "build", "__pycache__")
    shutil.copytree(ROOT, source, ignore=outside)
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", str(source), "-w", str(home)]
    Walk(Path(sys.executable), home).run("pip wheel", build)
    (wheel,) = home.glob("*.whl")
    for walk in walks(given.pythons, wheel, home):
        walk.read_and_type()
        walk.command()
        walk.deploy()
        walk.look()
        if given.examples:
            walk.examples(wheel)


if __name__ == "__main__":
    main()
