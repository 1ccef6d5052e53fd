"""The demo after its fortnight: only what people at the retailer do; the rest happens outside.

Shops, warehouses, stores, suppliers, carriers and the provider are simulated systems then. What is
left here are the retailer's own people, those of the one node without a system among them, and the
laws of nature that no system tells of: goods that arrive lie on a shelf, and a box on a dock is found
by the carrier's driver.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from config.demo.counterparts import Box, Counterparts
from config.demo.partners import NODE_SYSTEMS, system_of
from config.demo.play import Demo
from config.demo.retailer import BY_HAND, NODES
from config.demo.storefronts import tell_marketplace

_ZIPS: Final = {plan.code: plan.postal_code for plan in NODES}
_SHIPPED: Final = "shipped"


@dataclass(slots=True)
class Life:
    """One turn after another, as long as the demo runs."""

    demo: Demo
    read: dict[str, int] = field(default_factory=dict)
    """How far each system's log was read. After a restart it is read anew: a box that has left
    stays on its way."""

    def turn(self, start: datetime, end: datetime) -> None:
        """What the retailer's people do in [start, end), and where goods go by it."""
        demo = self.demo
        demo.sell_by_hand(start, end)
        demo.reorder(start, end)
        self._shelve(demo.receive(end))
        demo.floor.work_on(end)
        demo.floor.hand_out(end)
        demo.desk.work(end)
        demo.mend(end)
        demo.regrets.work(start, end)
        self._shelve(demo.regrets.shelved())
        self._dock()
        tell_marketplace(demo.retailer, self.counterparts)

    def _shelve(self, units: list[tuple[str, str, int]]) -> None:
        """(node, SKU, units) that were put away: our book knows already, and so does the shelf."""
        for node, sku, quantity in units:
            if node == BY_HAND:
                continue
            self.counterparts.tell(
                system_of(node),
                "POST",
                "move",
                {"node": node, "sku": sku, "quantity": quantity, "silently": True},
            )

    def _dock(self) -> None:
        boxes = []
        for system in NODE_SYSTEMS:
            for entry in self.counterparts.log(system, _SHIPPED, after=self.read.get(system, 0)):
                self.read[system] = int(entry["n"])
                boxes.append(
                    Box(
                        tracking_number=entry["tracking_number"],
                        from_zip=_ZIPS[entry["node"]],
                        to_zip=entry["to_zip"],
                        service="express" if entry["service"] == "two_day" else "ground",
                        at=datetime.fromisoformat(entry["at"]),
                    )
                )
        self.counterparts.dock(boxes)

    @property
    def counterparts(self) -> Counterparts:
        return self.demo.counterparts
