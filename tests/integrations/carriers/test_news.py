"""News of carriers, pushed and polled: each scan counts once, whatever is lost on the way."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from uuid import UUID

import httpx
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from config.kernel.models import CaseReport, Event
from config.kernel.types import ALL_ACCOUNTS
from fulfillment import carriers, selectors
from fulfillment.carriers import TrackAnswer
from fulfillment.models import Parcel, TrackingEvent
from fulfillment.states import FOLLOWED, ParcelState
from fulfillment.types import TrackingNews
from integrations import connections, services
from integrations.carriers import easypost, polling
from integrations.models import DeliveryEstimate, InboxMessage
from integrations.sandbox.carrier import CarrierSandbox
from integrations.states import InboxState
from integrations.types import ConnectionRef
from returns.models import Return
from tests.books import check_all
from tests.factories.carriers import SECRET, a_carrier, on_the_way
from tests.factories.fulfillment import Placed, parcel
from tests.factories.kernel import NOON, AccountFactory
from tests.factories.returns import authorized, sold
from tests.factories.routing import SYSTEM

pytestmark = [pytest.mark.django_db, pytest.mark.urls("integrations.api.urls")]

END = NOON + timedelta(days=20)


def scan(status: str, detail: str, hours: int) -> dict[str, Any]:
    return {
        "status": status,
        "status_detail": detail,
        "datetime": (NOON + timedelta(hours=hours)).isoformat(),
        "message": detail,
    }


def event(
    number: str, *scans: dict[str, Any], event_id: str = "evt_1", **changes: Any
) -> dict[str, Any]:
    last = scans[-1] if scans else {"status": "pre_transit", "status_detail": "label_created"}
    return {
        "id": event_id,
        "object": "Event",
        "description": "tracker.updated",
        "result": {
            "object": "Tracker",
            "tracking_code": number,
            "status": last["status"],
            "status_detail": last["status_detail"],
            "updated_at": last.get("datetime"),
            "tracking_details": list(scans),
        }
        | changes,
    }


def a_labelled_return() -> tuple[Placed, Return]:
    """A return that was let in, with a label numbered R-1."""
    placed = sold(2)
    made = authorized(placed, 1)
    labelled = Return.objects.for_scope(ALL_ACCOUNTS).filter(pk=made.pk)
    labelled.update(tracking_number="R-1", carrier_code="haul")
    return placed, made


def push(document: Any, *, secret: str = SECRET) -> dict[str, Any]:
    raw = json.dumps(document).encode()
    answer = Client().post(
        "/webhooks/easypost/easypost",
        raw,
        content_type="application/json",
        headers={"X-Hmac-Signature": easypost.signature(secret, raw)},
    )
    return {"status": answer.status_code, **answer.json()}


def the_message() -> InboxMessage:
    return InboxMessage.objects.for_scope(ALL_ACCOUNTS).get()


class TestPushedNews:
    def test_moves_the_parcel_and_names_it(self):
        account = AccountFactory()
        [box] = on_the_way(account, 1)
        a_carrier(account)

        said = push(event("T-0", scan("in_transit", "arrived_at_facility", 5)))

        assert (said["status"], said["state"]) == (200, "applied")
        assert parcel(box.pk).state == ParcelState.IN_TRANSIT
        message = the_message()
        assert (message.state, message.subject_id) == (InboxState.APPLIED, box.pk)
        assert message.thread_id == box.fulfillment_order.order_id

    def test_counts_each_scan_once_though_every_push_carries_all_of_them(self):
        account = AccountFactory()
        [box] = on_the_way(account, 1)
        a_carrier(account)
        scans = [
            scan("in_transit", "arrived_at_facility", 5),
            scan("out_for_delivery", "out_for_delivery", 30),
            scan("delivered", "arrived_at_destination", 36),
        ]

        for number in (3, 1, 2, 3):
            push(event("T-0", *scans[:number], event_id=f"evt_{number}"))

        assert parcel(box.pk).state == ParcelState.DELIVERED
        assert TrackingEvent.objects.for_scope(ALL_ACCOUNTS).count() == 3
        told = Event.objects.for_scope(ALL_ACCOUNTS).filter(topic="parcel.delivered")
        assert told.count() == 1

    def test_waits_for_a_parcel_that_is_not_here_yet(self):
        account = AccountFactory()
        a_carrier(account)
        push(event("T-0", scan("in_transit", "arrived_at_facility", 5)))
        assert (the_message().state, the_message().code) == (InboxState.RECEIVED, "no-parcel")

        [box] = on_the_way(account, 1)
        services.apply_messages([the_message().pk], at=NOON, actor=SYSTEM)

        assert the_message().state == InboxState.APPLIED
        assert parcel(box.pk).state == ParcelState.IN_TRANSIT

    def test_moves_no_parcel_of_another_account(self):
        [box] = on_the_way(AccountFactory(), 1)
        a_carrier(AccountFactory())

        push(event("T-0", scan("delivered", "arrived_at_destination", 5)))

        assert parcel(box.pk).state == ParcelState.HANDED_OVER
        assert the_message().code == "no-parcel"

    def test_has_a_return_on_its_way_once_whose_label_is_scanned(self):
        placed, back = a_labelled_return()
        a_carrier(placed.order.account)
        document = event("R-1", scan("in_transit", "arrived_at_facility", 130))

        push(document)
        push({**document, "id": "evt_2"})

        back.refresh_from_db()
        assert back.state == "in_transit"
        messages = InboxMessage.objects.for_scope(ALL_ACCOUNTS).order_by("pk")
        assert [(one.state, one.subject_id) for one in messages] == [
            (InboxState.APPLIED, back.pk),
            (InboxState.IGNORED, back.pk),
        ]
        shipped = Event.objects.for_scope(ALL_ACCOUNTS).filter(topic="return.shipped")
        assert shipped.count() == 1

    def test_moves_no_return_of_another_account(self):
        _, back = a_labelled_return()
        a_carrier(AccountFactory())

        push(event("R-1", scan("in_transit", "arrived_at_facility", 130)))

        back.refresh_from_db()
        assert back.state == "authorized"

    @pytest.mark.parametrize(
        ("document", "state", "code"),
        [
            (event("T-0"), InboxState.IGNORED, "no-way"),
            ({"id": "e", "description": "batch.created"}, InboxState.IGNORED, "other-topic"),
            (
                {"id": "e", "description": "tracker.updated", "object": "Odd"},
                InboxState.DEAD,
                "unreadable",
            ),
            (event("T-0", scan("teleported", "unknown", 5)), InboxState.DEAD, "foreign-word"),
        ],
    )
    def test_says_what_became_of_what_tells_of_no_way(self, document, state, code):
        account = AccountFactory()
        on_the_way(account, 1)
        a_carrier(account)

        push(document)

        assert (the_message().state, the_message().code) == (state, code)

    def test_makes_a_case_of_words_without_a_meaning_and_applies_the_others(self):
        account = AccountFactory()
        [box] = on_the_way(account, 1)
        a_carrier(account)

        push(
            event(
                "T-0",
                scan("in_transit", "arrived_at_facility", 5),
                scan("teleported", "unknown", 6),
            )
        )

        assert parcel(box.pk).state == ParcelState.IN_TRANSIT
        assert CaseReport.objects.get().evidence["words"] == ["teleported"]

    def test_keeps_nothing_that_the_carrier_has_not_signed(self):
        account = AccountFactory()
        [box] = on_the_way(account, 1)
        a_carrier(account)

        said = push(event("T-0", scan("delivered", "x", 5)), secret="not the secret at all")

        assert said["status"] == 401
        assert not InboxMessage.objects.for_scope(ALL_ACCOUNTS).exists()
        assert parcel(box.pk).state == ParcelState.HANDED_OVER

    def test_keeps_when_the_carrier_expects_to_deliver_first_and_now(self):
        account = AccountFactory()
        on_the_way(account, 1)
        a_carrier(account)
        for number, day in enumerate(("2026-03-05", "2026-03-06")):
            moved = scan("in_transit", "delayed", 5 + number)
            push(event("T-0", moved, event_id=f"e{number}", est_delivery_date=f"{day}T20:00:00Z"))

        kept = DeliveryEstimate.objects.for_scope(ALL_ACCOUNTS).get()

        assert (kept.first_at.day, kept.latest_at.day) == (5, 6)

    def test_costs_the_same_statements_for_one_as_for_twelve(self):
        account = AccountFactory()
        on_the_way(account, 13)
        a_carrier(account)
        for n in range(13):
            push(event(f"T-{n}", event_id=f"label_{n}"))

        def cost(numbers: range) -> int:
            kept = [
                services.keep_messages(
                    [
                        services.Incoming.of(
                            connections.by_code("carrier", "easypost"),
                            external_id=f"evt_{n}",
                            kind="tracker.updated",
                            headers={},
                            raw=json.dumps(
                                event(f"T-{n}", scan("in_transit", "departed_facility", 5))
                            ).encode(),
                        )
                    ],
                    at=NOON,
                    actor=SYSTEM,
                )[0].id
                for n in numbers
            ]
            with CaptureQueriesContext(connection) as seen:
                services.apply_messages(kept, at=NOON, actor=SYSTEM)
            return sum("SAVEPOINT" not in query["sql"] for query in seen.captured_queries)

        assert cost(range(1)) == cost(range(1, 13))


@dataclass
class Told:
    """A carrier of the test's own: answers from what it was given."""

    news: dict[str, tuple[TrackingNews, ...]] = field(default_factory=dict)
    down: bool = False
    asked: list[list[str]] = field(default_factory=list)

    def track(self, tracking_numbers: list[str]) -> TrackAnswer:
        self.asked.append(list(tracking_numbers))
        if self.down:
            return TrackAnswer(unasked=tuple(tracking_numbers))
        known = [number for number in tracking_numbers if number in self.news]
        return TrackAnswer(
            tuple(item for number in known for item in self.news[number]),
            tuple(number for number in tracking_numbers if number not in self.news),
        )


def ask(ref: ConnectionRef, carrier: Any, at: datetime) -> polling.Asked:
    return polling.ask_connection(ref, at=at, actor=SYSTEM, carrier=carrier)


class TestPushesOfACarrierThatWasDescribed:
    def push(self, token: str) -> int:
        document = {"n": "T-0", "scans": [{"s": "GONE_OUT", "t": "2026-03-02T18:00:00Z"}]}
        answer = Client().post(
            "/webhooks/generic-carrier/haul",
            json.dumps(document),
            content_type="application/json",
            headers={"X-Haul-Token": token},
        )
        return answer.status_code

    def test_are_proven_and_read_as_the_connection_says(self):
        account = AccountFactory()
        [box] = on_the_way(account, 1)
        a_carrier(
            account,
            adapter="generic-carrier",
            code="haul",
            webhook={"header": "X-Haul-Token", "scheme": "token"},
            track={"number": "/n", "events": "/scans", "status": "/s", "time": "/t"},
            statuses={"GONE_OUT": "out_for_delivery"},
        )

        assert self.push("not the token at all") == 401
        assert parcel(box.pk).state == ParcelState.HANDED_OVER
        assert self.push(SECRET) == 200
        assert parcel(box.pk).state == ParcelState.OUT_FOR_DELIVERY


class TestAskingAboutSilentParcels:
    def test_asks_about_parcels_that_nothing_was_heard_of(self):
        account = AccountFactory()
        boxes = on_the_way(account, 2)
        ref = a_carrier(account)
        later = NOON + timedelta(hours=6)
        push(event("T-0", scan("in_transit", "departed_facility", 5)))
        moved = TrackingNews(
            ParcelState.IN_TRANSIT,
            later,
            carrier_code="haul",
            tracking_number="T-1",
            external_id="s",
        )
        carrier = Told({"T-1": (moved,)})

        asked = ask(ref, carrier, later)

        assert carrier.asked == [["T-1"]]
        assert (asked.parcels, asked.news) == (1, 1)
        assert parcel(boxes[1].pk).state == ParcelState.IN_TRANSIT

    def test_asks_about_labels_of_returns_that_wait_for_a_first_scan(self):
        placed, back = a_labelled_return()
        ref = a_carrier(placed.order.account)
        scanned = TrackingNews("in_transit", NOON, carrier_code="haul", tracking_number="R-1")

        ask(ref, Told({"R-1": (scanned,)}), END)

        back.refresh_from_db()
        assert back.state == "in_transit"

    def test_asks_once_per_round_and_begins_the_next_when_it_is_time(self):
        account = AccountFactory()
        on_the_way(account, 1)
        ref = a_carrier(account, ask_every_minutes=60)
        carrier = Told({"T-0": ()})
        first = NOON + timedelta(hours=6)

        for minutes in (0, 30, 59, 60):
            ask(ref, carrier, first + timedelta(minutes=minutes))

        assert len(carrier.asked) == 2

    def test_goes_through_many_in_portions(self, monkeypatch):
        monkeypatch.setattr(polling, "ASKED_AT_ONCE", 2)
        account = AccountFactory()
        on_the_way(account, 5)
        ref = a_carrier(account)
        carrier = Told({f"T-{n}": () for n in range(5)})

        for minute in range(4):
            ask(ref, carrier, NOON + timedelta(hours=6, minutes=minute))

        assert sorted(number for asked in carrier.asked for number in asked) == [
            f"T-{n}" for n in range(5)
        ]

    def test_asks_again_soon_when_the_carrier_could_not_be_asked(self):
        account = AccountFactory()
        on_the_way(account, 1)
        ref = a_carrier(account)
        carrier = Told({"T-0": ()}, down=True)
        at = NOON + timedelta(hours=6)
        ask(ref, carrier, at)
        carrier.down = False

        ask(ref, carrier, at + timedelta(minutes=1))

        assert len(carrier.asked) == 2

    def test_makes_one_case_of_a_number_that_the_carrier_does_not_know(self):
        account = AccountFactory()
        [box] = on_the_way(account, 1)
        ref = a_carrier(account)

        ask(ref, Told(), NOON + timedelta(hours=6))

        report = CaseReport.objects.get()
        assert (report.kind, report.subject_id) == ("TRACKING_NUMBER_UNKNOWN", box.pk)

    def test_asks_nobody_over_a_connection_that_is_not_live(self):
        account = AccountFactory()
        on_the_way(account, 1)
        ref = a_carrier(account)
        services.pause(ref.id, at=NOON, actor=SYSTEM)

        assert polling.ask_silent(at=NOON + timedelta(hours=6), actor=SYSTEM) == []


class Mailbox(BaseHTTPRequestHandler):
    """Takes what the carrier pushes and keeps it for the test."""

    taken: list[tuple[str, bytes]]

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        self.taken.append((self.headers["X-Hmac-Signature"], raw))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's
        """Stay silent."""


@pytest.fixture
def mailbox() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    taken: list[tuple[str, bytes]] = []
    handler = type("OfThisTest", (Mailbox,), {"taken": taken})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/", taken
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def sandbox(mailbox: tuple[str, list[tuple[str, bytes]]]) -> Iterator[CarrierSandbox]:
    """A carrier with more trouble than any should have, that pushes to the mailbox."""
    sandbox = CarrierSandbox("carrier", seed=11)
    sandbox.clock.set(NOON, speed=0)
    with sandbox.running():
        httpx.put(
            f"{sandbox.url}/_sandbox/setup",
            json={
                "odds": {
                    "lost": 0.1,
                    "damaged": 0.1,
                    "refused": 0.1,
                    "delayed": 0.2,
                    "not_home": 0.3,
                }
            },
        )
        hook = {"url": mailbox[0], "webhook_secret": SECRET}
        httpx.post(f"{sandbox.url}/v2/webhooks", json={"webhook": hook})
        yield sandbox
    connections.forget()


def told_by(sandbox: CarrierSandbox) -> dict[str, tuple[str, int]]:
    """What the carrier's own book says of each parcel: its state, and its scans under way."""
    book: dict[str, tuple[str, int]] = {}
    for number, tracker in sandbox.store["trackers"].items():
        scans = [
            easypost.meaning(one["status"], one["status_detail"])
            for one in tracker["tracking_details"]
        ]
        book[number] = (str(scans[-1]), sum(state is not None for state in scans))
    return book


def told_by_us(account_id: UUID) -> dict[str, tuple[str, int]]:
    boxes = Parcel.objects.for_scope(ALL_ACCOUNTS).filter(account_id=account_id)
    heard = Counter(
        TrackingEvent.objects.for_scope(ALL_ACCOUNTS).values_list("parcel_id", flat=True)
    )
    return {box.tracking_number: (box.state, heard[box.pk]) for box in boxes}


class TestReconciliation:
    @pytest.mark.parametrize(
        "count",
        [16, pytest.param(400, marks=[pytest.mark.soak, pytest.mark.timeout(3_600)])],
    )
    def test_one_poll_finds_what_lost_pushes_told_and_doubles_nothing(
        self, sandbox, mailbox, count
    ):
        """5 % of the pushes are dropped, and none comes in for six hours of each of two days."""
        account = AccountFactory()
        boxes = on_the_way(account, count)
        ref = a_carrier(account, sandbox.url)
        httpx.put(
            f"{sandbox.url}/_sandbox/failures",
            json={
                "failures": [{"kind": "drop", "share": 0.05}, {"kind": "duplicate", "share": 0.2}]
            },
        )
        parcels = [
            {"tracking_code": f"T-{n}", "from_zip": "07102", "to_zip": f"{n % 10}0210"}
            for n in range(len(boxes))
        ]
        httpx.post(f"{sandbox.url}/_sandbox/dock", json={"parcels": parcels})

        lost = _live_through(sandbox, mailbox[1])
        before = told_by_us(account.pk)
        asked = ask(ref, carriers.carrier("haul", account.pk), END)

        assert lost > 0
        assert before != told_by(sandbox)
        assert told_by_us(account.pk) == told_by(sandbox)
        assert asked.parcels < len(boxes)
        assert ask(ref, carriers.carrier("haul", account.pk), END + timedelta(hours=2)).unknown == 0
        assert told_by_us(account.pk) == told_by(sandbox)
        ended = Event.objects.for_scope(ALL_ACCOUNTS).filter(topic="parcel.delivered")
        delivered = sum(state == "delivered" for state, _ in told_by(sandbox).values())
        assert ended.values("subject_id").distinct().count() == ended.count() == delivered
        assert check_all(about="fulfillment.") == []

    def test_asks_only_about_parcels_that_may_have_news(self):
        account = AccountFactory()
        boxes = on_the_way(account, len(ParcelState))
        for box, state in zip(boxes, ParcelState, strict=True):
            Parcel.objects.for_scope(ALL_ACCOUNTS).filter(pk=box.pk).update(state=state)

        found = selectors.parcels_to_ask_about(
            account.pk,
            "haul",
            heard_before=END,
            packed_after=NOON - timedelta(days=1),
            after=None,
            limit=100,
        )

        states = {box.pk: str(state) for box, state in zip(boxes, ParcelState, strict=True)}
        assert {states[pk] for pk, _ in found} == {str(state) for state in FOLLOWED}


def _live_through(sandbox: CarrierSandbox, taken: list[tuple[str, bytes]]) -> int:
    """Twenty days in steps of six hours; how many pushes came to nobody."""
    at, lost, client = NOON, 0, Client()
    while at < END:
        at += timedelta(hours=6)
        sandbox.tick_now(at)
        assert sandbox.hooks.drain(30)
        out = at.day in {4, 5} and 12 < at.hour <= 18
        for signature, raw in taken:
            if out:
                lost += 1
                continue
            client.post(
                "/webhooks/easypost/easypost",
                raw,
                content_type="application/json",
                headers={"X-Hmac-Signature": signature},
            )
        taken.clear()
    return lost + sum(entry["became"] == "dropped" for entry in sandbox.log.of("hook"))
