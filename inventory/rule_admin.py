"""Buffer rules and quotas to look up; they are written on the console's pages, with a preview."""

from django import forms
from django.contrib import admin

from config.kernel.access import Permission
from config.kernel.admin_base import AuditedAdmin, ScopedRelatedFilter
from inventory.models import BufferRule, Quota, QuotaPlan

_SELECTED = ("sku_codes", "brand", "sku_kind", "lifecycle", "attribute", "attribute_value")


class _ReadAdmin(AuditedAdmin):
    reading = (Permission.INVENTORY_VIEW, Permission.INVENTORY_PLAN)
    editing = ()
    form = forms.ModelForm  # type: ignore[assignment]  # a page without a reason to give


@admin.register(BufferRule)
class BufferRuleAdmin(_ReadAdmin):
    list_display = ("sequence", "name", "state", "channel", "group", "starts_at", "ends_at")
    list_filter = ("state", ("channel", ScopedRelatedFilter))
    list_select_related = ("channel", "group")
    search_fields = ("name",)
    ordering = ("account", "sequence", "id")
    fields = (
        "account", "name", "sequence", "state", "channel", "threshold", "group", "node_ids",
        "safety_units", "safety_percent", "cover_days", "cover_over_days", *_SELECTED,
        "starts_at", "ends_at",
    )  # fmt: skip
    readonly_fields = fields


@admin.register(QuotaPlan)
class QuotaPlanAdmin(_ReadAdmin):
    list_display = ("name", "channel", "kind", "state", "overlay", "starts_at", "ends_at")
    list_filter = ("state", "kind", ("channel", ScopedRelatedFilter))
    list_select_related = ("channel",)
    search_fields = ("name",)
    ordering = ("-starts_at", "-id")
    fields = (
        "account", "name", "channel", "kind", "state", "units", "percent", "cap", "spill",
        "spill_at", "overlay", "sequence", *_SELECTED, "starts_at", "ends_at",
    )  # fmt: skip
    readonly_fields = fields


@admin.register(Quota)
class QuotaAdmin(_ReadAdmin):
    list_display = ("sku", "channel", "kind", "state", "protected", "used", "cap", "plan")
    list_filter = ("state", "kind", ("channel", ScopedRelatedFilter))
    list_select_related = ("sku", "channel", "plan")
    search_fields = ("=sku__code",)
    ordering = ("-id",)
    fields = (
        "plan", "sku", "channel", "kind", "state", "protected", "percent", "used", "cap", "spill",
        "spill_at", "overlay", "sequence", "starts_at", "ends_at",
    )  # fmt: skip
    readonly_fields = fields
