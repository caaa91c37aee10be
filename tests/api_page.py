"""The page of functions: signatures and docstrings of all that is public, as Markdown."""

import inspect
import re

import adcompiler
from adcompiler import optim

GROUPS = {
    "Derivatives of a function": "grad value_and_grad jacobian jacfwd jacrev hessian hvp",
    "Sparse derivatives": "sparse_jacobian sparse_hessian sparsity",
    "Batches": "vmap",
    "Derivatives at a point": "vjp jvp linearize",
    "Rules and constants of your own": "custom_vjp custom_jvp custom_root custom_fixed_point custom_argmin "
    "stop_gradient grad_of checkpointed",
    "Differential equations": "rk4 odeint odeint_adjoint",
    "Objects": "Derivative ComputationGraph CustomFunction ImplicitFunction DerivativeType LinearType "
    "DifferentiationError",
}
METHODS = {
    "Derivative": "value_and_grad primal source explain check graph stages show export recompile",
    "ComputationGraph": "topological_order chain paths evaluate dot mermaid svg",
    "CustomFunction": "defvjp defjvp",
}
START = """# Functions

Made from the docstrings; every example on this page is run by the tests.
"""
SECTION = re.compile(r"(Args|Returns|Raises|Attributes|Yields):$")


def api_page():
    parts = [START]
    for title, names in GROUPS.items():
        parts.append(f"## {title}\n")
        for name in names.split():
            parts += described(name, getattr(adcompiler, name), "###")
    parts.append("## Training: `adcompiler.optim`\n\n[Training](training.md) shows them at work.\n")
    for name in optim.__all__:
        parts += described(name, getattr(optim, name), "###")
    return "\n".join(parts)


def described(name, thing, mark):
    """Yield the section of a function, or of a class with its public methods."""
    yield f"{mark} {name}\n"
    if inspect.isfunction(thing):
        yield f"```python\n{name}{signature(thing)}\n```\n"
    yield text_of(inspect.getdoc(thing))
    for method in METHODS.get(name, "").split():
        yield from described(method, inspect.getattr_static(thing, method), f"{mark}#")


def signature(thing):
    """Return the parameters of a function without annotations."""
    shown = inspect.signature(thing)
    bare = [p.replace(annotation=p.empty) for p in shown.parameters.values() if p.name != "self"]
    return str(shown.replace(parameters=bare, return_annotation=shown.empty))


def text_of(doc):
    """Return a docstring as Markdown: its sections as lists, its examples as code."""
    prose, _, examples = doc.partition(">>> ")
    plain = re.sub(r"(`[^`]*`)|\*", lambda found: found[1] or r"\*", prose.strip())
    blocks = [block_of(block) for block in plain.split("\n\n")]
    if examples:
        blocks.append(f"```pycon\n>>> {examples.strip()}\n```")
    return "\n\n".join(blocks) + "\n"


def block_of(block):
    """Return a paragraph, or a section with its items."""
    lines = block.splitlines()
    if not SECTION.match(lines[0]):
        return block
    if lines[0] in ("Returns:", "Yields:"):
        return f"*{lines[0]}* {' '.join(line.strip() for line in lines[1:])}"
    items = []
    for line in lines[1:]:
        if line.startswith("     "):
            items[-1] += f" {line.strip()}"
        else:
            name, _, text = line.strip().partition(": ")
            items.append(f"- `{name.replace(chr(92), '')}`: {text}")
    return f"*{lines[0]}*\n\n" + "\n".join(items)
