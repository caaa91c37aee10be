"""Speed of generated gradients, side by side with peers in one run, on one thread but for `threads`."""

import os
import sys

THREADS = os.cpu_count() if "benchmarks.threads" in sys.orig_argv else 1
for name in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = str(THREADS)
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
