"""What each document of a carrier becomes: the tables of docs/carriers.md, asserted."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fulfillment.states import TRACKED
from integrations.carriers import aftership, easypost, generic
from integrations.carriers.reading import Reading, UnreadableTracking
from tests.factories.kernel import NOON

SAMPLES = Path(__file__).parents[4] / "shared" / "data" / "carriers"

Row = tuple[str, list[tuple[str, str, str]], str]
"""Tracking number, news (status, when, where), estimate."""


def untouched(number: str, estimate: str) -> Row:
    """A parcel whose label was made, and that nobody has seen since."""
    return number, [], estimate


EASYPOST: dict[str, list[Row]] = {
    "tracker_all_0.json": [
        untouched(f"94001002083031095007{end}", f"2025-03-06T19:48:{second}+00:00")
        for end, second in ((82, 46), (75, 43), (68, 38), (51, 37), (44, 35))
    ],
    "tracker_create_0.json": [untouched("EZ1000000001", "2025-03-06T19:48:26+00:00")],
    "tracker_retrieve_0.json": [untouched("EZ1000000001", "2025-03-06T19:48:26+00:00")],
    "tracker_retrieve_1.json": [untouched("EZ1000000001", "2025-03-06T19:48:26+00:00")],
    "tracker_retrieve_batch_0.json": [untouched("EZ1000000001", "2025-11-05T21:59:07+00:00")],
    "tracker_retrieve_batch_1.json": [untouched("EZ1000000001", "2025-11-05T21:59:07+00:00")],
}
AFTERSHIP: dict[str, list[Row]] = {
    "checkpoints_00.json": [
        ("111111111111", [("delivered", "2018-08-01T13:19:47-04:00", "Deal, NJ")], "")
    ],
    "trackings_00.json": [untouched("1111111111111", "2018-08-16T00:00:00+00:00")],
    "trackings_01.json": [untouched("772857780801111", "")],
    "trackings_02.json": [untouched("772857780801111", "")],
    # Only the parcel as a whole says that it came; its time is of where it was scanned last.
    "trackings_03.json": [
        (
            "1111111111111",
            [("delivered", "2018-08-01T17:19:47-04:00", "")],
            "2018-08-16T00:00:00-04:00",
        ),
        untouched("2222222222222", "2018-08-16T00:00:00+00:00"),
    ],
    "trackings_04.json": [("111111111111", [("delivered", "2018-07-25T01:10:00-05:00", "")], "")],
}


def sample(folder: str, name: str) -> Any:
    path = SAMPLES / folder / name
    if not path.exists():
        pytest.skip(f"the recorded document {name} is not on this machine")
    return json.loads(path.read_text())


def rows_of(readings: list[Reading]) -> list[Row]:
    return [
        (
            reading.tracking_number,
            [(news.status, news.happened_at.isoformat(), news.place) for news in reading.news],
            reading.estimate.isoformat() if reading.estimate else "",
        )
        for reading in readings
    ]


def tracker(*scans: tuple[str, str, str], **changes: Any) -> dict[str, Any]:
    """A tracker of EasyPost with these scans: status, detail, time."""
    status, detail, when = scans[-1] if scans else ("unknown", "unknown", "")
    return {
        "object": "Tracker",
        "id": "trk_1",
        "tracking_code": "EZ1",
        "status": status,
        "status_detail": detail,
        "updated_at": when,
        "tracking_details": [
            {
                "object": "TrackingDetail",
                "status": status,
                "status_detail": detail,
                "datetime": when,
                "message": f"{status} {detail}",
                "tracking_location": {"city": "RENO", "state": "NV", "zip": "89501"},
            }
            for status, detail, when in scans
        ],
        **changes,
    }


class TestEasyPost:
    @pytest.mark.parametrize("name", EASYPOST)
    def test_reads_every_recorded_document(self, name):
        readings = easypost.read(sample("easypost", name), source="ep", carrier_code="usps")

        assert rows_of(readings) == EASYPOST[name]
        assert [reading.foreign for reading in readings] == [()] * len(readings)

    def test_leaves_no_recorded_document_out(self):
        if not SAMPLES.exists():
            pytest.skip("the recorded documents of carriers are not on this machine")

        assert sorted(EASYPOST) == sorted(path.name for path in (SAMPLES / "easypost").iterdir())

    @pytest.mark.parametrize(
        ("status", "detail", "state"),
        [
            ("pre_transit", "label_created", None),
            ("unknown", "unknown", None),
            ("cancelled", "cancelled", None),
            ("error", "unknown", None),
            ("in_transit", "arrived_at_facility", "in_transit"),
            ("in_transit", "delayed", "in_transit"),
            ("in_transit", "delivery_exception", "attempted"),
            ("in_transit", "damaged", "damaged"),
            ("out_for_delivery", "out_for_delivery", "out_for_delivery"),
            ("out_for_delivery", "delivery_exception", "attempted"),
            ("available_for_pickup", "arrived_at_pickup_location", "at_pickup_point"),
            ("delivered", "arrived_at_destination", "delivered"),
            ("return_to_sender", "return", "returning"),
            ("return_to_sender", "arrived_at_destination", "returned"),
            ("failure", "refused", "attempted"),
            ("failure", "lost", "lost"),
            ("failure", "damaged", "damaged"),
            ("failure", "failure", "attempted"),
        ],
    )
    def test_gives_every_status_one_meaning(self, status, detail, state):
        assert easypost.meaning(status, detail) == state

    def test_names_a_scan_alike_whether_it_is_pushed_or_polled(self):
        scan = ("in_transit", "arrived_at_facility", "2026-03-02T10:00:00Z")
        later = ("delivered", "arrived_at_destination", "2026-03-04T10:00:00Z")
        pushed = {
            "object": "Event",
            "id": "evt_1",
            "description": "tracker.updated",
            "result": tracker(scan),
        }

        first = easypost.read(pushed, source="ep", carrier_code="usps")[0].news
        second = easypost.read(
            {"trackers": [tracker(scan, later)]}, source="ep", carrier_code="usps"
        )[0].news

        assert first == second[:1]
        assert len({item.external_id for item in second}) == 2

    def test_believes_an_end_that_only_the_tracker_tells(self):
        scan = ("in_transit", "arrived_at_facility", "2026-03-02T10:00:00Z")
        told = tracker(scan, status="delivered", updated_at="2026-03-04T10:00:00Z")

        news = easypost.read_tracker(told, source="ep", carrier_code="usps").news

        assert [item.status for item in news] == ["in_transit", "delivered"]

    def test_takes_no_summary_of_older_scans_for_news(self):
        scan = ("out_for_delivery", "delivery_exception", "2026-03-02T10:00:00Z")
        told = tracker(scan, status="in_transit", updated_at="2026-03-04T10:00:00Z")

        news = easypost.read_tracker(told, source="ep", carrier_code="usps").news

        assert [item.status for item in news] == ["attempted"]

    def test_says_which_words_it_has_no_meaning_for(self):
        told = tracker(("teleported", "unknown", "2026-03-02T10:00:00Z"))

        reading = easypost.read_tracker(told, source="ep", carrier_code="usps")

        assert (reading.news, reading.foreign) == ((), ("teleported",))

    @pytest.mark.parametrize(
        "document", [{}, [], "text", {"object": "Shipment"}, {"object": "Tracker"}]
    )
    def test_refuses_what_is_no_tracker(self, document):
        with pytest.raises(UnreadableTracking):
            easypost.read(document, source="ep", carrier_code="usps")

    def test_proves_an_event_by_its_signature(self):
        """The value that EasyPost's own library makes of this secret and body."""
        raw = b'{"id":"evt_1"}'
        headers = {easypost.SIGNATURE: easypost.signature("s\u00e9cret", raw)}

        assert easypost.DIALECT.signed("se\u0301cret", headers, raw)
        assert not easypost.DIALECT.signed("other", headers, raw)
        assert not easypost.DIALECT.signed("s\u00e9cret", headers, raw + b" ")
        assert not easypost.DIALECT.signed("s\u00e9cret", {}, raw)


class TestAfterShip:
    @pytest.mark.parametrize("name", AFTERSHIP)
    def test_reads_every_recorded_document(self, name):
        readings = aftership.read(sample("aftership", name), source="as", carrier_code="fedex")

        assert rows_of(readings) == AFTERSHIP[name]

    def test_leaves_no_recorded_document_out(self):
        if not SAMPLES.exists():
            pytest.skip("the recorded documents of carriers are not on this machine")

        assert sorted(AFTERSHIP) == sorted(path.name for path in (SAMPLES / "aftership").iterdir())

    @pytest.mark.parametrize(
        ("tag", "subtag", "state"),
        [
            ("Pending", "Pending_001", None),
            ("InfoReceived", "InfoReceived_001", None),
            ("InTransit", "InTransit_003", "in_transit"),
            ("OutForDelivery", "OutForDelivery_001", "out_for_delivery"),
            ("AttemptFail", "AttemptFail_002", "attempted"),
            ("AvailableForPickup", "AvailableForPickup_001", "at_pickup_point"),
            ("Delivered", "Delivered_003", "delivered"),
            ("Exception", "Exception_004", "in_transit"),
            ("Exception", "Exception_003", "attempted"),
            ("Exception", "Exception_010", "returning"),
            ("Exception", "Exception_011", "returned"),
            ("Exception", "Exception_012", "damaged"),
            ("Exception", "Exception_013", "lost"),
            ("Expired", "Expired_001", None),
        ],
    )
    def test_gives_every_tag_one_meaning(self, tag, subtag, state):
        assert aftership.meaning(tag, subtag) == state

    def test_names_a_scan_alike_whether_it_is_pushed_or_polled(self):
        tracking = {
            "tracking_number": "1Z",
            "tag": "InTransit",
            "checkpoints": [
                {
                    "tag": "InTransit",
                    "subtag": "InTransit_003",
                    "checkpoint_time": "2026-03-02T10:00",
                }
            ],
        }

        pushed = aftership.read(
            {"event": "tracking_update", "msg": tracking}, source="a", carrier_code="c"
        )
        polled = aftership.read({"data": {"trackings": [tracking]}}, source="a", carrier_code="c")

        assert pushed == polled
        assert len(pushed[0].news) == 1

    def test_proves_a_push_by_its_signature(self):
        raw = b'{"event":"tracking_update"}'
        headers = {aftership.SIGNATURE: aftership.signature("secret", raw)}

        assert aftership.DIALECT.signed("secret", headers, raw)
        assert not aftership.DIALECT.signed("secret", headers, raw + b" ")


SETTINGS: dict[str, Any] = {
    "track": {
        "trackings": "/items",
        "number": "/barcode",
        "events": "/history",
        "status": "/code",
        "time": "/at",
        "id": "/scan",
        "place": ["/depot/town", "/depot/land"],
        "estimate": "/due",
    },
    "statuses": {"MADE": "", "MOVED": "in_transit", "DONE": "delivered"},
}


class TestGenericCarrier:
    def test_reads_by_its_description(self):
        document = {
            "items": [
                {
                    "barcode": "G1",
                    "due": "2026-03-04T17:00:00+01:00",
                    "history": [
                        {"scan": "1", "code": "MADE", "at": "2026-03-02T08:00:00Z"},
                        {
                            "scan": "2",
                            "code": "MOVED",
                            "at": "2026-03-02T12:00:00Z",
                            "depot": {"town": "Ulm", "land": "DE"},
                        },
                        {"scan": "3", "code": "ODD", "at": "2026-03-02T13:00:00Z"},
                    ],
                }
            ]
        }

        [reading] = generic.read(document, SETTINGS, source="g", carrier_code="haul")

        assert rows_of([reading]) == [
            ("G1", [("in_transit", NOON.isoformat(), "Ulm, DE")], "2026-03-04T17:00:00+01:00")
        ]
        assert reading.foreign == ("ODD",)
        assert reading.news[0].happened_at == datetime(2026, 3, 2, 12, tzinfo=UTC)

    def test_refuses_a_document_without_a_number_where_it_should_be(self):
        with pytest.raises(UnreadableTracking):
            generic.read({"other": 1}, SETTINGS, source="g", carrier_code="haul")

    @pytest.mark.parametrize(
        ("proof", "header", "value"),
        [
            ({}, "x-carrier-signature", generic.signature("secret", b"{}")),
            ({"header": "X-Token", "scheme": "token"}, "x-token", "secret"),
            (
                {"header": "X-Sig", "scheme": "hmac-sha256-hex", "prefix": "v1="},
                "x-sig",
                "v1=" + generic.signature("secret", b"{}").removeprefix("sha256="),
            ),
        ],
    )
    def test_proves_a_message_as_its_description_says(self, proof, header, value):
        assert generic.proves(proof, "secret", {header: value}, b"{}")
        assert not generic.proves(proof, "secret", {header: value + "x"}, b"{}")
        assert not generic.proves(proof, "", {header: value}, b"{}")


def test_no_adapter_gives_a_scan_a_state_that_is_not_tracked():
    meanings = [*easypost.STATUSES.values(), *easypost.DETAILS.values()]
    meanings += [*aftership.TAGS.values(), *aftership.SUBTAGS.values()]

    assert {state for state in meanings if state} <= set(TRACKED)
