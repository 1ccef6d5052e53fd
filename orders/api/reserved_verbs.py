"""Reserved units of an order: sent from another node, or taken for it from orders that claim them less."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import clock
from config.kernel.actors import actor_of, reach_of
from config.kernel.errors import NotFound
from config.kernel.idempotency import idempotent
from inventory import selectors as inventory
from orders import services
from orders.api.requests import matched, order_id_of, read_body
from orders.selectors import orders_of_lines
from orders.types import GiveWay, ReservedMove

_REASON = "A code or a short sentence, kept in the clear: it names nobody."


class ReservedMoveInput(serializers.Serializer[Any]):
    reservation_id = serializers.UUIDField()
    node = serializers.CharField(help_text="Code of the node that is to send them.")
    quantity = serializers.IntegerField(
        required=False, min_value=1, help_text="All open units when it is absent."
    )


class MoveReservedInput(serializers.Serializer[Any]):
    moves = ReservedMoveInput(many=True, max_length=200, allow_empty=False)  # type: ignore[call-arg]  # the list's
    reason = serializers.CharField(max_length=200, help_text=_REASON)


class UnitsMovedShape(serializers.Serializer[Any]):
    moved = serializers.IntegerField(help_text="Units; all of them, or the request is refused.")


class GiveWayInput(serializers.Serializer[Any]):
    reservation_id = serializers.UUIDField(help_text="Of another order, not released yet.")
    quantity = serializers.IntegerField(
        required=False, min_value=1, help_text="All open units when it is absent."
    )


class FreeUnitsInput(serializers.Serializer[Any]):
    line_id = serializers.UUIDField(help_text="The line of this order that goes first.")
    given = GiveWayInput(many=True, max_length=50, allow_empty=False)  # type: ignore[call-arg]  # the list's
    reason = serializers.CharField(max_length=200, help_text=_REASON)
    preview = serializers.BooleanField(
        default=False, help_text="Only say what it would do now; nothing is changed."
    )


class GaveWayShape(serializers.Serializer[Any]):
    order_id = serializers.UUIDField()
    number = serializers.CharField()
    line_id = serializers.UUIDField()
    units = serializers.IntegerField()
    found = serializers.IntegerField(help_text="Units that were found elsewhere at once.")
    waits = serializers.IntegerField(help_text="Units that wait for stock now.")
    promised = serializers.DateTimeField(allow_null=True)
    promised_now = serializers.DateTimeField(allow_null=True)
    later = serializers.BooleanField(help_text="Whether its buyer has it later than promised.")


class FreedShape(serializers.Serializer[Any]):
    order_id = serializers.UUIDField()
    number = serializers.CharField()
    line_id = serializers.UUIDField()
    units = serializers.IntegerField()
    promised = serializers.DateTimeField(allow_null=True)
    promised_now = serializers.DateTimeField(allow_null=True)
    losers = GaveWayShape(many=True)


class ReservedVerbs:
    """Part of the order view set."""

    @extend_schema(request=MoveReservedInput, responses=UnitsMovedShape)
    @action(detail=True, methods=["post"], url_path="move-units")
    @idempotent
    @matched
    def move_units(self, request: Request, pk: str) -> Response:
        """Send reserved units of the order from other nodes: all of them, or none."""
        given = read_body(MoveReservedInput, request)
        codes = {move["node"] for move in given["moves"]}
        nodes = inventory.nodes_by_code(codes, reach_of(request))
        if unknown := sorted(codes - nodes.keys()):
            raise NotFound(f"There is no node {unknown[0]}.")
        ids = [move["reservation_id"] for move in given["moves"]]
        known = inventory.reservations(ids)
        if any(key not in known or known[key].thread_id != order_id_of(pk) for key in ids):
            raise NotFound("The order has no such reservation.")
        moved = services.move_reserved(
            [
                ReservedMove(move["reservation_id"], nodes[move["node"]], move.get("quantity"))
                for move in given["moves"]
            ],
            given["reason"],
            at=clock.now(),
            actor=actor_of(request),
        )
        return Response(UnitsMovedShape({"moved": moved}).data)

    @extend_schema(request=FreeUnitsInput, responses=FreedShape)
    @action(detail=True, methods=["post"], url_path="free-units")
    @idempotent
    @matched
    def free_units(self, request: Request, pk: str) -> Response:
        """Take units for a line that waits from orders that claim them less; those are sourced anew.

        Say `preview` first: it answers who loses what, and what becomes of them.
        """
        given = read_body(FreeUnitsInput, request)
        line_id = given["line_id"]
        if orders_of_lines([line_id], scope=reach_of(request)).get(line_id) != order_id_of(pk):
            raise NotFound("The order has no such line.")
        who = [GiveWay(one["reservation_id"], one.get("quantity")) for one in given["given"]]
        at, actor = clock.now(), actor_of(request)
        if given["preview"]:
            freed = services.preview_free_units(line_id, who, at=at, actor=actor)
        else:
            freed = services.free_units(line_id, who, given["reason"], at=at, actor=actor)
        return Response(FreedShape(freed).data)
