"""Papers of a node: pick list, packing slips, labels."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse

from config.console.pages import frame_of, page
from config.console.views.nodes import node_of
from config.console.views.orders import uuid_of
from config.kernel.access import Permission
from config.kernel.errors import NotFound
from config.reports import nodes as reports
from fulfillment import documents, selectors

_PAPERS_LIMIT = 100


@page(Permission.FULFILLMENT_VIEW)
def pick_list(request: HttpRequest, code: str) -> HttpResponse:
    """What to take from the shelves: of the named works, or of all that is to be picked."""
    frame = frame_of(request)
    scope = frame.scope(Permission.FULFILLMENT_VIEW)
    node = node_of(request, code)
    ids = _named(request) or [
        each["id"] for each in reports.work(node["id"], scope=scope, step="pick")[:_PAPERS_LIMIT]
    ]
    found = selectors.fulfillment_orders(scope, node_ids=[node["id"]]).filter(pk__in=ids)
    return _pdf(documents.pick_list(list(found.order_by("ship_by", "pk"))), f"pick-list-{code}.pdf")


@page(Permission.FULFILLMENT_VIEW)
def packing_slips(request: HttpRequest, code: str) -> HttpResponse:
    """What lies in each parcel, for the buyer."""
    scope = frame_of(request).scope(Permission.FULFILLMENT_VIEW)
    node = node_of(request, code)
    ids = _parcels(request, node["id"])
    parcels = [selectors.parcel(each, scope, node_ids=[node["id"]]) for each in ids]
    works = {each.fulfillment_order_id for each in parcels}
    return _pdf(
        documents.packing_slip(parcels, selectors.addresses_of(works)),
        f"packing-slips-{code}.pdf",
    )


@page(Permission.FULFILLMENT_VIEW)
def labels(request: HttpRequest, code: str) -> HttpResponse:
    """The labels that were bought: one as it is, several as an archive."""
    scope = frame_of(request).scope(Permission.FULFILLMENT_VIEW)
    node = node_of(request, code)
    ids = _parcels(request, node["id"])
    found = selectors.label_documents(ids, scope, node_ids=[node["id"]])
    if not found:
        raise NotFound(
            "No label was bought for these parcels yet: ask for one, it comes in seconds."
        )
    if len(found) == 1:
        number, (document, media_type) = next(iter(found.items()))
        return HttpResponse(
            document,
            content_type=media_type,
            headers={"Content-Disposition": f'inline; filename="{number}.pdf"'},
        )
    return HttpResponse(
        documents.bundle(found),
        content_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="labels-{code}.zip"'},
    )


def _named(request: HttpRequest) -> list[UUID]:
    return [each for each in map(uuid_of, request.GET.getlist("id")) if each][:_PAPERS_LIMIT]


def _parcels(request: HttpRequest, node_id: int) -> list[UUID]:
    """The parcels of the named works, or of all that wait to be handed over."""
    scope = frame_of(request).scope(Permission.FULFILLMENT_VIEW)
    works = _named(request) or [
        each["id"] for each in reports.work(node_id, scope=scope, step="ship")[:_PAPERS_LIMIT]
    ]
    found = reports.all_parcels_of(works, node_id=node_id, scope=scope)
    if not found:
        raise NotFound("Nothing is packed yet, so there is nothing to print.")
    return found


def _pdf(document: bytes, name: str) -> HttpResponse:
    return HttpResponse(
        document,
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{name}"'},
    )
