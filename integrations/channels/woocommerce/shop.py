"""A shop behind WooCommerce's REST API (v3).

Nothing there is idempotent either, so that every word is preceded by a look: the acknowledgement is
a meta datum, a parcel an entry of the shipment tracking list, a refund is known by the mark in its
reason, a cancel by the order's status. Stock cannot be compared and set in one step: it is read,
compared and written, in as short a time as can be.
"""

import base64
import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from integrations import connections, selectors
from integrations.channels import refund_reading
from integrations.channels.asking import DONE, Unanswered, ask, settled
from integrations.channels.marks import hash_of
from integrations.channels.reading import text
from integrations.channels.types import (
    Figures,
    FiguresSet,
    Message,
    NewFigure,
    Page,
    Refunds,
    Reply,
    Said,
    ShopRefund,
    Wish,
)
from integrations.channels.woocommerce import figures, inbound, money_back, seen
from integrations.http import Answer, RemoteClient
from integrations.models import CopyKind
from integrations.types import ChannelRef, ConnectionRef, NotSold, Unreadable

PAGE: Final = 100
IDS_AT_ONCE: Final = 100
ENDED: Final = frozenset({"cancelled", "refunded"})
_UNDATED: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""For a document that is only compared, and names no time of its own."""

Document = Mapping[str, Any]


def basic(held: Mapping[str, str]) -> Mapping[str, str]:
    """Consumer key and secret, as WooCommerce wants them over TLS."""
    pair = f"{held.get('consumer_key', '')}:{held.get('consumer_secret', '')}"
    if pair == ":":
        return {}
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


class WooShop:
    """Implements `integrations.channels.port.Shop`."""

    compares = False

    def __init__(
        self, ref: ConnectionRef, channel: ChannelRef, client: Callable[[], RemoteClient]
    ) -> None:
        self._ref, self._channel, self._client = ref, channel, client
        self.calls: tuple[int, int] | None = None
        """WooCommerce names no call limit."""

    @classmethod
    def of(cls, ref: ConnectionRef) -> "WooShop":
        channel_id = ref.channel_id or ref.id
        channel = selectors.channels_by_id([channel_id])[channel_id]
        return cls(ref, channel, lambda: connections.client(ref, headers=basic))

    # --- telling

    def tell(self, wish: Wish) -> Reply:
        return settled(lambda: self._tell(wish))

    def find(self, wish: Wish) -> Reply | None:
        try:
            return self._there(wish, self._order(wish.order))
        except Unanswered as lost:
            # An order that is not there holds nothing; what cannot be asked now is asked later.
            return None if lost.reply.said is Said.REFUSED else lost.reply

    def _tell(self, wish: Wish) -> Reply:
        order = self._order(wish.order)
        return self._there(wish, order) or self._do(wish, order)

    def _order(self, order_id: str) -> Document:
        return self.ask("GET", _path(order_id)).body

    def _there(self, wish: Wish, order: Document) -> Reply | None:
        """Whether the order holds it already."""
        match wish.kind:
            case CopyKind.ACKNOWLEDGEMENT:
                return DONE if text(seen.meta(order, seen.NUMBER_KEY)) == wish.number else None
            case CopyKind.FULFILLMENT:
                return _parcel_there(wish, order)
            case CopyKind.CANCEL if wish.whole:
                return DONE if order.get("status") in ENDED else None
        return money_back.there(wish, order)

    def _do(self, wish: Wish, order: Document) -> Reply:
        match wish.kind:
            case CopyKind.ACKNOWLEDGEMENT:
                return self._write(wish, {"meta_data": [_meta(seen.NUMBER_KEY, wish.number)]})
            case CopyKind.FULFILLMENT:
                return self._take_back(wish, order) if wish.gone else self._fulfill(wish, order)
            case CopyKind.CANCEL if wish.whole:
                return self._cancel(wish, order)
            case CopyKind.CANCEL:
                return money_back.take_off(self.ask, self._ref, wish, order)
        named = self._named(wish.order) if order.get("refunds") else {}
        return money_back.give_back(self.ask, self._ref, wish, order, named)

    def _named(self, order_id: str) -> Mapping[str, int]:
        """Units per line that refunds there name already."""
        named: Counter[str] = Counter()
        for one in self._refunds(order_id):
            named.update(one.named)
        return named

    def _fulfill(self, wish: Wish, order: Document) -> Reply:
        """Put the parcel on the order, complete it with the last one, and write a note."""
        if self._ref.settings.get("notes", True):
            self._note(wish)
        parcel = {
            "tracking_provider": "",
            "custom_tracking_provider": wish.carrier,
            "custom_tracking_link": wish.tracking_url,
            "tracking_number": wish.tracking_number,
            "date_shipped": wish.shipped_at,
            "tracking_id": wish.ours.hex,
        }
        others = [
            one for one in seen.tracking_items(order) if one.get("tracking_id") != wish.ours.hex
        ]
        body: dict[str, Any] = {"meta_data": [_meta(seen.TRACKING_KEY, [*others, parcel])]}
        if wish.last and order.get("status") not in ENDED:
            body["status"] = "completed"
        return self._write(wish, body, their_id=wish.tracking_number)

    def _note(self, wish: Wish) -> None:
        """A note with the tracking number, once; for the buyer when the settings say so."""
        words = f"Shipped: {wish.carrier} {wish.tracking_number} {wish.tracking_url}".strip()
        notes = self.ask("GET", f"{_path(wish.order)}/notes").rows
        if any(
            isinstance(one, dict) and wish.tracking_number in text(one.get("note")) for one in notes
        ):
            return
        to_buyer = bool(self._ref.settings.get("notify_customer", False))
        body = {"note": words, "customer_note": to_buyer}
        self.ask("POST", f"{_path(wish.order)}/notes", body)

    def _take_back(self, wish: Wish, order: Document) -> Reply:
        kept = [
            one
            for one in seen.tracking_items(order)
            if text(one.get("tracking_number"), 80) != wish.tracking_number
        ]
        body: dict[str, Any] = {"meta_data": [_meta(seen.TRACKING_KEY, kept)]}
        if order.get("status") == "completed":
            body["status"] = "processing"
        return self._write(wish, body)

    def _cancel(self, wish: Wish, order: Document) -> Reply:
        """Give back what was paid, then cancel; a full refund ends the order by itself."""
        if money_back.kept_of(order) > 0 and order.get("date_paid_gmt"):
            return money_back.give_all_back(self.ask, self._ref, wish, order)
        return self._write(wish, {"status": "cancelled"})

    def _write(self, wish: Wish, body: Mapping[str, Any], *, their_id: str = "") -> Reply:
        self.ask("PUT", _path(wish.order), body)
        return Reply(Said.DONE, their_id)

    # --- reading

    def changed(self, since: datetime, cursor: str) -> Page:
        number = int(cursor or 1)
        params = {
            "modified_after": since.astimezone(UTC).replace(tzinfo=None).isoformat(),
            "dates_are_gmt": "true",
            "orderby": "modified",
            "order": "asc",
            "status": "any",
            "per_page": str(PAGE),
            "page": str(number),
        }
        try:
            answer = self.ask("GET", "/orders", params=params)
        except Unanswered as lost:
            return Page(lost.reply)
        pages = answer.headers.get("x-wp-totalpages", "")
        more = pages.isdecimal() and number < int(pages)
        return Page(DONE, self._messages(answer), str(number + 1) if more else "")

    def orders(self, ids: Sequence[str]) -> Page:
        found: list[Message] = []
        for first in range(0, len(ids), IDS_AT_ONCE):
            part = ids[first : first + IDS_AT_ONCE]
            params = {"include": ",".join(part), "status": "any", "per_page": str(PAGE)}
            try:
                answer = self.ask("GET", "/orders", params=params)
            except Unanswered as lost:
                return Page(lost.reply)
            found += self._messages(answer)
        return Page(DONE, tuple(found))

    def _messages(self, answer: Answer) -> tuple[Message, ...]:
        return tuple(self._message(one) for one in answer.rows if isinstance(one, dict))

    def _message(self, document: Document) -> Message:
        try:
            order = seen.shop_order(document, self._channel, received_at=_UNDATED)
        except (Unreadable, NotSold):
            order = None
        return Message(
            seen.message_id(document), inbound.POLLED, json.dumps(document).encode(), order
        )

    def refunds(self, order: str) -> Refunds:
        try:
            found = self._refund_rows(order)
        except Unanswered as lost:
            return Refunds(lost.reply)
        document = {"order_id": order, "refunds": found}
        told = seen.refunds_alone(document, self._channel)
        key = f"refunds:{text(order, 64)}:{hash_of(found)}"
        message = Message(key, refund_reading.TOPIC, json.dumps(document).encode())
        return Refunds(DONE, told.refunds, message)

    def _refunds(self, order_id: str) -> tuple[ShopRefund, ...]:
        document = {"order_id": order_id, "refunds": self._refund_rows(order_id)}
        return seen.refunds_alone(document, self._channel).refunds

    def _refund_rows(self, order_id: str) -> list[Any]:
        params = {"per_page": str(PAGE)}
        return list(self.ask("GET", f"{_path(order_id)}/refunds", params=params).rows)

    def answers(self) -> Reply:
        return settled(self._ping)

    def _ping(self) -> Reply:
        self.ask("GET", "/orders", params={"per_page": "1"})
        return DONE

    # --- stock

    def figures(self, wanted: Collection[str]) -> Figures:
        return figures.read(self.ask, wanted)

    def set_figures(self, wanted: Sequence[NewFigure]) -> FiguresSet:
        return figures.put(self.ask, wanted)

    # --- one call

    def ask(
        self,
        method: str,
        path: str,
        json: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Answer:
        """One call. Raises Unanswered."""
        return ask(self._client(), method, path, json=json, params=params)


def _parcel_there(wish: Wish, order: Document) -> Reply | None:
    """Whether the parcel stands on the order, and the last one has completed it."""
    there = wish.tracking_number in {
        text(one.get("tracking_number"), 80) for one in seen.tracking_items(order)
    }
    if wish.gone:
        return None if there else DONE
    done = not wish.last or order.get("status") in ENDED | {"completed"}
    return Reply(Said.DONE, wish.tracking_number) if there and done else None


def _path(order_id: str) -> str:
    return f"/orders/{quote(order_id, safe='')}"


def _meta(key: str, value: Any) -> dict[str, Any]:
    """A meta datum by its key: WooCommerce replaces the one that is there."""
    return {"key": key, "value": value}
