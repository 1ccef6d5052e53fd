"""How a page is made: a named permission, one frame, strict headers, refusals in words."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme

from config.console import undoing
from config.console.frame import Frame
from config.kernel.access import ROLE_PERMISSIONS, Permission
from config.kernel.actors import pass_door
from config.kernel.errors import DomainError, Forbidden, NotFound
from config.kernel.models import User

View = Callable[..., HttpResponseBase]
_POLICY: Final = {"script-src": ["'self'"], "style-src": ["'self'"]}
BUSY: Final = "Someone else is changing the same record. Nothing was changed; send it again."


def page(*permissions: Permission, methods: tuple[str, ...] = ("GET",)) -> Callable[[View], View]:
    """A page for whoever holds one of the permissions; with none named, for whoever is signed in.

    What the domain refuses is answered as a page that says what is safe, what was wrong and what
    to do. `view.permissions` names the permissions for the test that walks all addresses.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not isinstance(request.user, User) or not request.user.is_active:
                return sign_in(request)
            frame = Frame.of(request)
            pass_door(request, permissions)
            request.frame = frame  # type: ignore[attr-defined]  # Django's request is open
            if permissions and not any(frame.may(each) for each in permissions):
                return _strict(request, refusal(request, _missing(permissions[0])))
            if request.method not in (*methods, "HEAD"):
                return _strict(request, HttpResponse(status=405, headers={"Allow": _list(methods)}))
            try:
                # Forms are read, and filters of Django shown, in the reader's zone.
                with timezone.override(frame.zone):
                    response = view(request, *args, **kwargs)
            except DomainError as error:
                response = refusal(request, error)
            except OperationalError:
                response = refusal(request, DomainError(BUSY), status=503)
            return _strict(request, response)

        shown.permissions = permissions  # type: ignore[attr-defined]
        return shown

    return decorate


def show(
    request: HttpRequest, template: str, context: Mapping[str, Any], *, status: int = 200
) -> HttpResponse:
    """Render a page, or only its fragment when htmx asks for one.

    A template `console/x.html` extends the base named by `base`: the whole frame, or the drawer.
    """
    base = "console/drawer.html" if in_drawer(request) else "console/base.html"
    around = {"frame": frame_of(request), "base": base, "undo": undoing.shown(request)}
    return render(request, template, {**context, **around}, status=status)


def frame_of(request: HttpRequest) -> Frame:
    frame: Frame = request.frame  # type: ignore[attr-defined]
    return frame


def in_drawer(request: HttpRequest) -> bool:
    return request.headers.get("HX-Target") == "drawer-content"


def go(request: HttpRequest, address: str) -> HttpResponse:
    """Send the browser on: by a redirect, or by htmx's header from within the drawer."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


def back_to(request: HttpRequest, fallback: str) -> str:
    """The address of this site that the form names to come back to."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()})
    return wanted if wanted and safe else fallback


def say(request: HttpRequest, text: str, *, level: int = messages.SUCCESS) -> None:
    messages.add_message(request, level, text)


def sign_in(request: HttpRequest) -> HttpResponse:
    address = f"{reverse('console:login')}?{urlencode({'next': request.get_full_path()})}"
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


def refusal(request: HttpRequest, error: DomainError, *, status: int = 0) -> HttpResponse:
    """The page of a refusal: nothing was changed, why, and what can be done."""
    advice = {
        NotFound: "It may belong to another account or node, or the address has a typing error.",
        Forbidden: "Ask an administrator for a role that includes it.",
    }.get(type(error), "Go back, look at the record as it is now, and try again.")
    return show(
        request,
        "console/refusal.html",
        {"error": error, "advice": advice, "request_id": getattr(request, "request_id", "")},
        status=status or error.status,
    )


def _missing(permission: Permission) -> Forbidden:
    holders = [kind.name for kind in ROLE_PERMISSIONS.values() if permission in kind.permissions]
    return Forbidden(
        f"This page needs the permission “{permission.label}”. "
        f"Roles that have it: {', '.join(holders) or 'none'}."
    )


def _list(methods: tuple[str, ...]) -> str:
    return ", ".join(methods)


def _strict(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Own scripts and styles only, never cached, and htmx fragments kept apart from pages."""
    response._csp_replace = _POLICY  # type: ignore[attr-defined]  # csp_replace's way
    response.headers.setdefault("Cache-Control", "no-store, private")
    patch_vary_headers(response, ["HX-Request", "HX-Target", "Cookie"])
    del request
    return response
