"""Simulators of other companies' systems, for the demo, the tests and an integrator's machine.

They import neither Django nor anything else of this project, and are reached by HTTP alone.
"""

from typing import Final

FIRST_PORT: Final = 8900
PORTS: Final = {
    "shopify": 1,
    "woocommerce": 2,
    "marketplace": 3,
    "wms": 4,
    "stores": 5,
    "carrier": 6,
    "gateway": 7,
    "suppliers": 8,
    "mailbox": 9,
}
"""How far from the first port each simulator listens."""

SIMULATORS: Final[dict[str, str]] = {
    "shopify": "integrations.sandbox.shop_shopify:build",
    "woocommerce": "integrations.sandbox.shop_woocommerce:build",
    "marketplace": "integrations.sandbox.marketplace:build",
    "wms": "integrations.sandbox.wms:build",
    "stores": "integrations.sandbox.stores:build",
    "carrier": "integrations.sandbox.carrier:build",
    "gateway": "integrations.sandbox.gateway:build",
    "suppliers": "integrations.sandbox.suppliers:build",
    "mailbox": "integrations.sandbox.mailbox:build",
}
"""Name → "module:function" that builds it: `build(port, folder, seed) -> Simulator`."""
