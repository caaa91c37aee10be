"""A sample of random programs; `python tests/fuzzing.py 2000` runs many more."""

from fuzzing import disagreement
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from program_generator import ProgramGenerator


@settings(
    max_examples=120, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
@given(st.randoms(use_true_random=False), st.integers(6, 24))
def test_random_programs(rng, budget):
    source = ProgramGenerator(rng, budget).program()
    problem = disagreement(source, str(abs(hash(source))), rng)
    assert problem is None, f"{problem}\n{source}"
