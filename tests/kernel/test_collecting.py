"""The collector stays out of batches, and is always turned on again."""

import gc

import pytest

from config.kernel.collecting import WORTH_WHILE, uncollected

BATCH = range(WORTH_WHILE)


@uncollected
def collects(_batch: range) -> bool:
    return gc.isenabled()


@uncollected
def fails(_batch: range) -> None:
    raise LookupError


@uncollected
def nests(batch: range) -> bool:
    collects(batch)
    return gc.isenabled()


class TestUncollected:
    def test_pauses_for_a_batch(self) -> None:
        assert not collects(BATCH)

    def test_leaves_a_few_items_alone(self) -> None:
        assert collects(BATCH[1:])

    def test_turns_it_on_again(self) -> None:
        collects(BATCH)

        assert gc.isenabled()

    def test_turns_it_on_again_after_a_failure(self) -> None:
        with pytest.raises(LookupError):
            fails(BATCH)

        assert gc.isenabled()

    def test_stays_paused_until_the_last_batch_ends(self) -> None:
        assert not nests(BATCH)

    def test_leaves_it_off_where_somebody_else_turned_it_off(self) -> None:
        gc.disable()
        try:
            collects(BATCH)

            assert not gc.isenabled()
        finally:
            gc.enable()
