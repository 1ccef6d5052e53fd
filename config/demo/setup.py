"""Sets the retailer up through the commands that an installer would use. Twice changes nothing."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import inventory.selectors
import inventory.services
import routing.services
from config.demo import promised, retailer, supply
from config.demo.catalog import GIFT, SkuPlan, catalog
from config.demo.made import ACTOR, Retailer
from config.demo.shoppers import BLACK_FRIDAY, OPENING, place_of
from config.kernel import selectors
from config.kernel.services import access, accounts
from config.kernel.services.accounts import ChannelDraft, StaffDraft
from inventory.services import define
from inventory.types import StockChange
from routing.services import RateCardDraft, ZoneDraft

PASSWORD = "demo"  # noqa: S105  # a demo's, printed on the screen
_CHUNK = 1000

STAFF = (
    ("olivia", "Olivia Ops", "ops_manager", None),
    ("carl", "Carl Service", "cs_agent", None),
    ("nora", "Nora Node", "node_operator", "RNO"),
    ("audrey", "Audrey Audit", "auditor", None),
    ("ivan", "Ivan Integrator", "integrator", None),
)

_OPEN_ON = {"store": ("Veterans Day", "Columbus Day", "Juneteenth National Independence Day")}
_PRIORITY = {"dc": 10, "threepl": 20, "store": 30, "supplier": 40}


def set_up() -> Retailer:
    """Make the retailer, its network, its goods and its staff, as of the opening of the demo."""
    at = OPENING
    access.sync_roles(at=at, actor=ACTOR)
    account_id = accounts.define_account(
        retailer.ACCOUNT_CODE,
        retailer.ACCOUNT_NAME,
        currency="USD",
        timezone="America/New_York",
        at=at,
        actor=ACTOR,
    )
    accounts.keep_setting(retailer.ACCOUNT_CODE, "demo_begun", value=True)
    brand_ids = accounts.define_brands(
        [(brand.code, brand.name) for brand in retailer.BRANDS],
        account_id=account_id,
        at=at,
        actor=ACTOR,
    )
    channel_ids = accounts.define_channels(
        [
            ChannelDraft(
                code=plan.code,
                name=plan.name,
                kind=plan.kind,
                brand_code=plan.brand,
                currency="USD",
                timezone="America/New_York",
                remorse_minutes=plan.remorse_minutes,
                backorders=plan.backorders,
            )
            for plan in retailer.CHANNELS
        ],
        account_id=account_id,
        brand_ids=brand_ids,
        at=at,
        actor=ACTOR,
    )
    _set_up_services(at)
    node_ids = define.define_nodes(
        [node_draft(plan) for plan in retailer.NODES], account_id=account_id, at=at, actor=ACTOR
    )
    _set_up_networks(channel_ids, node_ids, at)
    sku_ids = define.define_skus(
        [_sku(plan, brand_ids) for plan in catalog()], account_id=account_id, at=at, actor=ACTOR
    )
    routing.services.seed_policies(account_id, at=at, actor=ACTOR)
    made = Retailer(account_id, brand_ids, channel_ids, node_ids, sku_ids)
    _stock_up(made, at)
    supply.set_up(made, at)
    promised.set_up(made, at)
    accounts.define_staff(
        [
            StaffDraft(name, full, PASSWORD, role, node_ids[node] if node else None)
            for name, full, role, node in STAFF
        ],
        account_id=account_id,
        at=at,
        actor=ACTOR,
    )
    return made


def _set_up_services(at: datetime) -> None:
    service_ids = define.define_services(
        [
            define.ServiceDraft(
                code=plan.code,
                name=plan.name,
                kind="express" if plan.code == "two_day" else "standard",
                carrier_code=plan.carrier.lower(),
                carrier_name=retailer.CARRIERS[plan.carrier],
                refuses=("hazmat",) if plan.code == "two_day" else (),
            )
            for plan in retailer.SERVICES
        ],
        at=at,
        actor=ACTOR,
    )
    routing.services.define_rate_cards(
        [
            RateCardDraft(
                code=plan.code,
                name=plan.name,
                service_level_id=service_ids[plan.code],
                holiday_country="US",
                zones=tuple(
                    ZoneDraft(
                        zone.max_km,
                        zone.base_minor,
                        zone.per_kg_minor,
                        zone.days_p50,
                        zone.days_p90,
                    )
                    for zone in plan.zones
                ),
            )
            for plan in retailer.SERVICES
        ],
        at=at,
        actor=ACTOR,
    )


def node_draft(plan: retailer.NodePlan, *, has_wms: bool = False) -> define.NodeDraft:
    """A node as it is set up; `has_wms` once its own system is connected."""
    place = place_of(plan.postal_code)
    store = plan.kind == "store"
    return define.NodeDraft(
        code=plan.code,
        name=plan.name,
        kind=plan.kind,
        line1=plan.line1,
        city=place["city"].title(),
        region=place["state"],
        postal_code=plan.postal_code,
        country="US",
        latitude=float(place["lat"]),
        longitude=float(place["long"]),
        timezone=place["timezone"],
        hours=dict.fromkeys(plan.weekdays, plan.hours),
        cutoffs=dict.fromkeys(plan.weekdays, plan.cutoff),
        functions=("ship", "pickup", "receiving", "returns") if store else ("ship", "receiving"),
        processing_minutes=plan.processing_minutes,
        handling_cost_minor=plan.handling_cost_minor,
        pick_cost_minor=plan.pick_cost_minor,
        priority=_PRIORITY[plan.kind],
        has_wms=has_wms,
        holiday_years=(2026, 2027),
        open_on_holidays=_OPEN_ON.get(plan.kind, ()),
    )


def _set_up_networks(channel_ids: dict[str, UUID], node_ids: dict[str, int], at: datetime) -> None:
    """Marketplace and trade orders ship from warehouses and suppliers only; tills sell where they stand."""
    rows = []
    for channel in retailer.CHANNELS:
        for node in retailer.NODES:
            store = node.kind == "store"
            ships = channel.kind != "pos" and not (store and channel.kind in {"marketplace", "b2b"})
            picks_up = store and channel.kind in {"web", "pos"}
            if ships or picks_up:
                rows.append((channel_ids[channel.code], node_ids[node.code], ships, picks_up))
    define.define_networks(rows, at=at, actor=ACTOR)


def _sku(plan: SkuPlan, brand_ids: dict[str, UUID]) -> define.SkuDraft:
    return define.SkuDraft(
        code=plan.code,
        name=plan.name,
        kind=plan.kind,
        brand_id=brand_ids[plan.brand],
        price_minor=plan.price_minor,
        currency="USD",
        weight_grams=plan.weight_grams,
        box_mm=plan.box_mm,
        components=plan.components,
    )


def _stock_up(made: Retailer, at: datetime) -> None:
    """Opening stock as receipts, and what is on its way in."""
    dice = random.Random(20261116)  # noqa: S311  # reproducible, not secret
    changes = []
    for plan, sku, quantity in _opening(dice):
        node_id, sku_id = made.node_ids[plan.code], made.sku_ids[sku.code]
        if quantity:
            changes.append(
                StockChange(
                    node_id=node_id,
                    sku_id=sku_id,
                    account_id=made.account_id,
                    quantity=quantity,
                    kind="receipt",
                    source="opening",
                    external_id=f"{plan.code}:{sku.code}",
                    note="Opening stock",
                )
            )
    for start in range(0, len(changes), _CHUNK):
        inventory.services.record_changes(changes[start : start + _CHUNK], at=at, actor=ACTOR)
    define.announce_inbound(
        list(_inbound(dice)),
        account_id=made.account_id,
        sku_ids=made.sku_ids,
        node_ids=made.node_ids,
        at=at,
        actor=ACTOR,
    )


def _opening(dice: random.Random) -> Iterator[tuple[retailer.NodePlan, SkuPlan, int]]:
    for node in retailer.NODES:
        for sku in catalog():
            if sku.kind != "stock" or node.kind not in sku.carried_by:
                continue
            gift = sku.code == GIFT
            covered = gift or dice.random() < (0.45 if node.kind == "store" else 0.85)
            spread = dice.lognormvariate(0, 0.6)
            units = int(node.depth * (0.35 + 0.12 * sku.pace) * spread / 4) if covered else 0
            yield node, sku, 80 if gift else max(2, units) if covered else 0


def _inbound(dice: random.Random) -> Iterator[define.InboundDraft]:
    """Purchase orders that arrive through the fortnight, and two after it."""
    goods = [sku for sku in catalog() if sku.kind == "stock" and "dc" in sku.carried_by]
    for number in range(14):
        node = dice.choice([plan for plan in retailer.NODES if plan.kind in {"dc", "threepl"}])
        day = OPENING.date() + timedelta(days=2 + number)
        lines = tuple(
            (sku.code, dice.randrange(12, 60)) for sku in dice.sample(goods, dice.randrange(15, 40))
        )
        yield define.InboundDraft(
            number=f"PO-{4100 + number}",
            kind="po",
            source="merchandising",
            node_code=node.code,
            eta_at=datetime(day.year, day.month, day.day, 15, tzinfo=UTC),
            lines=lines,
            reliability_percent=90 if day < BLACK_FRIDAY else 80,
        )


def was_begun() -> bool:
    """Whether somebody has begun to set the retailer up in this database."""
    return bool(selectors.settings_of(retailer.ACCOUNT_CODE).get("demo_begun"))


def was_played() -> bool:
    """Whether this database has lived through the fortnight."""
    return bool(selectors.settings_of(retailer.ACCOUNT_CODE).get("demo"))


def mark_lived(until: datetime, last_number: int) -> None:
    """Remember how far the demo has lived, so that a restart goes on from there."""
    accounts.keep_setting(
        retailer.ACCOUNT_CODE,
        "demo",
        {"lived_until": until.isoformat(), "last_number": last_number},
    )


def lived_until() -> datetime | None:
    kept = selectors.settings_of(retailer.ACCOUNT_CODE).get("demo")
    return datetime.fromisoformat(kept["lived_until"]) if kept else None


def last_number() -> int:
    """The number of the last basket that was placed."""
    kept = selectors.settings_of(retailer.ACCOUNT_CODE).get("demo")
    return int(kept["last_number"]) if kept else 0


def known_retailer() -> Retailer:
    """The ids of the retailer that was set up before."""
    account_id = selectors.account_id(retailer.ACCOUNT_CODE)
    codes = [plan.code for plan in catalog()]
    skus = inventory.selectors.skus_by_code(account_id, None, codes)
    return Retailer(
        account_id=account_id,
        brand_ids=selectors.brand_ids(account_id),
        channel_ids=selectors.channel_ids(account_id),
        node_ids={node.code: node.id for node in inventory.selectors.network(account_id)},
        sku_ids={code: view.id for code, view in skus.items()},
    )
