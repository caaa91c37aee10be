"""Python's operators."""

from adcompiler.rules.table import constant, elementwise

elementwise("add np.add", "1", "1", at=((0.3, -1.2),))
elementwise("sub np.subtract", "1", "-1", at=((0.3, -1.2),))
elementwise("mul np.multiply", "b", "a", at=((0.3, -1.2),))
elementwise("times", "b", "a", at=((0.3, -1.2),))
elementwise("truediv np.divide np.true_divide", "1 / b", "-y / b", at=((0.3, -1.2), (2.0, 0.5)))
elementwise("neg np.negative", "-1", at=((0.3,),))
elementwise("pos np.positive", "1", at=((0.3,),))
elementwise(
    "pow math.pow np.power np.float_power",
    "b * a ** (b - 1.0) if b != 0 or a != 0 else 0.0",  # whole negative powers of zero are an error
    "y * log(a if a != 0 else 1.0)",
    at=((1.3, 2.7), (0.4, -1.5), (2.0, 0.0)),
)
elementwise("mod np.mod np.remainder", "1", "-(a // b)", at=((3.7, 1.2),))
elementwise("np.fmod", "1", "-trunc(a / b)", at=((3.7, 1.2), (-3.7, 1.2)))
elementwise("abs math.fabs np.abs np.absolute np.fabs", "sign(x)", at=((0.3,), (-1.2,)))
elementwise(
    "max np.maximum",
    "1.0 if a > b else 0.5 if a == b else 0.0",
    "1.0 if b > a else 0.5 if a == b else 0.0",
    at=((0.3, -1.2), (-2.0, 1.0)),
)
elementwise(
    "min np.minimum",
    "1.0 if a < b else 0.5 if a == b else 0.0",
    "1.0 if b < a else 0.5 if a == b else 0.0",
    at=((0.3, -1.2), (-2.0, 1.0)),
)
elementwise(
    "np.fmax",  # the other argument where one is NaN
    "1.0 if a > b else 0.5 if a == b else 1.0 if b != b else 0.0",
    "1.0 if b > a else 0.5 if a == b else 1.0 if a != a else 0.0",
    at=((0.3, -1.2), (-2.0, 1.0)),
)
elementwise(
    "np.fmin",
    "1.0 if a < b else 0.5 if a == b else 1.0 if b != b else 0.0",
    "1.0 if b < a else 0.5 if a == b else 1.0 if a != a else 0.0",
    at=((0.3, -1.2), (-2.0, 1.0)),
)
elementwise("float", "1", at=((0.3,),))
elementwise("np.where", None, "1.0 if c else 0.0", "0.0 if c else 1.0", at=((1.0, 0.3, 0.4), (0.0, 0.3, 0.4)))

constant("floordiv np.floor_divide not invert and or and_ or_ xor lshift rshift eq ne lt le gt ge")
constant("custom stop_gradient")
constant("int bool round len shape size ndim dtype slice range")
constant("np.int8 np.int16 np.int32 np.int64 np.uint8 np.uint16 np.uint32 np.uint64 np.intp np.bool_")
