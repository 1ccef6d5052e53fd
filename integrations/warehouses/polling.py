"""Warehouses are read as well as heard: what pushes lost is found, what differs becomes a case.

A turn with one connection: the orders that have changed, as messages of the inbox; orders of ours
that the system does not have; and, less often, its whole stock. The stock is
taken over only after the orders: everything earlier is in both numbers then.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction

import inventory.selectors
from config.kernel import case_reports
from config.kernel.selectors import intents_done
from config.kernel.services import intents
from config.kernel.types import Actor
from fulfillment import nodework
from integrations import connections, services
from integrations.services import Found
from integrations.types import ConnectionRef
from integrations.warehouses import port, sending, stocktaking
from integrations.warehouses.cases import LACKS_ORDER
from integrations.warehouses.port import Taken, Warehouse

ASK_EVERY_MINUTES: Final = 5
STOCK_EVERY_MINUTES: Final = 240
LACKING_AFTER_MINUTES: Final = 15
PAGES: Final = 10
ASKED_AT_ONCE: Final = 50
ORDERS: Final = "orders"


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn with one connection brought."""

    messages: int = 0
    lacking: int = 0
    stock: stocktaking.Taken | None = None
    reached: bool = True


def ask_due(*, at: datetime, actor: Actor) -> list[Turn]:
    """Take a turn with every connection that is due. Called with no transaction open."""
    return [
        ask_connection(ref, at=at, actor=actor)
        for ref in connections.of_adapter(*port.names())
        if _due(ref, ORDERS, "ask_every_minutes", ASK_EVERY_MINUTES, at)
    ]


def ask_connection(
    ref: ConnectionRef, *, at: datetime, actor: Actor, system: Warehouse | None = None
) -> Turn:
    """One turn. A system that cannot be asked is asked next time."""
    there = system or port.warehouse(ref)
    messages, reached = _read_orders(ref, there, at=at, actor=actor)
    if not reached or ref.node_id is None:
        return Turn(messages, reached=reached)
    lacking = _find_lacking(ref, ref.node_id, there, at=at, actor=actor)
    stock = None
    if _due(
        ref, stocktaking.TAKEN, "stock_every_minutes", STOCK_EVERY_MINUTES, at
    ) or inventory.selectors.is_asked(ref.node_id, ref.source, ref.account_id, at):
        stock = stocktaking.take_stock(ref, there, at=at, actor=actor)
    return Turn(messages, lacking, stock)


def _due(ref: ConnectionRef, name: str, setting: str, minutes: int, at: datetime) -> bool:
    kept = connections.cursor_of(ref.id, name) or {}
    if not kept.get("at"):
        return True
    every = timedelta(minutes=int(ref.settings.get(setting, minutes)))
    last = datetime.fromisoformat(kept["at"])
    return not last <= at < last + every


def _read_orders(
    ref: ConnectionRef, there: Warehouse, *, at: datetime, actor: Actor
) -> tuple[int, bool]:
    """Take in what has changed, page by page. Answers how many came, and whether all were read."""
    kept: dict[str, Any] = connections.cursor_of(ref.id, ORDERS) or {}
    cursor = str(kept.get("cursor", ""))
    taken = 0
    for _ in range(PAGES):
        page = there.changed(cursor)
        if page.reply.taken is not Taken.DONE:
            return taken, False
        services.take_in_all(
            ref,
            [Found(one.id, one.topic, one.raw) for one in page.messages],
            at=at,
            actor=actor,
        )
        taken += len(page.messages)
        cursor = page.cursor
        connections.move_cursor(ref.id, ORDERS, {"cursor": cursor, "at": at.isoformat()})
        if not page.more:
            connections.heard([ref.id], at=at)
            return taken, True
    return taken, False


def _find_lacking(
    ref: ConnectionRef, node_id: int, there: Warehouse, *, at: datetime, actor: Actor
) -> int:
    """Ask for orders that nobody took on. One that is not there is sent again, with a case."""
    if not ref.live:
        return 0
    kept = connections.cursor_of(ref.id, "lacking") or {}
    minutes = int(ref.settings.get("lacking_after_minutes", LACKING_AFTER_MINUTES))
    rows = nodework.not_taken_on(
        node_id,
        released_before=at - timedelta(minutes=minutes),
        after=UUID(kept["after"]) if kept.get("after") else None,
        limit=ASKED_AT_ONCE,
    )
    lacking = [row for row in rows if there.knows(row[1]) is False]
    after = str(rows[-1][0]) if len(rows) == ASKED_AT_ONCE else ""
    connections.move_cursor(ref.id, "lacking", {"after": after})
    if lacking:
        _send_again(node_id, lacking, at=at, actor=actor)
    return len(lacking)


@transaction.atomic
def _send_again(
    node_id: int, rows: list[tuple[UUID, str, UUID, UUID]], *, at: datetime, actor: Actor
) -> None:
    """What was never told, because the connection only listened, is told; the rest is a case too."""
    first = [sending.release_of(node_id, row[0], row[3]) for row in rows]
    known = intents_done(sending.RELEASE, [intent.key for intent in first])
    intents.add(first, at=at, actor=actor)
    lost = [row for row in rows if str(row[0]) in known]
    intents.add(
        [
            sending.release_of(node_id, work_id, account_id, again=True)
            for work_id, _, _, account_id in lost
        ],
        at=at,
        actor=actor,
    )
    _report(LACKS_ORDER, node_id, lost, at=at)


def _report(
    kind: str, node_id: int, rows: list[tuple[UUID, str, UUID, UUID]], *, at: datetime
) -> None:
    case_reports.report(
        [
            case_reports.Report(
                kind,
                "fulfillment_order",
                work_id,
                account_id,
                evidence={"number": number},
                cause=f"node:{node_id}",
                thread_id=order_id,
            )
            for work_id, number, order_id, account_id in rows
        ],
        at=at,
    )
