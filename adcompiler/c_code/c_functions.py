"""The text of a function in C: its variables, its body, and the end that gives memory up on every path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adcompiler.c_code.c_lines import Line, all_words, assigned, declared, text_of


def heading(kind: str, name: str, parameters: Sequence[str]) -> str:
    """Return what stands before the body of a function, in one line if it fits.

    >>> heading("int", "f", ["double x"])
    'int f(double x)'
    """
    text = f"{kind} {name}({', '.join(parameters) or 'void'})"
    return text if len(text) <= 100 else text.replace("(", "(\n    ", 1).replace(", ", ",\n    ")


def can_stop(body: Sequence[Line]) -> bool:
    """Tell whether statements may leave their function before its end."""
    return any("AD_STOP_IF" in line or "goto done" in line for line in text_of(body))


def enclosed(
    head: str,
    body: list[Line],
    variables: Mapping[str, str],
    held: Sequence[str],
    first: Sequence[str] = (),
    has_status: bool = True,
) -> str:
    """Return a function.

    Args:
        head: its heading.
        body: its statements; variables are declared in them.
        variables: the type of each variable that is no parameter.
        held: the parameters that are arrays: their memory is the caller's.
        first: lines that stand before the body.
        has_status: whether it returns a status.
    """
    arrays = {name: kind for name, kind in variables.items() if "_array" in kind}
    written = assigned(body)
    declared(body, {name: kind for name, kind in variables.items() if name not in arrays})
    lines = ["int status = AD_OK;"] * has_status
    lines += [f"{kind} {name} = {{0}};" for name, kind in arrays.items()]
    lines += [f"{name}.owner = NULL; /* the caller's */" for name in held]
    ends = [f"ad_drop({name}.owner);" for name in [*arrays, *(name for name in held if name in written)]]
    ends += ["return status;"] * has_status
    text = [head, "{", *(f"    {line}" for line in [*lines, *first]), *text_of(body, 1)]
    text += ["done:"] * can_stop(body)
    return "\n".join([*text, *(f"    {line}" for line in ends), "}", ""])


def used_in(body: Sequence[Line], variables: Mapping[str, str], given: Sequence[str]) -> dict[str, str]:
    """Return the variables that statements use, without those that are given."""
    used = all_words(body)
    return {name: kind for name, kind in variables.items() if name in used and name not in given}
