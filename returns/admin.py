"""Return policies: what stands, what stood before, and a new version for every edit."""

from typing import Any, Final

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from config.kernel import clock
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.admin_base import AuditedAdmin, AuditedForm, ScopedRelatedFilter
from returns import services
from returns.models import ReturnPolicy
from returns.policy import USUAL_TERMS
from returns.states import ReasonClass
from returns.types import Reason, Terms

_SEPARATOR: Final = "|"
_PARTS: Final = 3
_TERMS: Final = (
    "window_days", "condition", "fee_minor", "keep_below_minor", "review_above_minor",
    "label_paid_by", "refund_trigger", "shipping_back", "expires_days", "authorizes_itself",
)  # fmt: skip


class ReturnPolicyForm(AuditedForm):
    """The terms, with reasons and categories as people write them."""

    reasons_said = forms.CharField(
        label="Reasons",
        widget=UnfoldAdminTextareaWidget,
        help_text="One a line: code | words for the buyer | "
        + " / ".join(ReasonClass.values)
        + ". The class decides who pays.",
    )
    categories_said = forms.CharField(
        label="Excluded categories",
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Of the SKUs' attribute “category”, with commas between them.",
    )

    class Meta:
        model = ReturnPolicy
        fields = ("account", "brand", "channel", *_TERMS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kept = [] if self.instance._state.adding else self.instance.reasons
        reasons = [Reason(**each) for each in kept] or list(USUAL_TERMS.reasons)
        self.fields["reasons_said"].initial = "\n".join(
            f" {_SEPARATOR} ".join((each.code, each.label, each.kind)) for each in reasons
        )
        self.fields["categories_said"].initial = ", ".join(self.instance.excluded_categories)

    def validate_unique(self) -> None:
        """An edit is a version of its own: the command numbers it."""

    def validate_constraints(self) -> None:
        """Likewise."""

    def clean_reasons_said(self) -> tuple[Reason, ...]:
        found = []
        for line in str(self.cleaned_data["reasons_said"]).splitlines():
            if not line.strip():
                continue
            parts = [part.strip() for part in line.split(_SEPARATOR)]
            if len(parts) != _PARTS or not all(parts):
                raise forms.ValidationError(f"“{line}” is not code | words | class.")
            if parts[2] not in ReasonClass.values:
                known = ", ".join(ReasonClass.values)
                raise forms.ValidationError(f"“{parts[2]}” is none of {known}.")
            found.append(Reason(*parts))
        return tuple(found)

    def terms(self) -> Terms:
        said = self.cleaned_data
        categories = [part.strip() for part in said["categories_said"].split(",")]
        return Terms(
            reasons=said["reasons_said"],
            excluded_categories=tuple(part for part in categories if part),
            **{name: said[name] for name in _TERMS},
        )


@admin.register(ReturnPolicy)
class ReturnPolicyAdmin(AuditedAdmin):
    """Saved, a policy holds from now on; returns that were asked for keep the terms of their time."""

    form = ReturnPolicyForm
    list_display = (
        "place", "version", "window_days", "refund_trigger", "label_paid_by", "live_from",
        "retired_at",
    )  # fmt: skip
    list_select_related = ("account", "brand", "channel")
    list_filter = (
        ("brand", ScopedRelatedFilter),
        ("channel", ScopedRelatedFilter),
        ("retired_at", admin.EmptyFieldListFilter),
    )
    ordering = ("-live_from", "-pk")
    fieldsets = (
        ("Where it holds", {"fields": ("account", "brand", "channel")}),
        ("What may come back", {"fields": (
            "window_days", "reasons_said", "categories_said", "condition", "expires_days",
        )}),
        ("Who decides", {"fields": ("authorizes_itself", "review_above_minor")}),
        ("Money", {"fields": (
            "refund_trigger", "fee_minor", "shipping_back", "label_paid_by", "keep_below_minor",
        )}),
    )  # fmt: skip

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del obj
        return any(request.user.has_perm(each) for each in self.reading)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(Permission.CONFIG_EDIT)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What is retired stays as it was."""
        retired = obj is not None and obj.retired_at is not None
        may = request.user.has_perm(Permission.CONFIG_EDIT) and self._edits(request, obj)
        return may and not retired

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del request, obj
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fixed = ("account", "brand", "channel") if obj else ()
        return (*super().get_readonly_fields(request, obj), *fixed)

    @admin.display(description="holds for")
    def place(self, row: ReturnPolicy) -> str:
        return str(row.channel or row.brand or row.account)

    def save_model(self, request: HttpRequest, obj: ReturnPolicy, form: Any, change: Any) -> None:
        """Published by command: the live version is retired, the page goes on with the new one."""
        del change
        obj.pk = services.publish_policy(
            obj.account_id,
            form.terms(),
            brand_id=obj.brand_id,
            channel_id=obj.channel_id,
            at=clock.now(),
            actor=actor_of(request, *self.editing),
        )
