"""A sample of random programs, of fixed seeds; `python tests/fuzzing.py 2000` runs many more."""

import random

import pytest
from function_generator import FunctionGenerator
from fuzzing import disagreement, function_inputs
from nest_generator import NestGenerator
from program_generator import ProgramGenerator


@pytest.mark.parametrize("generator", [ProgramGenerator, NestGenerator])
@pytest.mark.parametrize("start", range(0, 160, 20))
def test_random_programs(start, generator):
    for seed in range(start, start + 20):
        rng = random.Random(seed)
        source = generator(rng).program()
        problem = disagreement(source, f"sample {seed}", rng)
        assert problem is None, f"{problem}\n{source}"


@pytest.mark.parametrize("start", range(0, 40, 5))
def test_random_calls_of_functions(start):
    for seed in range(start, start + 5):
        rng = random.Random(seed)
        source = FunctionGenerator(rng).program()
        problem = disagreement(source, f"sample {seed}", rng, make_inputs=function_inputs)
        assert problem is None, f"{problem}\n{source}"


@pytest.mark.parametrize("seed", range(1000, 1012))
def test_random_programs_compiled(seed):
    rng = random.Random(seed)
    source = ProgramGenerator(rng, budget=10).program()
    problem = disagreement(source, f"sample {seed}", rng, jit=True)
    assert problem is None, f"{problem}\n{source}"
