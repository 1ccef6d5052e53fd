"""Rows of admin pages, which offer only what the user may reach."""

from typing import Any

from django.http import HttpRequest
from unfold.admin import TabularInline

from config.kernel.access import scope_of
from config.kernel.admin_base import AuditedAdmin
from config.kernel.querysets import ScopedQuerySet


def _reached(found: Any, request: HttpRequest) -> Any:
    if isinstance(found, ScopedQuerySet):
        return found.for_scope(scope_of(request.user, *AuditedAdmin.reading))
    return found


class ReachedInline(TabularInline):  # type: ignore[misc]  # unfold is untyped
    """Rows of a page, which offer only what the user may reach."""

    extra = 0
    tab = True

    def get_queryset(self, request: HttpRequest) -> Any:
        return _reached(super().get_queryset(request), request)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        related = db_field.remote_field.model._default_manager.all()
        kwargs.setdefault("queryset", _reached(related, request))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)
