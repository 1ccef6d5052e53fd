"""The network and the catalogue to edit."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from config.kernel import clock
from config.kernel.access import Permission, scope_of
from config.kernel.actors import actor_of
from config.kernel.admin_base import AuditedAdmin, ScopedRelatedFilter
from config.kernel.errors import DomainError
from inventory import (
    lot_admin,  # noqa: F401  # registers its pages
    network_admin,  # noqa: F401  # registers its pages
    rule_admin,  # noqa: F401  # registers its pages
    services,
    stock_admin,  # noqa: F401  # registers its pages
)
from inventory.admin_rows import ReachedInline
from inventory.gtin import in_fourteen, is_gtin
from inventory.models import (
    Barcode,
    Carrier,
    ChannelListing,
    ChannelNode,
    Feed,
    Inbound,
    InboundLine,
    KitComponent,
    Node,
    NodeCapability,
    NodeClosure,
    NodeCutoff,
    NodeFunction,
    NodeGrant,
    NodeHours,
    NodePickup,
    NodeSpecialDay,
    PickableTime,
    ServiceLevel,
    Sku,
    SkuPack,
    Substitute,
)
from inventory.selectors.network import TOPIC
from inventory.services.item_news import CHANGED, CREATED, tell_items
from inventory.services.items import settle
from inventory.states import BarcodeKind, SkuKind


class NodeFunctionInline(ReachedInline):
    """What a node does. Pausing is a command of the console, not a field here."""

    model = NodeFunction
    readonly_fields = ("paused", "paused_until", "reason")


class NodeHoursInline(ReachedInline):
    model = NodeHours


class PickableTimeInline(ReachedInline):
    model = PickableTime


class NodeCutoffInline(ReachedInline):
    model = NodeCutoff


class NodeClosureInline(ReachedInline):
    model = NodeClosure


class NodeCapabilityInline(ReachedInline):
    model = NodeCapability


class NodePickupInline(ReachedInline):
    model = NodePickup


class NodeSpecialDayInline(ReachedInline):
    model = NodeSpecialDay


class NodeGrantInline(ReachedInline):
    model = NodeGrant


class BarcodeForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic when it runs
    """A GTIN has its check digit proven, and is kept in fourteen digits beside what is printed."""

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        value, kind = values.get("value") or "", values.get("kind")
        if kind == BarcodeKind.GTIN and not is_gtin(value):
            self.add_error("value", "This is no GTIN: a digit or the length is wrong.")
        else:
            self.instance.gtin = in_fourteen(value) if kind == BarcodeKind.GTIN else ""
        return values


class BarcodeInline(ReachedInline):
    model = Barcode
    form = BarcodeForm
    exclude = ("account", "pack")


class SkuPackInline(ReachedInline):
    """Packs are looked at here: what they hold together is checked by the import and the API."""

    model = SkuPack
    fk_name = "sku"
    exclude = ("account",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class KitComponentInline(ReachedInline):
    """What a kit holds: anything but another kit."""

    model = KitComponent
    fk_name = "kit"
    autocomplete_fields = ("component",)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "component":
            goods = Sku.objects.for_scope(scope_of(request.user, *AuditedAdmin.reading))
            kwargs["queryset"] = goods.exclude(kind=SkuKind.KIT)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class InboundLineInline(ReachedInline):
    model = InboundLine
    readonly_fields = (
        "received", "of_line", "advised", "first_eta_at", "completed_at", "sold_ahead",
    )  # fmt: skip
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
    version_topics = (TOPIC, "rates")


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
        PickableTimeInline,
        NodeCutoffInline,
        NodeClosureInline,
        NodeSpecialDayInline,
        NodePickupInline,
        NodeCapabilityInline,
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
    """What a SKU says of itself. Its lifecycle moves by the import and the API."""

    list_display = ("code", "name", "kind", "lifecycle", "price_minor", "currency", "active")
    list_filter = ("kind", "lifecycle", "hazmat", "regulation", ("brand", ScopedRelatedFilter))
    search_fields = ("code__istartswith", "name")
    readonly_fields = ("lifecycle", "active", "hazmat")
    exclude = ("event_seq",)
    inlines = (BarcodeInline, SkuPackInline, KitComponentInline)
    version_topics = ("skus", "lots")

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:
        """Whether it is sold and dangerous follows from what was saved; it is told like any change."""
        super().save_related(request, form, formsets, change)
        settle([form.instance.pk], at=clock.now())
        inline = [formset.prefix for formset in formsets if formset.has_changed()]
        if parts := [*form.changed_data, *inline]:
            news = {form.instance.pk: (CHANGED, parts) if change else (CREATED, ())}
            actor = actor_of(request, *self.editing)
            tell_items(news, at=clock.now(), actor=actor)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: Any) -> None:
        """A barcode is of its SKU's account."""
        if formset.model is Barcode:
            for row in formset.forms:
                row.instance.account_id = form.instance.account_id
        super().save_formset(request, form, formset, change)


@admin.register(Substitute)
class SubstituteAdmin(AuditedAdmin):
    """What may go out instead. It is proposed by the import and the API, and approved here."""

    list_display = ("sku", "substitute", "channel", "rank", "state", "approved_by")
    list_filter = ("state", ("channel", ScopedRelatedFilter))
    list_select_related = ("sku", "substitute", "channel")
    search_fields = ("sku__code__istartswith", "substitute__code__istartswith")
    actions = ("approve", "retire")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and super().has_change_permission(request, obj)

    @admin.action(description="Approve", permissions=["change"])
    def approve(self, request: HttpRequest, queryset: QuerySet[Substitute]) -> None:
        self._move(request, queryset, services.approve_substitutes)

    @admin.action(description="Retire", permissions=["change"])
    def retire(self, request: HttpRequest, queryset: QuerySet[Substitute]) -> None:
        self._move(request, queryset, services.retire_substitutes)

    def _move(
        self, request: HttpRequest, queryset: QuerySet[Substitute], command: Callable[..., Any]
    ) -> None:
        wanted = list(queryset.order_by("pk").values_list("pk", flat=True))
        command(wanted, at=clock.now(), actor=actor_of(request, Permission.CONFIG_EDIT))


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
    readonly_fields = ("state", "closed_at", "close_reason")
    inlines = (InboundLineInline,)


@admin.register(Feed)
class FeedAdmin(AuditedAdmin):
    """How a feed counts. How far it has told is its own news."""

    list_display = ("node", "source", "account", "semantics", "ordering", "state", "seen_at")
    list_filter = ("state", "semantics", ("node", ScopedRelatedFilter))
    list_select_related = ("node", "account")
    search_fields = ("source", "node__code")
    readonly_fields = (
        "state",
        "state_since",
        "as_of",
        "seen_at",
        "sequence",
        "covered_sequence",
        "missing",
        "gap_since",
        "asked_at",
        "reconciled_at",
        "degraded",
    )
    exclude = ("begun_at", "event_seq")

    def save_model(self, request: HttpRequest, obj: Feed, form: Any, change: Any) -> None:
        if not change:
            obj.begun_at = clock.now()
        super().save_model(request, obj, form, change)
