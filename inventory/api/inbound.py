"""Goods on their way: announced, put off, received, closed and cancelled; what may be sold ahead."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import clock
from config.kernel.access import Permission
from config.kernel.actors import actor_of, channel_of_key, nodes_in_reach, reach_of
from config.kernel.errors import Forbidden
from config.kernel.idempotency import idempotent
from config.kernel.pagination import KeysetPagination
from config.kernel.permissions import needs
from config.kernel.types import Outcome
from inventory import selectors, services
from inventory.api.inbound_shapes import (
    AnnouncementInput,
    ArrivalInput,
    CapSerializer,
    CapsInput,
    EndCapsInput,
    InboundCancelInput,
    InboundOutcomes,
    InboundSerializer,
    LaneSerializer,
    LanesInput,
    LineCapsInput,
    SlipsInput,
)
from inventory.api.reading import account_meant, nodes_meant, read_body
from inventory.models import AheadCap, Inbound, SupplyLane
from inventory.states import InboundState
from inventory.types import (
    CapDraft,
    ExpectedDraft,
    ExpectedLine,
    LaneDraft,
    LineCap,
    ReceivedLine,
    SlipDraft,
)

SEE = (Permission.INVENTORY_VIEW, Permission.API_STOCK_WRITE, Permission.API_CATALOG_WRITE)
PLAN = (Permission.INVENTORY_PLAN, Permission.API_CATALOG_WRITE)
WORK = (Permission.INVENTORY_ADJUST, Permission.API_STOCK_WRITE)


class InboundViewSet(viewsets.ReadOnlyModelViewSet[Inbound]):
    """Goods on their way to nodes within the caller's reach."""

    serializer_class = InboundSerializer
    queryset = Inbound.objects.none()
    pagination_class = KeysetPagination
    keyset_order = ("-id",)

    def get_permissions(self) -> list[Any]:
        doors = {
            "create": PLAN,
            "slip": PLAN,
            "cancel": PLAN,
            "close": PLAN,
            "limit": PLAN,
            "receive": WORK,
        }
        return [needs(*doors.get(self.action, SEE))()]

    def get_queryset(self) -> QuerySet[Inbound]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        found = Inbound.objects.for_scope(reach_of(self.request))
        within = nodes_in_reach(self.request)
        if within is not None:
            found = found.filter(node__in=within)
        wanted = self.request.query_params
        if states := wanted.getlist("state"):
            found = found.filter(state__in=states)
        if node := wanted.get("node"):
            found = found.filter(node__code=node)
        if sku := wanted.get("sku"):
            found = found.filter(lines__sku__code=sku).distinct()
        return found.select_related("node").prefetch_related(
            "lines__sku", "lines__slips", "lines__of_line__inbound"
        )

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        """With what is known of how late the goods of these documents are: one statement for all."""
        shown = args[0] if args else ()
        documents = shown if isinstance(shown, Iterable) else [shown]
        lines = [line.pk for row in documents for line in row.lines.all()]
        sure = selectors.sure_of(lines) if lines else {}
        context = {**self.get_serializer_context(), "sure": sure}
        return InboundSerializer(*args, **{**kwargs, "context": context})

    @extend_schema(
        parameters=[
            OpenApiParameter("state", enum=InboundState.values, many=True),
            OpenApiParameter("node", description="Code of the node."),
            OpenApiParameter("sku", description="Code of a SKU that is among the goods."),
        ]
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(request=AnnouncementInput, responses=InboundOutcomes)
    @idempotent
    def create(self, request: Request) -> Response:
        """Tell what is on its way: up to 1,000 documents, each with its own outcome."""
        given = read_body(AnnouncementInput, request)
        account_id = account_meant(request, given["account"])
        rows = given["items"]
        nodes = nodes_meant(request, {row["node"] for row in rows}, account_id)
        skus = selectors.skus_by_code(
            account_id,
            channel_of_key(request),
            {line["sku"] for row in rows for line in row["lines"]},
        )
        refused = [_unknown(row, nodes, skus) for row in rows]
        drafts = [
            ExpectedDraft(
                account_id,
                nodes[row["node"]],
                row["number"],
                row["order_kind"],
                given["source"],
                tuple(
                    ExpectedLine(
                        skus[line["sku"]].id,
                        line["quantity"],
                        line["eta_at"],
                        line["reliability_percent"],
                        line["of_order"],
                        line["ahead_percent"],
                    )
                    for line in row["lines"]
                ),
                row["supplier"],
                row["complete"],
            )
            for row, why in zip(rows, refused, strict=True)
            if why is None
        ]
        told = iter(services.expect_inbound(drafts, at=clock.now(), actor=actor_of(request)))
        names = ("id", "number", "state", "differs")
        return _answer([why or next(told) for why in refused], names)

    @extend_schema(request=SlipsInput, responses=InboundOutcomes)
    @action(detail=False, methods=["post"])
    @idempotent
    def slip(self, request: Request) -> Response:
        """Expect lines at another time; answers what that breaks."""
        _require_every_node(request)
        given = read_body(SlipsInput, request)
        outcomes = services.slip_inbound(
            [SlipDraft(row["line"], row["eta_at"]) for row in given["items"]],
            source=given["source"],
            reason=given["reason"],
            at=clock.now(),
            actor=actor_of(request),
        )
        return _answer(outcomes, ("waiting", "broken"))

    @extend_schema(request=SlipsInput, responses=InboundOutcomes)
    @action(detail=False, methods=["post"], url_path="slip/preview", url_name="slip-preview")
    def preview(self, request: Request) -> Response:
        """What other times would break. Nothing is changed."""
        _require_every_node(request)
        given = read_body(SlipsInput, request)
        drafts = [SlipDraft(row["line"], row["eta_at"]) for row in given["items"]]
        outcomes = services.preview_slip(drafts, actor=actor_of(request, *SEE))
        return _answer(outcomes, ("waiting", "broken"))

    @extend_schema(request=InboundCancelInput, responses=InboundOutcomes)
    @action(detail=False, methods=["post"])
    @idempotent
    def cancel(self, request: Request) -> Response:
        """The rest does not come."""
        _require_every_node(request)
        given = read_body(InboundCancelInput, request)
        outcomes = services.cancel_inbound(
            given["ids"], given["reason"], at=clock.now(), actor=actor_of(request)
        )
        return _answer(outcomes, ("id", "number", "state"))

    @extend_schema(request=InboundCancelInput, responses=InboundOutcomes)
    @action(detail=False, methods=["post"])
    @idempotent
    def close(self, request: Request) -> Response:
        """What has come is all that comes."""
        _require_every_node(request)
        given = read_body(InboundCancelInput, request)
        outcomes = services.close_inbound(
            given["ids"], given["reason"], at=clock.now(), actor=actor_of(request)
        )
        return _answer(outcomes, ("id", "number", "state"))

    @extend_schema(request=LineCapsInput, responses=InboundOutcomes)
    @action(detail=False, methods=["post"])
    @idempotent
    def limit(self, request: Request) -> Response:
        """Let at most so much of what lines are still to bring be sold ahead."""
        _require_every_node(request)
        given = read_body(LineCapsInput, request)
        limits = [LineCap(row["line"], row["ahead_percent"]) for row in given["items"]]
        outcomes = services.limit_lines(limits, at=clock.now(), actor=actor_of(request))
        return _answer(outcomes, ())

    @extend_schema(request=ArrivalInput, responses=InboundOutcomes)
    @action(detail=True, methods=["post"])
    @idempotent
    def receive(self, request: Request, pk: str) -> Response:
        """Book what has come of a document; an external id counts once."""
        document = self.get_object()
        given = read_body(ArrivalInput, request)
        outcomes = services.receive_inbound(
            document.pk,
            [
                ReceivedLine(
                    row["line"],
                    row["quantity"],
                    lot=row["lot"],
                    expires_on=row["expires_on"],
                    external_id=row["external_id"],
                )
                for row in given["items"]
            ],
            at=clock.now(),
            actor=actor_of(request),
        )
        return _answer(outcomes, ())


class AheadCapViewSet(viewsets.GenericViewSet[AheadCap]):
    """How much channels may sell before it is there."""

    serializer_class = CapSerializer
    queryset = AheadCap.objects.none()
    pagination_class = KeysetPagination
    keyset_order = ("id",)

    def get_permissions(self) -> list[Any]:
        return [needs(*(SEE if self.action == "list" else PLAN))()]

    @extend_schema(
        parameters=[
            OpenApiParameter("channel", description="Code of the channel."),
            OpenApiParameter("sku", description="Code of the SKU."),
        ],
        responses=CapSerializer(many=True),
    )
    def list(self, request: Request) -> Response:
        """Caps, and what is used of each."""
        found = selectors.caps(reach_of(request))
        if (own := channel_of_key(request)) is not None:
            found = found.filter(channel=own)
        if channel := request.query_params.get("channel"):
            found = found.filter(channel__code=channel)
        if sku := request.query_params.get("sku"):
            found = found.filter(sku__code=sku)
        page = self.paginate_queryset(found) or []
        return self.get_paginated_response(CapSerializer(page, many=True).data)

    @extend_schema(request=CapsInput, responses=InboundOutcomes)
    @idempotent
    def create(self, request: Request) -> Response:
        """Set up to 1,000 caps, each with its own outcome; what is sold already stays sold."""
        _require_every_node(request)
        given = read_body(CapsInput, request)
        account_id = account_meant(request, given["account"])
        rows = given["items"]
        names = selectors.names_of(account_id)
        skus = selectors.skus_by_code(account_id, None, {row["sku"] for row in rows})
        refused = [_no_cap(row, names.channels, skus) for row in rows]
        drafts = [
            CapDraft(
                account_id,
                names.channels[row["channel"]],
                skus[row["sku"]].id,
                row["units"],
                row["starts_at"],
                row["ends_at"],
                row["note"],
            )
            for row, why in zip(rows, refused, strict=True)
            if why is None
        ]
        told = iter(services.set_caps(drafts, at=clock.now(), actor=actor_of(request)))
        return _answer([why or next(told) for why in refused], ())

    @extend_schema(request=EndCapsInput, responses=InboundOutcomes)
    @action(detail=False, methods=["post"])
    @idempotent
    def end(self, request: Request) -> Response:
        """Let caps count no more: the channel's own rule for backorders is back."""
        _require_every_node(request)
        given = read_body(EndCapsInput, request)
        outcomes = services.end_caps(given["ids"], at=clock.now(), actor=actor_of(request))
        return _answer(outcomes, ())


class SupplyLaneViewSet(viewsets.GenericViewSet[SupplyLane]):
    """How late suppliers are: declared, and learnt from what has arrived."""

    serializer_class = LaneSerializer
    queryset = SupplyLane.objects.none()

    def get_permissions(self) -> list[Any]:
        return [needs(*(SEE if self.action == "list" else PLAN))()]

    @extend_schema(responses=LaneSerializer(many=True))
    def list(self, request: Request) -> Response:
        """Every lane, by supplier."""
        found = selectors.lanes(reach_of(request))
        return Response({"results": LaneSerializer(found, many=True).data})

    @extend_schema(request=LanesInput, responses=InboundOutcomes)
    @idempotent
    def create(self, request: Request) -> Response:
        """Declare how late suppliers are where too few receipts tell."""
        _require_every_node(request)
        given = read_body(LanesInput, request)
        account_id = account_meant(request, given["account"])
        rows = given["items"]
        nodes = nodes_meant(request, {row["node"] for row in rows if row["node"]}, account_id)
        refused: list[Outcome[Any] | None] = [
            Outcome.refused("unknown-node", f"There is no node {row['node']}.")
            if row["node"] and row["node"] not in nodes
            else None
            for row in rows
        ]
        drafts = [
            LaneDraft(
                account_id,
                row["supplier"],
                nodes[row["node"]] if row["node"] else None,
                row["declared_hours"],
            )
            for row, why in zip(rows, refused, strict=True)
            if why is None
        ]
        told = iter(services.declare_lanes(drafts, at=clock.now(), actor=actor_of(request)))
        return _answer([why or next(told) for why in refused], ())


def _no_cap(
    row: Mapping[str, Any], channels: Mapping[str, Any], skus: Mapping[str, Any]
) -> Outcome[Any] | None:
    if row["channel"] not in channels:
        return Outcome.refused("unknown-channel", f"There is no channel {row['channel']}.")
    if row["sku"] not in skus:
        return Outcome.refused("unknown-sku", f"There is no SKU {row['sku']}.")
    return None


def _require_every_node(request: Request) -> None:
    """Documents are named by number: who sees only some nodes does not decide of them here."""
    if nodes_in_reach(request) is not None:
        raise Forbidden("This is decided for all nodes.")


def _unknown(
    row: Mapping[str, Any], nodes: Mapping[str, int], skus: Mapping[str, Any]
) -> Outcome[Any] | None:
    if row["node"] not in nodes:
        return Outcome.refused("unknown-node", f"There is no node {row['node']}.")
    missing = next((line["sku"] for line in row["lines"] if line["sku"] not in skus), None)
    return (
        None if missing is None else Outcome.refused("unknown-sku", f"There is no SKU {missing}.")
    )


def _answer(outcomes: Sequence[Outcome[Any]], names: Sequence[str]) -> Response:
    results = []
    for outcome in outcomes:
        item: dict[str, Any] = {"outcome": outcome.kind.value}
        if outcome.value is not None:
            item |= {name: getattr(outcome.value, name) for name in names}
        if outcome.problem is not None:
            item["problem"] = {"code": outcome.problem.code, "detail": outcome.problem.detail}
        results.append(item)
    return Response({"results": results})
