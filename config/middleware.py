"""Headers and log context that every answer has, whoever wrote the view."""

import re
from typing import TYPE_CHECKING, Final

import structlog
from csp.constants import UNSAFE_EVAL
from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings

from config.kernel.ids import uuid7

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestContextMiddleware:
    """Give each request an id: the proxy's when it has a sane shape, else a new one.

    The id is bound to the log, answered as `X-Request-ID`, and readable as `request.request_id`.
    """

    def __init__(self, get_response: "Callable[[HttpRequest], HttpResponse]") -> None:
        self.get_response = get_response

    def __call__(self, request: "HttpRequest") -> "HttpResponse":
        given = request.headers.get("X-Request-ID", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else str(uuid7())
        request.request_id = request_id  # type: ignore[attr-defined] # Django's request is open
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
        response.headers["X-Request-ID"] = request_id
        response.headers.setdefault("Permissions-Policy", settings.PERMISSIONS_POLICY)
        return response


class ContentPolicyMiddleware(CSPMiddleware):
    """The content security policy, with 'unsafe-eval' only where unfold's pages need it."""

    def get_policy_parts(
        self,
        request: "HttpRequest",
        response: "HttpResponseBase",
        report_only: bool = False,  # noqa: FBT001, FBT002 (theirs)
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if request.path_info.startswith(settings.CONTENT_POLICY_EVAL_PREFIXES):
            parts.update = {**(parts.update or {})}
            already = parts.update.get("script-src", [])
            already = [already] if isinstance(already, str) else list(already)
            parts.update["script-src"] = [*already, UNSAFE_EVAL]
        return parts
