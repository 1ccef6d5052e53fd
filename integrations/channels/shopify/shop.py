"""A shop behind Shopify's Admin API (REST of 2025-07, GraphQL where only that compares or adds).

Nothing there is idempotent, so that every word is preceded by a look: the acknowledgement is a tag, a
fulfillment is known by its tracking number, a refund and a part's cancel by the mark in its note, the
cancel of a whole order by the order itself.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlsplit

from integrations import connections, selectors
from integrations.channels.asking import DONE, Unanswered, ask, refused, settled
from integrations.channels.reading import mapping, rows, text
from integrations.channels.shopify import figures, inbound, money_back, parcels, seen
from integrations.channels.types import (
    Figures,
    FiguresSet,
    Message,
    NewFigure,
    Page,
    Refunds,
    Reply,
    Said,
    Wish,
)
from integrations.http import Answer, RemoteClient
from integrations.models import CopyKind
from integrations.types import ChannelRef, ConnectionRef, NotSold, Unreadable

PAGE: Final = 250
IDS_AT_ONCE: Final = 100
NEARLY_FULL: Final = 0.9
REST_SECONDS: Final = 2.0
"""With its call limit nearly used up, the shop is left alone for so long."""
_ADD_TAGS: Final = """
mutation tagsAdd($id: ID!, $tags: [String!]!) {
  tagsAdd(id: $id, tags: $tags) { node { id } userErrors { field message } }
}
"""
_UNDATED: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""For a document that is only compared, and names no time of its own."""
_REASONS: Final = {"buyer": "customer", "system": "inventory"}

Document = Mapping[str, Any]


def token_header(held: Mapping[str, str]) -> Mapping[str, str]:
    """The access token as Shopify wants it."""
    token = held.get("access_token", "")
    return {"X-Shopify-Access-Token": token} if token else {}


class ShopifyShop:
    """Implements `integrations.channels.port.Shop`."""

    compares = True

    def __init__(
        self, ref: ConnectionRef, channel: ChannelRef, client: Callable[[], RemoteClient]
    ) -> None:
        self._ref, self._channel, self._client = ref, channel, client
        self.calls: tuple[int, int] | None = None
        """Used and most of the shop's call limit, as it said last."""

    @classmethod
    def of(cls, ref: ConnectionRef) -> "ShopifyShop":
        channel_id = ref.channel_id or ref.id
        channel = selectors.channels_by_id([channel_id])[channel_id]
        return cls(ref, channel, lambda: connections.client(ref, headers=token_header))

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
        return mapping(self.ask("GET", f"/orders/{quote(order_id, safe='')}.json").body, "order")

    def _there(self, wish: Wish, order: Document) -> Reply | None:
        """Whether the order holds it already."""
        match wish.kind:
            case CopyKind.ACKNOWLEDGEMENT:
                return DONE if seen.taken_on(order) == wish.number else None
            case CopyKind.FULFILLMENT:
                return parcels.there(wish, order)
            case CopyKind.CANCEL if wish.whole:
                return DONE if order.get("cancelled_at") else None
        return money_back.there(wish, order)

    def _do(self, wish: Wish, order: Document) -> Reply:
        match wish.kind:
            case CopyKind.ACKNOWLEDGEMENT:
                return self._acknowledge(wish)
            case CopyKind.FULFILLMENT if wish.gone:
                return parcels.take_back(self, wish, order)
            case CopyKind.FULFILLMENT:
                notify = bool(self._ref.settings.get("notify_customer", False))
                return parcels.fulfill(self, wish, order, notify=notify)
            case CopyKind.CANCEL if wish.whole:
                return self._cancel(wish, order)
            case CopyKind.CANCEL:
                return money_back.take_off(self.ask, wish, order)
        return money_back.give_back(self.ask, self._ref, wish, order)

    def _acknowledge(self, wish: Wish) -> Reply:
        """A tag: merchants see it and filter by it, and adding it leaves other tags alone."""
        asked = {"id": f"gid://shopify/Order/{wish.order}", "tags": [f"{seen.TAG}{wish.number}"]}
        said = self.graphql(_ADD_TAGS, asked)
        if wrong := rows(mapping(said, "tagsAdd"), "userErrors"):
            return refused("tag", text(wrong[0].get("message"), 160))
        return DONE

    def _cancel(self, wish: Wish, order: Document) -> Reply:
        """Cancel the order and give back what was paid and not given back yet."""
        body: dict[str, Any] = {"reason": _REASONS.get(wish.reason, "other"), "email": False}
        paid = money_back.kept_of(order)
        if paid > Decimal(0):
            body |= {"amount": str(paid), "currency": text(order.get("currency"), 3)}
        self.ask("POST", f"/orders/{quote(wish.order, safe='')}/cancel.json", body)
        return DONE

    # --- reading

    def changed(self, since: datetime, cursor: str) -> Page:
        params = {"limit": str(PAGE), "status": "any", "order": "updated_at asc"}
        params["updated_at_min"] = since.isoformat()
        return self._page({"limit": str(PAGE), "page_info": cursor} if cursor else params)

    def orders(self, ids: Sequence[str]) -> Page:
        pages: list[Message] = []
        for first in range(0, len(ids), IDS_AT_ONCE):
            wanted = ",".join(ids[first : first + IDS_AT_ONCE])
            page = self._page({"limit": str(PAGE), "status": "any", "ids": wanted})
            if page.reply.said is not Said.DONE:
                return page
            pages += page.messages
        return Page(DONE, tuple(pages))

    def _page(self, params: Mapping[str, str]) -> Page:
        try:
            answer = self.ask("GET", "/orders.json", params=params)
        except Unanswered as lost:
            return Page(lost.reply)
        found = tuple(map(self._message, rows(answer.body, "orders")))
        return Page(DONE, found, _next(answer.headers.get("link", "")))

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
            return Refunds(DONE, tuple(money_back.refunds_of(self._order(order))))
        except Unanswered as lost:
            return Refunds(lost.reply)

    def answers(self) -> Reply:
        return settled(self._ping)

    def _ping(self) -> Reply:
        self.ask("GET", "/shop.json")
        return DONE

    # --- stock

    def figures(self, wanted: Collection[str]) -> Figures:
        return figures.read(self, self._ref, wanted)

    def set_figures(self, wanted: Sequence[NewFigure]) -> FiguresSet:
        return figures.put(self, self._ref, wanted)

    # --- one call

    def ask(
        self,
        method: str,
        path: str,
        json: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Answer:
        """One call; heeds how full the shop's bucket is. Raises Unanswered."""
        client = self._client()
        answer = ask(client, method, path, json=json, params=params)
        used, _, most = answer.headers.get("x-shopify-shop-api-call-limit", "").partition("/")
        if used.isdecimal() and most.isdecimal() and int(most):
            self.calls = int(used), int(most)
            if int(used) >= int(most) * NEARLY_FULL:
                client.rest(REST_SECONDS)
        return answer

    def graphql(self, query: str, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        """One question of GraphQL; its data. Raises Unanswered, also for a throttled one."""
        answer = self.ask("POST", "/graphql.json", {"query": query, "variables": dict(variables)})
        if wrong := rows(answer.body, "errors"):
            code = text(mapping(wrong[0], "extensions").get("code"), 40)
            words = text(wrong[0].get("message"), 160)
            if code == "THROTTLED":
                raise Unanswered(Reply(Said.RETRY, code="busy", detail=words))
            raise Unanswered(refused("graphql", words))
        return mapping(answer.body, "data")


def _next(link: str) -> str:
    """The `page_info` of the next page in a Link header; empty on the last."""
    for part in link.split(","):
        address, _, words = part.partition(";")
        if 'rel="next"' in words:
            query = urlsplit(address.strip().strip("<>")).query
            return dict(parse_qsl(query)).get("page_info", "")
    return ""
