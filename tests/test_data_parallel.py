"""Sums over shards of data on several processes: as in one process, also where a worker is killed."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import pytest

from adcompiler import value_and_grad

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings("ignore")

from adcompiler.distributed.data_parallel import FAN, data_parallel  # noqa: E402

RNG = np.random.default_rng(0)
W, B = RNG.normal(size=3), 0.4
X, Y = RNG.normal(size=(90, 3)), RNG.normal(size=90)


class Model(NamedTuple):
    w: np.ndarray
    b: float


def loss(model, x, y):
    total = 0.0
    for i in range(len(y)):
        total += (np.tanh(x[i] @ model.w + model.b) - y[i]) ** 2
    return total


def of_two(w, b, x, y):
    e = np.tanh(x @ w + b) - y
    return np.sum(e * e)


def shards(count):
    return list(zip(np.array_split(X, count), np.array_split(Y, count)))


def assert_same(found, expected):
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-12)
    for one, other in zip(found[1], expected[1], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10)


@pytest.fixture(scope="module")
def client():
    dask = pytest.importorskip("dask")
    quick = {"distributed.scheduler.allowed-failures": 10, "distributed.comm.timeouts.connect": "20s"}
    with (
        dask.config.set(quick),
        distributed.LocalCluster(3, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as made,
    ):
        yield made


def test_structures(client):
    step = data_parallel(loss, client, shards(4))
    found = step(Model(W, B))
    assert type(found[1]).__name__ == "Model"
    assert_same(found, value_and_grad(loss)(Model(W, B), X, Y))


def test_several_parameters_and_many_shards(client):
    step = data_parallel(of_two, client, shards(2 * FAN + 1), argnums=("w", "b"))
    for scale in (1.0, 0.5):
        found = step(scale * W, B)
        assert_same(found, value_and_grad(of_two, argnums=(0, 1))(scale * W, B, X, Y))
        assert found[1][0].flags.writeable


def load():
    return X, Y


def test_shards_that_workers_load(client):
    step = data_parallel(of_two, client, [load], argnums=(0, 1))
    assert_same(step(W, B), value_and_grad(of_two, argnums=(0, 1))(W, B, X, Y))


def test_without_shards(client):
    with pytest.raises(ValueError, match="no shards"):
        data_parallel(of_two, client, [])


def slowly(shard):
    """Return what loads a shard, and takes its time."""

    def loaded():
        time.sleep(0.4)
        return shard

    return loaded


def test_a_killed_worker_costs_time_only(client):
    expected = data_parallel(of_two, client, shards(9), argnums=(0, 1))(W, B)
    step = data_parallel(of_two, client, map(slowly, shards(9)), argnums=(0, 1))
    with ThreadPoolExecutor() as pool:
        running = pool.submit(step, W, B)
        time.sleep(0.6)  # some shards are loaded, others are not
        os.kill(min(client.run(os.getpid).values()), signal.SIGKILL)
        value, gradients = running.result()
    assert value == expected[0]
    assert all(np.array_equal(a, b) for a, b in zip(gradients, expected[1], strict=True))
    os.kill(max(client.run(os.getpid).values()), signal.SIGKILL)
    assert step(W, B)[0] == expected[0]


def test_example(client):
    pytest.importorskip("sklearn")
    from examples.dask_training import train

    losses, accuracy = train(client, steps=40)
    assert losses[-1] < 0.5 * losses[0]
    assert accuracy > 0.9
