"""What nodes are there for."""

from __future__ import annotations

from enum import Enum


class Role(Enum):
    """What a node is there for: passes decide by it what they may do with the node."""

    PRIMAL = "what the program does"
    ADJOINT = "reverses what the program does"
    TAPE = "keeps values, reads them back, or measures for that: it is no statement of the program"
