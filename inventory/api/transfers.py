"""Transfers between nodes, from draft to close."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import clock
from config.kernel.actors import actor_of, nodes_in_reach, reach_of
from config.kernel.errors import NotFound
from config.kernel.idempotency import idempotent
from config.kernel.types import Outcome
from inventory import selectors, services
from inventory.api import move_shapes as shapes
from inventory.api.documents import (
    APPROVE,
    STATE,
    WORK,
    WRITE,
    Documents,
    Named,
    answer,
    as_document,
    each,
)
from inventory.api.reading import read_body
from inventory.models import Transfer
from inventory.types import (
    MovedUnits,
    TransferDraft,
    TransferLineDraft,
    TransferReceipt,
    TransferShipment,
)


class TransferViewSet(Documents):
    """Goods that one node sends to another."""

    serializer_class = shapes.TransferShape
    queryset = Transfer.objects.none()
    doors = {
        "create": WRITE,
        "approve": APPROVE,
        "release": WRITE,
        "cancel": WRITE,
        "close": WRITE,
        "ship": WORK,
        "receive": WORK,
    }

    def found(self, request: Request) -> QuerySet[Any]:
        query: QuerySet[Any] = selectors.transfers(reach_of(request), nodes_in_reach(request))
        return query

    @extend_schema(parameters=[STATE])
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.listed(request)) or []
        return self.get_paginated_response(self._shown(page, request))

    @extend_schema(responses=shapes.TransferShape)
    def retrieve(self, request: Request, pk: str = "") -> Response:
        row = self.found(request).filter(number=pk).first()
        if row is None:
            raise NotFound("There is no such transfer.")
        return Response(self._shown([row], request)[0])

    def _shown(self, rows: Sequence[Transfer], request: Request) -> Any:
        lines = selectors.transfer_lines([row.pk for row in rows], reach_of(request))
        for row in rows:
            row.shown_lines = lines.get(row.pk, [])  # type: ignore[attr-defined]  # for display
        return shapes.TransferShape(rows, many=True).data

    @extend_schema(request=shapes.TransfersInput, responses=shapes.DocumentsShape)
    @idempotent
    def create(self, request: Request) -> Response:
        """Draft transfers: up to 1,000, each with its own outcome."""
        given = read_body(shapes.TransfersInput, request)
        rows = given["items"]
        named = Named(request, given, {row["from_node"] for row in rows})
        # Where the goods go need not be where the caller works.
        anywhere = selectors.nodes_by_code(
            {row["to_node"] for row in rows}, actor_of(request).scope
        )

        def refusal(row: Mapping[str, Any]) -> Outcome[Any] | None:
            if row["to_node"] not in anywhere:
                return Outcome.refused("unknown-node", f"There is no node {row['to_node']}.")
            return named.missing(row["from_node"], *(line["sku"] for line in row["lines"]))

        def draft(row: Mapping[str, Any]) -> TransferDraft:
            return TransferDraft(
                named.account_id,
                named.nodes[row["from_node"]],
                anywhere[row["to_node"]],
                tuple(
                    TransferLineDraft(named.skus[line["sku"]].id, line["quantity"])
                    for line in row["lines"]
                ),
                purpose=row["purpose"],
                priority=row["priority"],
                note=row["note"],
                eta_at=row["eta_at"],
                source=given["source"],
                external_id=row["external_id"],
            )

        at, actor = clock.now(), actor_of(request)
        outcomes = each(
            rows,
            refusal,
            draft,
            lambda drafts: services.draft_transfers(drafts, at=at, actor=actor),
        )
        return answer(outcomes, as_document)

    @extend_schema(request=shapes.IdsInput, responses=shapes.DocumentsShape)
    @action(detail=False, methods=["post"])
    @idempotent
    def approve(self, request: Request) -> Response:
        """Let drafts go ahead; beyond the account's limit not one's own."""
        return self._verb(request, services.approve_transfers)

    @extend_schema(request=shapes.IdsInput, responses=shapes.DocumentsShape)
    @action(detail=False, methods=["post"])
    @idempotent
    def release(self, request: Request) -> Response:
        """Reserve at the source what is free of what is asked for."""
        return self._verb(request, services.release_transfers)

    @extend_schema(request=shapes.IdsInput, responses=shapes.DocumentsShape)
    @action(detail=False, methods=["post"])
    @idempotent
    def close(self, request: Request) -> Response:
        """End received transfers whose claims have ended."""
        return self._verb(request, services.close_transfers)

    @extend_schema(request=shapes.WordInput, responses=shapes.DocumentsShape)
    @action(detail=False, methods=["post"])
    @idempotent
    def cancel(self, request: Request) -> Response:
        """Drop transfers of which nothing has left."""
        given = read_body(shapes.WordInput, request)
        outcomes = self.decided(
            request,
            given["ids"],
            lambda ids, actor: services.cancel_transfers(
                ids, given["reason"], at=clock.now(), actor=actor
            ),
        )
        return answer(outcomes, as_document)

    @extend_schema(request=shapes.ShipmentsInput, responses=shapes.DocumentsShape)
    @action(detail=False, methods=["post"])
    @idempotent
    def ship(self, request: Request) -> Response:
        """Units left their source, whole or in part."""
        given = read_body(shapes.ShipmentsInput, request)["items"]
        told = {
            row["id"]: TransferShipment(
                row["id"], _units(row["lines"]), row["eta_at"], row["reference"], row["last"]
            )
            for row in given
        }
        outcomes = self.decided(
            request,
            list(told),
            lambda ids, actor: services.ship_transfers(
                [told[key] for key in ids], at=clock.now(), actor=actor
            ),
            self._at(request, "source_id"),
        )
        return answer(outcomes, as_document)

    @extend_schema(request=shapes.ReceiptsInput, responses=shapes.DocumentsShape)
    @action(detail=False, methods=["post"])
    @idempotent
    def receive(self, request: Request) -> Response:
        """Units arrived at their destination, whole or damaged."""
        given = read_body(shapes.ReceiptsInput, request)["items"]
        told = {
            row["id"]: TransferReceipt(row["id"], _units(row["lines"]), row["last"])
            for row in given
        }
        outcomes = self.decided(
            request,
            list(told),
            lambda ids, actor: services.receive_transfers(
                [told[key] for key in ids], at=clock.now(), actor=actor
            ),
            self._at(request, "destination_id"),
        )
        return answer(outcomes, as_document)

    def _verb(self, request: Request, command: Callable[..., Sequence[Outcome[Any]]]) -> Response:
        given = read_body(shapes.IdsInput, request)
        outcomes = self.decided(
            request, given["ids"], lambda ids, actor: command(ids, at=clock.now(), actor=actor)
        )
        return answer(outcomes, as_document)

    def _at(self, request: Request, end: str) -> QuerySet[Any]:
        """The transfers of whose one end the caller may tell."""
        nodes = nodes_in_reach(request)
        found = self.found(request)
        return found if nodes is None else found.filter(**{f"{end}__in": nodes})


def _units(lines: Sequence[Mapping[str, Any]]) -> tuple[MovedUnits, ...]:
    return tuple(
        MovedUnits(
            line["id"],
            line["quantity"],
            line.get("damaged", 0),
            line["lot"],
            line.get("expires_on"),
            line.get("external_id", ""),
        )
        for line in lines
    )
