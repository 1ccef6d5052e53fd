"""What the ledger heeds of lots: which may go on sale, until when, and what is bound to them.

Called by the Book under its locks, right before and after it writes. Nothing here costs a statement
for units that leave, or of SKUs that have neither lots nor dates, beyond one that asks whether
they have any.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import connection

from config.kernel import case_reports
from inventory.states import Condition, LotState
from inventory.stock_rows import Level, Position
from inventory.types import SubjectTag, subject_id

OVER = "((level.expires_on - sku.min_remaining_life_days)::timestamp AT TIME ZONE node.timezone)"
"""When a level's units stop being sold: midnight at its node, so many days before they expire."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Units of a level that may not go on sale, and why; `case` names the kind to report."""

    level: Level
    units: int
    words: str
    case: str
    lot_id: int | None

    @property
    def cause(self) -> tuple[str, UUID | None]:
        """What the movement names as its cause."""
        if self.lot_id is None:
            return "sku", subject_id(SubjectTag.SKU, self.level.position.key.sku_id)
        return "lot", subject_id(SubjectTag.LOT, self.lot_id)


@dataclass(frozen=True, slots=True)
class _Tracked:
    lots: bool
    expires: bool


@dataclass(frozen=True, slots=True)
class _Lot:
    id: int
    state: str
    reason: str
    expires_on: date | None


def keep(levels: Collection[Level], *, at: datetime) -> list[Verdict]:
    """Make the lots that are seen for the first time; answer what may not be sold as it lies now.

    `levels` are those that the book has raised. One statement for SKUs without lots and dates.
    A lot is locked FOR SHARE: whoever recalls it waits until this transaction is through.
    """
    raised = [level for level in levels if level.on_hand > level.had_on_hand]
    if not raised:
        return []
    named = [level for level in raised if level.lot]
    lots = _lots(named, at=at) if named else {}
    on_sale = [level for level in raised if level.condition == Condition.AVAILABLE]
    tracked = _tracked({level.position.key.sku_id for level in on_sale})
    verdicts = []
    for level in raised:
        lot = lots.get((level.position.key.sku_id, level.lot))
        if lot is not None:
            level.expires_on = _date(level, lot)
        if level.condition == Condition.AVAILABLE:
            known = tracked.get(level.position.key.sku_id)
            verdict = _verdict(level, known, lot)
            if verdict is not None:
                verdicts.append(verdict)
    return verdicts


def _date(level: Level, lot: _Lot) -> date | None:
    """When the units expire: their lot knows, where this level was not written before."""
    return level.expires_on if level.id is not None else lot.expires_on or level.expires_on


def _verdict(level: Level, known: _Tracked | None, lot: _Lot | None) -> Verdict | None:
    units = level.on_hand - level.had_on_hand
    if lot is not None and lot.state != LotState.ACTIVE:
        words = f"Lot {level.lot} is {lot.state}" + (f": {lot.reason}" if lot.reason else "")
        return Verdict(level, units, words, "LOT_NOT_FOR_SALE", lot.id)
    if known is None:
        return None
    if known.lots and not level.lot:
        return Verdict(level, units, "No lot was named.", "LOT_MISSING", None)
    if known.expires and level.expires_on is None:
        words = "No date of expiry is known."
        return Verdict(level, units, words, "LOT_MISSING", lot.id if lot else None)
    return None


def dated_skus(sku_ids: Collection[int]) -> set[int]:
    """Of these SKUs those that are kept by lot or by date. One statement."""
    return set(_tracked(sku_ids))


def _tracked(sku_ids: Collection[int]) -> dict[int, _Tracked]:
    """Of these SKUs those that are kept by lot or by date."""
    if not sku_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, lot_tracked, expires FROM inventory_sku "
            "WHERE id = ANY(%s) AND (lot_tracked OR expires)",
            [sorted(sku_ids)],
        )
        return {row[0]: _Tracked(*row[1:]) for row in cursor.fetchall()}


def _lots(levels: Sequence[Level], *, at: datetime) -> dict[tuple[int, str], _Lot]:
    """The lots of these levels, made where they are new. Two statements."""
    wanted: dict[tuple[int, str], Level] = {}
    for level in levels:
        key = (level.position.key.sku_id, level.lot)
        if key not in wanted or wanted[key].expires_on is None:
            wanted[key] = level
    keys = sorted(wanted)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH seen AS (
                SELECT * FROM unnest(%(accounts)s::uuid[], %(skus)s::bigint[], %(codes)s::text[],
                    %(dates)s::date[]) WITH ORDINALITY
                    AS seen (account_id, sku_id, code, expires_on, place)
            ), made AS (
                INSERT INTO inventory_lot (account_id, sku_id, code, expires_on, state,
                    state_reason, first_seen_at, unsettled, event_seq)
                SELECT account_id, sku_id, code, expires_on, 'active', '', %(at)s, false, 0 FROM seen
                WHERE NOT EXISTS (SELECT FROM inventory_lot known
                    WHERE (known.sku_id, known.code) = (seen.sku_id, seen.code))
                ORDER BY place
                ON CONFLICT (sku_id, code) DO NOTHING RETURNING id
            ), dated AS (
                UPDATE inventory_lot lot SET expires_on = seen.expires_on FROM seen
                WHERE (lot.sku_id, lot.code) = (seen.sku_id, seen.code)
                  AND lot.expires_on IS NULL AND seen.expires_on IS NOT NULL
            )
            SELECT count(*) FROM made
            """,
            {
                "accounts": [wanted[key].position.key.account_id for key in keys],
                "skus": [key[0] for key in keys],
                "codes": [key[1] for key in keys],
                "dates": [wanted[key].expires_on for key in keys],
                "at": at,
            },
        )
        cursor.execute(
            """
            SELECT lot.sku_id, lot.code, lot.id, lot.state, lot.state_reason, lot.expires_on
            FROM unnest(%s::bigint[], %s::text[]) AS seen (sku_id, code)
            JOIN inventory_lot lot ON (lot.sku_id, lot.code) = (seen.sku_id, seen.code)
            ORDER BY lot.id FOR SHARE OF lot
            """,
            [[key[0] for key in keys], [key[1] for key in keys]],
        )
        return {(row[0], row[1]): _Lot(*row[2:]) for row in cursor.fetchall()}


def date_positions(levels: Collection[Level]) -> None:
    """Say of the positions of these levels, as they are written, when a lot stops being sold."""
    dated = {
        level.position.id
        for level in levels
        if level.expires_on is not None and level.condition == Condition.AVAILABLE
    }
    if dated:
        refresh_dates(dated)


def refresh_dates(position_ids: Collection[int]) -> None:
    """Work out `fresh_until` of these positions, which the transaction has locked."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE inventory_stockposition position SET fresh_until = now.until
            FROM (
                SELECT position.id, min({OVER}) AS until
                FROM inventory_stockposition position
                JOIN inventory_sku sku ON sku.id = position.sku_id
                JOIN inventory_node node ON node.id = position.node_id
                LEFT JOIN inventory_stocklevel level ON level.position_id = position.id
                    AND level.condition = 'available' AND level.on_hand > 0
                    AND level.expires_on IS NOT NULL
                WHERE position.id = ANY(%s) GROUP BY 1
            ) AS now
            WHERE position.id = now.id AND position.fresh_until IS DISTINCT FROM now.until
            """,  # noqa: S608  # a constant of this module
            [sorted(position_ids)],
        )


def unbind(levels: Sequence[Level]) -> None:
    """Levels that hold fewer units than are bound to them: the youngest bindings want another lot.

    The levels are about to be written; the lost units stay known, without a level. One statement.
    """
    short = [level for level in levels if level.id is not None and level.on_hand < level.allocated]
    if not short:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH bound AS (
                SELECT a.*, sum(a.units) OVER (PARTITION BY a.level_id ORDER BY a.id) AS upto,
                    now.on_hand
                FROM unnest(%s::bigint[], %s::bigint[]) AS now (level_id, on_hand)
                JOIN inventory_allocation a ON a.level_id = now.level_id
            ), lost AS (
                SELECT *, least(units, upto - on_hand) AS gone FROM bound WHERE upto > on_hand
            ), closed AS (
                DELETE FROM inventory_allocation a USING lost
                WHERE a.id = lost.id AND lost.gone = lost.units
            ), lowered AS (
                UPDATE inventory_allocation a SET units = a.units - lost.gone FROM lost
                WHERE a.id = lost.id AND lost.gone < lost.units
            )
            INSERT INTO inventory_allocation AS known
                (account_id, reservation_id, level_id, units, min_expiry)
            SELECT account_id, reservation_id, NULL, sum(gone), max(min_expiry)
            FROM lost GROUP BY 1, 2
            ON CONFLICT (reservation_id, level_id) DO UPDATE SET units = known.units + excluded.units
            """,
            [[level.id for level in short], [level.on_hand for level in short]],
        )
    for level in short:
        level.allocated = level.on_hand


def reports(verdicts: Sequence[Verdict]) -> list[case_reports.Report]:
    """One case per position and reason for units that came and may not be sold."""
    found: dict[tuple[int, str], tuple[Position, Verdict, int]] = {}
    for verdict in verdicts:
        position = verdict.level.position
        key = (position.id, verdict.case)
        before = found[key][2] if key in found else 0
        found[key] = (position, verdict, before + verdict.units)
    return [
        case_reports.Report(
            code,
            "position",
            position.subject,
            position.key.account_id,
            {"node_id": position.key.node_id, "sku_id": position.key.sku_id}
            | {"lot": verdict.level.lot, "units": units, "why": verdict.words},
            cause=f"lot:{verdict.level.lot}"
            if verdict.level.lot
            else f"node:{position.key.node_id}",
        )
        for (_, code), (position, verdict, units) in found.items()
    ]
