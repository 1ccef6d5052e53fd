"""Nodes as they work: what each can do, when carriers come, how much it does in a day, what is planned."""

from datetime import date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

import inventory.selectors
import inventory.services
from config.demo import retailer
from config.demo.made import ACTOR, Retailer
from inventory.types import CapacityView, NodeEdit, PickupView, PlanDraft, SpecialDayView

HOME: Final = ZoneInfo("America/New_York")
CAPABILITIES: Final = {
    "dc": ("break_case", "break_pallet", "hazmat", "lot_tracking", "oversize", "serial_tracking"),
    "threepl": ("break_case", "lot_tracking", "oversize"),
    "store": ("age_check", "gift_wrap", "same_day", "serial_tracking"),
    "supplier": ("engraving",),
}
UNITS_A_DAY: Final = {"dc": 260, "threepl": 220, "store": 30, "supplier": 60}
"""What a node picks in a day, by its kind: a signal, not a wall."""

UNITS_AT: Final = {"CHI": 7}
"""The store that Black Friday brings to the end of what its people can do."""

ORDERS_AT: Final = {"DFW": 90}
"""The 3PL whose contract says how many orders a day it takes, and not one more."""

DOCKS_AT: Final = {"dc": 2, "threepl": 3}
"""Deliveries that a node unloads in a day."""

_LAST_COMES_AFTER: Final = 1
"""Hours from the cutoff to the carrier's last pickup."""


def set_up(made: Retailer, at: datetime) -> None:
    """Describe every node, and plan what is to come."""
    inventory.services.edit_nodes(
        [_edit(made.node_ids[plan.code], plan) for plan in retailer.NODES], at=at, actor=ACTOR
    )
    nodes = inventory.selectors.node_views(made.node_ids.values())
    planned = {plan.reason for node in nodes for plan in node.plans}
    drafts = [draft for draft in _plans(made) if draft.reason not in planned]
    if drafts:
        inventory.services.plan_nodes(drafts, at=at, actor=ACTOR)


def _edit(node_id: int, plan: retailer.NodePlan) -> NodeEdit:
    opens, closes = plan.hours
    leaves = time(plan.cutoff.hour + _LAST_COMES_AFTER, plan.cutoff.minute)
    store = plan.kind == "store"
    limits = {"units": (UNITS_AT.get(plan.code, UNITS_A_DAY[plan.kind]), False)}
    if plan.code in ORDERS_AT:
        limits["orders"] = (ORDERS_AT[plan.code], True)
    return NodeEdit(
        node_id,
        capabilities=CAPABILITIES[plan.kind],
        pickups=tuple(
            PickupView(
                carrier.lower(), None, weekday, leaves, 60 if store else None, "" if store else "D1"
            )
            for carrier in retailer.CARRIERS
            for weekday in plan.weekdays
        ),
        special_days=(
            (SpecialDayView(date(2026, 12, 24), opens, time(16), "Christmas Eve"),) if store else ()
        ),
        capacities=tuple(
            CapacityView("ship", resource, weekday, opens, closes, most, hard)
            for resource, (most, hard) in limits.items()
            for weekday in plan.weekdays
        )
        + tuple(
            CapacityView(
                "receiving", "appointments", weekday, opens, closes, DOCKS_AT[plan.kind], hard=False
            )
            for weekday in plan.weekdays
            if plan.kind in DOCKS_AT
        ),
        thresholds={"ack_latency": 24 * 60.0},
    )


def _plans(made: Retailer) -> list[PlanDraft]:
    """A warehouse counts for a day and ships nothing; a store gets help over the last weekends."""
    return [
        PlanDraft(
            made.node_ids["ATL"],
            "closed",
            datetime(2026, 12, 6, 0, tzinfo=HOME),
            datetime(2026, 12, 7, 4, tzinfo=HOME),
            "Yearly stocktaking",
            function="ship",
        ),
        PlanDraft(
            made.node_ids["NYC"],
            "extra",
            datetime(2026, 12, 11, 10, tzinfo=HOME),
            datetime(2026, 12, 20, 19, tzinfo=HOME),
            "Students help before Christmas",
            function="ship",
            percent=40,
        ),
        PlanDraft(
            made.node_ids["SEA"],
            "reduced",
            datetime(2026, 12, 3, 10, tzinfo=HOME),
            datetime(2026, 12, 4, 19, tzinfo=HOME),
            "Packing tables are moved",
            function="ship",
            units=40,
        ),
    ]
