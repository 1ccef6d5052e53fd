"""Other owners of goods at our nodes: who sells them, what they are owed, and the report of it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from config.kernel import clock
from config.kernel.access import Permission
from config.kernel.actors import actor_of, reach_of
from config.kernel.errors import Invalid
from config.kernel.idempotency import idempotent
from config.kernel.permissions import needs
from config.kernel.types import Outcome, Scope
from inventory import selectors, services
from inventory.api.reading import account_meant, parsed_time, read_body
from inventory.api.serializers import MOST_ITEMS
from inventory.types import OwnerDraft, PriceDraft

SEE = (Permission.INVENTORY_VIEW, Permission.API_CATALOG_WRITE)
WRITE = (Permission.INVENTORY_PLAN, Permission.API_CATALOG_WRITE)
USUAL_PERIOD = timedelta(days=30)

_PERIOD = [
    OpenApiParameter("since", OpenApiTypes.DATETIME, description="Left out: 30 days before."),
    OpenApiParameter("until", OpenApiTypes.DATETIME, description="Left out: now."),
    OpenApiParameter("owner", str, description="Code of one owner."),
]


class OwnerShape(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="The owner of snapshots' rows and of stock.")
    code = serializers.CharField()
    name = serializers.CharField()
    is_first = serializers.BooleanField(help_text="Sold before our own goods.")
    channels = serializers.ListField(child=serializers.CharField())


class OwnerListShape(serializers.Serializer[Any]):
    results = OwnerShape(many=True)


class OwnerInput(serializers.Serializer[Any]):
    code = serializers.SlugField(max_length=32)
    name = serializers.CharField(max_length=120)
    is_first = serializers.BooleanField(default=False)
    channels = serializers.ListField(
        child=serializers.SlugField(), default=list, help_text="Those that sell the owner's goods."
    )
    id = serializers.UUIDField(default=None, allow_null=True)


class OwnersInput(serializers.Serializer[Any]):
    account = serializers.SlugField(default="", allow_blank=True)
    owners = OwnerInput(many=True, max_length=MOST_ITEMS, allow_empty=False)  # type: ignore[call-arg]  # the list's


class PriceInput(serializers.Serializer[Any]):
    owner = serializers.SlugField(max_length=32)
    sku = serializers.CharField(max_length=64)
    unit_price = serializers.DecimalField(
        max_digits=18,
        decimal_places=6,
        allow_null=True,
        help_text="In minor units of the currency; null takes the price away.",
    )
    currency = serializers.CharField(max_length=3, allow_blank=True, default="")


class PricesInput(serializers.Serializer[Any]):
    account = serializers.SlugField(default="", allow_blank=True)
    prices = PriceInput(many=True, max_length=MOST_ITEMS, allow_empty=False)  # type: ignore[call-arg]  # the list's


class PriceProblemShape(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()


class PriceItemShape(serializers.Serializer[Any]):
    outcome = serializers.ChoiceField(choices=["done", "refused"])
    problem = PriceProblemShape(required=False)


class PriceItemsShape(serializers.Serializer[Any]):
    results = PriceItemShape(many=True)


class ConsignedLineShape(serializers.Serializer[Any]):
    owner = serializers.CharField()
    sku = serializers.CharField()
    on_hand = serializers.IntegerField(help_text="Now.")
    reserved = serializers.IntegerField(help_text="Now.")
    received = serializers.IntegerField()
    sold = serializers.IntegerField()
    returned = serializers.IntegerField()
    owed_minor = serializers.IntegerField()
    currency = serializers.CharField()
    unpriced = serializers.IntegerField(help_text="Units of these without an agreed price.")


class ConsignmentShape(serializers.Serializer[Any]):
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    results = ConsignedLineShape(many=True)


class OwnerViewSet(ViewSet):
    """Other owners of goods at our nodes, and what we owe them."""

    def get_permissions(self) -> Sequence[Any]:
        return [needs(*(SEE if self.action in {"list", "consignment"} else WRITE))()]

    @extend_schema(responses=OwnerListShape)
    def list(self, request: Request) -> Response:
        """The owners, with the channels that sell their goods."""
        return Response(OwnerListShape({"results": selectors.owners(reach_of(request))}).data)

    @extend_schema(request=OwnersInput, responses=OwnerListShape)
    @idempotent
    def create(self, request: Request) -> Response:
        """Write up to 1,000 owners as they are wanted, new or changed by their code."""
        given = read_body(OwnersInput, request)
        account_id = account_meant(request, given["account"])
        channels = selectors.names_of(account_id).channels
        wanted = {code for row in given["owners"] for code in row["channels"]}
        if missing := sorted(wanted - channels.keys()):
            raise Invalid(f"There is no channel {missing[0]}.")
        services.define_owners(
            [
                OwnerDraft(
                    row["code"],
                    row["name"],
                    row["is_first"],
                    frozenset(channels[code] for code in row["channels"]),
                    row["id"],
                )
                for row in given["owners"]
            ],
            account_id=account_id,
            at=clock.now(),
            actor=actor_of(request),
        )
        scope = Scope(frozenset({account_id}))
        found = selectors.owners(scope, {row["code"] for row in given["owners"]})
        return Response(OwnerListShape({"results": found}).data)

    @extend_schema(request=PricesInput, responses=PriceItemsShape)
    @action(detail=False, methods=["post"])
    @idempotent
    def prices(self, request: Request) -> Response:
        """Agree what is owed per unit sold from now on: up to 1,000, each with its own outcome."""
        given = read_body(PricesInput, request)
        account_id = account_meant(request, given["account"])
        rows = given["prices"]
        found = selectors.owners(Scope(frozenset({account_id})), {row["owner"] for row in rows})
        owner_ids = {one.code: one.id for one in found}
        skus = selectors.skus_by_code(account_id, None, {row["sku"] for row in rows})
        drafts = [
            PriceDraft(
                owner_ids[row["owner"]], skus[row["sku"]].id, row["unit_price"], row["currency"]
            )
            if row["owner"] in owner_ids and row["sku"] in skus
            else None
            for row in rows
        ]
        told = iter(
            services.set_owner_prices(
                [draft for draft in drafts if draft is not None],
                at=clock.now(),
                actor=actor_of(request),
            )
        )
        return Response(
            {
                "results": [
                    _item(next(told) if draft is not None else _unknown(row, owner_ids))
                    for row, draft in zip(rows, drafts, strict=True)
                ]
            }
        )

    @extend_schema(parameters=_PERIOD, responses=ConsignmentShape)
    @action(detail=False, methods=["get"])
    def consignment(self, request: Request) -> Response:
        """What lies here of each owner, and what was received, sold, returned and owed in a period."""
        until = parsed_time(request.query_params.get("until", ""), "until") or clock.now()
        since = parsed_time(request.query_params.get("since", ""), "since") or until - USUAL_PERIOD
        lines = selectors.consigned_lines(
            reach_of(request),
            since=since,
            until=until,
            owner=request.query_params.get("owner", ""),
        )
        shown = {"since": since, "until": until, "results": lines}
        return Response(ConsignmentShape(shown).data)


def _unknown(row: dict[str, Any], owner_ids: dict[str, Any]) -> Outcome[int]:
    if row["owner"] not in owner_ids:
        return Outcome.refused("unknown-owner", f"There is no owner {row['owner']}.")
    return Outcome.refused("unknown-sku", f"There is no SKU {row['sku']}.")


def _item(outcome: Outcome[int]) -> dict[str, Any]:
    shown: dict[str, Any] = {"outcome": outcome.kind.value}
    if outcome.problem is not None:
        shown["problem"] = {"code": outcome.problem.code, "detail": outcome.problem.detail}
    return shown
