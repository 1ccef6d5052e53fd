"""The frame of every command on a node's work: open it under its locks, change it, write it.

Locks are taken in the one global order: orders, fulfillment orders, parcels, then whatever
inventory locks. What a node reports names a fulfillment order or a parcel; the order is found
first, without a lock, and never changes.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

import orders.services
from config.kernel import events
from config.kernel.errors import Conflict
from config.kernel.fsm import allowed_transitions
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome, Scope
from fulfillment import progress, tracking
from fulfillment.models import FulfillmentLine, FulfillmentOrder, Parcel
from fulfillment.models.work import QUANTITIES
from fulfillment.states import FulfillmentState, ParcelState
from fulfillment.types import LineCounts, Worked

PICKUP = "pickup"


@dataclass(slots=True)
class Work:
    """Locked fulfillment orders with their lines and parcels, changed in memory."""

    orders: dict[UUID, FulfillmentOrder]
    lines: dict[UUID, FulfillmentLine]
    parcels: dict[UUID, Parcel] = field(default_factory=dict)
    touched: set[UUID] = field(default_factory=set)
    rewritten: set[UUID] = field(default_factory=set)
    facts: dict[UUID, dict[str, dict[str, Any]]] = field(default_factory=dict)
    journeys: dict[UUID, bool] = field(default_factory=dict)
    expiring: set[UUID] = field(default_factory=set)

    def lines_of(self, order_id: UUID) -> list[FulfillmentLine]:
        return [line for line in self.lines.values() if line.fulfillment_order_id == order_id]

    def shift(self, line: FulfillmentLine, source: str, target: str, quantity: int) -> None:
        """Move units of a line between two quantities. Raises Conflict when there are too few."""
        if getattr(line, source) < quantity:
            raise Conflict(f"Only {getattr(line, source)} units are {source}.")
        setattr(line, source, getattr(line, source) - quantity)
        setattr(line, target, getattr(line, target) + quantity)
        self.touched.add(line.pk)

    def draw(
        self, line: FulfillmentLine, sources: Sequence[str], target: str, quantity: int
    ) -> int:
        """Move up to `quantity` units, from the first source that has any; return how many."""
        left = quantity
        for source in sources:
            step = min(left, getattr(line, source))
            if step:
                self.shift(line, source, target, step)
                left -= step
        return quantity - left

    def tell(
        self, order_id: UUID, topic: str, *, lines: Mapping[UUID, int] | None = None
    ) -> dict[str, Any]:
        """Have an event recorded about the fulfillment order: one per topic, quantities summed.

        Answers what it says so far, for more to be added.
        """
        said = self.facts.setdefault(order_id, {}).setdefault(topic, {"lines": {}})
        for line_id, quantity in (lines or {}).items():
            order_line = str(self.lines[line_id].order_line_id)
            said["lines"][order_line] = said["lines"].get(order_line, 0) + quantity
        return said

    def outcomes(self, verdicts: Iterable[Outcome[UUID]]) -> list[Outcome[Worked]]:
        """Say of each item where its fulfillment order stands now."""
        return [
            Outcome(
                verdict.kind,
                self._worked(verdict.value) if verdict.value else None,
                verdict.problem,
            )
            for verdict in verdicts
        ]

    def _worked(self, order_id: UUID) -> Worked:
        order = self.orders[order_id]
        return Worked(order_id, order.number, order.state)


def open_orders(order_ids: Collection[UUID], *, scope: Scope, whole: bool = False) -> Work:
    """Lock these fulfillment orders, their orders first. What the scope may not reach is left out.

    `whole` locks every fulfillment order of their orders: for what may reach beyond the named ones.
    """
    found = dict(
        FulfillmentOrder.objects.for_scope(scope)
        .filter(pk__in=list(order_ids))
        .values_list("pk", "order_id")
    )
    return _opened(found, whole=whole) if found else Work({}, {})


def open_lines(line_ids: Collection[UUID], *, scope: Scope, whole: bool = False) -> Work:
    """Lock the fulfillment orders of these lines; with `whole` as `open_orders` does."""
    found = dict(
        FulfillmentLine.objects.for_scope(scope)
        .filter(pk__in=list(line_ids))
        .values_list("fulfillment_order_id", "fulfillment_order__order_id")
    )
    return _opened(found, whole=whole) if found else Work({}, {})


def open_parcels(parcel_ids: Collection[UUID], *, scope: Scope) -> Work:
    """Lock these parcels, behind their fulfillment orders and orders."""
    found = {
        parcel_id: (order_id, thread_id)
        for parcel_id, order_id, thread_id in Parcel.objects.for_scope(scope)
        .filter(pk__in=list(parcel_ids))
        .values_list("pk", "fulfillment_order_id", "fulfillment_order__order_id")
    }
    if not found:
        return Work({}, {})
    work = _opened(dict(found.values()))
    work.parcels = {parcel.pk: parcel for parcel in Parcel.objects.for_scope(scope).locked(found)}
    return work


def _opened(threads: Mapping[UUID, UUID], *, whole: bool = False) -> Work:
    order_ids = sorted(set(threads.values()))
    orders.services.lock_orders(order_ids)
    every = FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS)
    wanted = every.filter(order_id__in=order_ids).values_list("pk", flat=True) if whole else threads
    locked = {order.pk: order for order in every.locked(list(wanted))}
    lines = (
        FulfillmentLine.objects.for_scope(ALL_ACCOUNTS)
        .filter(fulfillment_order_id__in=list(locked))
        .order_by("fulfillment_order_id", "position")
    )
    return Work(locked, {line.pk: line for line in lines})


def counts_of(line: FulfillmentLine) -> LineCounts:
    return LineCounts(
        requested=line.requested, **{name: getattr(line, name) for name in QUANTITIES}
    )


def not_found(what: str = "fulfillment order") -> Outcome[Any]:
    return Outcome.refused("not-found", f"There is no such {what}.")


def not_now(record: FulfillmentOrder | Parcel, detail: str) -> Outcome[Any]:
    """The refusal of what the record's state does not lead to, with what it does lead to."""
    return Outcome.refused(
        "illegal-transition", detail, state=record.state, allowed=allowed_transitions(record)
    )


def write(work: Work, *, at: datetime, actor: Actor, reason: str) -> None:
    """Write the touched lines, fold their orders' states, and record history and events.

    Four statements, five where the last open unit has gone, however many were touched.
    """
    _write_lines([work.lines[line_id] for line_id in sorted(work.touched)])
    changed = sorted(
        {work.lines[line_id].fulfillment_order_id for line_id in work.touched}
        | set(work.facts)
        | set(work.journeys)
        | work.rewritten
    )
    if not changed:
        return
    was = {order_id: work.orders[order_id].state for order_id in changed}
    _look_for_ends(work, changed)
    for order_id in changed:
        _advance(work, order_id, at=at)
    _write_orders([work.orders[order_id] for order_id in changed], was)
    record_history(FulfillmentOrder, changed, Change.CHANGED, at=at, actor=actor, reason=reason)
    events.record(
        [
            fact
            for order_id in sorted(work.facts)
            for fact in _facts(work.orders[order_id], work.facts[order_id])
        ],
        at=at,
        actor=actor,
    )


def _look_for_ends(work: Work, order_ids: Collection[UUID]) -> None:
    """Parcels may have ended their way while the rest was open: who loses that rest is completed."""
    ending = []
    for order_id in order_ids:
        units = progress.total(counts_of(line) for line in work.lines_of(order_id))
        is_open = units.waiting + units.accepted + units.picked + units.packed
        if units.shipped and not is_open and order_id not in work.journeys:
            ending.append(order_id)
    if not ending:
        return
    going = set(
        Parcel.objects.for_scope(ALL_ACCOUNTS)
        .filter(fulfillment_order_id__in=ending)
        .exclude(state__in=[*tracking.ENDED, ParcelState.VOIDED])
        .values_list("fulfillment_order_id", flat=True)
    )
    work.journeys |= {order_id: order_id not in going for order_id in ending}


def _advance(work: Work, order_id: UUID, *, at: datetime) -> None:
    order = work.orders[order_id]
    now = FulfillmentState(order.state)
    units = progress.total(counts_of(line) for line in work.lines_of(order_id))
    if units.waiting or units.accepted:
        order.picked_at = None
    elif units.picked or units.packed or units.shipped or units.collected:
        order.picked_at = order.picked_at or at
    target = progress.fold(
        units,
        now,
        pickup=order.method == PICKUP,
        journeys_over=work.journeys.get(order_id, now is FulfillmentState.COMPLETED),
    )
    order.event_seq += len(work.facts.get(order_id, ()))
    if order_id in work.expiring:
        order.expire(at=at)
    else:
        move(order, target, at=at)


def move(order: FulfillmentOrder, target: FulfillmentState, *, at: datetime) -> None:
    """Take the order to the folded state by its transitions. Raises IllegalTransition."""
    now = FulfillmentState(order.state)
    if target is now:
        return
    if target is FulfillmentState.COMPLETED and now is not FulfillmentState.SHIPPED:
        order.ship(at=at)
    if target is FulfillmentState.SHIPPED and now is FulfillmentState.COMPLETED:
        order.resume(at=at)
    elif target is FulfillmentState.PACKED and now is FulfillmentState.SHIPPED:
        order.take_back(at=at)
    elif target is FulfillmentState.PICKING and now in _CLOSED_BOXES:
        order.open_again(at=at)
    else:
        getattr(order, _TRANSITIONS[target])(at=at)


_CLOSED_BOXES = (FulfillmentState.PACKED, FulfillmentState.READY_FOR_PICKUP)

_TRANSITIONS = {
    FulfillmentState.ACKNOWLEDGED: "acknowledge",
    FulfillmentState.PICKING: "start_picking",
    FulfillmentState.PACKED: "finish_packing",
    FulfillmentState.SHIPPED: "ship",
    FulfillmentState.COMPLETED: "complete",
    FulfillmentState.READY_FOR_PICKUP: "await_collection",
    FulfillmentState.COLLECTED: "collect",
    FulfillmentState.CANCELLED: "cancel",
}


def _write_lines(lines: Sequence[FulfillmentLine]) -> None:
    if not lines:
        return
    names = ", ".join(QUANTITIES)
    values = ", ".join("%s::int[]" for _ in QUANTITIES)
    settings = ", ".join(f"{name} = told.{name}" for name in QUANTITIES)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE fulfillment_fulfillmentline AS line SET {settings} "  # noqa: S608  # our own names
            f"FROM unnest(%s::uuid[], {values}) AS told(id, {names}) WHERE line.id = told.id",
            [
                [line.pk for line in lines],
                *([getattr(line, name) for line in lines] for name in QUANTITIES),
            ],
        )
        expect(cursor.rowcount, len(lines))


def _write_orders(changed: Sequence[FulfillmentOrder], was: Mapping[UUID, str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE fulfillment_fulfillmentorder AS work
            SET state = told.state, event_seq = told.event_seq, external_id = told.external_id,
                collected_by = told.collected_by, acknowledged_at = told.acknowledged_at,
                picked_at = told.picked_at, packed_at = told.packed_at,
                shipped_at = told.shipped_at,
                ready_at = told.ready_at, collect_by = told.collect_by, ended_at = told.ended_at,
                ship_by = told.ship_by, expected_at = told.expected_at,
                contact_id = told.contact_id, service_level_id = told.service_level_id
            FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::bigint[], %s::text[], %s::text[],
                %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[],
                %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[],
                %s::timestamptz[], %s::uuid[], %s::bigint[])
                AS told(id, was, state, event_seq, external_id, collected_by, acknowledged_at,
                    picked_at, packed_at, shipped_at, ready_at, collect_by, ended_at, ship_by, expected_at,
                    contact_id, service_level_id)
            WHERE work.id = told.id AND work.state = told.was
            """,
            [
                [order.pk for order in changed],
                [was[order.pk] for order in changed],
                *(
                    [getattr(order, name) for order in changed]
                    for name in (
                        "state",
                        "event_seq",
                        "external_id",
                        "collected_by",
                        "acknowledged_at",
                        "picked_at",
                        "packed_at",
                        "shipped_at",
                        "ready_at",
                        "collect_by",
                        "ended_at",
                        "ship_by",
                        "expected_at",
                        "contact_id",
                        "service_level_id",
                    )
                ),
            ],
        )
        expect(cursor.rowcount, len(changed))


def expect(written: int, wanted: int) -> None:
    """Refuse to go on when a guarded UPDATE met other rows than those that were locked."""
    if written != wanted:
        raise Conflict(f"{wanted - written} of {wanted} rows were changed by someone else.")


def _facts(order: FulfillmentOrder, told: Mapping[str, dict[str, Any]]) -> list[events.Fact]:
    """The order's events in the order in which they were told; the last has its `event_seq`."""
    before = order.event_seq - len(told)
    return [
        events.Fact(
            topic,
            "fulfillment_order",
            order.pk,
            seq,
            order.account_id,
            {
                "number": order.number,
                "state": order.state,
                "node_id": order.node_id,
                "group_id": str(order.group_id),
                **data,
            },
            order.order_id,
        )
        for seq, (topic, data) in enumerate(told.items(), start=before + 1)
    ]
