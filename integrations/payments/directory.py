"""Which payment providers an account has connected, for the payments port."""

from typing import TYPE_CHECKING, Final
from uuid import UUID

from integrations import connections
from integrations.payments import gateway
from integrations.states import ConnectionKind
from integrations.types import ConnectionRef

if TYPE_CHECKING:
    from integrations.payments.gateway_client import GatewayProvider

ADAPTERS: Final = (gateway.NAME,)


def provider_of(ref: ConnectionRef) -> "GatewayProvider":
    """The adapter of a connection. What speaks HTTP is loaded with the first question to it."""
    from integrations.payments.gateway_client import GatewayProvider

    return GatewayProvider(connections.client(ref), mode=str(ref.settings.get("renewals", "new")))


class ConnectedProviders:
    """Implements `orders.payments.Directory` over the connections: a tender names one by its code."""

    def provider(self, account_id: UUID, code: str) -> "GatewayProvider | None":
        ref = connections.by_code(ConnectionKind.PAYMENTS, code, account_id=account_id)
        return provider_of(ref) if ref is not None and ref.adapter in ADAPTERS else None

    def codes(self) -> list[tuple[UUID, str]]:
        found = connections.of_adapter(*ADAPTERS, live_only=True)
        return [(ref.account_id, ref.code) for ref in found]
