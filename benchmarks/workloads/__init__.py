"""The workloads of the suite, by topic."""

from benchmarks.workloads import grids, matrices, mixture, networks, sequences, sums

WORKLOADS = [w for topic in (mixture, sequences, grids, matrices, sums, networks) for w in topic.WORKLOADS]
