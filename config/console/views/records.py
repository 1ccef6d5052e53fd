"""From the id of a record, as events and cases name it, to its page."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from config.console.pages import frame_of, page
from config.kernel.access import Permission
from config.kernel.errors import NotFound
from config.reports import frame as reports


@page(Permission.ORDERS_VIEW)
def order_by_id(request: HttpRequest, record_id: UUID) -> HttpResponse:
    number = reports.order_number(record_id, scope=frame_of(request).scope(Permission.ORDERS_VIEW))
    if number is None:
        raise NotFound("There is no such order.")
    return redirect("console:order", number)


@page(Permission.CASES_VIEW)
def case_by_id(request: HttpRequest, record_id: UUID) -> HttpResponse:
    number = reports.case_number(record_id, scope=frame_of(request).scope(Permission.CASES_VIEW))
    if number is None:
        raise NotFound("There is no such case.")
    return redirect("console:case", number)


@page(Permission.FULFILLMENT_VIEW)
def work_by_id(request: HttpRequest, record_id: UUID) -> HttpResponse:
    """A fulfillment order, or the one that a parcel belongs to."""
    frame = frame_of(request)
    found = reports.work_place(record_id, scope=frame.scope(Permission.FULFILLMENT_VIEW))
    nodes = frame.nodes(Permission.FULFILLMENT_VIEW)
    if found is None or (nodes is not None and found["node_id"] not in nodes):
        raise NotFound("There is no such work.")
    return redirect("console:fulfillment_order", found["code"], found["number"])
