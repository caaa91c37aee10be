"""The gradient of square (typed.py, line 17).

types as called: x: float64
Written by adcompiler 1.0.0.

It is compiled for these types when it is imported.
"""
# ruff: noqa - generated: names and tests are as they are meant

from numba import njit, types


@njit([(types.float64,)], error_model="numpy", cache=True)
def square_grad(x):
    """Return the gradient of square with respect to x."""
    # def square(x): return x**2
    d_x = 2.0 * x
    return d_x
