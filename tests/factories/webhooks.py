"""Factories of endpoints that want to hear of events."""

from typing import Any

from config.kernel.models import Account
from config.kernel.types import Actor
from integrations.models import WebhookEndpoint
from integrations.webhooks_out import endpoints
from integrations.webhooks_out.endpoints import EndpointDraft
from tests.factories.kernel import NOON, AccountFactory

IDA = Actor.system("ida")


def an_endpoint(
    url: str = "https://hooks.example.com/switchyard",
    *topics: str,
    account: Account | None = None,
    **details: Any,
) -> WebhookEndpoint:
    """An enabled endpoint, made by the real command."""
    return endpoints.add_endpoint(
        (account or AccountFactory()).pk,
        EndpointDraft(
            details.pop("name", "ERP"),
            url,
            topics or ("*",),
            tuple(channel.pk for channel in details.pop("channels", ())),
        ),
        at=NOON,
        actor=IDA,
    )
