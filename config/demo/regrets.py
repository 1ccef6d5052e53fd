"""Buyers who send goods back, and the people at the nodes who look at what came.

Nothing is remembered here: what is due follows from what stands in the returns.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

import inventory.selectors
import returns.services
from config.demo.counterparts import Box, Counterparts
from config.demo.crews import BUYER, FLOOR, OPERATIONS
from config.demo.made import Retailer
from config.kernel.types import ALL_ACCOUNTS
from config.reports import deliveries
from orders.selectors import destinations
from orders.selectors.groups import shipping_groups
from returns import selectors
from returns.states import ReturnState
from returns.types import Authorization, Finding, Receipt, RequestedUnits, ReturnRequest

if TYPE_CHECKING:
    from returns.models import Return

SHARE: Final = 0.05
"""Of the orders that were delivered, so many are regretted in part."""
_THOUGHT: Final = timedelta(days=1)
_AWAY: Final = timedelta(days=3)
_REASONS: Final = (
    ("changed_mind", 38),
    ("does_not_fit", 27),
    ("not_as_described", 12),
    ("defective", 12),
    ("damaged", 7),
    ("wrong_item", 4),
)
_LIKE_NEW: Final = "A"
_DELIVERED: Final = "delivered"
_GRADES: Final = (("A", 68), ("B", 17), ("C", 10), ("D", 5))


@dataclass(slots=True)
class Regrets:
    """All returns of the retailer, at every stage of their way."""

    retailer: Retailer
    dice: random.Random
    counterparts: Counterparts
    restocked: list[tuple[str, str, int]] = field(default_factory=list)
    brought: set[str] = field(default_factory=set)
    read: int = 0
    """How far the carrier's log was read, for what it has brought."""

    def work(self, start: datetime, end: datetime) -> None:
        """Ask for what was delivered a day before [start, end); move on what is under way."""
        self._settle(end)
        self._grade(end)
        self._receive(end)
        self._authorize(end)
        self._ask(start - _THOUGHT, end - _THOUGHT, end)

    def _ask(self, start: datetime, end: datetime, at: datetime) -> None:
        wishes = []
        for order in deliveries.delivered(start, end, scope=ALL_ACCOUNTS):
            if self.dice.random() >= SHARE:
                continue
            line = self.dice.choice(order.lines)
            units = self.dice.randint(1, line.quantity)
            reason = self._drawn(_REASONS)
            wishes.append(
                ReturnRequest(order.order_id, (RequestedUnits(line.line_id, units, reason),))
            )
        if wishes:
            returns.services.request_returns(wishes, at=at, actor=BUYER)

    def _authorize(self, at: datetime) -> None:
        """What the policy has nothing against may come; of what it wants looked at, most."""
        asked = self._of(ReturnState.REQUESTED, ReturnState.REVIEW)
        fine = [
            Authorization(one.pk)
            for one in asked
            if one.state == ReturnState.REQUESTED or self.dice.random() < 0.5
        ]
        if not fine:
            return
        returns.services.authorize_returns(fine, at=at, actor=OPERATIONS)

    def _receive(self, at: datetime) -> None:
        """Boxes are posted the day after, and arrive when the carrier has brought them."""
        coming = self._of(ReturnState.AUTHORIZED, ReturnState.IN_TRANSIT)
        self._post([one for one in coming if one.state == ReturnState.AUTHORIZED], at)
        self._read_scans()
        here = [
            Receipt(one.pk, one.node_id, ())
            for one in coming
            if one.node_id is not None and self._has_come(one, at) and self.dice.random() < 0.6
        ]
        if here:
            returns.services.receive_returns(here, at=at, actor=FLOOR)

    def _read_scans(self) -> None:
        """What the carrier has brought since its log was last read."""
        for scan in self.counterparts.log("carrier", "scan", after=self.read):
            self.read = int(scan["n"])
            if scan["status"] == _DELIVERED:
                self.brought.add(scan["code"])

    def _has_come(self, one: "Return", at: datetime) -> bool:
        """With a label, once the carrier has brought it; otherwise after some days."""
        if one.tracking_number:
            return one.tracking_number in self.brought
        return one.authorized_at is not None and at - one.authorized_at > _AWAY

    def _post(self, fresh: Sequence["Return"], at: datetime) -> None:
        """With a label, a box goes by the carrier; it is not posted twice."""
        labelled = [one for one in fresh if one.tracking_number and one.node_id]
        if not labelled:
            return
        nodes = {
            node.id: node.postal_code
            for node in inventory.selectors.network(self.retailer.account_id)
        }
        homes = _postal_codes([one.order_id for one in labelled if one.order_id])
        boxes = []
        for one in labelled:
            goes_to = nodes[one.node_id or 0]
            # Who had it handed out at a store brings it where it goes to.
            comes_from = homes.get(one.order_id or one.pk, goes_to)
            boxes.append(Box(one.tracking_number, comes_from, goes_to, "ground", at))
        self.counterparts.dock(boxes)

    def _grade(self, at: datetime) -> None:
        nodes = {node_id: code for code, node_id in self.retailer.node_ids.items()}
        findings = []
        for one in self._of(ReturnState.RECEIVED):
            for line in one.lines.all():
                if not line.received:
                    continue
                grade = self._drawn(_GRADES)
                findings.append(Finding(line.pk, line.received, grade))
                if grade == _LIKE_NEW and one.node_id in nodes and line.sku is not None:
                    self.restocked.append((nodes[one.node_id], line.sku.code, line.received))
        if findings:
            returns.services.inspect_returns(findings, at=at, actor=FLOOR)

    def _settle(self, at: datetime) -> None:
        done: list[UUID] = [one.pk for one in self._of(ReturnState.INSPECTED)]
        if done:
            returns.services.settle_returns(done, at=at, actor=OPERATIONS)

    def _drawn(self, odds: Sequence[tuple[str, int]]) -> str:
        return self.dice.choices([word for word, _ in odds], [share for _, share in odds])[0]

    def shelved(self) -> list[tuple[str, str, int]]:
        """(node, SKU, units) that went back on a shelf since this was last asked."""
        went, self.restocked = self.restocked, []
        return went

    def _of(self, *states: str) -> list["Return"]:
        found = selectors.returns_matching(ALL_ACCOUNTS).filter(state__in=states)
        return list(found.order_by("pk").prefetch_related("lines"))


def _postal_codes(order_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Where the buyers of these orders live, as far as their orders went there."""
    groups = shipping_groups(order_ids)
    towns = destinations(groups)
    return {
        order_id: towns[group_id].address.postal_code
        for group_id, order_id in groups.items()
        if group_id in towns
    }
