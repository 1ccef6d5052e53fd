"""Counts asked of nodes and answered by them, and SKUs kept from being sourced meanwhile."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from config.kernel import events
from config.kernel.errors import Invalid, NotFound
from config.kernel.types import ALL_ACCOUNTS, Actor
from inventory.ledger import Book
from inventory.models import CountRequest, Exclusion
from inventory.services.landing import land
from inventory.states import Condition, MovementKind
from inventory.stock_rows import Level, Position, PositionKey, Why
from inventory.types import ExclusionWanted, SubjectTag, subject_id


def ask_for_counts(
    places: Sequence[tuple[UUID, int, int, str]], *, at: datetime, actor: Actor
) -> dict[tuple[int, int], UUID]:
    """Ask nodes to count: (account, node, SKU, reason). One open request per node and SKU.

    Returns the request's subject id by (node, SKU). Must run inside the caller's transaction.
    """
    if not places:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO inventory_countrequest AS known (account_id, node_id, sku_id, reason,
                state, opened_at, event_seq)
            SELECT asked.*, 'open', %s, 1
            FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::text[]) AS asked
            ON CONFLICT (node_id, sku_id) WHERE state = 'open'
            DO UPDATE SET reason = known.reason
            RETURNING id, account_id, node_id, sku_id, reason, xmax = 0
            """,
            [at, *(list(column) for column in zip(*places, strict=True))],
        )
        rows = cursor.fetchall()
    events.record(
        [
            events.Fact(
                "count.requested",
                "count_request",
                subject_id(SubjectTag.COUNT_REQUEST, row_id),
                1,
                account_id,
                {"node_id": node_id, "sku_id": sku_id, "reason": reason},
            )
            for row_id, account_id, node_id, sku_id, reason, is_new in rows
            if is_new
        ],
        at=at,
        actor=actor,
    )
    return {(row[2], row[3]): subject_id(SubjectTag.COUNT_REQUEST, row[0]) for row in rows}


@transaction.atomic
def request_counts(
    places: Sequence[tuple[UUID, int, int, str]], *, at: datetime, actor: Actor
) -> dict[tuple[int, int], UUID]:
    """Ask nodes to count by hand; otherwise as `ask_for_counts`."""
    _require_scope([place[0] for place in places], actor)
    return ask_for_counts(places, at=at, actor=actor)


@transaction.atomic
def answer_count(count_request_id: int, counted: int, *, at: datetime, actor: Actor) -> None:
    """The node has found `counted` sellable units of the account's own stock, pending ones included.

    What was pending is settled, the difference is a movement, the exclusion that the request caused ends. Raises
    IllegalTransition for a request that is answered, Invalid for a negative count.
    """
    if counted < 0:
        raise Invalid("A count is zero or more.")
    request = CountRequest.objects.for_scope(actor.scope).locked([count_request_id]).first()
    if request is None:
        raise NotFound("There is no such count request.")
    request.answer(counted=counted, at=at)
    request.event_seq += 1
    request.save(update_fields=["state", "counted", "answered_at", "event_seq"])
    subject = subject_id(SubjectTag.COUNT_REQUEST, request.id)
    _end_exclusions(subject, at=at)
    events.record(
        [
            events.Fact(
                "count.answered",
                "count_request",
                subject,
                request.event_seq,
                request.account_id,
                {"node_id": request.node_id, "sku_id": request.sku_id, "counted": counted},
            )
        ],
        at=at,
        actor=actor,
    )
    key = PositionKey(request.account_id, request.node_id, request.sku_id, request.account_id)
    book = Book.open_for([key])
    position = book.by_key[key]
    before = position.sellable
    _settle(book, position, counted, Why(MovementKind.COUNT, "count_request", subject), at=at)
    position.counted_at, position.touched = at, True
    land(book, {position.id: position.sellable - before})
    book.write(at=at, actor=actor)


def exclude(wanted: Sequence[ExclusionWanted], *, at: datetime, actor: Actor) -> None:
    """Keep SKUs from being sourced at nodes until a time; of two, the later end stands.

    Raises NotFound for a SKU outside the actor's scope.
    """
    if not wanted:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO inventory_exclusion AS known (account_id, node_id, sku_id, until, reason,
                cause_kind, cause_id, at)
            SELECT sku.account_id, wanted.*, %s
            FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[], %s::text[], %s::text[],
                %s::uuid[]) AS wanted (node_id, sku_id, until, reason, cause_kind, cause_id)
            JOIN inventory_sku sku ON sku.id = wanted.sku_id
            WHERE %s OR sku.account_id = ANY(%s)
            ORDER BY wanted.sku_id, wanted.node_id
            ON CONFLICT (sku_id, node_id) DO UPDATE
            SET until = greatest(known.until, excluded.until), reason = excluded.reason,
                cause_kind = excluded.cause_kind, cause_id = excluded.cause_id,
                at = excluded.at
            """,
            [
                at,
                [one.node_id for one in wanted],
                [one.sku_id for one in wanted],
                [one.until for one in wanted],
                [one.reason for one in wanted],
                [one.cause_kind for one in wanted],
                [one.cause_id for one in wanted],
                actor.scope.everything,
                sorted(actor.scope.account_ids),
            ],
        )
        if cursor.rowcount != len(wanted):
            raise NotFound("There is no such SKU.")


@transaction.atomic
def lift_exclusions(places: Sequence[tuple[int, int]], *, at: datetime, actor: Actor) -> int:
    """End exclusions of (node, SKU) now; returns how many were in force."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE inventory_exclusion known SET until = %s
            FROM unnest(%s::bigint[], %s::bigint[]) AS lifted (node_id, sku_id)
            WHERE known.node_id = lifted.node_id AND known.sku_id = lifted.sku_id
              AND known.until > %s AND (%s OR known.account_id = ANY(%s))
            """,
            [
                at,
                [place[0] for place in places],
                [place[1] for place in places],
                at,
                actor.scope.everything,
                sorted(actor.scope.account_ids),
            ],
        )
        return int(cursor.rowcount)


def _settle(book: Book, position: Position, counted: int, why: Why, *, at: datetime) -> None:
    """Empty the pending levels, and bring the available ones to what was counted."""
    for level in book.levels_of(position, Condition.COUNT_PENDING):
        book.move(level, -level.on_hand, why, at=at)
    levels: list[Level] = book.levels_of(position)
    difference = counted - sum(level.on_hand for level in levels)
    if difference > 0:
        book.move(book.level(position), difference, why, at=at)
    elif difference < 0:
        book.lower(levels, book.level(position), -difference, why, at=at)


def _end_exclusions(cause_id: UUID, *, at: datetime) -> None:
    Exclusion.objects.for_scope(ALL_ACCOUNTS).filter(
        cause_kind="count_request", cause_id=cause_id, until__gt=at
    ).update(until=at)


def _require_scope(account_ids: Sequence[UUID], actor: Actor) -> None:
    if any(not actor.scope.allows(account_id) for account_id in account_ids):
        raise NotFound("There is no such SKU.")
