"""Messages from outside to look through and replay, secrets to set, imports to look up."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminPasswordWidget

from config.kernel import clock
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.admin_base import AuditedAdmin, AuditedForm, ScopedRelatedFilter
from integrations import services
from integrations.imports.buckets import Bucket
from integrations.models import ChannelCredential, ImportProblem, ImportRun, InboxMessage
from integrations.services.credentials import MIN_LENGTH


class ReadAdmin(AuditedAdmin):
    """Rows that the outside made: read, never written here."""

    form = forms.ModelForm  # type: ignore[assignment]  # a page without a reason to give

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del obj
        return request.user.has_perm(Permission.INTEGRATIONS_VIEW)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        del request
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del request, obj
        return False


@admin.register(InboxMessage)
class InboxMessageAdmin(ReadAdmin):
    """What came in and what became of it. The bytes stay sealed; a replay reads them again."""

    list_display = ("received_at", "source", "kind", "external_id", "state", "code", "attempts")
    list_filter = ("state", "kind", ("channel", ScopedRelatedFilter))
    list_select_related = ("channel",)
    search_fields = ("=external_id",)
    ordering = ("-id",)
    actions = ("replay",)
    fields = (
        "received_at",
        "source",
        "kind",
        "external_id",
        "state",
        "code",
        "reason",
        "attempts",
        "subject_kind",
        "subject_id",
        "settled_at",
    )
    readonly_fields = fields

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(Permission.INTEGRATIONS_REPLAY)

    @admin.action(description="Replay: try these again", permissions=["replay"])
    def replay(self, request: HttpRequest, queryset: QuerySet[InboxMessage]) -> None:
        wanted = list(queryset.order_by("pk").values_list("pk", flat=True))
        outcomes = services.replay_messages(wanted, at=clock.now(), actor=actor_of(request))
        done = sum(outcome.ok for outcome in outcomes)
        if done:
            self.message_user(request, f"{done} of {len(wanted)} applied.", messages.SUCCESS)
        for outcome in outcomes:
            if outcome.problem is not None:
                self.message_user(request, outcome.problem.detail, messages.ERROR)


class CredentialForm(AuditedForm):
    """The secret is written, never shown: an existing one is replaced."""

    secret = forms.CharField(
        min_length=MIN_LENGTH,
        max_length=500,
        strip=True,
        widget=UnfoldAdminPasswordWidget(
            render_value=False, attrs={"autocomplete": "new-password"}
        ),
        help_text="Shared with the channel, which signs its messages with it.",
    )

    class Meta:
        model = ChannelCredential
        fields = ("channel", "kind")

    def validate_unique(self) -> None:
        """Setting a secret that is there replaces it."""

    def validate_constraints(self) -> None:
        """Likewise."""


@admin.register(ChannelCredential)
class ChannelCredentialAdmin(AuditedAdmin):
    form = CredentialForm
    list_display = ("channel", "kind", "hint", "changed_at")
    list_select_related = ("channel",)
    list_filter = ("kind", ("channel", ScopedRelatedFilter))
    fields = ("channel", "kind", "secret")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        del request
        return ("channel", "kind") if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del request, obj
        return False

    def save_model(
        self, request: HttpRequest, obj: ChannelCredential, form: Any, change: Any
    ) -> None:
        """Set the secret by command; the page goes on with the row it wrote."""
        del change
        saved = services.set_secret(
            obj.channel_id,
            obj.kind,
            form.cleaned_data["secret"],
            at=clock.now(),
            actor=actor_of(request),
        )
        obj.pk = saved.pk


@admin.register(ImportRun)
class ImportRunAdmin(ReadAdmin):
    list_display = ("started_at", "file_name", "channel", "format", "mode", "state", "position")
    list_filter = ("state", "format", "mode", ("channel", ScopedRelatedFilter))
    list_select_related = ("channel",)
    search_fields = ("file_name",)
    ordering = ("-id",)
    fields = (
        "file_name",
        "channel",
        "format",
        "mode",
        "state",
        "position",
        "became",
        "told",
        "started_at",
        "finished_at",
    )
    readonly_fields = fields

    @admin.display(description="lines")
    def became(self, run: ImportRun) -> str:
        return "\n".join(
            f"{run.counts[bucket.value]:,} {bucket.label}"
            for bucket in Bucket
            if run.counts.get(bucket.value)
        )

    @admin.display(description="first lines with a reason")
    def told(self, run: ImportRun) -> str:
        rows = ImportProblem.objects.filter(run=run).order_by("line")[:50]
        return "\n".join(f"line {row.line}, {row.reference}: {row.detail}" for row in rows)
