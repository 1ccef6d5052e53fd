"""Stock at work: a transfer in transit and one to approve, quarantine, bulk, what waits for two."""

from datetime import datetime, timedelta
from typing import Final

import inventory.selectors
import inventory.services
from config.demo import retailer
from config.demo.made import Retailer
from config.demo.shoppers import NOW
from config.kernel.types import Actor
from inventory.types import (
    AdjustmentDraft,
    ConditionChange,
    MovedUnits,
    PackConversion,
    StockChange,
    TransferDraft,
    TransferLineDraft,
    TransferShipment,
)

SOURCE: Final = "demo-moves"
PLANNER, FLOOR = Actor.system("stock planner"), Actor.system("floor")
_CASE: Final = 12


def set_up(made: Retailer, at: datetime) -> None:
    """Show each case once, on the SKUs of which the first warehouse has the most."""
    warehouse = next(plan.code for plan in retailer.NODES if plan.kind == "dc")
    stores = [plan.code for plan in retailer.NODES if plan.kind == "store"][:2]
    here = made.node_ids[warehouse]
    held = inventory.selectors.supply(list(made.sku_ids.values()), [here])
    plenty = sorted(held.values(), key=lambda view: (-view.free, view.sku_id))
    skus = [view.sku_id for view in plenty[:6]]
    _transfer(made, here, [made.node_ids[code] for code in stores], skus, at)
    _set_apart(made, here, skus, at)
    inventory.services.adjust_stock(
        [
            AdjustmentDraft(
                here,
                skus[4],
                made.account_id,
                -120,
                "loss",
                note="A pallet is not where it should be",
                source=SOURCE,
                external_id="pallet",
            )
        ],
        at=at,
        actor=FLOOR,
    )


def _transfer(made: Retailer, here: int, stores: list[int], skus: list[int], at: datetime) -> None:
    """One is in transit until after the fortnight, one waits for approval."""
    drafts = [
        TransferDraft(
            made.account_id,
            here,
            store,
            tuple(TransferLineDraft(sku_id, 4) for sku_id in chosen),
            purpose="replenish",
            note=note,
            source=SOURCE,
            external_id=note,
        )
        for store, chosen, note in zip(
            stores,
            (skus[:2], skus[2:4]),
            ("For the window", "For the holidays"),
            strict=True,
        )
    ]
    first = inventory.services.draft_transfers(drafts, at=at, actor=PLANNER)[0].value
    if first is None or first.state != "draft":
        return
    inventory.services.approve_transfers([first.id], at=at, actor=PLANNER)
    inventory.services.release_transfers([first.id], at=at, actor=PLANNER)
    lines = inventory.selectors.transfer_lines([first.id], PLANNER.scope)[first.id]
    left = tuple(MovedUnits(line.pk, 4) for line in lines)
    shipment = TransferShipment(
        first.id, left, eta_at=NOW + timedelta(days=2), reference="TRUCK 7", last=True
    )
    inventory.services.ship_transfers([shipment], at=at, actor=FLOOR)


def _set_apart(made: Retailer, here: int, skus: list[int], at: datetime) -> None:
    """Units in receiving, whole cases in bulk of which one is broken, and some in quarantine."""
    places = [(here, sku_id, made.account_id) for sku_id in skus]
    came = [
        StockChange(
            *place,
            units,
            "receipt",
            condition=condition,
            source=SOURCE,
            external_id=condition,
            note=note,
        )
        for place, units, condition, note in (
            (places[0], 24, "receiving", "On the dock since this morning"),
            (places[1], 10 * _CASE, "reserve_storage", "Ten cases in bulk"),
        )
    ]
    inventory.services.record_changes(came, at=at, actor=FLOOR)
    for units in (None, _CASE):  # as the SKU's packs say; where they say nothing, a dozen
        case = PackConversion(
            *places[1], 1, units=units, note="One case", source=SOURCE, external_id="case"
        )
        inventory.services.convert_packs([case], at=at, actor=FLOOR)
    inventory.services.change_conditions(
        [
            ConditionChange(
                *places[5],
                "available",
                "quality_hold",
                6,
                note="Labels are smudged",
                source=SOURCE,
                external_id="labels",
            )
        ],
        at=at,
        actor=FLOOR,
    )
