"""Who holds what: reservations by their holder, SKU, node or state; what a cart holds goes elsewhere."""

from collections.abc import Sequence
from typing import Any, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import clock
from config.kernel.access import Permission
from config.kernel.actors import actor_of, channel_of_key, nodes_in_reach, reach_of
from config.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from config.kernel.idempotency import idempotent
from config.kernel.pagination import KeysetPagination
from config.kernel.permissions import needs
from inventory import selectors, services
from inventory.api.reading import read_body, uuid_of
from inventory.models import Reservation, StockPosition
from inventory.states import OPEN_RESERVATION_STATES, ReservationState

MOST_SET_ASIDE: Final = 200
SEE: Final = (
    Permission.INVENTORY_VIEW,
    Permission.API_STOCK_WRITE,
    Permission.API_ORDERS_READ,
)
READS: Final = frozenset({"list", "set_aside"})


class ReservationShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    state = serializers.CharField()
    sku_id = serializers.IntegerField()
    node_id = serializers.IntegerField(allow_null=True)
    demand_id = serializers.UUIDField(help_text="The order line, or what a cart wants.")
    thread_id = serializers.UUIDField(help_text="The order, transfer or cart's hold.")
    quantity = serializers.IntegerField()
    consumed = serializers.IntegerField()
    released = serializers.IntegerField()
    open = serializers.IntegerField(help_text="Units that it still claims.")
    priority = serializers.IntegerField()
    promised_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True, help_text="Of what a cart holds.")
    at = serializers.DateTimeField()


class SetAsideShape(serializers.Serializer[Any]):
    position_id = serializers.IntegerField(source="id")
    sku = serializers.CharField(source="sku.code")
    node = serializers.CharField(source="node.code")
    units = serializers.IntegerField(source="landed", help_text="Set aside for who waits.")


class SetAsideListShape(serializers.Serializer[Any]):
    results = SetAsideShape(many=True)


class HeldMoveInput(serializers.Serializer[Any]):
    node = serializers.CharField(help_text="Code of the node that is to hold them.")
    quantity = serializers.IntegerField(
        required=False, min_value=1, help_text="All open units when it is absent."
    )


class HeldMovedShape(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="Of the reservation at the other node.")


class ReservationViewSet(viewsets.GenericViewSet[Reservation]):
    """Claims on stock: open ones, or all of one holder."""

    serializer_class = ReservationShape
    pagination_class = KeysetPagination
    keyset_order = ("-id",)
    queryset = Reservation.objects.none()

    def get_permissions(self) -> Sequence[Any]:
        return [needs(*(SEE if self.action in READS else (Permission.INVENTORY_CLAIM,)))()]

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "thread", OpenApiTypes.UUID, description="All of one holder, ended ones too."
            ),
            OpenApiParameter("sku", str, description="SKU code."),
            OpenApiParameter("node", str, description="Node code."),
            OpenApiParameter("state", str, enum=list(OPEN_RESERVATION_STATES)),
        ]
    )
    def list(self, request: Request) -> Response:
        """Open reservations, the newest first; those of one holder whatever became of them."""
        asked = request.query_params
        found = Reservation.objects.for_scope(reach_of(request))
        if (nodes := nodes_in_reach(request)) is not None:
            found = found.filter(node_id__in=nodes)
        if channel_of_key(request) is not None and "thread" not in asked:
            raise Invalid(
                "Name the order or hold: your key is a channel's.",
                errors=[{"pointer": "?thread", "code": "required", "detail": "This is needed."}],
            )
        if "thread" in asked:
            found = found.filter(thread_id=uuid_of(asked["thread"], "?thread"))
        else:
            found = found.filter(state__in=OPEN_RESERVATION_STATES)
        for name, column in (("sku", "sku__code"), ("node", "node__code"), ("state", "state")):
            if asked.get(name):
                found = found.filter(**{column: asked[name]})
        page = self.paginate_queryset(found) or []
        return self.get_paginated_response([ReservationShape(one).data for one in page])

    @extend_schema(
        parameters=[
            OpenApiParameter("sku", str, description="SKU code."),
            OpenApiParameter("node", str, description="Node code."),
        ],
        responses=SetAsideListShape,
    )
    @action(detail=False, methods=["get"], url_path="set-aside")
    def set_aside(self, request: Request) -> Response:
        """Units that have landed for who waits and that nobody has been given yet: the most first."""
        asked = request.query_params
        if channel_of_key(request) is not None:
            raise Forbidden("Your key is a channel's: units set aside are nobody's yet.")
        found = StockPosition.objects.for_scope(reach_of(request)).filter(landed__gt=0)
        if (nodes := nodes_in_reach(request)) is not None:
            found = found.filter(node_id__in=nodes)
        for name, column in (("sku", "sku__code"), ("node", "node__code")):
            if asked.get(name):
                found = found.filter(**{column: asked[name]})
        rows = found.select_related("sku", "node").order_by("-landed", "pk")[:MOST_SET_ASIDE]
        return Response(SetAsideListShape({"results": rows}).data)

    @extend_schema(request=HeldMoveInput, responses=HeldMovedShape)
    @action(detail=True, methods=["post"])
    @idempotent
    def move(self, request: Request, pk: str) -> Response:
        """Hold a cart's units at another node. Those of an order are moved as the order's."""
        given = read_body(HeldMoveInput, request)
        scope = reach_of(request)
        found = Reservation.objects.for_scope(scope).filter(pk=uuid_of(pk, "?id")).first()
        nodes = selectors.nodes_by_code([given["node"]], scope)
        within = nodes_in_reach(request)
        if found is None or given["node"] not in nodes:
            raise NotFound("There is no such reservation, or no such node.")
        if within is not None and not {found.node_id, nodes[given["node"]]} <= within:
            raise NotFound("There is no such reservation, or no such node.")
        if found.state != ReservationState.HELD:
            raise Conflict("Only what a cart holds moves here; what an order has, as the order's.")
        made = services.move_reservation(
            found.pk,
            nodes[given["node"]],
            given.get("quantity") or found.open,
            channel_id=selectors.channel_of_hold(found.thread_id),
            at=clock.now(),
            actor=actor_of(request),
        )
        return Response(HeldMovedShape({"id": made}).data)
