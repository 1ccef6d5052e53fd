"""Factories of carriers: a live connection, and parcels that it has."""

from typing import Any

from config.kernel.models import Account
from fulfillment.models import Parcel
from fulfillment.services import confirm_shipments
from fulfillment.types import Shipment
from integrations import services
from integrations.services import ConnectionDraft
from integrations.types import ConnectionRef
from tests.factories.fulfillment import BEN, node_for, packed, parcel
from tests.factories.inventory import SkuFactory
from tests.factories.kernel import NOON
from tests.factories.routing import SYSTEM

SECRET = "a secret that the carrier and we share"


def a_carrier(
    account: Account,
    base_url: str = "",
    *,
    adapter: str = "easypost",
    code: str = "easypost",
    **settings: Any,
) -> ConnectionRef:
    """A live connection to the carrier `haul`; what else is said are its settings."""
    ref = services.define_connection(
        ConnectionDraft(
            account.pk,
            "carrier",
            code,
            adapter,
            code,
            carrier_code="haul",
            base_url=base_url or "http://127.0.0.1:9",
            settings=settings,
            secrets={"access_token": "key-of-the-tests", "webhook_secret": SECRET},
        ),
        at=NOON,
        actor=SYSTEM,
    )
    return services.go_live(ref.id, at=NOON, actor=SYSTEM)


def on_the_way(account: Account, count: int) -> list[Parcel]:
    """Parcels of one unit that were handed to the carrier at noon, numbered T-0, T-1…"""
    node = node_for(account)
    boxes = [packed({SkuFactory(account=account): 1}, node=node)[2] for _ in range(count)]
    confirm_shipments(
        [Shipment(box.pk, f"T-{n}", "haul") for n, box in enumerate(boxes)], at=NOON, actor=BEN
    )
    return [parcel(box.pk) for box in boxes]
