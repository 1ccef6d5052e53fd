"""Lots: listed, dated, held, released and recalled; where they lie. One command each."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import clock
from config.kernel.access import Permission
from config.kernel.actors import actor_of, channel_of_key, reach_of
from config.kernel.errors import NotFound
from config.kernel.idempotency import idempotent
from config.kernel.pagination import KeysetPagination
from config.kernel.permissions import needs
from config.kernel.types import Outcome
from inventory import selectors, services
from inventory.api.reading import account_meant, read_body
from inventory.models import Lot
from inventory.states import LotState
from inventory.types import LotAnswer, LotDraft

SEE = (Permission.INVENTORY_VIEW, Permission.API_STOCK_WRITE)
WRITE = (Permission.INVENTORY_ADJUST, Permission.API_STOCK_WRITE)
STOP = (Permission.INVENTORY_RECALL,)
MOST_ITEMS = 1_000


class LotSerializer(serializers.ModelSerializer[Lot]):
    """A lot, and what lies of it where that was asked for one lot."""

    sku = serializers.CharField(source="sku.code")
    recall = serializers.UUIDField(source="recall_id", allow_null=True)

    class Meta:
        model = Lot
        fields = (
            "id",
            "sku",
            "code",
            "state",
            "state_reason",
            "expires_on",
            "made_on",
            "recall",
            "first_seen_at",
        )


class LotInput(serializers.Serializer[object]):
    sku = serializers.CharField(max_length=64)
    code = serializers.CharField(max_length=64)
    expires_on = serializers.DateField(allow_null=True, default=None)
    made_on = serializers.DateField(allow_null=True, default=None)


class LotsInput(serializers.Serializer[object]):
    account = serializers.SlugField(
        default="", allow_blank=True, help_text="Needed only by callers of several accounts."
    )
    lots = LotInput(many=True, max_length=MOST_ITEMS, allow_empty=False)  # type: ignore[call-arg]  # the list's


class StopInput(serializers.Serializer[object]):
    lots = serializers.ListField(
        child=serializers.IntegerField(), max_length=MOST_ITEMS, allow_empty=False
    )
    reason = serializers.CharField(max_length=200)


class LiftInput(serializers.Serializer[object]):
    recall = serializers.UUIDField()
    reason = serializers.CharField(max_length=200)


class LotOutcome(serializers.Serializer[object]):
    outcome = serializers.CharField()
    id = serializers.IntegerField(required=False)
    code = serializers.CharField(required=False)
    state = serializers.CharField(required=False)
    problem = serializers.DictField(required=False)


class LotOutcomes(serializers.Serializer[object]):
    results = LotOutcome(many=True)


class RecallAnswer(serializers.Serializer[object]):
    recall = serializers.UUIDField()
    lots = serializers.ListField(child=serializers.IntegerField())


class LotTrace(serializers.Serializer[object]):
    """What lies of a lot, and what left under which cause."""

    lot = LotSerializer()
    on_sale = serializers.IntegerField()
    on_hand = serializers.IntegerField()
    issued = serializers.ListField(child=serializers.DictField())


class LotViewSet(viewsets.ReadOnlyModelViewSet[Lot]):
    """Lots of the caller's accounts."""

    serializer_class = LotSerializer
    queryset = Lot.objects.none()
    pagination_class = KeysetPagination
    keyset_order = ("-id",)

    def get_permissions(self) -> list[Any]:
        stops = {"hold", "release", "recall", "lift"}
        wanted = STOP if self.action in stops else WRITE if self.action == "define" else SEE
        return [needs(*wanted)()]

    def get_queryset(self) -> QuerySet[Lot]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        found = selectors.lots(reach_of(self.request))
        wanted = self.request.query_params
        if states := wanted.getlist("state"):
            found = found.filter(state__in=states)
        if sku := wanted.get("sku"):
            found = found.filter(sku__code=sku)
        if code := wanted.get("code"):
            found = found.filter(code=code)
        return found

    @extend_schema(
        parameters=[
            OpenApiParameter("state", enum=LotState.values, many=True),
            OpenApiParameter("sku", description="Code of the SKU."),
            OpenApiParameter("code", description="Code of the lot."),
        ]
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(responses=LotTrace)
    @action(detail=True, methods=["get"])
    def trace(self, request: Request, pk: str) -> Response:
        """Forward: units that left, by parcel or other cause; and what lies there still."""
        row = self.get_object()
        (view,) = selectors.lot_views([row.pk])
        issued = [
            {"cause_kind": kind, "cause": str(cause), "units": units}
            for _, _, kind, cause, units in selectors.issued_of([row.pk])
        ]
        return Response(
            {
                "lot": LotSerializer(row).data,
                "on_sale": view.on_sale,
                "on_hand": view.on_hand,
                "issued": issued,
            }
        )

    @extend_schema(request=LotsInput, responses=LotOutcomes)
    @action(detail=False, methods=["post"])
    @idempotent
    def define(self, request: Request) -> Response:
        """Make lots, or put their dates right."""
        given = read_body(LotsInput, request)
        account_id = account_meant(request, given["account"])
        skus = selectors.skus_by_code(
            account_id, channel_of_key(request), {row["sku"] for row in given["lots"]}
        )
        return _each(
            given["lots"],
            lambda row: (
                None
                if row["sku"] in skus
                else Outcome.refused("unknown-sku", f"There is no SKU {row['sku']}.")
            ),
            lambda rows: services.define_lots(
                [
                    LotDraft(
                        account_id,
                        skus[row["sku"]].id,
                        row["code"],
                        row["expires_on"],
                        row["made_on"],
                    )
                    for row in rows
                ],
                at=clock.now(),
                actor=actor_of(request),
            ),
        )

    @extend_schema(request=StopInput, responses=LotOutcomes)
    @action(detail=False, methods=["post"])
    @idempotent
    def hold(self, request: Request) -> Response:
        """Quarantine lots at every node."""
        return _moved(services.stop_lots, request)

    @extend_schema(request=StopInput, responses=LotOutcomes)
    @action(detail=False, methods=["post"])
    @idempotent
    def release(self, request: Request) -> Response:
        """Take lots off hold."""
        return _moved(services.free_lots, request)

    @extend_schema(request=StopInput, responses=RecallAnswer)
    @action(detail=False, methods=["post"])
    @idempotent
    def recall(self, request: Request) -> Response:
        """Call lots back: stop them everywhere, and open a case for each place that has some."""
        given = read_body(StopInput, request)
        actor, at = actor_of(request), clock.now()
        recall_id = services.recall_lots(given["lots"], given["reason"], at=at, actor=actor)
        transaction.on_commit(
            lambda: services.stop_recall(recall_id, at=at, actor=actor), robust=True
        )
        return Response({"recall": str(recall_id), "lots": given["lots"]})

    @extend_schema(request=LiftInput, responses=RecallAnswer)
    @action(detail=False, methods=["post"])
    @idempotent
    def lift(self, request: Request) -> Response:
        """Lift a recall: its lots lie on hold until they are released."""
        given = read_body(LiftInput, request)
        recall_id: UUID = given["recall"]
        if not selectors.recalls(reach_of(request)).filter(pk=recall_id).exists():
            raise NotFound("There is no such recall.")
        lots = services.lift_recall(
            recall_id, given["reason"], at=clock.now(), actor=actor_of(request)
        )
        return Response({"recall": str(recall_id), "lots": lots})


def _moved(command: Callable[..., list[Outcome[LotAnswer]]], request: Request) -> Response:
    """Stop or free lots; their units are moved when the request's transaction is through."""
    given = read_body(StopInput, request)
    at, actor = clock.now(), actor_of(request)
    outcomes = command(given["lots"], given["reason"], at=at, actor=actor)
    moved = [one.value.id for one in outcomes if one.value is not None]
    transaction.on_commit(lambda: services.settle_lots(moved, at=at, actor=actor), robust=True)
    return _answer(outcomes)


def _answer(outcomes: Sequence[Outcome[LotAnswer]]) -> Response:
    results = []
    for outcome in outcomes:
        item: dict[str, Any] = {"outcome": outcome.kind.value}
        if outcome.value is not None:
            one = outcome.value
            item |= {"id": one.id, "code": one.code, "state": one.state}
        if outcome.problem is not None:
            item["problem"] = {"code": outcome.problem.code, "detail": outcome.problem.detail}
        results.append(item)
    return Response({"results": results})


def _each(
    rows: Sequence[Mapping[str, Any]],
    refusal: Callable[[Mapping[str, Any]], Outcome[LotAnswer] | None],
    command: Callable[[list[Mapping[str, Any]]], Sequence[Outcome[LotAnswer]]],
) -> Response:
    """Rows that cannot be understood are refused; the others go to the command together."""
    refused = [refusal(row) for row in rows]
    good = [row for row, why in zip(rows, refused, strict=True) if why is None]
    done = iter(command(good) if good else ())
    return _answer([why if why is not None else next(done) for why in refused])
