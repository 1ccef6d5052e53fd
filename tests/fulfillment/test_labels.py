"""Labels are bought outside of transactions, by a carrier of the test's own."""

from collections.abc import Callable, Iterator

import pytest

from config.kernel import vault
from config.kernel.models import CaseReport, Intent
from config.kernel.services import intents
from config.kernel.types import ALL_ACCOUNTS, OutcomeKind
from fulfillment import carriers, selectors
from fulfillment.carriers import LabelAnswer, LabelRequest, LabelStatus, VoidAnswer
from fulfillment.models import Label
from fulfillment.services import confirm_shipments, request_labels, void_parcels
from fulfillment.states import ParcelState
from fulfillment.types import Shipment
from inventory.models import ServiceLevel
from tests.factories.fulfillment import BEN, packed, parcel
from tests.factories.inventory import CarrierFactory
from tests.factories.kernel import NOON

pytestmark = pytest.mark.django_db(transaction=True)
CODE = "swift"


class Swift:
    """A carrier in memory: one label per key, whatever it is told to answer first."""

    def __init__(self) -> None:
        self.sold: dict[str, LabelRequest] = {}
        self.voided: list[str] = []
        self.next: LabelStatus = LabelStatus.DONE
        self.meanwhile: Callable[[], object] = int
        """What happens elsewhere while the carrier thinks."""

    def buy_label(self, request: LabelRequest) -> LabelAnswer:
        self.meanwhile()
        status, self.next = self.next, LabelStatus.DONE
        if status is LabelStatus.REFUSED:
            return LabelAnswer(status, code="bad-address", message="No such street.")
        self.sold[request.key] = request
        return self._label(request) if status is LabelStatus.DONE else LabelAnswer(status)

    def find_label(self, request: LabelRequest) -> LabelAnswer | None:
        return self._label(request) if request.key in self.sold else None

    def void_label(self, tracking_number: str) -> VoidAnswer:
        self.voided.append(tracking_number)
        return VoidAnswer(LabelStatus.DONE)

    def tracking_url(self, tracking_number: str) -> str:
        return f"https://swift.example/{tracking_number}"

    def _label(self, request: LabelRequest) -> LabelAnswer:
        document = f"%PDF {request.ship_to.name}".encode()
        number = f"SW-{request.parcel_number}"
        return LabelAnswer(LabelStatus.DONE, number, document, cost_minor=799, currency="USD")


@pytest.fixture
def swift() -> Iterator[Swift]:
    """The one carrier that is connected, and that every service names."""
    carrier = Swift()
    with carriers.using({CODE: carrier}):
        yield carrier


def a_parcel():
    _, _, box = packed()
    ServiceLevel.objects.update(carrier=CarrierFactory(code=CODE))
    return box


def ask(box):
    return request_labels([box.pk], at=NOON, actor=BEN)[0]


def carry_out() -> int:
    Intent.objects.for_scope(ALL_ACCOUNTS).update(due_at="2026-01-01T00:00:00Z")
    return intents.run_due(at=NOON)


class TestRequestLabels:
    def test_asks_first_and_labels_the_parcel_when_the_carrier_has_answered(self, swift):
        box = a_parcel()

        ask(box)
        assert (parcel(box.pk).state, parcel(box.pk).label_pending) == (ParcelState.PACKED, True)
        carry_out()

        box = parcel(box.pk)
        assert (box.state, box.carrier_code) == (ParcelState.LABELLED, CODE)
        assert box.tracking_number == f"SW-{box.number}"
        assert selectors.tracking_url(box) == f"https://swift.example/SW-{box.number}"

    def test_tells_the_carrier_where_from_and_where_to(self, swift):
        ask(a_parcel())
        carry_out()

        request = next(iter(swift.sold.values()))
        assert (request.ship_to.name, request.ship_to.line1) == (
            "Ada Lovelace",
            "12 Orchard Street",
        )
        assert request.ship_from.city == "New York"

    def test_asks_once_while_the_answer_is_open_and_after_it(self, swift):
        box = a_parcel()
        ask(box)

        assert ask(box).kind is OutcomeKind.REPEATED
        carry_out()
        assert ask(box).kind is OutcomeKind.REPEATED
        assert len(swift.sold) == 1

    def test_keeps_the_document_sealed_and_opens_it_for_printing(self, swift):
        box = a_parcel()
        ask(box)
        carry_out()

        label = Label.objects.for_scope(ALL_ACCOUNTS).get()
        assert b"Lovelace" not in bytes(label.document)
        assert "Lovelace" not in str(Intent.objects.for_scope(ALL_ACCOUNTS).get().answer)
        shown = selectors.label_documents([box.pk], ALL_ACCOUNTS)
        assert shown == {box.number: (b"%PDF Ada Lovelace", "application/pdf")}

    def test_shows_no_label_of_a_buyer_who_was_erased(self, swift):
        box = a_parcel()
        ask(box)
        carry_out()
        label = Label.objects.for_scope(ALL_ACCOUNTS).get()

        vault.destroy_keys([label.sealed_with], at=NOON)

        assert selectors.label_documents([box.pk], ALL_ACCOUNTS) == {}

    def test_makes_a_refusal_a_case_and_may_be_asked_again(self, swift):
        swift.next = LabelStatus.REFUSED
        box = a_parcel()
        ask(box)
        carry_out()
        assert parcel(box.pk).state == ParcelState.PACKED
        assert CaseReport.objects.get().kind == "LABEL_REFUSED"

        assert ask(box).kind is OutcomeKind.DONE
        carry_out()

        assert parcel(box.pk).state == ParcelState.LABELLED

    def test_finds_out_what_became_of_a_lost_answer_and_buys_no_second_label(self, swift):
        swift.next = LabelStatus.UNKNOWN
        box = a_parcel()
        ask(box)
        carry_out()
        assert parcel(box.pk).label_pending

        carry_out()

        assert parcel(box.pk).state == ParcelState.LABELLED
        assert len(swift.sold) == 1

    def test_costs_the_same_statements_for_one_as_for_eight(self, swift, statements):
        boxes = [a_parcel() for _ in range(9)]
        wanted = [box.pk for box in boxes]

        one = statements(lambda: request_labels(wanted[:1], at=NOON, actor=BEN))
        eight = statements(lambda: request_labels(wanted[1:], at=NOON, actor=BEN))

        assert eight == one


class TestUnusedLabels:
    def test_are_given_back_when_the_parcel_is_opened(self, swift):
        box = a_parcel()
        ask(box)
        carry_out()

        void_parcels([box.pk], at=NOON, actor=BEN)
        carry_out()

        assert swift.voided == [f"SW-{box.number}"]
        assert Label.objects.for_scope(ALL_ACCOUNTS).get().voided_at == NOON

    def test_are_not_bought_for_a_parcel_that_was_opened(self, swift):
        box = a_parcel()
        ask(box)
        void_parcels([box.pk], at=NOON, actor=BEN)

        carry_out()

        assert swift.sold == {}
        assert parcel(box.pk).state == ParcelState.VOIDED

    def test_are_given_back_when_they_come_for_a_parcel_that_left_under_another_number(self, swift):
        box = a_parcel()
        ask(box)
        confirm_shipments([Shipment(box.pk, "T-77", "truck")], at=NOON, actor=BEN)

        carry_out()
        carry_out()

        assert swift.voided == [f"SW-{box.number}"]
        assert parcel(box.pk).tracking_number == "T-77"

    def test_name_a_parcel_that_left_before_they_came(self, swift):
        box = a_parcel()
        ask(box)
        confirm_shipments([Shipment(box.pk)], at=NOON, actor=BEN)

        carry_out()

        left = parcel(box.pk)
        assert (left.state, left.tracking_number) == ("handed_over", f"SW-{box.number}")
        assert swift.voided == []

    def test_are_given_back_when_they_come_for_a_parcel_that_was_opened(self, swift):
        box = a_parcel()
        ask(box)
        swift.meanwhile = lambda: void_parcels([box.pk], at=NOON, actor=BEN)

        carry_out()
        carry_out()

        assert parcel(box.pk).state == ParcelState.VOIDED
        assert swift.voided == [f"SW-{box.number}"]
