"""Functions that Numba knows, and that are refused where a derivative would have to go through them."""

REFUSED = {
    "math.frexp": "its mantissa is the number divided by a power of two: write x / 2.0 ** e",
    "np.broadcast_arrays": "it returns views of one element many times: write np.broadcast_to for each array",
    "np.frombuffer": "it reads numbers out of bytes",
    "np.insert": "write np.concatenate of the parts before and after",
    "np.intersect1d": "a set of numbers changes by jumps: find indices first, and pick by these",
    "np.linalg.eig": "its results are complex in general: np.linalg.eigh is for symmetric matrices",
    "np.linalg.eigvals": "its results are complex in general: np.linalg.eigh is for symmetric matrices",
    "np.resize": "it repeats elements as needed: write np.tile or np.repeat, and reshape",
    "np.roots": "its results are complex in general",
    "np.setdiff1d": "a set of numbers changes by jumps: find indices first, and pick by these",
    "np.setxor1d": "a set of numbers changes by jumps: find indices first, and pick by these",
    "np.trim_zeros": "the size of its result changes by jumps: find the bounds first, and slice",
    "np.union1d": "a set of numbers changes by jumps: write np.concatenate and np.sort",
    "np.unique": "a set of numbers changes by jumps: write np.sort, or find indices first, and pick by these",
}
"""Name, and the reason with a way out."""
