"""What a request to the stock API means: its body, its account, its nodes."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.dateparse import parse_datetime
from rest_framework.request import Request

from config.kernel.actors import actor_of, channel_of_key, nodes_in_reach, reach_of
from config.kernel.errors import Invalid, NotFound
from config.kernel.models import Account, Channel
from config.kernel.types import Scope
from inventory import selectors


def read_body(shape: Callable[..., Any], request: Request) -> dict[str, Any]:
    """The body as the shape reads it; raises what DRF raises for one that is wrong."""
    given = shape(data=request.data)
    given.is_valid(raise_exception=True)
    read: dict[str, Any] = given.validated_data
    return read


def account_meant(request: Request, code: str, *, see: bool = False) -> UUID:
    """The account that is meant: the one named, or the only one that the caller may write to, or see."""
    scope: Scope = reach_of(request) if see else actor_of(request).scope
    if code:
        found = Account.objects.filter(code=code).values_list("pk", flat=True).first()
        if found is None or not scope.allows(found):
            raise NotFound("There is no such account.")
        return found
    if scope.everything or len(scope.account_ids) != 1:
        raise Invalid(
            "Name the account.",
            errors=[{"pointer": "/account", "code": "required", "detail": "Name the account."}],
        )
    return next(iter(scope.account_ids))


def channel_meant(request: Request, code: str) -> Channel:
    """The channel that is meant: the key's own, or the one named within reach."""
    own = channel_of_key(request)
    reached = Channel.objects.for_scope(reach_of(request))
    if own is not None:
        reached = reached.filter(pk=own)
    if code:
        reached = reached.filter(code=code)
    elif own is None:
        raise Invalid(
            "Name the channel.",
            errors=[{"pointer": "/channel", "code": "required", "detail": "Name the channel."}],
        )
    channel: Channel | None = reached.first()
    if channel is None:
        raise NotFound("There is no such channel.")
    return channel


def nodes_meant(request: Request, codes: Collection[str], account_id: UUID) -> dict[str, int]:
    """The ids of nodes that the account uses and at which the caller may write."""
    scope = Scope(frozenset({account_id}))
    found = selectors.nodes_by_code(codes, scope)
    within = nodes_in_reach(request)
    return {code: pk for code, pk in found.items() if within is None or pk in within}


def owners_meant(account_id: UUID, codes: Collection[str]) -> dict[str, UUID | None]:
    """The ids of the owners of goods that these codes name; empty is the account itself."""
    named = {code for code in codes if code}
    found = selectors.owners(Scope(frozenset({account_id})), named) if named else []
    return {"": None} | {one.code: one.id for one in found}


def uuid_of(text: str, pointer: str) -> UUID:
    """The id that this part of the request names. Raises Invalid, pointing at it."""
    try:
        return UUID(text)
    except ValueError:
        raise Invalid(
            f"{pointer.lstrip('?/')} is an id.",
            errors=[{"pointer": pointer, "code": "invalid", "detail": "Not a UUID."}],
        ) from None


def parsed_time(text: str, name: str) -> datetime | None:
    """The time that a query parameter names; None when it is empty. Raises Invalid."""
    if not text:
        return None
    try:
        moment = parse_datetime(text.replace(" ", "+"))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Invalid(
            f"{name} is a time with its zone.",
            errors=[{"pointer": f"?{name}", "code": "invalid", "detail": "No RFC 3339 time."}],
        )
    return moment
