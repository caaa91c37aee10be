"""Functions that stand for those of libm in loops that LLVM vectorises."""

from typing import Any

from adcompiler.primitives.card import Follows, Gives
from adcompiler.primitives.deck import enter

_OF_ONE: dict[str, Any] = {"arity": (1, 1), "follows": Follows.BROADCAST, "gives": Gives.REAL}
_OF_TWO = _OF_ONE | {"arity": (2, 2)}
for _width in ("", "32"):
    for _name in ("exp", "expm1", "log", "log1p", "log2", "tanh", "sinh", "cosh", "erf"):
        enter(f"fast.{_name}{_width}", **_OF_ONE)
    enter(f"fast.sin{_width} fast.cos{_width} fast.atan{_width}", **_OF_ONE)
    enter(f"fast.atan2{_width} fast.pow{_width}", **_OF_TWO)
enter("fast.add_up", arity=(2, 2), follows=Follows.NUMBER)
