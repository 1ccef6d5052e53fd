"""The end of the fortnight: simulated systems take over what was done by hand until then."""

from datetime import datetime

from config.demo import lots as goods_in_lots
from config.demo import partners, promised, storefronts, tried
from config.demo.counterparts import Counterparts
from config.demo.made import ACTOR, Retailer
from config.demo.setup import node_draft
from inventory.services import define


def hand_over(
    retailer: Retailer, counterparts: Counterparts, web_url: str, *, at: datetime
) -> None:
    """Nodes, carriers, shops, the marketplace and the post are connected from here on."""
    define.define_nodes(
        [node_draft(plan, has_wms=True) for plan in partners.CONNECTED],
        account_id=retailer.account_id,
        at=at,
        actor=ACTOR,
    )
    hooks = hooks_of(web_url)
    shelves, lots = partners.book(retailer), goods_in_lots.on_shelves(retailer)
    for node, found in lots.items():
        shelves.setdefault(node, {}).update(
            {sku: sum(lot["units"] for lot in known) for sku, known in found.items()}
        )
    partners.connect_nodes(retailer, counterparts, hooks, shelves=shelves, lots=lots, at=at)
    partners.connect_mail(retailer, counterparts, at=at)
    storefronts.open_shops(retailer, counterparts, hooks, at=at)
    storefronts.open_tills(retailer, counterparts, f"{web_url}/api/v1", at=at)
    storefronts.open_marketplace(retailer, counterparts, f"{web_url}/api/v1", at=at)
    promised.ask(retailer, at)
    tried.set_going(retailer, at)


def meet_again(
    retailer: Retailer, counterparts: Counterparts, web_url: str, *, at: datetime
) -> None:
    """Both sides may have moved since the demo last ran: tell each where the other listens."""
    hooks = hooks_of(web_url)
    partners.connect_carriers(retailer, counterparts, at=at)
    partners.connect_gateway(retailer, counterparts, at=at)
    partners.hear_gateway(counterparts, hooks)
    partners.hear_carriers(counterparts, hooks)
    partners.connect_nodes(retailer, counterparts, hooks, shelves={}, at=at)
    partners.connect_mail(retailer, counterparts, at=at)
    storefronts.find_shops(retailer, counterparts, hooks, at=at)
    storefronts.find_tills(counterparts, f"{web_url}/api/v1")
    storefronts.find_marketplace(retailer, counterparts, f"{web_url}/api/v1", at=at)


def hooks_of(web_url: str) -> str:
    """Where counterparts push to."""
    return f"{web_url}/api/v1/webhooks"
