"""What the two drop-ship partners ask: each is cheaper in its own trade, and quicker."""

from datetime import datetime, timedelta
from typing import Final

import inventory.selectors
import inventory.services
from config.demo.catalog import catalog
from config.demo.made import ACTOR, Retailer
from config.kernel.types import Scope
from inventory.types import OfferDraft

SOURCE: Final = "price list, autumn"
CANDLES, FURNITURE = "PDX", "GRR"
_SINCE: Final = timedelta(days=30)
_GOODS: Final = {"CND": CANDLES, "DIF": CANDLES, "CHR": FURNITURE, "SDT": FURNITURE}
"""By family, whose trade it is."""

_OWN_PERCENT, _CHEAP_PERCENT, _DEAR_PERCENT = 40, 44, 52
"""Of the selling price: what ours costs us, and what a supplier asks in its trade and beside it."""

_LEADS: Final = {"CND": 0, "DIF": 0, "CHR": 1, "SDT": 1}
_LATER_BESIDE: Final = 1


def set_up(made: Retailer, at: datetime) -> None:
    """Enter both partners' price lists; what we have ourselves is compared with our own cost."""
    scope = Scope(frozenset({made.account_id}))
    if inventory.selectors.offers(scope).exists():
        return
    since = (at - _SINCE).date()
    drafts = [
        OfferDraft(
            made.node_ids[supplier],
            made.sku_ids[plan.code],
            plan.price_minor * (_CHEAP_PERCENT if home else _DEAR_PERCENT) // 100,
            "USD",
            since,
            lead_days=_LEADS[family] + (0 if home else _LATER_BESIDE),
            own_cost_minor=plan.price_minor * _OWN_PERCENT // 100
            if "store" in plan.carried_by
            else None,
            source=SOURCE,
        )
        for plan in catalog()
        if plan.kind == "stock" and (family := plan.code.split("-")[1]) in _GOODS
        for supplier in (CANDLES, FURNITURE)
        for home in (_GOODS[family] == supplier,)
    ]
    inventory.services.define_offers(drafts, account_id=made.account_id, at=at, actor=ACTOR)
