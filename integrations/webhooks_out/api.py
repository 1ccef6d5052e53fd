"""`/api/v1/webhook-endpoints`: who hears of what, the log of what was sent, and replay."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import clock
from config.kernel.access import Permission
from config.kernel.actors import actor_of, channel_of_key, reach_of
from config.kernel.errors import Forbidden, Invalid, NotFound
from config.kernel.idempotency import idempotent
from config.kernel.pagination import KeysetPagination
from config.kernel.permissions import needs
from integrations.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from integrations.models.webhooks import WebhookState
from integrations.webhooks_out import deliveries, endpoints, selectors
from integrations.webhooks_out.endpoints import EndpointDraft

SEE = (
    Permission.INTEGRATIONS_VIEW,
    Permission.INTEGRATIONS_MANAGE,
    Permission.API_WEBHOOKS_WRITE,
)
MANAGE = (Permission.INTEGRATIONS_MANAGE, Permission.API_WEBHOOKS_WRITE)
REPLAY = (*MANAGE, Permission.INTEGRATIONS_REPLAY)
_MOST_NAMED = 1_000
_MOST_CHANNELS = 200


class EndpointSerializer(serializers.ModelSerializer[WebhookEndpoint]):
    """An endpoint. Its secret has an address of its own."""

    secret_hint = serializers.CharField(source="hint")
    channels = serializers.ListField(child=serializers.UUIDField(), source="channel_ids")

    class Meta:
        model = WebhookEndpoint
        fields = (
            "id",
            "name",
            "url",
            "topics",
            "channels",
            "state",
            "reason",
            "secret_hint",
            "failing_since",
            "last_delivered_at",
            "created_at",
            "changed_at",
        )


class EndpointDraftSerializer(serializers.Serializer[EndpointDraft]):
    name = serializers.CharField(max_length=80)
    url = serializers.CharField(max_length=endpoints.LONGEST_URL)
    topics = serializers.ListField(
        child=serializers.CharField(max_length=48), min_length=1, max_length=64
    )
    channels = serializers.ListField(
        child=serializers.UUIDField(), max_length=_MOST_CHANNELS, default=list
    )


class EndpointChangeSerializer(serializers.Serializer[EndpointDraft]):
    name = serializers.CharField(max_length=80, required=False)
    url = serializers.CharField(max_length=endpoints.LONGEST_URL, required=False)
    topics = serializers.ListField(
        child=serializers.CharField(max_length=48), min_length=1, max_length=64, required=False
    )
    channels = serializers.ListField(
        child=serializers.UUIDField(), max_length=_MOST_CHANNELS, required=False
    )
    enabled = serializers.BooleanField(required=False)


class SecretSerializer(serializers.Serializer[Any]):
    secret = serializers.CharField()


class AttemptSerializer(serializers.ModelSerializer[WebhookAttempt]):
    class Meta:
        model = WebhookAttempt
        fields = (
            "number",
            "recorded_at",
            "status",
            "error",
            "milliseconds",
            "request_headers",
            "response_headers",
            "response_body",
        )


class DeliverySerializer(serializers.ModelSerializer[WebhookDelivery]):
    class Meta:
        model = WebhookDelivery
        fields = (
            "id",
            "event_id",
            "topic",
            "subject_kind",
            "subject_id",
            "state",
            "reason",
            "attempts",
            "at",
            "settled_at",
        )


class DeliveryPageSerializer(serializers.ModelSerializer[WebhookDelivery]):
    """One delivery with what was sent and every try, the latest first."""

    tries = AttemptSerializer(many=True)

    class Meta:
        model = WebhookDelivery
        fields = (*DeliverySerializer.Meta.fields, "payload", "tries")


class ReplaySerializer(serializers.Serializer[Any]):
    """Named deliveries, or a span of time: `since`, and `until` which is out."""

    deliveries = serializers.ListField(
        child=serializers.UUIDField(), required=False, min_length=1, max_length=_MOST_NAMED
    )
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)
    topics = serializers.ListField(child=serializers.CharField(), required=False)
    delivered_too = serializers.BooleanField(default=False)


class ReplayedSerializer(serializers.Serializer[Any]):
    """`count` go again; `more` when the span holds further ones."""

    count = serializers.IntegerField()
    more = serializers.BooleanField()


class PingedSerializer(serializers.Serializer[Any]):
    delivery = serializers.UUIDField()


class WebhookEndpointViewSet(viewsets.GenericViewSet[WebhookEndpoint]):
    """Endpoints of the accounts that the caller may reach; a channel's key sees none."""

    serializer_class = EndpointSerializer
    queryset = WebhookEndpoint.objects.none()
    lookup_value_regex = "[0-9a-fA-F-]{36}"
    permissions_by_action: ClassVar[dict[str, tuple[Permission, ...]]] = {
        "list": SEE,
        "retrieve": SEE,
        "deliveries": SEE,
        "delivery": SEE,
        "replay": REPLAY,
    }

    def get_permissions(self) -> list[BasePermission]:
        return [needs(*self.permissions_by_action.get(self.action, MANAGE))()]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if channel_of_key(request) is not None:
            raise Forbidden("A channel's key does not see what the whole account hears of.")

    def get_queryset(self) -> QuerySet[WebhookEndpoint]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        return selectors.endpoints(reach_of(self.request))

    def list(self, request: Request) -> Response:
        rows = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(EndpointSerializer(rows, many=True).data)

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(EndpointSerializer(selectors.endpoint(_uuid(pk), reach_of(request))).data)

    @extend_schema(request=EndpointDraftSerializer, responses={201: EndpointSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Have an address hear of what happens from now on."""
        given = _read(EndpointDraftSerializer, request)
        draft = EndpointDraft(
            given["name"], given["url"], tuple(given["topics"]), tuple(given["channels"])
        )
        actor = actor_of(request)
        made = endpoints.add_endpoint(_account(request), draft, at=clock.now(), actor=actor)
        return Response(EndpointSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=EndpointChangeSerializer, responses=EndpointSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change name, address, topics or channels; `enabled` switches it."""
        given = _read(EndpointChangeSerializer, request)
        at, actor = clock.now(), actor_of(request)
        found = selectors.endpoint(_uuid(pk), reach_of(request))
        if given.keys() - {"enabled"}:
            draft = EndpointDraft(
                given.get("name", found.name),
                given.get("url", found.url),
                tuple(given.get("topics", found.topics)),
                tuple(given.get("channels", found.channel_ids)),
            )
            found = endpoints.change_endpoint(_uuid(pk), draft, at=at, actor=actor)
        if "enabled" in given:
            found = endpoints.switch_endpoint(
                _uuid(pk), enabled=given["enabled"], at=at, actor=actor
            )
        return Response(EndpointSerializer(found).data)

    @extend_schema(request=None, responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Have it hear of nothing more. Its log stays."""
        endpoints.remove_endpoint(_uuid(pk), at=clock.now(), actor=actor_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(responses=SecretSerializer)
    @action(detail=True, methods=["get"])
    def secret(self, request: Request, pk: str) -> Response:
        """The secret that signs now."""
        found = selectors.endpoint(_uuid(pk), reach_of(request))
        return Response(
            {"secret": selectors.secrets_of(found)[0].text}, headers={"Cache-Control": "no-store"}
        )

    @extend_schema(request=None, responses=EndpointSerializer)
    @action(detail=True, methods=["post"], url_path="rotate-secret")
    @idempotent
    def rotate_secret(self, request: Request, pk: str) -> Response:
        """A new secret; the one before signs beside it for a day."""
        found = endpoints.rotate_secret(_uuid(pk), at=clock.now(), actor=actor_of(request))
        return Response(EndpointSerializer(found).data)

    @extend_schema(request=None, responses={202: PingedSerializer})
    @action(detail=True, methods=["post"])
    @idempotent
    def ping(self, request: Request, pk: str) -> Response:
        """Send a message that says nothing, to try the endpoint."""
        sent = deliveries.ping(_uuid(pk), at=clock.now(), actor=actor_of(request))
        return Response({"delivery": sent}, status=status.HTTP_202_ACCEPTED)

    @extend_schema(request=ReplaySerializer, responses={202: ReplayedSerializer})
    @action(detail=True, methods=["post"])
    @idempotent
    def replay(self, request: Request, pk: str) -> Response:
        """Send again: named deliveries, or what was missed (or all) of a span of time."""
        given = _read(ReplaySerializer, request)
        at, actor = clock.now(), actor_of(request)
        if named := given.get("deliveries"):
            own = selectors.deliveries(_uuid(pk), reach_of(request)).filter(pk__in=named)
            wanted = list(own.order_by("pk").values_list("pk", flat=True))
            outcomes = deliveries.replay(wanted, at=at, actor=actor)
            answer = deliveries.Replayed(sum(one.ok for one in outcomes), more=False)
        elif since := given.get("since"):
            answer = deliveries.replay_span(
                _uuid(pk),
                since=since,
                until=given.get("until"),
                topics=given.get("topics", ()),
                missed_only=not given["delivered_too"],
                at=at,
                actor=actor,
            )
        else:
            raise Invalid("Name deliveries, or since when.")
        return Response(
            {"count": answer.count, "more": answer.more}, status=status.HTTP_202_ACCEPTED
        )

    @extend_schema(
        parameters=[
            OpenApiParameter("state", enum=WebhookState.values, many=True),
            OpenApiParameter("topic"),
            OpenApiParameter("since", description="From this business time on (RFC 3339)."),
        ],
        responses=DeliverySerializer(many=True),
    )
    @action(detail=True, methods=["get"])
    def deliveries(self, request: Request, pk: str) -> Response:
        """The log of the endpoint, the newest first."""
        scope = reach_of(request)
        selectors.endpoint(_uuid(pk), scope)
        found = selectors.deliveries(
            _uuid(pk),
            scope,
            states=request.query_params.getlist("state"),
            topic=request.query_params.get("topic", ""),
            since=_moment(request.query_params.get("since", "")),
        )
        pages = KeysetPagination()
        rows = pages.paginate_queryset(found, request, self)
        return pages.get_paginated_response(DeliverySerializer(rows, many=True).data)

    @extend_schema(responses=DeliveryPageSerializer)
    @action(detail=True, methods=["get"], url_path="deliveries/(?P<delivery_id>[0-9a-f-]{36})")
    def delivery(self, request: Request, pk: str, delivery_id: str) -> Response:
        """One delivery: what was sent, and every try."""
        found = selectors.delivery(_uuid(delivery_id), reach_of(request))
        if found.endpoint_id != _uuid(pk):
            raise NotFound("There is no such delivery.")
        return Response(DeliveryPageSerializer(found).data)


def _read(shape: Callable[..., serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    given = shape(data=request.data)
    given.is_valid(raise_exception=True)
    read: dict[str, Any] = given.validated_data
    return read


def _account(request: Request) -> UUID:
    """The account that the caller acts for: a key's own, or the one that a person can reach."""
    scope = reach_of(request)
    named = request.query_params.get("account", "")
    if named:
        return _uuid(named)
    if len(scope.account_ids) != 1:
        raise Invalid("Name the account: ?account=.")
    return next(iter(scope.account_ids))


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    field = serializers.DateTimeField()
    read: datetime = field.run_validation(text)
    return read


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("There is no such record.") from None
