"""Quotas as they stand: what a channel may have, and what a take uses up.

Reading takes two statements, and one where no SKU asked about has a live quota. A take locks the
live quotas of its SKUs before any position, so whoever takes one of these SKUs waits here.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from inventory.consigned import SOLD_SOMEWHERE
from inventory.models import Reservation
from inventory.shares import Place, Protection, Shares, seller
from inventory.states import QuotaKind
from inventory.stock_rows import expect_rows
from inventory.types import QuotaView, Taken, Want

TOPIC = "quotas"
"""Whoever starts or ends a quota, or changes a live one, raises this version."""

_SERVED_FIRST = (QuotaKind.FIXED.value, QuotaKind.PERCENT.value, QuotaKind.PRIORITY.value)
_COLUMNS = (
    "id, sku_id, channel_id, kind, protected, percent, used, cap, spill, spill_at, overlay, "
    "sequence, starts_at, ends_at, plan_id"
)
_PLACES = f"""
    SELECT p.sku_id,
        CASE WHEN p.owner_id = p.account_id THEN known.channels ELSE (
            SELECT array_agg(c.channel_id ORDER BY c.channel_id)
            FROM inventory_ownerchannel c
            WHERE c.owner_id = p.owner_id AND c.channel_id = ANY(known.channels)) END,
        array_agg(p.id),
        sum(CASE WHEN p.shortfall = 0
            THEN greatest(0, p.sellable - p.reserved - p.buffer - p.landed) ELSE 0 END)::bigint,
        sum(p.sellable)::bigint
    FROM inventory_stockposition p
    JOIN inventory_node n ON n.id = p.node_id AND n.state = 'active'
    LEFT JOIN (
        SELECT node_id, array_agg(channel_id ORDER BY channel_id) AS channels
        FROM inventory_channelnode WHERE channel_id = ANY(%s) GROUP BY node_id
    ) AS known ON known.node_id = p.node_id
    WHERE p.sku_id = ANY(%s::bigint[]) AND {SOLD_SOMEWHERE}
    GROUP BY 1, 2
"""  # noqa: S608  # own text


@dataclass(frozen=True, slots=True)
class LiveQuota:
    """A row of `Quota` that is live, as it is or as it would be."""

    id: int
    sku_id: int
    channel_id: UUID
    kind: str
    protected: int
    percent: int | None
    used: int
    cap: int | None
    spill: bool
    spill_at: datetime | None
    overlay: bool
    sequence: int
    starts_at: datetime
    ends_at: datetime | None
    plan_id: UUID | None

    def holds(self, at: datetime) -> bool:
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)

    def protection(self, sellable: int, at: datetime) -> Protection:
        """What it keeps, of a SKU of which so many units may be sold in the channel's network."""
        spilled = self.spill and (self.spill_at is None or self.spill_at <= at)
        lasting = self.kind == QuotaKind.PRIORITY
        units = kept_of(self.kind, self.protected, self.percent, sellable)
        return Protection(
            self.id,
            self.channel_id,
            (_SERVED_FIRST.index(self.kind), not self.overlay, -self.sequence, self.id),
            0 if spilled else max(0, units if lasting else units - self.used),
            None if self.cap is None else max(0, self.cap - self.used),
            lasting,
        )


@dataclass(slots=True)
class Stock:
    """What the account has of a SKU by place, and to which place each position belongs."""

    free: dict[Place, int]
    sellable: dict[Place, int]
    places: dict[int, Place]

    def shares(self, quotas: Iterable[LiveQuota], at: datetime) -> Shares:
        return Shares(
            self.free,
            [
                quota.protection(
                    sum(
                        units for place, units in self.sellable.items() if quota.channel_id in place
                    ),
                    at,
                )
                for quota in quotas
            ],
        )


def kept_of(kind: str, protected: int, percent: int | None, sellable: int) -> int:
    """Units that a quota keeps, before what its channel has used: a share is rounded down."""
    return sellable * (percent or 0) // 100 if kind == QuotaKind.PERCENT else protected


def left(channel_id: UUID | None, sku_ids: Collection[int], at: datetime) -> dict[int, QuotaView]:
    """What quotas mean for a channel's figures (None: for what is nobody's), by SKU.

    A SKU that has no live quota of any channel is absent. Two statements at most.
    """
    views = left_of([channel_id], sku_ids, at)
    return {sku_id: view for (_, sku_id), view in views.items()}


def left_of(
    channel_ids: Collection[UUID | None], sku_ids: Collection[int], at: datetime
) -> dict[tuple[UUID | None, int], QuotaView]:
    """As `left`, for several channels at once. Two statements at most."""
    quotas = in_force(live_quotas(sku_ids), at)
    if not quotas:
        return {}
    asked = {channel_id for channel_id in channel_ids if channel_id is not None}
    stock = stock_of(quotas, asked | channels_of(quotas))
    views = {}
    for sku_id, known in quotas.items():
        if sku_id in stock:
            shares = stock[sku_id].shares(known, at)
            for channel_id in channel_ids:
                views[channel_id, sku_id] = view_of(shares, channel_id)
    return views


def view_of(shares: Shares, channel_id: UUID | None) -> QuotaView:
    return QuotaView(
        own_left=0 if channel_id is None else shares.kept.get(channel_id, 0),
        others_protected=shares.reach(channel_id) - shares.most(channel_id),
        cap_left=shares.cap_left(channel_id),
    )


def live_quotas(sku_ids: Collection[int]) -> list[LiveQuota]:
    """The live quotas of these SKUs, whether or not each is in force. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} FROM inventory_quota "  # noqa: S608  # a constant of this module
            "WHERE state = 'live' AND sku_id = ANY(%s::bigint[]) ORDER BY id",
            [sorted(set(sku_ids))],
        )
        return [LiveQuota(*row) for row in cursor.fetchall()]


def in_force(quotas: Iterable[LiveQuota], at: datetime) -> dict[int, list[LiveQuota]]:
    """Of each channel's quotas of a SKU the one that counts now: an overlay before any other."""
    best: dict[tuple[int, UUID], LiveQuota] = {}
    for quota in quotas:
        key = (quota.sku_id, quota.channel_id)
        if quota.holds(at) and (key not in best or _precedence(best[key]) < _precedence(quota)):
            best[key] = quota
    by_sku: dict[int, list[LiveQuota]] = {}
    for quota in best.values():
        by_sku.setdefault(quota.sku_id, []).append(quota)
    return by_sku


def channels_of(quotas: Mapping[int, Iterable[LiveQuota]]) -> set[UUID]:
    return {quota.channel_id for known in quotas.values() for quota in known}


def stock_of(sku_ids: Iterable[int], channel_ids: Collection[UUID]) -> dict[int, Stock]:
    """What is free and what may be sold of each SKU at active nodes, by place. One statement."""
    found: dict[int, Stock] = {}
    with connection.cursor() as cursor:
        cursor.execute(_PLACES, [list(channel_ids), sorted(sku_ids)])
        for sku_id, channels, position_ids, free, sellable in cursor.fetchall():
            stock = found.setdefault(sku_id, Stock({}, {}, {}))
            place = frozenset(channels or ())
            stock.free[place], stock.sellable[place] = free, sellable
            stock.places |= dict.fromkeys(position_ids, place)
    return found


@dataclass(frozen=True, slots=True)
class Kept:
    """The quotas in force of some SKUs, with the stock that they keep units of."""

    quotas: Mapping[int, Sequence[LiveQuota]]
    stock: Mapping[int, Stock]
    at: datetime

    def shares(self) -> dict[int, Shares]:
        """Who may have what, to be used up by whoever asked."""
        return {
            sku_id: self.stock[sku_id].shares(known, self.at)
            for sku_id, known in self.quotas.items()
            if sku_id in self.stock
        }


def kept(live: Iterable[LiveQuota], at: datetime) -> Kept:
    """What these quotas keep now. One statement, and none when no quota is in force."""
    quotas = in_force(live, at)
    return Kept(quotas, stock_of(quotas, channels_of(quotas)) if quotas else {}, at)


_with_quotas: dict[UUID, tuple[int, frozenset[int]]] = {}


def skus_with_quotas(account_id: UUID, version: int) -> frozenset[int]:
    """The account's SKUs of which any channel has a live quota; kept per process under the version."""
    known = _with_quotas.get(account_id)
    if known is None or known[0] != version:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT DISTINCT sku_id FROM inventory_quota "
                "WHERE state = 'live' AND account_id = %s",
                [account_id],
            )
            found = frozenset(row[0] for row in cursor.fetchall())
        known = _with_quotas[account_id] = (version, found)
    return known[1]


def forget() -> None:
    """Drop what this process keeps: between tests that start versions anew."""
    _with_quotas.clear()


class Allotment:
    """Units shared out in memory: what a channel may plan to have, and what others then lack."""

    def __init__(self, known: Kept) -> None:
        self._stock, self._shares = known.stock, known.shares()

    def limited(self, sku_ids: Iterable[int]) -> list[int]:
        """Of these SKUs those that a quota is about: of the others every channel may have all."""
        return [sku_id for sku_id in sku_ids if sku_id in self._shares]

    def offered(
        self, channel_id: UUID | None, sku_id: int, free: Mapping[int, int]
    ) -> Mapping[int, int]:
        """Of the free units by position those that the channel may have, the fullest first."""
        if sku_id not in self._shares:
            return free
        shares, places = self._shares[sku_id].copy(), self._stock[sku_id].places
        offered = {}
        for position_id, units in sorted(free.items(), key=lambda each: (-each[1], each[0])):
            place = places.get(position_id)
            may = [units] if place is None else [units, shares.most_at(channel_id, place)]
            if (cap_left := shares.cap_left(seller(channel_id, place))) is not None:
                may.append(cap_left)
            offered[position_id] = min(may)
            shares.take(channel_id, place, offered[position_id], offered[position_id])
        return offered

    def take(
        self, channel_id: UUID | None, sku_id: int, position_id: int, free: int, units: int
    ) -> None:
        """The channel has units of the position, so many of them from what was free."""
        shares = self._shares.get(sku_id)
        if shares is not None:
            place = self._stock[sku_id].places.get(position_id)
            shares.take(channel_id, place, free, units)


class QuotaBook(Allotment):
    """The live quotas that a take has locked: what each want may have, and what it has used."""

    def __init__(self, wants: Sequence[Want], locked: Collection[int], *, at: datetime) -> None:
        """Two statements. A quota that is not among the locked ones keeps its SKU from everybody."""
        live = live_quotas({want.sku_id for want in wants})
        self._unknown = {quota.sku_id for quota in live if quota.id not in set(locked)}
        super().__init__(kept(live, at))

    def allows(self, want: Want, free: int) -> bool:
        """Whether the want may have its units, so many of which come from what is free."""
        if want.sku_id in self._unknown:
            return False
        shares = self._shares.get(want.sku_id)
        if shares is None:
            return True
        place = self._stock[want.sku_id].places.get(want.position_id)
        cap_left = shares.cap_left(seller(want.channel_id, place))
        if cap_left is not None and cap_left < want.quantity:
            return False
        return place is None or free <= shares.most_at(want.channel_id, place)

    def count(self, want: Want, free: int) -> None:
        """The want has its units."""
        self.take(want.channel_id, want.sku_id, want.position_id, free, want.quantity)

    def write(self, taken: Sequence[Taken]) -> None:
        """Count what was taken in the quotas of its channels. Two statements at most."""
        uses = [
            (one.reservation_id, quota_id, one.want.quantity)
            for one in taken
            if (quota_id := self._quota_of(one.want)) is not None
        ]
        if not uses:
            return
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO inventory_quotause (reservation_id, quota_id) "
                "SELECT * FROM unnest(%s::uuid[], %s::bigint[])",
                [[use[0] for use in uses], [use[1] for use in uses]],
            )
        used: Counter[int] = Counter()
        for _, quota_id, units in uses:
            used[quota_id] += units
        count_used(used)

    def _quota_of(self, want: Want) -> int | None:
        shares = self._shares.get(want.sku_id)
        if shares is None:
            return None
        place = self._stock[want.sku_id].places.get(want.position_id)
        channel_id = seller(want.channel_id, place)
        return None if channel_id not in shares.of else shares.of[channel_id].quota_id


@dataclass(frozen=True, slots=True)
class CountedIn:
    """The quota that counts a reservation; `keeps` what was consumed counts on."""

    quota_id: int
    keeps: bool

    def used(self, row: Reservation) -> int:
        """Units of the reservation that the quota counts as used."""
        return row.quantity - row.released if self.keeps else row.open


def lock_counting(counted: Mapping[UUID, int]) -> dict[UUID, CountedIn]:
    """Lock the quotas that count these reservations, by ascending id; one that has ended is let be."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, kind FROM inventory_quota WHERE id = ANY(%s) AND state = 'live' "
            "ORDER BY id FOR UPDATE",
            [sorted(set(counted.values()))],
        )
        kinds = dict(cursor.fetchall())
    return {
        reservation_id: CountedIn(quota_id, kinds[quota_id] == QuotaKind.FIXED)
        for reservation_id, quota_id in counted.items()
        if quota_id in kinds
    }


def count_used(used: Mapping[int, int]) -> None:
    """Raise (+) or lower (−) what quotas have used, which the transaction has locked."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH written AS (
                UPDATE inventory_quota q SET used = q.used + counted.units
                FROM unnest(%s::bigint[], %s::bigint[]) AS counted (id, units)
                WHERE q.id = counted.id
                RETURNING 1
            )
            SELECT count(*) FROM written
            """,
            [list(used), list(used.values())],
        )
        [(written,)] = cursor.fetchall()
    expect_rows(written, len(used))


def _precedence(quota: LiveQuota) -> tuple[bool, int, int]:
    return quota.overlay, quota.sequence, quota.id
