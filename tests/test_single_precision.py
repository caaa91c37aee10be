"""Programs over float32 arrays, fused into loops: gradients in single precision, near those in double."""

import numpy as np
import pytest
from fuzzing import make

from adcompiler import value_and_grad

PROGRAMS = {
    "chain": "    y = np.tanh(x) * w\n    return np.sum(y * y)\n",
    "mean": "    return np.mean(np.exp(-x * x) / (1 + w * w))\n",
    "slices": (
        "    z = np.zeros_like(x)\n"
        "    z[1:] = x[1:] * w[:-1] + np.float32(2) * x[:-1]\n"
        "    return np.sum(np.maximum(z, 0) ** 2)\n"
    ),
    "loop": (
        "    s = np.float32(0)\n"
        "    for k in range(3):\n"
        "        x = x * w + np.sin(x)\n"
        "        s += np.sum(x) * np.float32(0.5)\n"
        "    return s\n"
    ),
    "where": (
        "    m = np.where(x > 0, x, np.log1p(w * w))\n    return np.sum(np.sqrt(m * m + 1)) / x.size\n"
    ),
    "rows": "    y = np.outer(x, w)\n    return np.sum(np.sum(y * y, axis=1) * x + np.sum(y, axis=0))\n",
}


@pytest.mark.parametrize("jit", [False, True], ids=["uncompiled", "compiled"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_single_precision(name, jit):
    program = make(f"import numpy as np\n\ndef program(x, w):\n{PROGRAMS[name]}", f"single {name}")
    rng = np.random.default_rng(3)
    args = [rng.normal(size=30).astype(np.float32) for _ in range(2)]
    value, gradients = value_and_grad(program, argnums=(0, 1), jit=jit)(*args)
    exact, expected = value_and_grad(program, argnums=(0, 1), jit=False)(*[a.astype(float) for a in args])
    assert value == pytest.approx(exact, rel=1e-5)
    for found, other in zip(gradients, expected, strict=True):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, other, rtol=1e-4, atol=1e-5 * np.max(np.abs(other)))


def test_vector_functions_reach_array_expressions():
    program = make(f"import numpy as np\n\ndef program(x, w):\n{PROGRAMS['chain']}", "single chain")
    gradient = value_and_grad(program)
    x = np.ones(4, np.float32)
    gradient(x, x)
    assert "fast.tanh32(x[i])" in gradient.source
