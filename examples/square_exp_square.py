"""Functions composed of functions: the derivative of square(exp(square(x)))."""

import numpy as np

from adcompiler import value_and_grad


def square(x):
    return x**2


def exp(x):
    return np.exp(x)


@value_and_grad
def composed(x: float):
    return square(exp(square(x)))


def main() -> None:
    print(composed.source)
    value, slope = composed(0.5)
    print("value", value, "derivative", slope)


if __name__ == "__main__":
    main()
