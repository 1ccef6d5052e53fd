"""Where buyers come in after the fortnight: two shops and a marketplace, each a system of its own."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import inventory.selectors
from config.demo import shops_past
from config.demo.catalog import SkuPlan, catalog
from config.demo.counterparts import Counterparts
from config.demo.made import ACTOR, Retailer
from config.demo.partners import SECRET, TOKEN, connect
from config.demo.retailer import CHANNELS, NODES, ChannelPlan
from config.demo.shoppers import OPENING, ORDERS_A_DAY, towns
from config.kernel.access import Permission
from config.kernel.services import access
from config.kernel.types import Scope
from integrations import services
from integrations.services import ConnectionDraft
from integrations.webhooks_out import endpoints
from integrations.webhooks_out import selectors as webhooks

SHOPS: Final = {"hp-web": "shopify", "nl-web": "woocommerce"}
MARKETPLACE: Final = "agora"
TILLS: Final = "tills"
SIMULATED: Final = frozenset({*SHOPS, MARKETPLACE, TILLS})
"""Channels whose orders come from outside after the fortnight."""
_MARKET: Final = "marketplace"
SELLERS: Final = {**SHOPS, MARKETPLACE: _MARKET}
"""Channels that sell by a system of their own in the fortnight too."""
_STORES: Final = "stores"
_KEY: Final = "ck_demo_0123456789"
_API: Final = {"shopify": "/admin/api/2025-07", "woocommerce": "/wp-json/wc/v3"}
_TOWNS: Final = 80
_KIT_FIGURE: Final = 5
_SETTINGS: Final[Mapping[str, Mapping[str, Any]]] = {
    "shopify": {"rate": {"bucket": 400, "per_second": 50}},
    "woocommerce": {},
}
"""Calls are counted in seconds of the wall, and the demo lives many times as fast."""
_OURS: Final[Mapping[str, Mapping[str, Any]]] = {
    "shopify": {"location_id": "655441491"},
    "woocommerce": {},
}
"""What our side must know of each shop: where Shopify keeps its stock."""


def list_goods(counterparts: Counterparts) -> None:
    """Each shop lists what it sells; how many of it, it learns at the handing over."""
    for channel, system in SELLERS.items():
        _stock(counterparts, system, _plan(channel), {})


def open_shops(
    retailer: Retailer, counterparts: Counterparts, hooks_url: str, *, at: datetime
) -> None:
    """Each web shop gets its past and what we have in stock, is connected, and its buyers let in."""
    figures = _figures(retailer)
    for channel, system in SHOPS.items():
        counterparts.tell(
            system, "PUT", "shop", {"secret": SECRET, **_shown(system), **_SETTINGS[system]}
        )
        _stock(counterparts, system, _plan(channel), figures)
        shop = _connection(retailer, counterparts, channel, system)
        ref = services.define_connection(shop, at=at, actor=ACTOR)
        shops_past.hand_past(counterparts, system, ref.id, at=at)
        services.go_live(ref.id, at=at, actor=ACTOR)
    find_shops(retailer, counterparts, hooks_url, at=at)
    for channel, system in SHOPS.items():
        _let_in(counterparts, system, _plan(channel))


def find_shops(
    retailer: Retailer, counterparts: Counterparts, hooks_url: str, *, at: datetime
) -> None:
    """Tell each shop where to push, and ourselves where the shop is."""
    for channel, system in SHOPS.items():
        hook = {"webhook_url": f"{hooks_url}/{system}/{channel}"}
        counterparts.tell(system, "PUT", "shop", hook)
        connect(_connection(retailer, counterparts, channel, system), at=at)


def _connection(
    retailer: Retailer, counterparts: Counterparts, channel: str, system: str
) -> ConnectionDraft:
    return ConnectionDraft(
        account_id=retailer.account_id,
        kind="channel",
        code=channel,
        adapter=system,
        name=_plan(channel).name,
        channel_id=retailer.channel_ids[channel],
        base_url=counterparts.urls[system] + _API[system],
        settings={"orders_since": OPENING.isoformat(), **_OURS[system]},
        secrets={"webhook_secret": SECRET, **_kept(system)},
        expected_every=6 * 3600,
    )


def open_tills(
    retailer: Retailer, counterparts: Counterparts, api_url: str, *, at: datetime
) -> None:
    """Each store's till sells from its shelves, and sends us what it sold by our API."""
    plan = _plan(TILLS)
    key = _key_for(retailer, plan, at=at)
    stores = [node for node in NODES if node.kind == "store"]
    for node in stores:
        opens, closes = node.hours
        a_day = ORDERS_A_DAY * plan.share / 100 / len(stores)
        counterparts.tell(
            _STORES,
            "PUT",
            "till",
            {
                "node": node.code,
                "per_hour": a_day / (closes.hour - opens.hour),
                "api_url": api_url,
                "api_key": key,
                "prices": {sku.code: sku.price_minor for sku in catalog()},
                "tax_percent": 6,
            },
        )


def find_tills(counterparts: Counterparts, api_url: str) -> None:
    """Tell each till where our API is."""
    for _, till in counterparts.records(_STORES, "tills"):
        if till["api_url"] != api_url:
            counterparts.tell(_STORES, "PUT", "till", {**till, "api_url": api_url})


def open_marketplace(
    retailer: Retailer, counterparts: Counterparts, api_url: str, *, at: datetime
) -> None:
    """The marketplace gets a key of our API, and hears of its orders by our webhooks."""
    plan = _plan(MARKETPLACE)
    key = _key_for(retailer, plan, at=at)
    endpoint = endpoints.add_endpoint(
        retailer.account_id, _hears_at(retailer, counterparts), at=at, actor=ACTOR
    )
    counterparts.tell(
        _MARKET,
        "PUT",
        "shop",
        {
            "base_url": api_url,
            "key": key,
            "webhook_secret": webhooks.secrets_of(endpoint)[0].text,
            "channel": MARKETPLACE,
        },
    )
    _stock(counterparts, _MARKET, plan, _figures(retailer))
    shops_past.tell_standing(counterparts, MARKETPLACE, retailer.channel_ids[MARKETPLACE], at=at)
    _let_in(counterparts, _MARKET, plan)


def find_marketplace(
    retailer: Retailer, counterparts: Counterparts, api_url: str, *, at: datetime
) -> None:
    """Tell the marketplace where our API is, and ourselves where it hears of its orders."""
    counterparts.tell(_MARKET, "PUT", "shop", {"base_url": api_url})
    draft = _hears_at(retailer, counterparts)
    for endpoint in webhooks.endpoints(Scope(frozenset({retailer.account_id}))):
        if endpoint.name == draft.name and endpoint.url != draft.url:
            endpoints.change_endpoint(endpoint.pk, draft, at=at, actor=ACTOR)


def tell_marketplace(retailer: Retailer, counterparts: Counterparts) -> None:
    """The retailer's listing tool uploads what can be sold; the shops are told by Switchyard itself."""
    figures = _figures(retailer)
    listed = {sku.code: figures[sku.code] for sku in _sold_by(MARKETPLACE)}
    counterparts.tell(_MARKET, "POST", "stock", listed)


def _stock(
    counterparts: Counterparts, system: str, plan: ChannelPlan, figures: Mapping[str, int]
) -> None:
    items = [
        {
            "sku": sku.code,
            "title": sku.name,
            "price": f"{sku.price_minor / 100:.2f}",
            "weight": sku.weight_grams,
            "stock": figures.get(sku.code, 0),
            "pace": sku.pace**2,
        }
        for sku in _sold_by(plan.code)
    ]
    counterparts.tell(system, "POST", "catalog", {"items": items})


def _let_in(counterparts: Counterparts, system: str, plan: ChannelPlan) -> None:
    counterparts.tell(
        system,
        "POST",
        "shopper",
        {"per_hour": ORDERS_A_DAY * plan.share / 100 / 24, "ship_to": towns(_TOWNS)},
    )


def _key_for(retailer: Retailer, plan: ChannelPlan, *, at: datetime) -> str:
    _, key = access.issue_api_key(
        account_id=retailer.account_id,
        channel_id=retailer.channel_ids[plan.code],
        name=plan.name,
        scopes=[Permission.API_ORDERS_WRITE, Permission.API_ORDERS_READ],
        at=at,
        actor=ACTOR,
    )
    return key


def _hears_at(retailer: Retailer, counterparts: Counterparts) -> endpoints.EndpointDraft:
    url = f"{counterparts.urls[_MARKET]}/webhooks"
    own = (retailer.channel_ids[MARKETPLACE],)
    return endpoints.EndpointDraft("Agora", url, ("order.*", "parcel.*"), own)


def _plan(channel: str) -> ChannelPlan:
    return next(plan for plan in CHANNELS if plan.code == channel)


def _sold_by(channel: str) -> list[SkuPlan]:
    brand = _plan(channel).brand
    return [
        sku
        for sku in catalog()
        if sku.brand == brand and sku.kind in {"stock", "kit"} and sku.price_minor
    ]


def _figures(retailer: Retailer) -> Counter[str]:
    """Units that may be promised, by SKU, over the whole network; of a kit a few."""
    skus = {sku_id: code for code, sku_id in retailer.sku_ids.items()}
    figures: Counter[str] = Counter()
    held = inventory.selectors.supply(list(skus), list(retailer.node_ids.values()))
    for (_, sku_id), position in held.items():
        figures[skus[sku_id]] += position.free
    figures.update({sku.code: _KIT_FIGURE for sku in catalog() if sku.kind == "kit"})
    return figures


def _shown(system: str) -> dict[str, str]:
    """What the shop wants to see of us."""
    if system == "shopify":
        return {"token": TOKEN}
    return {"key": _KEY, "key_secret": TOKEN}


def _kept(system: str) -> dict[str, str]:
    """The same, as our connection keeps it."""
    if system == "shopify":
        return {"access_token": TOKEN}
    return {"consumer_key": _KEY, "consumer_secret": TOKEN}
