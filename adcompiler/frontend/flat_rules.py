"""Functions with rules of their own as functions of single values: texts that take structures apart.

The compiler knows single values, numbers and arrays. Where a user's function and its rules take or return
tuples, named tuples and dictionaries, or hand residuals on, these texts stand between the two.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from adcompiler.custom import CustomFunction
from adcompiler.errors import DifferentiationError
from adcompiler.frontend.bindings import label
from adcompiler.frontend.dispatchers import name_of
from adcompiler.frontend.returned import returned
from adcompiler.frontend.texts import function_of
from adcompiler.graph.layout import Layout, Leaf, Packed, Static
from adcompiler.source import Location


@dataclass(frozen=True)
class Form:
    """How arguments, result and residuals of a function are built; no residuals are None."""

    args: tuple[Layout, ...]
    result: Layout
    residuals: Layout | None

    @property
    def is_flat(self) -> bool:
        """Whether all of it are single values, so that the function is called as it is."""
        parts = (*self.args, self.result)
        return self.residuals is None and not any(isinstance(part, Packed) for part in parts)


class FlatFunction(CustomFunction[..., Any]):
    """A function with rules of its own whose arguments and results are single values.

    Attributes:
        results: how many single values it returns.
        moved: positions of the arguments that its rules are about.
        backward: of a function with residuals, the rule that reads them: it is given the arguments without
            derivative, the residuals and the adjoints. `vjp` is given arguments, results and adjoints.
    """

    def __init__(self, results: int, moved: tuple[int, ...], backward: Any, *parts: Any) -> None:
        super().__init__(*parts)
        self.results, self.moved = results, moved
        self.backward = None if backward is None else CustomFunction(backward).dispatcher


def form_of(function: CustomFunction[..., Any], args: tuple[Layout, ...], where: Location) -> Form:
    """Return the form of a function, given that of its arguments.

    Raises:
        DifferentiationError: AD204 where the rule that returns residuals returns no pair.
    """
    result = _of_results(function.function)
    if function.forward is None:
        return Form(args, result, None)
    pair = _of_results(function.forward.py_func)
    if not isinstance(pair, Packed) or pair.maker is not tuple or len(pair.parts) != 2:
        rule = name_of(function.forward.py_func)
        reason = f"'{rule}', the forward rule of '{function.__name__}', returns no pair"
        cure = "end it with return result, residuals: a tuple that is written out"
        raise DifferentiationError("AD204", reason, where, cure)
    own, residuals = pair.parts
    return Form(args, result if isinstance(result, Packed) else own, residuals)


def _of_results(function: Any) -> Layout:
    return _with_leaves(returned(function))


def _with_leaves(layout: Layout) -> Layout:
    """Return a layout in which constants are single values."""
    if isinstance(layout, Static):
        return Leaf()
    if isinstance(layout, Packed):
        return Packed(tuple(map(_with_leaves, layout.parts)), layout.names, layout.maker)
    return layout


def flat_function(function: CustomFunction[..., Any], form: Form, where: Location) -> FlatFunction:
    """Return a function with rules of its own as one of single values.

    Args:
        function: the function.
        form: its form.
        where: the call, for messages.

    Raises:
        DifferentiationError: AD204 where the rule returns another number of adjoints than there are arguments
            with a derivative.
    """
    known: dict[Any, FlatFunction] = vars(function).setdefault("flat", {})
    key = form, function.vjp, function.jvp, function.forward
    if key not in known:
        known[key] = made = _Texts(function, form, where).made()
        vars(made)["remade"] = flat_function, (function, form, where)
        for name in ("dispatcher", "vjp", "jvp", "forward", "backward"):
            if (rule := getattr(made, name)) is not None:
                rule.remade = _part_of, (function, form, where, name)
    return known[key]


def _part_of(function: CustomFunction[..., Any], form: Form, where: Location, name: str) -> Any:
    """Return a text of a function, compiled, in this process."""
    return getattr(flat_function(function, form, where), name)


@dataclass
class _Texts:
    """The texts for one form of a function.

    Attributes:
        function: the function.
        form: its form.
        where: the call, for messages.
        known: what names in the texts stand for.
    """

    function: CustomFunction[..., Any]
    form: Form
    where: Location
    known: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        own = dict(zip(("function", "rule", "rule_jvp", "forward"), self.function.given(), strict=True))
        self.known |= {"__name__": __name__, **own}
        self.known |= {"found": None, "kept": None}
        names = [*self.function.signature.parameters][: len(self.form.args)]
        names += [f"a{k}" for k in range(len(names), len(self.form.args))]
        self.args = [
            self._named(label(name) or "a", part) for name, part in zip(names, self.form.args, strict=True)
        ]
        self.result = self._named("result", self.form.result)
        self.kept = self._named("kept", self.form.residuals or Packed(()))
        self.moved = [k for k in range(len(self.args)) if k not in self.function.nondiff]

    def _named(self, name: str, layout: Layout) -> _Named:
        """Return a name for each single value of a layout; what is fixed gets a name that is known."""
        own = _free_name(name, self.known)
        self.known[own] = layout.value if isinstance(layout, Static) else None
        if not isinstance(layout, Packed):
            return _Named(layout, own, ())
        keys = [label(key) or str(k) for k, key in enumerate(layout.names or [""] * len(layout.parts))]
        parts = tuple(
            self._named(f"{name}_{key}", part) for key, part in zip(keys, layout.parts, strict=True)
        )
        if layout.maker not in (tuple, list, dict):
            own = name_of(layout.maker)
            self.known[own] = layout.maker
        return _Named(layout, own, parts)

    def made(self) -> FlatFunction:
        count = len(self.result.leaves)
        positions = [k for k, arg in enumerate(self.args) for _ in arg.leaves]
        moved = tuple(place for place, k in enumerate(positions) if k in self.moved)
        vjp, jvp = self.function.vjp and self._vjp(), self.function.jvp and self._jvp()
        backward = self.function.forward and self._backward()
        forward = self.function.forward and self._forward()
        own = self._of_call("function", "flat", self.args, self.args, [self.result])
        flat = FlatFunction(count, moved, backward, own, vjp, jvp, forward)
        flat.__name__ = self.function.__name__
        return flat

    def _text(self, what: str, params: Sequence[_Named], lines: Sequence[str], found: Sequence[str]) -> Any:
        name = f"{name_of(self.function.function)}_{what}"
        given = ", ".join(leaf for param in params for leaf in param.leaves)
        lines = [f"def {name}({given}):", *lines, f"return {', '.join(found)}"]
        return function_of("\n    ".join(lines) + "\n", self.known, self.function)

    def _of_call(
        self, rule: str, what: str, params: Sequence[_Named], args: Sequence[_Named], results: list[_Named]
    ) -> Any:
        """Return the text that calls a function and takes its result apart."""
        call = f"{rule}({', '.join(arg.text for arg in args)})"
        if len(results) == 1 and isinstance(results[0].layout, Leaf):
            return self._text(what, params, (), [call])
        bases = ["found"] if len(results) == 1 else [f"found[{k}]" for k in range(len(results))]
        parts = [
            part for base, one in zip(bases, results, strict=True) for part in taken_apart(one.layout, base)
        ]
        return self._text(what, params, [f"found = {call}"], parts)

    def _forward(self) -> Any:
        return self._of_call("forward", "forward", self.args, self.args, [self.result, self.kept])

    def _adjoints(self) -> tuple[_Named, list[str]]:
        """Return the adjoint of the result, and what is taken out of what the rule returns."""
        adjoint = self._named("d_result", self.form.result)
        shape, count = returned(self.function.vjp.py_func), len(self.moved)
        shapes: Sequence[Layout] = [shape] if count == 1 else [Leaf()] * count
        bases = ["found"] if count == 1 else [f"found[{k}]" for k in range(count)]
        if isinstance(shape, Packed) and shape.maker is tuple and (count > 1 or len(shape.parts) == 1):
            shapes, bases = shape.parts, [f"found[{k}]" for k in range(count)]
        if len(shapes) != count:
            what = f"{count} arguments", "adjoint for each argument that has a derivative"
            raise self._refusal(len(shapes), *what)
        found: list[str] = []
        for k, own, base in zip(self.moved, shapes, bases, strict=True):
            parts = taken_apart(self.args[k].layout, base)
            found += ["0.0"] * len(parts) if isinstance(own, Static) else parts
        return adjoint, found

    def _refusal(self, count: int, wanted: str, one: str) -> DifferentiationError:
        reason = f"the rule of '{self.function.__name__}' returns a tuple of {count} for {wanted}"
        return DifferentiationError("AD204", reason, self.where, f"return a tuple of one {one}")

    def _vjp(self) -> Any:
        """Return the rule that is given arguments, results and adjoints."""
        adjoint, found = self._adjoints()
        own = [self.args[k] for k in self.function.nondiff]
        given = [*self.args, self.result] if self.function.forward is None else own
        lines = []
        if self.function.forward is not None:
            lines = [f"kept = forward({', '.join(arg.text for arg in self.args)})[1]"]
        texts = [arg.text for arg in given] + ["kept"] * len(lines) + [adjoint.text]
        lines.append(f"found = rule({', '.join(texts)})")
        return self._text("vjp", [*self.args, self.result, adjoint], lines, found)

    def _backward(self) -> Any:
        """Return the rule that is given arguments without derivative, residuals and adjoints."""
        adjoint, found = self._adjoints()
        given = [*(self.args[k] for k in self.function.nondiff), self.kept, adjoint]
        call = f"found = rule({', '.join(arg.text for arg in given)})"
        return self._text("backward", given, [call], found)

    def _jvp(self) -> Any:
        shape, result = returned(self.function.jvp.py_func), self.form.result
        if isinstance(shape, Packed) and isinstance(result, Packed) and len(shape.parts) != len(result.parts):
            raise self._refusal(len(shape.parts), f"{len(result.parts)} results", "tangent for each result")
        tangents = [self._named(f"t_{k}", self.form.args[k]) for k in self.moved]
        given = [*self.args, self.result, *tangents]
        return self._of_call("rule_jvp", "jvp", given, given, [self.result])


@dataclass(frozen=True)
class _Named:
    """A layout with a name for each of its single values, and for what is fixed or makes it."""

    layout: Layout
    name: str
    parts: tuple[_Named, ...]

    @property
    def leaves(self) -> list[str]:
        """The names of its single values."""
        if isinstance(self.layout, Packed):
            return [leaf for part in self.parts for leaf in part.leaves]
        return [] if isinstance(self.layout, Static) else [self.name]

    @property
    def text(self) -> str:
        """The expression that builds it."""
        if not isinstance(self.layout, Packed):
            return self.name
        items, maker = [part.text for part in self.parts], self.layout.maker
        if maker is dict:
            pairs = zip(self.layout.names, items, strict=True)
            return f"{{{', '.join(f'{key!r}: {item}' for key, item in pairs)}}}"
        if maker is list:
            return f"[{', '.join(items)}]"
        return (
            f"{self.name}({', '.join(items)})"
            if maker is not tuple
            else f"({''.join(f'{i}, ' for i in items)})"
        )


def taken_apart(layout: Layout, text: str) -> list[str]:
    """Return the expressions of the single values of what an expression builds.

    >>> taken_apart(Packed((Leaf(), Packed((Leaf(),), ("a",), dict))), "x")
    ['x[0]', "x[1]['a']"]
    """
    return [*_taken_apart(layout, text)]


def _taken_apart(layout: Layout, text: str) -> Iterator[str]:
    if isinstance(layout, Leaf):
        yield text
    elif isinstance(layout, Packed):
        for k, part in enumerate(layout.parts):
            key = repr(layout.names[k]) if layout.maker is dict else str(k)
            yield from _taken_apart(part, f"{text}[{key}]")


def _free_name(name: str, taken: dict[str, Any]) -> str:
    while name in taken:
        name += "_"
    return name
