"""What documents of the stock API share: the names in a body, outcomes per row, verbs on many."""

from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel.access import Permission
from config.kernel.actors import actor_of, channel_of_key
from config.kernel.pagination import KeysetPagination
from config.kernel.permissions import needs
from config.kernel.types import Actor, Outcome
from inventory import selectors
from inventory.api.reading import account_meant, nodes_meant
from inventory.types import (
    SkuView,
)

SEE = (Permission.INVENTORY_VIEW, Permission.API_STOCK_WRITE)
WRITE = (Permission.INVENTORY_ADJUST, Permission.API_STOCK_WRITE)
WORK = (Permission.INVENTORY_ADJUST, Permission.FULFILLMENT_WORK, Permission.API_STOCK_WRITE)
APPROVE = (Permission.INVENTORY_APPROVE,)

STATE = OpenApiParameter("state", str, many=True, description="May be repeated.")
NODE = OpenApiParameter("node", str, many=True, description="Node code; may be repeated.")


class Named:
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


def answer(outcomes: Sequence[Outcome[Any]], shown: Callable[[Any], dict[str, Any]]) -> Response:
    results = []
    for outcome in outcomes:
        item: dict[str, Any] = {"outcome": outcome.kind.value}
        if outcome.value is not None:
            item |= shown(outcome.value)
        if outcome.problem is not None:
            item["problem"] = {"code": outcome.problem.code, "detail": outcome.problem.detail}
        results.append(item)
    return Response({"results": results})


def each(
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


def as_movement(value: Any) -> dict[str, Any]:
    return {"movement_id": str(value.movement_id), "on_hand": value.on_hand}


def as_document(value: Any) -> dict[str, Any]:
    return {"id": str(value.id), "number": value.number, "state": value.state}


class Documents(viewsets.GenericViewSet[Any]):
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
