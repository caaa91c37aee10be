"""What Python's syntax and builtins become: items, tuples, lists, calls, statements; and marks."""

import builtins
from typing import Any

import numba

from adcompiler.primitives.card import Follows, Gives, Shows, Spelling, Vanishes
from adcompiler.primitives.deck import elementwise, enter
from adcompiler.runtime.guards import GUARDS
from adcompiler.runtime.thread_sums import add_parts

# parts of arrays, tuples and lists

enter(
    "getitem",
    in_sets="getitem",
    spelling=Spelling.FORM,
    arity=(2, None),
    hint="item",
    in_lanes="getitem",
    compute=lambda a, *index: a[index if len(index) > 1 else index[0]],
    takes_list=True,
    shows=Shows.FIRST,
    is_cheap=True,
    is_instruction=True,
    is_analytic=True,
    is_linear=True,
    example="v[1:]",
)
enter(  # of what may be an array or a tuple, in loops over its items
    "nth",
    spelling=Spelling.FORM,
    arity=(2, 2),
    compute=lambda a, k: a[k],
    takes_array=True,
    shows=Shows.FIRST,
)
enter(
    "slice",
    spelling=Spelling.FORM,
    arity=(1, 3),
    is_written_where_used=True,
    compute=slice,
    is_cheap=True,
    is_constant=True,
)
enter(
    "range",
    spelling=Spelling.FORM,
    arity=(1, 3),
    is_written_where_used=True,
    also="numba.prange",
    compute=range,
    is_cheap=True,
    is_constant=True,
)
enter(
    "tuple",
    spelling=Spelling.FORM,
    hint="pair",
    compute=lambda *items: items,
    is_of_tuples=True,
    shows=Shows.ALL,
    is_cheap=True,
)
enter(
    "list",
    in_sets="list",
    in_lanes="list",
    spelling=Spelling.FORM,
    hint="items",
    compute=lambda *items: list(items),
    shows=Shows.HOLDS,
)
enter("dict", spelling=Spelling.FORM, compute=dict, is_pure=False, is_constant=True)

# lists

enter(
    "append",
    in_sets="append",
    in_lanes="append",
    spelling=Spelling.FORM,
    arity=(2, 2),
    writes_first=True,
    changes_length=True,
    is_pure=False,
    is_statement=True,
)
enter(
    "pop",
    in_sets="pop",
    in_lanes="pop",
    spelling=Spelling.METHOD,
    arity=(1, 2),
    takes_list=True,
    shows=Shows.HANDED_OUT,
    writes_first=True,
    changes_length=True,
    is_pure=False,
    is_statement=True,
)
enter("sum", arity=(1, 2), hint="total", compute=sum, takes_array=True, takes_list=True, is_of_tuples=True)

# numbers and texts

elementwise(
    "float",  # to Numba, x in its own precision
    "1",
    at=((0.3,),),
    hint="real",
    follows=Follows.NUMBER,
    gives=Gives.OWN,
    vanishes=Vanishes.WITH_FIRST,
    compute=float,
    is_cheap=True,
    is_instruction=True,
)
elementwise(
    "complex",
    "1",
    "1j",
    at=((0.3, -1.2),),
    arity=(1, 2),
    gives=Gives.OWN,
    compute=complex,
    holds_for_complex=True,
)
enter(
    "int",
    arity=(1, 1),
    hint="whole",
    follows=Follows.NUMBER,
    compute=int,
    is_cheap=True,
    is_instruction=True,
    is_constant=True,
)
enter(
    "bool",
    arity=(1, 1),
    hint="test",
    follows=Follows.NUMBER,
    gives=Gives.OWN,
    compute=bool,
    is_cheap=True,
    is_instruction=True,
    is_constant=True,
)
enter("round", arity=(1, 2), hint="rounded", follows=Follows.NUMBER, compute=round, is_constant=True)
enter("str", arity=(1, 1), compute=str, is_constant=True)
enter("type", arity=(1, 1), is_constant=True)
enter("hash isinstance", is_constant=True)
enter("operator.contains", arity=(2, 2), is_constant=True)

# sizes

_OF_SHAPE: dict[str, Any] = {"arity": (1, 1), "reads_elements": False, "is_constant": True}
enter(
    "len",
    hint="n",
    follows=Follows.NUMBER,
    compute=len,
    takes_array=True,
    is_of_tuples=True,
    measures=True,
    is_safe=True,
    is_cheap=True,
    is_instruction=True,
    example="len(v)",
    **_OF_SHAPE,
)
enter(
    "shape",
    spelling=Spelling.ATTRIBUTE,
    is_written_where_used=True,
    also="np.shape",
    measures=True,
    is_safe=True,
    is_cheap=True,
    is_instruction=True,
    example="v.shape",
    **_OF_SHAPE,
)
enter(
    "size",
    spelling=Spelling.ATTRIBUTE,
    is_written_where_used=True,
    also="np.size",
    follows=Follows.NUMBER,
    measures=True,
    is_safe=True,
    is_cheap=True,
    example="v.size",
    **_OF_SHAPE,
)
enter(
    "ndim", spelling=Spelling.ATTRIBUTE, also="np.ndim", follows=Follows.NUMBER, example="v.ndim", **_OF_SHAPE
)
enter("dtype", spelling=Spelling.ATTRIBUTE, follows=Follows.NUMBER, example="v.dtype", **_OF_SHAPE)

# calls

_CALL: dict[str, Any] = {"spelling": Spelling.FORM, "arity": (1, None)}
enter(
    "call",
    compute=lambda function, *args: function(*args),
    shows=Shows.HANDED_OUT,
    is_pure=False,
    is_opaque=True,
    is_call=True,
    **_CALL,
)
enter(
    "method",
    compute=lambda owner, name, *args: getattr(owner, name)(*args),
    shows=Shows.HANDED_OUT,
    is_pure=False,
    is_opaque=True,
    **_CALL,
)
enter("getattr", compute=getattr, shows=Shows.HANDED_OUT, **_CALL)
enter(
    "recurse", compute=lambda callee, *args: callee.function(*args), is_call=True, is_of_module=True, **_CALL
)
enter(
    "recurse_parts",
    compute=lambda callee, *args: callee.function(*args),
    is_call=True,
    is_bundle=True,
    is_of_module=True,
    **_CALL,
)
enter("called", compute=lambda callee, *args: callee.function(*args), is_call=True, is_bundle=True, **_CALL)
enter("augmented", is_call=True, is_bundle=True, **_CALL)
enter("adjoint", is_call=True, is_bundle=True, **_CALL)
enter("seed", arity=(1, 1), is_pure=False, is_constant=True)
enter("derivative", is_call=True, is_bundle=True, is_of_module=True, **_CALL)
enter(
    "derivative_into",
    is_call=True,
    is_bundle=True,
    is_of_module=True,
    is_opaque=True,
    is_pure=False,
    **_CALL,
)
enter("rule", is_call=True, is_bundle=True, **_CALL)
enter(
    "custom",
    compute=lambda function, *args: function(*args),
    part_names=("result",),
    is_call=True,
    is_bundle=True,
    is_constant=True,
    **_CALL,
)
enter("custom[0]", hint="result", arity=(2, None), holds_for_complex=True)

# statements

enter("assert", spelling=Spelling.FORM, arity=(1, 2), is_statement=True)
enter("raise", spelling=Spelling.FORM, arity=(1, None), is_statement=True)
enter("print", compute=builtins.print, is_pure=False, is_statement=True, is_constant=True)
enter("finite", arity=(5, None), is_statement=True)
enter("np.random.seed", is_pure=False, is_statement=True, is_constant=True)

# marks of the compiler

enter(
    "stop_gradient captured",
    spelling=Spelling.FORM,
    arity=(1, 1),
    follows=Follows.SAME_SHAPE,
    compute=lambda value: value,
    shows=Shows.FIRST,
    is_cheap=True,
    is_constant=True,
)
enter(
    "grad_of",
    spelling=Spelling.FORM,
    arity=(2, None),
    follows=Follows.SAME_RANK,
    compute=lambda value, *_: value,
    shows=Shows.FIRST,
    is_cheap=True,
    is_statement=True,
)
enter(
    "of_reals",
    spelling=Spelling.FORM,
    arity=(2, 2),
    follows=Follows.SAME_RANK,
    compute=lambda value, _: value,
    shows=Shows.FIRST,
)
for _name in ("conjugate", "real", "number", "within"):
    enter(f"common.{_name}", arity=(1, None), follows=Follows.SAME_RANK, shows=Shows.FIRST)
enter("common.zeros common.empty", arity=(1, None), follows=Follows.GIVEN, is_constant=True)
enter("cast", spelling=Spelling.FORM, arity=(2, 2), compute=lambda like, value: type(like)(value))
enter("chosen_overload", spelling=Spelling.FORM, arity=(1, None))
enter("buffer", spelling=Spelling.FORM, arity=(1, 1))
enter("shadow", spelling=Spelling.FORM, arity=(0, 1))
enter("reverse_sweep", spelling=Spelling.FORM, arity=(0, None), is_statement=True)  # it may read results
enter("slots_within", arity=(3, 3), follows=Follows.NUMBER, is_constant=True)
enter("next_checkpoint", arity=(3, 3), follows=Follows.NUMBER, is_constant=True)
enter("thinned", arity=(4, 4), follows=Follows.NUMBER, is_constant=True, is_pure=False, is_opaque=True)
enter("next_of_many", arity=(2, 2), follows=Follows.NUMBER, is_constant=True)
enter(
    "number_of_parts",
    arity=(2, 2),
    follows=Follows.NUMBER,
    is_constant=True,
    compute=lambda count, least: max(1, min(numba.get_num_threads(), count // least)),
)
enter("add_parts", arity=(2, 2), writes_first=True, is_pure=False, is_statement=True, compute=add_parts)
enter("longer", arity=(1, 1), in_lanes="lanes.longer", in_sets="longer")
enter(
    "sum_to",
    arity=(2, 2),
    in_sets="sets.sum_to",
    vanishes=Vanishes.WITH_FIRST,
    shows=Shows.FIRST,
    is_linear=True,
    is_analytic=True,
)
for _name in GUARDS:
    if _name not in ("times", "finite"):  # one computes something, the other belongs to the program
        relates = _name in ("same_size", "at_least", "fits")
        enter(_name, is_statement=True, is_guard=True, relates_sizes=relates)
