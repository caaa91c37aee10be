"""Draw the pictures of the gallery, and the drawings of graphs: python -m examples.all_pictures."""

import importlib
import math
from pathlib import Path

from PIL import Image

from adcompiler import ComputationGraph, grad

FOLDER = Path(__file__).parent.parent / "docs" / "pictures"
GALLERY = (
    "calibrate_garch",
    "character_lstm",
    "fourier_deblurring",
    "gaussian_process",
    "hamiltonian_monte_carlo",
    "heat_flux",
    "implicit_function",
    "kalman_smoother",
    "least_squares",
    "option_greeks",
    "pendulum_control",
    "power_grid",
    "rainfall_runoff",
    "robot_arm",
    "time_series_average",
    "train_digits",
    "wave_inversion",
)


def recurrence(w, x):
    h = 0.0
    for i in range(len(x)):
        h = math.tanh(w * h + x[i])
    return h


def shrink(path):
    """Save a picture with 64 colours: a third of the bytes, and nobody sees it."""
    Image.open(path).convert("RGB").quantize(64).save(path, optimize=True)


def draw_graphs():
    """Draw a small function at a point, with partials on the edges, and a loop."""
    graph = ComputationGraph({"c": "a + b", "d": "b + 1", "e": "c * d"}, output="e")
    (FOLDER / "small_graph.svg").write_text(graph.evaluate(a=2.0, b=1.0).svg())
    (FOLDER / "loop_graph.svg").write_text(grad(recurrence).graph.svg())


def main(names=GALLERY):
    """Draw them all, or those that are named."""
    FOLDER.mkdir(exist_ok=True)
    for name in names:
        path = FOLDER / f"{name}.png"
        importlib.import_module(f"examples.{name}").main(picture=path)
        shrink(path)
    draw_graphs()


if __name__ == "__main__":
    main()
