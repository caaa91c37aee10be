"""Functions of this package as functions of PyTorch, against differences; where it is installed."""

import numpy as np
import pytest
from numba import njit

torch = pytest.importorskip("torch")

from adcompiler.bridges.torch_functions import to_torch  # noqa: E402

X, V = np.array([0.3, -0.7, 1.1]), np.array([0.5, 0.2, -0.4])


def tensor(value, dtype=None):
    return torch.tensor(value, dtype=dtype or torch.float64, requires_grad=True)


def energy(x, k):
    total = 0.0
    for i in range(1, len(x)):
        total += k * (x[i] - x[i - 1]) ** 2 + np.sin(x[i])
    return total


@njit
def step(x, v, n):
    a = x.copy()
    for _ in range(n):
        a = a + 0.1 * v * np.sin(a)
    return a


def pair(x, k):
    return np.exp(-k * x), np.sum(x * x) * k


@pytest.mark.parametrize(
    ("function", "args"),
    [(energy, (X, 0.5)), (step, (X, V)), (pair, (X, 0.5))],
    ids=["number", "array", "pair"],
)
def test_first_and_second_derivatives(function, args):
    ours = to_torch(function)
    further = (3,) if function is step else ()

    def called(*given):
        return ours(*given, *further)

    given = tuple(map(tensor, args))
    assert torch.autograd.gradcheck(called, given)
    assert torch.autograd.gradgradcheck(called, given)


def test_results_are_those_of_the_function():
    first, second = to_torch(pair)(tensor(X), 0.5)
    np.testing.assert_allclose(first.detach().numpy(), pair(X, 0.5)[0])
    assert second.item() == pytest.approx(pair(X, 0.5)[1])


def test_single_precision_stays():
    x = tensor(X, torch.float32)
    y = to_torch(energy)(x, 0.5)
    y.backward()
    assert (y.dtype, x.grad.dtype) == (torch.float32, torch.float32)


def test_what_is_returned_shares_no_memory():
    x = tensor(X)
    y = to_torch(lambda x: x)(x)
    with torch.no_grad():
        y += 1.0
    np.testing.assert_array_equal(x.detach().numpy(), X)


def test_training_beside_layers():
    torch.manual_seed(0)
    layer = torch.nn.Linear(2, 3, dtype=torch.float64)
    inside = to_torch(step)
    inputs, wanted = (
        torch.randn(3, 2, dtype=torch.float64),
        torch.tensor([0.1, 0.4, -0.2], dtype=torch.float64),
    )
    optimiser = torch.optim.Adam(layer.parameters(), lr=0.05)
    losses = []
    for _ in range(60):
        optimiser.zero_grad()
        found = torch.stack([inside(row, wanted, 5) for row in layer(inputs)])
        loss = torch.mean((found - wanted) ** 2)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.05 * losses[0]
