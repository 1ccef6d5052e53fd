"""Fulfillment orders: what nodes have to do, and what they report. Each write is one command."""

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

import inventory.selectors
from config.kernel import clock
from config.kernel.actors import actor_of, channel_of_key
from config.kernel.errors import Conflict, NotFound
from config.kernel.idempotency import idempotent
from fulfillment import documents, selectors, services
from fulfillment.api import serializers as shapes
from fulfillment.api.base import (
    PDF_RESPONSE,
    RELEASE,
    SEE,
    NodeWork,
    answer_of,
    lots_of,
    pdf,
    read_body,
    uuid_of,
    writes,
)
from fulfillment.models import FulfillmentOrder
from fulfillment.states import AT_THE_NODE, FulfillmentState
from fulfillment.types import (
    Acknowledgement,
    Collection,
    Content,
    Pack,
    Pick,
    PullBack,
    Rejection,
    RequestAnswer,
    ServiceChange,
    Shipment,
    Short,
)


class FulfillmentOrderViewSet(NodeWork, viewsets.ReadOnlyModelViewSet[FulfillmentOrder]):
    """Fulfillment orders of the nodes that the caller may work for."""

    serializer_class = shapes.FulfillmentOrderSerializer
    queryset = FulfillmentOrder.objects.none()
    permissions_by_action: ClassVar = {
        "list": SEE,
        "retrieve": SEE,
        "pick_list": SEE,
        "requests": SEE,
        "wishes": SEE,
        "release": RELEASE,
        "pull_back": RELEASE,
        "change_service": RELEASE,
    }
    across_channels: ClassVar = frozenset({"release"})

    def get_queryset(self) -> QuerySet[FulfillmentOrder]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        found = selectors.fulfillment_orders(self._scope(), node_ids=self._nodes())
        if (channel_id := channel_of_key(self.request)) is not None:
            found = found.filter(order__channel_id=channel_id)
        wanted = self.request.query_params
        if states := wanted.getlist("state"):
            found = found.filter(state__in=states)
        if node := wanted.get("node"):
            found = found.filter(node__code=node)
        if order := wanted.get("order"):
            found = found.filter(order__number=order)
        return found

    def _order(self) -> FulfillmentOrder:
        found = selectors.fulfillment_order(
            uuid_of(self.kwargs["pk"]), self._scope(), node_ids=self._nodes()
        )
        self._require_own(found.order.channel_id, "fulfillment order")
        return found

    def _line(self, order: FulfillmentOrder, line_id: UUID | None) -> UUID | None:
        if line_id is not None and line_id not in {line.pk for line in order.lines.all()}:
            raise NotFound("There is no such line in this fulfillment order.")
        return line_id

    def _contents(
        self, order: FulfillmentOrder, given: Sequence[dict[str, Any]]
    ) -> tuple[Content, ...]:
        for item in given:
            self._line(order, item["line"])
        return tuple(Content(item["line"], item["quantity"], lots_of(item)) for item in given)

    @extend_schema(
        parameters=[
            OpenApiParameter("state", enum=FulfillmentState.values, many=True),
            OpenApiParameter("node", description="Code of the node."),
            OpenApiParameter("order", description="Number of the order."),
        ]
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @writes(shapes.ReleaseSerializer)
    @action(detail=False, methods=["post"])
    @idempotent
    def release(self, request: Request) -> Response:
        """Release delivery groups to their nodes now."""
        groups = read_body(shapes.ReleaseSerializer, request)["groups"]
        return answer_of(services.release_groups(groups, at=clock.now(), actor=actor_of(request)))

    @writes(shapes.AcknowledgeSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def acknowledge(self, request: Request, pk: str) -> Response:
        """The node takes the work on."""
        given = read_body(shapes.AcknowledgeSerializer, request)
        answer = Acknowledgement(self._order().pk, given["external_id"])
        return answer_of(services.acknowledge([answer], at=clock.now(), actor=actor_of(request)))

    @writes(shapes.PicksSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def pick(self, request: Request, pk: str) -> Response:
        """Units that have left the shelf, as totals per line."""
        order = self._order()
        picks = read_body(shapes.PicksSerializer, request)["picks"]
        for item in picks:
            self._line(order, item["line"])
        return answer_of(
            services.record_picks(
                [Pick(item["line"], item["picked"], lots_of(item)) for item in picks],
                at=clock.now(),
                actor=actor_of(request),
            )
        )

    @writes(shapes.PacksSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def pack(self, request: Request, pk: str) -> Response:
        """Parcels that were closed; without any, everything picked is packed."""
        order = self._order()
        parcels = read_body(shapes.PacksSerializer, request)["parcels"]
        packs = [
            Pack(
                order.pk,
                self._contents(order, item["contents"]),
                item.get("weight_grams"),
                item["external_id"],
            )
            for item in parcels
        ] or [Pack(order.pk)]
        return answer_of(services.record_packs(packs, at=clock.now(), actor=actor_of(request)))

    @writes(shapes.ShortsSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def short(self, request: Request, pk: str) -> Response:
        """Units that could not be had, as totals per line."""
        order = self._order()
        shorts = read_body(shapes.ShortsSerializer, request)["shorts"]
        for item in shorts:
            self._line(order, item["line"])
        return answer_of(
            services.report_shorts(
                [Short(item["line"], item["short"], item["reason"]) for item in shorts],
                at=clock.now(),
                actor=actor_of(request),
            )
        )

    @writes(shapes.RejectSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def reject(self, request: Request, pk: str) -> Response:
        """The node will not do what it has not picked."""
        order = self._order()
        given = read_body(shapes.RejectSerializer, request)
        item = Rejection(order.pk, given["reason"], self._line(order, given.get("line")))
        return answer_of(services.reject([item], at=clock.now(), actor=actor_of(request)))

    @writes(shapes.ShipSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def ship(self, request: Request, pk: str) -> Response:
        """Parcels that were handed to the carrier; without any named, all that are packed."""
        order = self._order()
        known = {parcel.pk: parcel for parcel in order.parcels.all()}
        given = read_body(shapes.ShipSerializer, request)["parcels"]
        if any(item["parcel"] not in known for item in given):
            raise NotFound("There is no such parcel in this fulfillment order.")
        shipments = [
            Shipment(item["parcel"], item["tracking_number"], item["carrier"]) for item in given
        ] or [Shipment(pk) for pk, parcel in known.items() if parcel.state in AT_THE_NODE]
        if not shipments:
            raise Conflict(f"{order.number} has no parcel to ship.", reason="nothing-packed")
        return answer_of(
            services.confirm_shipments(shipments, at=clock.now(), actor=actor_of(request))
        )

    @writes(shapes.CollectSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def collect(self, request: Request, pk: str) -> Response:
        """The buyer has come for a pickup."""
        order = self._order()
        given = read_body(shapes.CollectSerializer, request)
        item = Collection(order.pk, self._contents(order, given["contents"]), given["collected_by"])
        return answer_of(services.collect([item], at=clock.now(), actor=actor_of(request)))

    @writes(None)
    @action(detail=True, methods=["post"], url_path="put-back")
    @idempotent
    def put_back(self, request: Request, pk: str) -> Response:
        """What was not collected lies on the shelf again."""
        order = self._order()
        return answer_of(services.put_back([order.pk], at=clock.now(), actor=actor_of(request)))

    @extend_schema(responses=shapes.NodeRequestSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None)
    def requests(self, request: Request, pk: str) -> Response:
        """What the node is asked about this work, the oldest question first."""
        found = selectors.requests_about(self._order().pk)
        return Response(shapes.NodeRequestSerializer(found, many=True).data)

    @writes(shapes.AnswersSerializer)
    @action(detail=True, methods=["post"], url_path="answer-requests")
    @idempotent
    def answer_requests(self, request: Request, pk: str) -> Response:
        """What the node grants: so many of the units asked about; of a change, all of them or none."""
        order = self._order()
        answers = read_body(shapes.AnswersSerializer, request)["answers"]
        asked = {question.pk for question in selectors.requests_about(order.pk)}
        if any(item["request"] not in asked for item in answers):
            raise NotFound("There is no such request.")
        return answer_of(
            services.answer_requests(
                [RequestAnswer(item["request"], item["granted"], item["note"]) for item in answers],
                at=clock.now(),
                actor=actor_of(request),
            )
        )

    @extend_schema(responses=shapes.WishSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None)
    def wishes(self, request: Request, pk: str) -> Response:
        """What may be asked of the node about this work, and why not."""
        found = selectors.wishes_about(self._order())
        return Response(shapes.WishSerializer(found, many=True).data)

    @writes(shapes.PullBackSerializer)
    @action(detail=True, methods=["post"], url_path="pull-back")
    @idempotent
    def pull_back(self, request: Request, pk: str) -> Response:
        """Take back what is not packed, for another node to send; a node that has begun is asked."""
        order = self._order()
        given = read_body(shapes.PullBackSerializer, request)
        item = PullBack(order.pk, self._line(order, given.get("line")))
        return answer_of(services.pull_back([item], at=clock.now(), actor=actor_of(request)))

    @writes(shapes.ServiceChangeSerializer)
    @action(detail=True, methods=["post"], url_path="change-service")
    @idempotent
    def change_service(self, request: Request, pk: str) -> Response:
        """Have the work leave by another service; a node that has begun is asked."""
        order = self._order()
        code = read_body(shapes.ServiceChangeSerializer, request)["service"]
        service_id = inventory.selectors.service_level_ids().get(code)
        if service_id is None:
            raise NotFound("There is no such service level.")
        item = ServiceChange(order.pk, service_id)
        return answer_of(services.change_services([item], at=clock.now(), actor=actor_of(request)))

    @extend_schema(responses=PDF_RESPONSE)
    @action(detail=True, methods=["get"], url_path="pick-list")
    def pick_list(self, request: Request, pk: str) -> HttpResponse:
        """What is left to pick, as PDF."""
        order = self._order()
        return pdf(documents.pick_list([order]), f"pick-{order.number}.pdf")
