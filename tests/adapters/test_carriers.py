"""What fulfillment may rely on of any carrier, held by every adapter, those over HTTP over HTTP."""

import base64
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from reportlab.graphics.barcode.code128 import Code128

from config.kernel.errors import NotFound
from config.kernel.types import ALL_ACCOUNTS, Actor
from fulfillment import carriers
from fulfillment.carriers import (
    Carrier,
    LabelRequest,
    LabelStatus,
    ManifestParcel,
    ManifestRequest,
    PostalAddress,
)
from integrations import connections, services
from integrations.carriers.directory import carrier_of
from integrations.carriers.paper import LABEL, MARGIN, PaperCarrier, tracking_number
from integrations.sandbox.carrier import CarrierSandbox
from integrations.services import ConnectionDraft
from integrations.types import ConnectionRef
from tests.factories.kernel import NOON, AccountFactory

pytestmark = pytest.mark.django_db

SENDER = PostalAddress("Reno DC", "1 Dock Road", "Reno", "89501", "US", region="NV")
BUYER = PostalAddress(
    "Zoë Müller", "350 Fifth Avenue", "New York", "10118", "US", line2="Floor 33", region="NY"
)
API_KEY = "EZTK-of-the-tests"
EVERY = ("paper", "easypost", "generic-carrier")
DESCRIPTION: dict[str, Any] = {
    "auth": {"Authorization": "Basic {basic}"},
    "services": {"standard": "GroundAdvantage"},
    "label": {
        "path": "/v2/shipments",
        "body": {
            "shipment": {
                "reference": "{key}",
                "service": "{service}",
                "parcel": {"weight": "{weight_grams}"},
                "to_address": {
                    "name": "{ship_to.name}",
                    "street1": "{ship_to.line1}",
                    "zip": "{ship_to.postal_code}",
                },
                "from_address": {"street1": "{ship_from.line1}", "zip": "{ship_from.postal_code}"},
            }
        },
        "number": "/tracking_code",
        "url": "/postage_label/label_url",
        "cost": "/selected_rate/rate",
        "currency": "/selected_rate/currency",
        "code": "/error/code",
        "message": "/error/message",
    },
    "find": {"path": "/v2/shipments/{key}", "at": ""},
    "void": {
        "path": "/v2/refunds",
        "body": {"refund": {"tracking_codes": ["{tracking_number}"]}},
        "result": "/0/status",
        "done": ["submitted", "refunded"],
        "code": "/error/code",
    },
    "track": {
        "path": "/v2/trackers/batch",
        "body": {"tracking_codes": "{tracking_numbers}"},
        "at_once": 50,
        "trackings": "/trackers",
        "number": "/tracking_code",
        "events": "/tracking_details",
        "time": "/datetime",
        "place": "/tracking_location/zip",
        "estimate": "/est_delivery_date",
    },
    "statuses": {
        "pre_transit": "",
        "in_transit": "in_transit",
        "out_for_delivery": "out_for_delivery",
        "delivered": "delivered",
    },
}


def request(key: str = "label:1", **changes: object) -> LabelRequest:
    values: dict[str, object] = {
        "key": key,
        "parcel_number": "P-100001",
        "order_number": "SY-100001",
        "service_code": "standard",
        "weight_grams": 900,
        "ship_from": SENDER,
        "ship_to": BUYER,
        "references": {"PO": "4711"},
    }
    return LabelRequest(**(values | changes))  # type: ignore[arg-type]


def listed(*keys: str, number: str = "M-1") -> ManifestRequest:
    parcels = tuple(ManifestParcel(key, f"P-{key}", f"T-{key}") for key in keys)
    return ManifestRequest(f"manifest:{number}", number, date(2026, 3, 2), SENDER, parcels)


@pytest.fixture
def sandbox() -> Iterator[CarrierSandbox]:
    """A carrier of the sandbox whose time stands still, one day after noon of the tests."""
    sandbox = CarrierSandbox("carrier")
    sandbox.clock.set(NOON, speed=0)
    with sandbox.running():
        httpx.put(
            f"{sandbox.url}/_sandbox/setup",
            json={
                "api_key": API_KEY,
                "odds": {"delayed": 0, "not_home": 0, "lost": 0, "damaged": 0, "refused": 0},
            },
        )
        yield sandbox
    connections.forget()


def connected(sandbox: CarrierSandbox, adapter: str, **settings: Any) -> ConnectionRef:
    """A live connection to the sandbox by the adapter."""
    account = AccountFactory()
    described = DESCRIPTION if adapter == "generic-carrier" else {"services": {"*": "Ground"}}
    actor = Actor.system("tests", scope=ALL_ACCOUNTS)
    ref = services.define_connection(
        ConnectionDraft(
            account.pk,
            "carrier",
            adapter,
            adapter,
            adapter,
            carrier_code="haul",
            base_url=sandbox.url,
            settings={**described, **settings},
            secrets={
                "access_token": API_KEY,
                "basic": base64.b64encode(f"{API_KEY}:".encode()).decode(),
                "webhook_secret": "whsec-of-the-tests",
            },
        ),
        at=NOON,
        actor=actor,
    )
    return services.go_live(ref.id, at=NOON, actor=actor)


@pytest.fixture(params=EVERY)
def carrier(request: pytest.FixtureRequest, sandbox: CarrierSandbox) -> Carrier:
    if request.param == "paper":
        return carriers.carrier("paper")
    return carrier_of(connected(sandbox, request.param))


class TestEveryCarrier:
    def test_answers_the_same_key_with_the_same_label(self, carrier):
        assert carrier.buy_label(request()) == carrier.buy_label(request())

    def test_gives_every_parcel_a_number_of_its_own(self, carrier):
        numbers = {carrier.buy_label(request(f"label:{n}")).tracking_number for n in range(10)}

        assert len(numbers) == 10

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

    def test_takes_a_list_once(self, carrier):
        for key in ("label:1", "label:2"):
            carrier.buy_label(request(key))

        first, again = (carrier.manifest(listed("label:1", "label:2")) for _ in range(2))

        assert first.status is LabelStatus.DONE
        assert first.reference
        assert first == again

    def test_never_raises_for_numbers_it_does_not_know(self, carrier):
        answer = carrier.track(["nobody's"])

        assert answer.news == ()
        assert {*answer.unknown, *answer.unasked} == {"nobody's"}


@pytest.fixture(params=EVERY[1:])
def remote(request: pytest.FixtureRequest, sandbox: CarrierSandbox) -> Carrier:
    return carrier_of(connected(sandbox, request.param))


class TestEveryCarrierOverHttp:
    def test_knows_the_price(self, remote):
        label = remote.buy_label(request())

        assert label.currency == "USD"
        assert label.cost_minor is not None
        assert label.cost_minor > 0

    def test_finds_no_label_that_was_never_bought(self, remote):
        assert remote.find_label(request("label:never")) is None

    def test_says_why_it_refuses(self, remote):
        nowhere = PostalAddress("Nobody", "1 Nowhere", "Void", "00000", "US")

        answer = remote.buy_label(request(ship_to=nowhere))

        assert (answer.status, answer.code) == (LabelStatus.REFUSED, "ADDRESS.VERIFY.FAILURE")

    def test_tells_the_whole_way_of_a_parcel(self, remote, sandbox):
        number = remote.buy_label(request()).tracking_number

        sandbox.tick_now(NOON + timedelta(days=12))
        answer = remote.track([number, "nobody's"])

        assert answer.unknown == ("nobody's",)
        assert list(answer.estimates) == [number]
        assert [item.status for item in answer.news][-2:] == ["out_for_delivery", "delivered"]
        assert len({item.external_id for item in answer.news}) == len(answer.news)
        assert answer == remote.track([number, "nobody's"])

    def test_takes_no_label_back_that_was_scanned(self, remote, sandbox):
        number = remote.buy_label(request()).tracking_number
        sandbox.tick_now(NOON + timedelta(days=1))

        assert remote.void_label(number).status is LabelStatus.REFUSED

    @pytest.mark.parametrize(
        ("kind", "status"),
        [("rate_limit", LabelStatus.RETRY), ("server_error", LabelStatus.UNKNOWN)],
    )
    def test_tells_what_has_not_happened_from_what_may_have(self, remote, sandbox, kind, status):
        httpx.put(f"{sandbox.url}/_sandbox/failures", json={"failures": [{"kind": kind}]})

        assert remote.buy_label(request()).status is status

    def test_asks_nothing_while_nobody_listens(self, remote, sandbox):
        sandbox.stop()

        assert remote.buy_label(request()).status is LabelStatus.RETRY
        assert remote.track(["T-1"]).unasked == ("T-1",)


class TestEasyPost:
    def test_buys_one_label_when_the_answer_is_lost(self, sandbox):
        carrier = carrier_of(connected(sandbox, "easypost"))
        httpx.put(f"{sandbox.url}/_sandbox/failures", json={"failures": [{"kind": "silence"}]})
        lost = [carrier.buy_label(request(f"label:{n}")).status for n in range(4)]
        httpx.delete(f"{sandbox.url}/_sandbox/failures")

        for n in range(4):
            if carrier.find_label(request(f"label:{n}")) is None:
                carrier.buy_label(request(f"label:{n}"))

        assert set(lost) == {LabelStatus.UNKNOWN}
        assert len(sandbox.log.of("label")) == 4

    def test_has_labels_made_elsewhere_followed_where_told_to(self, sandbox):
        carrier = carrier_of(connected(sandbox, "easypost", follow=True))

        answer = carrier.track(["T-of-a-warehouse"])

        assert (answer.unknown, answer.unasked) == ((), ())
        assert "T-of-a-warehouse" in sandbox.store["trackers"]

    def test_sends_its_key_to_no_other_host(self, sandbox):
        carrier = carrier_of(connected(sandbox, "easypost"))
        carrier.buy_label(request())
        [shipment] = sandbox.store["shipments"].values()
        shipment["postage_label"]["label_pdf_url"] = "http://169.254.169.254/latest"

        found = carrier.find_label(request())

        assert found is not None
        assert found.status is LabelStatus.UNKNOWN


class TestDirectory:
    def test_connects_each_account_by_itself(self, sandbox):
        ref = connected(sandbox, "easypost")
        other = AccountFactory()

        codes = carriers.connected_by_account([ref.account_id, other.pk])

        assert (codes[ref.account_id], codes[other.pk]) == ({"paper", "haul"}, {"paper"})
        with pytest.raises(NotFound):
            carriers.carrier("haul", other.pk)

    def test_buys_no_labels_over_a_connection_that_only_listens(self, sandbox):
        ref = connected(sandbox, "easypost")
        services.listen(ref.id, at=NOON, actor=Actor.system("tests", scope=ALL_ACCOUNTS))

        assert carriers.connected_by_account([ref.account_id])[ref.account_id] == {"paper"}


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
