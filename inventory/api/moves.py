"""Stock moved by request: conditions, adjustments, transfers and counts. One command each."""

from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import clock
from config.kernel.access import Permission
from config.kernel.actors import actor_of, channel_of_key, nodes_in_reach, reach_of
from config.kernel.errors import NotFound
from config.kernel.idempotency import idempotent
from config.kernel.pagination import KeysetPagination
from config.kernel.permissions import needs
from config.kernel.types import Actor, Outcome
from inventory import selectors, services
from inventory.api import move_shapes as shapes
from inventory.api.reading import account_meant, nodes_meant, read_body
from inventory.models import CountRequest, StockAdjustment, Transfer
from inventory.types import (
    AdjustmentDraft,
    ConditionChange,
    CountWanted,
    MovedUnits,
    PackConversion,
    SkuView,
    SubjectTag,
    TransferDraft,
    TransferLineDraft,
    TransferReceipt,
    TransferShipment,
    pk_of,
    subject_id,
)

SEE = (Permission.INVENTORY_VIEW, Permission.API_STOCK_WRITE)
WRITE = (Permission.INVENTORY_ADJUST, Permission.API_STOCK_WRITE)
WORK = (Permission.INVENTORY_ADJUST, Permission.FULFILLMENT_WORK, Permission.API_STOCK_WRITE)
APPROVE = (Permission.INVENTORY_APPROVE,)

_STATE = OpenApiParameter("state", str, many=True, description="May be repeated.")
_NODE = OpenApiParameter("node", str, many=True, description="Node code; may be repeated.")


class _Named:
    """The SKUs and nodes that a body names, as the account's own."""

    def __init__(self, request: Request, given: Mapping[str, Any], nodes: Collection[str]) -> None:
        self.account_id = account_meant(request, given["account"])
        codes = {row["sku"] for row in given["items"] if "sku" in row}
        codes |= {line["sku"] for row in given["items"] for line in row.get("lines", ())}
        self.skus: dict[str, SkuView] = selectors.skus_by_code(
            self.account_id, channel_of_key(request), codes
        )
        self.nodes = nodes_meant(request, set(nodes), self.account_id)

    def missing(self, node: str, *skus: str) -> Outcome[Any] | None:
        """Why a row cannot be understood, or None."""
        if node not in self.nodes:
            return Outcome.refused("unknown-node", f"There is no node {node}.")
        unknown = next((sku for sku in skus if sku not in self.skus), None)
        return Outcome.refused("unknown-sku", f"There is no SKU {unknown}.") if unknown else None

    def place(self, row: Mapping[str, Any]) -> tuple[int, int, UUID]:
        return self.nodes[row["node"]], self.skus[row["sku"]].id, self.account_id


def _answer(outcomes: Sequence[Outcome[Any]], shown: Callable[[Any], dict[str, Any]]) -> Response:
    results = []
    for outcome in outcomes:
        item: dict[str, Any] = {"outcome": outcome.kind.value}
        if outcome.value is not None:
            item |= shown(outcome.value)
        if outcome.problem is not None:
            item["problem"] = {"code": outcome.problem.code, "detail": outcome.problem.detail}
        results.append(item)
    return Response({"results": results})


def _each(
    rows: Sequence[Mapping[str, Any]],
    refusal: Callable[[Mapping[str, Any]], Outcome[Any] | None],
    made: Callable[[Mapping[str, Any]], Any],
    command: Callable[[list[Any]], Sequence[Outcome[Any]]],
) -> list[Outcome[Any]]:
    """One outcome per row: why it was not understood, or what the command says of it."""
    refused = [refusal(row) for row in rows]
    known = [made(row) for row, why in zip(rows, refused, strict=True) if why is None]
    told = iter(command(known))
    return [why or next(told) for why in refused]


def _as_movement(value: Any) -> dict[str, Any]:
    return {"movement_id": str(value.movement_id), "on_hand": value.on_hand}


def _as_document(value: Any) -> dict[str, Any]:
    return {"id": str(value.id), "number": value.number, "state": value.state}


class ConditionActions:
    """Units that lie otherwise now; part of the stock's addresses."""

    @extend_schema(request=shapes.ConditionsInput, responses=shapes.MovementsShape)
    @action(detail=False, methods=["post"])
    @idempotent
    def conditions(self, request: Request) -> Response:
        """Move units between conditions: quarantine, damage, release, put away."""
        given = read_body(shapes.ConditionsInput, request)
        named = _Named(request, given, {row["node"] for row in given["items"]})

        def change(row: Mapping[str, Any]) -> ConditionChange:
            return ConditionChange(
                *named.place(row),
                row["condition"],
                row["into"],
                row["quantity"],
                lot=row["lot"],
                note=row["note"],
                source=given["source"],
                external_id=row["external_id"],
            )

        at, actor = clock.now(), actor_of(request)
        outcomes = _each(
            given["items"],
            lambda row: named.missing(row["node"], row["sku"]),
            change,
            lambda changes: services.change_conditions(changes, at=at, actor=actor),
        )
        return _answer(outcomes, _as_movement)

    @extend_schema(request=shapes.ConversionsInput, responses=shapes.MovementsShape)
    @action(detail=False, methods=["post"])
    @idempotent
    def conversions(self, request: Request) -> Response:
        """Break whole packs of reserve storage into units that can be picked."""
        given = read_body(shapes.ConversionsInput, request)
        named = _Named(request, given, {row["node"] for row in given["items"]})

        def conversion(row: Mapping[str, Any]) -> PackConversion:
            return PackConversion(
                *named.place(row),
                row["packs"],
                row["pack"],
                row["units"],
                lot=row["lot"],
                note=row["note"],
                source=given["source"],
                external_id=row["external_id"],
            )

        at, actor = clock.now(), actor_of(request)
        outcomes = _each(
            given["items"],
            lambda row: named.missing(row["node"], row["sku"]),
            conversion,
            lambda packs: services.convert_packs(packs, at=at, actor=actor),
        )
        return _answer(outcomes, _as_movement)


class _Documents(viewsets.GenericViewSet[Any]):
    """Documents by state and node, newest first; each verb takes up to 1,000 of them."""

    pagination_class = KeysetPagination
    keyset_order = ("-id",)
    doors: Mapping[str, tuple[Permission, ...]] = {}

    def get_permissions(self) -> Sequence[Any]:
        return [needs(*self.doors.get(self.action, SEE))()]

    @abstractmethod
    def found(self, request: Request) -> QuerySet[Any]:
        """What the caller may see."""

    def listed(self, request: Request) -> QuerySet[Any]:
        found = self.found(request)
        if states := request.query_params.getlist("state"):
            found = found.filter(state__in=states)
        return found

    def decided(
        self,
        request: Request,
        ids: Sequence[Any],
        command: Callable[[list[Any], Actor], Sequence[Outcome[Any]]],
        reached: QuerySet[Any] | None = None,
    ) -> list[Outcome[Any]]:
        """Let a command decide on those documents of the list that the caller may reach."""
        queryset = self.found(request) if reached is None else reached
        known = set(queryset.filter(pk__in=ids).values_list("pk", flat=True))
        told = iter(command([key for key in ids if key in known], actor_of(request)))
        missing: Outcome[Any] = Outcome.refused("not-found", "There is no such document.")
        return [next(told) if key in known else missing for key in ids]


class AdjustmentViewSet(_Documents):
    """Changes of the book that people ask for; what is large waits for a second person."""

    serializer_class = shapes.AdjustmentShape
    queryset = StockAdjustment.objects.none()
    doors = {"create": WRITE, "approve": APPROVE, "decline": (*APPROVE, *WRITE)}

    def found(self, request: Request) -> QuerySet[Any]:
        query: QuerySet[Any] = selectors.adjustments(reach_of(request), nodes_in_reach(request))
        return query

    @extend_schema(parameters=[_STATE, _NODE])
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
        named = _Named(request, given, {row["node"] for row in given["items"]})

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
        outcomes = _each(
            given["items"],
            lambda row: named.missing(row["node"], row["sku"]),
            draft,
            lambda drafts: services.adjust_stock(drafts, at=at, actor=actor),
        )
        return _answer(outcomes, _as_document)

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
        return _answer(outcomes, _as_document)

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
        return _answer(outcomes, _as_document)

    def _declinable(self, request: Request) -> QuerySet[Any]:
        """All that the caller may approve, or what the caller has proposed."""
        scope = reach_of(request, *APPROVE)
        theirs: QuerySet[Any] = selectors.adjustments(scope, nodes_in_reach(request, *APPROVE))
        own = self.found(request).filter(proposed_by=actor_of(request).id)
        return theirs | own


class TransferViewSet(_Documents):
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

    @extend_schema(parameters=[_STATE])
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
        named = _Named(request, given, {row["from_node"] for row in rows})
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
        outcomes = _each(
            rows,
            refusal,
            draft,
            lambda drafts: services.draft_transfers(drafts, at=at, actor=actor),
        )
        return _answer(outcomes, _as_document)

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
        return _answer(outcomes, _as_document)

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
        return _answer(outcomes, _as_document)

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
        return _answer(outcomes, _as_document)

    def _verb(self, request: Request, command: Callable[..., Sequence[Outcome[Any]]]) -> Response:
        given = read_body(shapes.IdsInput, request)
        outcomes = self.decided(
            request, given["ids"], lambda ids, actor: command(ids, at=clock.now(), actor=actor)
        )
        return _answer(outcomes, _as_document)

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


class CountViewSet(_Documents):
    """Counts asked of nodes. What the book says is not told: a count is blind."""

    serializer_class = shapes.CountShape
    queryset = CountRequest.objects.none()
    doors = {"create": WRITE, "cancel": WRITE, "answer": WORK}

    def found(self, request: Request) -> QuerySet[Any]:
        query: QuerySet[Any] = selectors.counts(reach_of(request), nodes_in_reach(request))
        return query

    @extend_schema(parameters=[_STATE, _NODE])
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
        named = _Named(request, given, {row["node"] for row in given["items"]})

        def wanted(row: Mapping[str, Any]) -> CountWanted:
            node_id, sku_id, account_id = named.place(row)
            return CountWanted(account_id, node_id, sku_id, row["reason"], due_at=row["due_at"])

        def ask(counts: list[CountWanted]) -> list[Outcome[Any]]:
            known = {(one.node_id, one.sku_id): one for one in counts}
            asked = services.request_counts(
                list(known.values()), at=clock.now(), actor=actor_of(request)
            )
            return [Outcome.done(asked[one.node_id, one.sku_id]) for one in counts]

        outcomes = _each(
            given["items"], lambda row: named.missing(row["node"], row["sku"]), wanted, ask
        )
        return _answer(outcomes, lambda key: {"id": str(key), "state": "open"})

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
        return _answer(outcomes, lambda state: {"state": state})

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
        return _answer(outcomes, lambda pk: {"id": str(subject_id(SubjectTag.COUNT_REQUEST, pk))})
