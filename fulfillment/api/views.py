"""The fulfillment API: what nodes have to do, and what they report. Each write is one command."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from config.kernel import access, clock
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import Conflict, IllegalTransition, NotFound
from config.kernel.idempotency import idempotent
from config.kernel.permissions import needs
from config.kernel.types import Outcome, Scope
from fulfillment import documents, selectors, services
from fulfillment.api import serializers as shapes
from fulfillment.models import FulfillmentOrder, Parcel
from fulfillment.states import AT_THE_NODE, FulfillmentState
from fulfillment.types import (
    Acknowledgement,
    Collection,
    Content,
    Pack,
    Pick,
    Rejection,
    RequestAnswer,
    Shipment,
    Short,
    TrackingNews,
)

SEE = (Permission.FULFILLMENT_VIEW, Permission.API_FULFILLMENT_WRITE)
WORK = (Permission.FULFILLMENT_WORK, Permission.API_FULFILLMENT_WRITE)
RELEASE = (Permission.FULFILLMENT_RELEASE, Permission.API_FULFILLMENT_WRITE)
_CONTACT = (*WORK, Permission.ORDERS_VIEW_CONTACT)

PDF_RESPONSE = {(200, documents.PDF): OpenApiTypes.BINARY}
ZIP_RESPONSE = {(200, documents.ZIP): OpenApiTypes.BINARY}


class _NodeWork(viewsets.ViewSetMixin, APIView):
    """What both viewsets share: who may, and within which accounts and nodes."""

    permissions_by_action: ClassVar[dict[str, tuple[Permission, ...]]] = {}

    def _wanted(self) -> tuple[Permission, ...]:
        return self.permissions_by_action.get(self.action, WORK)

    def get_permissions(self) -> list[BasePermission]:
        return [needs(*self._wanted())()]

    def _held(self) -> Permission:
        """The permission by which the caller is here: it decides how far they reach."""
        held = access.permissions_of(self.request.user)
        return next((code for code in self._wanted() if code in held), self._wanted()[0])

    def _scope(self) -> Scope:
        return access.scope_of(self.request.user, self._held())

    def _nodes(self) -> set[int] | None:
        return access.nodes_of(self.request.user, self._held())


def _read(shape: type[Serializer[Any]], request: Request) -> dict[str, Any]:
    given = shape(data=request.data)
    given.is_valid(raise_exception=True)
    read: dict[str, Any] = given.validated_data
    return read


def _answer(outcomes: Sequence[Outcome[Any]]) -> Response:
    """One result per item; a lone item that is refused answers as a problem."""
    if len(outcomes) == 1 and outcomes[0].problem is not None:
        problem = outcomes[0].problem
        if problem.code == "not-found":
            raise NotFound(problem.detail)
        refusal = IllegalTransition if problem.code == "illegal-transition" else Conflict
        raise refusal(problem.detail, reason=problem.code, **problem.extra)
    return Response({"results": [_result(outcome) for outcome in outcomes]})


def _result(outcome: Outcome[Any]) -> dict[str, Any]:
    result: dict[str, Any] = {"outcome": outcome.kind.value}
    if outcome.problem is not None:
        result["problem"] = {
            "code": outcome.problem.code,
            "detail": outcome.problem.detail,
            **outcome.problem.extra,
        }
    elif is_dataclass(outcome.value) and not isinstance(outcome.value, type):
        result["value"] = asdict(outcome.value)
    return result


def _writes(shape: type[Serializer[Any]] | None) -> Callable[[Any], Any]:
    return extend_schema(request=shape, responses=shapes.ResultsSerializer)


def _pdf(document: bytes, name: str, media_type: str = documents.PDF) -> HttpResponse:
    return HttpResponse(
        document,
        content_type=media_type,
        headers={"Content-Disposition": f'inline; filename="{name}"'},
    )


class FulfillmentOrderViewSet(_NodeWork, viewsets.ReadOnlyModelViewSet[FulfillmentOrder]):
    """Fulfillment orders of the nodes that the caller may work for."""

    serializer_class = shapes.FulfillmentOrderSerializer
    queryset = FulfillmentOrder.objects.none()
    permissions_by_action: ClassVar = {
        "list": SEE,
        "retrieve": SEE,
        "pick_list": SEE,
        "requests": SEE,
        "release": RELEASE,
    }

    def get_queryset(self) -> QuerySet[FulfillmentOrder]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        found = selectors.fulfillment_orders(self._scope(), node_ids=self._nodes())
        wanted = self.request.query_params
        if states := wanted.getlist("state"):
            found = found.filter(state__in=states)
        if node := wanted.get("node"):
            found = found.filter(node__code=node)
        if order := wanted.get("order"):
            found = found.filter(order__number=order)
        return found

    def _order(self) -> FulfillmentOrder:
        return selectors.fulfillment_order(
            _uuid(self.kwargs["pk"]), self._scope(), node_ids=self._nodes()
        )

    def _line(self, order: FulfillmentOrder, line_id: UUID | None) -> UUID | None:
        if line_id is not None and line_id not in {line.pk for line in order.lines.all()}:
            raise NotFound("There is no such line in this fulfillment order.")
        return line_id

    def _contents(
        self, order: FulfillmentOrder, given: Sequence[dict[str, Any]]
    ) -> tuple[Content, ...]:
        for item in given:
            self._line(order, item["line"])
        return tuple(Content(item["line"], item["quantity"]) for item in given)

    @extend_schema(
        parameters=[
            OpenApiParameter("state", enum=FulfillmentState.values, many=True),
            OpenApiParameter("node", description="Code of the node."),
            OpenApiParameter("order", description="Number of the order."),
        ]
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @_writes(shapes.ReleaseSerializer)
    @action(detail=False, methods=["post"])
    @idempotent
    def release(self, request: Request) -> Response:
        """Release delivery groups to their nodes now."""
        groups = _read(shapes.ReleaseSerializer, request)["groups"]
        return _answer(services.release_groups(groups, at=clock.now(), actor=actor_of(request)))

    @_writes(shapes.AcknowledgeSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def acknowledge(self, request: Request, pk: str) -> Response:
        """The node takes the work on."""
        given = _read(shapes.AcknowledgeSerializer, request)
        answer = Acknowledgement(self._order().pk, given["external_id"])
        return _answer(services.acknowledge([answer], at=clock.now(), actor=actor_of(request)))

    @_writes(shapes.PicksSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def pick(self, request: Request, pk: str) -> Response:
        """Units that have left the shelf, as totals per line."""
        order = self._order()
        picks = _read(shapes.PicksSerializer, request)["picks"]
        for item in picks:
            self._line(order, item["line"])
        return _answer(
            services.record_picks(
                [Pick(item["line"], item["picked"]) for item in picks],
                at=clock.now(),
                actor=actor_of(request),
            )
        )

    @_writes(shapes.PacksSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def pack(self, request: Request, pk: str) -> Response:
        """Parcels that were closed; without any, everything picked is packed."""
        order = self._order()
        parcels = _read(shapes.PacksSerializer, request)["parcels"]
        packs = [
            Pack(
                order.pk,
                self._contents(order, item["contents"]),
                item.get("weight_grams"),
                item["external_id"],
            )
            for item in parcels
        ] or [Pack(order.pk)]
        return _answer(services.record_packs(packs, at=clock.now(), actor=actor_of(request)))

    @_writes(shapes.ShortsSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def short(self, request: Request, pk: str) -> Response:
        """Units that could not be had, as totals per line."""
        order = self._order()
        shorts = _read(shapes.ShortsSerializer, request)["shorts"]
        for item in shorts:
            self._line(order, item["line"])
        return _answer(
            services.report_shorts(
                [Short(item["line"], item["short"], item["reason"]) for item in shorts],
                at=clock.now(),
                actor=actor_of(request),
            )
        )

    @_writes(shapes.RejectSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def reject(self, request: Request, pk: str) -> Response:
        """The node will not do what it has not picked."""
        order = self._order()
        given = _read(shapes.RejectSerializer, request)
        item = Rejection(order.pk, given["reason"], self._line(order, given.get("line")))
        return _answer(services.reject([item], at=clock.now(), actor=actor_of(request)))

    @_writes(shapes.ShipSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def ship(self, request: Request, pk: str) -> Response:
        """Parcels that were handed to the carrier; without any named, all that are packed."""
        order = self._order()
        known = {parcel.pk: parcel for parcel in order.parcels.all()}
        given = _read(shapes.ShipSerializer, request)["parcels"]
        if any(item["parcel"] not in known for item in given):
            raise NotFound("There is no such parcel in this fulfillment order.")
        shipments = [
            Shipment(item["parcel"], item["tracking_number"], item["carrier"]) for item in given
        ] or [Shipment(pk) for pk, parcel in known.items() if parcel.state in AT_THE_NODE]
        if not shipments:
            raise Conflict(f"{order.number} has no parcel to ship.", reason="nothing-packed")
        return _answer(
            services.confirm_shipments(shipments, at=clock.now(), actor=actor_of(request))
        )

    @_writes(shapes.CollectSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def collect(self, request: Request, pk: str) -> Response:
        """The buyer has come for a pickup."""
        order = self._order()
        given = _read(shapes.CollectSerializer, request)
        item = Collection(order.pk, self._contents(order, given["contents"]), given["collected_by"])
        return _answer(services.collect([item], at=clock.now(), actor=actor_of(request)))

    @_writes(None)
    @action(detail=True, methods=["post"], url_path="put-back")
    @idempotent
    def put_back(self, request: Request, pk: str) -> Response:
        """What was not collected lies on the shelf again."""
        order = self._order()
        return _answer(services.put_back([order.pk], at=clock.now(), actor=actor_of(request)))

    @extend_schema(responses=shapes.NodeRequestSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None)
    def requests(self, request: Request, pk: str) -> Response:
        """What the node is asked about this work, the oldest question first."""
        found = selectors.requests_about(self._order().pk)
        return Response(shapes.NodeRequestSerializer(found, many=True).data)

    @_writes(shapes.AnswersSerializer)
    @action(detail=True, methods=["post"], url_path="answer-requests")
    @idempotent
    def answer_requests(self, request: Request, pk: str) -> Response:
        """What the node grants of the units that it was asked to cancel."""
        order = self._order()
        answers = _read(shapes.AnswersSerializer, request)["answers"]
        asked = {question.pk for question in selectors.requests_about(order.pk)}
        if any(item["request"] not in asked for item in answers):
            raise NotFound("There is no such request.")
        return _answer(
            services.answer_requests(
                [RequestAnswer(item["request"], item["granted"], item["note"]) for item in answers],
                at=clock.now(),
                actor=actor_of(request),
            )
        )

    @extend_schema(responses=PDF_RESPONSE)
    @action(detail=True, methods=["get"], url_path="pick-list")
    def pick_list(self, request: Request, pk: str) -> HttpResponse:
        """What is left to pick, as PDF."""
        order = self._order()
        return _pdf(documents.pick_list([order]), f"pick-{order.number}.pdf")


class ParcelViewSet(_NodeWork, viewsets.GenericViewSet[Parcel]):
    """Parcels of the nodes that the caller may work for."""

    serializer_class = shapes.TrackedParcelSerializer
    queryset = Parcel.objects.none()
    permissions_by_action: ClassVar = {
        "retrieve": SEE,
        "packing_slip": _CONTACT,
        "label": _CONTACT,
        "bundle": _CONTACT,
    }

    def _parcel(self) -> Parcel:
        return selectors.parcel(_uuid(self.kwargs["pk"]), self._scope(), node_ids=self._nodes())

    @extend_schema(responses=shapes.TrackedParcelSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self.get_serializer(self._parcel()).data)

    @_writes(shapes.TrackingSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def tracking(self, request: Request, pk: str) -> Response:
        """What happened to the parcel. Late and repeated news changes nothing."""
        parcel = self._parcel()
        events = _read(shapes.TrackingSerializer, request)["events"]
        news = [
            TrackingNews(
                status=item["status"],
                happened_at=item["happened_at"],
                parcel_id=parcel.pk,
                external_id=item["external_id"],
                source="api",
                place=item["place"],
                correction=item["correction"],
            )
            for item in events
        ]
        return _answer(services.record_tracking(news, at=clock.now(), actor=actor_of(request)))

    @_writes(None)
    @action(detail=True, methods=["post"])
    @idempotent
    def void(self, request: Request, pk: str) -> Response:
        """Open the parcel again: its units are picked, no longer packed."""
        parcel = self._parcel()
        return _answer(services.void_parcels([parcel.pk], at=clock.now(), actor=actor_of(request)))

    def _reachable(self, shape: type[Serializer[Any]]) -> list[UUID]:
        """The parcels that the body names. Raises NotFound when one is beyond the caller."""
        wanted = _read(shape, self.request)["parcels"]
        return selectors.reachable_parcels(wanted, self._scope(), node_ids=self._nodes())

    @_writes(shapes.ParcelsSerializer)
    @action(detail=False, methods=["post"], url_path="labels")
    @idempotent
    def request_labels(self, request: Request) -> Response:
        """Ask the carriers for labels. They come later: the parcel is labelled then."""
        wanted = self._reachable(shapes.ParcelsSerializer)
        return _answer(services.request_labels(wanted, at=clock.now(), actor=actor_of(request)))

    @extend_schema(request=shapes.BundleSerializer, responses=ZIP_RESPONSE)
    @action(detail=False, methods=["post"], url_path="labels/bundle")
    def bundle(self, request: Request) -> HttpResponse:
        """The labels of several parcels as one archive, all or none. Changes nothing."""
        wanted = self._reachable(shapes.BundleSerializer)
        found = selectors.label_documents(wanted, self._scope())
        missing = sorted(selectors.parcel_numbers(wanted, self._scope()) - found.keys())
        if missing:
            raise Conflict(
                f"{len(missing)} of {len(wanted)} parcels have no label.",
                reason="no-label",
                parcels=missing,
            )
        return HttpResponse(
            documents.bundle(found),
            content_type=documents.ZIP,
            headers={"Content-Disposition": 'attachment; filename="labels.zip"'},
        )

    @_writes(shapes.ParcelsSerializer)
    @action(detail=False, methods=["post"])
    @idempotent
    def manifest(self, request: Request) -> Response:
        """Put parcels on the list that waits for the carrier."""
        wanted = self._reachable(shapes.ParcelsSerializer)
        return _answer(services.manifest_parcels(wanted, at=clock.now(), actor=actor_of(request)))

    @extend_schema(responses=PDF_RESPONSE)
    @action(detail=True, methods=["get"])
    def label(self, request: Request, pk: str) -> HttpResponse:
        """The parcel's label, as its carrier made it."""
        parcel = self._parcel()
        found = selectors.label_documents([parcel.pk], self._scope()).get(parcel.number)
        if found is None:
            raise NotFound(f"{parcel.number} has no label.")
        return _pdf(found[0], f"{parcel.number}.pdf", found[1])

    @extend_schema(responses=PDF_RESPONSE)
    @action(detail=True, methods=["get"], url_path="packing-slip")
    def packing_slip(self, request: Request, pk: str) -> HttpResponse:
        """What lies in the parcel, for the buyer, as PDF."""
        parcel = self._parcel()
        addresses = selectors.addresses_of([parcel.fulfillment_order.group_id])
        return _pdf(documents.packing_slip([parcel], addresses), f"slip-{parcel.number}.pdf")


def _uuid(text: str) -> UUID:
    """Raises NotFound for what is no id of ours."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("There is no such record.") from None
