"""Signing in and out, and the reader's own settings."""

from urllib.parse import urlencode

from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from config.console.frame import THEMES
from config.console.pages import back_to, frame_of, page, show
from config.console.views.tower import tower
from config.kernel.access import Permission

_YEAR_SECONDS = 365 * 24 * 3_600


class SignIn(LoginView):
    """One sign-in for console and configuration."""

    template_name = "console/login.html"
    redirect_authenticated_user = True
    next_page = "console:home"
    permissions = ()


class SignOut(LogoutView):
    next_page = "console:login"
    permissions = ()


def admin_sign_in(request: HttpRequest) -> HttpResponse:
    """The configuration's own sign-in address leads to the one there is."""
    wanted = request.GET.get("next") or reverse("admin:index")
    return HttpResponseRedirect(f"{reverse('console:login')}?{urlencode({'next': wanted})}")


@page()
def home(request: HttpRequest) -> HttpResponseBase:
    """The control tower; for those who may not see it, the first place that their roles open."""
    frame = frame_of(request)
    if frame.may(Permission.ORDERS_VIEW):
        return tower(request)
    places = frame.places
    return HttpResponseRedirect(reverse(places[0].url if places else "console:nothing"))


@page(methods=("POST",))
def settings(request: HttpRequest) -> HttpResponse:
    """Colours and single-key shortcuts, kept in cookies."""
    response = HttpResponseRedirect(back_to(request, reverse("console:home")))
    chosen = {"theme": (*THEMES,), "keys": ("on", "off")}
    for name, allowed in chosen.items():
        value = request.POST.get(name, "")
        if value in allowed:
            response.set_cookie(
                name,
                value,
                max_age=_YEAR_SECONDS,
                samesite="Lax",
                httponly=True,
                secure=request.is_secure(),
            )
    return response


@page()
def nothing(request: HttpRequest) -> HttpResponse:
    """For somebody who is signed in and holds no role."""
    return show(request, "console/nothing.html", {"here": ""})
