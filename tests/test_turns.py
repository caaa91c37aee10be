"""While something is compiled, Python looks for garbage less often; afterwards, as before."""

import gc
import weakref

import pytest

from adcompiler.turns import in_turn


@pytest.fixture
def thresholds():
    before = gc.get_threshold()
    yield before
    gc.set_threshold(*before)


def test_less_often_and_then_as_before(thresholds):
    gc.set_threshold(300, 5, 7)
    during = in_turn(gc.get_threshold)()
    assert during[0] > 100_000
    assert during[1] * during[2] < 10  # what is older is looked at before there is too much of it
    assert in_turn(lambda: in_turn(gc.get_threshold)())() == during
    assert gc.get_threshold() == (300, 5, 7)


def test_after_an_error(thresholds):
    gc.set_threshold(300, 5, 7)
    with pytest.raises(ZeroDivisionError):
        in_turn(lambda: 1 / 0)()
    assert gc.get_threshold() == (300, 5, 7)


def test_who_collects_by_hand_goes_on(thresholds):
    gc.set_threshold(0)
    assert in_turn(gc.get_threshold)()[0] == 0
    assert gc.get_threshold()[0] == 0


def test_what_is_frozen_stays_frozen(thresholds):
    gc.freeze()
    try:
        count = gc.get_freeze_count()
        in_turn(lambda: [[] for _ in range(5_000)])()
        assert gc.get_freeze_count() > 0.9 * count  # some may have been let go of
    finally:
        gc.unfreeze()


class Cycle:
    def __init__(self):
        self.itself = self


def test_garbage_of_a_compilation_is_found_later():
    found = in_turn(lambda: [weakref.ref(Cycle()) for _ in range(2_000)])()
    gc.collect()
    assert all(reference() is None for reference in found)


def test_garbage_of_many_compilations_does_not_pile_up(thresholds):
    gc.set_threshold(700, 10, 10)
    found = []
    for _ in range(20):
        found += in_turn(lambda: [weakref.ref(Cycle()) for _ in range(60_000)])()
    assert sum(reference() is not None for reference in found) < len(found) - 200_000
