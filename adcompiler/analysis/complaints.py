"""Numba's complaints about the text that is typed, in the user's words and at the user's line."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Mapping
from pathlib import Path

from adcompiler.errors import DifferentiationError
from adcompiler.graph.nodes import Apply, Effect, For, Global, Graph, If, Node, Store, Value, While
from adcompiler.graph.origins import origins
from adcompiler.graph.walk import merges, results, walk
from adcompiler.source import NOWHERE, Location

_PACKAGE = Path(__file__).parents[1]
_KNOWN_TO_NUMBA = "use what docs/rules.md lists, or put the call into a function with custom_vjp"
_LINE = re.compile(r"<typing of [^\n]*?>\"?(?:,? line )? ?\(?(\d+)\)?")


def complaint(
    error: Exception, graph: Graph, tree: ast.FunctionDef, source: str, names: Mapping[Value, str]
) -> DifferentiationError:
    """Return the refusal that a complaint of Numba's stands for.

    Args:
        error: what Numba raised.
        graph: the graph that was typed.
        tree: the text that it was written as, whose statements know the nodes that they come from.
        source: the text itself.
        names: name of every value in it.
    """
    refusal = _refusal_behind(error)
    node = _node_at(_line_of(error), tree, source)
    where = node.loc if node is not None else NOWHERE
    if refusal is not None:
        place = _or_any(where, graph)
        if _PACKAGE in Path(place.file).parents and refusal.location is not None:  # not in the user's text
            place = refusal.location
        return DifferentiationError(refusal.code, refusal.reason, place, refusal.cure)
    text = str(getattr(error, "msg", error)).split("\nDuring:")[0]
    unified = re.search(r"Cannot unify (.+) and (.+) for '(v\d+_)[^']*'", text)
    if unified is not None:
        one, two, name = unified.groups()
        node = _merging(name, graph, names) or node
        where = node.loc if node is not None else where
        shown = _user_name(name, names)
        reason = f"{shown} is {pretty(one)} on one path and {pretty(two)} on another"
        return DifferentiationError("AD104", reason, _or_any(where, graph))
    if "cannot convert from complex" in text:
        reason = "a conversion to real numbers loses imaginary parts"
        return DifferentiationError("AD202", reason, _or_any(where, graph), "write x.real")
    reason, cure = _reason(text, node, names)
    return DifferentiationError("AD304", reason, _or_any(where, graph), cure)


def _refusal_behind(error: BaseException | None) -> DifferentiationError | None:
    """Return the refusal of a callee that Numba passed on."""
    while error is not None and not isinstance(error, DifferentiationError):
        error = error.__cause__ or error.__context__
    return error


def _line_of(error: Exception) -> int | None:
    loc = getattr(error, "loc", None)
    if loc is not None and str(loc.filename).startswith("<typing of"):
        return int(loc.line)
    found = _LINE.search(str(error))
    return int(found.group(1)) if found is not None else None


def _node_at(line: int | None, tree: ast.FunctionDef, source: str) -> Node | None:
    """Return the node that the statement in a line comes from, or that of the last line above."""
    found = origins(tree, source) if line is not None else {}
    above = [start for start in found if line is not None and start <= line]
    return found[max(above)] if above else None


def _merging(name: str, graph: Graph, names: Mapping[Value, str]) -> Node | None:
    """Return the branch or loop that gives a variable its value, or else the statement that does."""
    nodes = [*walk(graph.body)]
    for node in nodes:
        if isinstance(node, If | For | While) and any(names.get(value) == name for value, _ in merges(node)):
            return node
    return next((node for node in nodes if any(names.get(value) == name for value in results(node))), None)


def _or_any(where: Location, graph: Graph) -> Location:
    """Return a place, or where the function begins if it is not known."""
    if where is not NOWHERE:
        return where
    return next((node.loc for node in walk(graph.body) if node.loc is not NOWHERE), NOWHERE)


def _reason(text: str, node: Node | None, names: Mapping[Value, str]) -> tuple[str, str | None]:
    """Return what is the matter, and a way out where there is a better one than for all."""
    called = re.search(r"found for signature:\s*>>> (\w+)\((.*)\)\s*\n", text)
    if "No implementation of function" in text and called is not None:
        name, kinds = called.groups()
        return f"Numba has no '{name}' for ({pretty(kinds)})", None
    bound = re.search(r"Invalid use of BoundFunction\([\w.]*?(\w+) for (.*)\) with parameters \((.*)\)", text)
    if bound is not None:
        name, kind, kinds = bound.groups()
        return f"Numba has no method '{name}' of {pretty(kind)} for ({pretty(kinds)})", None
    attribute = re.search(r"Unknown attribute '(\w+)' of type (.*)", text)
    if attribute is not None:
        name, kind = attribute.groups()
        return f"{pretty(kind.strip())} has no attribute or method '{name}' that Numba knows", _KNOWN_TO_NUMBA
    if "Cannot determine Numba type of" in text:
        captured = [atom for atom in _atoms(node) if isinstance(atom, Global)]
        kind = text.split("<class '")[-1].split("'")[0].rsplit(".", 1)[-1]
        inner = re.findall(r"Untyped (?:global name|free variable) '(\w+)'", text)
        if kind == "function" and inner and not inner[-1].startswith("captured"):
            what = f"a function that is called here calls '{inner[-1]}', which Numba does not compile"
            return what, f"put @njit on '{inner[-1]}'"
        name = _translated(captured[0].name, names) if captured else ""
        shown = f"'{name}', an object" if name else "an object"
        return f"Numba does not know {shown} of class '{kind}'", _KNOWN_TO_NUMBA
    imprecise = re.search(r"(?:Cannot infer the t|T)ype of variable (?:.*args=\[Var\()?'?(v\d+_)?", text)
    if imprecise is not None:
        whose = _user_name(imprecise.group(1), names) if imprecise.group(1) else "what stands here"
        what = f"the type of {whose} cannot be told from what it holds"
        return what, "use an array, or begin a list with its first item"
    if "unsupported NumPy function" in text:
        return " ".join(text.splitlines()[:1]), _KNOWN_TO_NUMBA
    said = [line.strip() for line in text.splitlines() if line.strip() and "nopython" not in line]
    first = [*itertools.takewhile(lambda part: not part.startswith("def "), said)] or said
    kept = [line for line in first if not line.startswith(("File ", "Return of:", "There are", "- "))]
    return pretty(_translated(" ".join((kept or first)[:3]), names))[:400], None


def _atoms(node: Node | None) -> tuple[object, ...]:
    match node:
        case Apply() | Effect():
            return (*node.args, *(atom for _, atom in node.keywords))
        case Store():
            return (node.value,)
    return ()


def _translated(text: str, names: Mapping[Value, str]) -> str:
    """Replace names of the text by those of the user."""
    text = re.sub(r",? defined at <typing of [^>]*> ?\(\d+\)", "", text)
    text = re.sub(r"'?\b(v\d+_)(?:\.\d+)?\b'?", lambda match: _user_name(match.group(1), names), text)
    text = re.sub(r"\bg_(\w+?)_\d+_", r"\1", text)
    return re.sub(r"<typing of ([^>]*)>", r"\1", text)


def _user_name(name: str, names: Mapping[Value, str]) -> str:
    """Return the variable that a name of the text stands for."""
    values = [value for value, own in names.items() if own == name]
    known = [value.name for value in values if not value.temporary]
    return f"'{known[0]}'" if known else "a value in between"


def pretty(kinds: str) -> str:
    """Return types in the short form that other messages have.

    >>> pretty("UniTuple(array(float64, 1d, C) x 2), Literal[int](1), none")
    '2 of float64[:], int64, None'
    """

    def axes(match: re.Match[str]) -> str:
        return f"{match.group(1)}[{', '.join(':' * int(match.group(2)))}]"

    kinds = re.sub(r"(?:readonly |unaligned )?array\((\w+), (\d+)d, \w+(?:, \w+)*\)", axes, kinds)
    kinds = re.sub(r"Array\((\w+), (\d+), '\w', \w+, aligned=\w+\)", axes, kinds)
    kinds = re.sub(r"Module\(<module '(\w+)' .*?>\)", r"module '\1'", kinds)
    kinds = re.sub(r"Literal\[int\]\([^)]*\)", "int64", kinds)
    kinds = re.sub(r"Literal\[bool\]\([^)]*\)", "bool", kinds)
    kinds = re.sub(r"Literal\[str\]\([^)]*\)|unicode_type", "str", kinds)
    kinds = re.sub(r"UniTuple\((.*?) x (\d+)\)", r"\2 of \1", kinds)
    kinds = re.sub(r"(?:reflected )?[lL]ist\((.*?)\)<iv=\w+>", r"list(\1)", kinds)
    kinds = re.sub(r"range_(?:state|iter)_\w+", "range", kinds)
    kinds = re.sub(r"Poison<LiteralList\(\((.*?)\)\)>", r"a list of \1", kinds)
    return re.sub(r"\bnone\b", "None", kinds).replace("Tuple(", "(")
