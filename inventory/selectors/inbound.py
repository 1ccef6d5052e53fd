"""What is on its way in, what should be here by now, and how its suppliers have been."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import F, QuerySet

from config.kernel.types import ALL_ACCOUNTS, Scope
from inventory.models import AheadCap, Inbound, InboundLine, InboundSlip, SupplyLane
from inventory.selectors.inbound_ahead import LATE, LEAST_SEEN, SUPPLIER, SURE_AT
from inventory.states import InboundState


@dataclass(frozen=True, slots=True)
class ArrivingLine:
    """Units of one line of an inbound document that have not come yet."""

    line_id: int
    node_id: int
    sku_id: int
    expected: int


@dataclass(frozen=True, slots=True)
class EtaVersion:
    """One of the times at which a line was expected: who said so, when and why."""

    eta_at: datetime
    source: str
    said_by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LineSure:
    """When a line is there for certain enough to be promised, and from what that is known.

    `known` is learnt, declared or nothing; `late_hours` is what nine of ten stay within.
    """

    line_id: int
    sure_at: datetime
    supplier: str
    late_hours: int
    known: str
    seen: int
    median_hours: int | None


def arriving(at: datetime, account_id: UUID, *, besides: str = "") -> dict[int, list[ArrivingLine]]:
    """What is expected by `at` and has not come, by inbound document; nothing of one supplier."""
    found = (
        InboundLine.objects.filter(
            inbound__account_id=account_id,
            inbound__state__in=[InboundState.EXPECTED, InboundState.ARRIVING],
            eta_at__lte=at,
            received__lt=F("expected"),
        )
        .exclude(inbound__supplier=besides or None)
        .order_by("pk")
        .values_list(
            "inbound_id", "pk", "inbound__node_id", "sku_id", F("expected") - F("received")
        )
    )
    due: defaultdict[int, list[ArrivingLine]] = defaultdict(list)
    for inbound_id, *line in found:
        due[inbound_id].append(ArrivingLine(*line))
    return dict(due)


def eta_history(line_ids: Collection[int]) -> dict[int, list[EtaVersion]]:
    """Every time at which each line was expected, the first first. Two statements."""
    slips: dict[int, list[InboundSlip]] = defaultdict(list)
    found = InboundSlip.objects.for_scope(ALL_ACCOUNTS).filter(line__in=line_ids)
    for slip in found.order_by("pk"):
        slips[slip.line_id].append(slip)
    versions: dict[int, list[EtaVersion]] = {}
    for line in InboundLine.objects.filter(pk__in=line_ids).select_related("inbound"):
        known, document = slips[line.pk], line.inbound
        first = known[0].was_eta_at if known else line.eta_at
        versions[line.pk] = [
            EtaVersion(first, document.source, "", "", document.at),
            *(EtaVersion(s.eta_at, s.source, s.actor_name, s.reason, s.at) for s in known),
        ]
    return versions


def sure_of(line_ids: Collection[int]) -> dict[int, LineSure]:
    """When each line is there for certain enough, and why. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT l.id, {SURE_AT}, {SUPPLIER}, greatest(0, coalesce(late.hours, 0)),
                CASE WHEN late.learnt THEN 'learnt' WHEN late.hours IS NULL THEN ''
                    ELSE 'declared' END,
                coalesce(lane.seen, 0), lane.median_hours
            FROM inventory_inboundline l
            JOIN inventory_inbound i ON i.id = l.inbound_id {LATE}
            LEFT JOIN inventory_supplylane lane ON lane.id = late.lane_id
            WHERE l.id = ANY(%s)
            """,  # noqa: S608  # own text
            [sorted(set(line_ids))],
        )
        return {row[0]: LineSure(*row) for row in cursor.fetchall()}


def inbounds(scope: Scope, node_ids: Collection[int] | None = None) -> QuerySet[Inbound]:
    """Documents of the scope, to some nodes or to all of them."""
    found = Inbound.objects.for_scope(scope).select_related("node")
    return found if node_ids is None else found.filter(node__in=node_ids)


def inbound_lines(inbound_ids: Collection[int]) -> dict[int, list[InboundLine]]:
    """The lines of these documents, with their SKUs and the orders that they bring units of."""
    lines: dict[int, list[InboundLine]] = defaultdict(list)
    found = InboundLine.objects.filter(inbound__in=inbound_ids).order_by("pk")
    for line in found.select_related("sku", "of_line__inbound"):
        lines[line.inbound_id].append(line)
    return dict(lines)


def notices_of(inbound_id: int) -> list[Inbound]:
    """The shipping notices that bring units of an order."""
    found = Inbound.objects.for_scope(ALL_ACCOUNTS).filter(lines__of_line__inbound=inbound_id)
    return list(found.distinct().order_by("pk"))


def lanes(scope: Scope) -> list[SupplyLane]:
    """How late suppliers are, by supplier; of each what holds for any node first."""
    found = SupplyLane.objects.for_scope(scope).select_related("node")
    return list(found.order_by("supplier", F("node__code").asc(nulls_first=True)))


def lane_counts(lane: SupplyLane) -> int | None:
    """The hours that count for a lane: learnt from enough receipts, else declared."""
    return lane.p90_hours if lane.seen >= LEAST_SEEN else lane.declared_hours


def caps(scope: Scope) -> QuerySet[AheadCap]:
    """What may be sold ahead, by channel and SKU."""
    return AheadCap.objects.for_scope(scope).select_related("channel", "sku")
