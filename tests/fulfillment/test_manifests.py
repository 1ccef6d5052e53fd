"""The end of a node's day: one list per carrier, and everything on it has left."""

from datetime import UTC, datetime

import pytest

from config.kernel.errors import Conflict
from config.kernel.models import Event
from config.kernel.types import ALL_ACCOUNTS
from fulfillment import documents, selectors
from fulfillment.models import Manifest, ManifestLine, Parcel
from fulfillment.services import close_manifest, manifest_parcels, reverse_shipments
from fulfillment.states import ParcelState
from tests.books import check_all
from tests.factories.fulfillment import BEN, node_for, packed, parcel
from tests.factories.inventory import SkuFactory
from tests.factories.kernel import NOON

pytestmark = pytest.mark.django_db


def labelled(node=None, *, carrier: str = "paper", sku=None) -> Parcel:
    """A parcel with a label that waits for its carrier."""
    _, _, box = packed({sku or SkuFactory(): 1}, **({"node": node} if node else {}))
    Parcel.objects.for_scope(ALL_ACCOUNTS).filter(pk=box.pk).update(
        state="labelled", labelled_at=NOON, carrier_code=carrier, tracking_number=f"T-{box.number}"
    )
    return parcel(box.pk)


def node_of(box: Parcel) -> int:
    node_id: int = box.fulfillment_order.node_id
    return node_id


def close(node_id: int, carrier: str = "paper"):
    return close_manifest(node_id, carrier, at=NOON, actor=BEN)


class TestCloseManifest:
    def test_hands_over_all_that_is_labelled_for_the_carrier(self):
        first = labelled()
        sku = SkuFactory(account=first.account)
        second = labelled(first.fulfillment_order.node, sku=sku)
        other = labelled(
            first.fulfillment_order.node, carrier="truck", sku=SkuFactory(account=first.account)
        )

        (closed,) = close(node_of(first))

        assert closed.parcels == 2
        states = [parcel(box.pk).state for box in (first, second, other)]
        assert states == ["handed_over", "handed_over", "labelled"]
        lines = ManifestLine.objects.for_scope(ALL_ACCOUNTS).values_list("parcel_id", flat=True)
        assert set(lines) == {first.pk, second.pk}
        for about in ("fulfillment.", "stock.", "money."):
            assert check_all(about=about) == []

    def test_goes_by_the_list_and_says_so(self):
        box = labelled()

        close(node_of(box))

        topics = Event.objects.for_scope(ALL_ACCOUNTS).filter(subject_id=box.pk).order_by("seq")
        assert list(topics.values_list("topic", flat=True))[-2:] == [
            "parcel.manifested",
            "parcel.shipped",
        ]
        told = Event.objects.for_scope(ALL_ACCOUNTS).get(topic="manifest.closed")
        assert told.data["parcels"] == 1

    def test_takes_what_was_listed_before(self):
        box = labelled()
        manifest_parcels([box.pk], at=NOON, actor=BEN)

        close(node_of(box))

        assert parcel(box.pk).state == ParcelState.HANDED_OVER

    def test_is_of_the_nodes_own_day(self):
        sku = SkuFactory()
        node = node_for(sku.account, timezone="Pacific/Auckland")
        box = labelled(node, sku=sku)
        evening = datetime(2026, 3, 2, 20, 0, tzinfo=UTC)

        close_manifest(node_of(box), "paper", at=evening, actor=BEN)

        assert Manifest.objects.for_scope(ALL_ACCOUNTS).get().day.isoformat() == "2026-03-03"

    def test_is_refused_when_nothing_waits(self):
        _, order, _ = packed(1)

        with pytest.raises(Conflict):
            close(order.node_id)
        assert not Manifest.objects.for_scope(ALL_ACCOUNTS).exists()

    def test_of_a_second_pickup_is_a_second_one(self):
        first = labelled()
        close(node_of(first))
        sku = SkuFactory(account=first.account)
        second = labelled(first.fulfillment_order.node, sku=sku)

        close(node_of(second))

        assert Manifest.objects.for_scope(ALL_ACCOUNTS).count() == 2

    def test_strikes_out_what_never_left(self):
        box = labelled()
        (closed,) = close(node_of(box))

        reverse_shipments([box.pk], at=NOON, actor=BEN)

        (line,) = selectors.manifest(closed.manifest_id, ALL_ACCOUNTS).lines.all()
        assert line.taken_back_at == NOON
        assert parcel(box.pk).state == ParcelState.LABELLED

    def test_costs_the_same_statements_for_one_as_for_four(self, statements):
        first = labelled()
        node = first.fulfillment_order.node
        one = statements(lambda: close(node.pk))
        for _ in range(4):
            labelled(node, sku=SkuFactory(account=first.account))

        four = statements(lambda: close(node.pk))

        assert four == one


def test_the_list_is_printed_with_room_to_sign():
    box = labelled()
    (closed,) = close(node_of(box))

    document = documents.manifest_list(selectors.manifest(closed.manifest_id, ALL_ACCOUNTS))

    assert document.startswith(b"%PDF-")
