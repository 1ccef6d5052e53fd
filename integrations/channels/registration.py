"""What the channels tell the registries at start-up."""

from integrations import adapters, appliers, dialects
from integrations.channels import own
from integrations.channels.applier import ChannelApplier, accept_created
from integrations.channels.shopify import inbound as shopify
from integrations.channels.woocommerce import inbound as woocommerce
from integrations.types import OUR_API


def register_all() -> None:
    """Dialects and appliers of the shops; called once, from `ready()`."""
    for spoken in (shopify, woocommerce):
        adapters.declare(spoken.DIALECT.name)
        dialects.register(spoken.DIALECT)
        appliers.register(
            spoken.DIALECT.name, ChannelApplier(spoken.understand), follow=accept_created
        )
    appliers.register(OUR_API, ChannelApplier(own.understand), follow=accept_created)
