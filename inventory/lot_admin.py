"""Remaining lives to edit; lots, serials and recalls to look up: they are moved on the console's pages."""

from django import forms
from django.contrib import admin

from config.kernel.access import Permission
from config.kernel.admin_base import AuditedAdmin, ScopedRelatedFilter
from inventory.lives import TOPIC
from inventory.models import ChannelLife, Lot, Recall, Serial


class _ReadAdmin(AuditedAdmin):
    reading = (Permission.INVENTORY_VIEW, Permission.INVENTORY_RECALL)
    editing = ()
    form = forms.ModelForm  # type: ignore[assignment]  # a page without a reason to give


@admin.register(Lot)
class LotAdmin(_ReadAdmin):
    list_display = ("code", "sku", "state", "expires_on", "recall", "first_seen_at")
    list_filter = ("state",)
    list_select_related = ("sku", "recall")
    search_fields = ("=code", "=sku__code")
    ordering = ("-id",)
    fields = (
        "account", "sku", "code", "state", "state_reason", "expires_on", "made_on", "recall",
        "first_seen_at",
    )  # fmt: skip
    readonly_fields = fields


@admin.register(Serial)
class SerialAdmin(_ReadAdmin):
    list_display = ("number", "sku", "state", "lot", "seen_at")
    list_filter = ("state",)
    list_select_related = ("sku", "lot")
    search_fields = ("=number", "=sku__code")
    ordering = ("-id",)
    fields = ("account", "sku", "number", "state", "lot", "cause_kind", "cause_id", "seen_at")
    readonly_fields = fields


@admin.register(Recall)
class RecallAdmin(_ReadAdmin):
    list_display = ("reason", "state", "opened_at", "opened_by_name", "lifted_at")
    list_filter = ("state",)
    ordering = ("-opened_at", "-id")
    fields = (
        "account", "reason", "state", "opened_at", "opened_by_name", "stopped_at", "lifted_at",
        "lift_reason",
    )  # fmt: skip
    readonly_fields = fields


@admin.register(ChannelLife)
class ChannelLifeAdmin(AuditedAdmin):
    reading = (Permission.INVENTORY_VIEW, Permission.INVENTORY_PLAN)
    editing = (Permission.INVENTORY_PLAN,)
    version_topics = (TOPIC,)
    list_display = ("channel", "days", "sku_codes", "attribute", "attribute_value")
    list_filter = (("channel", ScopedRelatedFilter),)
    list_select_related = ("channel",)
    ordering = ("channel", "id")
    fields = (
        "account", "channel", "days", "sku_codes", "brand", "sku_kind", "lifecycle", "attribute",
        "attribute_value",
    )  # fmt: skip
