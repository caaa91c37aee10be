"""Let Numba call a `Derivative` inside compiled code; it is specialised for the types found there."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from numba.core import types
from numba.core.imputils import lower_constant
from numba.extending import NativeValue, models, register_model, typeof_impl, unbox

from adcompiler.api.derivative import Derivative
from adcompiler.enabled import enabled
from adcompiler.graph.layout import as_plain

_COMPILED: WeakKeyDictionary[Derivative[..., Any], Derivative[..., Any]] = WeakKeyDictionary()


def _compiled(derivative: Derivative[..., Any]) -> Derivative[..., Any]:
    """Return the derivative that compiled code calls for one that runs as plain Python."""
    if derivative.jit:
        return derivative
    if derivative not in _COMPILED:
        twin: Derivative[..., Any] = Derivative(
            derivative.function, derivative.mode, derivative.argnums, True, derivative.given
        )
        twin.jit = True  # under NUMBA_DISABLE_JIT, too, where types are inferred all the same
        _COMPILED[derivative] = twin
    return _COMPILED[derivative]


class DerivativeType(types.Callable, types.Opaque):
    """The Numba type of one derivative object."""

    def __init__(self, derivative: Derivative[..., Any]) -> None:
        self.derivative = derivative
        self.compiled = _compiled(derivative)
        super().__init__(f"Derivative({derivative!r}, {id(derivative)})")

    def _bound(self, args: tuple[types.Type, ...], kws: dict[str, types.Type]) -> Any:
        names = self.derivative.names
        kinds = [*args]
        for name in names[len(args) :]:
            if name in kws:
                kinds.append(kws[name])
        return self._dispatcher(tuple(kinds))

    def _dispatcher(self, kinds: tuple[types.Type, ...]) -> Any:
        with enabled():
            return types.Dispatcher(self.compiled.dispatcher(kinds))

    def get_call_type(self, context: Any, args: Any, kws: Any) -> Any:
        """Specialise for the arguments and forward to the dispatcher made."""
        missing = self.derivative.signature.parameters
        given = len(args) + len(kws)
        if given < len(missing):
            names = list(missing)
            defaults = {n: missing[n].default for n in names[len(args) :] if n not in kws}
            kws = dict(kws) | {n: types.Omitted(as_plain(v)) for n, v in defaults.items()}
        return self._bound(args, kws).get_call_type(context, args, kws)

    def get_call_signatures(self) -> Any:
        """Numba's listing of known signatures: they are made on demand."""
        return (), True

    def get_impl_key(self, sig: Any) -> Any:
        """Return the implementation for a signature that `get_call_type` resolved."""
        return self._dispatcher(tuple(sig.args)).get_impl_key(sig)


@typeof_impl.register(Derivative)
def _typeof_derivative(value: Derivative[..., Any], context: Any) -> DerivativeType:
    return DerivativeType(value)


register_model(DerivativeType)(models.OpaqueModel)


@lower_constant(DerivativeType)
def _constant(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    return context.get_dummy_value()


@unbox(DerivativeType)
def _unbox(kind: Any, value: Any, c: Any) -> NativeValue:
    return NativeValue(c.context.get_dummy_value())
