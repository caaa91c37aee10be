"""What `adcompiler.definitions.common` says of real and complex numbers, while types are inferred."""

# mypy: disable-error-code="no-untyped-def, untyped-decorator"
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from numba import complex64, complex128, float32, float64
from numba.core import types
from numba.extending import intrinsic

from adcompiler.errors import DifferentiationError
from adcompiler.graph.kinds import element, is_array, is_complex
from adcompiler.graph.nodes import Apply, Graph, Node, Region
from adcompiler.graph.walk import map_region
from adcompiler.source import Location


def _untyped(*_):  # pragma: no cover - nothing is generated while types are inferred
    raise NotImplementedError


def common_kind(kinds: Sequence[types.Type]) -> types.Type | None:
    """Return the complex type that numbers have in common; None for real ones."""
    if not any(map(is_complex, kinds)):
        return None
    numbers = {types.unliteral(element(kind)) for kind in kinds}
    return complex64 if numbers <= {complex64, float32} else complex128


def conjugate_kind(kind: types.Type) -> types.Type:
    """Return the type of the conjugate."""
    is_new = is_array(kind) and is_complex(kind) and kind.layout != "F"
    return kind.copy(layout="C", readonly=False) if is_new else types.unliteral(kind)


def real_kind(kind: types.Type) -> types.Type:
    """Return the type of the real part, which of an array is a view."""
    if not is_complex(kind):
        return types.unliteral(kind)
    part = element(kind).underlying_float
    return kind.copy(dtype=part, layout="A") if is_array(kind) else part


def number_kind(kind: types.Type, others: Sequence[types.Type]) -> types.Type:
    """Return the type of a number or array beside others."""
    common = common_kind((kind, *others))
    if common in (None, element(kind)):
        return types.unliteral(kind)
    return kind.copy(dtype=common, layout="C", readonly=False) if is_array(kind) else common


@intrinsic
def conjugate(typingctx, x):
    """Type of the conjugate."""
    return conjugate_kind(x)(x), _untyped


@intrinsic
def real(typingctx, x):
    """Type of the real part."""
    return real_kind(x)(x), _untyped


@intrinsic
def number(typingctx, x, *others):
    """Type of a number or array beside others."""
    return number_kind(x, others)(x, types.StarArgTuple(others)), _untyped


@intrinsic
def within(typingctx, x, a):
    """Type of what is to be real where something else is.

    Raises:
        DifferentiationError: AD202 where it is not.
    """
    if is_complex(x) and not is_complex(a):
        reason = "an imaginary part is lost in an array of real numbers"
        raise DifferentiationError("AD202", reason, None, "make the array complex: x + 0j")
    return types.unliteral(x)(x, a), _untyped


@intrinsic
def zeros(typingctx, shape, *others):
    """Type of a new array of a shape."""
    rank = len(shape) if isinstance(shape, types.BaseTuple) else 1
    kind = types.Array(common_kind(others) or float64, rank, "C")
    return kind(shape, types.StarArgTuple(others)), _untyped


empty = zeros


@intrinsic(prefer_literal=True)
def of_reals(typingctx, x, name):
    """Type of an argument that has to be real.

    Raises:
        DifferentiationError: AD202 for a complex one.
    """
    if is_complex(x):
        raise not_of_reals(name.literal_value, None)
    return types.unliteral(x)(x, name), _untyped


def not_of_reals(name: str, where: Location | None) -> DifferentiationError:
    """Return the refusal of a complex argument of a definition for real numbers."""
    reason, cure = f"'{name}' is known for real numbers only", "apply it to x.real, x.imag or abs(x)"
    return DifferentiationError("AD202", reason, where, cure)


def with_checked_reals(graph: Graph) -> Graph:
    """Return a graph whose typing fails at the first complex argument of a definition for real numbers.

    Args:
        graph: an untyped graph, which fails anywhere.
    """

    def checked(node: Node) -> Node:
        match node:
            case Apply(fn="of_reals"):
                return replace(node, fn="common.of_reals")
        return node

    def rewrite(region: Region) -> Region:
        return replace(region, nodes=tuple(map(checked, region.nodes)))

    return replace(graph, body=map_region(graph.body, rewrite))
