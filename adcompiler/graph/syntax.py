"""Primitives that are written as operators, attributes or methods."""

from __future__ import annotations

import ast

BINARY: dict[str, type[ast.operator]] = {
    "add": ast.Add,
    "sub": ast.Sub,
    "mul": ast.Mult,
    "truediv": ast.Div,
    "floordiv": ast.FloorDiv,
    "mod": ast.Mod,
    "pow": ast.Pow,
    "matmul": ast.MatMult,
    "and_": ast.BitAnd,
    "or_": ast.BitOr,
    "xor": ast.BitXor,
    "lshift": ast.LShift,
    "rshift": ast.RShift,
}
COMPARE: dict[str, type[ast.cmpop]] = {
    "eq": ast.Eq,
    "ne": ast.NotEq,
    "lt": ast.Lt,
    "le": ast.LtE,
    "gt": ast.Gt,
    "ge": ast.GtE,
}
UNARY: dict[str, type[ast.unaryop]] = {
    "neg": ast.USub,
    "pos": ast.UAdd,
    "not": ast.Not,
    "invert": ast.Invert,
}
ALLOCATIONS = (
    "np.empty",
    "np.zeros",
    "np.ones",
    "np.full",
    "np.empty_like",
    "np.zeros_like",
    "np.ones_like",
    "np.full_like",
)
"""Functions that make an array of its own."""
ATTRIBUTES = ("shape", "T", "size", "ndim", "dtype")
JOINS = ("np.concatenate", "np.hstack", "np.vstack", "np.stack", "np.column_stack")
"""Functions of a tuple of arrays; in the graph the arrays are arguments of their own."""
DECOMPOSITIONS = {
    "np.linalg.eigh": ("values", "vectors"),
    "np.linalg.qr": ("q", "r"),
    "np.linalg.svd": ("u", "s", "vt"),
    "np.linalg.slogdet": ("sign", "logarithm"),
}
"""Functions that return several arrays, and names for what they return."""
PARTS = DECOMPOSITIONS | {"np.linalg.solve": ("factors", "result"), "custom": ("result",)}
"""Functions whose results are read by rules, too.

In the graph, `np.linalg.qr[1]` of a matrix and of what the function returned for it is the second of these,
seen as a function of the matrix.
"""


def part_of(fn: str, count: int) -> int | None:
    """Return which of its arguments a primitive such as `np.linalg.qr[1]` stands for; None for all else.

    >>> part_of("np.linalg.qr[1]", 3), part_of("np.linalg.qr", 1)
    (2, None)
    """
    if not fn.endswith("]"):
        return None
    name, _, position = fn[:-1].partition("[")
    return count - len(PARTS[name]) + int(position)


IN_PLACE = {f"i{op.removesuffix('_')}": op for op in BINARY}
"""In-place operators, whose output is their first argument if that is an array."""
GUARDS = ("same_size", "at_least", "fits", "fills", "in_bounds", "all_in_bounds", "nonzero")
"""Statements that check what is assumed: of sizes, of indices, and of divisors."""
METHODS = ("reshape", "copy", "ravel", "flatten", "astype", "item", "pop")
