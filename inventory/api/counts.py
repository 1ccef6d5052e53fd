"""Counts asked of nodes, and what they found."""

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
from config.kernel.types import Outcome
from inventory import selectors, services
from inventory.api import move_shapes as shapes
from inventory.api.documents import NODE, STATE, WORK, WRITE, Documents, Named, answer, each
from inventory.api.reading import read_body
from inventory.models import CountRequest
from inventory.types import (
    CountWanted,
    SubjectTag,
    pk_of,
    subject_id,
)


class CountViewSet(Documents):
    """Counts asked of nodes. What the book says is not told: a count is blind."""

    serializer_class = shapes.CountShape
    queryset = CountRequest.objects.none()
    doors = {"create": WRITE, "cancel": WRITE, "answer": WORK}

    def found(self, request: Request) -> QuerySet[Any]:
        query: QuerySet[Any] = selectors.counts(reach_of(request), nodes_in_reach(request))
        return query

    @extend_schema(parameters=[STATE, NODE])
    def list(self, request: Request) -> Response:
        found = self.listed(request)
        if codes := request.query_params.getlist("node"):
            found = found.filter(node__code__in=codes)
        page = self.paginate_queryset(found) or []
        return self.get_paginated_response(shapes.CountShape(page, many=True).data)

    @extend_schema(request=shapes.CountsInput, responses=shapes.CountsShape)
    @idempotent
    def create(self, request: Request) -> Response:
        """Ask nodes to count."""
        given = read_body(shapes.CountsInput, request)
        named = Named(request, given, {row["node"] for row in given["items"]})

        def wanted(row: Mapping[str, Any]) -> CountWanted:
            node_id, sku_id, account_id = named.place(row)
            return CountWanted(account_id, node_id, sku_id, row["reason"], due_at=row["due_at"])

        def ask(counts: list[CountWanted]) -> list[Outcome[Any]]:
            known = {(one.node_id, one.sku_id): one for one in counts}
            asked = services.request_counts(
                list(known.values()), at=clock.now(), actor=actor_of(request)
            )
            return [Outcome.done(asked[one.node_id, one.sku_id]) for one in counts]

        outcomes = each(
            given["items"], lambda row: named.missing(row["node"], row["sku"]), wanted, ask
        )
        return answer(outcomes, lambda key: {"id": str(key), "state": "open"})

    @extend_schema(request=shapes.CountAnswersInput, responses=shapes.CountsShape)
    @action(detail=False, methods=["post"])
    @idempotent
    def answer(self, request: Request) -> Response:
        """Tell what was found. A person's number far off the book is counted again by another."""
        given = read_body(shapes.CountAnswersInput, request)["items"]
        counted = {pk_of(row["id"]): row["counted"] for row in given}
        outcomes = self.decided(
            request,
            list(counted),
            lambda ids, actor: services.answer_counts(
                [(key, counted[key]) for key in ids], at=clock.now(), actor=actor
            ),
        )
        return answer(outcomes, lambda state: {"state": state})

    @extend_schema(request=shapes.WordInput, responses=shapes.CountsShape)
    @action(detail=False, methods=["post"])
    @idempotent
    def cancel(self, request: Request) -> Response:
        """Nobody needs the counts any more."""
        given = read_body(shapes.WordInput, request)
        outcomes = self.decided(
            request,
            [pk_of(key) for key in given["ids"]],
            lambda ids, actor: services.cancel_counts(
                ids, given["reason"], at=clock.now(), actor=actor
            ),
        )
        return answer(outcomes, lambda pk: {"id": str(subject_id(SubjectTag.COUNT_REQUEST, pk))})
