"""What the retailer keeps back: of stores' stock, of the marketplace's figures, and for events."""

from datetime import datetime, timedelta
from typing import Any, Final

import inventory.selectors
import inventory.services
from config.demo import retailer
from config.demo.catalog import catalog
from config.demo.made import ACTOR, Retailer
from config.kernel.types import Scope
from inventory.services import GroupDraft
from inventory.types import QuotaDraft, RuleDraft, Selection

_EVENT_SKUS: Final = 6
_ALREADY_OVER, _GOING_ON, _COMING = "Early access", "Black week", "Prime days"
_KITS: Final = "Breakfast sets for the shop"


def set_up(made: Retailer, at: datetime) -> None:
    """Rules and quotas as of the opening; those of events begin and end by themselves."""
    known = {rule.name for rule in inventory.selectors.buffer_rules(_scope(made), ended=True)}
    stores = tuple(made.node_ids[plan.code] for plan in retailer.NODES if plan.kind == "store")
    groups = inventory.services.define_groups(
        [GroupDraft("stores", "Stores", stores)],
        account_id=made.account_id,
        at=at,
        actor=ACTOR,
    )
    shared: dict[str, Any] = {"account_id": made.account_id, "starts_at": at}
    rules = [
        RuleDraft(
            **shared,
            name="The last one stays on the shelf",
            sequence=10,
            group_id=groups["stores"],
            safety_units=1,
        ),
        RuleDraft(
            **shared,
            name="What the marketplace is not told of",
            sequence=20,
            channel_id=made.channel_ids["agora"],
            threshold=2,
        ),
    ]
    fresh = [rule for rule in rules if rule.name not in known]
    made_ids = inventory.services.define_rules(fresh, at=at, actor=ACTOR)
    inventory.services.publish_rules(made_ids, at=at, actor=ACTOR)
    _plan_events(made, at)


def _plan_events(made: Retailer, at: datetime) -> None:
    """One event that is over by the end of the fortnight, one that goes on, one that will come."""
    known = {plan.name for plan in inventory.selectors.quota_plans(_scope(made), ended=True)}
    stocked = [sku.code for sku in catalog() if sku.kind == "stock" and "dc" in sku.carried_by]
    shared: dict[str, Any] = {
        "account_id": made.account_id,
        "kind": "fixed",
        "overlay": True,
        "selection": Selection(tuple(stocked[:_EVENT_SKUS])),
    }
    day = timedelta(days=1)
    events = [
        QuotaDraft(
            **shared,
            name=_ALREADY_OVER,
            channel_id=made.channel_ids["nl-web"],
            units=8,
            starts_at=at,
            ends_at=at + 4 * day,
        ),
        QuotaDraft(
            **shared,
            name=_GOING_ON,
            channel_id=made.channel_ids["hp-web"],
            units=12,
            cap=400,
            spill=True,
            spill_at=at + 25 * day,
            starts_at=at + 9 * day,
            ends_at=at + 30 * day,
        ),
        QuotaDraft(
            **shared,
            name=_COMING,
            channel_id=made.channel_ids["agora"],
            units=20,
            starts_at=at + 40 * day,
            ends_at=at + 42 * day,
        ),
    ]
    kit = next(sku.code for sku in catalog() if sku.kind == "kit")
    events.append(
        QuotaDraft(
            account_id=made.account_id,
            kind="fixed",
            selection=Selection((kit,)),
            name=_KITS,
            channel_id=made.channel_ids["hp-web"],
            units=5,
            starts_at=at,
            ends_at=at + 60 * day,
        )
    )
    fresh = [event for event in events if event.name not in known]
    inventory.services.plan_quotas(fresh, at=at, actor=ACTOR)


def _scope(made: Retailer) -> Scope:
    return Scope(frozenset({made.account_id}))
