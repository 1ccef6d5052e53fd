"""Where each promise stands: the part that is furthest behind, and when its slack runs out."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

import inventory.selectors
from config.kernel.services import leases
from config.kernel.types import ALL_ACCOUNTS
from fulfillment.models import FulfillmentOrder, Parcel, PromiseSlack
from fulfillment.services.stage_times import KnownPaces, known_paces, road_days
from fulfillment.slack import Dangers, Paces, dangers, targets
from fulfillment.states import ON_THE_WAY, OPEN_FULFILLMENT, FulfillmentState, Stage
from orders.selectors.promised import PromisedGroup, promised_groups, promised_of

SHARDS: Final = 8
"""Ranges of orders, each with a lease of its own."""
PAGE: Final = 500
_COLUMNS: Final = (
    "group_id", "account_id", "order_id", "fulfillment_order_id", "node_id", "carrier_code",
    "stage", "since", "target_at", "promised_at", "low_at", "medium_at", "high_at", "certain_at",
)  # fmt: skip
_TYPES: Final = (
    "uuid", "uuid", "uuid", "uuid", "bigint", "text", "text", *["timestamptz"] * 7
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """Units of a group that have come equally far: at no node, at one, or with a carrier."""

    stage: Stage
    since: datetime
    promised: datetime
    node_id: int | None = None
    fulfillment_order_id: UUID | None = None
    carrier: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """A part with its target and its dangers."""

    part: Part
    target: datetime
    dangers: Dangers


def assess_due(*, at: datetime) -> int:
    """Assess every range of orders that nobody has in this minute. Answers how many rows changed."""
    minute = at.astimezone(UTC).replace(second=0, microsecond=0)
    changed = 0
    for shard in range(SHARDS):
        with leases.once_per(f"promise-slack:{shard}", minute) as lease:
            if lease is not None:
                changed += assess_range(shard, lease, at=at)
    return changed


def assess_range(shard: int, lease: leases.HeldLease | None = None, *, at: datetime) -> int:
    """Assess the open promises of a range, a page at a time, and forget those that are over."""
    known, after, changed = known_paces(), None, 0
    seen: list[UUID] = []
    while True:
        page = promised_groups(after=after, shard=shard, shards=SHARDS, limit=PAGE)
        changed += assess(page, known, at=at)
        seen += [group.group_id for group in page]
        if len(page) < PAGE:
            break
        after = (page[-1].order_id, page[-1].group_id)
        if lease is not None:
            lease.renew()
    return changed + _forget(shard, seen)


def assess_groups(group_ids: Collection[UUID], *, at: datetime) -> int:
    """Assess these groups at once: something was done about them."""
    found = promised_of(group_ids)
    over = set(group_ids) - set(found)
    PromiseSlack.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=over).delete()
    return assess(list(found.values()), known_paces(), at=at)


@transaction.atomic
def assess(groups: Sequence[PromisedGroup], known: KnownPaces, *, at: datetime) -> int:
    """Write where these groups stand, as far as it changed. Four statements, however many."""
    if not groups:
        return 0
    rows = []
    for group in groups_with_parts(groups):
        standing = worst(group, parts_of(group), known)
        if standing is not None:
            rows.append(_row(group.promised, standing))
    return _write(rows, at=at)


@dataclass(frozen=True, slots=True)
class GroupAtWork:
    """A promised group with its work at nodes, its parcels on the way, and where the rest is to go."""

    promised: PromisedGroup
    work: Sequence[Any]
    parcels: Sequence[Any]
    node_id: int | None


def groups_with_parts(groups: Sequence[PromisedGroup]) -> list[GroupAtWork]:
    """The groups with what became of their units. Three statements."""
    ids = [group.group_id for group in groups]
    work: dict[UUID, list[Any]] = defaultdict(list)
    for row in FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS).filter(
        group_id__in=ids, state__in=OPEN_FULFILLMENT
    ):
        work[row.group_id].append(row)
    parcels: dict[UUID, list[Any]] = defaultdict(list)
    for box in (
        Parcel.objects.for_scope(ALL_ACCOUNTS)
        .filter(fulfillment_order__group_id__in=ids, state__in=ON_THE_WAY)
        .select_related("fulfillment_order")
    ):
        parcels[box.fulfillment_order.group_id].append(box)
    claims = inventory.selectors.claims_of([line for group in groups for line in group.line_ids])
    found = []
    for group in groups:
        nodes = [
            claim.node_id
            for line_id in group.line_ids
            for claim in claims.get(line_id, ())
            if claim.node_id is not None
        ]
        found.append(
            GroupAtWork(
                group,
                work.get(group.group_id, ()),
                parcels.get(group.group_id, ()),
                min(nodes, default=None),
            )
        )
    return found


def parts_of(group: GroupAtWork) -> list[Part]:
    """The parts of a group that its promise still waits for."""
    told = group.promised
    found = []
    if told.waiting + told.reserved:
        found.append(Part(Stage.RELEASE, told.accepted_at, told.ship_by, group.node_id))
    found += [
        Part(stage, since, told.ship_by, row.node_id, row.pk)
        for row in group.work
        if (begun := stage_of(row)) is not None
        for stage, since in [begun]
    ]
    found += [
        Part(
            Stage.DELIVER,
            box.handed_over_at,
            told.deliver_by,
            box.fulfillment_order.node_id,
            box.fulfillment_order_id,
            box.carrier_code,
        )
        for box in group.parcels
        if told.deliver_by is not None and box.handed_over_at is not None
    ]
    return found


def stage_of(work: FulfillmentOrder) -> tuple[Stage, datetime] | None:
    """The stage that a node's work is at, and since when; None where it waits for its buyer."""
    released, taken_on = work.released_at, work.acknowledged_at or work.released_at
    if work.state == FulfillmentState.RELEASED:
        return Stage.ACKNOWLEDGE, released
    if work.state in {FulfillmentState.ACKNOWLEDGED, FulfillmentState.PICKING}:
        if work.picked_at is not None:
            return Stage.PACK, work.picked_at
        return Stage.PICK, taken_on
    if work.state == FulfillmentState.PACKED:
        return Stage.HAND_OVER, work.packed_at or taken_on
    return None


def standings(group: GroupAtWork, parts: Iterable[Part], known: KnownPaces) -> list[Standing]:
    """Each part with its target and its dangers, the least slack first."""
    told = group.promised
    found = []
    for part in parts:
        paces = paces_for(told, part, known)
        planned = targets(told.placed_at, told.ship_by, told.deliver_by, paces)
        found.append(
            Standing(
                part, planned[part.stage], dangers(part.stage, part.since, part.promised, paces)
            )
        )
    return sorted(found, key=lambda one: (one.dangers.high_at, one.dangers.certain_at))


def paces_for(told: PromisedGroup, part: Part, known: KnownPaces) -> Paces:
    """The paces of a part; the carrier's as of the road that was promised."""
    paces = dict(known.of(told.account_id, part.node_id, part.carrier))
    if told.deliver_by is not None:
        days = road_days(told.ship_by, told.deliver_by)
        paces[Stage.DELIVER] = paces[Stage.DELIVER].times(days)
    return paces


def worst(group: GroupAtWork, parts: Sequence[Part], known: KnownPaces) -> Standing | None:
    """The part with the least slack; None where the promise waits for none."""
    return next(iter(standings(group, parts, known)), None)


def _row(told: PromisedGroup, standing: Standing) -> tuple[Any, ...]:
    part, danger = standing.part, standing.dangers
    return (
        told.group_id,
        told.account_id,
        told.order_id,
        part.fulfillment_order_id,
        part.node_id,
        part.carrier,
        part.stage.value,
        part.since,
        standing.target,
        part.promised,
        danger.low_at,
        danger.medium_at,
        danger.high_at,
        danger.certain_at,
    )


def _write(rows: Sequence[tuple[Any, ...]], *, at: datetime) -> int:
    """Insert and update what differs. What was reported of a danger that is over is forgotten."""
    if not rows:
        return 0
    arrays = ", ".join(f"%s::{kind}[]" for kind in _TYPES)
    names = ", ".join(_COLUMNS)
    settings = ", ".join(f"{name} = EXCLUDED.{name}" for name in _COLUMNS[1:])
    was = ", ".join(f"kept.{name}" for name in _COLUMNS[1:])
    now = ", ".join(f"EXCLUDED.{name}" for name in _COLUMNS[1:])
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO fulfillment_promiseslack AS kept ({names}, reported, written_at)
            SELECT told.*, '', %s FROM unnest({arrays}) AS told ORDER BY 1
            ON CONFLICT (group_id) DO UPDATE SET {settings}, written_at = EXCLUDED.written_at,
                reported = CASE WHEN EXCLUDED.low_at > EXCLUDED.written_at THEN ''
                    ELSE kept.reported END
            WHERE ({was}) IS DISTINCT FROM ({now})
            """,  # noqa: S608  # our own names
            [at, *(list(column) for column in zip(*rows, strict=True))],
        )
        return int(cursor.rowcount)


def _forget(shard: int, seen: Sequence[UUID]) -> int:
    """Remove the rows of a range whose promises are over."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM fulfillment_promiseslack "
            "WHERE get_byte(uuid_send(order_id), 15) %% %s = %s AND NOT group_id = ANY(%s)",
            [SHARDS, shard, list(seen)],
        )
        return int(cursor.rowcount)


def standing_of(group_ids: Collection[UUID]) -> Mapping[UUID, list[Standing]]:
    """Every part of these groups as it stands, the least slack first. Five statements."""
    found = promised_of(group_ids)
    known = known_paces()
    return {
        group.promised.group_id: standings(group, parts_of(group), known)
        for group in groups_with_parts(list(found.values()))
    }
