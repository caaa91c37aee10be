"""What to write in place of functions of other packages that no derivative can go through."""

from __future__ import annotations

_SOLVERS = {
    "scipy.integrate": {
        "adcompiler.odeint, rk4 or odeint_adjoint": "solve_ivp odeint",
        "a sum over points, np.trapezoid say, or a rule of your own (custom_vjp)": (
            "quad quad_vec dblquad tplquad nquad"
        ),
    },
    "scipy.optimize": {
        "iterations of your own, in a function under custom_root": (
            "brentq brenth bisect ridder toms748 newton root_scalar root fsolve broyden1 newton_krylov"
        ),
        "iterations of your own, in a function under custom_fixed_point": "fixed_point",
        "iterations of your own, in a function under custom_argmin": (
            "minimize minimize_scalar brent golden least_squares leastsq curve_fit fmin fmin_bfgs nnls"
        ),
    },
    "scipy.interpolate": {
        "np.interp, or a loop over the pieces": "interp1d CubicSpline PchipInterpolator make_interp_spline",
    },
    "numba_mpi": {
        "use exchange, all_sum, broadcast of adcompiler.distributed.messages; pass rank and size": "",
    },
}
"""By package: what to write, and the functions that it is for; all of them, where none is named."""


def in_place_of(function: object) -> str | None:
    """Return what to write in place of a function that cannot be followed; None for all others.

    >>> import scipy.optimize
    >>> in_place_of(scipy.optimize.brentq), in_place_of(sum)
    ('iterations of your own, in a function under custom_root', None)
    """
    home, name = str(getattr(function, "__module__", "")), getattr(function, "__name__", "")
    for package, cures in _SOLVERS.items():
        for cure, names in cures.items():
            if f"{home}.".startswith(f"{package}.") and (name in names.split() or not names):
                return cure
    return None
