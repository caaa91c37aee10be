"""Each pass on small graphs: text before, text after, both with the same results.

A file of `tests/passes` holds the cases of the pass that it is named after. `--update-golden` writes what the
pass makes now: read it before you keep it.
"""

import copy
import re
from dataclasses import dataclass
from pathlib import Path

import numba
import numpy as np
import pytest
from numba import njit
from numba.extending import overload

from adcompiler.analysis.types import enter_types, infer
from adcompiler.graph.layout import Leaf
from adcompiler.graph.read import from_text
from adcompiler.graph.run import run
from adcompiler.graph.text import to_text
from adcompiler.graph.verify import verify
from adcompiler.graph.walk import defined
from adcompiler.pipeline import Style, Unit, apply, passes, primal_graph, through
from adcompiler.watch import without

FOLDER = Path(__file__).parent / "passes"
WORK = np.zeros(3)
NAMES = {"WORK": WORK, "np.float64": np.float64, "np.int64": np.int64}


@dataclass
class Case:
    """A graph before and after a pass.

    Attributes:
        title: what is shown.
        types: types of the arguments.
        before: text of the graph.
        after: text of what the pass makes of it.
    """

    title: str
    types: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"# {self.title}\ntypes: {self.types}\n{self.before}\n->\n{self.after}\n"


def cases(name: str) -> list[Case]:
    """Return the cases of a pass."""
    path = FOLDER / f"{name}.txt"
    found = []
    for text in re.split(r"^# ", path.read_text(), flags=re.MULTILINE)[1:] if path.exists() else []:
        title, types, rest = text.split("\n", 2)
        before, _, after = rest.partition("\n->\n")
        found.append(Case(title, types.removeprefix("types: "), before.strip("\n"), after.strip("\n")))
    return found


def argument_types(case: Case) -> list[numba.types.Type]:
    parts = re.findall(r"\w+: (\w+(?:\[[:,]*\])?)", case.types)
    return [eval(part, vars(numba)) for part in parts]


def sample(kind: numba.types.Type, rng: np.random.Generator) -> object:
    """Return an argument of some type."""
    match kind:
        case numba.types.Array(dtype=numba.complex128):
            return rng.uniform(0.5, 2.0, (4,) * kind.ndim) * (1.0 + 0.5j)
        case numba.types.Array():
            values = rng.uniform(0.5, 2.0, (4,) * kind.ndim)
            return values if kind.dtype == numba.float64 else np.arange(4)
        case numba.types.Integer():
            return 3
        case numba.types.Boolean():
            return True
    return float(rng.uniform(0.5, 2.0))


def results(graph, kinds, seed):
    """Return what a graph returns for some arguments, and what it makes of these."""
    rng = np.random.default_rng(seed)
    given = [sample(kind, rng) for kind in kinds]
    return copy.deepcopy(run(graph, tuple(given))), given


def made(name: str, case: Case) -> str:
    """Return the text of what a pass makes of a graph, after running both."""
    kinds = argument_types(case)
    graph = verify(from_text(case.before, NAMES))
    unit = Unit(graph, arguments=kinds, style=Style(wide_sums=True))
    if kinds:
        enter_types(infer(graph, kinds))
    unit.wrt = [k for k, kind in enumerate(kinds) if "float" in str(kind)]
    apply(passes()[name], unit)
    verify(unit.graph)
    before, after = results(graph, kinds, 1), results(unit.graph, kinds, 1)
    for one, two in zip(before[0], after[0], strict=True):
        np.testing.assert_allclose(np.asarray(two, complex), np.asarray(one, complex), rtol=1e-12)
    return to_text(unit.graph)


CASES = [(name, k) for name in passes() for k in range(len(cases(name)))]


@pytest.mark.parametrize(("name", "k"), CASES)
def test_pass(name, k, update_golden):
    found = cases(name)
    text = made(name, found[k])
    if update_golden:
        found[k].after = text
        (FOLDER / f"{name}.txt").write_text("\n".join(map(str, found)))
    assert text == found[k].after


SHOWN_BELOW = {"buffers", "types", "choices", "divisors", "retype", "finite", "blocks"}
"""Passes whose graphs the text does not hold: what they read are objects, places, types, options."""


@pytest.mark.parametrize("name", [name for name in passes() if name not in SHOWN_BELOW])
def test_pass_has_a_case_that_needs_it(name):
    """Left out, it leaves at least one of its cases as it was."""
    with without(name):
        kept = [made(name, case) != case.after for case in cases(name)]
    assert any(kept), f"tests/passes/{name}.txt has no graph that the pass changes"


@njit
def divided(x, y):
    return x / y


def squared(x):
    return doubled_stub(x) * x


def doubled_stub(x):
    raise NotImplementedError


@overload(doubled_stub)
def _doubled(x):
    return lambda x: 2.0 * x


def fills(x):
    for i in range(3):
        WORK[i] = x[i]
    return WORK[0] * WORK[2]


def lowered(function, kinds, raises=False):
    layouts = [Leaf(kind.ndim if isinstance(kind, numba.types.Array) else 0) for kind in kinds]
    return Unit(primal_graph(function, layouts, raises), arguments=kinds)


def test_buffers():
    vector = numba.float64[:]
    assert "WORK = copy(WORK)" in to_text(lowered(fills, [vector]).graph)
    with without("buffers"):
        assert "copy(WORK)" not in to_text(lowered(fills, [vector]).graph)


def test_types():
    unit = lowered(squared, [numba.float64])
    with without("types"):
        apply(passes()["types"], unit)
    assert {value.type for value in defined(unit.graph.body)} == {None}
    apply(passes()["types"], unit)
    assert {value.type for value in defined(unit.graph.body)} == {numba.float64}


def test_choices():
    unit = lowered(squared, [numba.float64])
    with without("choices"):
        apply(passes()["choices"], unit)
    assert "chosen_overload" in to_text(unit.graph)
    apply(passes()["choices"], unit)
    assert "chosen_overload" not in to_text(unit.graph)


def test_divisors():
    kinds = [numba.float64, numba.float64]
    assert "nonzero(y)" in to_text(through(lowered(divided, kinds, True), "typed").graph)
    with without("divisors"):
        assert "nonzero" not in to_text(through(lowered(divided, kinds, True), "typed").graph)


def test_retype():
    unit = through(lowered(divided, [numba.float64, numba.float64]), "typed")
    (result,) = unit.graph.body.yields
    result.type = None
    with without("retype"):
        apply(passes()["retype"], unit)
    assert result.type is None
    apply(passes()["retype"], unit)
    assert result.type == numba.float64


def test_every_file_belongs_to_a_pass():
    assert {path.stem for path in FOLDER.glob("*.txt")} <= passes().keys()
