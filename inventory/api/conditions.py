"""Units that lie otherwise now: of another condition, or broken out of packs."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import clock
from config.kernel.actors import actor_of
from config.kernel.idempotency import idempotent
from inventory import services
from inventory.api import move_shapes as shapes
from inventory.api.documents import Named, answer, as_movement, each
from inventory.api.reading import read_body
from inventory.types import (
    ConditionChange,
    PackConversion,
)


class ConditionActions:
    """Units that lie otherwise now; part of the stock's addresses."""

    @extend_schema(request=shapes.ConditionsInput, responses=shapes.MovementsShape)
    @action(detail=False, methods=["post"])
    @idempotent
    def conditions(self, request: Request) -> Response:
        """Move units between conditions: quarantine, damage, release, put away."""
        given = read_body(shapes.ConditionsInput, request)
        named = Named(request, given, {row["node"] for row in given["items"]})

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
        outcomes = each(
            given["items"],
            lambda row: named.missing(row["node"], row["sku"]),
            change,
            lambda changes: services.change_conditions(changes, at=at, actor=actor),
        )
        return answer(outcomes, as_movement)

    @extend_schema(request=shapes.ConversionsInput, responses=shapes.MovementsShape)
    @action(detail=False, methods=["post"])
    @idempotent
    def conversions(self, request: Request) -> Response:
        """Break whole packs of reserve storage into units that can be picked."""
        given = read_body(shapes.ConversionsInput, request)
        named = Named(request, given, {row["node"] for row in given["items"]})

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
        outcomes = each(
            given["items"],
            lambda row: named.missing(row["node"], row["sku"]),
            conversion,
            lambda packs: services.convert_packs(packs, at=at, actor=actor),
        )
        return answer(outcomes, as_movement)
