"""The dialects that are spoken here, by name."""

from config.kernel.errors import NotFound
from integrations.channels.dialect import Dialect
from integrations.channels.shopify.inbound import DIALECT as SHOPIFY
from integrations.channels.woocommerce.inbound import DIALECT as WOOCOMMERCE

_DIALECTS = {dialect.name: dialect for dialect in (SHOPIFY, WOOCOMMERCE)}


def dialect(name: str) -> Dialect:
    """Raises NotFound for a dialect that nobody speaks."""
    try:
        return _DIALECTS[name]
    except KeyError:
        raise NotFound(f"No channel speaks {name} here.") from None


def names() -> list[str]:
    return sorted(_DIALECTS)
