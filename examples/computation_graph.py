"""A two-layer network as a computation graph: order of nodes, values, partials, and the chain rule."""

from adcompiler import ComputationGraph, DifferentiationError

network = ComputationGraph(
    {
        "L1": "k1 * x + b1",
        "sigmoid": "1 / (1 + exp(-L1))",
        "L2": "k2 * sigmoid + b2",
        "loss": "(L2 - y) ** 2",
    },
    output="loss",
)


def main() -> None:
    print("nodes in topological order:", ", ".join(network.topological_order()))
    for parameter in ("k1", "b1", "k2", "b2"):
        print(f"∂loss/∂{parameter} = {network.chain(parameter)}")
    print()
    print(network.evaluate(k1=0.5, b1=-0.2, k2=1.5, b2=0.1, x=2.0, y=1.0))
    print()
    try:
        ComputationGraph({"chicken": "egg + 1", "egg": "2 * chicken"})
    except DifferentiationError as refusal:
        print(refusal)


if __name__ == "__main__":
    main()
