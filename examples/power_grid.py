"""Voltages of a power grid that lose the least: the derivative of what a Newton iteration finds.

Nine buses, three generators, three loads (Anderson and Fouad, "Power system control and stability", 1977).
The load flow, angles and voltages at which all powers balance, is a root: Newton's method finds it, with a
Jacobian from forward mode. `custom_root` differentiates the root by the implicit function theorem, so that
the losses have a gradient by the voltages that an operator can choose.
"""

import argparse

import numpy as np
from matplotlib.figure import Figure
from numba import njit
from scipy.optimize import minimize

from adcompiler import custom_root, jacobian, value_and_grad

# from, to, resistance, reactance, charging; per unit of 100 MVA
LINES = np.array(
    [
        [0, 3, 0.0, 0.0576, 0.0],
        [3, 4, 0.01, 0.085, 0.176],
        [3, 5, 0.017, 0.092, 0.158],
        [4, 6, 0.032, 0.161, 0.306],
        [5, 8, 0.039, 0.17, 0.358],
        [6, 7, 0.0085, 0.072, 0.149],
        [7, 8, 0.0119, 0.1008, 0.209],
        [1, 6, 0.0, 0.0625, 0.0],
        [2, 8, 0.0, 0.0586, 0.0],
    ]
)
POWER = np.array([0.0, 1.63, 0.85, 0.0, -1.25, -0.9, 0.0, -1.0, 0.0])
REACTIVE = np.array([0.0, 0.0, 0.0, 0.0, -0.5, -0.3, 0.0, -0.35, 0.0])
PLACES = np.array([[4, 0], [0, 4], [8, 4], [4, 1], [2.4, 2.2], [5.6, 2.2], [1.5, 4], [4, 4], [6.5, 4]])


def admittances():
    """Return the real and the imaginary part of the admittance matrix of the grid."""
    y = np.zeros((9, 9), np.complex128)
    for a, b, resistance, reactance, charging in LINES:
        i, j, series = int(a), int(b), 1.0 / (resistance + 1j * reactance)
        y[i, i] += series + 0.5j * charging
        y[j, j] += series + 0.5j * charging
        y[i, j] -= series
        y[j, i] -= series
    return y.real.copy(), y.imag.copy()


@njit
def injected(state, voltages, g, b):
    """Return the complex power that flows into the grid at each bus."""
    angles = np.concatenate((np.zeros(1), state[:8]))
    size = np.concatenate((voltages, state[8:]))
    v = size * np.exp(1j * angles)
    return v * np.conj((g + 1j * b) @ v)


@njit
def imbalance(state, voltages, g, b):
    """Return active powers at all buses but the first, and reactive powers at all buses without generator."""
    s = injected(state, voltages, g, b)
    return np.concatenate((s.real[1:] - POWER[1:], s.imag[3:] - REACTIVE[3:]))


slopes = jacobian(imbalance)


@custom_root(imbalance)
@njit
def load_flow(state, voltages, g, b):
    """Return angles of buses 2 to 9, and voltages of buses 4 to 9, by Newton's method."""
    for _ in range(20):
        error = imbalance(state, voltages, g, b)
        state = state - np.linalg.solve(slopes(state, voltages, g, b), error)
        if np.max(np.abs(error)) < 1e-13:
            break
    return state


@value_and_grad
def losses(voltages, g, b):
    """Return what is fed in and not taken out, in MW, and a penalty on voltages over 1.1."""
    flat = np.concatenate((np.zeros(8), np.ones(6)))
    state = load_flow(flat, voltages, g, b)
    over = np.maximum(state[8:] - 1.1, 0.0)
    return 100.0 * np.sum(injected(state, voltages, g, b).real) + 1e4 * np.sum(over**2)


def draw(path, voltages, best, y):
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    both = figure.subplots(1, 2)
    for axes, chosen, title in zip(
        both, (voltages, best), ("voltages as given", "least losses"), strict=True
    ):
        state = load_flow(np.concatenate((np.zeros(8), np.ones(6))), chosen, *y)
        size = np.concatenate((chosen, state[8:]))
        for a, b in LINES[:, :2].astype(int):
            axes.plot(*PLACES[[a, b]].T, color="0.6", zorder=0)
        shown = axes.scatter(*PLACES.T, c=size, s=420, cmap="Blues", vmin=0.97, vmax=1.17, edgecolors="k")
        for k, (x, h) in enumerate(PLACES):
            axes.annotate(str(k + 1), (x, h), ha="center", va="center", weight="bold")
        axes.set(title=f"{title}: {losses(chosen, *y)[0]:.2f} MW lost", xlim=(-0.8, 8.8), ylim=(-0.6, 4.7))
        axes.axis("off")
    figure.colorbar(shown, ax=both, label="voltage (per unit)")
    figure.savefig(path, dpi=100)


def main(picture=None):
    """Solve the load flow, choose voltages; return the flow, losses before and after, and voltages."""
    y, voltages = admittances(), np.array([1.04, 1.025, 1.025])
    flow = load_flow(np.concatenate((np.zeros(8), np.ones(6))), voltages, *y)
    before, gradient = losses(voltages, *y)
    found = minimize(losses, voltages, args=y, jac=True, method="L-BFGS-B", bounds=[(0.95, 1.1)] * 3)
    print("angles of generators 2 and 3:", np.round(np.degrees(flow[:2]), 2), "degrees")
    print(
        f"lost {before:.3f} MW, by a change of each generator's voltage {np.round(gradient, 2)} MW per unit"
    )
    print(f"lost {found.fun:.3f} MW at the voltages {np.round(found.x, 4)}, after {found.nfev} load flows")
    if picture:
        draw(picture, voltages, found.x, y)
    return flow, before, found.fun, found.x


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", help="where to save a picture")
    main(picture=parser.parse_args().picture)
