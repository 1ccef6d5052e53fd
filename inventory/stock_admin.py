"""Stock, claims, the ledger and its papers, to look up."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from config.kernel.admin_base import AuditedAdmin, ScopedRelatedFilter
from inventory.admin_rows import ReachedInline
from inventory.models import (
    CountRequest,
    Exclusion,
    Movement,
    Reservation,
    StockAdjustment,
    StockLevel,
    StockPosition,
    Transfer,
    TransferClaim,
    TransferLine,
)


class _ReadOnly(AuditedAdmin):
    """Facts and claims: written by commands, looked up here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        """These rows are their own history, or have the ledger's."""
        return admin.ModelAdmin.history_view(self, request, object_id, extra_context)


@admin.register(StockPosition)
class StockPositionAdmin(_ReadOnly):
    list_display = ("sku", "node", "sellable", "reserved", "buffer", "landed", "shortfall")
    list_filter = (("node", ScopedRelatedFilter),)
    list_select_related = ("sku", "node")
    search_fields = ("sku__code__istartswith",)


@admin.register(StockLevel)
class StockLevelAdmin(_ReadOnly):
    list_display = ("position", "condition", "lot", "expires_on", "on_hand")
    list_filter = ("condition",)
    list_select_related = ("position",)
    search_fields = ("position__sku__code__istartswith", "lot")


@admin.register(Movement)
class MovementAdmin(_ReadOnly):
    list_display = ("at", "kind", "quantity", "balance", "condition", "lot", "actor_name", "note")
    list_filter = ("kind", "condition")
    search_fields = ("sku_id__exact", "cause_id__exact", "external_id__exact")


@admin.register(Reservation)
class ReservationAdmin(_ReadOnly):
    list_display = ("id", "state", "sku", "node", "quantity", "consumed", "released", "at")
    list_filter = ("state", ("node", ScopedRelatedFilter))
    list_select_related = ("sku", "node")
    search_fields = ("id__exact", "thread_id__exact", "demand_id__exact")


@admin.register(CountRequest)
class CountRequestAdmin(_ReadOnly):
    list_display = ("node", "sku", "state", "reason", "opened_at", "counted", "answered_at")
    list_filter = ("state", ("node", ScopedRelatedFilter))
    list_select_related = ("node", "sku")


@admin.register(Exclusion)
class ExclusionAdmin(_ReadOnly):
    list_display = ("node", "sku", "until", "reason", "at")
    list_filter = (("node", ScopedRelatedFilter),)
    list_select_related = ("node", "sku")


class _Document(_ReadOnly):
    """Papers of stock: moved by the console and the API, with their history here."""

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        return AuditedAdmin.history_view(self, request, object_id, extra_context)


@admin.register(StockAdjustment)
class StockAdjustmentAdmin(_Document):
    list_display = ("number", "state", "sku", "node", "quantity", "reason", "proposed_by_name")
    list_filter = ("state", "reason", ("node", ScopedRelatedFilter))
    list_select_related = ("sku", "node")
    search_fields = ("number", "sku__code__istartswith")


class TransferLineInline(ReachedInline):
    model = TransferLine
    fields = ("sku", "requested", "shipped", "received", "damaged", "missing")


@admin.register(Transfer)
class TransferAdmin(_Document):
    list_display = ("number", "state", "source", "destination", "purpose", "eta_at", "drafted_at")
    list_filter = ("state", "purpose", ("source", ScopedRelatedFilter))
    list_select_related = ("source", "destination")
    search_fields = ("number", "reference")
    inlines = (TransferLineInline,)


@admin.register(TransferClaim)
class TransferClaimAdmin(_Document):
    list_display = ("number", "state", "kind", "quantity", "value_minor", "settled_minor")
    list_filter = ("state", "kind")
    search_fields = ("number", "line__transfer__number")
