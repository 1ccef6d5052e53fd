"""Which channel an order is sent for: the key's own, or the one it names.

A process remembers a key's own channel for as long as it remembers the key, so that sending one
order asks nothing here.
"""

import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any, Final
from uuid import UUID

from rest_framework.request import Request

from config.kernel.actors import reach_of
from config.kernel.authentication import CACHE_SECONDS
from config.kernel.errors import Invalid
from config.kernel.models import Channel

_REMEMBERED: Final = 1_000
_own: OrderedDict[UUID, tuple[float, Channel]] = OrderedDict()
_lock = Lock()


def channel_of(request: Request) -> Channel:
    """The channel of the one order sent. Raises Invalid when the key may not send for it."""
    own: UUID | None = getattr(request.user, "channel_id", None)
    if own is not None:
        with _lock:
            read_at, channel = _own.get(own, (0.0, None))
        if channel is not None and time.monotonic() - read_at < CACHE_SECONDS:
            return _if_named(channel, request.data)
    (found,) = channels_of(request, [request.data])
    if found is None:
        raise unknown_channel()
    if own is not None:
        with _lock:
            _own[own] = (time.monotonic(), found)
            while len(_own) > _REMEMBERED:
                _own.popitem(last=False)
    return found


def channel_or_refusal(request: Request) -> Channel | Invalid:
    """Likewise; the refusal is answered, so that what else is wrong can be said with it."""
    try:
        return channel_of(request)
    except Invalid as refusal:
        return refusal


def channels_of(request: Request, bodies: Sequence[Any]) -> list[Channel | None]:
    """The channel of each order, None where the key may not send. One statement."""
    own = getattr(request.user, "channel_id", None)
    named = [_name_in(body) for body in bodies]
    reachable = Channel.objects.for_scope(reach_of(request)).filter(active=True)
    if own is not None:
        reachable = reachable.filter(pk=own)
    else:
        reachable = reachable.filter(code__in=[name for name in named if name is not None])
    found = {channel.code: channel for channel in reachable}
    fallback = next(iter(found.values()), None) if own is not None else None
    return [found.get(name) if name is not None else fallback for name in named]


def unknown_channel(pointer: str = "/channel") -> Invalid:
    return Invalid(
        "Name a channel that your key may send for.",
        errors=[{"pointer": pointer, "code": "unknown-channel", "detail": "No such channel."}],
    )


def _name_in(body: Any) -> str | None:
    name = body.get("channel") if isinstance(body, Mapping) else None
    return name if isinstance(name, str) else None


def _if_named(channel: Channel, body: Any) -> Channel:
    if _name_in(body) not in {None, channel.code}:
        raise unknown_channel()
    return channel
