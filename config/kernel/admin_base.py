"""The base of every admin page that changes something: scoped, audited, never by signal."""

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib.admin import RelatedFieldListFilter
from django.db import models
from django.http import HttpRequest
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextInputWidget

from config.kernel import clock, versions
from config.kernel.access import Permission, scope_of
from config.kernel.actors import actor_of
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.models import Account
from config.kernel.querysets import ScopedQuerySet, scope_lifted

REASON: str = "change_reason"


class AuditedForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic when it runs
    """A model form that also asks why."""

    change_reason = forms.CharField(
        label="Reason",
        required=False,
        max_length=500,
        widget=UnfoldAdminTextInputWidget,
        help_text="Why you change this; it stands in the history.",
    )

    def _post_clean(self) -> None:
        # Uniqueness is asked across accounts, by code of Django's that names no scope.
        with scope_lifted():
            super()._post_clean()  # type: ignore[misc]  # private, but the documented order of steps


class ScopedRelatedFilter(RelatedFieldListFilter):
    """`list_filter = [("brand", ScopedRelatedFilter)]`: offers only what the user may reach."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        rows = _scoped(
            field.remote_field.model._default_manager.all(), request, model_admin.reading
        )
        return [(row.pk, str(row)) for row in rows.order_by("pk")[:200]]


class AuditedAdmin(SimpleHistoryAdmin, ModelAdmin):  # type: ignore[misc]  # no stubs
    """A model's pages: reads within the user's scope; each write leaves a history row with a reason.

    `reading` and `editing` are the permissions (one is enough) that count in a row's account.
    `version_topics` are raised with each write, so that processes drop what they cached.
    """

    form = AuditedForm
    show_full_result_count = False
    list_per_page = 50
    version_topics: ClassVar[tuple[str, ...]] = ()
    reading: ClassVar[tuple[Permission, ...]] = (Permission.AUDIT_VIEW, Permission.CONFIG_EDIT)
    editing: ClassVar[tuple[Permission, ...]] = (Permission.CONFIG_EDIT,)

    def get_queryset(self, request: HttpRequest) -> Any:
        return _scoped(super().get_queryset(request), request, (*self.reading, *self.editing))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed: bool = super().has_change_permission(request, obj)
        return allowed and self._edits(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed: bool = super().has_delete_permission(request, obj)
        return allowed and self._edits(request, obj)

    def _edits(self, request: HttpRequest, obj: Any) -> bool:
        """Whether the user may change this row: rows of no account are everybody's."""
        account_id = _account_of(obj)
        return account_id is None or scope_of(request.user, *self.editing).allows(account_id)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        related = db_field.remote_field.model._default_manager.all()
        kwargs.setdefault("queryset", _scoped(related, request, self.editing))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        related = db_field.remote_field.model._default_manager.all()
        kwargs.setdefault("queryset", _scoped(related, request, self.editing))
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Put the reason last, for whoever may write; pages with their own form leave it out."""
        sections = list(super().get_fieldsets(request, obj))
        listed = [name for _, options in sections for name in options["fields"]]
        may = self.has_change_permission(request, obj) if obj else True
        if not issubclass(self.form, AuditedForm):
            return sections
        if not may:
            return _without_reason(sections)
        return sections if REASON in listed else [*sections, ("Why", {"fields": [REASON]})]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        super().save_model(request, obj, form, change)
        kind = Change.CHANGED if change else Change.CREATED
        self._record(request, type(obj), [obj.pk], kind, _reason_of(form))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self._record(request, type(obj), [obj.pk], Change.DELETED, "deleted in the console")
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        keys = list(queryset.values_list("pk", flat=True))
        self._record(request, queryset.model, keys, Change.DELETED, "deleted in the console")
        super().delete_queryset(request, queryset)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: Any) -> None:
        formset.save(commit=False)
        reason = _reason_of(form)
        if formset.deleted_objects:
            gone = [row.pk for row in formset.deleted_objects]
            self._record(request, formset.model, gone, Change.DELETED, reason)
        formset.save()
        created = [row.pk for row in formset.new_objects]
        self._record(request, formset.model, created, Change.CREATED, reason)
        changed = [row.pk for row, _ in formset.changed_objects]
        self._record(request, formset.model, changed, Change.CHANGED, reason)

    def _record(
        self,
        request: HttpRequest,
        model: type[models.Model],
        keys: Sequence[Any],
        change: Change,
        reason: str,
    ) -> None:
        if not keys:
            return
        if hasattr(model, "history"):
            record_history(
                model,
                keys,
                change,
                at=clock.now(),
                actor=actor_of(request, *self.editing),
                reason=reason,
            )
        if self.version_topics:
            versions.bump(*self.version_topics)


def _scoped(queryset: Any, request: HttpRequest, permissions: Sequence[str]) -> Any:
    scope = scope_of(request.user, *permissions)
    if isinstance(queryset, ScopedQuerySet):
        return queryset.for_scope(scope)
    if scope.everything:
        return queryset
    model = queryset.model
    if model is Account:
        return queryset.filter(pk__in=sorted(scope.account_ids))
    if any(field.attname == "account_id" for field in model._meta.concrete_fields):
        return queryset.filter(account_id__in=sorted(scope.account_ids))
    return queryset


def _account_of(obj: Any) -> UUID | None:
    """The account whose wall the row stands in; None for rows that all accounts share."""
    if isinstance(obj, Account):
        return obj.pk
    account_id: UUID | None = getattr(obj, "account_id", None)
    if account_id is None and getattr(obj, "channel_id", None) is not None:
        account_id = obj.channel.account_id
    return account_id


def _reason_of(form: Any) -> str:
    return str(form.cleaned_data.get(REASON) or "changed in the console")


def _without_reason(sections: list[Any]) -> list[Any]:
    return [
        (title, {**options, "fields": [name for name in options["fields"] if name != REASON]})
        for title, options in sections
    ]
