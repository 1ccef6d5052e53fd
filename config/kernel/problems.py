"""Every refusal of the API as one shape: RFC 9457 `application/problem+json`.

`type` is a stable path, `code` its last part, `request_id` finds the log lines. A validation problem
lists all errors at once, each with a JSON pointer into the request's body.
"""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import set_rollback

from config.kernel.errors import (
    Busy,
    DomainError,
    Forbidden,
    NotFound,
    Unavailable,
    is_passing,
    is_unreached,
)

MEDIA_TYPE: Final = "application/problem+json"
INVALID: Final = 422
"""The status of a body that was read and found wrong, by whomever."""
RETRY_SECONDS: Final = {Busy: 1, Unavailable: 5}
"""What `Retry-After` says when a lock was not had in time, or the database was not reached."""


class ProblemRenderer(JSONRenderer):
    media_type = MEDIA_TYPE


def problem_details(exc: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's exception handler. An unknown error stays a 500 with its traceback in the log."""
    request = context.get("request")
    refusal = _as_domain_error(exc)
    if refusal is not None:
        set_rollback()
        wait = RETRY_SECONDS.get(type(refusal))
        headers = {"Retry-After": str(wait)} if wait else {}
        return _answer(refusal.status, as_body(refusal), request, headers)
    if isinstance(exc, exceptions.APIException):
        set_rollback()
        body = _of_framework(exc)
        return _answer(body["status"], body, request, _headers(exc))
    return None


@csrf_exempt
def unknown_path(request: HttpRequest) -> HttpResponse:
    """The answer to every address under /api/ that there is not."""
    body = as_body(NotFound("There is nothing at this address."))
    if request_id := getattr(request, "request_id", ""):
        body["request_id"] = request_id
    return HttpResponse(JSONRenderer().render(body), status=404, content_type=MEDIA_TYPE)


def as_body(refusal: DomainError) -> dict[str, Any]:
    """The problem as JSON values, as it also stands in the item of a bulk answer."""
    return {
        "type": f"/problems/{refusal.code}",
        "title": refusal.title,
        "status": refusal.status,
        "code": refusal.code,
        "detail": refusal.detail,
        **refusal.extra,
    }


def _as_domain_error(exc: Exception) -> DomainError | None:
    if isinstance(exc, DomainError):
        return exc
    if is_passing(exc):
        return Busy("The record is being changed by someone else. Nothing was changed; try again.")
    if is_unreached(exc):
        return Unavailable("The database cannot be reached. Send it again with the same key.")
    if isinstance(exc, Http404):
        return NotFound("There is no such record.")
    if isinstance(exc, PermissionDenied):
        return Forbidden("Your role does not permit this.")
    return None


def _of_framework(exc: exceptions.APIException) -> dict[str, Any]:
    if isinstance(exc, exceptions.ValidationError):
        errors = list(_errors(exc.get_full_details(), ""))
        many = f"{len(errors)} errors" if len(errors) != 1 else "1 error"
        return {
            "type": "/problems/invalid",
            "title": "The input is not valid",
            "status": INVALID,
            "code": "invalid",
            "detail": f"The request has {many}.",
            "errors": errors,
        }
    code = str(exc.default_code).replace("_", "-")
    return {
        "type": f"/problems/{code}",
        "title": HTTPStatus(exc.status_code).phrase,
        "status": exc.status_code,
        "code": code,
        "detail": str(exc.detail),
    }


def _errors(details: Any, pointer: str) -> Iterator[dict[str, str]]:
    """Flatten DRF's nested details; a key that is not a field of the body points to its parent."""
    if _is_error(details):
        yield {
            "pointer": pointer,
            "code": str(details["code"]).replace("_", "-"),
            "detail": str(details["message"]),
        }
    elif isinstance(details, Mapping):
        for name, inner in details.items():
            within = pointer if name == "non_field_errors" else f"{pointer}/{_escaped(str(name))}"
            yield from _errors(inner, within)
    elif isinstance(details, list):
        # A list of messages belongs to one field; a list of objects is a list in the body.
        nested = any(isinstance(item, Mapping) and not _is_error(item) for item in details)
        for position, item in enumerate(details):
            yield from _errors(item, f"{pointer}/{position}" if nested else pointer)


def _is_error(details: Any) -> bool:
    return (
        isinstance(details, Mapping)
        and set(details) == {"message", "code"}
        and isinstance(details["message"], str)
    )


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _headers(exc: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if authenticate := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = authenticate
    if (wait := getattr(exc, "wait", None)) is not None:
        headers["Retry-After"] = str(max(1, round(wait)))
    return headers


def _answer(
    status: int, body: dict[str, Any], request: Any, headers: Mapping[str, str]
) -> Response:
    request_id = getattr(request, "request_id", "")
    if request_id:
        body["request_id"] = request_id
    response = Response(body, status=status, headers=dict(headers), content_type=MEDIA_TYPE)
    # Set here, so that a problem is a problem whatever the caller accepts.
    response.accepted_renderer = ProblemRenderer()
    response.accepted_media_type = MEDIA_TYPE
    response.renderer_context = {"request": request}  # type: ignore[attr-defined]  # DRF sets it so
    return response
