"""The stock API: SKUs, nodes and stock to read; changes and snapshots to send. One command each."""

from collections.abc import Collection, Sequence
from typing import Any

from drf_spectacular.types import OpenApiTypes
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
from config.kernel.types import Outcome
from inventory import selectors, services
from inventory.api import serializers as shapes
from inventory.api.conditions import ConditionActions
from inventory.api.reading import (
    account_meant,
    nodes_meant,
    owners_meant,
    parsed_time,
    read_body,
)
from inventory.models import NodeGroup, StockPosition
from inventory.selectors.explore import waterfalls_of
from inventory.states import Condition, MovementKind
from inventory.types import ChangeAnswer, SnapshotRow, StockChange

SEE = (Permission.INVENTORY_VIEW, Permission.API_STOCK_WRITE)
WRITE = (Permission.INVENTORY_ADJUST, Permission.API_STOCK_WRITE)

_CODES = [
    OpenApiParameter("sku", str, many=True, description="SKU code; may be repeated."),
    OpenApiParameter("node", str, many=True, description="Node code; may be repeated."),
]
_GROUP = OpenApiParameter("group", str, many=True, description="Code of a group of nodes.")
_CHANGED = OpenApiParameter(
    "changed_since", OpenApiTypes.DATETIME, description="Only what has moved since, by our clock."
)


class StockViewSet(ConditionActions, viewsets.GenericViewSet[StockPosition]):
    """Stock as a waterfall per SKU and node, and the facts that change it."""

    serializer_class = shapes.StockShape
    pagination_class = KeysetPagination
    keyset_order = ("id",)
    queryset = StockPosition.objects.none()

    def get_permissions(self) -> Sequence[Any]:
        return [needs(*(SEE if self.action == "list" else WRITE))()]

    @extend_schema(parameters=[*_CODES, _GROUP, _CHANGED])
    def list(self, request: Request) -> Response:
        """Stock by SKU, node and node group; `changed_since` keeps what has moved since then."""
        scope = reach_of(request)
        found = StockPosition.objects.for_scope(scope).select_related("node", "sku")
        nodes = nodes_in_reach(request)
        if nodes is not None:
            found = found.filter(node_id__in=nodes)
        if since := parsed_time(request.query_params.get("changed_since", ""), "changed_since"):
            found = found.filter(pk__in=selectors.moved_since(since, scope))
        for name, column in [
            ("sku", "sku__code__in"),
            ("node", "node__code__in"),
        ]:
            if codes := request.query_params.getlist(name):
                found = found.filter(**{column: codes})
        if codes := request.query_params.getlist("group"):
            groups = NodeGroup.objects.for_scope(scope).filter(code__in=codes)
            found = found.filter(node__in=groups.values("nodes"))
        page = self.paginate_queryset(found) or []
        shown = [shapes.StockShape(one).data for one in waterfalls_of(page, scope=scope)]
        return self.get_paginated_response(shown)

    @extend_schema(request=shapes.ChangesInput, responses=shapes.StockItemsShape)
    @action(detail=False, methods=["post"])
    @idempotent
    def changes(self, request: Request) -> Response:
        """Send what came, went, was sold or counted: up to 1,000, each with its own outcome."""
        given = read_body(shapes.ChangesInput, request)
        account_id = account_meant(request, given["account"])
        rows = given["changes"]
        skus = selectors.skus_by_code(
            account_id, channel_of_key(request), {row["sku"] for row in rows}
        )
        nodes = nodes_meant(request, {row["node"] for row in rows}, account_id)
        owners = owners_meant(account_id, {row["owner"] for row in rows})
        wanted = [
            StockChange(
                node_id=nodes[row["node"]],
                sku_id=skus[row["sku"]].id,
                account_id=account_id,
                quantity=row["quantity"],
                kind=row["kind"],
                condition=row.get("condition", _lying(row["kind"])),
                lot=row["lot"],
                expires_on=row["expires_on"],
                source=given["source"],
                external_id=row["external_id"],
                note=row["note"],
                owner_id=owners[row["owner"]],
            )
            if row["sku"] in skus and row["node"] in nodes and row["owner"] in owners
            else None
            for row in rows
        ]
        known = [change for change in wanted if change is not None]
        outcomes = iter(services.record_changes(known, at=clock.now(), actor=actor_of(request)))
        return _answer(
            [
                next(outcomes) if change is not None else _unknown(row, skus, owners)
                for row, change in zip(rows, wanted, strict=True)
            ]
        )

    @extend_schema(request=shapes.SnapshotInput, responses=shapes.StockItemsShape)
    @action(detail=False, methods=["post"])
    @idempotent
    def snapshots(self, request: Request) -> Response:
        """Send what a node's system sees lying there, as of a time."""
        given = read_body(shapes.SnapshotInput, request)
        account_id = account_meant(request, given["account"])
        rows = given["rows"]
        nodes = nodes_meant(request, {given["node"]}, account_id)
        if given["node"] not in nodes:
            raise NotFound("There is no such node.")
        skus = selectors.skus_by_code(
            account_id, channel_of_key(request), {row["sku"] for row in rows}
        )
        owners = owners_meant(account_id, {row["owner"] for row in rows})
        known = [
            SnapshotRow(
                skus[row["sku"]].id,
                row["quantity"],
                row["condition"],
                row["lot"],
                owners[row["owner"]],
            )
            for row in rows
            if row["sku"] in skus and row["owner"] in owners
        ]
        outcomes = iter(
            services.apply_snapshot(
                nodes[given["node"]],
                given["source"],
                given["as_of"],
                known,
                counted=given["counted"],
                at=clock.now(),
                actor=actor_of(request),
            )
        )
        return _answer(
            [
                next(outcomes)
                if row["sku"] in skus and row["owner"] in owners
                else _unknown(row, skus, owners)
                for row in rows
            ]
        )


def _lying(kind: str) -> str:
    """How units lie of which a change does not say it: a receipt's as the node receives."""
    return "" if kind == MovementKind.RECEIPT else Condition.AVAILABLE.value


def _answer(outcomes: Sequence[Outcome[Any]]) -> Response:
    return Response({"results": [_item(outcome) for outcome in outcomes]})


def _item(outcome: Outcome[ChangeAnswer | None]) -> dict[str, Any]:
    shown: dict[str, Any] = {"outcome": outcome.kind.value}
    if outcome.value is not None:
        shown["movement_id"] = str(outcome.value.movement_id)
        shown["on_hand"] = outcome.value.on_hand
    if outcome.problem is not None:
        shown["problem"] = {"code": outcome.problem.code, "detail": outcome.problem.detail}
    return shown


def _unknown(row: dict[str, Any], skus: Collection[str], owners: Collection[str]) -> Outcome[Any]:
    if row["sku"] not in skus:
        return Outcome.refused("unknown-sku", f"There is no SKU {row['sku']}.")
    if row["owner"] not in owners:
        return Outcome.refused("unknown-owner", f"There is no owner {row['owner']}.")
    return Outcome.refused("unknown-node", f"There is no node {row['node']}.")
