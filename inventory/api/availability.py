"""What can be sold: many SKUs in a channel, now and by later times, with the reasons on request."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from json import dumps
from typing import Any, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from config.kernel import clock
from config.kernel.access import Permission
from config.kernel.actors import nodes_in_reach
from config.kernel.errors import Forbidden, Invalid
from config.kernel.models import Channel
from config.kernel.permissions import needs
from inventory import selectors
from inventory.api.reading import channel_meant
from inventory.types import Explanation, SkuView

MOST_FIGURES: Final = 1_000
MOST_TIMES: Final = 31
AHEAD: Final = timedelta(days=366)


class AvailabilityInput(serializers.Serializer[object]):
    channel = serializers.SlugField(
        default="", allow_blank=True, help_text="Code of the channel; a key's own needs none."
    )
    skus = serializers.ListField(
        child=serializers.CharField(max_length=120),
        allow_empty=False,
        max_length=MOST_FIGURES,
        help_text="Codes as the channel sells them, our own codes or barcodes.",
    )
    by = serializers.ListField(
        child=serializers.DateTimeField(),
        default=list,
        max_length=MOST_TIMES,
        help_text="Times by which the units must be there; none is now. SKUs × times ≤ 1,000.",
    )
    explain = serializers.BooleanField(default=False, help_text="Answer the terms as well.")


class FigureTermShape(serializers.Serializer[object]):
    code = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # declared fields leave the class
    units = serializers.IntegerField(help_text="Signed: the terms add up to `units` of the figure.")
    as_of = serializers.DateTimeField(allow_null=True)
    link = serializers.CharField()
    rows = serializers.ListField(child=serializers.DictField())


class FigureShape(serializers.Serializer[object]):
    by = serializers.DateTimeField(allow_null=True, help_text="Null is now.")
    units = serializers.IntegerField()
    terms = FigureTermShape(many=True, required=False)


class SkuFiguresShape(serializers.Serializer[object]):
    sku = serializers.CharField(help_text="The code as it was asked for.")
    sku_id = serializers.IntegerField(allow_null=True, help_text="Null: no SKU has this code.")
    figures = FigureShape(many=True)


class AvailabilityShape(serializers.Serializer[object]):
    channel = serializers.CharField()
    as_of = serializers.DateTimeField()
    results = SkuFiguresShape(many=True, help_text="One per code, in the order asked.")


_PARAMETERS = [
    OpenApiParameter("channel", str, description="Code of the channel; a key's own needs none."),
    OpenApiParameter("sku", str, many=True, required=True, description="Code; may be repeated."),
    OpenApiParameter(
        "by", OpenApiTypes.DATETIME, many=True, description="Time; may be repeated. None is now."
    ),
    OpenApiParameter("explain", bool, description="1: answer the terms as well."),
]


class AvailabilityViewSet(ViewSet):
    """Units that a channel may sell, worked out as of one moment from supply itself."""

    permission_classes = [needs(Permission.API_AVAILABILITY, Permission.INVENTORY_VIEW)]

    @extend_schema(
        parameters=_PARAMETERS,
        responses={200: AvailabilityShape, 304: None},
        operation_id="availability",
    )
    def list(self, request: Request) -> Response:
        """Figures of some SKUs. `ETag` names them: `If-None-Match` answers 304 while none changes."""
        query = request.query_params
        return self._answer(
            request,
            {
                "channel": query.get("channel", ""),
                "skus": query.getlist("sku"),
                "by": query.getlist("by"),
                "explain": query.get("explain", "0"),
            },
        )

    @extend_schema(
        request=AvailabilityInput,
        responses={200: AvailabilityShape, 304: None},
        operation_id="availability_of_many",
    )
    def create(self, request: Request) -> Response:
        """Figures of up to 1,000 SKUs. It changes nothing, and may be sent again."""
        return self._answer(request, request.data)

    def _answer(self, request: Request, asked: Any) -> Response:
        given = _read(asked)
        channel = channel_meant(request, given["channel"])
        at = clock.now()
        times: list[datetime | None] = [*given["by"]] or [None]
        skus = selectors.skus_by_code(channel.account_id, channel.pk, given["skus"])
        found = sorted({view.id for view in skus.values()})
        if given["explain"]:
            if nodes_in_reach(request) is not None:
                raise Forbidden("The terms name nodes beyond yours.")
            figures = _explained(channel, found, times, at)
        else:
            with selectors.one_moment():
                figures = {
                    by: {
                        sku_id: {"by": by, "units": units}
                        for sku_id, units in _figures(channel, found, at, by).items()
                    }
                    for by in times
                }
        results = [_result(code, skus.get(code), figures, times) for code in given["skus"]]
        body = AvailabilityShape({"channel": channel.code, "as_of": at, "results": results}).data
        etag = _etag(body["results"])
        if request.headers.get("If-None-Match") == etag:
            return Response(status=304, headers={"ETag": etag})
        return Response(body, headers={"ETag": etag})


def _read(asked: Any) -> dict[str, Any]:
    shape = AvailabilityInput(data=asked)
    shape.is_valid(raise_exception=True)
    given: dict[str, Any] = shape.validated_data
    latest = clock.now() + AHEAD
    if len(given["skus"]) * max(1, len(given["by"])) > MOST_FIGURES:
        raise _wrong("/by", "too-many", f"At most {MOST_FIGURES:,} figures: SKUs × times.")
    if any(by > latest for by in given["by"]):
        raise _wrong("/by", "too-far", "Nothing is known beyond a year.")
    return given


def _wrong(pointer: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[{"pointer": pointer, "code": code, "detail": detail}])


def _figures(
    channel: Channel, sku_ids: Sequence[int], at: datetime, by: datetime | None
) -> dict[int, int]:
    """Now: kept figures that nothing has changed, the others counted. Later: counted."""
    if by is None:
        return selectors.figures(channel.pk, sku_ids, at=at)
    return selectors.ats(channel.pk, sku_ids, at=at, by=by)


def _explained(
    channel: Channel, sku_ids: Sequence[int], times: Sequence[datetime | None], at: datetime
) -> dict[datetime | None, dict[int, dict[str, Any]]]:
    return {
        by: {
            sku_id: _with_terms(found)
            for sku_id, found in selectors.explain_all(
                channel.account_id, channel.pk, sku_ids, at=at, by=by
            ).items()
        }
        for by in times
    }


def _with_terms(found: Explanation) -> dict[str, Any]:
    return {"by": found.by, "units": found.units, "terms": found.terms}


def _result(
    code: str,
    sku: SkuView | None,
    figures: Mapping[datetime | None, Mapping[int, Mapping[str, Any]]],
    times: Sequence[datetime | None],
) -> dict[str, Any]:
    """The figures of one code: zeros for one that means nothing."""
    if sku is None:
        unknown: list[Mapping[str, Any]] = [{"by": by, "units": 0} for by in times]
        return {"sku": code, "sku_id": None, "figures": unknown}
    return {"sku": code, "sku_id": sku.id, "figures": [figures[by][sku.id] for by in times]}


def _etag(results: object) -> str:
    digest = sha256(dumps(results, default=str, sort_keys=True).encode()).hexdigest()
    return f'"{digest[:32]}"'
