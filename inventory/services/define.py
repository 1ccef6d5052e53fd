"""Set up what a retailer has: carriers and services, nodes, SKUs, networks, inbound.

Each command takes a batch, creates what is missing and updates what is there, by code: running
it twice changes nothing. It is what an import, an installer or the demo calls.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

import holidays
from django.db import models, transaction

from config.kernel import versions
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import ALL_ACCOUNTS, Actor
from inventory.models import (
    Carrier,
    ChannelListing,
    ChannelNode,
    Inbound,
    InboundLine,
    KitComponent,
    Node,
    NodeClosure,
    NodeCutoff,
    NodeFunction,
    NodeGrant,
    NodeHours,
    ServiceLevel,
    Sku,
)
from inventory.services.item_news import CHANGED, CREATED, tell_items
from inventory.services.items import settle
from inventory.states import NodeState, SkuKind


@dataclass(frozen=True, slots=True)
class ServiceDraft:
    """A service level. It does not carry goods that a node needs one of `refuses` to send."""

    code: str
    name: str
    kind: str
    carrier_code: str
    carrier_name: str
    refuses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeDraft:
    """A node with its working week. `hours` and `cutoffs` map weekdays (0 = Monday) to local times.

    Public holidays of `holiday_country` in `holiday_years` become closures.
    """

    code: str
    name: str
    kind: str
    line1: str
    city: str
    region: str
    postal_code: str
    country: str
    latitude: float
    longitude: float
    timezone: str
    hours: dict[int, tuple[time, time]]
    cutoffs: dict[int, time]
    functions: tuple[str, ...]
    processing_minutes: int = 120
    handling_cost_minor: int = 0
    pick_cost_minor: int = 0
    currency: str = "USD"
    priority: int = 100
    has_wms: bool = False
    holiday_country: str = "US"
    holiday_years: tuple[int, ...] = ()
    open_on_holidays: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SkuDraft:
    """A SKU; `components` are (code, quantity) of a kit and must be in the same or an earlier batch."""

    code: str
    name: str
    kind: str
    brand_id: UUID | None
    price_minor: int
    currency: str
    weight_grams: int = 0
    box_mm: tuple[int, int, int] = (0, 0, 0)
    components: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class InboundDraft:
    """Goods on their way; `lines` are (SKU code, quantity)."""

    number: str
    kind: str
    source: str
    node_code: str
    eta_at: datetime
    lines: tuple[tuple[str, int], ...]
    reliability_percent: int = 100


_NODE_FIELDS = (
    "name", "kind", "line1", "city", "region", "postal_code", "country", "latitude", "longitude",
    "timezone", "has_wms", "processing_minutes", "handling_cost_minor", "pick_cost_minor",
    "currency", "priority", "holiday_country",
)  # fmt: skip
_SKU_FIELDS = (
    "name", "kind", "brand", "price_minor", "currency", "weight_grams", "length_mm", "width_mm",
    "height_mm",
)  # fmt: skip


@transaction.atomic
def define_services(
    drafts: Sequence[ServiceDraft], *, at: datetime, actor: Actor
) -> dict[str, int]:
    """Create or update carriers and service levels; return service ids by code."""
    carriers = {
        draft.carrier_code: Carrier(code=draft.carrier_code, name=draft.carrier_name)
        for draft in drafts
    }
    carrier_ids = _upsert(Carrier, carriers.values(), ["code"], ["name"], at=at, actor=actor)
    service_ids = _upsert(
        ServiceLevel,
        [
            ServiceLevel(
                code=draft.code,
                name=draft.name,
                kind=draft.kind,
                carrier_id=carrier_ids[(draft.carrier_code,)],
                refuses=sorted(draft.refuses),
            )
            for draft in drafts
        ],
        ["code"],
        ["name", "kind", "carrier", "refuses"],
        at=at,
        actor=actor,
    )
    versions.bump("network", "rates")
    return {code: pk for (code,), pk in service_ids.items()}


@transaction.atomic
def define_nodes(
    drafts: Sequence[NodeDraft], *, account_id: UUID, at: datetime, actor: Actor
) -> dict[str, int]:
    """Create or update nodes with hours, cutoffs, closures and functions, granted to the account.

    A node that is new becomes active at once; the state of one that was there is left alone.
    """
    node_ids = {
        code: pk
        for (code,), pk in _upsert(
            Node,
            [
                Node(code=draft.code, **{name: getattr(draft, name) for name in _NODE_FIELDS})
                for draft in drafts
            ],
            ["code"],
            list(_NODE_FIELDS),
            at=at,
            actor=actor,
        ).items()
    }
    _activate_new(node_ids.values(), at=at, actor=actor)
    _upsert(
        NodeGrant,
        [NodeGrant(node_id=pk, account_id=account_id) for pk in node_ids.values()],
        ["node_id", "account_id"],
        [],
        at=at,
        actor=actor,
    )
    _define_weeks(drafts, node_ids, at=at, actor=actor)
    versions.bump("network")
    return node_ids


def _activate_new(node_ids: Iterable[int], *, at: datetime, actor: Actor) -> None:
    nodes = list(
        Node.objects.for_scope(ALL_ACCOUNTS)
        .filter(pk__in=list(node_ids), state=NodeState.ONBOARDING)
        .order_by("pk")
        .select_for_update()
    )
    for node in nodes:
        node.activate()
    Node.objects.for_scope(ALL_ACCOUNTS).bulk_update(nodes, ["state"])
    record_history(
        Node, [node.pk for node in nodes], Change.CHANGED, at=at, actor=actor, reason="activated"
    )


def _define_weeks(
    drafts: Sequence[NodeDraft], node_ids: dict[str, int], *, at: datetime, actor: Actor
) -> None:
    functions, hours, cutoffs, closures = [], [], [], []
    for draft in drafts:
        pk = node_ids[draft.code]
        functions += [NodeFunction(node_id=pk, function=name) for name in draft.functions]
        hours += [
            NodeHours(node_id=pk, weekday=day, opens=opens, closes=closes)
            for day, (opens, closes) in draft.hours.items()
        ]
        cutoffs += [
            NodeCutoff(node_id=pk, weekday=day, at_local=moment)
            for day, moment in draft.cutoffs.items()
        ]
        closures += [
            NodeClosure(node_id=pk, on=day, name=name)
            for day, name in public_holidays(draft.holiday_country, draft.holiday_years)
            if name not in draft.open_on_holidays
        ]
    _upsert(NodeFunction, functions, ["node_id", "function"], [], at=at, actor=actor)
    _upsert(NodeHours, hours, ["node_id", "weekday"], ["opens", "closes"], at=at, actor=actor)
    _upsert(
        NodeCutoff,
        cutoffs,
        ["node_id", "service_level_id", "weekday"],
        ["at_local"],
        at=at,
        actor=actor,
    )
    _upsert(NodeClosure, closures, ["node_id", "on"], ["name"], at=at, actor=actor)


def public_holidays(country: str, years: Sequence[int]) -> list[tuple[date, str]]:
    """The public holidays of a country, from the `holidays` package."""
    if not country or not years:
        return []
    return sorted(holidays.country_holidays(country, years=years).items())


@transaction.atomic
def define_skus(
    drafts: Sequence[SkuDraft], *, account_id: UUID, at: datetime, actor: Actor
) -> dict[str, int]:
    """Create or update SKUs and the components of kits; return ids by code."""
    rows = [
        Sku(
            account_id=account_id,
            code=draft.code,
            name=draft.name,
            kind=draft.kind,
            brand_id=draft.brand_id,
            price_minor=draft.price_minor,
            currency=draft.currency,
            weight_grams=draft.weight_grams,
            length_mm=draft.box_mm[0],
            width_mm=draft.box_mm[1],
            height_mm=draft.box_mm[2],
        )
        for draft in drafts
    ]
    codes = [draft.code for draft in drafts]
    before = set(
        Sku.objects.for_scope(ALL_ACCOUNTS)
        .filter(account_id=account_id, code__in=codes)
        .values_list("code", flat=True)
    )
    sku_ids = {
        code: pk
        for (_, code), pk in _upsert(
            Sku, rows, ["account_id", "code"], list(_SKU_FIELDS), at=at, actor=actor
        ).items()
    }
    tell_items(
        {
            pk: (CHANGED, _SKU_FIELDS) if code in before else (CREATED, ())
            for code, pk in sku_ids.items()
        },
        at=at,
        actor=actor,
    )
    named = {code for draft in drafts for code, _ in draft.components} - sku_ids.keys()
    known = sku_ids | dict(
        Sku.objects.for_scope(ALL_ACCOUNTS)
        .filter(account_id=account_id, code__in=named)
        .exclude(kind=SkuKind.KIT)
        .values_list("code", "pk")
    )
    _upsert(
        KitComponent,
        [
            KitComponent(kit_id=sku_ids[draft.code], component_id=known[code], quantity=quantity)
            for draft in drafts
            for code, quantity in draft.components
        ],
        ["kit_id", "component_id"],
        ["quantity"],
        at=at,
        actor=actor,
    )
    settle(sku_ids.values(), at=at)
    versions.bump("skus")
    return sku_ids


@transaction.atomic
def define_networks(
    rows: Sequence[tuple[UUID, int, bool, bool]], *, at: datetime, actor: Actor
) -> None:
    """Put nodes into channels' networks: (channel id, node id, ships, hands over pickups)."""
    _upsert(
        ChannelNode,
        [
            ChannelNode(channel_id=channel, node_id=node, ships=ships, picks_up=picks_up)
            for channel, node, ships, picks_up in rows
        ],
        ["channel_id", "node_id"],
        ["ships", "picks_up"],
        at=at,
        actor=actor,
    )
    versions.bump("network")


@transaction.atomic
def define_listings(rows: Sequence[tuple[UUID, str, int]], *, at: datetime, actor: Actor) -> None:
    """Map channels' own codes to SKUs: (channel id, external code, SKU id)."""
    _upsert(
        ChannelListing,
        [
            ChannelListing(channel_id=channel, external_sku=code, sku_id=sku)
            for channel, code, sku in rows
        ],
        ["channel_id", "external_sku"],
        ["sku"],
        at=at,
        actor=actor,
    )


@transaction.atomic
def announce_inbound(
    drafts: Sequence[InboundDraft],
    *,
    account_id: UUID,
    sku_ids: dict[str, int],
    node_ids: dict[str, int],
    at: datetime,
    actor: Actor,
) -> None:
    """Record goods on their way; a number its source has used already is left as it is."""
    known = set(
        Inbound.objects.for_scope(ALL_ACCOUNTS)
        .filter(account_id=account_id, number__in=[draft.number for draft in drafts])
        .values_list("source", "number")
    )
    fresh = [draft for draft in drafts if (draft.source, draft.number) not in known]
    documents = Inbound.objects.bulk_create(
        Inbound(
            account_id=account_id,
            number=draft.number,
            kind=draft.kind,
            source=draft.source,
            node_id=node_ids[draft.node_code],
            at=at,
        )
        for draft in fresh
    )
    InboundLine.objects.bulk_create(
        InboundLine(
            inbound=document,
            sku_id=sku_ids[code],
            expected=quantity,
            eta_at=draft.eta_at,
            reliability_percent=draft.reliability_percent,
        )
        for document, draft in zip(documents, fresh, strict=True)
        for code, quantity in draft.lines
    )
    record_history(
        Inbound,
        [document.pk for document in documents],
        Change.CREATED,
        at=at,
        actor=actor,
        reason="announced",
    )


def _upsert(
    model: type[models.Model],
    rows: Iterable[models.Model],
    key: list[str],
    update: list[str],
    *,
    at: datetime,
    actor: Actor,
) -> dict[tuple[Any, ...], int]:
    """Insert or update by natural key in one statement; return primary keys by that key."""
    wanted = list(rows)
    if not wanted:
        return {}
    columns = [name.removesuffix("_id") for name in key]
    model._default_manager.bulk_create(
        wanted,
        update_conflicts=bool(update),
        ignore_conflicts=not update,
        unique_fields=columns if update else None,
        update_fields=update or None,
    )
    by_key = {tuple(getattr(row, name) for name in key) for row in wanted}
    found = {
        tuple(row[:-1]): row[-1]
        for row in model._base_manager.filter(
            **{f"{key[-1]}__in": {parts[-1] for parts in by_key}}
        ).values_list(*key, "pk")
        if tuple(row[:-1]) in by_key
    }
    record_history(model, found.values(), Change.CHANGED, at=at, actor=actor, reason="defined")
    return found
