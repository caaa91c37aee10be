"""A sample of random programs, of fixed seeds; `python tests/fuzzing.py 2000` runs many more."""

import random

import pytest
from array_generator import ArrayGenerator
from column_generator import ColumnGenerator, column_inputs
from function_generator import FunctionGenerator
from fuzzing import disagreement, function_inputs, inputs, make
from held_arguments import with_captured_arrays, with_one_vector
from idiom_check import forward_difference, gradient_difference
from idiom_generator import IdiomGenerator
from name_generator import NameGenerator
from nest_generator import NestGenerator
from program_generator import ProgramGenerator
from ragged_generator import RaggedGenerator, ragged_inputs
from ring_generator import RingGenerator, ring_inputs
from row_generator import RowGenerator, row_inputs
from sibling_generator import SiblingGenerator, sibling_inputs
from small_generator import SmallGenerator
from stencil_generator import StencilGenerator, stencil_inputs
from step_generator import StepGenerator, step_inputs
from table_generator import TableGenerator, table_inputs
from update_generator import UpdateGenerator, update_inputs
from write_generator import WriteGenerator


@pytest.mark.parametrize("generator", [ProgramGenerator, NestGenerator])
@pytest.mark.parametrize("start", range(0, 60, 20))
def test_random_programs(start, generator):
    for seed in range(start, start + 10):
        rng = random.Random(seed)
        source = generator(rng).program()
        problem = disagreement(source, f"sample {seed}", rng)
        assert problem is None, f"{problem}\n{source}"


@pytest.mark.parametrize("start", range(0, 30, 10))
def test_random_programs_on_small_arrays(start):
    for seed in range(start, start + 10):
        rng = random.Random(seed)
        source = SmallGenerator(rng).program()
        problem = disagreement(source, f"small {seed}", rng)
        assert problem is None, f"{problem}\n{source}"


@pytest.mark.parametrize("start", range(0, 20, 10))
def test_random_products_of_rows(start):
    for seed in range(start, start + 10):
        rng = random.Random(seed)
        source = RowGenerator(rng).program()
        problem = disagreement(source, f"rows {seed}", rng, make_inputs=row_inputs)
        assert problem is None, f"{problem}\n{source}"


@pytest.mark.parametrize("start", range(0, 30, 10))
def test_random_loops_side_by_side(start):
    for seed in range(start, start + 10):
        rng = random.Random(seed)
        source = SiblingGenerator(rng).program()
        problem = disagreement(source, f"siblings {seed}", rng, make_inputs=sibling_inputs)
        assert problem is None, f"{problem}\n{source}"


@pytest.mark.parametrize("start", range(0, 40, 10))
def test_random_time_steps(start):
    for seed in range(start, start + 10):
        rng = random.Random(seed)
        source = StepGenerator(rng).program()
        problem = disagreement(source, f"steps {seed}", rng, make_inputs=step_inputs)
        assert problem is None, f"{problem}\n{source}"


@pytest.mark.parametrize("start", range(0, 40, 10))
def test_random_numbers_that_are_alike(start):
    for seed in range(start, start + 10):
        rng = random.Random(seed)
        source = TableGenerator(rng).program()
        problem = disagreement(source, f"tables {seed}", rng, make_inputs=table_inputs)
        assert problem is None, f"{problem}\n{source}"


@pytest.mark.parametrize("start", range(0, 40, 10))
def test_random_rings(start):
    for seed in range(start, start + 10):
        rng = random.Random(seed)
        source = RingGenerator(rng).program()
        problem = disagreement(source, f"rings {seed}", rng, make_inputs=ring_inputs)
        assert problem is None, f"{problem}\n{source}"


@pytest.mark.parametrize("start", range(0, 40, 10))
def test_random_stencils(start):
    for seed in range(start, start + 10):
        rng = random.Random(seed)
        source = StencilGenerator(rng).program()
        problem = disagreement(source, f"stencils {seed}", rng, make_inputs=stencil_inputs)
        assert problem is None, f"{problem}\n{source}"


@pytest.mark.parametrize("start", range(0, 40, 10))
def test_random_ragged_arrays(start):
    for seed in range(start, start + 10):
        rng = random.Random(seed)
        source = RaggedGenerator(rng).program()
        problem = disagreement(source, f"ragged {seed}", rng, make_inputs=ragged_inputs)
        assert problem is None, f"{problem}\n{source}"


@pytest.mark.parametrize("start", range(40_000, 40_040, 10))
def test_random_names(start):
    for seed in range(start, start + 10):
        rng = random.Random(seed)
        source = NameGenerator(rng).program()
        assert disagreement(source, f"names {seed}", rng) is None, source


@pytest.mark.parametrize("start", range(40_000, 40_030, 10))
def test_random_columns(start):
    for seed in range(start, start + 10):
        rng = random.Random(seed)
        source = ColumnGenerator(rng).program()
        assert disagreement(source, f"columns {seed}", rng, make_inputs=column_inputs) is None, source


@pytest.mark.parametrize("start", range(20_015, 20_045, 10))
def test_random_updates(start):
    for seed in range(start, start + 10):
        rng = random.Random(seed)
        source = UpdateGenerator(rng).program()
        assert disagreement(source, f"updates {seed}", rng, make_inputs=update_inputs) is None, source


@pytest.mark.parametrize("given", [with_captured_arrays, with_one_vector])
@pytest.mark.parametrize("generator", [ArrayGenerator, RowGenerator, NestGenerator])
def test_random_programs_with_data_of_the_module_or_parameters_in_one_vector(generator, given):
    for seed in range(5):
        rng = random.Random(seed)
        source = generator(rng).program()
        make_inputs = row_inputs if generator is RowGenerator else inputs
        held = given(source, make, make_inputs, rng)
        if held is not None:
            text, others = held
            problem = disagreement(text, f"{given.__name__} {seed}", rng, make_inputs=others)
            assert problem is None, f"{problem}\n{text}"


@pytest.mark.parametrize("start", range(0, 20, 10))
def test_random_programs_that_write_between_reductions_and_their_uses(start):
    for seed in range(start, start + 10):
        rng = random.Random(seed)
        source = WriteGenerator(rng).program()
        problem = disagreement(source, f"writes {seed}", rng)
        assert problem is None, f"{problem}\n{source}"


@pytest.mark.parametrize("start", range(0, 20, 5))
def test_random_calls_of_functions(start):
    for seed in range(start, start + 5):
        rng = random.Random(seed)
        source = FunctionGenerator(rng).program()
        problem = disagreement(source, f"sample {seed}", rng, make_inputs=function_inputs)
        assert problem is None, f"{problem}\n{source}"


@pytest.mark.parametrize("seed", range(1000, 1006))
def test_random_programs_compiled(seed):
    rng = random.Random(seed)
    source = ProgramGenerator(rng, budget=10).program()
    problem = disagreement(source, f"sample {seed}", rng, jit=True)
    assert problem is None, f"{problem}\n{source}"


@pytest.mark.parametrize("start", range(0, 32, 8))
def test_programs_made_of_the_idioms_of_others(start):
    """Against the program itself run with complex numbers."""
    for seed in range(start, start + 8):
        rng = random.Random(seed)
        source = IdiomGenerator(rng).program()
        problem = gradient_difference(make(source, f"idioms {seed}"), source, rng, False, inputs)
        assert problem is None, f"{problem}\n{source}"


@pytest.mark.parametrize("start", range(5000, 5010, 5))
def test_programs_made_of_idioms_in_forward_mode(start):
    for seed in range(start, start + 5):
        rng = random.Random(seed)
        source = IdiomGenerator(rng).program()
        problem = forward_difference(make(source, f"idioms {seed}"), source, rng, False, inputs)
        assert problem is None, f"{problem}\n{source}"


@pytest.mark.parametrize("seed", range(7000, 7002))
def test_programs_made_of_idioms_compiled(seed):
    rng = random.Random(seed)
    source = IdiomGenerator(rng).program()
    problem = gradient_difference(make(source, f"idioms {seed}"), source, rng, True, inputs)
    assert problem is None, f"{problem}\n{source}"
