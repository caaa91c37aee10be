"""Functions of complex arrays that need a program each: two kinds of arguments, decompositions."""

import numpy as np
import pytest
import scipy.linalg
from fuzzing import make
from test_functions import named_in

from adcompiler import DifferentiationError, grad, jvp
from adcompiler.testing import check_grad, check_hvp, check_jvp

MODES = pytest.mark.parametrize("jit", [False, True], ids=["uncompiled", "compiled"])
_rng = np.random.default_rng(7)


def normal(*shape):
    return _rng.normal(size=shape)


def of_complex(*shape):
    return normal(*shape) + 1j * normal(*shape)


# real: s (number), v, w (vectors), m (matrix), c (stack); complex: t, l, u, n, q, f; x and xp are ordered
ARGUMENTS = {"s": 0.7, "t": 0.5 + 0.8j, "v": normal(5), "w": of_complex(5), "u": of_complex(3)}
ARGUMENTS |= {"m": normal(3, 4), "n": of_complex(4, 3), "q": of_complex(3, 3) + 2 * np.eye(3)}
ARGUMENTS |= {"c": normal(2, 3, 4), "f": of_complex(2, 4, 3), "xp": np.array([-3.0, 0.0, 2.0])}
MIXED = (
    *("m @ w[:4]", "n @ v[:3]", "c @ f", "c @ n", "np.vdot(v, w)", "np.vdot(w, v)", "np.vdot(m.T, n)"),
    *(
        "np.dot(w, v)",
        "np.outer(w, v)",
        "np.kron(v, u)",
        "np.tensordot(m, n, axes=1)",
        "np.linalg.inv(q) @ v[:3]",
    ),
    *("np.linalg.solve(q, v[:3])", "np.linalg.solve(m[:, :3], u)", "np.convolve(v, u)", "np.correlate(v, u)"),
    *(
        "np.correlate(u, v, 'full')",
        "np.linspace(0.0, t, 5)",
        "np.geomspace(1.0, t, 5)",
        "np.cross(u, v[:3])",
    ),
    *("np.einsum('i,j->ij', v, u)", "np.einsum('bij,bjk->bik', c, f)", "np.pad(n, 1, constant_values=s)"),
    *("np.trapezoid(w, v)", "np.gradient(w, v)", "np.polyval(v, t)", "np.polyval(u, v)", "np.cov(w, v)"),
    *("np.corrcoef(w, v)", "np.interp(v, xp, u)", "np.interp(s, xp, u)", "np.histogram(v, 3, weights=w)[0]"),
    *("np.select([v > 0, v > -1], [w, v], t)", "np.where(v > 0, w, 0.0)", "np.average(v, weights=w)"),
    *(
        "np.power.outer(u, v)",
        "np.meshgrid(v, u)[1]",
        "np.float_power(t, s)",
        "np.take_along_axis(n.T, np.argsort(m), 1)",
    ),
)
IN_COMPILED_CODE = MIXED[::6]


def mixed(expression):
    names = [name for name in named_in(expression.replace("'", '"')) if name in ARGUMENTS]
    text = (
        f"import numpy as np\n\n\ndef program({', '.join(names)}):\n    found = {expression}\n"
        "    return np.sum(np.abs(found) ** 2) + np.real(np.sum(found * (0.7 - 0.3j)))\n"
    )
    return make(text, f"mixed {expression}"), [ARGUMENTS[name] for name in names]


@pytest.mark.parametrize("expression", MIXED)
def test_real_beside_complex_numbers(expression):
    function, args = mixed(expression)
    check_grad(function, args, jit=False)
    check_jvp(function, args, range(len(args)), jit=False)


@pytest.mark.parametrize("expression", IN_COMPILED_CODE)
def test_real_beside_complex_numbers_in_compiled_code(expression):
    function, args = mixed(expression)
    check_grad(function, args)


Q = of_complex(3, 3)
P = Q @ np.conj(Q.T) + 3 * np.eye(3)
N = of_complex(4, 3)


def reconstructed(p):
    w, v = np.linalg.eigh(p)
    y = v @ np.diag(w**1.5) @ np.conj(v.T)
    return np.sum(np.abs(y) ** 3) + np.sum(y * (0.7 - 0.3j)).real + np.linalg.eigvalsh(p)[0]


def with_a_phase(p):
    w, v = np.linalg.eigh(p)
    return np.sum(v * np.exp(-1j * np.angle(v[0])) * (0.3 + 0.2j)).real * w[1]


def factored(p, n):
    y = np.linalg.cholesky(p)
    z = np.linalg.solve(np.conj(y.T), np.linalg.solve(y, n.T))
    return np.sum(np.abs(z) ** 2) + np.sum(np.log(np.diag(y).real)) + np.sum(z).imag + np.sum(y).imag


def orthogonal(n):
    q, r = np.linalg.qr(n)
    return np.sum(np.abs(q @ r + q) ** 3) + np.sum(r * (0.7 - 0.3j) + q[1] * (0.1 + 0.3j)).real


def inverted(n, b):
    x, rest, _, _ = np.linalg.lstsq(n, b)
    return np.sum(np.abs(np.linalg.pinv(n)) ** 2) + np.sum(np.abs(x) ** 2) + rest[0]


DECOMPOSITIONS = [
    (reconstructed, (P,)),
    (with_a_phase, (P,)),
    (factored, (P, N)),
    (orthogonal, (N,)),
    (orthogonal, (Q,)),
    (inverted, (N, of_complex(4, 2))),
]


@MODES
@pytest.mark.parametrize(("function", "args"), DECOMPOSITIONS)
def test_decompositions(function, args, jit):
    check_grad(function, args, jit=jit)
    check_jvp(function, args, range(len(args)), jit=jit)
    if not jit:
        check_hvp(function, args, range(len(args)), jit=jit)


@MODES
def test_singular_values(jit):
    def program(n):
        s = np.linalg.svd(n)[1]
        return s[0] * s[1] + np.linalg.norm(n, "nuc") + np.linalg.cond(n[:3])

    check_grad(program, (N,), jit=jit)
    check_jvp(program, (N,), (0,), jit=jit)


def test_what_depends_on_a_phase_is_not_a_number():
    found = grad(lambda p: np.linalg.eigh(p)[1][1, 0].real, jit=False)(P)
    assert np.all(np.isnan(found[np.tril_indices(3)]))


def test_single_precision():
    def program(w, n):
        y = np.convolve(w, w)
        return np.sum(np.abs(y)) + np.linalg.eigvalsh(np.conj(n.T) @ n)[0] + np.var(w)

    args = (ARGUMENTS["w"], N)
    exact = grad(program, argnums=(0, 1), jit=False)(*args)
    found = grad(program, argnums=(0, 1), jit=False)(*(a.astype(np.complex64) for a in args))
    for one, other in zip(found, exact, strict=True):
        assert one.dtype == np.complex64
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)


def refusal(function, *args):
    with pytest.raises(DifferentiationError) as caught:
        grad(function, jit=False)(*args)
    return caught.value.code, caught.value.reason, caught.value.cure


def test_refusals():
    code, reason, cure = refusal(lambda w: np.sum(np.abs(np.quantile(w, 0.5, axis=0))), N)
    assert (code, "np.quantile" in reason, "abs(x)" in cure) == ("AD202", True, True)
    assert refusal(lambda p: np.sum(np.abs(scipy.linalg.sqrtm(p))), P)[0] == "AD202"
    assert refusal(lambda n: np.sum(np.abs(np.linalg.svd(n, full_matrices=False)[0])), N)[2].count("eigh")
    code, reason, cure = refusal(lambda t: np.sum(np.abs(np.pad(np.ones(2), 1, constant_values=t))), 1j)
    assert (code, "imaginary" in reason, "x + 0j" in cure) == ("AD202", True, True)
    assert refusal(lambda w: np.sum(w.astype(np.float64)), N)[0] == "AD202"


def test_a_tangent_is_without_a_turn_of_the_phase():
    _, (change,) = jvp(lambda p: (np.linalg.eigh(p)[1],), (P,), (Q + np.conj(Q.T),), jit=False)
    np.testing.assert_allclose(np.diag(np.conj(np.linalg.eigh(P)[1].T) @ change), 0.0, atol=1e-12)
