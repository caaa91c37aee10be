"""The workloads of the suite, by topic."""

from benchmarks.workloads import arrays, grids, matrices, mixture, networks, sequences, sums

WORKLOADS = [
    w for topic in (mixture, sequences, grids, arrays, matrices, sums, networks) for w in topic.WORKLOADS
]
