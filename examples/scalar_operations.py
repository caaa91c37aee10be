"""Six formulas differentiated, and the sum over paths that explains why it works."""

from itertools import pairwise

from adcompiler import grad, value_and_grad


def linear(x, y):
    return x + 2 * y


def square(x):
    return x * x


def product(x):
    return x * (x + 1)


def quotient(x, y):
    return x / y


def bell(x):
    return 1 / (x**2 + 1)


def ratio(x, y):
    return (x**2 + 1) / (y**2 - 1)


def two_paths(a, b):
    c = a + b
    d = b + 1
    e = c * d
    return e


CHECKS = [
    (linear, (10.0, 2.0), 14.0, (1.0, 2.0)),
    (square, (10.0,), 100.0, (20.0,)),
    (product, (10.0,), 110.0, (21.0,)),
    (quotient, (8.0, 4.0), 2.0, (0.25, -0.5)),
    (bell, (3.0,), 0.1, (-0.06,)),
    (ratio, (8.0, 3.0), 8.125, (2.0, -6.09375)),
]


def main() -> None:
    for function, point, _, _ in CHECKS:
        value, gradient = value_and_grad(function, argnums=range(len(point)))(*point)
        print(f"{function.__name__}{point} = {value:g}, gradient {tuple(float(g) for g in gradient)}")

    graph = grad(two_paths).graph
    at = graph.evaluate(a=2.0, b=1.0)
    print(f"\ne = {at.values['e']:g}, ∂e/∂a = {at.adjoints['a']:g}, ∂e/∂b = {at.adjoints['b']:g}, because")
    print(f"∂e/∂b = {graph.chain('b')}")
    for path in graph.paths("b", "e"):
        steps = [at.partials[edge] for edge in pairwise(path)]
        print(f"  along {' → '.join(path)}: {' * '.join(f'{step:g}' for step in steps)}")

    print("\ndivision by zero, numpy:", value_and_grad(quotient)(1.0, 0.0))
    try:
        value_and_grad(quotient, error_model="python")(1.0, 0.0)
    except ZeroDivisionError as error:
        print("division by zero, python: ZeroDivisionError:", error)


if __name__ == "__main__":
    main()
