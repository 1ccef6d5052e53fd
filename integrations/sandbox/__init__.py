"""Simulators of other companies' systems, for the demo, the tests and an integrator's machine.

They import neither Django nor anything else of this project, and are reached by HTTP alone.
"""

from typing import Final

FIRST_PORT: Final = 8900
PORTS: Final = {"wms": 4, "carrier": 6, "mailbox": 9}
"""How far from the first port each simulator listens."""

SIMULATORS: Final[dict[str, str]] = {
    "wms": "integrations.sandbox.wms:build",
    "carrier": "integrations.sandbox.carrier:build",
    "mailbox": "integrations.sandbox.mailbox:build",
}
"""Name → "module:function" that builds it: `build(port, folder, seed) -> Simulator`."""
