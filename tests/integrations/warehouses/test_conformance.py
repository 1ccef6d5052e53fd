"""One suite for every warehouse adapter: what the port promises, whoever speaks on the other end.

The protocol's adapter meets its simulator over HTTP; a second one, made here, keeps a notebook. What
holds for both is the port's promise, not one vendor's habit.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from config.kernel import ids
from fulfillment.carriers import PostalAddress
from fulfillment.nodework import DocumentLine, ReleaseDocument, RequestDocument
from integrations.appliers import Applied, Envelope, Ignored, Letter, Received
from integrations.http import RemoteClient
from integrations.sandbox.clock import SandboxClock
from integrations.sandbox.wms import Wms
from integrations.warehouses import port, protocol, sending
from integrations.warehouses.applier import WarehouseApplier
from integrations.warehouses.port import Message, Page, Reply, Seen, Taken, Warehouse
from integrations.warehouses.reports import (
    Box,
    Packed,
    Picked,
    Report,
    Row,
    Shipped,
    StockSeen,
    TakenOn,
    Units,
    UnreadableReport,
)
from integrations.warehouses.wms import ProtocolWarehouse
from tests.factories.fulfillment import BEN, work
from tests.factories.kernel import NOON
from tests.factories.warehouses import LATER, TOKEN, a_warehouse, sent

ADDRESS = PostalAddress("Ada Lovelace", "", "12 Orchard St", "", "Brooklyn", "NY", "11201", "US")
ORDER = ReleaseDocument(
    number="FO-1",
    order_number="SO-1",
    node_code="east",
    method="ship",
    service="standard",
    carrier="paper",
    priority=0,
    released_at=NOON,
    ship_by=NOON + timedelta(days=1),
    address=ADDRESS,
    lines=(DocumentLine(1, "TEE-M", "A tee", 250, 3, 2),),
)


class Notebook:
    """The other adapter: a warehouse that writes lines of words into a notebook."""

    def __init__(self) -> None:
        self.pages: list[str] = []
        self.known: dict[str, ReleaseDocument] = {}
        self.there = True

    def _reply(self) -> Reply:
        return Reply(Taken.DONE) if self.there else Reply(Taken.RETRY, "out", asked=False)

    def release(self, document: ReleaseDocument, *, key: str) -> Reply:
        del key
        if not self.there:
            return self._reply()
        if not document.lines:
            return Reply(Taken.REFUSED, "empty", "There is nothing to do.")
        if document.number not in self.known:
            self.known[document.number] = document
            self.pages.append(f"took {document.number}")
        return self._reply()

    def knows(self, number: str) -> bool | None:
        return number in self.known if self.there else None

    def ask(self, document: RequestDocument, *, key: str) -> Reply:
        del key
        known = document.number in self.known
        return self._reply() if known else Reply(Taken.REFUSED, "unknown-order")

    def ask_count(self, count_id: UUID, sku: str, *, key: str) -> Reply:
        del count_id, sku, key
        return self._reply()

    def changed(self, cursor: str) -> Page:
        if not self.there:
            return Page(self._reply(), cursor=cursor)
        first = int(cursor or 0)
        new = self.pages[first:]
        told = [
            Message(f"page-{first + n}", "page", line.encode()) for n, line in enumerate(new, 1)
        ]
        return Page(self._reply(), told, str(len(self.pages)))

    def stock(self, *, at: datetime) -> Seen:
        if not self.there:
            return Seen(self._reply())
        return Seen(self._reply(), StockSeen("", at, (Row("TEE-M", 40),)))


def read_words(topic: str, raw: bytes) -> list[Report]:
    """`did FO-1 3`: three units of the first line went all the way."""
    del topic
    what, _, rest = raw.decode().partition(" ")
    match what, rest.split():
        case "took", [number]:
            return [TakenOn("", NOON, number)]
        case "did", [number, said]:
            units = (Units(1, int(said)),)
            box = Box("only", units)
            return [
                Picked("", NOON, number, units),
                Packed("", NOON, number, box),
                Shipped("", NOON, number, box),
            ]
    raise UnreadableReport("Nobody can read this.")


@dataclass
class Both:
    """A warehouse, how to silence it, and how it says that it has done an order."""

    system: Warehouse
    silence: Any
    read: Any
    done: Any


@pytest.fixture(params=["protocol", "notebook"])
def both(request) -> Iterator[Both]:
    if request.param == "notebook":
        notebook = Notebook()
        yield Both(
            notebook,
            lambda: setattr(notebook, "there", False),
            read_words,
            lambda number, units: f"did {number} {units}".encode(),
        )
        return
    simulator = Wms("wms", 0, 7, clock=SandboxClock(NOON, speed=0))
    with simulator.running():
        body = {"node": "east", "token": TOKEN, "shelves": {"TEE-M": 40}, "off_share": 0}
        httpx.put(f"{simulator.url}/_sandbox/shelves", json=body).raise_for_status()
        headers = {"Authorization": f"Bearer {TOKEN}"}
        client = RemoteClient("wms", f"{simulator.url}/east", headers=headers)
        silence = {"failures": [{"kind": "silence", "share": 1}]}
        yield Both(
            ProtocolWarehouse(lambda: client),
            lambda: httpx.put(f"{simulator.url}/_sandbox/failures", json=silence),
            protocol.read,
            shipped_words,
        )
        client.close()


def shipped_words(number: str, units: int) -> bytes:
    box = {"id": "only", "lines": [{"line": 1, "quantity": units}]}
    told = {"id": f"e-{number}", "type": "order.shipped", "at": NOON.isoformat()}
    return json.dumps(
        {"version": 1, "id": "m", "events": [{**told, "order": number, "parcel": box}]}
    ).encode()


class TestEveryWarehouse:
    def test_has_an_order_once_told(self, both):
        assert both.system.knows("FO-1") is False

        first = both.system.release(ORDER, key="k-1")
        again = both.system.release(ORDER, key="k-2")

        assert (first.taken, again.taken) == (Taken.DONE, Taken.DONE)
        assert both.system.knows("FO-1") is True

    def test_refuses_what_makes_no_sense(self, both):
        assert both.system.release(replace(ORDER, lines=()), key="k").taken is Taken.REFUSED

    def test_is_asked_about_orders_that_it_has(self, both):
        units = RequestDocument(ids.uuid7(), "pull_back", "FO-1", 1, 2, NOON, open=True)
        change = RequestDocument(
            ids.uuid7(), "change", "FO-1", None, 2, NOON, open=True, address=ADDRESS, service="fast"
        )
        assert both.system.ask(units, key="q-1").taken is Taken.REFUSED

        both.system.release(ORDER, key="k-1")

        assert both.system.ask(units, key="q-2").taken is Taken.DONE
        assert both.system.ask(change, key="q-3").taken is Taken.DONE
        assert both.system.ask_count(ids.uuid7(), "TEE-M", key="c-1").taken is Taken.DONE

    def test_tells_what_has_changed_from_where_the_reader_was(self, both):
        before = both.system.changed("")
        both.system.release(ORDER, key="k-1")

        after = both.system.changed(before.cursor)
        end = both.system.changed(after.cursor)

        assert [len(page.messages) for page in (before, after, end)] == [0, 1, 0]
        [message] = after.messages
        assert message.id
        for report in both.read(message.topic, message.raw):
            assert report.order == "FO-1"

    def test_shows_its_stock_as_of_a_time_that_has_been(self, both):
        now = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)

        seen = both.system.stock(at=now).stock

        assert seen.at <= now
        assert [(row.sku, row.quantity) for row in seen.rows] == [("TEE-M", 40)]

    def test_that_is_silent_never_raises_and_never_says_done(self, both):
        both.silence()

        replies = [
            both.system.release(ORDER, key="k"),
            both.system.changed("7").reply,
            both.system.stock(at=NOON).reply,
        ]

        assert both.system.knows("FO-1") is None
        assert both.system.changed("7").cursor == "7"
        assert both.system.stock(at=NOON).stock is None
        assert all(reply.taken in {Taken.RETRY, Taken.UNKNOWN} for reply in replies)

    @pytest.mark.django_db
    def test_has_its_messages_applied_once(self, both):
        ref, sku, node = a_warehouse()
        placed, order = sent(ref, sku, node, 2)
        raw = both.done(order.number, 2)

        first, again = (apply(both.read, ref, raw) for _ in range(2))

        assert isinstance(first, Applied)
        assert isinstance(again, Ignored)
        assert (work(order.pk).state, placed.line().shipped) == ("shipped", 2)


def apply(read, ref, raw: bytes):
    envelope = Envelope(ids.uuid7(), ref.account_id, ref.source, "m", "words", LATER, 0)
    letter = Received(envelope, Letter({}, raw), ref)
    return WarehouseApplier(read).apply([letter], at=LATER, actor=BEN)[0]


@pytest.mark.parametrize("taken", list(Taken))
def test_a_reply_is_an_answer_in_the_words_of_intents(taken):
    answer = sending.answer_of(Reply(taken, "why", "Because."))

    assert answer.kind.value == taken.value


def test_a_release_says_where_to_send_what_and_no_more_than_is_wanted():
    body = protocol.release_body(ORDER)

    assert body["ship_to"]["name"] == "Ada Lovelace"
    assert [(line["line"], line["sku"], line["quantity"]) for line in body["lines"]] == [
        (1, "TEE-M", 2)
    ]


def test_the_protocol_is_what_the_installed_adapters_speak():
    assert port.names() == [protocol.SUPPLIER, protocol.NAME]
