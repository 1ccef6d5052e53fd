"""Groups of nodes to edit; plans, limits, windows and signals to look up: the console changes them."""

from django import forms
from django.contrib import admin
from unfold.admin import TabularInline

from config.kernel.access import Permission
from config.kernel.admin_base import AuditedAdmin, ScopedRelatedFilter
from inventory.models import (
    CapacityWindow,
    NodeCapacity,
    NodeGroup,
    NodeGroupMember,
    NodePlan,
    NodeSignal,
)
from inventory.selectors.network import TOPIC


class NodeGroupMemberInline(TabularInline):  # type: ignore[misc]  # unfold has no types
    model = NodeGroupMember
    extra = 0
    autocomplete_fields = ("node",)


@admin.register(NodeGroup)
class NodeGroupAdmin(AuditedAdmin):
    list_display = ("code", "name", "account")
    list_select_related = ("account",)
    search_fields = ("code", "name")
    inlines = (NodeGroupMemberInline,)
    version_topics = (TOPIC,)


class _LookedUp(AuditedAdmin):
    reading = (Permission.INVENTORY_VIEW, Permission.NETWORK_EDIT)
    editing = ()
    form = forms.ModelForm  # type: ignore[assignment]  # a page without a reason to give
    list_select_related = ("node",)


@admin.register(NodePlan)
class NodePlanAdmin(_LookedUp):
    list_display = ("node", "kind", "function", "state", "starts_at", "ends_at", "reason")
    list_filter = ("state", "kind", ("node", ScopedRelatedFilter))
    ordering = ("-starts_at", "-id")
    fields = (
        "node", "kind", "function", "state", "starts_at", "ends_at", "percent", "units", "reason",
    )  # fmt: skip
    readonly_fields = fields


@admin.register(NodeCapacity)
class NodeCapacityAdmin(_LookedUp):
    list_display = ("node", "function", "resource", "weekday", "opens", "closes", "most", "hard")
    list_filter = ("function", "resource", "hard", ("node", ScopedRelatedFilter))
    ordering = ("node", "function", "resource", "weekday", "opens")
    fields = list_display
    readonly_fields = fields


@admin.register(CapacityWindow)
class CapacityWindowAdmin(_LookedUp):
    list_display = (
        "node", "function", "resource", "starts_at", "ends_at", "most", "hard", "used", "done",
        "backlog",
    )  # fmt: skip
    list_filter = ("function", "resource", "hard", ("node", ScopedRelatedFilter))
    ordering = ("-starts_at", "-id")
    fields = list_display
    readonly_fields = fields


@admin.register(NodeSignal)
class NodeSignalAdmin(_LookedUp):
    list_display = ("node", "code", "value", "most", "as_of")
    list_filter = ("code", ("node", ScopedRelatedFilter))
    ordering = ("node", "code")
    fields = list_display
    readonly_fields = fields
