"""The workloads of the suite, by topic."""

from benchmarks.workloads import (
    adbench,
    arrays,
    grids,
    matrices,
    mixture,
    models,
    networks,
    npbench_fields,
    npbench_products,
    sequences,
    sums,
    users_buffers,
    users_coefficients,
    users_data,
    users_fields,
    users_parameters,
    users_paths,
    users_rings,
    users_segments,
    users_systems,
)

_SUITES = {
    "old": (mixture, sequences, grids, arrays, matrices, sums, models, networks),
    "users": (
        users_paths,
        users_data,
        users_fields,
        users_systems,
        users_parameters,
        users_coefficients,
        users_rings,
        users_buffers,
        users_segments,
    ),
    "adbench": (adbench,),
    "npbench": (npbench_products, npbench_fields),
}
SUITES = {name: [work for topic in topics for work in topic.WORKLOADS] for name, topics in _SUITES.items()}
WORKLOADS = [work for suite in SUITES.values() for work in suite]
