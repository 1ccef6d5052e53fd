"""Labels for the way back: bought with no transaction open, kept sealed."""

import pytest

from config.kernel.models import CaseReport
from config.kernel.services import intents
from config.kernel.types import ALL_ACCOUNTS
from fulfillment import carriers
from fulfillment.carriers import LabelAnswer, LabelRequest, LabelStatus, VoidAnswer
from returns import selectors
from returns.models import ReturnLabel
from tests.factories.returns import ASKED, authorized, return_of, sold

pytestmark = pytest.mark.django_db(transaction=True)


class Swift:
    """A carrier in memory that remembers what it was asked."""

    def __init__(self, status: LabelStatus = LabelStatus.DONE) -> None:
        self.status = status
        self.asked: list[LabelRequest] = []

    def buy_label(self, request: LabelRequest) -> LabelAnswer:
        self.asked.append(request)
        if self.status is LabelStatus.REFUSED:
            return LabelAnswer(self.status, code="bad-address", message="No such street.")
        return LabelAnswer(self.status, "SW-1", b"%PDF home", cost_minor=499, currency="USD")

    def find_label(self, request: LabelRequest) -> LabelAnswer | None:
        return None

    def void_label(self, tracking_number: str) -> VoidAnswer:
        return VoidAnswer(LabelStatus.DONE)

    def tracking_url(self, tracking_number: str) -> str:
        return ""


def test_goes_from_the_buyers_home_to_the_node():
    made = authorized(sold(2), 1)
    swift = Swift()

    with carriers.using({"paper": swift}):
        intents.run_due(at=ASKED)

    (asked,) = swift.asked
    assert asked.parcel_number == made.number
    assert (asked.ship_from.name, asked.ship_from.city) == ("Ada Lovelace", "Brooklyn")
    assert asked.ship_to.name == made.node.name
    labelled = return_of(made.pk)
    assert (labelled.tracking_number, labelled.label_pending) == ("SW-1", False)


def test_is_kept_sealed_and_can_be_read_again():
    made = authorized(sold(2), 1)

    with carriers.using({"paper": Swift()}):
        intents.run_due(at=ASKED)

    kept = ReturnLabel.objects.for_scope(ALL_ACCOUNTS).get()
    assert b"home" not in bytes(kept.document)
    assert selectors.label_document(made.pk, ALL_ACCOUNTS) == (b"%PDF home", "application/pdf")


def test_a_refusal_is_a_case_and_stops_nothing():
    made = authorized(sold(2), 1)

    with carriers.using({"paper": Swift(LabelStatus.REFUSED)}):
        intents.run_due(at=ASKED)

    assert return_of(made.pk).state == "authorized"
    assert "RETURN_LABEL_REFUSED" in set(CaseReport.objects.values_list("kind", flat=True))
