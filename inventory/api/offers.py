"""Drop-ship suppliers' offers: what they ask, how soon they send, and when that ends."""

from collections.abc import Mapping, Sequence
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from config.kernel import clock
from config.kernel.access import Permission
from config.kernel.actors import actor_of, nodes_in_reach, reach_of
from config.kernel.errors import Forbidden
from config.kernel.idempotency import idempotent
from config.kernel.pagination import KeysetPagination
from config.kernel.permissions import needs
from config.kernel.types import Outcome, Scope
from inventory import selectors, services
from inventory.api.reading import account_meant, read_body
from inventory.api.serializers import MOST_ITEMS
from inventory.models import SupplierOffer
from inventory.services.offers import MOST_LEAD_DAYS
from inventory.types import OfferDraft

SEE = (Permission.INVENTORY_VIEW, Permission.API_CATALOG_WRITE)
WRITE = (Permission.INVENTORY_PLAN, Permission.API_CATALOG_WRITE)
MOST_MINOR = 10**12


class OfferInput(serializers.Serializer[Any]):
    supplier = serializers.CharField(max_length=32, help_text="Code of a node of that kind.")
    sku = serializers.CharField(max_length=64)
    unit_cost_minor = serializers.IntegerField(min_value=0, max_value=MOST_MINOR)
    own_cost_minor = serializers.IntegerField(
        min_value=0,
        max_value=MOST_MINOR,
        default=None,
        allow_null=True,
        help_text="What a unit of our own costs; null compares with the least that any asks.",
    )
    currency = serializers.CharField(max_length=3)
    lead_days = serializers.IntegerField(
        min_value=0, max_value=MOST_LEAD_DAYS, default=0, help_text="The supplier's working days."
    )
    least_units = serializers.IntegerField(min_value=1, max_value=10**9, default=1)
    valid_from = serializers.DateField()
    valid_until = serializers.DateField(
        default=None, allow_null=True, help_text="The first day on which it holds no more."
    )
    offered_by = serializers.CharField(
        source="source", max_length=64, allow_blank=True, default="", help_text="Where it is from."
    )


class OffersInput(serializers.Serializer[Any]):
    account = serializers.SlugField(default="", allow_blank=True)
    offers = OfferInput(many=True, max_length=MOST_ITEMS, allow_empty=False)  # type: ignore[call-arg]  # the list's


class OfferShape(OfferInput):
    id = serializers.IntegerField()
    supplier = serializers.CharField(source="node.code")
    sku = serializers.CharField(source="sku.code")


class OfferEndInput(serializers.Serializer[Any]):
    on = serializers.DateField(help_text="From this day on it holds no more.")


class OfferProblemShape(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()


class OfferItemShape(serializers.Serializer[Any]):
    outcome = serializers.ChoiceField(choices=["done", "refused"])
    problem = OfferProblemShape(required=False)


class OfferItemsShape(serializers.Serializer[Any]):
    results = OfferItemShape(many=True)


class SupplierOfferViewSet(GenericViewSet[SupplierOffer]):
    """What drop-ship suppliers offer to send for us."""

    queryset = SupplierOffer.objects.none()
    serializer_class = OfferShape
    pagination_class = KeysetPagination
    keyset_order = ("-id",)
    lookup_value_regex = "[0-9]{1,18}"

    def get_permissions(self) -> Sequence[Any]:
        return [needs(*(SEE if self.action == "list" else WRITE))()]

    @extend_schema(
        parameters=[OpenApiParameter("supplier", str, description="Code of one supplier.")],
        responses=OfferShape(many=True),
    )
    def list(self, request: Request) -> Response:
        """The offers, past and future ones too, those written last first."""
        node = request.query_params.get("supplier", "")
        found = selectors.offers(reach_of(request), node=node)
        if (nodes := nodes_in_reach(request)) is not None:
            found = found.filter(node_id__in=nodes)
        page = self.paginate_queryset(found) or []
        return self.get_paginated_response(OfferShape(page, many=True).data)

    @extend_schema(request=OffersInput, responses=OfferItemsShape)
    @idempotent
    def create(self, request: Request) -> Response:
        """Write up to 1,000 offers by supplier, SKU and first day: each with its own outcome."""
        _require_every_node(request)
        given = read_body(OffersInput, request)
        account_id = account_meant(request, given["account"])
        rows = given["offers"]
        nodes = selectors.nodes_by_code(
            {row["supplier"] for row in rows}, Scope(frozenset({account_id}))
        )
        skus = selectors.skus_by_code(account_id, None, {row["sku"] for row in rows})
        drafts = [
            OfferDraft(
                nodes.get(row.pop("supplier"), 0),
                skus[code].id if (code := row.pop("sku")) in skus else 0,
                **row,
            )
            for row in rows
        ]
        told = services.define_offers(
            drafts, account_id=account_id, at=clock.now(), actor=actor_of(request)
        )
        return Response({"results": [_item(outcome) for outcome in told]})

    @extend_schema(request=OfferEndInput, responses={204: None})
    @action(detail=True, methods=["post"])
    @idempotent
    def end(self, request: Request, pk: str) -> Response:
        """Let an offer hold no more from a day on."""
        _require_every_node(request)
        given = read_body(OfferEndInput, request)
        services.end_offer(int(pk), given["on"], at=clock.now(), actor=actor_of(request))
        return Response(status=204)


def _require_every_node(request: Request) -> None:
    if nodes_in_reach(request) is not None:
        raise Forbidden("This is decided for all nodes.")


def _item(outcome: Outcome[int]) -> Mapping[str, Any]:
    shown: dict[str, Any] = {"outcome": outcome.kind.value}
    if outcome.problem is not None:
        shown["problem"] = {"code": outcome.problem.code, "detail": outcome.problem.detail}
    return shown
