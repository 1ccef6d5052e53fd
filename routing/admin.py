"""Policies and rate cards to edit, decisions to look up. Every edit of a policy is a new version."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
)

from config.kernel import clock
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.admin_base import AuditedAdmin, AuditedForm, ScopedRelatedFilter
from config.kernel.errors import DomainError
from config.kernel.money import Money
from routing import engine, services
from routing.engine import Constraint
from routing.matching_models import RejectionRule
from routing.models import RateCard, RateZone, RoutingDecision, SourcingPolicy
from routing.rejections import REASONS
from routing.rule_reading import parse_rules
from routing.rules import MAX_WEIGHT, TERMS, WEIGHTS
from routing.services import PolicyDraft

_WEIGHT_LABELS = {
    "cost_percent": ("Cost", "Percent of the expected freight, handling and picking."),
    "parcel_minor": ("Parcel", "Minor units for each parcel after the first."),
    "km_milli": ("Distance", "Thousandths of a minor unit per kilometre of each parcel."),
    "late_day_minor": ("Lateness", "Minor units per expected day after the requested date."),
}


def _weight_field(name: str) -> forms.IntegerField:
    label, text = _WEIGHT_LABELS[name]
    return forms.IntegerField(
        label=label,
        help_text=text,
        min_value=0,
        max_value=MAX_WEIGHT,
        initial=0,
        widget=UnfoldAdminIntegerFieldWidget,
    )


class PolicyForm(AuditedForm):
    """The policy with its weights as numbers, each said in words."""

    cost_percent = _weight_field("cost_percent")
    parcel_minor = _weight_field("parcel_minor")
    km_milli = _weight_field("km_milli")
    late_day_minor = _weight_field("late_day_minor")
    soft = forms.MultipleChoiceField(
        label="Soft constraints",
        required=False,
        choices=[(code.value, code.value.replace("_", " ")) for code in Constraint],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="Given up in a second pass when nothing can be sent within them.",
    )

    class Meta:
        model = SourcingPolicy
        fields = (
            "account",
            "channel",
            "code",
            "name",
            "max_nodes",
            "max_km",
            "on_time",
            "allow_partial",
            "split_lines",
            "soft",
            "comment",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in WEIGHTS:
            if name in self.fields:
                self.fields[name].initial = self.instance.weights.get(name, 0)

    def validate_unique(self) -> None:
        """Saving makes a new version: nothing is there twice."""

    def validate_constraints(self) -> None:
        """Likewise."""


@admin.register(SourcingPolicy)
class SourcingPolicyAdmin(AuditedAdmin):
    """Saving makes the next version, a draft; a second person makes it live.

    Rules are edited in the console's routing studio; a version made here keeps those it came from.
    """

    form = PolicyForm
    reading = (Permission.ROUTING_VIEW,)
    editing = (Permission.ROUTING_EDIT,)
    list_display = ("name", "version", "state", "account", "channel", "published_at")
    list_filter = ("state", ("channel", ScopedRelatedFilter))
    list_select_related = ("account", "channel")
    search_fields = ("code", "name")
    ordering = ("account", "code", "-version")
    readonly_fields = (
        "version",
        "state",
        "starts_at",
        "drafted_by",
        "reviewed_by",
        "review_note",
        "published_at",
        "published_by",
        "rules",
    )
    actions = ("publish", "submit", "retire")
    fieldsets = (
        (None, {"fields": ("account", "channel", "code", "name", "comment")}),
        ("Weights", {"fields": WEIGHTS}),
        (
            "Limits",
            {
                "fields": (
                    "max_nodes",
                    "max_km",
                    "on_time",
                    "allow_partial",
                    "split_lines",
                    "soft",
                )
            },
        ),
        ("Where it stands", {"fields": readonly_fields}),
    )

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del obj
        return request.user.has_perm(Permission.ROUTING_VIEW)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(Permission.ROUTING_EDIT)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(Permission.ROUTING_EDIT) and self._edits(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del request, obj
        return False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def save_model(self, request: HttpRequest, obj: SourcingPolicy, form: Any, change: Any) -> None:
        """Make a new version of what the form says; the page goes on with that one."""
        values = form.cleaned_data
        saved = services.edit_policy(
            PolicyDraft(
                account_id=values["account"].pk,
                channel_id=values["channel"].pk if values["channel"] else None,
                code=values["code"],
                name=values["name"],
                weights={name: values[name] for name in WEIGHTS}
                | {name: obj.weights[name] for name in TERMS if name in obj.weights},
                max_nodes=values["max_nodes"],
                max_km=values["max_km"],
                on_time=values["on_time"],
                allow_partial=values["allow_partial"],
                split_lines=values["split_lines"],
                soft=tuple(values["soft"]),
                rules=parse_rules(obj.rules),
                comment=values["comment"],
                based_on=obj.pk if change else None,
            ),
            at=clock.now(),
            actor=actor_of(request, Permission.ROUTING_EDIT),
        )
        obj.pk, obj.version = saved.pk, saved.version
        self.message_user(request, f"Saved as version {saved.version}, a draft.")

    @admin.action(description="Publish: make it live", permissions=["change"])
    def publish(self, request: HttpRequest, queryset: QuerySet[SourcingPolicy]) -> None:
        self._each(request, queryset, services.publish_policy, "is live")

    @admin.action(description="Submit for review", permissions=["change"])
    def submit(self, request: HttpRequest, queryset: QuerySet[SourcingPolicy]) -> None:
        self._each(request, queryset, services.submit_policy, "is in review")

    @admin.action(description="Retire", permissions=["change"])
    def retire(self, request: HttpRequest, queryset: QuerySet[SourcingPolicy]) -> None:
        self._each(request, queryset, services.retire_policy, "is retired")

    def _each(
        self, request: HttpRequest, queryset: QuerySet[SourcingPolicy], command: Any, done: str
    ) -> None:
        """Few rows, each with its own answer: policies are published one by one."""
        for policy in queryset.order_by("pk"):
            try:
                actor = actor_of(request, Permission.ROUTING_EDIT)
                command(policy.pk, at=clock.now(), actor=actor)
            except DomainError as refusal:
                self.message_user(request, f"{policy}: {refusal.detail}", messages.ERROR)
            else:
                self.message_user(request, f"{policy} {done}.", messages.SUCCESS)


class RateZoneInline(TabularInline):
    model = RateZone
    extra = 0
    ordering = ("max_km",)


@admin.register(RateCard)
class RateCardAdmin(AuditedAdmin):
    list_display = ("code", "name", "service_level", "carrier", "currency")
    list_select_related = ("service_level", "carrier")
    search_fields = ("code", "name")
    inlines = (RateZoneInline,)
    version_topics = ("rates",)


class RejectionRuleForm(AuditedForm):
    """A rule, its reason one of those that nodes give."""

    reason = forms.ChoiceField(
        choices=[(code, code.replace("_", " ").capitalize()) for code in REASONS],
        widget=UnfoldAdminSelectWidget,
    )

    class Meta:
        model = RejectionRule
        fields = ("account", "reason", "variance", "sku_hours", "node_hours", "next_step")


@admin.register(RejectionRule)
class RejectionRuleAdmin(AuditedAdmin):
    """What follows when a node gives units up; a reason without a rule has the built-in one."""

    form = RejectionRuleForm
    reading = (Permission.ROUTING_VIEW,)
    editing = (Permission.ROUTING_EDIT,)
    list_display = ("reason", "account", "variance", "sku_hours", "node_hours", "next_step")
    list_filter = ("reason",)
    list_select_related = ("account",)


@admin.register(RoutingDecision)
class RoutingDecisionAdmin(AuditedAdmin):
    """Decisions are read, never written."""

    reading = (Permission.ROUTING_VIEW,)
    editing = ()
    form = forms.ModelForm  # type: ignore[assignment]  # a page without a reason to give
    list_display = ("at", "group_id", "winner", "policy", "level", "cost", "split_cause")
    list_filter = ("level", "split_cause")
    list_select_related = ("policy",)
    search_fields = ("=order_id", "=group_id")
    ordering = ("-id",)
    fields = ("at", "order_id", "group_id", "policy", "level", "winner", "cost", "why", "verdicts")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("input")

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        """By the id of an order or a group; anything else finds nothing."""
        if not search_term.strip():
            return queryset, False
        try:
            wanted = UUID(search_term.strip())
        except ValueError:
            return queryset.none(), False
        return queryset.filter(order_id=wanted) | queryset.filter(group_id=wanted), False

    @admin.display(description="cost")
    def cost(self, decision: RoutingDecision) -> str:
        return str(Money(decision.cost_minor, decision.currency))

    @admin.display(description="why here")
    def why(self, decision: RoutingDecision) -> str:
        return "\n".join(engine.why_here(decision.record))

    @admin.display(description="every node")
    def verdicts(self, decision: RoutingDecision) -> str:
        return "\n".join(sentence for *_, sentence in engine.all_verdicts(decision.record))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del obj
        return request.user.has_perm(Permission.ROUTING_VIEW)

    def has_add_permission(self, request: HttpRequest) -> bool:
        del request
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del request, obj
        return False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)
