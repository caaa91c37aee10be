"""The page of all functions: what is known of each, and where its derivative comes from."""

from __future__ import annotations

import ast
import inspect

from adcompiler.definitions import DEFINITIONS
from adcompiler.primitives import CARDS, Spelling, card

ELEMENTWISE = {name: c.partials for name, c in CARDS.items() if c.partials and name != "times"}
STRUCTURED = {name: c for name, c in CARDS.items() if c.vjps or c.spelling is Spelling.JOIN}
STRUCTURED = {name: c for name, c in STRUCTURED.items() if not name.startswith("factors.")}
WHOLE = {name.partition("[")[0] for name in STRUCTURED}

WRITTEN_OUT = {
    "np.clip": "written as np.minimum(np.maximum(x, a), b)",
    "np.einsum": "written as a matrix product where the formula is one, else as loops",
    "np.expand_dims": "written as an index with None",
    "np.transpose": "a view with its axes in another order; so is its adjoint",
    "np.copyto": "an assignment to all elements",
    "np.array": "of numbers and lists",
    "getitem": "elements, slices, masks and arrays of indices; the adjoint is added where the index points",
    "ndim": "a number known before the program runs",
    "recurse": "functions that call themselves: the pullback runs them once more, the tangent along with them",
}
OPERATORS = {
    "add": "a + b",
    "sub": "a - b",
    "mul": "a * b",
    "truediv": "a / b",
    "neg": "-a",
    "pos": "+a",
    "pow": "a ** b",
    "mod": "a % b",
    "matmul": "a @ b",
    "getitem": "a[i]",
    "T": "a.T",
}
INTRODUCTION = """# Every function

What `grad` knows of the functions of Python, NumPy and SciPy. This page is written by the tests
(`pytest tests/test_docs.py --update-golden`) from the cards that the compiler uses. Every function with a
derivative is proved by a generated test: reverse mode against central differences of two step sizes and, where
NumPy takes complex numbers, the complex step; forward mode against differences and against reverse mode, to nine
digits; second derivatives (forward over reverse) against differences of the gradient; on numbers, arrays and
stretched arrays; in double and single precision; uncompiled and compiled. Another test goes through all functions of `math`, `numpy` and `numpy.linalg` that
Numba can type, and fails if one is not here.

{counts}

All of it holds in both modes. Forward mode reads the same line of an elementwise rule and the same text of a
definition.

Conventions: at a kink, the derivative is the mean of the two sides (`max`, `min`, `abs`); `np.max` and
`np.min` share it among equal elements. At the origin the derivative of norms and standard deviations is zero. An adjoint of exactly zero
hands on exactly zero, also where the slope is infinite, so that what a program leaves out does no harm, whatever stands there. What
LAPACK reads only the lower triangle of
(`cholesky`, `eigh`) has a derivative of zero above it. How the vectors of equal eigenvalues
or singular values turn is not determined: what depends on it is NaN, unless the adjoint of these vectors is exactly zero,
while the values have their derivatives. `scipy.linalg.sqrtm`, `logm` (of symmetric positive definite matrices) and `expm` have them there, too.
Matrices in `pinv` and `lstsq` are taken to have full rank. Of the results of `svd`, the vectors of a
rectangle need `full_matrices=False`.
"""


def kind_of(name: str) -> str | None:
    """Return where the derivative of a canonical name comes from."""
    if name in ELEMENTWISE:
        return "elementwise"
    if name in DEFINITIONS:
        return "definition"
    if name in WHOLE or card(name).part_ranks:
        return "structured"
    if name in WRITTEN_OUT:
        return "written out"
    if card(name).is_constant:
        return "constant"
    return "refused" if card(name).refused else None


def rules_page() -> str:
    """Return the text of the page."""
    parts = [
        INTRODUCTION.format(counts=_counts()),
        "## Elementwise\n\n`y` is the result. A derivative with respect to arguments marked *none*, for which there",
        "is no closed form, is refused.\n",
        *_elementwise(),
        "\n## Rules of functions on arrays\n",
        "In forward mode, the tangent of a linear function is the function of the tangents; others have a second rule.\n",
        "| function | axes of the arguments | forward mode |\n| --- | --- | --- |",
        *_structured(),
        "\n## Defined in the language\n",
        "A call is written out as the text of the definition (`adcompiler/definitions`), which is differentiated",
        "like the user's own. **Bold** ones take arguments that Numba alone does not.\n",
        "| function | arguments |\n| --- | --- |",
        *_definitions(),
        "\n## Written out\n",
        *[f"- `{_shown(name)}`: {text}" for name, text in sorted(WRITTEN_OUT.items())],
        "\n## Complex numbers\n",
        COMPLEX_NUMBERS,
        "Known: " + ", ".join(f"`{_shown(name)}`" for name in _analytic()) + ".\n",
        "| function | adjoint of the argument, given `d`, that of the result | tangent, given `t` |\n| --- | --- | --- |",
        *_complex(),
        "\n## Without a derivative\n",
        "Results that change by jumps, or are no floats:",
        ", ".join(f"`{_shown(name)}`" for name in _without_derivative()) + ".",
        "\n## Refused\n",
        "Numba knows these; a derivative that would have to go through them is refused.\n",
        *[f"- `{name}`: {c.refused}" for name, c in sorted(CARDS.items()) if c.refused],
    ]
    return "\n".join(parts) + "\n"


COMPLEX_NUMBERS = """Arguments, results and all between may be complex ([guide](guide/complex.md)). The adjoint of a complex number z is the d for
which the result changes by the real part of d dz, as in JAX: analytic functions keep the rules that they have for real
numbers, and real numbers that complex ones are made of (`x + 1j * y`, `complex(x, y)`) get the real part of what comes
back. `np.histogram` takes complex weights, `np.interp` complex values at real places; of `np.linalg.svd`, singular values have a derivative.
Eigenvectors may be turned by any phase: where it matters, the adjoint is NaN. All functions that are not named here are refused for complex arguments.
"""


def _without_derivative() -> list[str]:
    names = (name for name, c in CARDS.items() if c.is_constant)
    return sorted(n for n in names if "." in n and "[" not in n and not n.startswith("common."))


def _complex() -> list[str]:
    rules = ((name, c.complex_partials) for name, c in sorted(CARDS.items()) if c.complex_partials)
    return [
        f"| `{name}` | `{ast.unparse(rule.partials[0])}` | `{ast.unparse(rule.tangent)}` |"  # type: ignore[arg-type]
        for name, rule in rules
    ]


def _analytic() -> list[str]:
    defined = [name for name, found in DEFINITIONS.items() if all(d.is_analytic for d in found)]
    analytic = (
        n for n, c in CARDS.items() if (c.is_analytic or c.holds_for_complex) and not n.startswith("math.")
    )
    known = {name for name in analytic if kind_of(name) is not None}
    known |= {name.partition("[")[0] for name, c in CARDS.items() if c.complex_vjps}
    return sorted(known | set(defined))


def _shown(name: str) -> str:
    return OPERATORS.get(name, f"scipy.{name}" if name.startswith(("special.", "linalg.")) else name)


def _elementwise() -> list[str]:
    lines = ["| function | derivative with respect to each argument |", "| --- | --- |"]
    for name, rule in sorted(ELEMENTWISE.items(), key=lambda pair: (pair[0].count("."), pair[0])):
        texts = []
        for k, (variable, partial) in enumerate(zip(rule.inputs, rule.partials, strict=True)):
            text = "*none*" if k in rule.unknown else "0" if partial is None else f"`{ast.unparse(partial)}`"
            texts.append(text if len(rule.inputs) == 1 else f"{variable}: {text}")
        lines.append(f"| `{_shown(name)}` | {', '.join(texts)} |".replace("||", "\\|\\|"))
    return lines


def _structured() -> list[str]:
    found: dict[str, set[tuple[int, ...]]] = {}
    for name, c in STRUCTURED.items():
        found.setdefault(name.partition("[")[0], set()).update(ranks for ranks, _ in c.vjps)
    return [
        f"| `{_shown(name)}` | {_ranks(ranks)} | {'linear' if _is_linear(name) else 'a rule'} |"
        for name, ranks in sorted(found.items())
    ]


def _is_linear(name: str) -> bool:
    return card(name).is_linear or card(name).spelling is Spelling.JOIN


def _ranks(found: set[tuple[int, ...]]) -> str:
    if not found:
        return "any, in a tuple"
    singles = sorted(ranks[0] for ranks in found if len({*ranks[1:]} - {0}) == 0)
    if singles and len(singles) == len(found):
        return f"{singles[0]} to {singles[-1]}" if len(singles) > 2 else " or ".join(map(str, singles))
    return ", ".join(" and ".join(map(str, ranks)) for ranks in sorted(found))


MORE_THAN_NUMBA = """
np.sum np.mean np.var np.std np.max np.min np.prod np.ptp np.any np.all np.average np.nansum
np.nanmean np.nanvar np.nanstd np.nanmax np.nanmin np.nanprod np.cumprod np.diff np.median
np.quantile np.trapezoid matmul np.dot np.inner np.tensordot np.linalg.norm np.linalg.multi_dot
linalg.expm linalg.sqrtm linalg.logm np.squeeze np.tile np.pad np.flip np.roll np.compress np.meshgrid np.sort np.argsort
np.linspace np.modf np.repeat special.logsumexp special.softmax special.log_softmax
special.polygamma np.vdot np.diagonal np.interp np.atleast_1d
""".split()


def _definitions() -> list[str]:
    lines = []
    for name, definitions in sorted(DEFINITIONS.items()):
        arguments = ", ".join(inspect.signature(definitions[-1].function).parameters)
        shown = f"**`{_shown(name)}`**" if name in MORE_THAN_NUMBA else f"`{_shown(name)}`"
        lines.append(f"| {shown} | {arguments} |")
    return lines


def _counts() -> str:
    special_count = sum(name.startswith("special.") for name in ELEMENTWISE)
    both = [*ELEMENTWISE, *WHOLE, *DEFINITIONS, *WRITTEN_OUT]
    return (
        f"{len(set(both))} functions and operators can be differentiated: {len(ELEMENTWISE)} elementwise ones\n"
        f"({special_count} of `scipy.special`), {len(WHOLE)} with rules on arrays, {len(DEFINITIONS)} defined in "
        f"the language, {len(WRITTEN_OUT)} written\nout as other ones. HIPS autograd 1.9 has 216 reverse-mode rules, "
        "counted in its table of primitives;\nJAX 0.10 derives its 344 functions in `jax.numpy` and 53 in "
        "`jax.scipy.special` from 200 primitives."
    )
