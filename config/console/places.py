"""The places of the console: name, key, icon, address and the permission that opens each."""

from dataclasses import dataclass
from typing import Final

from config.kernel.access import Permission


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the rail; `key` follows `g` on the keyboard. `demo` are only where simulators run."""

    code: str
    label: str
    key: str
    icon: str
    url: str
    permission: Permission
    hint: str
    demo: bool = False


PLACES: Final = (
    Place("tower", "Control tower", "t", "tower", "console:tower", Permission.ORDERS_VIEW,
          "Are today's promises kept, and where not?"),
    Place("orders", "Orders", "o", "orders", "console:orders", Permission.ORDERS_VIEW,
          "Find orders and act on many at once"),
    Place("promises", "Promises", "p", "clock", "console:promises", Permission.ORDERS_VIEW,
          "What will be late, what to do about it, and what was"),
    Place("cases", "Cases", "e", "cases", "console:cases", Permission.CASES_VIEW,
          "What needs a person, by cause"),
    Place("stock", "Stock", "i", "stock", "console:stock", Permission.INVENTORY_VIEW,
          "What is free, who holds it, and why"),
    Place("nodes", "Nodes", "n", "nodes", "console:nodes", Permission.FULFILLMENT_VIEW,
          "Pick, pack, ship; pause and resume"),
    Place("carriers", "Carriers", "c", "truck", "console:carriers", Permission.FULFILLMENT_VIEW,
          "Parcels unscanned, late, in trouble; scorecard"),
    Place("returns", "Returns", "u", "back", "console:returns", Permission.RETURNS_VIEW,
          "Scan, grade, refund what comes back"),
    Place("decisions", "Decisions", "r", "decisions", "console:decisions", Permission.ROUTING_VIEW,
          "Why orders went where they went"),
    Place("jobs", "Jobs", "j", "jobs", "console:jobs", Permission.JOBS_VIEW,
          "Long actions and their results"),
    Place("channels", "Channels", "l", "channels", "console:channels",
          Permission.INTEGRATIONS_VIEW, "Connections: alive, behind, different; replay and repair"),
    Place("inbox", "Messages", "m", "inbox", "console:inbox", Permission.INTEGRATIONS_VIEW,
          "Inbox and outbox, and replay"),
    Place("health", "Health", "h", "health", "console:health", Permission.HEALTH_VIEW,
          "Outbox, deliveries, leases, workers"),
    Place("sandbox", "Sandbox", "x", "sandbox", "console:sandbox", Permission.INTEGRATIONS_MANAGE,
          "The simulated world, and what goes wrong in it", demo=True),
)  # fmt: skip
