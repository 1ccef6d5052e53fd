"""Shelves as Hypothesis draws them, stocked twice alike, and all that is written about them."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from config.kernel.models import CaseReport, Event
from config.kernel.types import ALL_ACCOUNTS
from inventory import services
from inventory.models import (
    LandedWork,
    Movement,
    Node,
    ShortfallWork,
    Sku,
    StockLevel,
    StockPosition,
)
from inventory.types import StockChange
from tests.factories.inventory import ANNA, NodeFactory, SkuFactory, future_want, want
from tests.factories.kernel import NOON, AccountFactory

EARLY = NOON - timedelta(days=20)


def shelf() -> st.SearchStrategy[dict[str, Any]]:
    """Draws a SKU at a node: what lies there, who claims it, what moved and what is told."""
    return st.fixed_dictionaries(
        {
            "on_hand": st.integers(0, 9),
            "lot": st.integers(0, 4),
            "damaged": st.integers(0, 3),
            "reserved": st.integers(0, 9),
            "waiting": st.integers(0, 3),
            "later": st.integers(-3, 3),
            "told": st.one_of(st.none(), st.integers(0, 12)),
            "told_damaged": st.one_of(st.none(), st.integers(0, 4)),
        }
    )


def furnish(shelves: list[dict[str, Any]]) -> tuple[Node, list[Sku], list[dict[str, Any]]]:
    """A node whose positions are as drawn, with codes of their own."""
    account = AccountFactory()
    node = NodeFactory(account=account)
    skus = SkuFactory.create_batch(len(shelves), account=account)
    changes, later, wants = [], [], []
    for sku, drawn in zip(skus, shelves, strict=True):
        place = (node.pk, sku.pk, account.pk)
        changes.append(StockChange(*place, drawn["on_hand"] + 1, "receipt"))
        changes.append(StockChange(*place, -1, "adjust"))
        if drawn["lot"]:
            changes.append(StockChange(*place, drawn["lot"], "receipt", lot="L"))
        if drawn["damaged"]:
            changes.append(StockChange(*place, drawn["damaged"], "receipt", condition="damaged"))
        if drawn["later"]:
            later.append(StockChange(*place, drawn["later"], "adjust"))
        if drawn["waiting"]:
            wants.append(future_want(sku, drawn["waiting"], node_id=node.pk))
    services.record_changes(changes, at=EARLY, actor=ANNA)
    found = StockPosition.objects.for_scope(ALL_ACCOUNTS).filter(node=node)
    by_sku = {position.sku_id: position for position in found}
    services.take(
        [
            want(by_sku[sku.pk], min(drawn["reserved"], drawn["on_hand"] + drawn["lot"]))
            for sku, drawn in zip(skus, shelves, strict=True)
            if min(drawn["reserved"], drawn["on_hand"] + drawn["lot"])
        ],
        at=EARLY,
        actor=ANNA,
    )
    services.record_changes(later, at=NOON - timedelta(hours=1), actor=ANNA)
    services.reserve_future(wants, at=EARLY, actor=ANNA)
    rows = [
        {"sku": sku.code, "quantity": drawn[name], "condition": condition}
        for sku, drawn in zip(skus, shelves, strict=True)
        for name, condition in [("told", "available"), ("told_damaged", "damaged")]
        if drawn[name] is not None
    ]
    return node, skus, rows


def written(node: Node, skus: list[Sku]) -> dict[str, Any]:
    """Everything that stands in the book and was told of it, without ids."""
    order = {sku.pk: index for index, sku in enumerate(skus)}
    scope = {"node": node.pk}
    positions = StockPosition.objects.for_scope(ALL_ACCOUNTS).filter(**scope)
    place = {position.pk: order[position.sku_id] for position in positions}
    levels = StockLevel.objects.for_scope(ALL_ACCOUNTS).filter(position_id__in=place)
    moved = Movement.objects.for_scope(ALL_ACCOUNTS).filter(node_id=node.pk).order_by("id")
    name = {position.pk: position for position in positions}
    return {
        "positions": sorted(
            (place[p.pk], p.sellable, p.reserved, p.shortfall, p.landed, p.counted_at)
            for p in positions
        ),
        "levels": sorted(
            (place[level.position_id], level.condition, level.lot, level.on_hand)
            for level in levels
            if level.on_hand
        ),
        "movements": sorted(
            (place[m.position_id], m.condition, m.lot, m.quantity, m.balance, m.kind, m.at)
            for m in moved
        ),
        "work": [
            sorted(
                (place[row.position_id], row.quantity)
                for row in work.objects.filter(position_id__in=name, done_at=None)
            )
            for work in (ShortfallWork, LandedWork)
        ],
        "events": sorted(
            (order[data["sku_id"]], topic, data.get("shortfall"), data.get("landed"))
            for topic, data in Event.objects.for_scope(ALL_ACCOUNTS)
            .filter(data__node_id=node.pk, topic__in=["stock.short", "stock.received"])
            .values_list("topic", "data")
        ),
        "reports": sorted(
            (kind, order[evidence["sku_id"]], evidence.get("missing"), evidence.get("shortfall"))
            for kind, evidence in CaseReport.objects.filter(evidence__node_id=node.pk).values_list(
                "kind", "evidence"
            )
        ),
    }
