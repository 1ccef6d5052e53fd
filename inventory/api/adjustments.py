"""Corrections of the book by people: drafted, approved, declined."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import clock
from config.kernel.actors import actor_of, nodes_in_reach, reach_of
from config.kernel.idempotency import idempotent
from inventory import selectors, services
from inventory.api import move_shapes as shapes
from inventory.api.documents import (
    APPROVE,
    NODE,
    STATE,
    WRITE,
    Documents,
    Named,
    answer,
    as_document,
    each,
)
from inventory.api.reading import read_body
from inventory.models import StockAdjustment
from inventory.types import (
    AdjustmentDraft,
)


class AdjustmentViewSet(Documents):
    """Changes of the book that people ask for; what is large waits for a second person."""

    serializer_class = shapes.AdjustmentShape
    queryset = StockAdjustment.objects.none()
    doors = {"create": WRITE, "approve": APPROVE, "decline": (*APPROVE, *WRITE)}

    def found(self, request: Request) -> QuerySet[Any]:
        query: QuerySet[Any] = selectors.adjustments(reach_of(request), nodes_in_reach(request))
        return query

    @extend_schema(parameters=[STATE, NODE])
    def list(self, request: Request) -> Response:
        found = self.listed(request)
        if codes := request.query_params.getlist("node"):
            found = found.filter(node__code__in=codes)
        page = self.paginate_queryset(found) or []
        return self.get_paginated_response(shapes.AdjustmentShape(page, many=True).data)

    @extend_schema(request=shapes.AdjustmentsInput, responses=shapes.DocumentsShape)
    @idempotent
    def create(self, request: Request) -> Response:
        """Adjust stock: applied at once, or proposed where it is beyond the account's limit."""
        given = read_body(shapes.AdjustmentsInput, request)
        named = Named(request, given, {row["node"] for row in given["items"]})

        def draft(row: Mapping[str, Any]) -> AdjustmentDraft:
            return AdjustmentDraft(
                *named.place(row),
                row["quantity"],
                row["reason"],
                note=row["note"],
                condition=row["condition"],
                lot=row["lot"],
                expires_on=row["expires_on"],
                expected_on_hand=row["expected_on_hand"],
                source=given["source"],
                external_id=row["external_id"],
            )

        at, actor = clock.now(), actor_of(request)
        outcomes = each(
            given["items"],
            lambda row: named.missing(row["node"], row["sku"]),
            draft,
            lambda drafts: services.adjust_stock(drafts, at=at, actor=actor),
        )
        return answer(outcomes, as_document)

    @extend_schema(request=shapes.WordInput, responses=shapes.DocumentsShape)
    @action(detail=False, methods=["post"])
    @idempotent
    def approve(self, request: Request) -> Response:
        """Let proposed adjustments into the ledger; not one's own."""
        given = read_body(shapes.WordInput, request)
        outcomes = self.decided(
            request,
            given["ids"],
            lambda ids, actor: services.approve_adjustments(
                ids, given["reason"], at=clock.now(), actor=actor
            ),
        )
        return answer(outcomes, as_document)

    @extend_schema(request=shapes.WordInput, responses=shapes.DocumentsShape)
    @action(detail=False, methods=["post"])
    @idempotent
    def decline(self, request: Request) -> Response:
        """Leave the book as it is; whoever proposed may take it back."""
        given = read_body(shapes.WordInput, request)
        outcomes = self.decided(
            request,
            given["ids"],
            lambda ids, actor: services.decline_adjustments(
                ids, given["reason"], at=clock.now(), actor=actor
            ),
            self._declinable(request),
        )
        return answer(outcomes, as_document)

    def _declinable(self, request: Request) -> QuerySet[Any]:
        """All that the caller may approve, or what the caller has proposed."""
        scope = reach_of(request, *APPROVE)
        theirs: QuerySet[Any] = selectors.adjustments(scope, nodes_in_reach(request, *APPROVE))
        own = self.found(request).filter(proposed_by=actor_of(request).id)
        return theirs | own
