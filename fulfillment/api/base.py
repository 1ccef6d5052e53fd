"""What the views of the fulfillment API share: who may, how bodies are read, how outcomes are told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from config.kernel.access import Permission
from config.kernel.actors import channel_of_key, nodes_in_reach, reach_of
from config.kernel.errors import Conflict, Forbidden, IllegalTransition, NotFound
from config.kernel.permissions import needs
from config.kernel.types import Outcome, Scope
from fulfillment import documents
from fulfillment.api import serializers as shapes
from fulfillment.types import LotUnits

SEE = (Permission.FULFILLMENT_VIEW, Permission.API_FULFILLMENT_WRITE)
WORK = (Permission.FULFILLMENT_WORK, Permission.API_FULFILLMENT_WRITE)
RELEASE = (Permission.FULFILLMENT_RELEASE, Permission.API_FULFILLMENT_WRITE)
REVERSE = (Permission.FULFILLMENT_REVERSE, Permission.API_FULFILLMENT_WRITE)
CONTACT = (*WORK, Permission.ORDERS_VIEW_CONTACT)

PDF_RESPONSE = {(200, documents.PDF): OpenApiTypes.BINARY}
ZIP_RESPONSE = {(200, documents.ZIP): OpenApiTypes.BINARY}


class NodeWork(viewsets.ViewSetMixin, APIView):
    """What both viewsets share: who may, and within which accounts and nodes."""

    permissions_by_action: ClassVar[dict[str, tuple[Permission, ...]]] = {}
    across_channels: ClassVar[frozenset[str]] = frozenset()
    """Actions on a node's work as a whole, which is no single channel's."""

    def _wanted(self) -> tuple[Permission, ...]:
        return self.permissions_by_action.get(self.action, WORK)

    def get_permissions(self) -> list[BasePermission]:
        return [needs(*self._wanted())()]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if channel_of_key(request) is not None and self.action in self.across_channels:
            raise Forbidden("A channel's key works on its own channel's orders, one at a time.")

    def _scope(self) -> Scope:
        return reach_of(self.request)

    def _nodes(self) -> set[int] | None:
        return nodes_in_reach(self.request)

    def _require_own(self, channel_id: UUID, what: str) -> None:
        """Raise NotFound when a channel's key asks for another channel's work."""
        if channel_of_key(self.request) not in {None, channel_id}:
            raise NotFound(f"There is no such {what}.")


def read_body(shape: type[Serializer[Any]], request: Request) -> dict[str, Any]:
    given = shape(data=request.data)
    given.is_valid(raise_exception=True)
    read: dict[str, Any] = given.validated_data
    return read


def answer_of(outcomes: Sequence[Outcome[Any]]) -> Response:
    """One result per item; a lone item that is refused answers as a problem."""
    if len(outcomes) == 1 and outcomes[0].problem is not None:
        problem = outcomes[0].problem
        if problem.code == "not-found":
            raise NotFound(problem.detail)
        refusal = IllegalTransition if problem.code == "illegal-transition" else Conflict
        raise refusal(problem.detail, reason=problem.code, **problem.extra)
    return Response({"results": [_result(outcome) for outcome in outcomes]})


def _result(outcome: Outcome[Any]) -> dict[str, Any]:
    result: dict[str, Any] = {"outcome": outcome.kind.value}
    if outcome.problem is not None:
        result["problem"] = {
            "code": outcome.problem.code,
            "detail": outcome.problem.detail,
            **outcome.problem.extra,
        }
    elif is_dataclass(outcome.value) and not isinstance(outcome.value, type):
        result["value"] = asdict(outcome.value)
    return result


def writes(shape: type[Serializer[Any]] | None) -> Callable[[Any], Any]:
    return extend_schema(request=shape, responses=shapes.ResultsSerializer)


def pdf(document: bytes, name: str, media_type: str = documents.PDF) -> HttpResponse:
    return HttpResponse(
        document,
        content_type=media_type,
        headers={"Content-Disposition": f'inline; filename="{name}"'},
    )


def lots_of(given: Mapping[str, Any]) -> tuple[LotUnits, ...]:
    """The lots and serials that a pick or a content names."""
    return tuple(
        LotUnits(item["lot"], item["quantity"], item["serial"], item.get("expires_on"))
        for item in given.get("lots", ())
    )


def uuid_of(text: str) -> UUID:
    """Raises NotFound for what is no id of ours."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("There is no such record.") from None
