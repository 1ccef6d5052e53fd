"""Lots bound to reservations: chosen by the take, gone with the units, wanted again when lost.

A reservation names no lot, and FEFO binds at pick; but where a channel's buyers must be left some
days, or the law asks for the lot, the take binds levels. `StockLevel.allocated` is the sum of its
allocations; whoever changes either holds the position.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import connection

from inventory.types import Taken, Want


@dataclass(slots=True)
class _Free:
    """A level of which so many units are bound to nobody."""

    id: int
    expires_on: date
    units: int


class LotBook:
    """The lots of the positions that a take has locked: what each want may be bound to."""

    @classmethod
    def of(cls, wants: Sequence[Want]) -> "LotBook | None":
        """The lots that these wants need; None, without a statement, where none asks for any."""
        return cls(wants) if any(want.min_expiry is not None for want in wants) else None

    def __init__(self, wants: Sequence[Want]) -> None:
        """Lock the levels of positions of which lots are to be bound. One statement."""
        bound = sorted({want.position_id for want in wants if want.min_expiry is not None})
        self._free: dict[int, list[_Free]] = defaultdict(list)
        self._chosen: dict[int, list[tuple[_Free, int]]] = {}
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT position_id, id, expires_on, on_hand - allocated
                FROM inventory_stocklevel
                WHERE position_id = ANY(%s) AND condition = 'available' AND lot <> ''
                  AND on_hand > allocated AND expires_on IS NOT NULL
                ORDER BY id FOR UPDATE
                """,
                [bound],
            )
            for position_id, *row in cursor.fetchall():
                self._free[position_id].append(_Free(*row))
        for levels in self._free.values():
            levels.sort(key=lambda level: (level.expires_on, level.id))

    def allows(self, want: Want, free: int) -> bool:
        """Whether lots that last long enough have the want's units."""
        del free
        return want.min_expiry is None or sum(level.units for level in self._lasting(want)) >= (
            want.quantity
        )

    def count(self, want: Want, free: int) -> None:
        """The want has its units: the lots that expire first of those that last long enough."""
        del free
        if want.min_expiry is None:
            return
        chosen = []
        left = want.quantity
        for level in self._lasting(want):
            if part := min(left, level.units):
                level.units -= part
                left -= part
                chosen.append((level, part))
        self._chosen[id(want)] = chosen

    def write(self, taken: Sequence[Taken]) -> None:
        """Bind what was chosen for the wants that were served. One statement."""
        rows = [
            (one.want.account_id, one.reservation_id, level.id, units, one.want.min_expiry)
            for one in taken
            for level, units in self._chosen.get(id(one.want), ())
        ]
        if rows:
            insert_allocations(rows)

    def _lasting(self, want: Want) -> list[_Free]:
        wanted = want.min_expiry or date.min
        return [
            level
            for level in self._free.get(want.position_id, ())
            if level.units and level.expires_on >= wanted
        ]


def insert_allocations(rows: Sequence[tuple[UUID, UUID, int, int, date | None]]) -> None:
    """Bind (account, reservation, level, units, least expiry). Raises RuntimeError past on hand."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH chosen AS (
                SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::bigint[], %s::bigint[], %s::date[])
                    AS chosen (account_id, reservation_id, level_id, units, min_expiry)
            ), bound AS (
                INSERT INTO inventory_allocation AS known
                    (account_id, reservation_id, level_id, units, min_expiry)
                SELECT * FROM chosen
                ON CONFLICT (reservation_id, level_id)
                    DO UPDATE SET units = known.units + excluded.units
            ), raised AS (
                UPDATE inventory_stocklevel level SET allocated = level.allocated + more.units
                FROM (SELECT level_id, sum(units) AS units FROM chosen GROUP BY 1) AS more
                WHERE level.id = more.level_id
                RETURNING 1
            )
            SELECT count(*) FROM raised
            """,
            [list(column) for column in zip(*rows, strict=True)],
        )
        cursor.fetchall()


@dataclass(slots=True)
class Bound:
    """Units of a reservation bound to a level (None: the lot was lost), as they stand now."""

    id: int
    level_id: int | None
    units: int
    had: int


class Bindings:
    """The allocations of reservations whose positions and levels this transaction has locked."""

    def __init__(self, reservation_ids: Collection[UUID] = ()) -> None:
        """One statement, and none for no reservations."""
        self._of: dict[UUID, list[Bound]] = defaultdict(list)
        if not reservation_ids:
            return
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT reservation_id, id, level_id, units FROM inventory_allocation "
                "WHERE reservation_id = ANY(%s) ORDER BY level_id NULLS FIRST, id DESC",
                [list(reservation_ids)],
            )
            for reservation_id, key, level_id, units in cursor.fetchall():
                self._of[reservation_id].append(Bound(key, level_id, units, units))

    def of(self, reservation_id: UUID) -> Mapping[int, int]:
        """Units bound per level."""
        return {
            row.level_id: row.units
            for row in self._of.get(reservation_id, ())
            if row.level_id is not None and row.units
        }

    def use(self, reservation_id: UUID, level_id: int | None, units: int) -> None:
        """Units of a level left for the reservation: so many are bound no more."""
        for row in self._of.get(reservation_id, ()):
            if row.level_id == level_id:
                row.units -= min(row.units, units)

    def shrink(self, reservation_id: UUID, open_units: int) -> None:
        """No more is bound than the reservation still wants; units whose lot was lost go first."""
        rows = self._of.get(reservation_id, [])
        excess = sum(row.units for row in rows) - open_units
        for row in rows:
            part = min(row.units, max(0, excess))
            row.units -= part
            excess -= part

    def write(self) -> dict[int, int]:
        """Put down what changed; answers the units set free per level. One statement at most."""
        changed = [row for rows in self._of.values() for row in rows if row.units != row.had]
        if not changed:
            return {}
        freed: dict[int, int] = defaultdict(int)
        for row in changed:
            if row.level_id is not None:
                freed[row.level_id] += row.had - row.units
        with connection.cursor() as cursor:
            cursor.execute(
                """
                WITH now AS (
                    SELECT * FROM unnest(%s::bigint[], %s::bigint[]) AS now (id, units)
                ), closed AS (
                    DELETE FROM inventory_allocation a USING now
                    WHERE a.id = now.id AND now.units = 0
                ), lowered AS (
                    UPDATE inventory_allocation a SET units = now.units FROM now
                    WHERE a.id = now.id AND now.units > 0
                )
                UPDATE inventory_stocklevel level SET allocated = level.allocated - freed.units
                FROM unnest(%s::bigint[], %s::bigint[]) AS freed (id, units)
                WHERE level.id = freed.id
                """,
                [
                    [row.id for row in changed],
                    [row.units for row in changed],
                    list(freed),
                    list(freed.values()),
                ],
            )
        for row in changed:
            row.had = row.units
        return freed
