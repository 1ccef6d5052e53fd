"""Messages from outside to look through and replay, connections to set up, imports to look up."""

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminPasswordWidget

import integrations.buyer.admin  # noqa: F401  # its pages, found with these
from config.kernel import clock
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.admin_base import AuditedAdmin, AuditedForm, ScopedRelatedFilter
from integrations import adapters, services
from integrations.connections import WEBHOOK_SECRET
from integrations.imports.buckets import Bucket
from integrations.models import (
    ChannelCopy,
    Connection,
    ImportProblem,
    ImportRun,
    InboxMessage,
)
from integrations.services.connections import MIN_LENGTH

_HEALTH = ("last_heard_at", "last_answered_at", "last_failed_at", "failure")


class ReadAdmin(AuditedAdmin):
    """Rows that the outside made: read, never written here."""

    form = forms.ModelForm  # type: ignore[assignment]  # a page without a reason to give
    reading = (Permission.INTEGRATIONS_VIEW,)
    editing = ()

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
        actor = actor_of(request, Permission.INTEGRATIONS_REPLAY)
        outcomes = services.replay_messages(wanted, at=clock.now(), actor=actor)
        done = sum(outcome.ok for outcome in outcomes)
        if done:
            self.message_user(request, f"{done} of {len(wanted)} applied.", messages.SUCCESS)
        for outcome in outcomes:
            if outcome.problem is not None:
                self.message_user(request, outcome.problem.detail, messages.ERROR)


@admin.register(ChannelCopy)
class ChannelCopyAdmin(ReadAdmin):
    """What a channel holds of ours, is to hold, or has told us. Written by commands alone."""

    list_display = ("wanted_at", "connection", "kind", "state", "their_id", "sent_at", "failure")
    list_filter = ("state", "kind", ("connection", ScopedRelatedFilter))
    list_select_related = ("connection",)
    search_fields = ("=their_id", "=order_id")
    ordering = ("-id",)
    fields = (
        "connection",
        "kind",
        "our_id",
        "order_id",
        "their_id",
        "state",
        "wanted",
        "failure",
        "round",
        "version",
        "wanted_at",
        "sent_at",
        "seen_at",
    )
    readonly_fields = fields


class ConnectionForm(AuditedForm):
    """Secrets are written, never shown: what is entered replaces, what is left empty stays."""

    secrets = forms.CharField(
        required=False,
        widget=UnfoldAdminPasswordWidget(
            render_value=False, attrs={"autocomplete": "new-password"}
        ),
        help_text="One secret: the webhook's. Several: a JSON object of names and values.",
    )

    class Meta:
        model = Connection
        fields = (
            "account",
            "kind",
            "code",
            "adapter",
            "name",
            "channel",
            "node",
            "carrier_code",
            "base_url",
            "settings",
            "expected_every",
        )

    def clean_adapter(self) -> str:
        """The adapter, known to somebody here."""
        adapter = str(self.cleaned_data["adapter"])
        if adapter not in adapters.names():
            raise forms.ValidationError(f"Known adapters: {', '.join(adapters.names())}.")
        return adapter

    def clean_secrets(self) -> dict[str, str]:
        said = str(self.cleaned_data["secrets"]).strip()
        if not said:
            return {}
        held: dict[str, Any] = {WEBHOOK_SECRET: said}
        if said.startswith("{"):
            try:
                held = json.loads(said)
            except ValueError:
                raise forms.ValidationError("This is no JSON object.") from None
        for name, secret in held.items():
            if not isinstance(secret, str) or (secret and len(secret) < MIN_LENGTH):
                raise forms.ValidationError(f"{name} needs at least {MIN_LENGTH} characters.")
        return held


@admin.register(Connection)
class ConnectionAdmin(AuditedAdmin):
    """Counterparts: address, settings, secrets, and whether we send."""

    form = ConnectionForm
    reading = (Permission.INTEGRATIONS_VIEW,)
    editing = (Permission.INTEGRATIONS_MANAGE,)
    list_display = ("name", "kind", "adapter", "code", "state", "last_heard_at", "failure")
    list_select_related = ("account",)
    list_filter = ("kind", "state", "adapter")
    search_fields = ("name", "=code")
    ordering = ("code",)
    actions = ("go_live", "pause", "listen")
    fields = (*ConnectionForm.Meta.fields, "secrets", "held", "state", *_HEALTH)
    readonly_fields = ("held", "state", *_HEALTH)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del obj
        return request.user.has_perm(Permission.INTEGRATIONS_VIEW)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(Permission.INTEGRATIONS_MANAGE)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(Permission.INTEGRATIONS_MANAGE) and self._edits(request, obj)

    def has_switch_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(Permission.INTEGRATIONS_MANAGE)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del request, obj
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fixed = ("account", "kind", "code") if obj else ()
        return (*super().get_readonly_fields(request, obj), *fixed)

    @admin.display(description="secrets kept")
    def held(self, row: Connection) -> str:
        return str(row.hint) or "none"

    def save_model(self, request: HttpRequest, obj: Connection, form: Any, change: Any) -> None:
        """Written by command; the page goes on with the row it wrote."""
        del change
        saved = services.define_connection(
            services.ConnectionDraft(
                account_id=obj.account_id,
                kind=obj.kind,
                code=obj.code,
                adapter=obj.adapter,
                name=obj.name,
                channel_id=obj.channel_id,
                node_id=obj.node_id,
                carrier_code=obj.carrier_code,
                base_url=obj.base_url,
                settings=obj.settings,
                expected_every=obj.expected_every,
            ),
            at=clock.now(),
            actor=actor_of(request, Permission.INTEGRATIONS_MANAGE),
        )
        if form.cleaned_data["secrets"]:
            services.set_secrets(
                saved.id,
                form.cleaned_data["secrets"],
                at=clock.now(),
                actor=actor_of(request, Permission.INTEGRATIONS_MANAGE),
            )
        obj.pk = saved.id

    @admin.action(description="Go live: also send", permissions=["switch"])
    def go_live(self, request: HttpRequest, queryset: QuerySet[Connection]) -> None:
        self._switch(request, queryset, services.go_live)

    @admin.action(description="Pause: neither ask nor send", permissions=["switch"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Connection]) -> None:
        self._switch(request, queryset, services.pause)

    @admin.action(description="Listen: take in, send nothing", permissions=["switch"])
    def listen(self, request: HttpRequest, queryset: QuerySet[Connection]) -> None:
        self._switch(request, queryset, services.listen)

    def _switch(self, request: HttpRequest, queryset: QuerySet[Connection], command: Any) -> None:
        actor = actor_of(request, Permission.INTEGRATIONS_MANAGE)
        for row in queryset.order_by("pk"):
            ref = command(row.pk, at=clock.now(), actor=actor)
            self.message_user(request, f"{ref.code} is {ref.state}.", messages.SUCCESS)


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
