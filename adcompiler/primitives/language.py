"""What Python's syntax and builtins become: items, tuples, lists, calls, statements; and marks."""

import builtins
from typing import Any

from adcompiler.primitives.card import Follows, Gives, Shows, Spelling, Vanishes
from adcompiler.primitives.deck import elementwise, enter

# parts of arrays, tuples and lists

enter(
    "getitem",
    spelling=Spelling.FORM,
    arity=(2, None),
    hint="item",
    compute=lambda a, *index: a[index if len(index) > 1 else index[0]],
    shows=Shows.FIRST,
    is_cheap=True,
    is_instruction=True,
    is_linear=True,
    is_analytic=True,
    example="v[1:]",
    takes_list=True,
)
enter(  # of what may be an array or a tuple, in loops over its items
    "nth",
    spelling=Spelling.FORM,
    arity=(2, 2),
    compute=lambda a, k: a[k],
    shows=Shows.FIRST,
    takes_array=True,
)
enter(
    "slice",
    spelling=Spelling.FORM,
    arity=(1, 3),
    compute=slice,
    is_cheap=True,
    is_constant=True,
    is_written_where_used=True,
)
enter(
    "range",
    also="numba.prange",
    spelling=Spelling.FORM,
    arity=(1, 3),
    compute=range,
    is_cheap=True,
    is_constant=True,
    is_written_where_used=True,
)
enter(
    "tuple",
    spelling=Spelling.FORM,
    hint="pair",
    compute=lambda *items: items,
    shows=Shows.ALL,
    is_cheap=True,
    is_of_tuples=True,
)
enter("list", spelling=Spelling.FORM, hint="items", compute=lambda *items: list(items), shows=Shows.HOLDS)
enter("dict", spelling=Spelling.FORM, compute=dict, is_pure=False, is_constant=True)

# lists

enter(
    "append",
    changes_length=True,
    is_statement=True,
    spelling=Spelling.FORM,
    arity=(2, 2),
    writes_first=True,
    is_pure=False,
)
enter(
    "pop",
    changes_length=True,
    is_statement=True,
    spelling=Spelling.METHOD,
    arity=(1, 2),
    shows=Shows.HANDED_OUT,
    writes_first=True,
    is_pure=False,
    takes_list=True,
)
enter("sum", arity=(1, 2), hint="total", compute=sum, takes_array=True, takes_list=True, is_of_tuples=True)

# numbers and texts

elementwise(
    "float",
    "1",
    at=((0.3,),),
    also="np.float64",
    hint="real",
    follows=Follows.NUMBER,
    gives=Gives.OWN,
    compute=float,
    is_cheap=True,
    is_instruction=True,
    vanishes=Vanishes.WITH_FIRST,
)
elementwise("complex", "1", "1j", at=((0.3, -1.2),), arity=(1, 2), gives=Gives.OWN, compute=complex)
enter(
    "int",
    arity=(1, 1),
    hint="whole",
    follows=Follows.NUMBER,
    compute=int,
    is_cheap=True,
    is_constant=True,
    is_instruction=True,
)
enter(
    "bool",
    arity=(1, 1),
    hint="test",
    follows=Follows.NUMBER,
    gives=Gives.OWN,
    compute=bool,
    is_cheap=True,
    is_constant=True,
    is_instruction=True,
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
    is_cheap=True,
    is_instruction=True,
    example="len(v)",
    **_OF_SHAPE,
    is_safe=True,
    takes_array=True,
    measures=True,
    is_of_tuples=True,
)
enter(
    "shape",
    also="np.shape",
    spelling=Spelling.ATTRIBUTE,
    is_cheap=True,
    is_instruction=True,
    example="v.shape",
    **_OF_SHAPE,
    is_safe=True,
    is_written_where_used=True,
    measures=True,
)
enter(
    "size",
    also="np.size",
    spelling=Spelling.ATTRIBUTE,
    follows=Follows.NUMBER,
    is_cheap=True,
    example="v.size",
    **_OF_SHAPE,
    is_safe=True,
    is_written_where_used=True,
    measures=True,
)
enter(
    "ndim", also="np.ndim", spelling=Spelling.ATTRIBUTE, follows=Follows.NUMBER, example="v.ndim", **_OF_SHAPE
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
enter("recurse", compute=lambda callee, *args: callee.function(*args), is_call=True, **_CALL)
enter("derivative", is_call=True, is_bundle=True, **_CALL)
enter("rule", is_call=True, is_bundle=True, **_CALL)
enter(
    "custom",
    compute=lambda function, *args: function(*args),
    part_names=("result",),
    is_constant=True,
    is_call=True,
    **_CALL,
)
enter("custom[0]", arity=(2, None))

# statements

enter("assert", is_statement=True, spelling=Spelling.FORM, arity=(1, 2))
enter("raise", is_statement=True, spelling=Spelling.FORM, arity=(1, None))
enter("print", is_statement=True, compute=builtins.print, is_pure=False, is_constant=True)
enter("np.random.seed", is_statement=True, is_pure=False, is_constant=True)

# marks of the compiler

enter(
    "stop_gradient",
    spelling=Spelling.FORM,
    arity=(1, 1),
    follows=Follows.SAME_SHAPE,
    compute=lambda value: value,
    shows=Shows.FIRST,
    is_cheap=True,
    is_constant=True,
)
enter(
    "of_reals",
    spelling=Spelling.FORM,
    arity=(2, 2),
    follows=Follows.SAME_RANK,
    compute=lambda value, _: value,
    shows=Shows.FIRST,
)
enter("cast", spelling=Spelling.FORM, arity=(2, 2), compute=lambda like, value: type(like)(value))
enter("chosen_overload", spelling=Spelling.FORM, arity=(1, None))
enter("buffer", spelling=Spelling.FORM, arity=(1, 1))
enter("shadow", spelling=Spelling.FORM, arity=(1, 1))
enter("reverse_sweep", is_statement=True, spelling=Spelling.FORM, arity=(0, 0))
enter("longer", arity=(1, 1))
enter("sum_to", arity=(2, 2), shows=Shows.FIRST, is_linear=True, vanishes=Vanishes.WITH_FIRST)
for _name in ["same_size", "at_least", "fits", "fills", "in_bounds", "all_in_bounds", "nonzero"]:
    enter(_name, is_guard=True, is_statement=True)
