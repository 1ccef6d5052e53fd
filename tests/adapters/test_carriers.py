"""What fulfillment may rely on of any carrier, held by every adapter."""

import pytest
from reportlab.graphics.barcode.code128 import Code128

from fulfillment import carriers
from fulfillment.carriers import Carrier, LabelRequest, LabelStatus, PostalAddress
from integrations.carriers.paper import LABEL, MARGIN, PaperCarrier, tracking_number

SENDER = PostalAddress("Reno DC", "1 Dock Road", "Reno", "89501", "US", region="NV")
BUYER = PostalAddress(
    "Zoë Müller", "350 Fifth Avenue", "New York", "10118", "US", line2="Floor 33", region="NY"
)


def request(key: str = "label:1", **changes: object) -> LabelRequest:
    values: dict[str, object] = {
        "key": key,
        "parcel_number": "P-100001",
        "order_number": "SY-100001",
        "service_code": "standard",
        "weight_grams": 1_250,
        "ship_from": SENDER,
        "ship_to": BUYER,
        "references": {"PO": "4711"},
    }
    return LabelRequest(**(values | changes))  # type: ignore[arg-type]


@pytest.fixture(params=["paper"])
def carrier(request: pytest.FixtureRequest) -> Carrier:
    return carriers.carrier(request.param)


class TestEveryCarrier:
    def test_answers_the_same_key_with_the_same_label(self, carrier):
        assert carrier.buy_label(request()) == carrier.buy_label(request())

    def test_gives_every_parcel_a_number_of_its_own(self, carrier):
        numbers = {carrier.buy_label(request(f"label:{n}")).tracking_number for n in range(50)}

        assert len(numbers) == 50

    def test_finds_a_label_again_by_its_key(self, carrier):
        bought = carrier.buy_label(request())

        assert carrier.find_label(request()) == bought

    def test_prints_a_pdf(self, carrier):
        label = carrier.buy_label(request())

        assert (label.status, label.media_type) == (LabelStatus.DONE, "application/pdf")
        assert label.document.startswith(b"%PDF-")
        assert label.document.rstrip().endswith(b"%%EOF")

    def test_takes_its_own_labels_back_and_no_others(self, carrier):
        number = carrier.buy_label(request()).tracking_number

        assert carrier.void_label(number).status is LabelStatus.DONE
        assert carrier.void_label("1Z999").status is LabelStatus.REFUSED


class TestPaperCarrier:
    def test_prints_on_four_by_six_inches(self):
        document = PaperCarrier().buy_label(request()).document

        assert b"/MediaBox [ 0 0 288 432 ]" in document

    def test_prints_names_that_are_too_long_or_in_other_scripts(self):
        buyer = PostalAddress("李小龍 " * 40, "x" * 300, "New York", "10118", "US")

        assert PaperCarrier().buy_label(request(ship_to=buyer)).document.startswith(b"%PDF-")

    def test_has_room_for_a_bar_code_that_a_scanner_reads(self):
        """Half a point is the narrowest bar a label printer of 203 dots per inch holds apart."""
        width = Code128(tracking_number("label:1"), barWidth=1).width

        assert (LABEL[0] - 2 * MARGIN) / width > 0.7
