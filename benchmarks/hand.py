"""How adjoints by hand are compiled: with the freedom that the generated code has."""

from __future__ import annotations

from numba import njit

by_hand = njit(error_model="numpy", fastmath={"reassoc", "nsz"})
