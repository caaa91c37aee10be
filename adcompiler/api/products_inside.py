"""`vjp`, `jvp` and `linearize` inside compiled code.

Pullbacks and pushforwards keep what the forward sweep did. Each has a type of its own that can be called;
what it runs is written for the types of adjoints or tangents.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator"
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numba
import numpy as np
from numba.core import cgutils
from numba.core import types as nt
from numba.core.imputils import impl_ret_borrowed
from numba.core.registry import cpu_target
from numba.core.typing import signature
from numba.extending import intrinsic, models, overload, register_model

from adcompiler.api.arguments import kind_of, layout_of_type
from adcompiler.api.derivative import Derivative
from adcompiler.api.inside_numba import DerivativeType
from adcompiler.api.linear import linearize
from adcompiler.api.next_chain import Mode
from adcompiler.api.pullback import derivative_of, vjp
from adcompiler.api.pushforward import jvp
from adcompiler.api.specialised import Specialised
from adcompiler.custom import checkpointed, stop_gradient, with_rules
from adcompiler.errors import DifferentiationError
from adcompiler.graph.kinds import is_array, is_continuous
from adcompiler.graph.layout import Layout, Leaf, Packed, Static, leaves, map_leaves


class LinearType(nt.Callable):
    """The Numba type of a pullback or pushforward: the derivative that it runs, and what it keeps.

    Attributes:
        derivative: the derivative.
        made: its specialisation.
        kept: the type of what is kept: of what the forward sweep did, and the arguments, copied.
        returns: how the outputs are built.
    """

    def __init__(
        self, derivative: Derivative[..., Any], made: Specialised, kept: nt.Type, returns: Layout
    ) -> None:
        self.derivative, self.made, self.kept, self.returns = derivative, made, kept, returns
        self.targets: dict[tuple[nt.Type, ...], Any] = {}
        super().__init__(f"{derivative.mode}({id(derivative)}, {made.layouts}, {self.kept})")

    def target(self, args: tuple[nt.Type, ...]) -> nt.Dispatcher:
        """Return the type of the function that a call runs; its first argument is the object itself."""
        if args not in self.targets:
            self.targets[args] = _run(self, args)
        return nt.Dispatcher(self.targets[args])

    def get_call_type(self, context: Any, args: Any, kws: Any) -> Any:
        """Return the signature of a call."""
        args = tuple(map(nt.unliteral, args))
        found = self.target(args).get_call_type(context, (self, *args), kws)
        return signature(found.return_type, *args, recvr=self)

    def get_call_signatures(self) -> Any:
        """Numba's listing of known signatures: they are made on demand."""
        return (), True

    def get_impl_key(self, sig: Any) -> Any:
        """Return the implementation for a signature that `get_call_type` resolved."""
        return self.target(tuple(sig.args[1:])).get_impl_key(sig)


@register_model(LinearType)
class _LinearModel(models.StructModel):
    def __init__(self, manager: Any, kind: LinearType) -> None:
        super().__init__(manager, kind, [("kept", kind.kept)])


def _made(kind: LinearType) -> Any:
    """Return a function that makes a pullback or pushforward of what it keeps."""

    @intrinsic
    def make(context, kept):
        def generate(context, builder, sig, args):
            made = cgutils.create_struct_proxy(kind)(context, builder)
            made.kept = args[0]
            return impl_ret_borrowed(context, builder, kind, made._getvalue())

        return kind(kind.kept), generate

    return make


def _kept(kind: LinearType) -> Any:
    """Return a function from a pullback or pushforward to what it keeps."""

    @intrinsic
    def kept(context, linear):
        def generate(context, builder, sig, args):
            found = cgutils.create_struct_proxy(kind)(context, builder, value=args[0])
            return impl_ret_borrowed(context, builder, kind.kept, found.kept)

        return kind.kept(kind), generate

    return kept


def _compiled(head: str, result: str, known: dict[str, Any]) -> Any:
    """Compile a function of one line."""
    namespace = {"np": np, **known}
    exec(f"def call({head}):\n    return {result}\n", namespace)
    return numba.njit(namespace["call"])


def _run(kind: LinearType, args: tuple[nt.Type, ...]) -> Any:
    """Write what a call of a pullback or pushforward runs."""
    wrt, layouts = kind.derivative.wrt, kind.made.layouts
    kept = [f"kept(linear)[0][{k}]" for k in range(len(kind.kept[0]))]
    known = {"kept": _kept(kind), "second": kind.made.adjoint}
    if kind.derivative.mode == "halves":
        seeds = [*_adjoints(kind, args)]
        found = [f"found[{wrt.index(k)}]" if k in wrt else "None" for k in range(len(layouts))]
        known["arranged"] = _compiled("found", f"({', '.join(found)},)", {})
        return _compiled("linear, a0", f"arranged(second({', '.join([*kept, *seeds])}))", known)
    own = [f"kept(linear)[1][{k}]" for k in range(len(layouts))]
    given = [*_tangents(wrt, layouts, args, own)]
    names = [f"a{k}" for k in range(len(args))]
    return _compiled(", ".join(["linear", *names]), f"second({', '.join([*kept, *given])})", known)


def _adjoints(kind: LinearType, args: tuple[nt.Type, ...]) -> Iterator[str]:
    if len(args) != 1:
        raise DifferentiationError("AD305", "a pullback takes the adjoints of the outputs")
    kinds = kind.made.interface.seeds
    places = [*_places(kind.returns, "a0", layout_of_type(args[0]))]
    for seed, place in zip(kinds, places, strict=True):
        if seed is not None:
            yield f"np.ascontiguousarray({place})" if is_array(seed) else f"np.{seed}({place})"


def _tangents(
    wrt: Sequence[int], layouts: Sequence[Layout], args: tuple[nt.Type, ...], kept: Sequence[str]
) -> Iterator[str]:
    if len(args) != len(layouts):
        raise DifferentiationError("AD305", f"there are {len(layouts)} arguments and {len(args)} tangents")
    for k in wrt:
        is_given = not isinstance(args[k], nt.NoneType)
        own = [*_places(layouts[k], kept[k], layouts[k])]
        given = [*_places(layouts[k], f"a{k}", layout_of_type(args[k]))] if is_given else own
        for leaf, place in zip(leaves(layouts[k]), given, strict=True):
            if not is_continuous(leaf.kind):
                continue
            if not is_given:
                yield f"np.zeros_like({place})" if is_array(leaf.kind) else f"np.{leaf.kind}(0.0)"
            else:
                yield f"np.ascontiguousarray({place})" if is_array(leaf.kind) else f"np.{leaf.kind}({place})"


def _places(layout: Layout, name: str, given: Layout) -> Iterator[str]:
    """Yield how the single values of what is given are written.

    Raises:
        DifferentiationError: AD305 where it has another structure.
    """
    match layout, given:
        case Leaf(), Leaf():
            yield name
        case Static(), _:
            return
        case Packed(), Packed() if len(layout.parts) == len(given.parts):
            for k, (part, own) in enumerate(zip(layout.parts, given.parts, strict=True)):
                yield from _places(part, f"{name}[{k}]", own)
        case _:
            raise DifferentiationError("AD305", "an adjoint or tangent has another structure than its value")


def function_of_type(kind: nt.Type) -> Any:
    """Return the function that a type stands for, or None."""
    if isinstance(kind, DerivativeType):
        return kind.derivative
    return with_rules(kind.dispatcher) if isinstance(kind, nt.Dispatcher) else None


def _copied(layout: Layout, name: str, known: dict[str, Any]) -> str:
    """Return the text of a copy of an argument."""
    match layout:
        case Leaf():
            return f"{name}.copy()" if is_array(layout.kind) else name
        case Packed():
            parts = "".join(
                f"{_copied(part, f'{name}[{k}]', known)}, " for k, part in enumerate(layout.parts)
            )
            if layout.maker is tuple:
                return f"({parts})"
            known[f"maker{len(known)}"] = layout.maker
            return f"maker{len(known) - 1}({parts})"
    return name


def _owned(layout: Layout) -> Layout:
    def own(leaf: Leaf) -> Layout:
        return Leaf(leaf.kind.copy(layout="C", readonly=False) if is_array(leaf.kind) else leaf.kind)

    return map_leaves(layout, own)


def _linear(function: Any, kinds: Sequence[nt.Type], mode: Mode, given_as: str) -> Any:
    """Return the implementation of `vjp` or `linearize` for types of arguments, which stand under a name."""
    layouts = [_owned(layout_of_type(kind)) for kind in kinds]
    own = tuple(map(kind_of, layouts))
    wrt = tuple(k for k, layout in enumerate(layouts) if any(is_continuous(x.kind) for x in leaves(layout)))
    derivative = derivative_of(function, mode, wrt, True, ())
    made = derivative.for_compiled_code(own)
    known: dict[str, Any] = {}
    names = [f"{given_as}[{k}]" for k in range(len(layouts))]
    copies = "".join(f"{_copied(layout, name, known)}, " for layout, name in zip(layouts, names, strict=True))
    given = "".join(f"kept[{k}], " for k in range(len(layouts)))
    known["split"] = _of_forward_sweep(derivative, made, own)
    known["forward"] = made.function
    known["both"] = _compiled("kept", f"split(forward({given}), kept)", known)
    return _compiled(f"function, *{given_as}", f"both(({copies}))", known).py_func


def _of_forward_sweep(derivative: Derivative[..., Any], made: Specialised, own: tuple[nt.Type, ...]) -> Any:
    """Return the function from what a forward sweep returns, and arguments, to outputs and what is linear."""
    call = nt.Dispatcher(made.function).get_call_type(cpu_target.typing_context, own, {})
    returns: Any = made.interface.returns
    kept = nt.Tuple((call.return_type[1], nt.Tuple(own)))
    kind = LinearType(derivative, made, kept, returns.parts[0])
    return _compiled("found, args", "found[0], linear((found[1], args))", {"linear": _made(kind)})


@overload(vjp)
def _vjp(function, *args):
    found = function_of_type(function)
    return None if found is None else _linear(found, args, "halves", "args")


@overload(linearize)
def _linearize(function, *primals):
    found = function_of_type(function)
    return None if found is None else _linear(found, primals, "linearized", "primals")


@overload(jvp)
def _jvp(function, primals, tangents):
    found = function_of_type(function)
    if found is None:
        return None
    layouts = [layout_of_type(kind) for kind in primals.types]
    wrt = tuple(k for k, kind in enumerate(tangents.types) if not isinstance(kind, nt.NoneType))
    made = derivative_of(found, "jvp", wrt, True, ()).dispatcher(tuple(map(kind_of, layouts)))
    kept = [f"primals[{k}]" for k in range(len(layouts))]
    given: list[str] = []
    for k in wrt:
        places = _places(layouts[k], f"tangents[{k}]", layout_of_type(tangents.types[k]))
        for leaf, place in zip(leaves(layouts[k]), places, strict=True):
            if is_continuous(leaf.kind):
                is_vector = is_array(leaf.kind)
                given.append(f"np.ascontiguousarray({place})" if is_vector else f"np.{leaf.kind}({place})")
    result = f"made({', '.join([*kept, *given])})"
    return _compiled("function, primals, tangents", result, {"made": made}).py_func


@overload(stop_gradient)
def _stop_gradient(value):
    return lambda value: value


@overload(checkpointed, inline="always")
def _checkpointed(iterable, slots):
    return lambda iterable, slots: iterable
