"""Saved views: lists that people come back to, kept as the query of their address.

A view is its owner's alone, or its team's: everybody's within the account.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import QueryDict

from config.console import columns
from config.console.models import SavedView, ViewPage
from config.kernel.errors import Conflict, Invalid, NotFound
from config.kernel.models import User
from config.kernel.types import Actor, Scope
from config.reports.order_filters import KEYS

MOST_VIEWS: Final = 20
"""Of one person, and of a team, on one page: more tabs than that help nobody."""
_KEYS: Final[dict[str, tuple[str, ...]]] = {
    ViewPage.ORDERS: (*KEYS, columns.KEY),
    ViewPage.CASES: ("kind", "mine"),
}


@dataclass(frozen=True, slots=True)
class ViewDraft:
    """A view to save: `team` gives it to everybody in the account."""

    account_id: UUID
    page: str
    name: str
    query: str
    team: bool = False


def query_of(page: str, sent: QueryDict) -> str:
    """What a view keeps of an address: its known keys, in a fixed order, so that two compare."""
    kept = {
        key: " ".join(str(sent[key]).replace("\0", " ").split())
        for key in _KEYS[page]
        if sent.get(key, "").strip()
    }
    return urlencode(kept)


def views_of(page: str, user: User, *, scope: Scope) -> list[SavedView]:
    """The views that the user may open on this page: the own ones first, then the teams'."""
    found = (
        SavedView.objects.for_scope(scope)
        .filter(Q(owner=user) | Q(owner=None), page=page)
        .order_by("owner", "name", "pk")
    )
    return list(found[: 2 * MOST_VIEWS])


def view_of(view_id: UUID, user: User, *, scope: Scope) -> SavedView:
    """One view that the user may open. Raises NotFound otherwise."""
    found: SavedView | None = (
        SavedView.objects.for_scope(scope).filter(Q(owner=user) | Q(owner=None), pk=view_id).first()
    )
    if found is None:
        raise NotFound("There is no such view any more.")
    return found


@transaction.atomic
def save_view(draft: ViewDraft, *, at: datetime, actor: Actor) -> SavedView:
    """Keep a view. Raises Conflict for a name that is taken and Invalid for one too many."""
    owner_id = None if draft.team else UUID(actor.id)
    name = _named(draft.name)
    kept = SavedView.objects.for_scope(actor.scope).filter(
        account_id=draft.account_id, page=draft.page, owner_id=owner_id
    )
    names = list(kept.values_list("name", flat=True))
    if name in names:
        raise Conflict(f"There is a view “{name}” already. Give this one another name.")
    if len(names) >= MOST_VIEWS:
        raise Invalid(f"There are {MOST_VIEWS} views already. Delete one that nobody opens.")
    view = SavedView(
        account_id=draft.account_id,
        owner_id=owner_id,
        page=draft.page,
        name=name,
        query=query_of(draft.page, QueryDict(draft.query.lstrip("?"))),
        saved_by=actor.name,
        saved_at=at,
    )
    _write(view, insert=True)
    return view


def change_view(
    view: SavedView,
    *,
    at: datetime,
    actor: Actor,
    name: str | None = None,
    query: str | None = None,
) -> None:
    """Give a view another name, another query, or both. Raises Conflict for a taken name."""
    if name is not None:
        view.name = _named(name)
    if query is not None:
        view.query = query_of(view.page, QueryDict(query.lstrip("?")))
    view.saved_by, view.saved_at = actor.name, at
    _write(view, insert=False)


def delete_view(view: SavedView, *, actor: Actor) -> None:
    """Forget a view. What it showed stays."""
    SavedView.objects.for_scope(actor.scope).filter(pk=view.pk).delete()


def account_of(scope: Scope, known: Iterable[UUID]) -> UUID:
    """The account a new view belongs to: the first within reach. Raises Invalid without one."""
    reached = sorted(scope.account_ids) or sorted(known)
    if not reached:
        raise Invalid("There is no account yet whose lists could be kept.")
    return reached[0]


def _named(name: str) -> str:
    name = " ".join(name.replace("\0", " ").split())
    longest = SavedView._meta.get_field("name").max_length or 0
    if not 0 < len(name) <= longest:
        raise Invalid(f"A view needs a name of at most {longest} characters.")
    return name


def _write(view: SavedView, *, insert: bool) -> None:
    try:
        with transaction.atomic():
            view.save(force_insert=insert)
    except IntegrityError:
        raise Conflict(
            f"There is a view “{view.name}” already. Give this one another name."
        ) from None
