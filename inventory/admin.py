"""The network and the catalogue to edit; stock, claims and the ledger to look up."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline

from config.kernel import clock
from config.kernel.access import Permission, scope_of
from config.kernel.actors import actor_of
from config.kernel.admin_base import AuditedAdmin, ScopedRelatedFilter
from config.kernel.errors import DomainError
from config.kernel.querysets import ScopedQuerySet
from inventory import services
from inventory.models import (
    Barcode,
    Carrier,
    ChannelListing,
    ChannelNode,
    CountRequest,
    Exclusion,
    Feed,
    Inbound,
    InboundLine,
    KitComponent,
    Movement,
    Node,
    NodeClosure,
    NodeCutoff,
    NodeFunction,
    NodeGrant,
    NodeHours,
    Reservation,
    ServiceLevel,
    Sku,
    StockLevel,
    StockPosition,
)
from inventory.selectors.network import TOPIC


def _reached(found: Any, request: HttpRequest) -> Any:
    if isinstance(found, ScopedQuerySet):
        return found.for_scope(scope_of(request.user, *AuditedAdmin.reading))
    return found


class _Inline(TabularInline):
    """Rows of a page, which offer only what the user may reach."""

    extra = 0
    tab = True

    def get_queryset(self, request: HttpRequest) -> Any:
        return _reached(super().get_queryset(request), request)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        related = db_field.remote_field.model._default_manager.all()
        kwargs.setdefault("queryset", _reached(related, request))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class NodeFunctionInline(_Inline):
    """What a node does. Pausing is a command of the console, not a field here."""

    model = NodeFunction
    readonly_fields = ("paused", "paused_until", "reason")


class NodeHoursInline(_Inline):
    model = NodeHours


class NodeCutoffInline(_Inline):
    model = NodeCutoff


class NodeClosureInline(_Inline):
    model = NodeClosure


class NodeGrantInline(_Inline):
    model = NodeGrant


class BarcodeInline(_Inline):
    model = Barcode
    exclude = ("account",)


class KitComponentInline(_Inline):
    model = KitComponent
    fk_name = "kit"
    autocomplete_fields = ("component",)


class InboundLineInline(_Inline):
    model = InboundLine
    readonly_fields = ("received",)
    autocomplete_fields = ("sku",)


@admin.register(Carrier)
class CarrierAdmin(AuditedAdmin):
    list_display = ("name", "code", "tracking_url")
    search_fields = ("code", "name")
    version_topics = (TOPIC,)


@admin.register(ServiceLevel)
class ServiceLevelAdmin(AuditedAdmin):
    list_display = ("name", "code", "kind", "carrier")
    list_select_related = ("carrier",)
    search_fields = ("code", "name")
    version_topics = (TOPIC,)


@admin.register(Node)
class NodeAdmin(AuditedAdmin):
    """A node's address, calendar and costs. Its state moves by commands: pauses in the console, the
    rest by the actions here.
    """

    list_display = ("code", "name", "kind", "state", "city", "region", "has_wms")
    list_filter = ("kind", "state", "has_wms")
    search_fields = ("code", "name", "city")
    readonly_fields = ("state", "paused_until", "pause_reason")
    exclude = ("event_seq",)
    inlines = (
        NodeFunctionInline,
        NodeHoursInline,
        NodeCutoffInline,
        NodeClosureInline,
        NodeGrantInline,
    )
    version_topics = (TOPIC,)
    actions = ("activate", "drain", "close")

    @admin.action(description="Activate: take work from now on", permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[Node]) -> None:
        self._each(request, queryset, services.activate_node)

    @admin.action(description="Drain: finish, and take nothing new", permissions=["change"])
    def drain(self, request: HttpRequest, queryset: QuerySet[Node]) -> None:
        self._each(request, queryset, partial(services.drain_node, reason="drained by hand"))

    @admin.action(description="Close: nothing any more", permissions=["change"])
    def close(self, request: HttpRequest, queryset: QuerySet[Node]) -> None:
        self._each(request, queryset, services.close_node)

    def _each(
        self, request: HttpRequest, queryset: QuerySet[Node], command: Callable[..., None]
    ) -> None:
        """One command per node; one that is refused stops no other, and says why."""
        at, actor = clock.now(), actor_of(request, Permission.CONFIG_EDIT)
        for node in queryset.order_by("pk"):
            try:
                command(node.pk, at=at, actor=actor)
            except DomainError as refusal:
                self.message_user(request, f"{node.code}: {refusal.detail}", messages.ERROR)
            else:
                self.message_user(request, f"{node.code}: done.", messages.SUCCESS)


@admin.register(ChannelNode)
class ChannelNodeAdmin(AuditedAdmin):
    list_display = ("channel", "node", "ships", "picks_up")
    list_filter = (("channel", ScopedRelatedFilter), ("node", ScopedRelatedFilter))
    list_select_related = ("channel", "node")
    version_topics = (TOPIC,)


@admin.register(Sku)
class SkuAdmin(AuditedAdmin):
    list_display = ("code", "name", "kind", "price_minor", "currency", "active")
    list_filter = ("kind", "active", "hazmat", ("brand", ScopedRelatedFilter))
    search_fields = ("code__istartswith", "name")
    inlines = (BarcodeInline, KitComponentInline)
    version_topics = ("skus",)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: Any) -> None:
        """A barcode is of its SKU's account."""
        if formset.model is Barcode:
            for row in formset.forms:
                row.instance.account_id = form.instance.account_id
        super().save_formset(request, form, formset, change)


@admin.register(ChannelListing)
class ChannelListingAdmin(AuditedAdmin):
    list_display = ("external_sku", "channel", "sku")
    list_filter = (("channel", ScopedRelatedFilter),)
    list_select_related = ("channel", "sku")
    search_fields = ("external_sku", "sku__code")
    autocomplete_fields = ("sku",)


@admin.register(Inbound)
class InboundAdmin(AuditedAdmin):
    list_display = ("number", "node", "kind", "source", "state", "at")
    list_filter = ("state", "kind", ("node", ScopedRelatedFilter))
    list_select_related = ("node",)
    search_fields = ("number",)
    readonly_fields = ("state",)
    inlines = (InboundLineInline,)


@admin.register(Feed)
class FeedAdmin(AuditedAdmin):
    """How a feed counts. How far it has told is its own news."""

    list_display = ("node", "source", "semantics", "nets_committed", "as_of", "seen_at")
    list_filter = ("semantics",)
    list_select_related = ("node",)
    readonly_fields = ("as_of", "seen_at")


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
