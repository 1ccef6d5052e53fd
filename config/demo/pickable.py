"""What can be sold later: at warehouses, what lies in receiving or in bulk can be picked after hours."""

from datetime import datetime
from typing import Final

import inventory.services
from config.demo import retailer
from config.demo.made import ACTOR, Retailer

MINUTES: Final = {"receiving": 4 * 60, "reserve_storage": 24 * 60}


def set_up(made: Retailer, at: datetime) -> None:
    """Say so for every warehouse."""
    warehouses = [made.node_ids[plan.code] for plan in retailer.NODES if plan.kind == "dc"]
    inventory.services.set_pickable_times(
        {
            (node_id, condition): minutes
            for node_id in warehouses
            for condition, minutes in MINUTES.items()
        },
        at=at,
        actor=ACTOR,
    )
