"""Factories of warehouses that speak the protocol: connections, events and messages."""

import itertools
import json
from datetime import datetime, timedelta
from typing import Any

from config.kernel import ids
from config.kernel.models import CaseReport
from config.kernel.types import ALL_ACCOUNTS
from fulfillment.models import FulfillmentOrder
from integrations import services
from integrations.models import InboxMessage
from integrations.services import ConnectionDraft, Found
from integrations.types import ConnectionRef
from inventory.models import Node, Sku
from tests.factories.fulfillment import Placed, node_for, released
from tests.factories.inventory import SkuFactory
from tests.factories.kernel import NOON
from tests.factories.routing import SYSTEM

SECRET = "a secret that the warehouse and we share"
TOKEN = "a token that we show the warehouse"
LATER = NOON + timedelta(minutes=10)
_numbers = itertools.count(1)


def a_warehouse(
    sku: Sku | None = None, *, live: bool = True, **changes: Any
) -> tuple[ConnectionRef, Sku, Node]:
    """A node whose system speaks the protocol, and a SKU that lies there."""
    item = sku or SkuFactory()
    node = changes.pop("node", None) or node_for(item.account, has_wms=True)
    values: dict[str, Any] = {
        "account_id": item.account_id,
        "kind": "warehouse",
        "code": f"wms-{node.pk}",
        "adapter": "wms",
        "name": f"The system of {node.code}",
        "node_id": node.pk,
        "base_url": "http://127.0.0.1:9",
        "secrets": {"webhook_secret": SECRET, "access_token": TOKEN},
    }
    ref = services.define_connection(ConnectionDraft(**(values | changes)), at=NOON, actor=SYSTEM)
    if live:
        ref = services.go_live(ref.id, at=NOON, actor=SYSTEM)
    return ref, item, node


def sent(
    ref: ConnectionRef, sku: Sku, node: Node, units: int = 2
) -> tuple[Placed, FulfillmentOrder]:
    """Work that was released to the warehouse."""
    del ref
    return released({sku: units}, node=node)


def event(kind: str, *, at: datetime = NOON, **facts: Any) -> dict[str, Any]:
    """One event of the protocol, with an id of its own unless it is given one."""
    return {
        "id": facts.pop("id", f"e-{next(_numbers)}"),
        "type": kind,
        "at": at.isoformat(),
        **facts,
    }


def units(quantity: int, line: int = 1, **more: Any) -> list[dict[str, Any]]:
    return [{"line": line, "quantity": quantity, **more}]


def message(*events: dict[str, Any], key: str = "") -> Found:
    body = {"version": 1, "id": key or f"m-{next(_numbers)}", "events": list(events)}
    return Found(body["id"], events[0]["type"] if events else "events", json.dumps(body).encode())


def tell(ref: ConnectionRef, *events: dict[str, Any], at: datetime = LATER) -> InboxMessage:
    """Take in one message of these events; the message as it stands then."""
    kept = services.take_in_all(ref, [message(*events)], at=at, actor=ref.actor())[0]
    found: InboxMessage = InboxMessage.objects.for_scope(ALL_ACCOUNTS).get(pk=kept.id)
    return found


def cases(kind: str) -> set[str]:
    """The keys of the cases of a kind: however often reported, one each."""
    return set(CaseReport.objects.filter(kind=kind).values_list("dedupe_key", flat=True))


def no_such_id() -> str:
    return str(ids.uuid7())
