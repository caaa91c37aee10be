"""Sets of indices: how they are formed, and what takes them under another name (`Card.in_sets`)."""

from adcompiler.primitives.card import Follows
from adcompiler.primitives.deck import enter

enter("sets.union", arity=(3, 3), hint="union", follows=Follows.NUMBER)
enter("sets.whole", arity=(2, 2), hint="whole", follows=Follows.NUMBER)
enter("sets.item", arity=(2, None), hint="item", follows=Follows.NUMBER)
enter("sets.unions", arity=(3, 3), hint="unions")
enter("sets.products", arity=(3, 3), hint="products", follows=Follows.MATRIX)
enter("sets.of_rows", arity=(2, 2), hint="lines", follows=Follows.VECTOR)
enter("sets.sum_to", arity=(3, 3), hint="sums")
enter("sets.accumulated", arity=(2, 2), hint="sums")
enter("sets.join sets.join_item", arity=(3, None), writes_first=True, is_pure=False, is_statement=True)
enter("sets.open_set", arity=(2, 2), hint="opened", follows=Follows.NUMBER, is_pure=False)
enter("sets.open_sets", arity=(2, 2), hint="opened", is_pure=False)
enter("sets.close_set sets.close_sets", arity=(3, 3), writes_first=True, is_pure=False, is_statement=True)
