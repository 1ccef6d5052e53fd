"""The actor of a request: who it is, in which scope, under which request id."""

from django.http import HttpRequest
from rest_framework.request import Request

from config.kernel.access import KeyHolder, scope_of
from config.kernel.models import User
from config.kernel.types import Actor, ActorKind, Scope

_ID_LENGTH = 64
_NAME_LENGTH = 120
_KEY_LENGTH = 255


def actor_of(request: HttpRequest | Request) -> Actor:
    """Name the caller of a request as commands want it. Ids and codes only, no personal data."""
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
        scope_of(user) if kind is not ActorKind.BUYER else Scope(frozenset()),
        correlation_id=correlation_id,
        idempotency_key=idempotency_key,
    )
