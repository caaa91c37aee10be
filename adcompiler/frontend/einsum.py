"""`np.einsum`: its formula is known, so that it becomes a matrix product or a nest of loops."""

from __future__ import annotations

from collections import Counter

import gast
import numpy as np

from adcompiler.definitions.common import zeros
from adcompiler.frontend import defined, inlining, tuples
from adcompiler.frontend.bindings import Binding
from adcompiler.frontend.parse import parse
from adcompiler.frontend.state import Lowering
from adcompiler.frontend.texts import function_of
from adcompiler.graph.nodes import Literal


def contracted(state: Lowering, node: gast.Call, name: str | None) -> Binding:
    """Lower `np.einsum("ij,jk->ik", a, b)`."""
    formula = state.binding(node.args[0])
    if not (isinstance(formula, Literal) and isinstance(formula.value, str)) or node.keywords:
        raise state.refuse("AD102", "np.einsum needs a formula such as 'ij,jk->ik', and arrays", node)
    arrays = tuples.items(state, node.args[1:])
    terms, result = split_formula(formula.value)
    if not set(result) <= set("".join(terms)) or len(set(result)) < len(result):
        raise state.refuse("AD102", f"the result '{result}' of the formula is not made of its letters", node)
    if not formula.value.replace(" ", "").replace(",", "").replace("->", "").isalpha():
        raise state.refuse("AD102", "np.einsum with '...' is not part of the language", node)
    if len(terms) != len(arrays):
        raise state.refuse("AD102", f"the formula is for {len(terms)} arrays, not {len(arrays)}", node)
    is_copy = len(terms) == 1 and set(terms[0]) == set(result)
    if result and is_copy and _without_loops(terms, result) is None:
        arrays = [defined.of_reals(state, node, "np.einsum without sums", array) for array in arrays]
    known = {"np": np, "zeros": zeros, "__name__": __name__}
    source = parse(function_of(program(terms, result), known, "a formula"))
    start, where = len(state.nodes), state.where(node)
    env = inlining.bind_parameters(state, node, source, None, arrays, {})
    found = inlining.inline(state, source, env, None, name)
    state.nodes[start:] = [defined.relocated(made, where) for made in state.nodes[start:]]
    return found


def split_formula(formula: str) -> tuple[list[str], str]:
    """Return the letters of each array and of the result.

    >>> split_formula("ij,jk->ik"), split_formula("ij,jk"), split_formula("ii")
    ((['ij', 'jk'], 'ik'), (['ij', 'jk'], 'ik'), (['ii'], ''))
    """
    left, arrow, result = formula.replace(" ", "").partition("->")
    if not arrow:
        counts = Counter(left.replace(",", ""))
        result = "".join(sorted(letter for letter, count in counts.items() if count == 1))
    return left.split(","), result


def program(terms: list[str], result: str) -> str:
    """Return the text of a function that computes a formula.

    >>> print(program(["ij", "jk"], "ki"))
    def einsum(x1, x2):
        return np.transpose(np.tensordot(x1, x2, axes=((1,), (0,))), (1, 0))
    >>> print(program(["ij"], "i"))
    def einsum(x1):
        y = zeros((x1.shape[0],), x1)
        for j in range(x1.shape[1]):
            for i in range(x1.shape[0]):
                y[i] += x1[i, j]
        return y
    """
    names = [f"x{k + 1}" for k in range(len(terms))]
    head = f"def einsum({', '.join(names)}):"
    found = _without_loops(terms, result)
    lines = [f"    return {found}"] if found is not None else _nest(names, terms, result)
    return "\n".join([head, *lines])


def _nest(names: list[str], terms: list[str], result: str) -> list[str]:
    """Return the lines of a function that sums in a nest of loops, one for each letter."""
    where: dict[str, str] = {}
    lines = []
    for name, term in zip(names, terms, strict=True):
        for axis, letter in enumerate(term):
            size = f"{name}.shape[{axis}]"
            if letter in where:
                lines.append(f'    assert {size} == {where[letter]}, "sizes differ along {letter}"')
            where.setdefault(letter, size)
    summed = [letter for letter in where if letter not in result]
    order = [*result[:-1], *summed, *result[-1:]]
    factors = " * ".join(f"{n}[{', '.join(term)}]" for n, term in zip(names, terms, strict=True))
    shape = "".join(f"{where[letter]}, " for letter in result).rstrip(" " if len(result) == 1 else ", ")
    lines.append(f"    y = zeros(({shape}), {', '.join(names)})" if result else "    y = 0.0")
    for depth, letter in enumerate(order):
        lines.append(f"{'    ' * (depth + 1)}for {letter} in range({where[letter]}):")
    target = f"y[{', '.join(result)}]" if result else "y"
    return [*lines, f"{'    ' * (len(order) + 1)}{target} += {factors}", "    return y"]


def _without_loops(terms: list[str], result: str) -> str | None:
    return _turned(terms, result) or _matrix_product(terms, result)


def _turned(terms: list[str], result: str) -> str | None:
    """Return the array itself with its axes in another order: NumPy does not copy it."""
    if len(terms) > 1 or len(set(terms[0])) < len(terms[0]) or len(terms[0]) > len(result):
        return None
    order = tuple(terms[0].index(letter) for letter in result)
    return f"np.transpose(x1, {order})"


def _matrix_product(terms: list[str], result: str) -> str | None:
    """Return the product of two arrays without repeated letters, summed over all that they share."""
    if len(terms) != 2 or any(len(set(term)) < len(term) for term in (*terms, result)):
        return None
    one, two = terms
    shared = [letter for letter in one if letter in two]
    rest = [letter for letter in one + two if letter not in shared]
    if not shared or not rest or set(rest) != set(result):
        return None
    axes = tuple(tuple(term.index(letter) for letter in shared) for term in terms)
    product = f"np.tensordot(x1, x2, axes={axes})"
    order = tuple(rest.index(letter) for letter in result)
    return product if order == tuple(sorted(order)) else f"np.transpose({product}, {order})"
