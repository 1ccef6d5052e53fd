"""Groups whose promise is still to be kept, and what was promised, told and asked of an order."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from django.db import connection

from config.kernel.types import ALL_ACCOUNTS, Scope
from orders.models import (
    ConsentAnswer,
    ConsentQuestion,
    DeliveryGroup,
    OrderLine,
    Promise,
    PromiseTold,
)
from orders.states import LineKind

OpenQuestion: TypeAlias = ConsentQuestion
StandingPromise: TypeAlias = Promise


@dataclass(frozen=True, slots=True)
class PromisedGroup:
    """A group of ours with units still to come, by when it was promised.

    `waiting`: no node has them; `reserved`: a node is to have them; `released`: one has;
    `underway`: a carrier has. `line_ids` are lines with reserved units.
    """

    group_id: UUID
    order_id: UUID
    account_id: UUID
    method: str
    placed_at: datetime
    accepted_at: datetime
    ship_by: datetime
    deliver_by: datetime | None
    waiting: int
    reserved: int
    released: int
    underway: int
    line_ids: tuple[UUID, ...]


_OPEN = """
    SELECT g.id, o.id, o.account_id, g.method, o.placed_at, coalesce(o.accepted_at, o.placed_at),
        g.ship_by, g.deliver_by, units.waiting, units.reserved, units.released, units.underway,
        units.line_ids
    FROM orders_order o
    JOIN orders_deliverygroup g ON g.order_id = o.id AND g.fulfilled_by = 'us'
        AND g.ship_by IS NOT NULL AND g.method <> 'none'
    JOIN LATERAL (
        SELECT coalesce(sum(l.pending + l.backordered), 0) AS waiting,
            coalesce(sum(l.reserved), 0) AS reserved, coalesce(sum(l.released), 0) AS released,
            coalesce(sum(l.underway), 0) AS underway,
            coalesce(array_agg(l.id) FILTER (WHERE l.reserved > 0), '{}') AS line_ids
        FROM orders_orderline l WHERE l.group_id = g.id AND l.kind = 'stock'
    ) units ON units.waiting + units.reserved + units.released + units.underway > 0
    WHERE o.state = 'accepted' AND o.mode <> 'history'
"""


def promised_groups(
    *, after: tuple[UUID, UUID] | None = None, shard: int = 0, shards: int = 1, limit: int
) -> list[PromisedGroup]:
    """Groups with a promise still to be kept, by (order, group), those after the pair. One statement.

    `shard` of `shards` narrows to a part of the orders that is always the same.
    """
    part = "AND get_byte(uuid_send(o.id), 15) %% %(shards)s = %(shard)s" if shards > 1 else ""
    later = "AND (o.id, g.id) > (%(order)s, %(group)s)" if after else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_OPEN} {part} {later} ORDER BY o.id, g.id LIMIT %(limit)s",
            {
                "shards": shards,
                "shard": shard,
                "order": after[0] if after else None,
                "group": after[1] if after else None,
                "limit": limit,
            },
        )
        return [_group(row) for row in cursor.fetchall()]


def promised_of(group_ids: Collection[UUID]) -> dict[UUID, PromisedGroup]:
    """Those of the groups whose promise is still to be kept. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(f"{_OPEN} AND g.id = ANY(%(groups)s)", {"groups": list(group_ids)})
        return {row[0]: _group(row) for row in cursor.fetchall()}


def _group(row: tuple[Any, ...]) -> PromisedGroup:
    names = [field.name for field in fields(PromisedGroup)]
    return PromisedGroup(**dict(zip(names, (*row[:-1], tuple(row[-1])), strict=True)))


@dataclass(frozen=True, slots=True)
class LineUnits:
    """The units of a stock line that are still to come, and what the line was sold for."""

    line_id: UUID
    ordered: int
    pending: int
    backordered: int
    reserved: int
    released: int
    underway: int
    total_minor: int


@dataclass(frozen=True, slots=True)
class GroupAtRisk:
    """A delivery group by what can be done about its promise."""

    group_id: UUID
    order_id: UUID
    account_id: UUID
    currency: str
    method: str
    service_code: str
    pinned_node_id: int | None
    ship_by: datetime | None
    deliver_by: datetime | None
    lines: tuple[LineUnits, ...]

    def units(self, *buckets: str) -> int:
        """Units in these buckets together."""
        return sum(getattr(line, bucket) for line in self.lines for bucket in buckets)


def group_at_risk(group_id: UUID, scope: Scope) -> GroupAtRisk | None:
    """The group; None outside the scope. Two statements."""
    group = (
        DeliveryGroup.objects.for_scope(scope).select_related("order").filter(pk=group_id).first()
    )
    if group is None:
        return None
    names = ("pk", "ordered", "pending", "backordered", "reserved", "released", "underway")
    lines = OrderLine.objects.for_scope(ALL_ACCOUNTS).filter(group_id=group_id, kind=LineKind.STOCK)
    return GroupAtRisk(
        group.pk,
        group.order_id,
        group.account_id,
        group.order.currency,
        group.method,
        group.service_code,
        group.pinned_node_id,
        group.ship_by,
        group.deliver_by,
        tuple(
            LineUnits(*row) for row in lines.order_by("position").values_list(*names, "total_minor")
        ),
    )


@dataclass(frozen=True, slots=True)
class PromiseRecord:
    """All that was promised of an order: versions, oldest first; whom we told; what was asked."""

    promises: Sequence[Promise]
    told: Sequence[PromiseTold]
    questions: Sequence[ConsentQuestion]
    answers: dict[UUID, ConsentAnswer]

    def open_question(self, group_id: UUID) -> ConsentQuestion | None:
        """The question about the group that nobody has answered."""
        return next(
            (q for q in self.questions if q.group_id == group_id and q.answered_at is None), None
        )


def promise_record(order_id: UUID, scope: Scope) -> PromiseRecord:
    """The promises of an order with all that followed from them. Four statements."""
    questions = list(
        ConsentQuestion.objects.for_scope(scope)
        .filter(order_id=order_id)
        .order_by("group_id", "number")
    )
    answers = ConsentAnswer.objects.for_scope(ALL_ACCOUNTS).filter(
        question_id__in=[one.pk for one in questions]
    )
    return PromiseRecord(
        list(
            Promise.objects.for_scope(scope)
            .filter(order_id=order_id)
            .select_related("group")
            .order_by("group__position", "version")
        ),
        list(PromiseTold.objects.for_scope(scope).filter(order_id=order_id).order_by("at", "pk")),
        questions,
        {answer.question_id: answer for answer in answers},
    )


def open_questions(order_id: UUID) -> list[OpenQuestion]:
    """What the buyer of an order is asked and has not answered, by group. One statement."""
    return list(
        ConsentQuestion.objects.for_scope(ALL_ACCOUNTS)
        .filter(order_id=order_id, answered_at__isnull=True)
        .order_by("asked_at", "pk")
    )


def first_and_complete(promises: Sequence[StandingPromise]) -> tuple[datetime, datetime] | None:
    """By when the first part is there, and by when all; None of what comes in one piece.

    `promises` are those that stand, one per group. A group comes in parts when several parcels are
    planned for it, or when some of it has a node and the rest waits for goods.
    """
    if not promises:
        return None
    whole = max(one.deliver_latest for one in promises)
    parts = [
        one.deliver_earliest
        if one.basis.get("parcels", 1) > 1 or {"nodes", "waits"} <= one.basis.keys()
        else one.deliver_latest
        for one in promises
    ]
    first = min(parts)
    return (first, whole) if first < whole else None
