"""SKUs, packs, barcodes, kits and substitutes: read with all that is said of them, and put in bulk."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import F
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import clock
from config.kernel.access import Permission
from config.kernel.actors import actor_of, channel_of_key, reach_of
from config.kernel.errors import NotFound
from config.kernel.idempotency import idempotent
from config.kernel.models import Channel
from config.kernel.pagination import KeysetPagination
from config.kernel.permissions import needs
from config.kernel.types import Actor, Outcome, Scope
from inventory import selectors, services
from inventory.api import item_shapes as shapes
from inventory.api.reading import account_meant, read_body
from inventory.models import Sku
from inventory.types import BarcodeDraft, PackDraft, PartDraft, SubstituteDraft

SEE = (Permission.INVENTORY_VIEW, Permission.API_STOCK_WRITE, Permission.API_CATALOG_WRITE)
WRITE = (Permission.CONFIG_EDIT, Permission.API_CATALOG_WRITE)

Command = Callable[..., Sequence[Outcome[Any]]]


class SkuViewSet(viewsets.GenericViewSet[Sku]):
    """SKUs of the caller's accounts with their packs, barcodes and components, by id."""

    serializer_class = shapes.SkuShape
    pagination_class = KeysetPagination
    keyset_order = ("id",)
    queryset = Sku.objects.none()

    def get_permissions(self) -> Sequence[Any]:
        return [needs(*(SEE if self.request.method == "GET" else WRITE))()]

    @extend_schema(
        parameters=[
            OpenApiParameter("code", str, many=True, description="Our own code; repeatable."),
            OpenApiParameter("barcode", str, description="What a scanner read, of a pack too."),
            OpenApiParameter("q", str, description="Begins a code, or stands in a name."),
            OpenApiParameter("channel", str, description="Tells what may go out instead there."),
        ]
    )
    def list(self, request: Request) -> Response:
        scope, asked = reach_of(request), request.query_params
        found = Sku.objects.for_scope(scope).annotate(brand_code=F("brand__code"))
        if codes := asked.getlist("code"):
            found = found.filter(code__in=codes)
        if barcode := asked.get("barcode"):
            found = found.filter(pk__in=selectors.skus_by_scan(barcode, scope))
        if text := asked.get("q"):
            found = found.filter(name__icontains=text) | found.filter(code__istartswith=text)
        page = self.paginate_queryset(found) or []
        return self.get_paginated_response(_shown(page, _channel(asked.get("channel"), scope)))

    @extend_schema(request=shapes.SkusInput, responses=shapes.PutsShape)
    @idempotent
    def create(self, request: Request) -> Response:
        """Create SKUs or change them, by code: up to 1,000, each with its own outcome."""
        given = read_body(shapes.SkusInput, request)
        return _put(request, given, services.change_items, dict)

    @extend_schema(request=shapes.PacksInput, responses=shapes.PutsShape)
    @action(detail=False, methods=["post"])
    @idempotent
    def packs(self, request: Request) -> Response:
        """Say how SKUs are packed: inner packs, cases, pallets."""
        given = read_body(shapes.PacksInput, request)
        return _put(request, given, services.put_packs, lambda row: PackDraft(**row))

    @extend_schema(request=shapes.BarcodesInput, responses=shapes.PutsShape)
    @action(detail=False, methods=["post"])
    @idempotent
    def barcodes(self, request: Request) -> Response:
        """Say what is scanned. The check digit of a GTIN is proven."""
        given = read_body(shapes.BarcodesInput, request)
        return _put(request, given, services.put_barcodes, lambda row: BarcodeDraft(**row))

    @extend_schema(request=shapes.PartsInput, responses=shapes.PutsShape)
    @action(detail=False, methods=["post"])
    @idempotent
    def components(self, request: Request) -> Response:
        """Say what kits hold."""
        given = read_body(shapes.PartsInput, request)
        return _put(request, given, services.put_parts, lambda row: PartDraft(**row))

    @extend_schema(request=shapes.SubstitutesInput, responses=shapes.PutsShape)
    @action(detail=False, methods=["post"])
    @idempotent
    def substitutes(self, request: Request) -> Response:
        """Propose what may go out instead. It does once a person has approved it."""
        given = read_body(shapes.SubstitutesInput, request)
        account_id = account_meant(request, given["account"])
        found = Channel.objects.for_scope(Scope(frozenset({account_id})))
        channels = dict(found.values_list("code", "pk"))

        def propose(rows: Sequence[Mapping[str, Any]], **by: Any) -> list[Outcome[UUID]]:
            known = [row for row in rows if not row["channel"] or row["channel"] in channels]
            drafts = [
                SubstituteDraft(
                    **{name: value for name, value in row.items() if name != "channel"},
                    channel_id=channels.get(row["channel"]),
                )
                for row in known
            ]
            told = iter(services.propose_substitutes(drafts, **by))
            unknown = Outcome[UUID].refused
            return [
                next(told)
                if row in known
                else unknown("unknown-channel", f"There is no channel {row['channel']}.")
                for row in rows
            ]

        return _put(request, given, propose, dict)


def _put(
    request: Request,
    given: Mapping[str, Any],
    command: Command,
    draft: Callable[[Mapping[str, Any]], Any],
) -> Response:
    account_id = account_meant(request, given["account"])
    outcomes = command(
        [draft(row) for row in given["items"]],
        account_id=account_id,
        at=clock.now(),
        actor=_editor(request),
    )
    return Response({"results": [_told(outcome) for outcome in outcomes]})


def _told(outcome: Outcome[Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {"outcome": outcome.kind.value}
    if outcome.value is not None:
        shown["id"] = str(outcome.value)
    if outcome.problem is not None:
        column = outcome.problem.extra.get("column")
        said = f"{column}: {outcome.problem.detail}" if column else outcome.problem.detail
        shown["problem"] = {"code": outcome.problem.code, "detail": said}
    return shown


def _editor(request: Request) -> Actor:
    """The caller; a key that is bound to a channel keeps its hands off what all channels sell."""
    if channel_of_key(request) is not None:
        raise NotFound("A key of one channel does not change what all channels sell.")
    return actor_of(request)


def _channel(code: str | None, scope: Scope) -> UUID | None:
    if not code:
        return None
    found: UUID | None = (
        Channel.objects.for_scope(scope).filter(code=code).values_list("pk", flat=True).first()
    )
    if found is None:
        raise NotFound("There is no such channel.")
    return found


def _shown(page: Sequence[Sku], channel_id: UUID | None) -> list[dict[str, Any]]:
    """The SKUs with what belongs to them: five statements for a page, and those of `ats`."""
    ids = [sku.pk for sku in page]
    packs = selectors.packs(ids)
    views = selectors.skus(ids)
    parts = selectors.skus({part for view in views.values() for part, _ in view.components})
    instead = selectors.substitutes(ids, channel_id, at=clock.now()) if channel_id else {}
    shown = []
    for sku in page:
        values = {name: getattr(sku, name) for name in _OWN} | {
            "brand_code": sku.brand_code,  # type: ignore[attr-defined]  # annotated
            "components": [
                {"sku": parts[part].code, "quantity": quantity}
                for part, quantity in views[sku.pk].components
            ],
            "packs": packs.get(sku.pk, []),
            "substitutes": instead.get(sku.pk, []),
        }
        shown.append(dict(shapes.SkuShape(values).data))
    return shown


_OWN = [
    name
    for name in map(str, shapes.SkuShape().fields)
    if name not in {"brand", "components", "packs", "substitutes"}
]
