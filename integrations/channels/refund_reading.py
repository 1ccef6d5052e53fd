"""Refunds whose lines an order does not tell: read by an intent, then taken in as news of their own.

WooCommerce's orders name a refund's amount and reason alone. Whoever is told of one in a transaction
cannot ask the shop; the intent does, and keeps what it read as a message, applied like every other.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from config.kernel import case_reports, clock
from config.kernel.services import intents
from config.kernel.services.intents import Answer, AnswerKind, LeasedIntent, NewIntent
from config.kernel.types import Actor
from integrations import connections, services
from integrations.channels import marks, port, sending
from integrations.channels.cases import REFUNDED_THERE
from integrations.channels.types import Said, ShopRefund
from integrations.services import Found
from integrations.types import ConnectionRef

READ: Final = "channel.read_refunds"
TOPIC: Final = "order.refunds"


def may_be_read(ref: ConnectionRef) -> bool:
    """Whether the shop can be asked at all: one that only pushes has no address."""
    return bool(ref.base_url) and port.known(ref.adapter)


def have_read(
    wanted: Sequence[tuple[ConnectionRef, UUID, str, Sequence[ShopRefund]]],
    *,
    at: datetime,
    actor: Actor,
) -> None:
    """Have the lines of these refunds read: (connection, order, its id there, refunds), once each.

    In the caller's transaction, in one statement.
    """
    asked = []
    for ref, order_id, external_id, refunds in wanted:
        told = {one.id: one.amount_minor for one in refunds}
        payload = {"connection": str(ref.id), "order": external_id, "told": told}
        key = f"{ref.id}:{order_id}:{marks.hash_of(sorted(told))}"
        queue = f"channel-refunds:{ref.id}:{order_id}"
        asked.append(NewIntent(READ, key, "order", order_id, ref.account_id, payload, queue))
    if asked:
        intents.add(asked, at=at, actor=actor)


def perform(intent: LeasedIntent) -> Answer:
    """Read the order's refunds and take them in; where there are none to read, as the order told them."""
    ref = connections.by_id(UUID(intent.payload["connection"]))
    found = port.shop(ref).refunds(intent.payload["order"])
    if found.reply.said not in (Said.DONE, Said.REFUSED):
        return sending.answer_of(found.reply)
    read = found.message
    news = Found(read.id, read.topic, read.raw) if read else _as_told(intent.payload, ref)
    actor = Actor.system("integrations.read_refunds", causation_id=str(intent.id))
    services.take_in_all(ref, [news], at=clock.now(), actor=actor)
    return Answer.done(read=len(found.refunds))


def record(intent: LeasedIntent, answer: Answer, *, at: datetime, actor: Actor) -> None:
    """What could not be read in all that time a person has to look up there."""
    del actor
    if answer.kind is AnswerKind.DONE:
        return
    case_reports.report(
        [
            case_reports.Report(
                REFUNDED_THERE,
                "order",
                intent.subject_id,
                intent.account_id,
                evidence={"refunds": intent.payload["told"], "why": answer.error},
                cause=f"connection:{intent.payload['connection']}",
                thread_id=intent.subject_id,
                dedupe_key=f"{REFUNDED_THERE}:{intent.key}",
            )
        ],
        at=at,
    )


def _as_told(payload: Mapping[str, Any], ref: ConnectionRef) -> Found:
    """The refunds with their amounts alone."""
    refunds = [{"id": key, "amount_minor": minor} for key, minor in payload["told"].items()]
    document = {"order_id": payload["order"], "refunds": refunds}
    key = f"refunds:{payload['order']}:{marks.hash_of([str(ref.id), refunds])}"
    return Found(key, TOPIC, json.dumps(document).encode())
