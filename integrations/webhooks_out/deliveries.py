"""Deliveries: an event for every endpoint that wants it, in order, until each has it.

What concerns one subject goes to an endpoint in order: it stands in one of `LANES` queues, by subject.
So an endpoint that is dead holds up itself, in a few places at most, and nobody else.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from psycopg.types.json import Jsonb

from config.kernel import ids
from config.kernel.errors import Conflict
from config.kernel.events import Recorded
from config.kernel.services import intents
from config.kernel.services.intents import Answer, AnswerKind, LeasedIntent, NewIntent
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from integrations.models import WebhookDelivery
from integrations.models.webhooks import WebhookState
from integrations.webhooks_out import selectors
from integrations.webhooks_out.endpoints import disable_failing, lock_endpoint
from integrations.webhooks_out.posted import Posted
from integrations.webhooks_out.selectors import Listener
from integrations.webhooks_out.told import promises_in
from integrations.webhooks_out.topics import PING
from orders.selectors import order_heads
from orders.services import record_told

DELIVER: Final = "webhook.deliver"
"""The intent by which an event goes to an endpoint."""
LANES: Final = 8
MOST_REPLAYED: Final = 5_000
"""How many one call replays at most; the answer says whether more are left."""
DISABLED: Final = "The endpoint is disabled."
GONE: Final = "The endpoint answered 410: it is gone."
GIVE_UP_HOURS: Final = 24
_PINGED: Final = "endpoint"
_HIDDEN: Final = frozenset({"webhook-signature"})


class Next(StrEnum):
    """What follows from one try."""

    DONE = "done"
    AGAIN = "again"
    FAIL = "fail"
    KEEP = "keep"


@transaction.atomic
def fan_out(events: Sequence[Recorded], *, at: datetime, actor: Actor) -> int:
    """Write a delivery for every endpoint that hears of each event. Returns how many are new.

    Endpoints that are disabled get theirs kept, for a replay. One statement where nobody listens;
    whose orders the events are about is asked only where somebody hears of some channels alone.
    """
    by_account = selectors.listeners({event.account_id for event in events})
    if not by_account:
        return 0
    channels = _channels(events, by_account)
    rows: list[WebhookDelivery] = []
    for event in events:
        for listener in by_account.get(event.account_id, ()):
            if listener.hears(event.topic, channels.get(_order_of(event))):
                row = _row(event, listener.id)
                if not listener.enabled:
                    row.keep()
                rows.append(row)
    return _keep(rows, at=at, actor=actor)


def _channels(
    events: Sequence[Recorded], by_account: Mapping[UUID, Sequence[Listener]]
) -> dict[UUID, UUID]:
    """The channels of what somebody with a choice of channels might hear of: orders, and figures."""
    choosy = {
        account_id
        for account_id, listeners in by_account.items()
        if any(one.channel_ids for one in listeners)
    }
    asked = {_order_of(event) for event in events if event.account_id in choosy}
    if not asked:
        return {}
    named = {
        _order_of(event): UUID(event.data["channel_id"])
        for event in events
        if event.subject_kind == "channel_sku"
    }
    if asked <= named.keys():
        return named
    return named | {head.id: head.channel_id for head in order_heads(asked, ALL_ACCOUNTS).values()}


def _order_of(event: Recorded) -> UUID:
    """The order that an event belongs to, if it belongs to one: the thread of what follows it."""
    return event.thread_id or event.subject_id


def payload_of(event: Recorded) -> dict[str, Any]:
    """What a receiver reads: ids and codes, never personal data."""
    return {
        "type": event.topic,
        "timestamp": event.at.isoformat().replace("+00:00", "Z"),
        "data": {
            **event.data,
            "event_id": str(event.id),
            "sequence": event.seq,
            "subject": {"kind": event.subject_kind, "id": str(event.subject_id)},
            "thread_id": str(event.thread_id) if event.thread_id else None,
        },
    }


def _row(event: Recorded, endpoint_id: UUID) -> WebhookDelivery:
    return WebhookDelivery(
        id=ids.uuid7(),
        account_id=event.account_id,
        endpoint_id=endpoint_id,
        event_id=event.id,
        topic=event.topic,
        subject_kind=event.subject_kind,
        subject_id=event.subject_id,
        thread_id=event.thread_id,
        payload=payload_of(event),
        at=event.at,
    )


def _keep(rows: Sequence[WebhookDelivery], *, at: datetime, actor: Actor) -> int:
    if not rows:
        return 0
    WebhookDelivery.objects.bulk_create(rows, ignore_conflicts=True)
    new = set(
        WebhookDelivery.objects.for_scope(ALL_ACCOUNTS)
        .filter(pk__in=[row.pk for row in rows])
        .values_list("pk", flat=True)
    )
    _ask((row for row in rows if row.pk in new), at=at, actor=actor)
    return len(new)


def _ask(rows: Iterable[WebhookDelivery], *, at: datetime, actor: Actor) -> None:
    intents.add(
        [
            NewIntent(
                DELIVER,
                f"{row.pk}:{row.rounds}",
                "webhook_delivery",
                row.pk,
                row.account_id,
                queue=lane_of(row.endpoint_id, row.subject_id),
            )
            for row in rows
            if row.state == WebhookState.WAITING
        ],
        at=at,
        actor=actor,
    )


def lane_of(endpoint_id: UUID, subject_id: UUID) -> str:
    """The queue in which a subject's deliveries to an endpoint follow each other."""
    return f"webhook:{endpoint_id}:{subject_id.int % LANES}"


@transaction.atomic
def ping(endpoint_id: UUID, *, at: datetime, actor: Actor) -> UUID:
    """Send a message that says nothing, to try the endpoint. Returns the delivery.

    Raises NotFound beyond the scope, Conflict when the endpoint is disabled.
    """
    endpoint = selectors.endpoint(endpoint_id, actor.scope)
    if endpoint.state != "enabled":
        raise Conflict("The endpoint is disabled; enable it first.")
    event_id = ids.uuid7()
    row = WebhookDelivery(
        id=ids.uuid7(),
        account_id=endpoint.account_id,
        endpoint_id=endpoint.pk,
        event_id=event_id,
        topic=PING,
        subject_kind=_PINGED,
        subject_id=endpoint.pk,
        payload={
            "type": PING,
            "timestamp": at.isoformat().replace("+00:00", "Z"),
            "data": {"event_id": str(event_id), "endpoint": endpoint.name},
        },
        at=at,
    )
    _keep([row], at=at, actor=actor)
    return row.pk


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many deliveries were asked for again; `more` when the span holds further ones."""

    count: int
    more: bool


def replay_span(
    endpoint_id: UUID,
    *,
    since: datetime,
    until: datetime | None = None,
    topics: Sequence[str] = (),
    missed_only: bool = True,
    at: datetime,
    actor: Actor,
) -> Replayed:
    """Send again what an endpoint has missed (or all) of a span of time, oldest first.

    Raises NotFound beyond the scope.
    """
    selectors.endpoint(endpoint_id, actor.scope)
    found = selectors.replayable(
        endpoint_id,
        since=since,
        until=until,
        topics=topics,
        missed_only=missed_only,
        limit=MOST_REPLAYED + 1,
    )
    outcomes = replay(found[:MOST_REPLAYED], at=at, actor=actor)
    return Replayed(sum(one.ok for one in outcomes), len(found) > MOST_REPLAYED)


@transaction.atomic
def replay(delivery_ids: Sequence[UUID], *, at: datetime, actor: Actor) -> list[Outcome[UUID]]:
    """Send deliveries again, in the order of their events. One outcome per id, in the order given.

    The receiver knows them by the same message id. What is on its way is refused.
    """
    rows = {
        row.pk: row for row in WebhookDelivery.objects.for_scope(actor.scope).locked(delivery_ids)
    }
    outcomes: list[Outcome[UUID]] = []
    again: dict[UUID, WebhookDelivery] = {}
    for delivery_id in delivery_ids:
        row = rows.get(delivery_id)
        if row is None:
            outcomes.append(Outcome.refused("not-found", "There is no such delivery."))
            continue
        try:
            row.replay()
        except Conflict as refusal:
            outcomes.append(Outcome.refused(refusal.code, refusal.detail, **refusal.extra))
            continue
        again[delivery_id] = row
        outcomes.append(Outcome.done(delivery_id))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE integrations_webhookdelivery SET state = 'waiting', rounds = rounds + 1, "
            "reason = '', settled_at = NULL WHERE id = ANY(%s)",
            [list(again)],
        )
    _ask([again[key] for key in sorted(again)], at=at, actor=actor)
    return outcomes


@transaction.atomic
def note_attempt(
    delivery: WebhookDelivery,
    headers: dict[str, str],
    posted: Posted,
    *,
    at: datetime,
    actor: Actor,
) -> Next:
    """Log one try, and answer what is to follow from it.

    An endpoint that has only failed for days is disabled, with a case. A delivery that one endpoint
    does not take for `GIVE_UP_HOURS`, while it takes others, has failed: the next one has its turn.
    """
    values: list[Any] = [
        delivery.pk,
        ids.uuid7(),
        delivery.rounds,
        posted.status,
        posted.error[:200],
        Jsonb({name: "…" if name in _HIDDEN else text for name, text in headers.items()}),
        Jsonb(dict(posted.headers)),
        posted.body[:1_000],
        round(posted.seconds * 1_000),
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH counted AS (
                UPDATE integrations_webhookdelivery SET attempts = attempts + 1
                WHERE id = %s RETURNING id, attempts)
            INSERT INTO integrations_webhookattempt (id, delivery_id, number, round, status, error,
                request_headers, response_headers, response_body, milliseconds)
            SELECT %s, id, attempts, %s, %s, %s, %s, %s, %s, %s FROM counted
            """,
            values,
        )
        cursor.execute(
            # Its row is hot: it is written when something changes, and now and then.
            "UPDATE integrations_webhookendpoint SET "
            "failing_since = CASE WHEN %s THEN NULL ELSE coalesce(failing_since, "
            "clock_timestamp()) END, "
            "last_delivered_at = CASE WHEN %s THEN %s ELSE last_delivered_at END "
            "WHERE id = %s AND ((failing_since IS NULL) <> %s OR (%s AND "
            "coalesce(last_delivered_at < %s, true)))",
            [
                posted.ok,
                posted.ok,
                at,
                delivery.endpoint_id,
                posted.ok,
                posted.ok,
                at - timedelta(seconds=5),
            ],
        )
    if posted.ok:
        return Next.DONE
    if _disabled(delivery.endpoint_id, posted, at=at, actor=actor):
        return Next.KEEP
    since = selectors.trying_since(delivery)
    patience = timedelta(hours=GIVE_UP_HOURS)
    return Next.FAIL if since and datetime.now(UTC) - since > patience else Next.AGAIN


def _disabled(endpoint_id: UUID, posted: Posted, *, at: datetime, actor: Actor) -> bool:
    """Disable an endpoint that is gone, or has failed for days. Answers whether it is disabled."""
    endpoint = selectors.endpoint_now(endpoint_id)
    patience = timedelta(days=settings.WEBHOOK_DISABLE_AFTER_DAYS)
    since = endpoint.failing_since
    if posted.status == 410:
        reason = GONE
    elif since is not None and datetime.now(UTC) - since > patience:
        reason = f"It has failed for {patience.days} days; last: {why(posted)}."
    else:
        return False
    disable_failing(lock_endpoint(endpoint_id), reason, at=at, actor=actor)
    return True


def why(posted: Posted) -> str:
    """A failed try in words."""
    return f"it answered {posted.status}" if posted.status is not None else posted.error


def record_answer(intent: LeasedIntent, answer: Answer, *, at: datetime, actor: Actor) -> None:
    """What became of a delivery: delivered, failed, or kept because the endpoint is disabled."""
    del actor
    [row] = WebhookDelivery.objects.for_scope(ALL_ACCOUNTS).locked([intent.subject_id])
    if row.state != WebhookState.WAITING:
        return
    if answer.kind is AnswerKind.DONE:
        row.deliver()
        record_told(promises_in(row), at=at)
    elif answer.error in {DISABLED, GONE}:
        row.keep()
    else:
        row.fail(reason=(answer.error or "no answer")[:200])
    row.settled_at = at
    row.save(update_fields=["state", "reason", "settled_at"])
