"""Functions that Numba knows, and that are refused where a derivative would have to go through them."""

from adcompiler.primitives.card import Follows
from adcompiler.primitives.deck import enter

enter("math.frexp", refused="its mantissa is the number divided by a power of two: write x / 2.0 ** e")
enter(
    "np.broadcast_arrays",
    refused="it returns views of one element many times: write np.broadcast_to for each array",
)
enter("np.frombuffer", refused="it reads numbers out of bytes")
enter("np.insert", refused="write np.concatenate of the parts before and after")
enter("np.intersect1d", refused="a set of numbers changes by jumps: find indices first, and pick by these")
enter("np.linalg.eig", refused="its results are complex in general: np.linalg.eigh is for symmetric matrices")
enter(
    "np.linalg.eigvals",
    refused="its results are complex in general: np.linalg.eigh is for symmetric matrices",
)
enter("np.resize", refused="it repeats elements as needed: write np.tile or np.repeat, and reshape")
enter("np.roots", refused="its results are complex in general")
enter("np.setdiff1d", refused="a set of numbers changes by jumps: find indices first, and pick by these")
enter("np.setxor1d", refused="a set of numbers changes by jumps: find indices first, and pick by these")
enter("np.trim_zeros", refused="the size of its result changes by jumps: find the bounds first, and slice")
enter("np.union1d", refused="a set of numbers changes by jumps: write np.concatenate and np.sort")
enter(
    "np.unique",
    follows=Follows.VECTOR,
    refused="a set of numbers changes by jumps: write np.sort, or find indices first, and pick by these",
)
