"""Returns: asked for, let in, received, graded, settled. Each write is one command."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import clock
from config.kernel.access import Permission
from config.kernel.actors import actor_of, channel_of_key, reach_of
from config.kernel.errors import Conflict, Forbidden, NotFound
from config.kernel.idempotency import idempotent
from inventory.selectors import skus_by_scan
from orders.selectors import order_heads
from returns import selectors, services
from returns.api import serializers as shapes
from returns.api.base import DECIDE, SEE, WORK, Desk, answer_of, read_body, uuid_of
from returns.models import Return
from returns.types import (
    ArrivedUnits,
    Authorization,
    Exchange,
    ExchangeItem,
    Finding,
    Receipt,
    RequestedUnits,
    ReturnRequest,
    UnannouncedReceipt,
)


class ReturnViewSet(Desk, viewsets.ReadOnlyModelViewSet[Return]):
    """Returns that the caller may see, the latest first."""

    serializer_class = shapes.ReturnSerializer
    queryset = Return.objects.none()
    permissions_by_action: ClassVar = {
        "list": SEE,
        "retrieve": SEE,
        "label": SEE,
        "create": DECIDE,
        "quote": SEE,
        "authorize": DECIDE,
        "decline": DECIDE,
        "cancel": DECIDE,
        "settle": DECIDE,
        "exchange": DECIDE,
        "identify": WORK,
        "scan": SEE,
    }
    across_channels: ClassVar = frozenset({"arrived", "identify", "scan"})

    def get_queryset(self) -> QuerySet[Return]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        asked = self.request.query_params
        order_id = uuid_of(asked["order"]) if asked.get("order") else None
        return self._of_channel(
            selectors.returns_matching(
                self._scope(), tab=asked.get("state", ""), node_ids=self._nodes(), order_id=order_id
            )
        )

    @extend_schema(
        parameters=[
            OpenApiParameter("state", description="A state, or a tab of the returns desk."),
            OpenApiParameter("order", OpenApiTypes.UUID, description="The order they are of."),
        ]
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(
        request=shapes.ReturnRequestSerializer,
        responses={status.HTTP_201_CREATED: shapes.StandingSerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Ask for goods to come back. What the policy refuses is a problem, in its words."""
        wanted = self._wish()
        if wanted.override:
            may = reach_of(request, Permission.RETURNS_OVERRIDE)
            if wanted.order_id not in order_heads([wanted.order_id], may):
                raise Forbidden("Your role does not let returns in against the policy.")
        outcomes = services.request_returns([wanted], at=clock.now(), actor=actor_of(request))
        return answer_of(outcomes, status=status.HTTP_201_CREATED)

    @extend_schema(request=shapes.ReturnRequestSerializer, responses=shapes.QuoteSerializer)
    @action(detail=False, methods=["post"])
    def quote(self, request: Request) -> Response:
        """What the policy would say, and what would be paid. Changes nothing."""
        quoted = selectors.quote(self._wish(), self._scope(), at=clock.now())
        return Response(shapes.QuoteSerializer(quoted).data)

    @extend_schema(
        parameters=[OpenApiParameter("code", required=True, description="What was scanned.")],
        responses=shapes.ScannedSerializer,
    )
    @action(detail=False, methods=["get"])
    def scan(self, request: Request) -> Response:
        """What a scanned code means: a return, an order, or a SKU."""
        found = selectors.by_scan(
            request.query_params.get("code", ""), self._scope(), node_ids=self._nodes()
        )
        return Response(shapes.ScannedSerializer(found).data)

    @extend_schema(
        request=shapes.UnannouncedSerializer,
        responses={status.HTTP_201_CREATED: shapes.StandingSerializer},
    )
    @action(detail=False, methods=["post"])
    @idempotent
    def arrived(self, request: Request) -> Response:
        """Goods came without notice, or over the counter."""
        given = read_body(shapes.UnannouncedSerializer, request)
        scope = self._scope()
        if given["order"] is None and (scope.everything or len(scope.account_ids) != 1):
            raise Conflict("Name the order: you work for several accounts.")
        heads = order_heads([given["order"]], scope) if given["order"] else {}
        if given["order"] and given["order"] not in heads:
            raise NotFound("There is no such order.")
        account_id = heads[given["order"]].account_id if heads else next(iter(scope.account_ids))
        one = UnannouncedReceipt(
            account_id,
            self._node(given["node"]),
            self._units(given["units"]),
            kind=given["kind"],
            order_id=given["order"],
            tracking_number=given["tracking_number"],
        )
        outcomes = services.receive_unannounced([one], at=clock.now(), actor=actor_of(request))
        return answer_of(outcomes, status=status.HTTP_201_CREATED)

    @extend_schema(request=shapes.AuthorizeSerializer, responses=shapes.StandingSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def authorize(self, request: Request, pk: str) -> Response:
        """Let it come, with a label where we pay for the way."""
        given = read_body(shapes.AuthorizeSerializer, request)
        node_id = self._node(given["node"]) if given["node"] else None
        wanted = Authorization(self._own(pk), node_id)
        return answer_of(
            services.authorize_returns([wanted], at=clock.now(), actor=actor_of(request))
        )

    @extend_schema(request=shapes.DeclineSerializer, responses=shapes.StandingSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def decline(self, request: Request, pk: str) -> Response:
        """Refuse it, with a reason that the buyer is told."""
        why = read_body(shapes.DeclineSerializer, request)["why"]
        own = self._own(pk)
        return answer_of(
            services.decline_returns([own], why=why, at=clock.now(), actor=actor_of(request))
        )

    @extend_schema(request=None, responses=shapes.StandingSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def cancel(self, request: Request, pk: str) -> Response:
        """Call it off before anything is on its way."""
        own = self._own(pk)
        return answer_of(services.cancel_returns([own], at=clock.now(), actor=actor_of(request)))

    @extend_schema(request=shapes.ReceiveSerializer, responses=shapes.StandingSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def receive(self, request: Request, pk: str) -> Response:
        """What came in at a node: as announced, in part, or other goods."""
        given = read_body(shapes.ReceiveSerializer, request)
        came = Receipt(
            self._own(pk), self._node(given["node"]), self._units(given["units"]), given["key"]
        )
        return answer_of(services.receive_returns([came], at=clock.now(), actor=actor_of(request)))

    @extend_schema(request=shapes.IdentifySerializer, responses=shapes.StandingSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def identify(self, request: Request, pk: str) -> Response:
        """Say whose order goods are of that came without notice."""
        order_id = read_body(shapes.IdentifySerializer, request)["order"]
        pair = (self._own(pk), order_id)
        return answer_of(services.identify_returns([pair], at=clock.now(), actor=actor_of(request)))

    @extend_schema(request=shapes.InspectSerializer, responses=shapes.StandingSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def inspect(self, request: Request, pk: str) -> Response:
        """Grade what came, all findings or none, and say what becomes of it."""
        own = {line.pk for line in selectors.return_page(self._own(pk), self._scope()).lines}
        given = read_body(shapes.InspectSerializer, request)["findings"]
        if any(one["line"] not in own for one in given):
            raise NotFound("The return has no such line.")
        findings = [
            Finding(
                **{"return_line_id": one["line"]} | {k: v for k, v in one.items() if k != "line"}
            )
            for one in given
        ]
        with transaction.atomic():
            return answer_of(
                services.inspect_returns(findings, at=clock.now(), actor=actor_of(request))
            )

    @extend_schema(request=None, responses=shapes.StandingSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def settle(self, request: Request, pk: str) -> Response:
        """Give back what is due for what was accepted."""
        own = self._own(pk)
        return answer_of(services.settle_returns([own], at=clock.now(), actor=actor_of(request)))

    @extend_schema(request=shapes.ExchangeSerializer, responses=shapes.StandingSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def exchange(self, request: Request, pk: str) -> Response:
        """Give other goods instead, the difference either way."""
        given = read_body(shapes.ExchangeSerializer, request)["items"]
        items = tuple(
            ExchangeItem(one["sku"], one["quantity"], one["price_minor"]) for one in given
        )
        wanted = Exchange(self._own(pk), items)
        return answer_of(
            services.exchange_returns([wanted], at=clock.now(), actor=actor_of(request))
        )

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"])
    def label(self, request: Request, pk: str) -> HttpResponse:
        """The label it travels with, as its carrier made it."""
        found = selectors.label_document(self._own(pk), self._scope())
        if found is None:
            raise NotFound("The return has no label.")
        return HttpResponse(found[0], content_type=found[1])

    def _own(self, pk: str) -> UUID:
        """The return of the path. Raises NotFound beyond the caller's accounts, nodes and channel."""
        found = selectors.returns_matching(self._scope(), node_ids=self._nodes())
        row = self._of_channel(found).filter(pk=uuid_of(pk)).first()
        if row is None:
            raise NotFound("There is no such return.")
        own: UUID = row.pk
        return own

    def _wish(self) -> ReturnRequest:
        """The body as a request. Raises NotFound for an order that the caller does not reach."""
        given = read_body(shapes.ReturnRequestSerializer, self.request)
        head = order_heads([given["order"]], self._scope()).get(given["order"])
        if head is None or channel_of_key(self.request) not in {None, head.channel_id}:
            raise NotFound("There is no such order.")
        return ReturnRequest(
            given["order"],
            tuple(
                RequestedUnits(one["order_line"], one["quantity"], one["reason"])
                for one in given["lines"]
            ),
            kind=given["kind"],
            wants=given["wants"],
            override=given["override"],
            external_id=given["external_id"],
        )

    def _units(self, given: Sequence[Mapping[str, Any]]) -> tuple[ArrivedUnits, ...]:
        """What was found, SKUs by code or barcode. Raises NotFound for one that nobody knows."""
        units = []
        for one in given:
            sku_id = None
            if one["sku"]:
                sku_id = next(iter(skus_by_scan(one["sku"], self._scope())), None)
                if sku_id is None:
                    raise NotFound(f"There is no SKU {one['sku']}.")
            units.append(ArrivedUnits(one["quantity"], one["line"], sku_id))
        return tuple(units)
