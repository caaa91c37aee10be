"""A photograph sharpened: deconvolution with a smoothed total variation, by a Fourier transform in loops.

Blurring is a product in Fourier space. The transform is that of textbooks (Cooley and Tukey 1965): numbers
in the order of reversed bits, then butterflies in place, over complex numbers. It is differentiated as it
stands; what comes out is a transform in loops that run the other way. Nothing is stored of it, since it is
linear.
"""

import argparse
import math

import numpy as np
from matplotlib.figure import Figure
from numba import njit
from sklearn.datasets import load_sample_image

from adcompiler import value_and_grad
from adcompiler.optim import lbfgs, lbfgs_init


@njit
def transform(x, order, roots):
    """The discrete Fourier transform of each row, in place; the length is a power of two."""
    n = x.shape[1]
    for r in range(x.shape[0]):
        for k in range(n):
            if order[k] > k:
                x[r, k], x[r, order[k]] = x[r, order[k]], x[r, k]
        half = 1
        while half < n:
            for start in range(0, n, 2 * half):
                for k in range(half):
                    odd = roots[half + k] * x[r, start + k + half]
                    even = x[r, start + k]
                    x[r, start + k] = even + odd
                    x[r, start + k + half] = even - odd
            half *= 2


@njit
def blurred(image, response, order, roots):
    """The image, convolved around its edges: transforms of rows and columns, a product, and back."""
    x = image + 0j
    for turn in range(4):
        if turn == 2:
            x = np.conj(x * response)
        transform(x, order, roots)
        x = x.T.copy()
    return x.real / image.size


@value_and_grad
def misfit(image, seen, response, order, roots, weight):
    """Squared distance from what was seen, and the total variation of Rudin, Osher and Fatemi (1992)."""
    error = blurred(image, response, order, roots) - seen
    across, down = image[1:, :-1] - image[:-1, :-1], image[:-1, 1:] - image[:-1, :-1]
    return np.sum(error**2) + weight * np.sum(np.sqrt(across**2 + down**2 + 1e-4))


def sharpened(seen, response, order, roots, weight, steps):
    """Descend from what was seen; return the image."""
    image = seen.copy()
    args = (seen, response, order, roots, weight)
    state = lbfgs_init(image, misfit, args)
    for _ in range(steps):
        image, state = lbfgs(image, misfit, state, args)
    return image


def tables(n):
    """The numbers below n in the order of their reversed bits, and the roots of unity for each stage."""
    bits = n.bit_length() - 1
    order = [int(f"{k:0{bits}b}"[::-1], 2) for k in range(n)]
    roots = [np.exp(-1j * np.pi * np.arange(half) / half) for half in 2 ** np.arange(bits)]
    return np.array(order), np.concatenate(([0.0], *roots))


def bell(n, width):
    """The Fourier transform of a bell of this width, centred on the corner."""
    k = np.fft.fftfreq(n, 1.0 / n)
    return np.exp(-2.0 * (np.pi * width / n) ** 2 * (k[:, None] ** 2 + k**2)) + 0j


def error_in_decibels(image, true):
    """The peak signal-to-noise ratio of an image whose values lie between 0 and 1."""
    return -10.0 * math.log10(np.mean((image - true) ** 2))


def draw(path, images):
    figure = Figure(figsize=(9, 3.3), layout="constrained")
    for axes, (title, image) in zip(figure.subplots(1, 3), images.items(), strict=True):
        axes.imshow(image, cmap="gray", vmin=0.0, vmax=1.0)
        axes.set_title(title)
        axes.axis("off")
    figure.savefig(path, dpi=80)


def main(n=128, steps=120, picture=None):
    """Blur and sharpen a picture of n by n points; return its errors before and after."""
    photograph = load_sample_image("china.jpg")[100:356, 190:446].mean(axis=2) / 255.0
    true = photograph.reshape(n, 256 // n, n, 256 // n).mean(axis=(1, 3))
    response, (order, roots) = bell(n, 1.5), tables(n)
    seen = blurred(true, response, order, roots) + 0.005 * np.random.default_rng(0).normal(size=true.shape)
    found = sharpened(seen, response, order, roots, 1e-3, steps)
    before, after = error_in_decibels(seen, true), error_in_decibels(found, true)
    print(f"signal to noise {before:.1f} dB as seen, {after:.1f} dB sharpened")
    if picture:
        draw(picture, {"true": true, f"seen, {before:.1f} dB": seen, f"sharpened, {after:.1f} dB": found})
    return before, after


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", help="where to save a picture")
    main(picture=parser.parse_args().picture)
