"""The actor of a request: who it is, in which scope, under which request id.

Whoever guards a door (`permissions.needs`, the console's `page`) notes on the request which
permissions it asked for; the request then reaches the accounts where one of them is held. A request
that passed no door reaches nothing unless the permission is named.
"""

from collections.abc import Collection
from uuid import UUID

from django.http import HttpRequest
from rest_framework.request import Request

from config.kernel.access import KeyHolder, nodes_of, scope_of
from config.kernel.models import User
from config.kernel.types import Actor, ActorKind, Scope

_ID_LENGTH = 64
_NAME_LENGTH = 120
_KEY_LENGTH = 255
_DOOR = "asked_permissions"


def pass_door(request: HttpRequest | Request, permissions: Collection[str]) -> None:
    """Note which permissions let the request in; any one of them is enough."""
    setattr(request, _DOOR, frozenset(permissions))


def reach_of(request: HttpRequest | Request, *permissions: str) -> Scope:
    """The accounts in which the caller holds a permission: of those named, or of the door's."""
    wanted = permissions or getattr(request, _DOOR, ())
    return scope_of(request.user, *wanted) if wanted else Scope(frozenset())


def nodes_in_reach(request: HttpRequest | Request, *permissions: str) -> set[int] | None:
    """The nodes that go with `reach_of`; None means all."""
    wanted = permissions or getattr(request, _DOOR, ())
    return nodes_of(request.user, *wanted) if wanted else set()


def channel_of_key(request: HttpRequest | Request) -> UUID | None:
    """The channel that the caller's key is bound to: it sees and changes no other's orders."""
    return request.user.channel_id if isinstance(request.user, KeyHolder) else None


def actor_of(request: HttpRequest | Request, *permissions: str) -> Actor:
    """Name the caller of a request as commands want it. Ids and codes only, no personal data.

    Its scope is `reach_of`: a verb with a permission of its own names it.
    """
    user = request.user
    correlation_id = str(getattr(request, "request_id", ""))[:_ID_LENGTH]
    idempotency_key = request.headers.get("Idempotency-Key", "")[:_KEY_LENGTH]
    if isinstance(user, KeyHolder):
        kind, actor_id, name = ActorKind.API_KEY, str(user.id), user.prefix
    elif isinstance(user, User):
        kind, actor_id, name = ActorKind.USER, str(user.pk), user.get_username()
    else:
        kind, actor_id, name = ActorKind.BUYER, "anonymous", "anonymous"
    return Actor(
        kind,
        actor_id,
        name[:_NAME_LENGTH],
        reach_of(request, *permissions) if kind is not ActorKind.BUYER else Scope(frozenset()),
        correlation_id=correlation_id,
        idempotency_key=idempotency_key,
    )
