"""The workloads of the suite, by topic."""

from benchmarks.workloads import arrays, grids, matrices, mixture, models, networks, sequences, sums

_TOPICS = (mixture, sequences, grids, arrays, matrices, sums, models, networks)
WORKLOADS = [workload for topic in _TOPICS for workload in topic.WORKLOADS]
