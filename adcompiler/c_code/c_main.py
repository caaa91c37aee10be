"""A program in C that calls an exported function and prints what it returns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numba.core import types as nt

from adcompiler.c_code.c_module import CModule
from adcompiler.c_code.c_types import array_type, constant, number_type
from adcompiler.graph.kinds import is_array


def c_main(module: CModule, stem: str, values: Sequence[Any]) -> str:
    """Return a program that calls the main function of a module.

    Args:
        module: the module.
        stem: the name of its files.
        values: the arguments, one for each parameter.
    """
    main = module.main
    names = [f"a_{name}" for name, _ in main.parameters]
    lines = [
        f"/* Calls {main.name} and prints what it returns:",
        f" *   cc -O3 {stem}.c {stem}_main.c -lm && ./a.out",
        " */",
    ]
    lines += [f'#include "{stem}.h"', "", "#include <math.h>", "#include <stdio.h>", ""]
    for name, (_, kind), value in zip(names, main.parameters, values, strict=True):
        lines += _argument(name, kind, value)
    lines += ["", "int main(void)", "{", "    int status;"]
    for name, kind in main.results:
        start = "{0}" if is_array(kind) else "0"
        lines.append(f"    {array_type(kind) if is_array(kind) else number_type(kind)} {name} = {start};")
    given = [*names, *(f"&{name}" for name, _ in main.results)]
    lines += [f"    status = {main.name}({', '.join(given)});", "    if (status != AD_OK) {"]
    lines += ['        fprintf(stderr, "status %d\\n", status);', "        return status;", "    }"]
    for name, kind in main.results:
        lines += _printed(name, kind)
    return "\n".join([*lines, "    return 0;", "}", ""])


def _argument(name: str, kind: nt.Type, value: Any) -> Iterator[str]:
    """Yield the definition of an argument."""
    if not is_array(kind):
        yield f"static {number_type(kind)} {name} = {constant(_plain(value)).text};"
        return
    array = np.asarray(value)
    items = ", ".join(constant(_plain(item)).text for item in array.ravel()) or "0"
    shape, strides = ", ".join(map(str, array.shape)), ", ".join(str(s) for s in _strides(array.shape))
    yield f"static {number_type(kind.dtype)} {name}_data[] = {{{items}}};"
    yield f"static {array_type(kind)} {name} = {{{name}_data, {{{shape}}}, {{{strides}}}, NULL}};"


def _strides(shape: Sequence[int]) -> list[int]:
    return [int(np.prod(shape[k + 1 :])) for k in range(len(shape))]


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _printed(name: str, kind: nt.Type) -> Iterator[str]:
    """Yield the statements that print a result, an array on one line."""
    label = name.removeprefix("out_")
    if not is_array(kind):
        yield f'    printf("{label} = {_format(kind)}\\n", {_shown(name, kind)});'
        return
    count = " * ".join(f"{name}.shape[{k}]" for k in range(kind.ndim))
    yield f'    printf("{label} =");'
    yield f"    for (int64_t k = 0; k < {count}; k++) {{"
    yield f'        printf(" {_format(kind.dtype)}", {_shown(f"{name}.data[k]", kind.dtype)});'
    yield "    }"
    yield '    printf("\\n");'
    yield f"    ad_release({name}.owner);"


def _format(kind: nt.Type) -> str:
    if isinstance(kind, nt.Complex):
        return "%.17g%+.17gi"
    return "%.17g" if isinstance(kind, nt.Float) else "%lld"


def _shown(text: str, kind: nt.Type) -> str:
    if isinstance(kind, nt.Complex):
        return f"creal({text}), cimag({text})"
    return f"(double){text}" if isinstance(kind, nt.Float) else f"(long long){text}"
