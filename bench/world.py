"""The retailer that the benchmark sells for: the demo's, with shelves that never run empty."""

import random
from dataclasses import dataclass
from datetime import datetime
from datetime import time as wall
from uuid import UUID

import inventory.selectors
import inventory.services
from config.demo import setup
from config.demo.catalog import SkuPlan, catalog
from config.demo.made import Retailer
from config.kernel import clock
from config.kernel.services import access
from config.kernel.types import Actor
from inventory.services import define
from inventory.types import StockChange
from routing.places import locate

ACTOR = Actor.system("benchmark")
CHANNEL = "hp-web"
BRAND = "harbor-pine"
ZIPS = ("10001", "60614", "94110", "33130", "75201", "98101", "80202", "30303")
DEPTH = 1_000_000
"""Units per shelf: nothing backorders, and what is measured is the road, not the lack."""

_CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class World:
    retailer: Retailer
    goods: tuple[SkuPlan, ...]

    @property
    def account_id(self) -> UUID:
        return self.retailer.account_id

    @property
    def channel_id(self) -> UUID:
        return self.retailer.channel_ids[CHANNEL]

    @property
    def brand_id(self) -> UUID:
        return self.retailer.brand_ids[BRAND]


def build() -> World:
    """Set the retailer up and fill every shelf that its opening stocked."""
    retailer = setup.set_up()
    goods = tuple(sku for sku in catalog() if sku.kind == "stock" and sku.price_minor)
    _fill(retailer, goods, at=clock.now())
    return World(retailer, goods)


def issue_key(world: World) -> str:
    """A key of the channel whose rate limit is out of the way."""
    _, secret = access.issue_api_key(
        account_id=world.account_id,
        channel_id=world.channel_id,
        name="benchmark",
        scopes=["api.orders.write", "api.orders.read"],
        requests_per_minute=10_000_000,
        at=clock.now(),
        actor=ACTOR,
    )
    return secret


def node_draft(code: str, number: int, dice: random.Random) -> define.NodeDraft:
    """A node near one of the ZIP codes, open on weekdays: two warehouses to one store."""
    postal_code = dice.choice(ZIPS)
    there = locate(postal_code, "", "US")
    return define.NodeDraft(
        code=code,
        name=f"Node {number}",
        kind="dc" if number % 3 else "store",
        line1="1 Dock Road",
        city="Town",
        region="",
        postal_code=postal_code,
        country="US",
        latitude=there.latitude + dice.uniform(-4, 4),
        longitude=there.longitude + dice.uniform(-4, 4),
        timezone=there.timezone,
        hours={day: (wall(8), wall(18)) for day in range(5)},
        cutoffs={day: wall(15) for day in range(5)},
        functions=("ship", "pickup", "receiving"),
        handling_cost_minor=100 + dice.randrange(100),
        pick_cost_minor=20,
    )


def _fill(retailer: Retailer, goods: tuple[SkuPlan, ...], *, at: datetime) -> None:
    dice = random.Random(1)
    node_ids = sorted(retailer.node_ids.values())
    sku_ids = [retailer.sku_ids[sku.code] for sku in goods]
    held = inventory.selectors.supply(sku_ids, node_ids)
    shelves = {key for key, position in held.items() if position.sellable > 0}
    shelved = {sku_id for _, sku_id in shelves}
    shelves |= {(dice.choice(node_ids), sku_id) for sku_id in sku_ids if sku_id not in shelved}
    changes = [
        StockChange(
            node_id=node_id,
            sku_id=sku_id,
            account_id=retailer.account_id,
            quantity=DEPTH,
            kind="receipt",
            source="benchmark",
            external_id=f"{node_id}:{sku_id}",
        )
        for node_id, sku_id in sorted(shelves)
    ]
    for start in range(0, len(changes), _CHUNK):
        inventory.services.record_changes(changes[start : start + _CHUNK], at=at, actor=ACTOR)
