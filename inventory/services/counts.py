"""Counts asked of nodes and answered by them, and SKUs kept from being sourced meanwhile."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from config.kernel import events
from config.kernel.errors import (
    Conflict,
    DomainError,
    IllegalTransition,
    Invalid,
    NotFound,
)
from config.kernel.types import ALL_ACCOUNTS, Actor, ActorKind, Outcome, Problem
from inventory.ledger import Book
from inventory.models import CountRequest, Exclusion
from inventory.services.landing import land
from inventory.services.publishing import touch
from inventory.states import OPEN_COUNT_STATES, Condition, CountState, MovementKind
from inventory.stock_rows import Level, Position, PositionKey, Why
from inventory.types import CountWanted, ExclusionWanted, SubjectTag, subject_id

ANSWERED_WITHIN: Final = timedelta(hours=24)
DOUBTFUL_UNITS: Final = 5
DOUBTFUL_SHARE_PERCENT: Final = 20
"""A difference of so many units, and of such a share of what lies there, is counted again."""

_ANSWERED: Final = (
    "state", "due_at", "first_counted", "first_counted_by", "counted", "counted_by",
    "answered_at", "cancel_reason", "event_seq",
)  # fmt: skip
_TOPICS: Final = {
    CountState.RECOUNT.value: "count.doubted",
    CountState.ANSWERED.value: "count.answered",
    CountState.CANCELLED.value: "count.cancelled",
}


def ask_for_counts(
    wanted: Sequence[CountWanted], *, at: datetime, actor: Actor
) -> dict[tuple[int, int], UUID]:
    """Ask nodes to count. One open request per node and SKU; a second asks for nothing new.

    Returns the request's subject id by (node, SKU). Must run inside the caller's transaction.
    """
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO inventory_countrequest AS known (account_id, node_id, sku_id, kind, reason,
                due_at, state, opened_at, first_counted_by, counted_by, cancel_reason, event_seq)
            SELECT asked.*, 'open', %s, '', '', '', 1
            FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::text[], %s::text[],
                %s::timestamptz[]) AS asked
            ON CONFLICT (node_id, sku_id) WHERE state IN ('open', 'recount')
            DO UPDATE SET reason = known.reason
            RETURNING id, account_id, node_id, sku_id, reason, xmax = 0
            """,
            [
                at,
                [one.account_id for one in wanted],
                [one.node_id for one in wanted],
                [one.sku_id for one in wanted],
                [str(one.kind) for one in wanted],
                [one.reason for one in wanted],
                [one.due_at or at + ANSWERED_WITHIN for one in wanted],
            ],
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
    wanted: Sequence[CountWanted], *, at: datetime, actor: Actor
) -> dict[tuple[int, int], UUID]:
    """Ask nodes to count by hand; otherwise as `ask_for_counts`."""
    _require_scope([one.account_id for one in wanted], actor)
    return ask_for_counts(wanted, at=at, actor=actor)


def answer_count(count_request_id: int, counted: int, *, at: datetime, actor: Actor) -> str:
    """One answer of `answer_counts`; returns the state it leads to.

    Raises NotFound, Invalid for a negative count, IllegalTransition for a request that has ended
    and Conflict where another person has to count.
    """
    (outcome,) = answer_counts([(count_request_id, counted)], at=at, actor=actor)
    if outcome.value is not None:
        return outcome.value
    problem = outcome.problem or Problem("conflict", "It was refused.")
    refusals: dict[str, type[DomainError]] = {
        "not-found": NotFound,
        "invalid": Invalid,
        "ended": IllegalTransition,
    }
    raise refusals.get(problem.code, Conflict)(problem.detail, **problem.extra)


@transaction.atomic
def answer_counts(
    answers: Sequence[tuple[int, int]], *, at: datetime, actor: Actor
) -> list[Outcome[str]]:
    """Nodes have found (request, units): sellable units, pending ones included, whoever owns them.

    What the book has of other owners' goods is taken off: a difference is the account's own.
    What was pending is settled, the difference is a movement, the exclusion that the request
    caused ends. What a person finds far off the book is counted again by another before the book
    changes. One outcome per answer, in the order given: the state it leads to.
    """
    wanted = dict(answers)
    found = CountRequest.objects.for_scope(actor.scope).locked(wanted)
    requests = {request.pk: request for request in found}
    refused: dict[int, Outcome[str]] = {}
    for key, counted in answers:
        if key not in requests:
            refused[key] = Outcome.refused("not-found", "There is no such count request.")
        elif counted < 0:
            refused[key] = Outcome.refused("invalid", "A count is zero or more.")
    keys = {key: _key(row) for key, row in requests.items() if key not in refused}
    others = _of_others(keys.values())
    book = Book.open_for(set(keys.values()))
    arrived: Counter[int] = Counter()
    for key, place in keys.items():
        position = book.by_key[place]
        before = position.sellable
        own = max(0, wanted[key] - others[place.node_id, place.sku_id])
        problem = _answer(book, position, requests[key], own, at=at, actor=actor)
        if problem is not None:
            refused[key] = problem
        arrived[position.id] += position.sellable - before
    told = [row for key, row in requests.items() if key not in refused]
    _write_answers(told, at=at, actor=actor)
    land(book, arrived)
    book.write(at=at, actor=actor)
    return [refused.get(key) or Outcome.done(str(requests[key].state)) for key, _ in answers]


def open_requests(node_id: int, sku_ids: Collection[int]) -> list[CountRequest]:
    """What the node is asked to count of these SKUs, locked by ascending id, before any position."""
    found = CountRequest.objects.for_scope(ALL_ACCOUNTS).filter(
        node_id=node_id, sku_id__in=sku_ids, state__in=OPEN_COUNT_STATES
    )
    return list(found.order_by("pk").select_for_update(of=("self",)))


def answer_by_list(
    requests: Sequence[CountRequest], found: Mapping[int, int], *, at: datetime, actor: Actor
) -> None:
    """A list that was counted answers the requests of its SKUs; the list itself settles the book."""
    answered = [request for request in requests if request.sku_id in found]
    for request in answered:
        request.answer(counted=found[request.sku_id], by=actor.id, at=at)
    if answered:
        _write_answers(answered, at=at, actor=actor)


@transaction.atomic
def cancel_counts(
    count_request_ids: Sequence[int], reason: str, *, at: datetime, actor: Actor
) -> list[Outcome[int]]:
    """Nobody needs the counts any more: the exclusions that they caused end, units stay pending."""
    found = CountRequest.objects.for_scope(actor.scope).locked(set(count_request_ids))
    requests = {request.pk: request for request in found}
    refused: dict[int, Outcome[int]] = {}
    for key in count_request_ids:
        if key not in requests:
            refused[key] = Outcome.refused("not-found", "There is no such count request.")
            continue
        try:
            requests[key].cancel(reason=reason, at=at)
        except IllegalTransition as error:
            refused[key] = Outcome.refused("conflict", error.detail)
    told = [row for key, row in requests.items() if key not in refused]
    _write_answers(told, at=at, actor=actor)
    return [refused.get(key) or Outcome.done(key) for key in count_request_ids]


def _answer(
    book: Book,
    position: Position,
    request: CountRequest,
    counted: int,
    *,
    at: datetime,
    actor: Actor,
) -> Outcome[str] | None:
    """Move the request; settle the book unless somebody has to count again. None when it moved."""
    by_hand = actor.kind is ActorKind.USER
    lying = sum(
        level.on_hand
        for condition in (Condition.AVAILABLE, Condition.COUNT_PENDING)
        for level in book.levels_of(position, condition)
    )
    try:
        if request.state == CountState.OPEN and by_hand and _is_doubtful(counted - lying, lying):
            request.doubt(counted=counted, by=actor.id, due_at=at + ANSWERED_WITHIN)
            return None
        if request.state == CountState.RECOUNT and by_hand and request.first_counted_by == actor.id:
            return Outcome.refused("same-person", "Another person has to count it again.")
        request.answer(counted=counted, by=actor.id, at=at)
    except IllegalTransition as error:
        return Outcome.refused("ended", error.detail, **error.extra)
    subject = subject_id(SubjectTag.COUNT_REQUEST, request.pk)
    _settle(book, position, counted, Why(MovementKind.COUNT, "count_request", subject), at=at)
    position.counted_at, position.touched = at, True
    return None


def _write_answers(requests: Sequence[CountRequest], *, at: datetime, actor: Actor) -> None:
    """Put the requests down, end the exclusions of those that have ended, and tell."""
    for request in requests:
        request.event_seq += 1
    CountRequest.objects.for_scope(ALL_ACCOUNTS).bulk_update(requests, _ANSWERED)
    ended = [row for row in requests if row.state != CountState.RECOUNT]
    _end_exclusions([subject_id(SubjectTag.COUNT_REQUEST, row.pk) for row in ended], at=at)
    touch({row.sku_id for row in ended}, at=at)
    events.record(
        [
            events.Fact(
                _TOPICS[row.state],
                "count_request",
                subject_id(SubjectTag.COUNT_REQUEST, row.pk),
                row.event_seq,
                row.account_id,
                {"node_id": row.node_id, "sku_id": row.sku_id}
                | {"counted": row.first_counted if row.counted is None else row.counted},
            )
            for row in requests
        ],
        at=at,
        actor=actor,
    )


def _key(request: CountRequest) -> PositionKey:
    return PositionKey(request.account_id, request.node_id, request.sku_id, request.account_id)


def _of_others(keys: Iterable[PositionKey]) -> Counter[tuple[int, int]]:
    """Units of other owners that lie where the account's own are counted, by (node, SKU)."""
    places = list(keys)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT p.node_id, p.sku_id, sum(v.on_hand)::bigint
            FROM unnest(%s::bigint[], %s::bigint[]) AS asked (node_id, sku_id)
            JOIN inventory_stockposition p
              ON (p.sku_id, p.node_id) = (asked.sku_id, asked.node_id)
            JOIN inventory_stocklevel v ON v.position_id = p.id
            WHERE p.owner_id <> p.account_id AND v.condition = ANY(%s) GROUP BY 1, 2
            """,
            [
                [place.node_id for place in places],
                [place.sku_id for place in places],
                [Condition.AVAILABLE.value, Condition.COUNT_PENDING.value],
            ],
        )
        return Counter({(row[0], row[1]): row[2] for row in cursor.fetchall()})


def _is_doubtful(difference: int, lying: int) -> bool:
    units = abs(difference)
    return units >= DOUBTFUL_UNITS and units * 100 >= lying * DOUBTFUL_SHARE_PERCENT


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
        touch({one.sku_id for one in wanted}, at=at)


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
        lifted = int(cursor.rowcount)
    touch({place[1] for place in places}, at=at)
    return lifted


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


def _end_exclusions(cause_ids: Sequence[UUID], *, at: datetime) -> None:
    Exclusion.objects.for_scope(ALL_ACCOUNTS).filter(
        cause_kind="count_request", cause_id__in=cause_ids, until__gt=at
    ).update(until=at)


def _require_scope(account_ids: Sequence[UUID], actor: Actor) -> None:
    if any(not actor.scope.allows(account_id) for account_id in account_ids):
        raise NotFound("There is no such SKU.")
