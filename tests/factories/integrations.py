"""Factories of the integrations' models."""

import base64
import hashlib
import hmac
import json
from typing import Any

import factory
from factory.django import DjangoModelFactory

from config.kernel.models import Channel
from integrations import services
from integrations.models import Connection, ImportRun, InboxMessage
from integrations.services import ConnectionDraft
from integrations.types import ConnectionRef
from tests.factories.kernel import NOON, ChannelFactory
from tests.factories.routing import SYSTEM

SECRET = "a secret that the channel and we share"


class InboxMessageFactory(DjangoModelFactory):
    class Meta:
        model = InboxMessage

    channel = factory.SubFactory(ChannelFactory)
    account = factory.SelfAttribute("channel.account")
    source = factory.LazyAttribute(lambda message: f"shopify:{message.channel.code}")
    external_id = factory.Sequence("message-{}".format)
    kind = "orders/create"
    received_at = NOON


class ImportRunFactory(DjangoModelFactory):
    class Meta:
        model = ImportRun

    channel = factory.SubFactory(ChannelFactory)
    account = factory.SelfAttribute("channel.account")
    format = "csv"
    mode = "live"
    file_name = "orders.csv"
    file_sha256 = factory.Sequence("{:064}".format)
    started_at = NOON
    actor_id = "tests"


class ConnectionFactory(DjangoModelFactory):
    """A row as the command leaves it, without secrets."""

    class Meta:
        model = Connection

    channel = factory.SubFactory(ChannelFactory)
    account = factory.SelfAttribute("channel.account")
    kind = "channel"
    adapter = "shopify"
    code = factory.Sequence("shop-{}".format)
    name = factory.LazyAttribute(lambda connection: f"Shop {connection.code}")
    changed_at = NOON


def a_connection(
    channel: Channel, adapter: str = "shopify", *, live: bool = False, **changes: Any
) -> ConnectionRef:
    """The channel's shop, set up by command, with a webhook secret."""
    values: dict[str, Any] = {
        "account_id": channel.account_id,
        "kind": "channel",
        "code": channel.code,
        "adapter": adapter,
        "name": f"{adapter} {channel.code}",
        "channel_id": channel.pk,
        "secrets": {"webhook_secret": SECRET},
    }
    ref = services.define_connection(ConnectionDraft(**(values | changes)), at=NOON, actor=SYSTEM)
    return services.go_live(ref.id, at=NOON, actor=SYSTEM) if live else ref


def signed(document: Any, secret: str = SECRET) -> tuple[bytes, str]:
    """The bytes of a document and their signature as Shopify and WooCommerce make it."""
    raw = json.dumps(document).encode()
    digest = hmac.new(secret.encode(), raw, hashlib.sha256).digest()
    return raw, base64.b64encode(digest).decode()
