"""Which SKUs are bound by lot when they are reserved, and how long what is bound must last.

SKUs are bound that a channel wants some days left of, and those whose law wants the lot on paper.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from psycopg.types.json import Jsonb

from config.kernel.types import ALL_ACCOUNTS
from inventory.models import ChannelLife
from inventory.selections import MEANT, as_rows, selection_of
from inventory.states import Regulation

TOPIC = "lots"
"""Whoever changes a remaining life, or which SKUs are bound, raises this version."""

BOUND_BY_LAW = frozenset({Regulation.MEDICINE.value})
"""SKUs of these regulations ship only with their lot and date on record."""

_bound: dict[UUID, tuple[int, Mapping[tuple[UUID | None, int], int]]] = {}


def days_of(account_id: UUID, version: int) -> Mapping[tuple[UUID | None, int], int]:
    """(channel, SKU) → days that must be left; of no channel: bound by law, whoever sells them.

    Kept per process under the version.
    """
    known = _bound.get(account_id)
    if known is None or known[0] != version:
        known = _bound[account_id] = (version, _read(account_id))
    return known[1]


def forget() -> None:
    """Drop what this process keeps: between tests that start versions anew."""
    _bound.clear()


def least_expiry(
    days: Mapping[tuple[UUID | None, int], int],
    channel_id: UUID | None,
    sku_id: int,
    at: datetime,
) -> date | None:
    """The day before which a lot must not expire to be bound; None where none is bound."""
    found = [days[key] for key in ((channel_id, sku_id), (None, sku_id)) if key in days]
    return at.date() + timedelta(days=max(found)) if found else None


@dataclass(frozen=True, slots=True)
class Lives:
    """What binds lots of some SKUs, and the lots on sale of them that are bound to nobody."""

    days: Mapping[tuple[UUID | None, int], int]
    lots: Mapping[int, Sequence[tuple[date, int]]]
    at: datetime

    def least(self, channel_id: UUID, sku_id: int) -> date | None:
        return least_expiry(self.days, channel_id, sku_id, self.at)


class Lasting:
    """Lots shared out in memory, while demands are planned one after another."""

    def __init__(self, known: Lives) -> None:
        self._known = known
        self._left: dict[int, dict[date, int]] = {}
        for key, lots in known.lots.items():
            left = self._left[key] = {}
            for day, units in lots:
                left[day] = left.get(day, 0) + units

    def offered(self, channel_id: UUID, sku_id: int, position_id: int, units: int) -> int:
        """Of so many free units of a position those that the channel's demands may be bound to."""
        least = self._known.least(channel_id, sku_id)
        if least is None:
            return units
        return min(
            units, sum(n for day, n in self._left.get(position_id, {}).items() if day >= least)
        )

    def take(self, channel_id: UUID, sku_id: int, position_id: int, units: int) -> None:
        """Units were planned for the channel: of the lots that expire first of those that last."""
        least = self._known.least(channel_id, sku_id)
        if least is None:
            return
        lots, left = self._left.get(position_id, {}), units
        for day in sorted(lots):
            if left and day >= least:
                part = min(left, lots[day])
                lots[day] -= part
                left -= part


def lives_of(
    account_ids: Collection[UUID],
    sku_ids: Collection[int],
    position_ids: Collection[int],
    version: int,
    at: datetime,
) -> Lives | None:
    """What binds lots of these SKUs; None, without a statement while known, where nothing does."""
    days: dict[tuple[UUID | None, int], int] = {}
    for account_id in account_ids:
        days |= days_of(account_id, version)
    bound = {sku_id for _, sku_id in days}.intersection(sku_ids)
    return Lives(days, bindable(bound, position_ids), at) if bound else None


def bindable(
    sku_ids: Collection[int], position_ids: Collection[int]
) -> dict[int, list[tuple[date, int]]]:
    """(expiry, units bound to nobody) of the lots on sale at each position. One statement."""
    found: dict[int, list[tuple[date, int]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT level.position_id, level.expires_on, level.on_hand - level.allocated
            FROM inventory_stockposition position
            JOIN inventory_stocklevel level ON level.position_id = position.id
                AND level.condition = 'available' AND level.lot <> ''
                AND level.on_hand > level.allocated AND level.expires_on IS NOT NULL
            WHERE position.id = ANY(%s) AND position.sku_id = ANY(%s)
            """,
            [sorted(position_ids), sorted(sku_ids)],
        )
        for position_id, expires_on, units in cursor.fetchall():
            found.setdefault(position_id, []).append((expires_on, units))
    return found


def _read(account_id: UUID) -> dict[tuple[UUID | None, int], int]:
    """Three statements at most."""
    days: dict[tuple[UUID | None, int], int] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM inventory_sku WHERE account_id = %s AND regulation = ANY(%s)",
            [account_id, sorted(BOUND_BY_LAW)],
        )
        for (sku_id,) in cursor.fetchall():
            days[None, sku_id] = 1
    rows = list(ChannelLife.objects.for_scope(ALL_ACCOUNTS).filter(account_id=account_id))
    for place, sku_id in _meant(account_id, rows):
        row = rows[place]
        key = (row.channel_id, sku_id)
        days[key] = max(days.get(key, 0), row.days)
    return days


def _meant(account_id: UUID, rows: Sequence[ChannelLife]) -> list[tuple[int, int]]:
    if not rows:
        return []
    asked: dict[str, Any] = {
        "account": account_id,
        "selections": Jsonb(as_rows([selection_of(row) for row in rows])),
        "skus": None,
    }
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {MEANT} SELECT place, sku_id FROM meant", asked)  # noqa: S608  # ours
        return list(cursor.fetchall())
