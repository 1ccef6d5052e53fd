"""How Switchyard and the retailer's partners come to know of each other: a connection on each side."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import inventory.selectors
from config.demo.counterparts import Counterparts
from config.demo.drafts import PROVIDER
from config.demo.made import ACTOR, Retailer
from config.demo.retailer import BY_HAND, CARRIERS, NODES, NodePlan
from config.demo.shoppers import place_of
from integrations import connections, services
from integrations.services import ConnectionDraft
from integrations.states import ConnectionKind
from integrations.warehouses import stocktaking

SECRET: Final = "demo: signs what the simulators send"  # noqa: S105  # guards nothing
TOKEN: Final = "demo: opens the simulators to us"  # noqa: S105  # guards nothing
_PICKUP_AT: Final = "04:00"
"""When the drivers come, in UTC: late in the evening of every node."""
_SYSTEMS: Final = {"dc": "wms", "threepl": "wms", "store": "stores", "supplier": "suppliers"}
CONNECTED: Final = tuple(plan for plan in NODES if plan.code != BY_HAND)
NODE_SYSTEMS: Final = tuple(dict.fromkeys(_SYSTEMS.values()))
_SYSTEM_NAMES: Final = {
    "dc": "warehouse system",
    "threepl": "warehouse system",
    "store": "store system",
    "supplier": "supplier's portal",
}
_ADAPTERS: Final = {"supplier": "supplier"}
_ODDS: Final = {"late": 0.01, "dispute": 0.004, "bounce": 0.01}
_SERVICES: Final = {
    "parcelpost": {"standard": "GroundAdvantage", "*": "GroundAdvantage"},
    "bluevan": {"two_day": "Express", "*": "Express"},
}


def connect_carriers(retailer: Retailer, counterparts: Counterparts, *, at: datetime) -> None:
    """Both carriers, by one carrier's system: it sells labels, takes boxes along and scans."""
    counterparts.tell("carrier", "PUT", "setup", {"api_key": TOKEN, "pickup_at": _PICKUP_AT})
    for name in CARRIERS:
        code = name.lower()
        connect(
            ConnectionDraft(
                account_id=retailer.account_id,
                kind="carrier",
                code=code,
                adapter="easypost",
                name=CARRIERS[name],
                carrier_code=code,
                base_url=counterparts.urls["carrier"],
                settings={"services": _SERVICES[code], "silent_minutes": 120},
                secrets={"access_token": TOKEN, "webhook_secret": SECRET},
            ),
            at=at,
        )


def connect_gateway(retailer: Retailer, counterparts: Counterparts, *, at: datetime) -> None:
    """The payment provider: a few answers are lost, a few captures late, a few buyers dispute."""
    counterparts.tell("gateway", "PUT", "setup", {"api_key": TOKEN, "odds": _ODDS})
    connect(
        ConnectionDraft(
            account_id=retailer.account_id,
            kind="payments",
            code=PROVIDER,
            adapter="gateway",
            name="Payment gateway",
            base_url=counterparts.urls["gateway"],
            secrets={"access_token": TOKEN, "webhook_secret": SECRET},
        ),
        at=at,
    )


def hear_gateway(counterparts: Counterparts, hooks_url: str) -> None:
    """What turns out late is pushed to us from now on; until then it is asked for."""
    counterparts.subscribe_to_gateway(f"{hooks_url}/gateway/{PROVIDER}", SECRET, token=TOKEN)


def connect_mail(retailer: Retailer, counterparts: Counterparts, *, at: datetime) -> None:
    """A mail server that keeps what buyers are written: nobody is written to before."""
    mailbox = counterparts.urls["mailbox"]
    connect(
        ConnectionDraft(
            account_id=retailer.account_id,
            kind="mail",
            code="post",
            adapter="smtp",
            name="Post",
            base_url=mailbox,
            settings={"host": "127.0.0.1", "port": int(mailbox.rpartition(":")[2]) + 1},
        ),
        at=at,
    )


def hear_carriers(counterparts: Counterparts, hooks_url: str) -> None:
    """Scans are pushed to us from now on; until then they are asked for.

    One address is enough: a number names its parcel whichever connection the news came by.
    """
    counterparts.subscribe_to_carrier(f"{hooks_url}/easypost/parcelpost", SECRET, token=TOKEN)


def connect_nodes(
    retailer: Retailer,
    counterparts: Counterparts,
    hooks_url: str,
    *,
    shelves: Mapping[str, Mapping[str, int]],
    lots: Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]] | None = None,
    at: datetime,
) -> None:
    """Nodes by the systems that work there: what they have on their shelves is nearly what we think.

    Their stock is compared by night, so that the first difference is found by a picker.
    """
    for plan in CONNECTED:
        system = system_of(plan.code)
        code = f"node-{plan.code.lower()}"
        counterparts.tell(
            system,
            "PUT",
            "shelves",
            {
                "node": plan.code,
                "webhook_url": f"{hooks_url}/{_ADAPTERS.get(plan.kind, 'wms')}/{code}",
                "secret": SECRET,
                "token": TOKEN,
                "pickups": [_pickup_at(plan, at)],
                "shelves": shelves.get(plan.code, {}),
                "lots": (lots or {}).get(plan.code, {}),
                "stocktakes": plan.kind == "dc",
                **_hours(plan),
            },
        )
        connect(
            ConnectionDraft(
                account_id=retailer.account_id,
                kind="warehouse",
                code=code,
                adapter=_ADAPTERS.get(plan.kind, "wms"),
                name=f"{plan.name}: {_SYSTEM_NAMES[plan.kind]}",
                node_id=retailer.node_ids[plan.code],
                base_url=f"{counterparts.urls[system]}/{plan.code}",
                settings={"stock_every_minutes": 24 * 60},
                secrets={"access_token": TOKEN, "webhook_secret": SECRET},
                expected_every=24 * 3600,
            ),
            at=at,
        )


def system_of(node: str) -> str:
    """The simulator that runs a node."""
    kind = next(plan.kind for plan in NODES if plan.code == node)
    return _SYSTEMS[kind]


def book(retailer: Retailer) -> dict[str, dict[str, int]]:
    """What we believe lies at each node, whoever owns it, by SKU code."""
    nodes = {node_id: code for code, node_id in retailer.node_ids.items()}
    skus = {sku_id: code for code, sku_id in retailer.sku_ids.items()}
    book: dict[str, dict[str, int]] = {}
    for (node_id, sku_id), held in inventory.selectors.supply(skus, nodes).items():
        theirs = sum(part.sellable for part in held.consigned)
        book.setdefault(nodes[node_id], {})[skus[sku_id]] = held.sellable + theirs
    return book


def _hours(plan: NodePlan) -> dict[str, str]:
    """When a store's people are there."""
    if plan.kind != "store":
        return {}
    opens, closes = plan.hours
    zone = str(place_of(plan.postal_code)["timezone"])
    return {"opens": f"{opens:%H:%M}", "closes": f"{closes:%H:%M}", "timezone": zone}


def _pickup_at(plan: NodePlan, at: datetime) -> str:
    """When the carrier comes for what is packed, in UTC: at the cutoff that is promised by."""
    zone = ZoneInfo(str(place_of(plan.postal_code)["timezone"]))
    local = datetime.combine(at.date(), plan.cutoff, zone)
    return f"{local.astimezone(UTC):%H:%M}"


def connect(draft: ConnectionDraft, *, at: datetime) -> None:
    """Set a connection up, and send over it; one that is there learns a new address at most."""
    known = connections.by_code(draft.kind, draft.code)
    if known is not None and known.base_url == draft.base_url:
        return
    ref = services.define_connection(draft, at=at, actor=ACTOR)
    if known is None:
        if draft.kind == ConnectionKind.WAREHOUSE:
            connections.move_cursor(ref.id, stocktaking.TAKEN, {"at": at.isoformat()})
        services.go_live(ref.id, at=at, actor=ACTOR)
