"""Manifests and shipments taken back, as a node's pages show them."""

from django.urls import reverse

from config.kernel import ids
from config.kernel.types import ALL_ACCOUNTS
from config.reports.sql import Row
from fulfillment.models import Manifest, Parcel
from tests.console.conftest import House, text_of
from tests.console.test_nodes import act


def packed(house: House) -> tuple[Row, Parcel]:
    order = house.released(sku="LAMP")
    act(house, order, "pick")
    act(house, order, "pack")
    return order, Parcel.objects.for_scope(ALL_ACCOUNTS).get()


def labelled(house: House) -> tuple[Row, Parcel]:
    order, box = packed(house)
    Parcel.objects.for_scope(ALL_ACCOUNTS).update(
        state="labelled", labelled_at=box.packed_at, carrier_code="paper", tracking_number="T-1"
    )
    return order, box


def state_of(box: Parcel) -> str:
    box.refresh_from_db()
    return str(box.state)


class TestManifests:
    def test_hand_over_what_waits_and_are_printed(self, house: House) -> None:
        order, box = labelled(house)
        code = house.work_of(order)["code"]
        client = house.client("node_operator")
        page = text_of(client.get(reverse("console:manifests", args=[code])))
        assert "Close and hand over 1 parcel" in page

        client.post(
            reverse("console:manifest_close", args=[code]),
            {"carrier": "paper", "once": str(ids.uuid7())},
        )

        made = Manifest.objects.for_scope(ALL_ACCOUNTS).get()
        assert state_of(box) == "handed_over"
        assert made.number in text_of(client.get(reverse("console:manifests", args=[code])))
        paper = client.get(reverse("console:manifest", args=[made.pk]))
        assert paper.content.startswith(b"%PDF-")

    def test_say_what_has_no_label_yet(self, house: House) -> None:
        order, _ = packed(house)

        page = house.client("node_operator").get(
            reverse("console:manifests", args=[house.work_of(order)["code"]])
        )

        assert "1 parcel without a label" in text_of(page)


class TestTakingBack:
    def address(self, house: House, order: Row) -> str:
        work = house.work_of(order)
        return reverse("console:take_back", args=[work["code"], work["number"]])

    def test_says_first_what_it_does_and_then_does_it(self, house: House) -> None:
        order, box = labelled(house)
        act(house, order, "ship")
        client = house.client("ops_manager")
        form = text_of(client.get(self.address(house, order), {"parcel": str(box.pk)}))
        assert "are credited" in form

        answer = client.post(
            self.address(house, order), {"parcel": str(box.pk), "once": str(ids.uuid7())}
        )

        assert answer.status_code == 302, text_of(answer)
        assert state_of(box) == "labelled"

    def test_is_not_offered_to_the_node(self, house: House) -> None:
        order, box = labelled(house)
        act(house, order, "ship")
        client = house.client("node_operator")
        work = house.work_of(order)

        page = text_of(
            client.get(reverse("console:fulfillment_order", args=[work["code"], work["number"]]))
        )
        answer = client.post(self.address(house, order), {"parcel": str(box.pk)})

        assert "Take back" not in page
        assert answer.status_code == 403
        assert state_of(box) == "handed_over"
