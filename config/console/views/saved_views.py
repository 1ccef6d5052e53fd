"""Saved views: kept, renamed, replaced, deleted; and how many orders each shows."""

from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse

from config.console import chips, saved_views, undoing
from config.console.models import SavedView, ViewPage
from config.console.once import once
from config.console.pages import frame_of, go, page, say, show
from config.console.saved_views import ViewDraft
from config.kernel import access
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import Forbidden, Invalid, NotFound
from config.kernel.models import Account
from config.reports import orders as reports

_NEEDS: Final[dict[str, Permission]] = {
    ViewPage.ORDERS: Permission.ORDERS_VIEW,
    ViewPage.CASES: Permission.CASES_VIEW,
}
TEAM: Final = Permission.CONFIG_EDIT
"""What it takes to change what everybody sees."""


@page(*_NEEDS.values(), methods=("POST",))
@once
def view_save(request: HttpRequest) -> HttpResponse:
    """Keep the list as it is shown under a name."""
    frame = frame_of(request)
    which = request.POST.get("page", "")
    team = request.POST.get("team") == "1"
    _may(request, which, team=team)
    scope = frame.scope(TEAM if team else _NEEDS[which])
    known = Account.objects.order_by("pk").values_list("pk", flat=True)[:1]
    account_id = saved_views.account_of(scope, known)
    draft = ViewDraft(
        account_id, which, request.POST.get("name", ""), request.POST.get("query", ""), team=team
    )
    view = saved_views.save_view(draft, at=frame.now, actor=actor_of(request))
    say(request, f"The view “{view.name}” is kept{' for the whole team' if team else ''}.")
    return go(request, address_of(view))


@page(*_NEEDS.values(), methods=("POST",))
@once
def view_change(request: HttpRequest, view_id: UUID) -> HttpResponse:
    """Rename a view, give it what is shown now, or delete it."""
    frame, actor = frame_of(request), actor_of(request)
    view = _found(request, view_id)
    _may(request, view.page, team=view.owner_id is None)
    if view.owner_id is None and not frame.scope(TEAM).allows(view.account_id):
        raise Forbidden(f"A view of this team needs the permission “{TEAM.label}” there.")
    act = request.POST.get("act", "")
    if act == "delete":
        saved_views.delete_view(view, actor=actor)
        undoing.offer(
            request,
            f"The view “{view.name}” is deleted.",
            "view",
            {
                "account_id": str(view.account_id), "page": view.page, "name": view.name,
                "query": view.query, "team": view.owner_id is None,
            },
        )  # fmt: skip
        return go(request, reverse(f"console:{view.page}"))
    if act == "rename":
        saved_views.change_view(view, name=request.POST.get("name", ""), at=frame.now, actor=actor)
        say(request, f"The view is called “{view.name}” now.")
    elif act == "replace":
        saved_views.change_view(
            view, query=request.POST.get("query", ""), at=frame.now, actor=actor
        )
        say(request, f"The view “{view.name}” shows this list now.")
    else:
        raise Invalid("There is no such action on a view.")
    return go(request, address_of(view))


@page(Permission.ORDERS_VIEW)
def view_counts(request: HttpRequest) -> HttpResponse:
    """How many orders each of the reader's views shows: read after the page, in one statement."""
    frame = frame_of(request)
    scope = frame.scope(Permission.ORDERS_VIEW)
    views = saved_views.views_of(ViewPage.ORDERS, frame.user, scope=scope)
    wanted = {str(view.pk): chips.filters_of(QueryDict(view.query)) for view in views}
    counted = reports.counts(wanted, scope=scope, moment=frame.moment) if wanted else {}
    return show(
        request,
        "console/parts/view_counts.html",
        {"counted": counted.items(), "counted_to": reports.COUNT_LIMIT - 1},
    )


def tabs_of(request: HttpRequest, which: str) -> dict[str, Any]:
    """The saved views as tabs, the one that is open, and what the reader may do about it."""
    frame = frame_of(request)
    views = saved_views.views_of(which, frame.user, scope=frame.scope(_NEEDS[which]))
    now = saved_views.query_of(which, request.GET)
    wanted = request.GET.get("view", "")
    opened = next((view for view in views if str(view.pk) == wanted), None) or next(
        (view for view in views if now and view.query == now), None
    )
    team = opened is not None and opened.owner_id is None
    return {
        "which": which,
        "saved": [
            {
                "id": view.pk,
                "name": view.name,
                "team": view.owner_id is None,
                "address": address_of(view),
                "current": view is opened,
            }
            for view in views
        ],
        "opened": opened,
        "reset": address_of(opened) if opened else "",
        "modified": opened is not None and opened.query != now,
        "query": now,
        "may_team": frame.may(TEAM),
        "may_change": opened is not None and (not team or frame.may(TEAM)),
    }


def address_of(view: SavedView) -> str:
    """Where a view is looked at."""
    joint = f"&{view.query}" if view.query else ""
    return f"{reverse(f'console:{view.page}')}?view={view.pk}{joint}"


def _found(request: HttpRequest, view_id: UUID) -> SavedView:
    user = frame_of(request).user
    return saved_views.view_of(view_id, user, scope=access.scope_of(user, *_NEEDS.values()))


def _may(request: HttpRequest, which: str, *, team: bool) -> None:
    frame = frame_of(request)
    if which not in _NEEDS:
        raise NotFound("There is no such page.")
    if not frame.may(_NEEDS[which]):
        raise Forbidden(f"This needs the permission “{_NEEDS[which].label}”.")
    if team and not frame.may(TEAM):
        raise Forbidden(f"A view of the team needs the permission “{TEAM.label}”.")
