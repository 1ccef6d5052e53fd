"""What is changed of an order under way: where it goes, which node sends it, what is noted on it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import clock
from config.kernel.actors import actor_of, reach_of
from config.kernel.errors import Invalid, NotFound
from config.kernel.idempotency import idempotent
from config.kernel.types import Outcome
from inventory import selectors as inventory
from orders import selectors, services
from orders.api import shapes
from orders.api.parsing import Reading, read_address
from orders.api.requests import matched, order_id_of, read_body, refusal_of
from orders.types import Address, AddressCorrection, ChoiceGiven, NodePin, NoteDraft


class ChangeVerbs:
    """Part of the order view set."""

    @extend_schema(request=shapes.AddressInput, responses=shapes.ChangedShape)
    @action(detail=True, methods=["post"], url_path="correct-address")
    @idempotent
    @matched
    def correct_address(self, request: Request, pk: str) -> Response:
        """Give a delivery group another destination, and plan it anew."""
        given = read_body(shapes.AddressInput, request)
        group_id = _own_group(request, order_id_of(pk), given["group_id"])
        address = _address(given["address"])
        (outcome,) = services.correct_addresses(
            [AddressCorrection(group_id, address)], at=clock.now(), actor=actor_of(request)
        )
        return _changed(outcome)

    @extend_schema(request=shapes.PinInput, responses=shapes.ChangedShape)
    @action(detail=True, methods=["post"])
    @idempotent
    @matched
    def pin(self, request: Request, pk: str) -> Response:
        """Send what is unreleased of a delivery group from this node; null lets routing choose."""
        given = read_body(shapes.PinInput, request)
        group_id, node_id = _own_group(request, order_id_of(pk), given["group_id"]), None
        if given["node"] is not None:
            node_id = inventory.nodes_by_code([given["node"]], reach_of(request)).get(given["node"])
            if node_id is None:
                raise NotFound("There is no such node.")
        (outcome,) = services.pin_groups(
            [NodePin(group_id, node_id)], at=clock.now(), actor=actor_of(request)
        )
        return _changed(outcome)

    @extend_schema(request=shapes.PickupChoiceInput, responses=shapes.PickupChoiceShape)
    @action(detail=True, methods=["post"], url_path="pickup-choice")
    @idempotent
    @matched
    def pickup_choice(self, request: Request, pk: str) -> Response:
        """Say what the buyer wants instead of a pickup that its store gave up. It takes effect once."""
        given = read_body(shapes.PickupChoiceInput, request)
        group_id = _own_group(request, order_id_of(pk), given["group_id"])
        address, node_id = None, None
        if given.get("node"):
            node_id = inventory.nodes_by_code([given["node"]], reach_of(request)).get(given["node"])
            if node_id is None:
                raise NotFound("There is no such node.")
        if given.get("address"):
            address = _address(given["address"])
        made = services.choose_instead(
            ChoiceGiven(group_id, given["choice"], "agent", node_id, address),
            at=clock.now(),
            actor=actor_of(request),
        )
        return Response(shapes.PickupChoiceShape(made).data)

    @extend_schema(request=shapes.NoteInput, responses=shapes.ChangedShape)
    @action(detail=True, methods=["post"])
    @idempotent
    @matched
    def notes(self, request: Request, pk: str) -> Response:
        """Write something down about the order; it is kept sealed."""
        given = read_body(shapes.NoteInput, request)
        (outcome,) = services.add_notes(
            [NoteDraft(order_id_of(pk), given["text"])], at=clock.now(), actor=actor_of(request)
        )
        return _changed(outcome)


def _address(given: Mapping[str, Any]) -> Address:
    """The address as it was sent. Raises Invalid for one that cannot be read."""
    reading = Reading()
    address = read_address(reading, given, "/address")
    if reading.errors:
        raise Invalid("The address cannot be read.", errors=reading.errors)
    return address


def _own_group(request: Request, order_id: UUID, group_id: UUID) -> UUID:
    """The delivery group, when it is one of the order. Raises NotFound."""
    if selectors.orders_of_groups([group_id], scope=reach_of(request)).get(group_id) != order_id:
        raise NotFound("The order has no such delivery group.")
    return group_id


def _changed(outcome: Outcome[Any]) -> Response:
    if outcome.value is None:
        raise refusal_of(outcome)
    return Response({"id": str(outcome.value), "outcome": outcome.kind.value})
