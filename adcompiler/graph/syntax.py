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
ATTRIBUTES = ("shape", "T", "size", "ndim", "dtype")
JOINS = ("np.concatenate", "np.hstack", "np.vstack", "np.stack", "np.column_stack")
"""Functions of a tuple of arrays; in the graph the arrays are arguments of their own."""
IN_PLACE = {f"i{op.removesuffix('_')}": op for op in BINARY}
"""In-place operators, whose output is their first argument if that is an array."""
GUARDS = ("same_size", "at_least")
"""Statements that check what is assumed of sizes."""
METHODS = ("reshape", "copy", "ravel", "flatten", "astype", "item", "pop")
