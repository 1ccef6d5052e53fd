"""What channels promise their buyers: written down, looked at and ended."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from config.kernel import clock
from config.kernel.access import Permission
from config.kernel.actors import actor_of, channel_of_key, reach_of
from config.kernel.errors import Forbidden, Invalid
from config.kernel.idempotency import idempotent
from config.kernel.permissions import needs
from config.kernel.types import Actor
from inventory.api.reading import channel_meant, read_body
from inventory.selectors import service_level_ids
from routing import selectors, services
from routing.quote_models import ChannelPledge

MOST_DAYS = 365
_ID = [OpenApiParameter("id", OpenApiTypes.UUID, OpenApiParameter.PATH)]
_CHANNEL = [OpenApiParameter("channel", str, description="Code of one channel; else of all.")]


class PledgeInput(serializers.Serializer[Any]):
    """Days are working days of the channel's time zone, without the carriers' holidays."""

    channel = serializers.CharField(max_length=32)
    service_level = serializers.CharField(
        max_length=32, default="", allow_blank=True, help_text="Code; empty for every one."
    )
    ship_days = serializers.IntegerField(
        min_value=0, max_value=MOST_DAYS, default=None, allow_null=True
    )
    deliver_days = serializers.IntegerField(
        min_value=0, max_value=MOST_DAYS, default=None, allow_null=True
    )
    cutoff = serializers.TimeField(
        default=None,
        allow_null=True,
        help_text="Orders placed later count from the next working day.",
    )
    holiday_country = serializers.RegexField("^[A-Z]{2}$", default="US")
    starts_at = serializers.DateTimeField(
        default=None, allow_null=True, help_text="From when orders are bound; null: from now on."
    )
    ends_at = serializers.DateTimeField(default=None, allow_null=True)


class PledgeShape(PledgeInput):
    id = serializers.UUIDField()
    channel = serializers.CharField(source="channel.code")
    service_level = serializers.CharField(source="service_level.code", default="")
    starts_at = serializers.DateTimeField()


class PledgeListShape(serializers.Serializer[Any]):
    results = PledgeShape(many=True)


class PledgeViewSet(ViewSet):
    """No order is promised later than its channel pledges."""

    def get_permissions(self) -> Sequence[Any]:
        reads = self.action == "list"
        return [needs(Permission.ROUTING_VIEW if reads else Permission.ROUTING_EDIT)()]

    @extend_schema(parameters=_CHANNEL, responses=PledgeListShape)
    def list(self, request: Request) -> Response:
        """Every pledge, past and future ones too, the latest start first."""
        code = request.query_params.get("channel", "")
        found = selectors.pledges(reach_of(request), channel=code)
        return Response(PledgeListShape({"results": found}).data)

    @extend_schema(request=PledgeInput, responses={201: PledgeShape})
    @idempotent
    def create(self, request: Request) -> Response:
        """Have nobody promise later than this from its start on; orders placed before stay as they are."""
        given, actor, now = read_body(PledgeInput, request), _editor(request), clock.now()
        channel = channel_meant(request, given.pop("channel"))
        starts_at = given.pop("starts_at") or now
        draft = services.PledgeDraft(
            account_id=channel.account_id,
            channel_id=channel.pk,
            starts_at=starts_at,
            service_level_id=_service(given.pop("service_level")),
            **given,
        )
        return Response(PledgeShape(services.pledge(draft, at=now, actor=actor)).data, status=201)

    @extend_schema(parameters=_ID, request=None, responses=PledgeShape)
    @idempotent
    def end(self, request: Request, pk: UUID) -> Response:
        """Have it bind nothing that is placed from now on; what it binds already stays bound."""
        done: ChannelPledge = services.end_pledge(pk, at=clock.now(), actor=_editor(request))
        return Response(PledgeShape(done).data)


def _editor(request: Request) -> Actor:
    """The caller, who decides for all of a channel's orders, past the channel itself."""
    if channel_of_key(request) is not None:
        raise Forbidden("What a channel promises is decided by the account.")
    return actor_of(request, Permission.ROUTING_EDIT)


def _service(code: str) -> int | None:
    if not code:
        return None
    known = service_level_ids()
    if code not in known:
        detail = f"There is no service level {code}. Known: {', '.join(sorted(known))}."
        raise Invalid(
            detail, errors=[{"pointer": "/service_level", "code": "unknown", "detail": detail}]
        )
    return known[code]
