"""What the views of the returns API share: who may, whose, and how one outcome is told."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from rest_framework import viewsets
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from config.kernel.access import Permission
from config.kernel.actors import channel_of_key, nodes_in_reach, reach_of
from config.kernel.errors import Conflict, Forbidden, IllegalTransition, Invalid, NotFound
from config.kernel.permissions import needs
from config.kernel.types import Outcome, Scope
from inventory.selectors import nodes_by_code

SEE = (Permission.RETURNS_VIEW, Permission.API_RETURNS_WRITE)
WORK = (Permission.RETURNS_WORK, Permission.API_RETURNS_WRITE)
DECIDE = (Permission.RETURNS_DECIDE, Permission.API_RETURNS_WRITE)


class Desk(viewsets.ViewSetMixin, APIView):
    """What the viewsets share: who may, and within which accounts, nodes and channel."""

    permissions_by_action: ClassVar[dict[str, tuple[Permission, ...]]] = {}
    across_channels: ClassVar[frozenset[str]] = frozenset()
    """Actions on goods whose order may be any channel's."""

    def get_permissions(self) -> list[BasePermission]:
        return [needs(*self.permissions_by_action.get(self.action, WORK))()]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if channel_of_key(request) is not None and self.action in self.across_channels:
            raise Forbidden("A channel's key works on its own channel's orders, one at a time.")

    def _scope(self) -> Scope:
        return reach_of(self.request)

    def _nodes(self) -> set[int] | None:
        return nodes_in_reach(self.request)

    def _of_channel(self, found: QuerySet[Any]) -> QuerySet[Any]:
        """A channel's key sees its own channel's documents."""
        channel_id = channel_of_key(self.request)
        return found if channel_id is None else found.filter(order__channel_id=channel_id)

    def _node(self, code: str) -> int:
        """The node of this code. Raises NotFound for one where the caller does not work."""
        node_id = nodes_by_code([code], self._scope()).get(code)
        own = self._nodes()
        if node_id is None or (own is not None and node_id not in own):
            raise NotFound(f"There is no node {code} of yours.")
        return node_id


def read_body(shape: type[Serializer[Any]], request: Request) -> dict[str, Any]:
    given = shape(data=request.data)
    given.is_valid(raise_exception=True)
    read: dict[str, Any] = given.validated_data
    return read


def answer_of(outcomes: Sequence[Outcome[Any]], *, status: int = 200) -> Response:
    """Where the one thing stands that was asked for; its refusal is a problem.

    Of several findings about one return the last outcome is told, or the first refusal.
    """
    refusal = next((one.problem for one in outcomes if one.problem is not None), None)
    if refusal is None:
        standing: Any = outcomes[-1].value
        return Response(asdict(standing), status=status)
    if refusal.code == "not-found":
        raise NotFound(refusal.detail)
    if refusal.code == "invalid":
        raise Invalid(refusal.detail)
    kind = IllegalTransition if refusal.code == "illegal-transition" else Conflict
    raise kind(refusal.detail, reason=refusal.code, **refusal.extra)


def uuid_of(text: str) -> UUID:
    """Raises NotFound for what is no id of ours."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("There is no such record.") from None
