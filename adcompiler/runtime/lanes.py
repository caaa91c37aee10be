"""Numbers of several lanes as generated code calls them; in compiled code they are vectors of LLVM."""

from adcompiler.runtime import lane_arrays as lane_arrays
from adcompiler.runtime import lane_views as lane_views
from adcompiler.runtime.plain_lanes import add as add
from adcompiler.runtime.plain_lanes import add_to as add_to
from adcompiler.runtime.plain_lanes import empty as empty
from adcompiler.runtime.plain_lanes import empty_like as empty_like
from adcompiler.runtime.plain_lanes import full as full
from adcompiler.runtime.plain_lanes import full_like as full_like
from adcompiler.runtime.plain_lanes import longer as longer
from adcompiler.runtime.plain_lanes import matmul as matmul
from adcompiler.runtime.plain_lanes import mul as mul
from adcompiler.runtime.plain_lanes import neg as neg
from adcompiler.runtime.plain_lanes import numbers as numbers
from adcompiler.runtime.plain_lanes import of as of
from adcompiler.runtime.plain_lanes import spread as spread
from adcompiler.runtime.plain_lanes import sub as sub
from adcompiler.runtime.plain_lanes import times as times
from adcompiler.runtime.plain_lanes import truediv as truediv
from adcompiler.runtime.plain_lanes import zeros as zeros
from adcompiler.runtime.plain_lanes import zeros_like as zeros_like
