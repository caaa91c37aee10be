"""What one types wrong on the first day, and what is said then."""

import subprocess
import sys
import traceback

import numpy as np
import pytest
import scipy.integrate
import scipy.interpolate
import scipy.optimize

from adcompiler import DifferentiationError, grad, jvp, value_and_grad

X = np.array([0.3, 0.7, 1.5])


def square(x):
    return x * x


def pair(x):
    return x, x * x


class Spring:
    pass


MISTAKES = {
    "arguments beside the function": (
        lambda: grad(square, 3.0),
        r"argnums=3.0 names no argument.*grad\(f\)\(x\)",
    ),
    "an array beside the function": (lambda: grad(square, X), r"argnums=array.* names no argument"),
    "the value of a function": (lambda: grad(square(3.0)), r"9.0 is not a Python function.*grad\(f\)\(x\)"),
    "a class": (lambda: grad(Spring), r"write a function that calls it: lambda x: … Spring\(…\)"),
    "an option of another package": (
        lambda: grad(square, wrt="x"),
        r"no option 'wrt'.*did you mean argnums\?",
    ),
    "an option misspelt": (lambda: grad(square, paralel=True), r"did you mean parallel\?"),
    "an option of nobody": (lambda: grad(square, colour="red"), r"options are argnums, jit, has_aux"),
    "no tuples": (lambda: jvp(square, 2.0, 1.0), r"given as tuples.*jvp\(f, \(x,\), \(tangent,\)\)"),
    "several results": (lambda: grad(pair)(2.0), r"returns 2 values.*or take vjp or jacobian"),
    "an array as result": (lambda: grad(square, jit=False)(X), r"or take vjp or jacobian"),
    "SciPy's roots": (
        lambda: grad(lambda k: scipy.optimize.brentq(lambda z: z**3 - k, 0.0, 3.0))(2.0),
        r"AD202.*no derivative can go through 'brentq'.*custom_root",
    ),
    "SciPy's minima": (
        lambda: grad(lambda k: scipy.optimize.minimize(lambda z: (z - k) ** 2, 0.0).x[0])(2.0),
        r"AD202.*'minimize'.*custom_argmin",
    ),
    "SciPy's integrals": (
        lambda: grad(lambda k: scipy.integrate.quad(lambda z: z * k, 0.0, 3.0)[0])(2.0),
        r"AD202.*'quad'.*np.trapezoid",
    ),
    "SciPy's differential equations": (
        lambda: grad(lambda k: scipy.integrate.solve_ivp(lambda t, y: -k * y, (0.0, 1.0), X).y[0, -1])(2.0),
        r"AD202.*'solve_ivp'.*adcompiler.odeint",
    ),
    "SciPy's splines": (
        lambda: grad(lambda k: scipy.interpolate.interp1d(X, X)(k))(0.5),
        r"AD202.*'interp1d'.*np.interp",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_told_with_a_way_out(mistake):
    call, words = MISTAKES[mistake]
    with pytest.raises(DifferentiationError, match=f"(?s){words}"):
        call()


def test_the_compiler_is_not_in_the_traceback():
    with pytest.raises(DifferentiationError) as caught:
        grad(pair)(2.0)
    files = [frame.filename for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert files[0] == __file__ and len(files) < 6
    assert all("/api/" in file for file in files[1:])


def test_what_numba_said_is_not_in_the_traceback():
    with pytest.raises(DifferentiationError, match="AD304") as caught:
        grad(lambda x: x.unheard(3.0))(2.0)
    assert len(traceback.format_exception(caught.value)) < 12


def test_defects_show_where_they_are(monkeypatch):
    monkeypatch.setattr("adcompiler.api.making.compile_text", lambda *args: {}["v7"])
    with pytest.raises(DifferentiationError, match="AD901") as caught:
        grad(square)(2.0)
    assert isinstance(caught.value.__cause__, KeyError)


def test_development_mode_shows_where_the_compiler_was():
    code = "from adcompiler import grad\ngrad(lambda x: (x, x))(1.0)"
    lengths = []
    for flags in ([], ["-X", "dev"]):
        done = subprocess.run(
            [sys.executable, *flags, "-c", code], capture_output=True, text=True, check=False
        )
        assert "AD302" in done.stderr
        lengths.append(done.stderr.count("  File "))
    assert lengths[0] < lengths[1]


def test_functions_at_the_prompt_of_older_versions():
    done = subprocess.run(
        [sys.executable, "-"],
        input="from adcompiler import grad\ndef f(x): return x\ngrad(f)(1.0)",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (
        "way out: define it in a file, a notebook or IPython; prompts keep texts from Python 3.13"
        in done.stderr
    )
    assert "OSError" not in done.stderr


def added(x, y):
    return np.sum(x * y)


@pytest.mark.parametrize("jit", [False, True], ids=["uncompiled", "compiled"])
def test_arrays_that_do_not_fit(jit):
    derivative = value_and_grad(added, jit=jit)
    for _ in range(2):
        with pytest.raises(ValueError) as caught:
            derivative(np.ones(3), y=np.ones(4))
        text = "".join(traceback.format_exception(caught.value))
        assert "During handling" not in text
        if jit:
            assert "arrays that are combined differ in size" in text
            assert "in a call of added with x of shape (3,), y of shape (4,)" in text


def test_arrays_that_are_too_short():
    with pytest.raises(IndexError) as caught:
        grad(lambda x, k: x[2] * k)(np.ones(2), 1.0)
    assert caught.value.__notes__ == ["in a call of <lambda> with x of shape (2,)"]


def test_an_array_of_nothing():
    def collected(x):
        found = np.array([])
        for value in x:
            found = np.append(found, value * value)
        return np.sum(found) + len(np.asarray([], dtype=np.float32))

    for jit in (False, True):
        np.testing.assert_allclose(grad(collected, jit=jit)(X), 2.0 * X)


def test_plans_tell_of_each_value_once():
    def nested(x):
        h = 0.1
        for value in x:
            for _ in range(3):
                h = np.sin(h) * value
        return h

    lines = grad(nested).explain().splitlines()
    assert "  stores 'h' (float64, 8 bytes) once per iteration in h_tape" in lines
    assert "  keeps h_tape, sin_tape of the loop inside for each iteration" in lines
    assert not any("'h_tape'" in line for line in lines)


def test_a_second_process_says_that_it_read_the_cache(tmp_path):
    (tmp_path / "model.py").write_text(
        "import numpy as np\nfrom adcompiler import grad\n"
        "f = grad(lambda x: np.sum(x * x))\nprint(f.explain(np.ones(3)))"
    )
    found = [
        subprocess.run(
            [sys.executable, "model.py"], cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout.splitlines()[-1]
        for _ in range(2)
    ]
    assert found[0].startswith("compiled in ") and found[1].startswith("read from the cache in ")


def test_a_page_at_the_prompt_is_one_line():
    page = grad(square, jit=False).show(2.0)
    assert repr(page).startswith("<page of ") and len(repr(page)) < 100
