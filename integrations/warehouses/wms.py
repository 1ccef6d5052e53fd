"""A node's system that speaks the warehouse protocol, over HTTP."""

import json
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

from fulfillment.nodework import ReleaseDocument, RequestDocument
from integrations import connections
from integrations.http import Answer, Busy, OutcomeUnknown, RemoteClient, Unreached
from integrations.types import ConnectionRef
from integrations.warehouses import protocol
from integrations.warehouses.port import Message, Page, Reply, Seen, Taken
from integrations.warehouses.reports import Row, StockSeen, UnreadableReport

PAGE: Final = 100
STOCK_PAGE: Final = 1_000
MOST_STOCK_PAGES: Final = 500
_LATER: Final = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.SERVICE_UNAVAILABLE,
    }
)
"""Nothing was tried: our credential is wrong, or they are busy."""


class ProtocolWarehouse:
    """Implements `integrations.warehouses.port.Warehouse`."""

    def __init__(self, client: Callable[[], RemoteClient]) -> None:
        self._client = client

    @classmethod
    def of(cls, ref: ConnectionRef) -> "ProtocolWarehouse":
        return cls(lambda: connections.client(ref))

    def release(self, document: ReleaseDocument, *, key: str) -> Reply:
        return self._tell("/orders", protocol.release_body(document), key)

    def ask(self, document: RequestDocument, *, key: str) -> Reply:
        path = f"/orders/{quote(document.number, safe='')}/requests"
        return self._tell(path, protocol.request_body(document), key)

    def ask_count(self, count_id: UUID, sku: str, *, key: str) -> Reply:
        body = {"version": protocol.VERSION, "count": str(count_id), "sku": sku}
        return self._tell("/counts", body, key)

    def knows(self, number: str) -> bool | None:
        reply, answer = self._sent("GET", f"/orders/{quote(number, safe='')}")
        if reply.taken is Taken.DONE:
            return True
        return False if answer is not None and answer.status == HTTPStatus.NOT_FOUND else None

    def changed(self, cursor: str) -> Page:
        params = {"limit": str(PAGE)} | ({"cursor": cursor} if cursor else {})
        reply, answer = self._sent("GET", "/orders", params=params)
        if cursor and answer is not None and answer.status == HTTPStatus.GONE:
            return self.changed("")
        if answer is None or reply.taken is not Taken.DONE:
            return Page(reply, cursor=cursor)
        found = answer.body.get("orders", [])
        messages = [
            Message(
                f"order:{order.get('order', '')}:{order.get('revision', 0)}",
                protocol.STATE,
                json.dumps(order, sort_keys=True).encode(),
            )
            for order in found
            if isinstance(order, dict)
        ]
        ahead = str(answer.body.get("cursor") or cursor)
        return Page(reply, messages, ahead, bool(answer.body.get("more")) and ahead != cursor)

    def stock(self, *, at: datetime) -> Seen:
        rows: list[Row] = []
        as_of = at  # A clock that runs ahead of ours must not reach into our future.
        after = ""
        for _ in range(MOST_STOCK_PAGES):
            params = {"limit": str(STOCK_PAGE)} | ({"after": after} if after else {})
            reply, answer = self._sent("GET", "/stock", params=params)
            if answer is None or reply.taken is not Taken.DONE:
                return Seen(reply)
            try:
                page = protocol.seen(answer.body)
            except UnreadableReport as unreadable:
                return Seen(Reply(Taken.REFUSED, unreadable.code, unreadable.detail))
            # The whole is as old as its oldest page.
            as_of = min(as_of, page.at)
            rows += page.rows
            after = str(answer.body.get("next") or "")
            if not after:
                break
        else:
            return Seen(Reply(Taken.REFUSED, "endless", "The stock has no last page."))
        return Seen(reply, StockSeen("", as_of, tuple(rows)))

    def _tell(self, path: str, body: dict[str, Any], key: str) -> Reply:
        return self._sent("POST", path, json_body=body, key=key)[0]

    def _sent(
        self,
        method: str,
        path: str,
        *,
        json_body: dict[str, Any] | None = None,
        params: dict[str, str] | None = None,
        key: str = "",
    ) -> tuple[Reply, Answer | None]:
        try:
            answer = self._client().send(method, path, json=json_body, params=params, key=key)
        except Busy as busy:
            return Reply(Taken.RETRY, "busy", str(busy), busy.after_seconds, asked=False), None
        except Unreached as lost:
            return Reply(Taken.RETRY, "unreached", str(lost)), None
        except OutcomeUnknown as lost:
            return Reply(Taken.UNKNOWN, "no-answer", str(lost)), None
        if answer.ok:
            return Reply(Taken.DONE), answer
        code = str(answer.body.get("code") or f"http-{answer.status}")[:48]
        if answer.status in _LATER or answer.status < HTTPStatus.BAD_REQUEST:
            return Reply(Taken.RETRY, code, f"They answered {answer.status}."), answer
        return Reply(Taken.REFUSED, code, f"They answered {answer.status}: {code}."), answer
