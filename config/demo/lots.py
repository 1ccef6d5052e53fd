"""Lots of the demo: first to expire first, one expired, one close, one recalled; single things."""

from datetime import datetime, timedelta
from typing import Any, Final

import inventory.selectors
import inventory.services
from config.demo import retailer
from config.demo.made import Retailer
from config.demo.shoppers import NOW
from config.kernel.types import Actor, Scope
from inventory.services.items import put_items
from inventory.types import ItemDraft, Selection, StockChange

SOURCE: Final = "demo-lots"
QUALITY, DOCK = Actor.system("quality"), Actor.system("dock")

SERUM, TABLETS, WATCH = "CARE-SERUM-30", "CARE-ALLERGY-20", "WATCH-GPS-2"
_ITEMS: Final = (
    ItemDraft(
        SERUM,
        "Vitamin C serum 30 ml",
        price_minor=2_900,
        weight_grams=90,
        lot_tracked=True,
        expires=True,
        shelf_life_days=540,
        min_remaining_life_days=30,
    ),
    ItemDraft(
        TABLETS,
        "Allergy tablets, 20",
        price_minor=1_250,
        weight_grams=40,
        regulation="medicine",
        lot_tracked=True,
        expires=True,
        shelf_life_days=1_080,
    ),
    ItemDraft(
        WATCH,
        "Running watch with GPS",
        price_minor=24_900,
        weight_grams=160,
        serial_tracked=True,
    ),
)
_LOTS: Final = (
    (SERUM, "S-2409", 40, 45),
    (SERUM, "S-2502", 180, 400),
    (SERUM, "S-2411", 24, 20),  # closer than its thirty days: goes off sale at once
    (TABLETS, "T-7713", 120, 700),
    (TABLETS, "T-7690", 60, 300),
    (TABLETS, "T-7544", 12, -3),  # over
)
_RECALLED: Final = "T-7690"
_WATCHES: Final = tuple(f"GW2-{number:05}" for number in range(71, 77))


_HERE: Final = next(plan.code for plan in retailer.NODES if plan.kind == "dc")


def set_up(made: Retailer, at: datetime) -> None:
    """Stock of each kind at the first warehouse; what is over is off sale, one lot is recalled."""
    here = made.node_ids[_HERE]
    outcomes = put_items(_ITEMS, account_id=made.account_id, at=at, actor=QUALITY)
    skus = {
        item.code: outcome.value
        for item, outcome in zip(_ITEMS, outcomes, strict=True)
        if outcome.value is not None
    }
    received = [
        StockChange(
            here,
            skus[code],
            made.account_id,
            units,
            "receipt",
            lot=lot,
            expires_on=(NOW + timedelta(days=days)).date(),
            source=SOURCE,
            external_id=lot,
        )
        for code, lot, units, days in _LOTS
    ]
    received.append(
        StockChange(
            here,
            skus[WATCH],
            made.account_id,
            len(_WATCHES),
            "receipt",
            source=SOURCE,
            external_id="watches",
            serials=_WATCHES,
        )
    )
    inventory.services.record_changes(received, at=at, actor=DOCK)
    inventory.services.expire_positions(100, at=at, actor=QUALITY)
    inventory.services.expire_lots(100, at=at, actor=QUALITY)
    channel_id = made.channel_ids[min(made.channel_ids)]
    inventory.services.set_lives(
        made.account_id,
        channel_id,
        [inventory.services.LifeDraft(Selection(sku_codes=(SERUM,)), 90)],
        at=at,
        actor=QUALITY,
    )
    lots = inventory.selectors.lots(QUALITY.scope).filter(sku_id=skus[TABLETS], code=_RECALLED)
    for lot in lots.filter(state="active"):
        recall = inventory.services.recall_lots(
            [lot.pk], "Glass in one bottle of this lot", at=at, actor=QUALITY
        )
        inventory.services.stop_recall(recall, at=at, actor=QUALITY)


def on_shelves(made: Retailer) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """What a node's own system knows of lots and single things that are on sale, by node and SKU."""
    rows = inventory.selectors.lots(Scope(frozenset({made.account_id})))
    codes = dict(rows.values_list("pk", "sku__code"))
    found: dict[str, list[dict[str, Any]]] = {}
    for lot in inventory.selectors.lot_views(list(codes)):
        if lot.on_sale:
            found.setdefault(codes[lot.id], []).append(
                {"lot": lot.code, "units": lot.on_sale}
                | ({"expires_on": lot.expires_on.isoformat()} if lot.expires_on else {})
            )
    found[WATCH] = [{"units": len(_WATCHES), "serials": list(_WATCHES)}]
    return {_HERE: found}
