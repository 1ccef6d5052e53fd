"""What a change of rules or quotas would do to every channel's figures, before it is saved.

Nothing is written and nothing locked: the same statements and the same shares work out what is and
what would be. Figures are of what lies there to be sold now: of the SKUs that are meant, and of
the kits that hold some of them, by the scarcest component of each node. Goods of other owners count
where the channel sells them.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from heapq import nsmallest
from typing import Final
from uuid import UUID

from config.kernel.models import Channel
from config.kernel.types import ALL_ACCOUNTS
from inventory.buffers import (
    PlaceFigure,
    RuleBook,
    book_of,
    demand_for,
    draft_of,
    figures_by,
    rule_book,
    thresholds_by,
)
from inventory.models import (
    BufferRule,
    ChannelNode,
    ChannelTerm,
    KitComponent,
    Node,
    OwnerChannel,
    Quota,
    Sku,
)
from inventory.quotas import LiveQuota, Stock, in_force, live_quotas
from inventory.reckoning import makes, of_kit
from inventory.selectors.availability import Parts, parts_of
from inventory.selectors.rules import held_each, meant_by
from inventory.shares import Place
from inventory.states import NodeState
from inventory.types import ChannelPreview, FigureChange, Preview, QuotaDraft, RuleDraft

WORST: Final = 20
"""Drops that a preview names per channel."""

Figures = Mapping[tuple[UUID, int], int]
"""By (channel, SKU)."""

Heaps = dict[Place, dict[int, int]]
"""What one node has free of each SKU, by the channels that may have it."""


@dataclass(frozen=True, slots=True)
class _Reach:
    """What is free of each component at each node, and which of these each channel may have."""

    free: Sequence[Mapping[int, int]]
    of_channel: Mapping[UUID, Sequence[int]]


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of the comparison: what is free by SKU and place, what is kept, and thresholds."""

    stock: Mapping[int, Stock]
    quotas: Mapping[int, Sequence[LiveQuota]]
    thresholds: Figures
    reach: _Reach


@dataclass(slots=True)
class _Supply:
    """What is free now and would be, by SKU and place and by node and component.

    `positions` is how many would get another buffer.
    """

    before: dict[int, Stock]
    after: dict[int, Stock]
    nodes_before: list[Heaps]
    nodes_after: list[Heaps]
    positions: int = 0


@dataclass(slots=True)
class _Change:
    """What becomes of one channel's figures."""

    moved: list[tuple[int, int, int]] = field(default_factory=list)
    before: int = 0
    after: int = 0

    def add(self, sku_id: int, before: int, after: int) -> None:
        self.before += before
        self.after += after
        if before != after:
            self.moved.append((sku_id, before, after))


def preview_rules(
    account_id: UUID,
    changes: Sequence[RuleDraft] = (),
    removed: Collection[UUID] = (),
    *,
    at: datetime,
) -> Preview:
    """What it does when these rules are in force, in place of those with the same id or removed.

    About fifteen statements, whatever the number of SKUs.
    """
    now = rule_book(account_id, at)
    replaced = {draft.id for draft in changes if draft.id} | set(removed)
    known = BufferRule.objects.for_scope(ALL_ACCOUNTS).filter(
        pk__in=replaced, account_id=account_id
    )
    stay = [rule for rule in now.rules if rule.id not in replaced]
    later = book_of(account_id, [*stay, *changes])
    skus = meant_by(
        account_id,
        [draft.selection for draft in (*changes, *(draft_of(row) for row in known))],
    )
    channels = _channels(account_id)
    kits = _kits_of(skus)
    supply = _supply(later, skus, kits, channels, at)
    quotas = in_force(live_quotas(skus | _components(kits)), at)
    had = _thresholds(account_id, skus | kits.keys())
    kits_had = {key: units for key, units in had.items() if key[1] in kits}
    sides = (
        _Side(supply.before, quotas, had, _within_reach(supply.nodes_before, channels)),
        _Side(
            supply.after,
            quotas,
            thresholds_by(later, skus) | kits_had,
            _within_reach(supply.nodes_after, channels),
        ),
    )
    return _compared(sides, skus, kits, channels, supply, at)


def preview_quotas(
    account_id: UUID,
    changes: Sequence[QuotaDraft] = (),
    removed: Collection[UUID] = (),
    *,
    at: datetime,
) -> Preview:
    """What it does when these quotas are in force, in place of those with the same id or removed.

    About eleven statements, whatever the number of SKUs. Plans that have not begun are looked at
    as if they had.
    """
    replaced = {draft.id for draft in changes if draft.id} | set(removed)
    wanted = held_each(account_id, [draft.selection for draft in changes])
    skus = set(_skus_of(replaced)).union(*wanted)
    kits = _kits_of(skus)
    live = live_quotas(skus | _components(kits))
    used = {(row.plan_id, row.sku_id): row.used for row in live}
    planned = [
        _as_live(-1 - place, sku_id, each, draft, used.get((draft.id, sku_id), 0), at)
        for place, draft in enumerate(changes)
        for sku_id, each in wanted[place].items()
    ]
    stay = [row for row in live if row.plan_id not in replaced]
    channels = _channels(account_id)
    supply = _supply(rule_book(account_id, at), skus, kits, channels, at)
    had = _thresholds(account_id, skus | kits.keys())
    before = _Side(
        supply.before, in_force(live, at), had, _within_reach(supply.nodes_before, channels)
    )
    sides = (before, replace(before, quotas=in_force([*stay, *planned], at)))
    return _compared(sides, skus, kits, channels, replace(supply, positions=0), at)


def _channels(account_id: UUID) -> dict[UUID, str]:
    found = Channel.objects.for_scope(ALL_ACCOUNTS).filter(account_id=account_id, active=True)
    return dict(found.order_by("code").values_list("pk", "code"))


def _kits_of(skus: Collection[int]) -> Parts:
    """The kits on sale that hold some of these SKUs, with all that they hold. Two statements."""
    holding = KitComponent.objects.filter(component_id__in=skus, kit__active=True)
    return parts_of(set(holding.values_list("kit_id", flat=True)))


def _components(kits: Parts) -> set[int]:
    return {part_id for parts in kits.values() for part_id, _ in parts}


def _thresholds(account_id: UUID, skus: Collection[int]) -> dict[tuple[UUID, int], int]:
    found = ChannelTerm.objects.for_scope(ALL_ACCOUNTS).filter(
        account_id=account_id, sku_id__in=skus
    )
    return {(row.channel_id, row.sku_id): row.threshold for row in found}


def _supply(
    book: RuleBook, skus: set[int], kits: Parts, channels: Collection[UUID], at: datetime
) -> _Supply:
    """What is free of the SKUs, and of what the kits hold, now and by the rules."""
    places: dict[int, set[UUID]] = {
        node_id: set()
        for node_id in Node.objects.for_scope(ALL_ACCOUNTS)
        .filter(state=NodeState.ACTIVE, grants__account_id=book.account_id)
        .values_list("pk", flat=True)
    }
    for channel_id, node_id in ChannelNode.objects.filter(channel_id__in=channels).values_list(
        "channel_id", "node_id"
    ):
        if node_id in places:
            places[node_id].add(channel_id)
    demand, parts, sells = demand_for(book, at), _components(kits), _sells(book.account_id)
    kinds: dict[Place, int] = {}
    by_node = {
        node_id: kinds.setdefault(frozenset(uses), len(kinds)) for node_id, uses in places.items()
    }
    named, nodes = list(kinds), [frozenset(uses) for uses in places.values()]
    supply = _Supply(
        defaultdict(lambda: Stock({}, {}, {})),
        defaultdict(lambda: Stock({}, {}, {})),
        [{} for _ in nodes],
        [{} for _ in nodes],
    )
    for row in figures_by(book, demand, skus | parts, by_node):
        if (place := _reached(row, named, sells)) is None:
            continue
        before, after = supply.before[row.sku_id], supply.after[row.sku_id]
        for units, now in (
            (before.free, row.before),
            (after.free, row.after),
            (before.sellable, row.sellable),
            (after.sellable, row.sellable),
        ):
            units[place] = units.get(place, 0) + now
        supply.positions += row.positions if row.sku_id in skus else 0
    numbers = {node_id: number for number, node_id in enumerate(places)}
    for row in figures_by(book, demand, parts, numbers) if parts else ():
        if (place := _reached(row, nodes, sells)) is None:
            continue
        for heaps, now in ((supply.nodes_before, row.before), (supply.nodes_after, row.after)):
            heap = heaps[row.kind].setdefault(place, {})
            heap[row.sku_id] = heap.get(row.sku_id, 0) + now
    return supply


def _sells(account_id: UUID) -> dict[UUID, set[UUID]]:
    """The channels that sell the goods of each other owner. One statement."""
    sells: dict[UUID, set[UUID]] = defaultdict(set)
    for owner_id, channel_id in OwnerChannel.objects.filter(
        owner__account_id=account_id
    ).values_list("owner_id", "channel_id"):
        sells[owner_id].add(channel_id)
    return sells


def _reached(
    row: PlaceFigure, places: Sequence[Place], sells: Mapping[UUID, set[UUID]]
) -> Place | None:
    """The channels that may have these units; None where nobody sells their owner's goods."""
    if row.owner_id is None:
        return places[row.kind]
    return places[row.kind] & sells[row.owner_id] if row.owner_id in sells else None


def _compared(
    sides: tuple[_Side, _Side],
    skus: Collection[int],
    kits: Parts,
    channels: Mapping[UUID, str],
    supply: _Supply,
    at: datetime,
) -> Preview:
    changes = {channel_id: _Change() for channel_id in channels}
    for sku_id in skus:
        before, after = (_figures(side, sku_id, channels, at) for side in sides)
        for channel_id, change in changes.items():
            change.add(sku_id, before[channel_id], after[channel_id])
    for kit_id, parts in kits.items():
        before, after = (_kit_figures(side, kit_id, parts, channels, at) for side in sides)
        for channel_id, change in changes.items():
            change.add(kit_id, before[channel_id], after[channel_id])
    worst = {
        channel_id: nsmallest(
            WORST, change.moved, key=lambda moved: (moved[2] - moved[1], moved[0])
        )
        for channel_id, change in changes.items()
    }
    codes = _codes({sku_id for moved in worst.values() for sku_id, _, _ in moved})
    return Preview(
        skus=len(skus),
        kits=len(kits),
        positions=supply.positions,
        channels=tuple(
            _channel(channel_id, change, worst[channel_id], codes)
            for channel_id, change in changes.items()
        ),
    )


def _figures(side: _Side, sku_id: int, channels: Iterable[UUID], at: datetime) -> dict[UUID, int]:
    """What each channel may sell of the SKU: its share of what is free, within its limits."""
    stock = side.stock.get(sku_id)
    if stock is None:
        return dict.fromkeys(channels, 0)
    shares = stock.shares(side.quotas.get(sku_id, ()), at)
    figures = {}
    for channel_id in channels:
        units = shares.most(channel_id) if shares.of else shares.reach(channel_id)
        cap_left = shares.cap_left(channel_id)
        if cap_left is not None:
            units = min(units, cap_left)
        figures[channel_id] = max(0, units - side.thresholds.get((channel_id, sku_id), 0))
    return figures


def _kit_figures(
    side: _Side,
    kit_id: int,
    parts: Sequence[tuple[int, int]],
    channels: Iterable[UUID],
    at: datetime,
) -> dict[UUID, int]:
    """What each channel may sell of the kit: what its nodes make up, less what is kept of its parts."""
    made = [makes(free, parts) for free in side.reach.free]
    kept = {
        part_id: side.stock[part_id].shares(side.quotas[part_id], at)
        for part_id, _ in parts
        if part_id in side.stock and part_id in side.quotas
    }
    figures = {}
    for channel_id in channels:
        units = sum(made[number] for number in side.reach.of_channel[channel_id])
        lost = [
            (kept[part_id].reach(channel_id) - kept[part_id].most(channel_id), quantity)
            for part_id, quantity in parts
            if part_id in kept
        ]
        units -= of_kit(side.thresholds.get((channel_id, kit_id), 0), lost)
        figures[channel_id] = max(0, units)
    return figures


def _within_reach(nodes: Iterable[Heaps], channels: Collection[UUID]) -> _Reach:
    """What channels may have of each node: ours, and others' that they sell."""
    parts: list[Mapping[int, int]] = []
    of_channel: dict[UUID, list[int]] = {channel_id: [] for channel_id in channels}
    for heaps in nodes:
        known: dict[frozenset[Place], int] = {}
        for channel_id in channels:
            reached = frozenset(place for place in heaps if channel_id in place)
            if reached and reached not in known:
                known[reached] = len(parts)
                parts.append(sum((Counter(heaps[place]) for place in reached), Counter()))
            if reached:
                of_channel[channel_id].append(known[reached])
    return _Reach(parts, of_channel)


def _channel(
    channel_id: UUID,
    change: _Change,
    worst: Sequence[tuple[int, int, int]],
    codes: Mapping[int, str],
) -> ChannelPreview:
    return ChannelPreview(
        channel_id=channel_id,
        changed=len(change.moved),
        raised=sum(after > before for _, before, after in change.moved),
        lowered=sum(after < before for _, before, after in change.moved),
        to_zero=sum(after == 0 for _, before, after in change.moved if before),
        units_before=change.before,
        units_after=change.after,
        biggest_drops=tuple(
            FigureChange(sku_id, codes.get(sku_id, ""), before, after)
            for sku_id, before, after in worst
            if after < before
        ),
    )


def _as_live(
    place: int, sku_id: int, each: int, draft: QuotaDraft, used: int, at: datetime
) -> LiveQuota:
    return LiveQuota(
        id=place,
        sku_id=sku_id,
        channel_id=draft.channel_id,
        kind=draft.kind,
        protected=(draft.units or 0) * each,
        percent=draft.percent,
        used=used,
        cap=draft.cap,
        spill=draft.spill,
        spill_at=draft.spill_at,
        overlay=draft.overlay,
        sequence=draft.sequence,
        starts_at=min(at, draft.starts_at),
        ends_at=draft.ends_at,
        plan_id=draft.id,
    )


def _skus_of(plan_ids: Collection[UUID]) -> list[int]:
    """SKUs that these plans have live quotas of."""
    rows = Quota.objects.for_scope(ALL_ACCOUNTS).filter(plan_id__in=plan_ids, state="live")
    return list(rows.values_list("sku_id", flat=True))


def _codes(sku_ids: Collection[int]) -> dict[int, str]:
    found = Sku.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=sku_ids)
    return dict(found.values_list("pk", "code"))
