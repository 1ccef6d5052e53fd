"""What leaves a node with its carrier: manifests closed and printed, shipments taken back."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

import fulfillment.services
from config.console import forms, words
from config.console.once import once
from config.console.pages import frame_of, go, page, say, show
from config.console.views.nodes import form_page, node_of, work_at
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import Conflict, NotFound
from config.kernel.types import Outcome
from config.reports import nodes as reports
from config.reports.sql import Row
from fulfillment import documents, selectors
from fulfillment.types import ParcelStanding

SHOWN = 30


@page(Permission.FULFILLMENT_VIEW)
def manifests(request: HttpRequest, code: str) -> HttpResponse:
    """What waits for each carrier, and what was handed over before."""
    scope = frame_of(request).scope(Permission.FULFILLMENT_VIEW)
    node = node_of(request, code)
    waiting = selectors.waiting_for_carriers(scope, node["id"])
    names = reports.carrier_names([carrier for carrier, _ in waiting])
    return show(
        request,
        "console/nodes/manifests.html",
        {
            "here": "nodes",
            "node": node,
            "waiting": [
                {"code": carrier, "name": names.get(carrier, carrier), "parcels": parcels}
                for carrier, parcels in waiting
            ],
            "unlabelled": len(selectors.missing_labels(scope, node_ids=[node["id"]])),
            "closed": reports.manifests(node["id"], scope=scope, limit=SHOWN),
        },
    )


@page(Permission.FULFILLMENT_WORK, methods=("POST",))
@once
def manifest_close(request: HttpRequest, code: str) -> HttpResponse:
    """Everything that is labelled for the carrier leaves with it."""
    node = node_of(request, code, Permission.FULFILLMENT_WORK)
    try:
        closed = fulfillment.services.close_manifest(
            node["id"],
            request.POST.get("carrier", ""),
            at=frame_of(request).now,
            actor=actor_of(request),
        )
    except Conflict as refusal:
        say(request, f"Not done: {refusal.detail}", level=messages.ERROR)
    else:
        numbers = ", ".join(one.number for one in closed)
        parcels = words.counted(sum(one.parcels for one in closed), "parcel")
        say(request, f"{numbers}: {parcels} handed over. Print the list and have it signed.")
    return go(request, reverse("console:manifests", args=[code]))


@page(Permission.FULFILLMENT_VIEW)
def manifest_paper(request: HttpRequest, manifest_id: UUID) -> HttpResponse:
    """The list for the carrier to sign."""
    frame = frame_of(request)
    found = selectors.manifest(
        manifest_id,
        frame.scope(Permission.FULFILLMENT_VIEW),
        node_ids=frame.nodes(Permission.FULFILLMENT_VIEW),
    )
    return HttpResponse(
        documents.manifest_list(found),
        content_type=documents.PDF,
        headers={"Content-Disposition": f'inline; filename="{found.number}.pdf"'},
    )


@page(Permission.FULFILLMENT_REVERSE, methods=("GET", "POST"))
@once
def take_back(request: HttpRequest, code: str, number: str) -> HttpResponse:
    """A parcel that never left waits at the node again, until the carrier's first scan."""
    node = node_of(request, code, Permission.FULFILLMENT_REVERSE)
    work = work_at(request, node, number, Permission.FULFILLMENT_REVERSE)
    wanted = request.POST.get("parcel") or request.GET.get("parcel") or ""
    parcel = next((each for each in work["parcels"] or () if each["id"] == wanted), None)
    if parcel is None:
        raise NotFound("There is no such parcel in this work.")
    if why := why_not_back(parcel):
        raise Conflict(why)

    def act() -> list[Outcome[ParcelStanding]]:
        return fulfillment.services.reverse_shipments(
            [UUID(parcel["id"])], at=frame_of(request).now, actor=actor_of(request)
        )

    invoiced = reports.invoiced_with(UUID(parcel["id"]))
    credit = (
        f"{words.amount(invoiced['amount_minor'], invoiced['currency'])} are credited"
        if invoiced
        else "nothing was invoiced"
    )
    return form_page(
        request,
        node,
        work,
        forms.ParcelForm(
            request.POST if request.method == "POST" else None, initial={"parcel": wanted}
        ),
        act,
        title=f"Take {parcel['number']} back",
        lead=f"{parcel['number']} waits here again: its units are released and on the book, {credit}, "
        "and a payment that nobody has sent yet is withdrawn. Once the payment was asked for, or the "
        "carrier has scanned the parcel, it cannot be taken back any more.",
        verb="Take the parcel back",
        done=f"{parcel['number']} waits at {node['name']} again.",
    )


def why_not_back(parcel: Row) -> str:
    """Why the parcel cannot be taken back; empty when it can."""
    if parcel["state"] in {"packed", "labelled", "manifested"}:
        return "It has not left."
    if parcel["state"] != "handed_over" or parcel["scanned"]:
        return "Its carrier has scanned it."
    return ""
