"""Events: recorded in the transaction that made them true, delivered later, at least once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from config.kernel import ids
from config.kernel.types import Actor


@dataclass(frozen=True, slots=True)
class Fact:
    """One event about to be recorded.

    `seq` is the subject's `event_seq` after the UPDATE that made the fact true. `thread_id` is
    the order (or other document) whose timeline shows it.
    """

    topic: str
    subject_kind: str
    subject_id: UUID
    seq: int
    account_id: UUID
    data: Mapping[str, Any] = field(default_factory=dict)
    thread_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as a handler receives it."""

    id: UUID
    topic: str
    subject_kind: str
    subject_id: UUID
    seq: int
    account_id: UUID
    thread_id: UUID | None
    at: datetime
    data: Mapping[str, Any]
    actor_kind: str
    actor_id: str
    correlation_id: str


Handler = Callable[[Sequence[Recorded]], None]
_subscribers: dict[str, tuple[frozenset[str], Handler]] = {}


def record(facts: Iterable[Fact], *, at: datetime, actor: Actor) -> list[UUID]:
    """Write the events in one statement; return their ids in the order given.

    Raises RuntimeError outside a transaction: an event without its change would be a lie.
    """
    wanted = list(facts)
    if not wanted:
        return []
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("events are recorded inside the transaction that makes them true")
    event_ids = [ids.uuid7() for _ in wanted]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO kernel_event (id, topic, subject_kind, subject_id, seq, account_id,
                thread_id, data, correlation_id, at, actor_kind, actor_id, actor_name,
                on_behalf_of, causation_id)
            SELECT fact.*, %s, %s, %s, %s, %s, %s
            FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::uuid[], %s::bigint[],
                %s::uuid[], %s::uuid[], %s::jsonb[], %s::text[]) AS fact
            """,
            [
                at,
                actor.kind,
                actor.id,
                actor.name,
                actor.on_behalf_of,
                actor.causation_id,
                event_ids,
                [fact.topic for fact in wanted],
                [fact.subject_kind for fact in wanted],
                [fact.subject_id for fact in wanted],
                [fact.seq for fact in wanted],
                [fact.account_id for fact in wanted],
                [fact.thread_id for fact in wanted],
                [Jsonb(dict(fact.data)) for fact in wanted],
                [actor.correlation_of(fact.thread_id or fact.subject_id) for fact in wanted],
            ],
        )
    return event_ids


def subscribe(consumer: str, topics: Iterable[str], handler: Handler) -> None:
    """Have `handler` called with batches of these topics, in order per subject.

    Called from `AppConfig.ready()`. The handler runs inside the transaction that marks the
    deliveries done, so its effect and the mark commit together; it may be called again with the
    same event only when neither committed.
    """
    if consumer in _subscribers:
        raise ValueError(f"the consumer {consumer} is subscribed twice")
    _subscribers[consumer] = (frozenset(topics), handler)


def subscriptions() -> list[tuple[str, str]]:
    """Every (consumer, topic), sorted."""
    return sorted(
        (consumer, topic) for consumer, (topics, _) in _subscribers.items() for topic in topics
    )


def handler_of(consumer: str) -> Handler:
    return _subscribers[consumer][1]
