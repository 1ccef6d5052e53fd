"""A form sent twice acts once: each carries a token, and its first answer is given again.

The kernel's idempotency keys do the work, with the user as credential. A refused form frees its
token, so that it can be corrected and sent again.
"""

import hashlib
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse

from config.console.pages import go, say
from config.kernel import idempotency
from config.kernel.errors import Conflict

_WAITS: Final = 40
_PAUSE_SECONDS: Final = 0.2
_TOKEN_LENGTH: Final = 64

Handler = Callable[..., HttpResponse]


def once(handler: Handler) -> Handler:
    """Let a POST through once per token. `handler` answers a redirect when it has acted."""

    @wraps(handler)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        token = request.POST.get("once", "")[:_TOKEN_LENGTH]
        if request.method != "POST" or not token:
            return handler(request, *args, **kwargs)
        taken = _take(request, token)
        if isinstance(taken, idempotency.Stored):
            say(request, "That was already done; it was not done twice.", level=messages.INFO)
            return go(request, taken.body.decode())
        try:
            response = handler(request, *args, **kwargs)
        except BaseException:
            idempotency.give_up(taken)
            raise
        address = response.headers.get("HX-Redirect") or response.headers.get("Location")
        if address:
            idempotency.finish(taken, idempotency.Stored(303, address.encode(), "text/uri-list"))
        else:
            idempotency.give_up(taken)
        return response

    return guarded


def _take(request: HttpRequest, token: str) -> idempotency.Proceed | idempotency.Stored:
    """The right to act, or the first answer; the second click waits for the first to end."""
    user_id = UUID(str(request.user.pk))
    # Django masks the CSRF token anew for every page: it is no part of what was asked.
    fields = sorted(item for item in request.POST.lists() if item[0] != "csrfmiddlewaretoken")
    seal = hashlib.sha256(f"{request.path}\n{fields}".encode()).hexdigest()
    for attempt in range(_WAITS):
        try:
            return idempotency.begin(user_id, f"form:{token}", seal)
        except idempotency.InFlight:
            if attempt == _WAITS - 1:
                raise
            time.sleep(_PAUSE_SECONDS)
        except idempotency.KeyReused:
            raise Conflict(
                "This form was already sent with other values. Open it again and send it anew."
            ) from None
    raise Conflict("The same form is still being worked on.")
