"""Every unit goes into exactly one parcel, and no parcel grows too heavy."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from config.kernel import ids
from fulfillment.packing import PACKAGING_GRAMS, Box, Units, pack
from fulfillment.types import Content


def test_a_light_order_is_one_parcel_in_the_order_of_its_lines():
    tee, mug = ids.uuid7(), ids.uuid7()

    boxes = pack([Units(tee, 2, 200), Units(mug, 1, 400)])

    assert boxes == [Box((Content(tee, 2), Content(mug, 1)), 800 + PACKAGING_GRAMS)]


def test_weight_above_the_limit_splits_between_units():
    kettlebell = ids.uuid7()

    boxes = pack([Units(kettlebell, 3, 8_000)])

    assert [box.contents for box in boxes] == [
        (Content(kettlebell, 2),),
        (Content(kettlebell, 1),),
    ]


def test_light_units_fill_the_parcels_that_heavy_ones_began():
    anvil, feather = ids.uuid7(), ids.uuid7()

    boxes = pack([Units(feather, 4, 10), Units(anvil, 2, 15_000)])

    assert [box.contents for box in boxes] == [
        (Content(feather, 4), Content(anvil, 1)),
        (Content(anvil, 1),),
    ]


def test_a_unit_above_the_limit_travels_alone():
    safe, key = ids.uuid7(), ids.uuid7()

    boxes = pack([Units(safe, 1, 90_000), Units(key, 1, 10)])

    assert [box.contents for box in boxes] == [(Content(safe, 1),), (Content(key, 1),)]


def test_nothing_is_no_parcel():
    assert pack([]) == []


@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(0, 25_000)), max_size=8),
    st.integers(1_000, 20_000),
)
def test_all_units_are_packed_once_within_the_limit(wanted, limit):
    units = [Units(ids.uuid7(), quantity, grams) for quantity, grams in wanted]
    grams = {line.line_id: line.weight_grams for line in units}

    boxes = pack(units, limit_grams=limit)

    packed: Counter = Counter()
    for box in boxes:
        for content in box.contents:
            packed[content.line_id] += content.quantity
        load = sum(grams[content.line_id] * content.quantity for content in box.contents)
        assert box.weight_grams == load + PACKAGING_GRAMS
        alone = len(box.contents) == 1 and box.contents[0].quantity == 1
        assert box.weight_grams <= limit or alone
    assert packed == Counter({line.line_id: line.quantity for line in units})
