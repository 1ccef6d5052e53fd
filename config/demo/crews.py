"""The people and machines of the demo: floor staff, carriers, customer service, buyers.

Each turn they look at what is open and call the commands that they would call in life. Everything
they decide by chance comes from one seeded source.
"""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo

import fulfillment.selectors
import fulfillment.services
import inventory.selectors
import inventory.services
import orders.services
from config.demo.counterparts import Box, Counterparts
from config.demo.made import Retailer
from config.demo.shoppers import NOW
from config.kernel.types import ALL_ACCOUNTS, Actor, ActorKind, Outcome
from fulfillment.types import (
    Acknowledgement,
    Collection,
    Pack,
    PackedOrder,
    Pick,
    Rejection,
    Shipment,
    Short,
)
from inventory.types import NodeView
from orders.selectors import destinations
from orders.types import AddressCorrection, CancelRequest, HoldRequest, NoteDraft

if TYPE_CHECKING:
    from fulfillment.models import FulfillmentOrder

FLOOR = Actor(ActorKind.NODE, "floor", "Floor staff", ALL_ACCOUNTS)
SERVICE = Actor(ActorKind.USER, "carl", "Carl Service", ALL_ACCOUNTS)
OPERATIONS = Actor(ActorKind.USER, "olivia", "Olivia Ops", ALL_ACCOUNTS)
BUYER = Actor(ActorKind.BUYER, "buyer", "Buyer", ALL_ACCOUNTS)

_SHORT_RATE = 0.012
_DAMAGED_SHARE = 0.3
_REJECT_RATE = 0.012
_COUNTED_AFTER = timedelta(hours=12)
_FOUND_SHARE = 0.3
_LABELS_SINCE = NOW - timedelta(hours=6)
"""Labels are drawn for the last hours only: the rest of the fortnight shipped under stated numbers."""


def is_open(node: NodeView, at: datetime) -> bool:
    """Whether the node's people are at work at this instant."""
    local = at.astimezone(ZoneInfo(node.timezone))
    if local.date() in node.closures:
        return False
    return any(
        hours.weekday == local.weekday() and hours.opens <= local.time() < hours.closes
        for hours in node.hours
    )


@dataclass(slots=True)
class Floor:
    """Everyone who picks, packs and hands over, at all nodes."""

    retailer: Retailer
    dice: random.Random
    counterparts: Counterparts

    def work(self, at: datetime) -> None:
        """One turn of hours: every open node takes on, picks, packs and hands over what is due."""
        nodes = self._open_nodes(at)
        if not nodes:
            return
        self._take_on(self._ids_at(nodes, "released"), at)
        self._pick(self._at(nodes, "acknowledged"), at)
        self._pack(self._ids_at(nodes, "picking"), at)
        self._leave(nodes, at)
        self._count(nodes, at)

    def work_on(self, at: datetime) -> None:
        """One turn of minutes: at the nodes without a system, each order comes one step further."""
        nodes = self._open_nodes(at, by_hand=True)
        if not nodes:
            return
        self._leave(nodes, at)
        self._pack(self._ids_at(nodes, "picking"), at)
        self._pick(self._at(nodes, "acknowledged"), at)
        self._take_on(self._ids_at(nodes, "released"), at)
        self._count(nodes, at)

    def _open_nodes(self, at: datetime, *, by_hand: bool = False) -> list[int]:
        return [
            node.id
            for node in inventory.selectors.network(self.retailer.account_id)
            if is_open(node, at) and not (by_hand and node.has_wms)
        ]

    def _leave(self, nodes: Sequence[int], at: datetime) -> None:
        leaving = self._at(nodes, "packed", "ready_for_pickup")
        self._hand_over([one for one in leaving if one.state == "packed"], at)
        self._collect([one for one in leaving if one.state != "packed"], at)

    def clear_the_floor(self, at: datetime) -> None:
        """What somebody has begun is finished by hand, before the nodes' own systems take over."""
        everywhere = list(self.retailer.node_ids.values())
        self._pick(self._at(everywhere, "acknowledged"), at)
        self._pack(self._ids_at(everywhere, "picking"), at)
        self._hand_over(self._at(everywhere, "packed"), at)

    def hand_out(self, at: datetime) -> None:
        """Buyers come for what was set aside before the stores' own systems took over."""
        everywhere = list(self.retailer.node_ids.values())
        waiting = self._at(everywhere, "ready_for_pickup")
        self._collect([one for one in waiting if one.released_at < NOW], at)

    def _at(self, node_ids: Sequence[int], *states: str) -> list["FulfillmentOrder"]:
        return list(
            fulfillment.selectors.fulfillment_orders(ALL_ACCOUNTS, node_ids=node_ids)
            .filter(state__in=states)
            .order_by("pk")
        )

    def _ids_at(self, node_ids: Sequence[int], state: str) -> list[UUID]:
        return list(
            fulfillment.selectors.fulfillment_orders(ALL_ACCOUNTS, node_ids=node_ids)
            .filter(state=state)
            .order_by("pk")
            .values_list("pk", flat=True)
        )

    def _count(self, node_ids: Sequence[int], at: datetime) -> None:
        """Shelves that a picker found short are counted within half a day; some are found again."""
        for request in inventory.selectors.count_requests(ALL_ACCOUNTS, node_ids):
            if at - request.opened_at < _COUNTED_AFTER:
                continue
            place = (request.node_id, request.sku_id)
            position = inventory.selectors.supply([request.sku_id], [request.node_id])[place]
            found = 1 if self.dice.random() < _FOUND_SHARE else 0
            inventory.services.answer_count(
                request.pk, position.sellable + found, at=at, actor=FLOOR
            )

    def _take_on(self, waiting: Sequence[UUID], at: datetime) -> None:
        refused = {one: None for one in waiting if self.dice.random() < _REJECT_RATE}
        if refused:
            fulfillment.services.reject(
                [Rejection(one, self.dice.choice(("no_capacity", "other"))) for one in refused],
                at=at,
                actor=FLOOR,
            )
        if accepted := [one for one in waiting if one not in refused]:
            fulfillment.services.acknowledge(
                [Acknowledgement(one) for one in accepted], at=at, actor=FLOOR
            )

    def _pick(self, taken_on: Sequence["FulfillmentOrder"], at: datetime) -> None:
        picks: list[Pick] = []
        shorts: list[Short] = []
        for one in taken_on:
            for line in one.lines.all():
                wanted = line.waiting + line.accepted + line.picked
                missing = 1 if wanted and self.dice.random() < _SHORT_RATE else 0
                if missing:
                    damaged = self.dice.random() < _DAMAGED_SHARE
                    reason = "damaged" if damaged else "missing"
                    shorts.append(Short(line.pk, line.short + missing, reason))
                if wanted - missing:
                    picks.append(Pick(line.pk, wanted - missing + line.packed + line.shipped))
        if shorts:
            fulfillment.services.report_shorts(shorts, at=at, actor=FLOOR)
        if picks:
            fulfillment.services.record_picks(picks, at=at, actor=FLOOR)

    def _pack(self, picked: Sequence[UUID], at: datetime) -> None:
        if not picked:
            return
        packed = fulfillment.services.record_packs(
            [Pack(one) for one in picked], at=at, actor=FLOOR
        )
        if at >= _LABELS_SINCE:
            parcels = [parcel for done in _values(packed) for parcel in done.parcel_ids]
            fulfillment.services.request_labels(parcels, at=at, actor=FLOOR)

    def _hand_over(self, packed: Sequence["FulfillmentOrder"], at: datetime) -> None:
        """What is packed is put on the dock, for the carrier's next driver."""
        shipments: list[Shipment] = []
        boxes: list[Box] = []
        towns = destinations([one.group_id for one in packed])
        for one in packed:
            for parcel in one.parcels.all():
                if parcel.state not in {"packed", "labelled", "manifested"} or parcel.label_pending:
                    continue
                carrier = "bluevan" if _is_express(one) else "parcelpost"
                number = parcel.tracking_number or f"{carrier[:2].upper()}{parcel.number[2:]}US"
                shipments.append(Shipment(parcel.pk, number, parcel.carrier_code or carrier))
                boxes.append(
                    Box(
                        tracking_number=number,
                        from_zip=one.node.postal_code,
                        to_zip=towns[one.group_id].address.postal_code,
                        service="express" if _is_express(one) else "ground",
                        at=at,
                    )
                )
        if shipments:
            fulfillment.services.confirm_shipments(shipments, at=at, actor=FLOOR)
            self.counterparts.dock(boxes)

    def _collect(self, ready: Sequence["FulfillmentOrder"], at: datetime) -> None:
        coming = [one for one in ready if self.dice.random() < 0.15]  # a turn
        if coming:
            fulfillment.services.collect(
                [Collection(one.pk, collected_by="buyer") for one in coming], at=at, actor=FLOOR
            )


@dataclass(slots=True)
class Desk:
    """Customer service, operations and the buyers who change their minds."""

    retailer: Retailer
    dice: random.Random
    chores: list[tuple[datetime, str, UUID]] = field(default_factory=list)

    def later(self, due: datetime, chore: str, subject: UUID) -> None:
        self.chores.append((due, chore, subject))

    def work(self, at: datetime) -> None:
        """Do the chores that are due, each kind as one batch."""
        due = [chore for chore in self.chores if chore[0] <= at]
        self.chores = [chore for chore in self.chores if chore[0] > at]
        by_kind: defaultdict[str, list[UUID]] = defaultdict(list)
        for _, kind, subject in sorted(due):
            by_kind[kind].append(subject)
        if suspects := by_kind["suspect"]:
            orders.services.place_holds(
                [
                    HoldRequest(order, "fraud", "Card country and address do not match.")
                    for order in suspects
                ],
                at=at,
                actor=Actor.system("fraud screen"),
            )
        if cleared := by_kind["clear"]:
            orders.services.release_holds_of_orders(
                cleared, "Checked with the buyer.", at=at, actor=OPERATIONS
            )
        self._cancel(by_kind["regret"], "Buyer changed their mind", "buyer", at, BUYER)
        self._cancel(by_kind["drop"], "Not paid in time", "merchant", at, OPERATIONS)
        if asked := by_kind["note"]:
            orders.services.add_notes(
                [NoteDraft(order, "Buyer asked when it ships.") for order in asked],
                at=at,
                actor=SERVICE,
            )

    def correct(self, corrections: Sequence[AddressCorrection], at: datetime) -> None:
        orders.services.correct_addresses(corrections, at=at, actor=SERVICE)

    def _cancel(
        self, subjects: Sequence[UUID], reason: str, initiator: str, at: datetime, actor: Actor
    ) -> None:
        if subjects:
            orders.services.cancel_units(
                [CancelRequest(order, reason=reason, initiator=initiator) for order in subjects],
                at=at,
                actor=actor,
            )


def _values(outcomes: Sequence[Outcome[PackedOrder]]) -> list[PackedOrder]:
    return [outcome.value for outcome in outcomes if outcome.value is not None]


def _is_express(one: "FulfillmentOrder") -> bool:
    return one.service_level is not None and one.service_level.code == "two_day"
