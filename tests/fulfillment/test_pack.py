import pytest

from config.kernel.models import Intent
from config.kernel.types import ALL_ACCOUNTS, OutcomeKind
from fulfillment.models import Parcel
from fulfillment.packing import PACKAGING_GRAMS
from fulfillment.services import (
    confirm_shipments,
    manifest_parcels,
    record_packs,
    void_parcels,
)
from fulfillment.states import FulfillmentState, ParcelState
from fulfillment.types import Content, Pack, Shipment
from tests.factories.fulfillment import (
    BEN,
    line_of,
    many_picked,
    packed,
    parcel,
    picked,
    ready,
    released,
    shipped,
    work,
)
from tests.factories.inventory import SkuFactory
from tests.factories.kernel import NOON

pytestmark = pytest.mark.django_db


class TestRecordPacks:
    def test_closes_one_parcel_over_all_that_is_picked(self):
        _, order = picked(2)

        outcome = record_packs([Pack(order.pk)], at=NOON, actor=BEN)[0]

        box = parcel(outcome.value.parcel_ids[0])
        assert (box.state, box.weight_grams) == (ParcelState.PACKED, 2 * 250 + PACKAGING_GRAMS)
        assert [content.quantity for content in box.lines.all()] == [2]
        assert work(order.pk).state == FulfillmentState.PACKED

    def test_splits_what_is_too_heavy_for_one_parcel(self):
        _, order = picked({SkuFactory(weight_grams=9_000): 3})

        outcome = record_packs([Pack(order.pk)], at=NOON, actor=BEN)[0]

        assert len(outcome.value.parcel_ids) == 2

    def test_takes_the_node_s_word_for_contents_and_weight(self):
        _, order = picked(2)
        pack = Pack(order.pk, (Content(line_of(order).pk, 1),), weight_grams=777)

        outcome = record_packs([pack], at=NOON, actor=BEN)[0]

        assert parcel(outcome.value.parcel_ids[0]).weight_grams == 777
        assert (line_of(order).picked, line_of(order).packed) == (1, 1)
        assert work(order.pk).state == FulfillmentState.PICKING

    def test_packs_the_same_parcel_of_the_node_once(self):
        _, order = picked(2)
        pack = Pack(order.pk, external_id="LPN-9")
        first = record_packs([pack], at=NOON, actor=BEN)[0]

        again = record_packs([pack], at=NOON, actor=BEN)[0]

        assert again.kind is OutcomeKind.REPEATED
        assert again.value == first.value
        assert Parcel.objects.for_scope(ALL_ACCOUNTS).count() == 1

    def test_finds_nothing_to_pack_on_a_second_click(self):
        _, order, _ = packed()

        assert record_packs([Pack(order.pk)], at=NOON, actor=BEN)[0].problem.code == (
            "nothing-to-pack"
        )

    def test_counts_packing_as_picking(self):
        _, order = released(2)
        pack = Pack(order.pk, (Content(line_of(order).pk, 2),))

        record_packs([pack], at=NOON, actor=BEN)

        assert (work(order.pk).state, line_of(order).packed) == (FulfillmentState.PACKED, 2)

    def test_writes_units_beyond_those_asked_for_down_as_excess(self):
        _, order = picked(2)
        pack = Pack(order.pk, (Content(line_of(order).pk, 3),))

        outcome = record_packs([pack], at=NOON, actor=BEN)[0]

        content = parcel(outcome.value.parcel_ids[0]).lines.get()
        assert (content.quantity, content.excess) == (2, 1)
        assert line_of(order).packed == 2

    def test_sets_a_pickup_aside_without_a_parcel(self):
        _, order = ready(2)

        assert order.state == FulfillmentState.READY_FOR_PICKUP
        assert order.collect_by is not None
        assert not Parcel.objects.for_scope(ALL_ACCOUNTS).exists()

    def test_refuses_the_line_of_another_order(self):
        _, order = picked()
        _, other = picked()

        pack = Pack(order.pk, (Content(line_of(other).pk, 1),))

        assert record_packs([pack], at=NOON, actor=BEN)[0].problem.code == "not-found"

    def test_costs_the_same_statements_for_one_as_for_eight(self, statements):
        packs = [Pack(order.pk) for _, order in many_picked(9)]

        one = statements(lambda: record_packs(packs[:1], at=NOON, actor=BEN))
        eight = statements(lambda: record_packs(packs[1:], at=NOON, actor=BEN))

        assert eight == one
        assert Parcel.objects.for_scope(ALL_ACCOUNTS).count() == 9


class TestVoidParcels:
    def test_takes_the_units_out_again(self):
        _, order, box = packed(2)

        outcome = void_parcels([box.pk], at=NOON, actor=BEN)[0]

        assert outcome.value.state == ParcelState.VOIDED
        assert (line_of(order).packed, line_of(order).picked) == (0, 2)
        assert work(order.pk).state == FulfillmentState.PICKING

    def test_is_harmless_twice_in_one_batch(self):
        _, order, box = packed(2)

        outcomes = void_parcels([box.pk, box.pk], at=NOON, actor=BEN)

        assert [o.kind for o in outcomes] == [OutcomeKind.DONE, OutcomeKind.REPEATED]
        assert line_of(order).picked == 2

    def test_refuses_what_has_left(self):
        _, _, box = shipped()

        outcome = void_parcels([box.pk], at=NOON, actor=BEN)[0]

        assert outcome.problem.code == "illegal-transition"
        assert "void" not in outcome.problem.extra["allowed"]

    def test_asks_no_carrier_when_no_label_was_bought(self):
        _, _, box = packed()

        void_parcels([box.pk], at=NOON, actor=BEN)

        assert not Intent.objects.for_scope(ALL_ACCOUNTS).exists()

    def test_lets_the_units_be_packed_and_shipped_again(self):
        _, order, box = packed(2)
        void_parcels([box.pk], at=NOON, actor=BEN)

        outcome = record_packs([Pack(order.pk)], at=NOON, actor=BEN)[0]
        confirm_shipments([Shipment(outcome.value.parcel_ids[0])], at=NOON, actor=BEN)

        assert work(order.pk).state == FulfillmentState.SHIPPED


class TestManifestParcels:
    def test_lists_parcels_for_the_carrier_once(self):
        _, _, box = packed()

        outcomes = manifest_parcels([box.pk, box.pk], at=NOON, actor=BEN)

        assert [o.kind for o in outcomes] == [OutcomeKind.DONE, OutcomeKind.REPEATED]
        assert parcel(box.pk).state == ParcelState.MANIFESTED
