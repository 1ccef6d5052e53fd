"""Goods of others at the first warehouse: one supplier's go first, another's are sold in the web shops alone."""

from datetime import datetime
from decimal import Decimal
from typing import Final

import inventory.selectors
import inventory.services
from config.demo import retailer
from config.demo.made import ACTOR, Retailer
from config.kernel.types import Scope
from inventory.types import OwnerDraft, PriceDraft, StockChange

SOURCE: Final = "demo-consigned"
POTTERS, WEAVERS = "kiln-and-co", "loom-house"
_WEB: Final = ("hp-web", "nl-web")
_GOODS: Final = (
    (POTTERS, "HP-MUG-FER", 48, "910"),
    (POTTERS, "HP-BWL-OAT", 36, "1210.5"),
    (POTTERS, "HP-VAS-INK", 12, "2650"),
    (WEAVERS, "HP-THR-OAT", 20, "4400"),
    (WEAVERS, "HP-CSH-SLA", 30, ""),  # sold before anybody has agreed a price
)


def set_up(made: Retailer, at: datetime) -> None:
    """Name the owners, agree on prices, and receive their goods."""
    if inventory.selectors.owners(Scope(frozenset({made.account_id}))):
        return
    owners = inventory.services.define_owners(
        [
            OwnerDraft(
                POTTERS,
                "Kiln & Co, potters",
                is_first=True,
                channel_ids=frozenset(made.channel_ids.values()),
            ),
            OwnerDraft(
                WEAVERS,
                "Loom House, weavers",
                channel_ids=frozenset(made.channel_ids[code] for code in _WEB),
            ),
        ],
        account_id=made.account_id,
        at=at,
        actor=ACTOR,
    )
    inventory.services.set_owner_prices(
        [
            PriceDraft(owners[owner], made.sku_ids[sku], Decimal(price), "USD")
            for owner, sku, _, price in _GOODS
            if price
        ],
        at=at,
        actor=ACTOR,
    )
    here = made.node_ids[next(plan.code for plan in retailer.NODES if plan.kind == "dc")]
    inventory.services.record_changes(
        [
            StockChange(
                here,
                made.sku_ids[sku],
                made.account_id,
                units,
                "receipt",
                owner_id=owners[owner],
                source=SOURCE,
                external_id=f"{owner}:{sku}",
                note="On consignment",
            )
            for owner, sku, units, _ in _GOODS
        ],
        at=at,
        actor=ACTOR,
    )
