"""The object that a derivative is: it is called, specialised for types, read and explained.

The compiler is imported where something is compiled, and with Numba as it works without NUMBA_DISABLE_JIT.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property, partial, update_wrapper
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, get_args

from numba.core import types as nt

from adcompiler.api.arguments import (
    direction_layout,
    hold_complex,
    kind_of,
    layout_of_type,
    layout_of_value,
    plain,
    ranked,
    repacked,
)
from adcompiler.api.c_pointers import cfunc
from adcompiler.api.checks import (
    Argnums,
    check_apart,
    check_varied,
    flat_tangent,
    layout_of_default,
    positions,
)
from adcompiler.api.comparison import check
from adcompiler.api.explaining import explain, note_place, point_of
from adcompiler.api.exporting import export
from adcompiler.api.nesting import chain_of, described, lowered_function
from adcompiler.api.next_chain import Mode
from adcompiler.api.partials import written_out
from adcompiler.api.remembered import Entry, Slot, compile_all, slot_of
from adcompiler.api.shortcuts import Shortcuts
from adcompiler.api.showing import in_notebook, show
from adcompiler.api.specialised import Specialised, assuming_less, outdated, run_plainly, seconds_of_stages
from adcompiler.api.styles import style_of
from adcompiler.emit.running import load
from adcompiler.enabled import enabled, is_disabled
from adcompiler.errors import DifferentiationError
from adcompiler.frontend.dispatchers import divides_like_python, jit_options, name_of, python_function
from adcompiler.frontend.seen import Seen, seeing
from adcompiler.frontend.versions import keep
from adcompiler.graph.layout import Layout, Packed, as_plain, build, derived_name, pack_python
from adcompiler.graph.steps import Entries, Matrix, Style, extended, is_one_reverse_step
from adcompiler.portable import Portable
from adcompiler.runtime.guards import SizeError
from adcompiler.runtime.workspace import keep_freed_memory, keep_some_freed_memory
from adcompiler.turns import importing, in_turn, uninterrupted

if TYPE_CHECKING:
    from adcompiler.api.compile import Compiled
    from adcompiler.explain.computation_graph import ComputationGraph
    from adcompiler.graph.nodes import Graph
    from adcompiler.watch import Stages


P = ParamSpec("P")
R = TypeVar("R", covariant=True)


class Derivative(Portable, Generic[P, R]):
    """A function made from another: its gradient, its value with the gradient, or the function itself.

    It is called like the original function, from Python or inside `@njit` code, and is specialised
    for the types of the arguments at the first call with them.
    """

    def __init__(
        self, function: Callable[..., Any], mode: Mode, argnums: Argnums, jit: bool, options: dict[str, Any]
    ) -> None:
        self.function = function = written_out(function)
        self.base: Any = function.base if isinstance(function, Derivative) else function
        self.mode = mode
        self.argnums = argnums
        self.jit = jit and not is_disabled()
        self.given, options = options, dict(options)
        of_result = mode not in ("hvp", "hessian", "entries_of_hessian")
        self.has_aux, self.stacked = (
            of_result and bool(options.pop(name, False)) for name in ("has_aux", "stacked")
        )
        self.holomorphic = bool(options.pop("holomorphic", False))
        self.axes = options.pop("axes", (0, 0))
        self.keep_memory = keep_freed_memory if options.pop("workspace", False) else keep_some_freed_memory
        style = style_of(options)
        self.options, self.raises = jit_options(self.base, options), divides_like_python(self.base, options)
        self.python = python_function(self.base)
        keep(self.python)
        self.inner = function if isinstance(function, Derivative) else None
        self.signature = self._own_signature()
        self.names, self.own = [*self.signature.parameters], len(self.signature.parameters)
        self.is_variadic = any(p.kind is p.VAR_POSITIONAL for p in self.signature.parameters.values())
        self.graphs: dict[tuple[tuple[Layout, ...], frozenset[Any], bool, bool], Graph] = {}
        self.seen, self.version = Seen(), 0
        self.wrt, single = positions(argnums, self.names, self.python.__name__)
        self.is_matrix = mode in get_args(Matrix)
        self.chain, self.is_nested = chain_of(mode, self.wrt, self.has_aux, self.holomorphic, self.inner)
        if self.inner is not None and mode in ("outputs", "jvp"):
            single = self.inner.style.single
        parallel, packed = bool(self.options.pop("parallel", False)), mode == "hvp"
        self.style: Style = replace(style, single=single, packed=packed, parallel=parallel)
        if packed:
            self.signature = extended(mode, self.signature)
            self.names = list(self.signature.parameters)
        self.is_derivative = self.is_matrix or bool(self.chain)
        if mode == "primal":  # so that it can be followed and differentiated like a dispatcher
            self.py_func = self.python
        self.specialised: dict[tuple[Layout, ...], Specialised] = {}
        self.shortcuts = Shortcuts(self.python.__name__)
        self.cautious: dict[tuple[Layout, ...], Specialised] = {}
        update_wrapper(self, self.python)
        self.__signature__ = self.signature

    def _own_signature(self) -> inspect.Signature:
        """Return the parameters of the function that is differentiated."""
        found = inspect.signature(self.python) if self.inner is None else self.inner.signature
        return extended(self.mode, found) if self.mode in get_args(Entries) else found

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Evaluate for these arguments; they are never changed."""
        try:
            call: Callable[..., R] = self.shortcuts.call
            return call(*args, **kwargs) if kwargs else call(*args)  # to hand on no names takes time, too
        except (SizeError, TypeError):  # it is not for these arguments, or assumes too much of their sizes
            pass
        except Exception as error:
            note_place(self, error, dict(zip(self.names, args, strict=False)) | kwargs)
            raise
        found: R = self._evaluated(args, kwargs)
        return found

    def _evaluated(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Look at each argument, specialise for them, and run what is made."""
        args = self.bound(args, kwargs)
        made = self._specialise(self.layouts(args))
        if self.jit:
            self.shortcuts.enter(self.signature, made)
        if self.mode == "hvp":
            args = self._fitted(args, made.layouts)
        if not made.is_plain:
            args = tuple(map(plain, args, made.layouts))
        if made.interface.writes:
            check_apart(args, self.python.__name__, made.interface.writes)
        return self.run(made, args)

    def run(self, made: Specialised, args: Sequence[Any]) -> Any:
        """Run a specialisation; where it assumes too much of the sizes, the one that assumes nothing."""
        try:
            found = made.function(*args) if self.jit else run_plainly(made.function, args)
            return repacked(found, made.interface.returns) if made.repacks else found
        except Exception as error:
            if made.style.broadcasts or not isinstance(error, SizeError):
                note_place(self, error, dict(zip(self.names, args, strict=False)))
                raise
        if made.version != self.version:
            raise outdated(self.python.__name__)
        self.shortcuts.clear()
        style = assuming_less(made.style, made.layouts[: self.own], args)
        return self.run(self._specialise(made.layouts, style=style), args)

    def layouts(self, args: tuple[Any, ...]) -> tuple[Layout, ...]:
        """Return the layout of each argument."""
        own = [
            layout_of_value(value, self.names[k], k in self.wrt or self.mode in ("outputs", "vmap"))
            for k, value in enumerate(args[: self.own])
        ]
        return (*own, *self._direction(own))

    def _direction(self, own: Sequence[Layout]) -> tuple[Layout, ...]:
        """Return the layout of the argument that a product with a Hessian has after those of the function."""
        varied = [own[k] for k in self.wrt]
        return (direction_layout(varied, self.style.single),) if self.mode == "hvp" else ()

    def _fitted(self, args: tuple[Any, ...], layouts: tuple[Layout, ...]) -> tuple[Any, ...]:
        """Return the arguments with a direction of their types."""
        *own, direction = args
        varied = Packed(tuple(layouts[k] for k in self.wrt))
        given = (direction,) if self.style.single else direction
        supply = flat_tangent(given, tuple(own[k] for k in self.wrt), varied)
        return (*own, build(layouts[-1], supply, pack_python))

    def bound(self, args: tuple[Any, ...], kwargs: dict[str, Any] | None = None) -> tuple[Any, ...]:
        """Return one argument for each parameter."""
        if not kwargs and not self.is_variadic and len(args) == len(self.names):
            return tuple(map(as_plain, args))
        try:
            bound = self.signature.bind(*args, **(kwargs or {}))
        except TypeError as error:
            raise DifferentiationError("AD305", f"{self.python.__name__}: {error}") from None
        bound.apply_defaults()
        return tuple(as_plain(bound.arguments[name]) for name in self.names)

    def _specialise(
        self, layouts: tuple[Layout, ...], origins: Sequence[str] = (), style: Style | None = None
    ) -> Specialised:
        made = self.specialised.get(layouts)
        if made is None or not (style is None or made.is_more_general(style)):
            made = self._made_first(layouts, origins, style)
        return made

    @in_turn
    def _made_first(
        self, layouts: tuple[Layout, ...], origins: Sequence[str], style: Style | None
    ) -> Specialised:
        made = self.specialised.get(layouts)  # by another thread, before it was this one's turn
        if made is None or not (style is None or made.is_more_general(style)):
            made = self._made(layouts, origins, style or self.style)
            self.specialised[layouts] = made
        return made

    @in_turn
    def _made(self, layouts: tuple[Layout, ...], origins: Sequence[str], style: Style) -> Specialised:
        self.check_arguments(layouts)
        clock = [time.perf_counter()]
        keeps = self.jit and not origins and not style.checks  # these name lines of files
        slot = self._slot(layouts, style) if keeps else None
        entry, compiled = slot.recall(self.seen) if slot is not None else None, None
        is_kept = entry is not None
        if entry is None:
            compiled, entry = self._written(layouts, origins, style, clock)
        else:
            clock.append(time.perf_counter())
        with enabled(), uninterrupted():
            module = load(entry.source, entry.stem, entry.objects)
        functions = [getattr(module, name) for name in entry.called]
        clock.append(time.perf_counter())
        if self.jit:
            self.keep_memory()
            seeds = () if self.mode in ("hvp", "halves", "linearized") else entry.interface.seeds
            kinds = (*map(kind_of, layouts), *(kind for kind in seeds if kind is not None))
            holders = compile_all(entry, module, kinds, self.python, slot)
            if slot is not None:
                slot.remember(self.seen, entry, holders)
        else:
            with importing():
                from adcompiler.emit.plain import uncompiled

            functions = [uncompiled(module, name) for name in entry.called]
        clock.append(time.perf_counter())
        about = entry.interface, entry.source, style, seconds_of_stages(clock, is_kept), self.version
        return Specialised(layouts, functions[0], *about, adjoint=functions[-1], compiled=compiled)

    def _written(
        self, layouts: tuple[Layout, ...], origins: Sequence[str], style: Style, clock: list[float]
    ) -> tuple[Compiled, Entry]:
        """Return what the derivative consists of, and what its module is made of."""
        compiled = self._compiled(layouts, style, clock)
        from adcompiler.api.making import entry_of

        named = dict(zip(self.names, layouts, strict=True))
        return compiled, entry_of(compiled, self.mode, self.python.__name__, named, origins, self.options)

    def _slot(self, layouts: tuple[Layout, ...], style: Style) -> Slot | None:
        """Return where the specialisation is kept for other processes."""
        name = derived_name(name_of(self.python), self.mode)
        return slot_of(self.base, name, layouts, (self._choices(), style))

    def _choices(self) -> tuple[object, ...]:
        inner = () if self.inner is None else (self.inner._choices(), self.inner.style)
        options = sorted(self.options.items())
        own = self.mode, self.chain, inner, self.wrt, self.names
        return *own, options, self.raises, self.has_aux, self.stacked, self.holomorphic, self.axes

    def facts_of_derivative(self) -> tuple[object, ...]:
        """Return what tells this derivative from others, where a function reads it."""
        return self.base, repr((self._choices(), self.style))

    def _compiled(
        self, layouts: tuple[Layout, ...], style: Style, clock: list[float], stays: bool = True
    ) -> Compiled:
        with importing():
            from adcompiler.api.making import compiled

        own, keeps = layouts[: self.own], self.mode != "primal"
        with seeing(self.seen):
            stays = stays and not style.checks and is_one_reverse_step(self.chain)
            stays = stays and lowered_function(self, False) is self.base
            plain = self.python if stays else None
            return compiled(self.python.__name__, self._graph, own, self.chain, style, keeps, clock, plain)

    @in_turn
    def stages(self, *args: Any) -> Stages:
        """Return what each pass makes of the graph, to print: from the function's text to the derivative.

        >>> from adcompiler import grad
        >>> print(grad(lambda x: 1.0 * x).stages(3.0).difference(1))
        === lambda_: fold ===
         graph lambda_(x):
        -  result = mul(1.0, x)
        -  return result
        +  return x
        """
        with importing():
            from adcompiler.watch import watching

        layouts = self.layouts(self.bound(args)) if args else self._current().layouts
        self.graphs.clear()
        with watching() as found:
            self._compiled(layouts, self.style, [])
        return found

    export = export
    cfunc = cfunc
    check = check
    explain = explain
    show = show
    _repr_html_ = in_notebook

    def is_current(self) -> bool:
        """Tell whether all that the function reads of its surroundings is as it was when it was compiled."""
        return self.seen.is_current()

    @in_turn
    def recompile(self) -> None:
        """Forget all that was compiled, so that the next call sees globals, closures and helpers as they are.

        Constants are frozen when a function is compiled, as Numba does.

        >>> from adcompiler import grad
        >>> scale = 2.0
        >>> f = grad(lambda x: scale * x)
        >>> slope, scale = f(1.0), 3.0
        >>> slope, f(1.0)
        (2.0, 2.0)
        >>> f.recompile()
        >>> f(1.0)
        3.0
        """
        for cache in (self.graphs, self.specialised, self.shortcuts, self.cautious, self.seen):
            cache.clear()
        self.__dict__.pop("value_and_grad", None)
        if not hasattr(self.function, "py_func"):
            self.__dict__.pop("primal", None)
        if isinstance(self.function, Derivative):
            self.function.recompile()
        self.signature = self._own_signature()
        if self.mode == "hvp":
            self.signature = extended(self.mode, self.signature)
        self.__signature__ = self.signature
        self.version += 1

    def check_arguments(self, layouts: Sequence[Layout]) -> None:
        """Refuse arguments that cannot be differentiated, or arrays of other element types."""
        for position in () if self.mode in ("primal", "outputs") else self.wrt:
            check_varied(layouts[position], self.names[position], self.mode, self.holomorphic)

    @in_turn
    def _graph(
        self, layouts: Sequence[Layout] = (), staying: frozenset[Any] = frozenset(), in_lanes: bool = False
    ) -> Graph:
        """Return the untyped graph; it depends on how the arguments are packed only."""
        ranks = tuple(map(ranked, layouts))
        key = ranks, staying, in_lanes and self.is_matrix, hold_complex(ranks)
        if key not in self.graphs:
            with importing():
                from adcompiler.pipeline import primal_graph

            with seeing(self.seen), enabled():
                graph = primal_graph(lowered_function(self, key[2]), ranks, self.raises, staying)
                self.graphs[key] = described(self, graph)
        return self.graphs[key]

    @in_turn
    def _current(self) -> Specialised:
        """The latest specialisation, or one for guessed argument types."""
        if self.specialised:
            return next(reversed(self.specialised.values()))
        if self.mode in get_args(Entries):
            raise DifferentiationError("AD305", "types of entries are known from calls only", None, "call it")
        parameters = inspect.signature(self.python).parameters.values()
        layouts = tuple(layout_of_default(parameter.default) for parameter in parameters)
        with importing():
            from adcompiler.analysis.guess import guess_layouts

            needs_number = self.mode in ("grad", "value_and_grad", "hvp", "hessian") and not self.chain[1:]
            needs_number = needs_number and not self.has_aux
            wanted = self.wrt, needs_number, self.holomorphic
            found, origins = guess_layouts(self._graph, layouts, self.python, *wanted)
        layouts = (*found, *self._direction(found))
        made = self._specialise(layouts, [*origins, *["like the gradient"] * (len(layouts) - len(found))])
        del self.specialised[made.layouts]
        return made

    @property
    def source(self) -> str:
        """The text of the generated module, for the latest argument types or else for likely ones."""
        return self._current().source

    @property
    def graph(self) -> ComputationGraph:
        """The function's SSA graph, as an object to print, evaluate and follow."""
        with importing():
            from adcompiler.explain.computation_graph import ComputationGraph
            from adcompiler.frontend.overloads import without_choices

        layouts = next(reversed(self.specialised), ())[: self.own]
        return ComputationGraph.of(without_choices(self._graph(layouts)), partial(point_of, self))

    @cached_property
    def primal(self) -> Any:
        """The function itself, compiled: callable from Python and inside `@njit` code."""
        if hasattr(self.function, "py_func"):
            return self.function
        return Derivative(self.function, "primal", self.argnums, self.jit, self.given)

    @cached_property
    def value_and_grad(self) -> Derivative[P, tuple[Any, R]]:
        """The function that returns value and gradient together."""
        return Derivative(self.function, "value_and_grad", self.argnums, self.jit, self.given)

    def _parts(self) -> tuple[Any, ...]:
        return self.function, self.mode, self.argnums, self.jit, self.given

    def _texts(self) -> list[tuple[str, tuple[str, ...]]]:
        with importing():
            from adcompiler.frontend.handed_over import texts_of

        return texts_of(self.python)

    def __repr__(self) -> str:
        return f"<adcompiler {self.mode} of {self.python.__name__}>"

    def dispatcher(self, kinds: tuple[nt.Type, ...]) -> Any:
        """Return the Numba dispatcher for argument types; used when compiled code calls this object."""
        return self.for_compiled_code(kinds).function

    @in_turn
    def for_compiled_code(self, kinds: tuple[nt.Type, ...]) -> Specialised:
        """Return the specialisation for argument types that compiled code calls."""
        if self.is_variadic:
            raise DifferentiationError("AD107", "a function with '*args' is called from compiled code")
        parameters = [*self.signature.parameters.values()][len(kinds) :]
        missing = (layout_of_value(p.default, p.name) for p in parameters)
        own = (*map(layout_of_type, kinds), *missing)[: self.own]
        made = self._specialise(layouts := (*own, *self._direction(own)))
        if not made.interface.is_conditional or made.style.broadcasts:
            return made
        if layouts not in self.cautious:  # there is no way back from compiled code
            self.cautious[layouts] = self._made(layouts, (), replace(self.style, cautious=True))
        return self.cautious[layouts]
