"""What channels are to hold, written down and asked for: one row each, one intent per wish.

A wish is written whatever the state of the connection. Where it is live or paused an intent stands
for it, in the queue of its order; where it only listens the wish waits until the connection goes
live (`ask_waiting`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from config.kernel import ids
from config.kernel.services import intents
from config.kernel.services.intents import NewIntent
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from integrations import connections
from integrations.channels import marks, port
from integrations.models import ChannelCopy, CopyKind, CopyState
from integrations.states import ConnectionState
from integrations.types import ConnectionRef

INTENTS: Final[Mapping[str, str]] = {
    CopyKind.ACKNOWLEDGEMENT: "channel.acknowledge",
    CopyKind.FULFILLMENT: "channel.fulfill",
    CopyKind.CANCEL: "channel.cancel",
    CopyKind.REFUND: "channel.refund",
}
"""The intent by which a copy of each kind goes out; stock figures go in sweeps of their own."""
ASKED_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """Something that a channel is to hold from now on, instead of what it was to hold before."""

    ref: ConnectionRef
    kind: str
    our_id: UUID
    order_id: UUID
    content: Mapping[str, Any] = field(default_factory=dict)


def want(wanted: Sequence[Wanted], *, at: datetime, actor: Actor) -> list[UUID]:
    """Write the wishes, in one statement, and have them sent; answers the copies that are new wishes.

    What is wanted already stays as it is. Runs inside the caller's transaction.
    """
    last = {(one.ref.id, one.kind, one.our_id): one for one in wanted}
    if not last:
        return []
    ordered = [last[key] for key in sorted(last)]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO integrations_channelcopy AS copy (id, account_id, connection_id, kind,
                our_id, order_id, wanted, wanted_hash, their_id, state, sent_hash, asked, round,
                version, failure, wanted_at)
            SELECT wish.*, '', 'waiting', '', false, 0, '', '', %s
            FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::uuid[], %s::uuid[],
                %s::jsonb[], %s::text[]) AS wish
            ON CONFLICT (connection_id, kind, our_id) DO UPDATE
            SET wanted = excluded.wanted, wanted_hash = excluded.wanted_hash, state = 'waiting',
                round = copy.round + 1, asked = false, failure = '',
                wanted_at = excluded.wanted_at
            WHERE copy.wanted_hash <> excluded.wanted_hash AND copy.state <> 'told'
            RETURNING id
            """,
            [
                at,
                [ids.uuid7() for _ in ordered],
                [one.ref.account_id for one in ordered],
                [one.ref.id for one in ordered],
                [one.kind for one in ordered],
                [one.our_id for one in ordered],
                [one.order_id for one in ordered],
                [Jsonb(dict(one.content)) for one in ordered],
                [marks.hash_of(one.content) for one in ordered],
            ],
        )
        written = [copy_id for (copy_id,) in cursor.fetchall()]
    sent = {one.ref.id for one in ordered if is_sent_to(one.ref)}
    _ask(written, sent, at=at, actor=actor)
    return written


@transaction.atomic
def ask_waiting(*, at: datetime, actor: Actor) -> int:
    """Have sent what waits at live connections and nobody has asked for. Answers how many."""
    live = [
        ref.id for ref in connections.of_adapter(*port.names(), live_only=True) if is_sent_to(ref)
    ]
    waiting = list(
        ChannelCopy.objects.for_scope(ALL_ACCOUNTS)
        .filter(state=CopyState.WAITING, asked=False, connection_id__in=live)
        .exclude(kind=CopyKind.STOCK)
        .order_by("pk")
        .values_list("pk", flat=True)[:ASKED_AT_ONCE]
    )
    return _ask(waiting, set(live), at=at, actor=actor)


@transaction.atomic
def heal_copies(
    connection_id: UUID,
    copy_ids: Collection[UUID] | None = None,
    *,
    at: datetime,
    actor: Actor,
) -> list[Outcome[UUID]]:
    """Send again what is refused, different or missing there: these copies, or the first 500.

    One outcome per copy. A connection that only listens sends it once it is live.
    """
    ref = connections.by_id(connection_id)
    found = ChannelCopy.objects.for_scope(actor.scope).filter(
        connection_id=connection_id,
        state__in=[CopyState.REFUSED, CopyState.DIFFERENT, CopyState.MISSING],
    )
    if copy_ids is not None:
        found = found.filter(pk__in=list(copy_ids))
    rows = list(found.order_by("kind", "our_id").select_for_update()[:ASKED_AT_ONCE])
    for row in rows:
        row.send_again()
        row.wanted_at, row.failure = at, ""
    ChannelCopy.objects.for_scope(ALL_ACCOUNTS).bulk_update(
        rows, ["state", "round", "asked", "wanted_at", "failure"]
    )
    sent = {connection_id} if is_sent_to(ref) else set()
    _ask([row.pk for row in rows if row.kind in INTENTS], sent, at=at, actor=actor)
    healed = {row.pk for row in rows}
    wanted = list(copy_ids) if copy_ids is not None else [row.pk for row in rows]
    as_it_should_be = Outcome[UUID].refused("conflict", "It is as it should be, or unknown.")
    return [Outcome.done(key) if key in healed else as_it_should_be for key in wanted]


def is_sent_to(ref: ConnectionRef) -> bool:
    """Whether intents are written for the connection; one without an address is only heard."""
    return bool(ref.base_url) and ref.state != ConnectionState.LISTENING


def _ask(copy_ids: Sequence[UUID], sent: set[UUID], *, at: datetime, actor: Actor) -> int:
    """Write an intent for each of these copies whose connection is sent to. Three statements."""
    if not copy_ids or not sent:
        return 0
    rows = list(
        ChannelCopy.objects.for_scope(ALL_ACCOUNTS)
        .filter(pk__in=list(copy_ids), connection_id__in=sent, kind__in=list(INTENTS))
        .order_by("pk")
    )
    # A parcel that brings the rest of something goes with what was told of it before.
    rows.sort(key=lambda row: "rest_of" in row.wanted)
    intents.add([intent_of(row) for row in rows], at=at, actor=actor)
    ChannelCopy.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=[row.pk for row in rows]).update(
        asked=True
    )
    return len(rows)


def intent_of(row: ChannelCopy) -> NewIntent:
    """Each wish is asked once; a wish that is sent again is another."""
    return NewIntent(
        INTENTS[row.kind],
        f"{row.pk}:{row.wanted_hash}:{row.round}",
        "channel_copy",
        row.pk,
        row.account_id,
        {"connection": str(row.connection_id), "hash": row.wanted_hash},
        queue_of(row.connection_id, row.order_id),
    )


def queue_of(connection_id: UUID, order_id: UUID | None) -> str:
    """What is said of one order is said in order; others do not wait for it."""
    return f"channel:{connection_id}:{order_id}"
