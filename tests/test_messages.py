"""Gradients through messages: four processes of MPI against one, where numba-mpi is installed."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BESIDE = Path(sys.executable).parent / "mpiexec"
MPIEXEC = str(BESIDE) if BESIDE.exists() else shutil.which("mpiexec")


@pytest.mark.skipif(importlib.util.find_spec("numba_mpi") is None, reason="numba-mpi is not installed")
@pytest.mark.skipif(MPIEXEC is None, reason="mpiexec is not installed")
def test_four_processes():
    program = Path(__file__).parent / "message_programs.py"
    run = subprocess.run(
        [MPIEXEC, "-n", "4", sys.executable, str(program)], capture_output=True, text=True, timeout=600
    )
    assert run.returncode == 0, run.stderr
    assert all(f"process {rank} of 4 agrees" in run.stdout for rank in range(4))
