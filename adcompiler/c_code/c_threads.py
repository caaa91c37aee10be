"""Loops whose iterations run at once, with OpenMP: an iteration is a function of its own.

So each has its own variables and memory, gives all of it up however it ends, and counts no holders of what it
shares with others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from adcompiler.c_code.c_functions import can_stop, enclosed, heading
from adcompiler.c_code.c_lines import Block, all_words, assigned, text_of

_AT_ONCE = "parallel for schedule(static)"


@dataclass
class Iterations:
    """The functions that the loops of one function run at once.

    Attributes:
        owner: the name of that function.
        texts: what has been written.
    """

    owner: str
    texts: list[str] = field(default_factory=list)

    def move(self, block: Block, variables: Mapping[str, str], failed: str, left: str) -> bool:
        """Let a loop call a function for what it does; tell whether any iteration may fail.

        Args:
            block: the loop; its body is replaced.
            variables: the type of each variable.
            failed: a variable for the status of the loop.
            left: one for that of an iteration.
        """
        body, stops = block.body, can_stop(block.body)
        whole = "\n".join(text_of(body))
        own = assigned(body) | {block.counter}
        used = all_words(body)
        shared = [name for name in variables if name in used and name not in own]
        given = [name for name in (block.counter, *shared) if name in used]
        name = f"{self.owner}_at_once_{len(self.texts) + 1}"
        head = heading(
            f"static {'int' if stops else 'void'}", name, [f"{variables[one]} {one}" for one in given]
        )
        mine = {one: kind for one, kind in variables.items() if one in own & used and one not in given}
        held = [one for one in shared if "_array" in variables[one] and f"{one}.owner" in whole]
        self.texts.append(enclosed(head, body, mine, held, has_status=stops))
        call = f"{name}({', '.join(given)})"
        block.body = [f"{left} = {call}", f"{failed} = {left} > {failed} ? {left} : {failed}"]
        block.body = block.body if stops else [call]
        block.before = f"AD_OMP({_AT_ONCE}{f' reduction(max : {failed})' if stops else ''})"
        return stops
