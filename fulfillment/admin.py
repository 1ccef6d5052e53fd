"""Fulfillment's records for those who look things up. Read-only: work is done in the console."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from config.kernel.admin_base import AuditedAdmin
from fulfillment.models import FulfillmentOrder, NodeRequest, Parcel


class _ReadOnly(AuditedAdmin):
    """States move by transitions and commands, never by a form."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(FulfillmentOrder)
class FulfillmentOrderAdmin(_ReadOnly):
    list_display = ("number", "order", "node", "method", "state", "ship_by", "released_at")
    list_filter = ("state", "method")
    list_select_related = ("order", "node")
    search_fields = ("number__exact", "external_id__exact", "order__number__exact")


@admin.register(Parcel)
class ParcelAdmin(_ReadOnly):
    list_display = ("number", "fulfillment_order", "state", "carrier_code", "tracking_number")
    list_filter = ("state", "carrier_code")
    list_select_related = ("fulfillment_order",)
    search_fields = ("number__exact", "tracking_number__exact")


@admin.register(NodeRequest)
class NodeRequestAdmin(_ReadOnly):
    list_display = ("id", "kind", "state", "asked", "granted", "sent_at", "until")
    list_filter = ("state",)
