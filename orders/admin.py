"""The records of orders as an administrator looks them up. Nothing is written here: commands do."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Field, Model
from django.http import HttpRequest
from unfold.paginator import InfinitePaginator

from config.kernel.admin_base import AuditedAdmin, ScopedRelatedFilter
from orders.models import (
    Authorization,
    Capture,
    Chargeback,
    DeliveryGroup,
    Dispute,
    Hold,
    Invoice,
    LineCancellation,
    Order,
    OrderLine,
    Promise,
    Refund,
    Tender,
)

_CHANNEL = ("channel", ScopedRelatedFilter)


class _ReadOnly(AuditedAdmin):
    """Newest first, never counted: pages know only whether another one follows.

    What is sealed, or only a key or hash of what is, is not shown.
    """

    paginator = InfinitePaginator
    show_full_result_count = False
    ordering = ("-id",)
    list_select_related = ("order",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Sequence[str]:
        return [field.name for field in self.model._meta.fields if _is_shown(field)]


def _is_shown(field: "Field[Any, Any]") -> bool:
    sealed = field.get_internal_type() == "BinaryField"
    return not sealed and not field.name.endswith(("_hash", "contact"))


class _WithoutHistory(_ReadOnly):
    """Rows that are never changed, or whose changes stand in the history of their order."""

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        return admin.ModelAdmin.history_view(self, request, object_id, extra_context)


@admin.register(Order)
class OrderAdmin(_ReadOnly):
    list_display = ("number", "channel", "state", "progress", "payment_state", "total_minor",
                    "currency", "holds_open", "placed_at")  # fmt: skip
    list_filter = ("state", "progress", "payment_state", _CHANNEL)
    list_select_related = ("channel",)
    search_fields = ("number__exact", "external_id__exact", "external_number__exact", "id__exact")


@admin.register(DeliveryGroup)
class DeliveryGroupAdmin(_WithoutHistory):
    list_display = ("order", "position", "method", "fulfilled_by", "country", "ship_by")
    list_filter = ("method", "fulfilled_by")
    search_fields = ("order__number__exact",)


@admin.register(OrderLine)
class OrderLineAdmin(_WithoutHistory):
    list_display = ("order", "position", "kind", "external_sku", "ordered", "pending",
                    "backordered", "reserved", "released", "shipped", "cancelled")  # fmt: skip
    list_filter = ("kind",)
    search_fields = ("order__number__exact", "external_sku__exact")


@admin.register(LineCancellation)
class LineCancellationAdmin(_WithoutHistory):
    list_display = ("order", "quantity", "amount_minor", "reason", "initiator", "at")
    list_filter = ("initiator",)
    search_fields = ("order__number__exact",)


@admin.register(Hold)
class HoldAdmin(_ReadOnly):
    list_display = ("order", "type", "scope", "state", "reason", "placed_by", "placed_at", "until")
    list_filter = ("state", "type", "scope")
    search_fields = ("order__number__exact", "handle__exact")


@admin.register(Promise)
class PromiseAdmin(_WithoutHistory):
    list_display = ("order", "version", "ship_by", "deliver_earliest", "deliver_latest", "cause")
    list_filter = ("cause",)
    search_fields = ("order__number__exact",)


@admin.register(Tender)
class TenderAdmin(_WithoutHistory):
    list_display = ("order", "kind", "provider", "collected_by", "amount_minor", "captured_minor",
                    "refunded_minor")  # fmt: skip
    list_filter = ("collected_by",)
    search_fields = ("order__number__exact",)


@admin.register(Authorization)
class AuthorizationAdmin(_ReadOnly):
    list_display = ("order", "state", "amount_minor", "expires_at", "refused_at", "at")
    list_filter = ("state",)
    search_fields = ("order__number__exact", "reference__exact")


@admin.register(Capture)
class CaptureAdmin(_ReadOnly):
    list_display = ("order", "state", "amount_minor", "failure", "at", "answered_at")
    list_filter = ("state",)
    search_fields = ("order__number__exact", "reference__exact")


@admin.register(Refund)
class RefundAdmin(_ReadOnly):
    list_display = ("order", "state", "amount_minor", "reason", "failure", "at", "answered_at")
    list_filter = ("state",)
    search_fields = ("order__number__exact", "reference__exact")


@admin.register(Dispute)
class DisputeAdmin(_ReadOnly):
    list_display = ("order", "state", "amount_minor", "beyond_minor", "reason", "evidence_due_at",
                    "opened_at", "settled_at")  # fmt: skip
    list_filter = ("state", "provider")
    search_fields = ("order__number__exact", "reference__exact")


@admin.register(Chargeback)
class ChargebackAdmin(_WithoutHistory):
    list_display = ("order", "amount_minor", "currency", "at")
    search_fields = ("order__number__exact", "dispute__reference__exact")


@admin.register(Invoice)
class InvoiceAdmin(_WithoutHistory):
    list_display = ("order", "kind", "amount_minor", "currency", "at")
    list_filter = ("kind",)
    search_fields = ("order__number__exact",)
