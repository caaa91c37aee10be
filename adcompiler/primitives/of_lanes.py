"""Numbers of several lanes: how they are made, and what takes them under another name (`Card.in_lanes`)."""

from typing import Any

from adcompiler.primitives.card import Follows, Shows, Vanishes
from adcompiler.primitives.deck import enter

_OF_ARRAY: dict[str, Any] = {"arity": (1, 1), "follows": Follows.SAME_SHAPE, "reads_elements": False}
enter("lanes.of", arity=(1, 1), shows=Shows.FIRST)
enter("lanes.numbers", arity=(1, 1), shows=Shows.FIRST)
enter("lanes.spread", arity=(1, 1), hint="zero", follows=Follows.NUMBER)
enter("lanes.times", arity=(2, 2), hint="mul", follows=Follows.BROADCAST, vanishes=Vanishes.WITH_ANY)
enter("lanes.add lanes.sub lanes.mul lanes.truediv", arity=(2, 2), follows=Follows.BROADCAST)
enter("lanes.neg", arity=(1, 1), follows=Follows.SAME_SHAPE)
enter("lanes.add_to", arity=(2, 2), writes_first=True, is_pure=False, is_statement=True)
enter("lanes.matmul", arity=(2, 2), follows=Follows.PRODUCT)
enter("lanes.full", arity=(2, 2), follows=Follows.GIVEN)
enter("lanes.full_like", arity=(2, 2), follows=Follows.SAME_SHAPE)
enter("lanes.longer", arity=(1, 1))
enter("lanes.zeros lanes.empty", arity=(1, 1), follows=Follows.GIVEN)
enter("lanes.zeros_like lanes.empty_like", **_OF_ARRAY)
