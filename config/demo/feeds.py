"""Feeds: one that differs from the book in two places, one that has not spoken since yesterday."""

from datetime import datetime, timedelta
from typing import Final

import inventory.selectors
import inventory.services
from config.demo import retailer
from config.demo.made import Retailer
from config.kernel.types import Actor, Scope
from inventory.snapshot_files import read_rows
from inventory.types import FeedTerms, SnapshotDraft

SHELF_SCAN, TILL = "shelf-scan", "till"
CLERK: Final = Actor.system("stock clerk")


def set_up(made: Retailer, at: datetime) -> None:
    """Show a comparison with lines to decide, and a silent till that forbids same-day promises."""
    scope = Scope(frozenset({made.account_id}))
    if any(view.source == SHELF_SCAN for view in inventory.selectors.feed_views(scope, at)):
        return
    warehouse = next(plan.code for plan in retailer.NODES if plan.kind == "dc")
    store = next(plan.code for plan in retailer.NODES if plan.kind == "store")
    here = made.node_ids[warehouse]
    inventory.services.declare_feeds(
        [
            FeedTerms(
                here,
                SHELF_SCAN,
                made.account_id,
                heal_units=2,
                heal_percent=10,
                heal_value_minor=5_000,
                heal_sensitive=False,
            )
        ],
        at=at,
        actor=CLERK,
    )
    inventory.services.declare_feeds(
        [
            FeedTerms(
                made.node_ids[store],
                TILL,
                made.account_id,
                expected_every=timedelta(hours=1),
                silent_after=timedelta(hours=4),
                degrade="no_same_day",
            )
        ],
        at=at - timedelta(days=1),
        actor=CLERK,
    )
    _compare(made, here, at)
    inventory.services.watch_feeds(10, at=at, actor=CLERK)


def _compare(made: Retailer, here: int, at: datetime) -> None:
    """A scan of six shelves: three agree, one is healed, two wait for a person."""
    held = inventory.selectors.supply(list(made.sku_ids.values()), [here])
    plenty = sorted(held.values(), key=lambda view: (-view.free, view.sku_id))[6:12]
    codes = {sku_id: code for code, sku_id in made.sku_ids.items()}
    seen = zip(plenty, (0, 0, 0, -1, -9, 9), strict=True)
    rows = [
        {"sku": codes[view.sku_id], "quantity": view.sellable + more}
        for view, more in seen
        if view.sellable + more >= 0
    ]
    document = inventory.services.send_snapshot(
        SnapshotDraft(here, made.account_id, SHELF_SCAN, at),
        read_rows(rows, first=1),
        inventory.services.Totals(),
        at=at,
        actor=CLERK,
    )
    inventory.services.apply_range(document.pk, at=at, actor=CLERK)
