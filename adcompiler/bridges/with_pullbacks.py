"""A compiled function with the pullbacks that another package asks for, each a function like any other.

A pullback is the text of a function that calls `vjp`, so that it has a pullback in turn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from adcompiler.api.derivative import Derivative
from adcompiler.api.pullback import vjp
from adcompiler.frontend.texts import function_of


@dataclass(eq=False)
class WithPullbacks:
    """A compiled function, and the pullbacks of it that were asked for.

    Attributes:
        function: the function, as a `Derivative` of mode "primal".
        pullbacks: by the positions of the arguments that get an adjoint, and the number of results.

    >>> product = WithPullbacks.of(lambda x, y: x * y)
    >>> product.pullback(2, (0, 1), 1).function(2.0, 3.0, 1.0)
    (3.0, 2.0)
    """

    function: Derivative[..., Any]
    pullbacks: dict[tuple[tuple[int, ...], int], WithPullbacks] = field(default_factory=dict)

    @staticmethod
    def of(function: Callable[..., Any]) -> WithPullbacks:
        """Return a function of users, with no pullbacks yet."""
        return WithPullbacks(Derivative(function, "primal", 0, True, {}))

    def pullback(self, count: int, varied: tuple[int, ...], results: int) -> WithPullbacks:
        """Return the function of all arguments and adjoints that returns the adjoints of some arguments.

        Args:
            count: how many arguments there are.
            varied: the positions of those that get an adjoint.
            results: how many results the function has.
        """
        key = varied, results
        if key not in self.pullbacks:
            given = ", ".join(f"a{k}" for k in range(count))
            adjoints = [f"d{k}" for k in range(results)]
            whole = adjoints[0] if results == 1 else f"({', '.join(adjoints)})"
            parts = "".join(f"found[{k}], " for k in varied)
            text = f"def pulled({given}, {', '.join(adjoints)}):\n"
            text += f"    found = vjp(function, {given})[1]({whole})\n    return ({parts})\n"
            known = {"vjp": vjp, "function": self.function.function}
            self.pullbacks[key] = WithPullbacks.of(function_of(text, known, self.function))
        return self.pullbacks[key]
