"""Goods on their way: announced, put off, received and cancelled. One command each."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, viewsets
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
from inventory.api.reading import account_meant, nodes_meant, read_body
from inventory.models import Inbound, InboundLine, InboundSlip
from inventory.states import InboundKind, InboundState
from inventory.types import ExpectedDraft, ExpectedLine, ReceivedLine, SlipDraft

SEE = (Permission.INVENTORY_VIEW, Permission.API_STOCK_WRITE, Permission.API_CATALOG_WRITE)
PLAN = (Permission.INVENTORY_PLAN, Permission.API_CATALOG_WRITE)
WORK = (Permission.INVENTORY_ADJUST, Permission.API_STOCK_WRITE)
MOST_ITEMS: Final = 1_000
_MOST_UNITS: Final = 10**9
_KINDS: Final = [InboundKind.PURCHASE_ORDER.value, InboundKind.ADVANCE_NOTICE.value]


class ExpectedLineInput(serializers.Serializer[object]):
    sku = serializers.CharField(max_length=120)
    quantity = serializers.IntegerField(min_value=1, max_value=_MOST_UNITS)
    eta_at = serializers.DateTimeField()
    reliability_percent = serializers.IntegerField(min_value=0, max_value=100, default=90)


class ExpectedInput(serializers.Serializer[object]):
    node = serializers.CharField(max_length=64)
    number = serializers.CharField(max_length=64)
    order_kind = serializers.ChoiceField(choices=_KINDS, default=_KINDS[0])
    lines = ExpectedLineInput(many=True, max_length=MOST_ITEMS, allow_empty=False)  # type: ignore[call-arg]  # the list's


class AnnouncementInput(serializers.Serializer[object]):
    account = serializers.SlugField(
        default="", allow_blank=True, help_text="Needed only by callers of several accounts."
    )
    source = serializers.CharField(max_length=64, default="api")  # type: ignore[assignment]  # declared fields leave the class
    items = ExpectedInput(many=True, max_length=MOST_ITEMS, allow_empty=False)  # type: ignore[call-arg]  # the list's


class SlipInput(serializers.Serializer[object]):
    line = serializers.IntegerField()
    eta_at = serializers.DateTimeField()


class SlipsInput(serializers.Serializer[object]):
    source = serializers.CharField(max_length=64, default="api")  # type: ignore[assignment]  # declared fields leave the class
    reason = serializers.CharField(max_length=200, default="", allow_blank=True)
    items = SlipInput(many=True, max_length=MOST_ITEMS, allow_empty=False)  # type: ignore[call-arg]  # the list's


class ReceivedInput(serializers.Serializer[object]):
    line = serializers.IntegerField()
    quantity = serializers.IntegerField(min_value=1, max_value=_MOST_UNITS)
    lot = serializers.CharField(max_length=64, default="", allow_blank=True)
    expires_on = serializers.DateField(allow_null=True, default=None)
    external_id = serializers.CharField(max_length=120)


class ArrivalInput(serializers.Serializer[object]):
    items = ReceivedInput(many=True, max_length=MOST_ITEMS, allow_empty=False)  # type: ignore[call-arg]  # the list's


class InboundCancelInput(serializers.Serializer[object]):
    ids = serializers.ListField(
        child=serializers.IntegerField(), max_length=MOST_ITEMS, allow_empty=False
    )
    reason = serializers.CharField(max_length=100, default="", allow_blank=True)


class InboundOutcome(serializers.Serializer[object]):
    outcome = serializers.CharField()
    id = serializers.IntegerField(required=False)
    number = serializers.CharField(required=False)
    state = serializers.CharField(required=False)
    waiting = serializers.IntegerField(required=False, help_text="Units waiting for the line.")
    broken = serializers.IntegerField(
        required=False, help_text="Of them those for which it now comes too late."
    )
    problem = serializers.DictField(required=False)


class InboundOutcomes(serializers.Serializer[object]):
    results = InboundOutcome(many=True, help_text="One per item sent, in the same order.")


class InboundSlipSerializer(serializers.ModelSerializer[InboundSlip]):
    class Meta:
        model = InboundSlip
        fields = ("was_eta_at", "eta_at", "source", "reason", "at")


class InboundLineSerializer(serializers.ModelSerializer[InboundLine]):
    """A line, and every time at which it was expected before."""

    sku = serializers.CharField(source="sku.code")
    slips = InboundSlipSerializer(many=True)

    class Meta:
        model = InboundLine
        fields = (
            "id",
            "sku",
            "expected",
            "received",
            "eta_at",
            "reliability_percent",
            "slips",
        )


class InboundSerializer(serializers.ModelSerializer[Inbound]):
    node = serializers.CharField(source="node.code")
    order_kind = serializers.CharField(source="kind")
    state = serializers.CharField()
    lines = InboundLineSerializer(many=True)

    class Meta:
        model = Inbound
        fields = ("id", "number", "node", "order_kind", "source", "state", "lines")


class InboundViewSet(viewsets.ReadOnlyModelViewSet[Inbound]):
    """Goods on their way to nodes within the caller's reach."""

    serializer_class = InboundSerializer
    queryset = Inbound.objects.none()
    pagination_class = KeysetPagination
    keyset_order = ("-id",)

    def get_permissions(self) -> list[Any]:
        doors = {"create": PLAN, "slip": PLAN, "cancel": PLAN, "receive": WORK}
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
        return found.select_related("node").prefetch_related("lines__sku", "lines__slips")

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
                    )
                    for line in row["lines"]
                ),
            )
            for row, why in zip(rows, refused, strict=True)
            if why is None
        ]
        told = iter(services.expect_inbound(drafts, at=clock.now(), actor=actor_of(request)))
        return _answer([why or next(told) for why in refused], ("id", "number", "state"))

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
