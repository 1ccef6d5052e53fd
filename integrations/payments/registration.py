"""What the payment providers tell the registries at start-up."""

from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings

from config.kernel import ticker
from config.kernel.types import Actor
from integrations import adapters, appliers, dialects
from integrations.payments import gateway
from integrations.payments.directory import ADAPTERS, ConnectedProviders
from integrations.payments.news import PaymentApplier
from orders import payments

if TYPE_CHECKING:
    from integrations.payments.gateway_client import GatewayProvider

COMPARE_SECONDS = 600


def register_all() -> None:
    """Called once, from `ready()`."""
    adapters.declare(*ADAPTERS)
    dialects.register(gateway.DIALECT)
    appliers.register(gateway.NAME, PaymentApplier(gateway.read))
    payments.register_directory(ConnectedProviders())
    if settings.FAKEPAY_URL:
        payments.register(gateway.CODE, everybodys_provider)
    ticker.register("payments.reconcile", COMPARE_SECONDS, compare)


@lru_cache(maxsize=1)
def everybodys_provider() -> "GatewayProvider":
    """The gateway of demo and development, with one connection pool per process."""
    from integrations.http import RemoteClient
    from integrations.payments.gateway_client import GatewayProvider

    return GatewayProvider(RemoteClient(gateway.CODE, settings.FAKEPAY_URL))


def compare(at: datetime) -> None:
    """The sweep's step: the providers' books beside ours."""
    from integrations.payments import comparing

    comparing.compare_all(at=at, actor=Actor.system("payments.reconcile"))
