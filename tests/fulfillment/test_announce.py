"""Carriers are told of what they take along, outside of transactions; their answer is kept."""

from collections.abc import Iterator, Sequence

import pytest

from config.kernel.models import CaseReport, Intent
from config.kernel.services import intents
from config.kernel.types import ALL_ACCOUNTS
from fulfillment import carriers
from fulfillment.carriers import (
    LabelAnswer,
    LabelRequest,
    LabelStatus,
    ManifestAnswer,
    ManifestRequest,
    TrackAnswer,
    VoidAnswer,
)
from fulfillment.models import Manifest, Parcel
from fulfillment.services import close_manifest, request_labels
from inventory.models import ServiceLevel
from tests.factories.fulfillment import BEN, packed
from tests.factories.inventory import CarrierFactory
from tests.factories.kernel import NOON

pytestmark = pytest.mark.django_db(transaction=True)
CODE = "swift"


class Swift:
    """A carrier in memory that answers lists as it is told."""

    def __init__(self) -> None:
        self.answer = ManifestAnswer(LabelStatus.DONE, "SF-1", b"%PDF list")
        self.asked: list[ManifestRequest] = []

    def buy_label(self, request: LabelRequest) -> LabelAnswer:
        return LabelAnswer(LabelStatus.DONE, f"SW-{request.parcel_number}", b"%PDF")

    def find_label(self, request: LabelRequest) -> LabelAnswer | None:
        return self.buy_label(request)

    def void_label(self, tracking_number: str) -> VoidAnswer:
        del tracking_number
        return VoidAnswer(LabelStatus.DONE)

    def manifest(self, request: ManifestRequest) -> ManifestAnswer:
        self.asked.append(request)
        return self.answer

    def track(self, tracking_numbers: Sequence[str]) -> TrackAnswer:
        return TrackAnswer(unasked=tuple(tracking_numbers))

    def tracking_url(self, tracking_number: str) -> str:
        del tracking_number
        return ""


@pytest.fixture
def swift() -> Iterator[Swift]:
    carrier = Swift()
    with carriers.using({CODE: carrier}):
        yield carrier


def carry_out() -> int:
    Intent.objects.for_scope(ALL_ACCOUNTS).update(due_at="2026-01-01T00:00:00Z")
    return intents.run_due(at=NOON)


def closed():
    """A manifest with one labelled parcel, of which the carrier has not been told yet."""
    _, order, box = packed()
    ServiceLevel.objects.update(carrier=CarrierFactory(code=CODE))
    request_labels([box.pk], at=NOON, actor=BEN)
    carry_out()
    (one,) = close_manifest(order.node_id, CODE, at=NOON, actor=BEN)
    return box, one


def manifest_now(one) -> Manifest:
    found: Manifest = Manifest.objects.for_scope(ALL_ACCOUNTS).get(pk=one.manifest_id)
    return found


class TestAnnounce:
    def test_tells_the_carrier_by_the_keys_of_the_labels(self, swift):
        box, one = closed()
        assert swift.asked == []

        carry_out()

        [request] = swift.asked
        assert request.manifest_number == one.number
        assert [each.key for each in request.parcels] == [f"{box.pk}:1"]
        manifest = manifest_now(one)
        assert (manifest.carrier_reference, manifest.announced_at) == ("SF-1", NOON)
        assert bytes(manifest.carrier_document) == b"%PDF list"

    def test_asks_again_what_may_not_have_arrived(self, swift):
        _, one = closed()
        swift.answer = ManifestAnswer(LabelStatus.UNKNOWN)
        carry_out()
        swift.answer = ManifestAnswer(LabelStatus.DONE, "SF-1")

        carry_out()

        assert len(swift.asked) == 2
        assert manifest_now(one).carrier_reference == "SF-1"

    def test_makes_a_case_of_a_list_that_the_carrier_will_not_have(self, swift):
        _, one = closed()
        swift.answer = ManifestAnswer(LabelStatus.REFUSED, code="late")

        carry_out()

        report = CaseReport.objects.get()
        assert (report.kind, report.subject_id) == ("MANIFEST_REFUSED", one.manifest_id)
        assert manifest_now(one).announced_at is None

    def test_asks_nobody_who_is_not_connected(self, swift):
        _, order, _ = packed()
        with carriers.using({}):
            _, one = closed_by_hand(order)

        assert not Intent.objects.for_scope(ALL_ACCOUNTS).filter(kind="carrier.manifest").exists()
        assert manifest_now(one).announced_at is None


def closed_by_hand(order):
    """A manifest of a carrier that nobody connected; its label was made on its own page."""
    boxes = Parcel.objects.for_scope(ALL_ACCOUNTS).filter(fulfillment_order=order)
    boxes.update(state="labelled", labelled_at=NOON, carrier_code="truck", tracking_number="T-9")
    (one,) = close_manifest(order.node_id, "truck", at=NOON, actor=BEN)
    return boxes, one
