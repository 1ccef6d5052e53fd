"""A shop whose orders were known to us before it was connected: what it holds of them becomes copies.

What had become of its orders until then nobody told it by us. `remember` reads those events as the
handler of events does now, and writes the copies; the connection only listens yet, so that none is
sent. Whoever told the shop by other means says by `hold` what it holds, under which ids. What is left
goes out when the connection goes live, and its first turn reads the shop's orders from then on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from config.kernel.errors import Conflict
from config.kernel.events import Recorded
from config.kernel.models import Event
from config.kernel.types import ALL_ACCOUNTS, Actor
from integrations import connections
from integrations.channels import copies, polling, telling
from integrations.channels.handlers import TOPICS
from integrations.models import ChannelCopy, CopyState


@dataclass(frozen=True, slots=True)
class Untold:
    """A copy that the shop is to hold and was not told by us."""

    id: UUID
    kind: str
    wanted: Mapping[str, Any]
    at: datetime


@transaction.atomic
def remember(connection_id: UUID, *, since: datetime, at: datetime, actor: Actor) -> list[Untold]:
    """Write the copies of what became of the shop's orders in [since, at], oldest first.

    Statements grow with the days, not with the orders. Raises Conflict where the connection is sent
    to already.
    """
    ref = connections.by_id(connection_id)
    if copies.is_sent_to(ref):
        raise Conflict("What a connection that is sent to has to hold is told by itself.")
    rows = (
        Event.objects.for_scope(actor.scope)
        .filter(account_id=ref.account_id, topic__in=TOPICS, at__gte=since, at__lte=at)
        .order_by("at", "id")
    )
    for _, of_a_day in groupby(rows, lambda row: row.at.date()):
        known = [_recorded(row) for row in of_a_day]
        wanted = [one for one in telling.wanted_by(known) if one.ref.id == connection_id]
        copies.want(wanted, at=known[-1].at, actor=actor)
    connections.move_cursor(ref.id, polling.ORDERS, {"until": since.isoformat()})
    found = ChannelCopy.objects.for_scope(ALL_ACCOUNTS).filter(
        connection_id=connection_id, state=CopyState.WAITING, kind__in=list(copies.INTENTS)
    )
    return [
        Untold(row.pk, row.kind, row.wanted, row.wanted_at)
        for row in found.order_by("wanted_at", "pk")
    ]


@transaction.atomic
def hold(connection_id: UUID, held: Mapping[UUID, str], *, at: datetime, actor: Actor) -> int:
    """The shop holds these copies, under these ids of its own; answers how many were not known so."""
    rows = list(
        ChannelCopy.objects.for_scope(actor.scope)
        .filter(connection_id=connection_id, pk__in=list(held), state=CopyState.WAITING)
        .order_by("kind", "our_id")
        .select_for_update()
    )
    for row in rows:
        row.keep(their_id=held[row.pk], sent_hash=row.wanted_hash, note="", at=row.wanted_at)
    # A fortnight's copies: `bulk_update` would write a case for each row and column.
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE integrations_channelcopy AS copy
            SET state = held.state, their_id = held.their_id, sent_hash = copy.wanted_hash,
                failure = '', sent_at = copy.wanted_at, seen_at = %s
            FROM unnest(%s::uuid[], %s::text[], %s::text[]) AS held (id, state, their_id)
            WHERE copy.id = held.id
            """,
            [
                at,
                [row.pk for row in rows],
                [row.state for row in rows],
                [row.their_id for row in rows],
            ],
        )
    return len(rows)


def _recorded(row: Event) -> Recorded:
    return Recorded(
        row.pk,
        row.topic,
        row.subject_kind,
        row.subject_id,
        row.seq,
        row.account_id,
        row.thread_id,
        row.at,
        row.data,
        row.actor_kind,
        row.actor_id,
        row.correlation_id,
    )
