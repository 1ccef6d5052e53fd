"""Factories of the integrations' models."""

import base64
import hashlib
import hmac
import json
from typing import Any

import factory
from factory.django import DjangoModelFactory

from config.kernel.models import Channel
from integrations.models import ChannelCredential, ImportRun, InboxMessage
from integrations.services import set_secret
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


def a_secret(channel: Channel, kind: str = "shopify_webhook") -> ChannelCredential:
    """The channel's secret, set by command."""
    return set_secret(channel.pk, kind, SECRET, at=NOON, actor=SYSTEM)


def signed(document: Any, secret: str = SECRET) -> tuple[bytes, str]:
    """The bytes of a document and their signature as Shopify and WooCommerce make it."""
    raw = json.dumps(document).encode()
    digest = hmac.new(secret.encode(), raw, hashlib.sha256).digest()
    return raw, base64.b64encode(digest).decode()
