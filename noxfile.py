"""The tests on other versions: `nox` for each Python, `nox -s numba` for the oldest and the newest Numba."""

import nox

nox.options.sessions = ["tests"]
ONE_THREAD = dict.fromkeys(("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


@nox.session(python=["3.11", "3.12", "3.13"])
def tests(session: nox.Session) -> None:
    """Run all tests, or those that are named after `--`."""
    session.install("-e", ".[test]")
    session.run("pytest", "-n", "2", "-q", *session.posargs, env=ONE_THREAD)


@nox.session(python="3.11")
@nox.parametrize("version", ["0.61.0", "newest"])
def numba(session: nox.Session, version: str) -> None:
    """Run the tests with the oldest Numba that is admitted, and with the newest."""
    session.install("-e", ".[test]")
    session.install("-U", "numba" if version == "newest" else f"numba=={version}")
    session.run("pytest", "-n", "2", "-q", *session.posargs, env=ONE_THREAD)
