"""The configuration's front door: open to staff whose roles have something behind it."""

from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from unfold.sites import UnfoldAdminSite


class ConfigurationSite(UnfoldAdminSite):  # type: ignore[misc]  # unfold has no types
    """Django's admin, dressed by unfold, for those who may see at least one of its pages."""

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(super().has_permission(request)) and any(
            page.has_module_permission(request) for page in self._registry.values()
        )

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002 (theirs)
        """Refuse who is signed in and may not enter: signing in again would change nothing."""
        guarded = super().admin_view(view, cacheable)

        @wraps(guarded)
        def entered(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if request.user.is_authenticated and not self.has_permission(request):
                raise PermissionDenied
            return guarded(request, *args, **kwargs)

        return entered
