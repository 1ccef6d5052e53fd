"""What the channels tell the registries at start-up."""

from datetime import datetime, timedelta
from typing import Final

from config.kernel import case_reports, events, registry, ticker
from config.kernel.registry import Kind
from config.kernel.services import dwell, intents, jobs
from config.kernel.types import Actor
from integrations import adapters, appliers, dialects
from integrations.channels import (
    cases,
    copies,
    handlers,
    own,
    port,
    reconciling,
    refund_reading,
    selectors,
    sending,
)
from integrations.channels.applier import ChannelApplier, accept_created
from integrations.channels.shopify import inbound as shopify
from integrations.channels.woocommerce import inbound as woocommerce
from integrations.types import OUR_API, ConnectionRef

ASK_SECONDS: Final = 60
STOCK_SECONDS: Final = 15
SEND_SECONDS: Final = 30
WAITS_AT_MOST: Final = timedelta(hours=4)


def register_all() -> None:
    """Called once, from `ready()`."""
    for spoken in (shopify, woocommerce):
        adapters.declare(spoken.DIALECT.name)
        dialects.register(spoken.DIALECT)
        appliers.register(
            spoken.DIALECT.name, ChannelApplier(spoken.understand), follow=accept_created
        )
    appliers.register(OUR_API, ChannelApplier(own.understand), follow=accept_created)
    port.register(shopify.DIALECT.name, shopify_shop)
    port.register(woocommerce.DIALECT.name, woo_shop)
    registry.register(
        Kind(
            "channel_copy",
            "Channel copy",
            lambda key: f"/admin/integrations/channelcopy/{key}/change/",
        )
    )
    case_reports.declare(*cases.KINDS)
    dwell.declare("channel_copy", "waiting", WAITS_AT_MOST, selectors.waiting_too_long)
    events.subscribe(handlers.CONSUMER, handlers.TOPICS, handlers.tell_channels)
    for kind in copies.INTENTS.values():
        intents.register(kind, sending.tell, on_answer=sending.record, find=sending.find)
    intents.register(refund_reading.READ, refund_reading.perform, on_answer=refund_reading.record)
    jobs.register(reconciling.COMPARE_JOB, reconciling.compare_items, outside=True)
    ticker.register("integrations.ask_channels", ASK_SECONDS, ask_channels)
    ticker.register("integrations.publish_stock", STOCK_SECONDS, publish_stock)
    ticker.register("integrations.send_waiting", SEND_SECONDS, send_waiting)


def shopify_shop(ref: ConnectionRef) -> port.Shop:
    """A shop behind Shopify's API; its client is loaded with the first call."""
    from integrations.channels.shopify.shop import ShopifyShop

    return ShopifyShop.of(ref)


def woo_shop(ref: ConnectionRef) -> port.Shop:
    """A shop behind WooCommerce's API; likewise."""
    from integrations.channels.woocommerce.shop import WooShop

    return WooShop.of(ref)


def ask_channels(at: datetime) -> None:
    """The sweep's step: read what pushes may have lost, and compare."""
    from integrations.channels import polling

    polling.ask_due(at=at, actor=Actor.system("integrations.ask_channels"))


def publish_stock(at: datetime) -> None:
    """The sweep's step: bring the shops' stock figures to ours."""
    from integrations.channels import stock

    stock.publish_due(at=at, actor=Actor.system("integrations.publish_stock"))


def send_waiting(at: datetime) -> None:
    """The sweep's step: send what was wanted while a connection only listened."""
    copies.ask_waiting(at=at, actor=Actor.system("integrations.send_waiting"))
