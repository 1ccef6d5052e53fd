"""Reconciliations as they are written down: what was compared, and each line that differs."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from psycopg.types.json import Jsonb

from config.kernel import case_reports
from inventory.models import Feed
from inventory.states import DifferenceState
from inventory.types import Evidence, SubjectTag, subject_id

NOTABLE_UNITS = 5
NOTABLE_SHARE_PERCENT = 20


@dataclass(slots=True)
class Gap:
    """A line at which the feed's figure and the book differ; `target − present = units`.

    `target` is the feed's figure with what moved since. `first` says that nothing was known of the
    line before. `row` is its place in what was sent.
    """

    row: int
    position_id: int
    sku_id: int
    condition: str
    lot: str
    present: int
    target: int
    first: bool
    state: str = DifferenceState.HEALED.value
    cause: str = ""
    evidence: Evidence = Evidence()  # noqa: RUF009  # frozen
    movement_id: UUID | None = None

    @property
    def units(self) -> int:
        return self.target - self.present

    @property
    def place(self) -> tuple[int, str, str]:
        return self.position_id, self.condition, self.lot


def is_notable(gap: Gap) -> bool:
    """Whether a person should look: many units, and a good share; a first figure is no difference."""
    units = abs(gap.units)
    size = max(gap.present, gap.target)
    return not gap.first and units >= NOTABLE_UNITS and units * 100 >= size * NOTABLE_SHARE_PERCENT


@dataclass(frozen=True, slots=True)
class Worth:
    """What a unit of a SKU sells for, in minor units, and whether more care is due with it."""

    price_minor: int = 0
    sensitive: bool = False


def worth_of(gaps: Collection[Gap], feed: Feed) -> dict[int, Worth]:
    """By SKU, where the feed's limits ask for it: one statement, else none."""
    if not gaps or (feed.heal_value_minor is None and feed.heal_sensitive):
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id, coalesce(price_minor, 0),
                lot_tracked OR serial_tracked OR hazmat OR regulation <> ''
            FROM inventory_sku WHERE id = ANY(%s)
            """,
            [sorted({gap.sku_id for gap in gaps})],
        )
        return {pk: Worth(price, sensitive) for pk, price, sensitive in cursor.fetchall()}


def has_limits(feed: Feed) -> bool:
    """Whether not every difference follows the feed by itself."""
    limits = (feed.heal_units, feed.heal_percent, feed.heal_value_minor)
    return not feed.heal_sensitive or any(limit is not None for limit in limits)


def is_healed(gap: Gap, feed: Feed, worth: Worth) -> bool:
    """Whether the book follows the feed by itself: within its limits, or where it has none."""
    units, size = abs(gap.units), max(gap.present, gap.target)
    if worth.sensitive and not feed.heal_sensitive:
        return False
    if feed.heal_value_minor is not None and units * worth.price_minor > feed.heal_value_minor:
        return False
    if feed.heal_units is not None and units > feed.heal_units:
        return False
    return feed.heal_percent is None or units * 100 <= size * feed.heal_percent


def add_differences(run_id: UUID, account_id: UUID, gaps: Sequence[Gap], *, at: datetime) -> None:
    """Keep lines that differ; what is settled already carries the time. One statement."""
    if not gaps:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO inventory_difference (account_id, run_id, position_id, sku_id, condition,
                lot, ours, theirs, units, cause, evidence, state, movement_id, decided_at,
                decided_by, note, event_seq)
            SELECT %s, %s, gap.position_id, gap.sku_id, gap.condition, gap.lot, gap.ours,
                gap.theirs, gap.theirs - gap.ours, gap.cause, gap.evidence, gap.state,
                gap.movement_id, CASE WHEN gap.state <> 'open' THEN %s::timestamptz END, '', '', 0
            FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::bigint[],
                %s::bigint[], %s::text[], %s::jsonb[], %s::text[], %s::uuid[]) AS gap (
                position_id, sku_id, condition, lot, ours, theirs, cause, evidence, state,
                movement_id)
            """,
            [
                account_id,
                run_id,
                at,
                [gap.position_id for gap in gaps],
                [gap.sku_id for gap in gaps],
                [gap.condition for gap in gaps],
                [gap.lot for gap in gaps],
                [gap.present for gap in gaps],
                [gap.target for gap in gaps],
                [gap.cause for gap in gaps],
                [Jsonb(dict(gap.evidence.shown())) for gap in gaps],
                [gap.state for gap in gaps],
                [gap.movement_id for gap in gaps],
            ],
        )


def supersede(places: Sequence[tuple[int, str, str]], *, at: datetime) -> None:
    """A later figure of these lines has come: what was open of them is settled."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE inventory_difference known SET state = 'superseded', decided_at = %s
            FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS told (position_id, condition, lot)
            WHERE known.state = 'open' AND known.position_id = told.position_id
              AND known.condition = told.condition AND known.lot = told.lot
            """,
            [at, *(list(column) for column in zip(*places, strict=True))],
        )


def discrepancies(gaps: Sequence[Gap], node_id: int, account_id: UUID) -> list[case_reports.Report]:
    """One report per healed line that a person should look at all the same."""
    return [
        case_reports.Report(
            "STOCK_DISCREPANCY",
            "position",
            subject_id(SubjectTag.POSITION, gap.position_id),
            account_id,
            {"node_id": node_id, "sku_id": gap.sku_id, "missing": abs(gap.units)}
            | {"kind": "snapshot"},
            cause=f"node:{node_id}",
        )
        for gap in gaps
        if is_notable(gap)
    ]
