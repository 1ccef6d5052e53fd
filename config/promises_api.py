"""Promises across apps, for the API: what is in jeopardy, the ways out, and what was broken."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

import fulfillment.services
import orders.services
from config.kernel import clock, pagination
from config.kernel.access import Permission
from config.kernel.actors import actor_of, channel_of_key, nodes_in_reach, reach_of
from config.kernel.errors import Invalid, NotFound
from config.kernel.idempotency import idempotent
from config.kernel.models import Account
from config.kernel.permissions import needs
from config.reports import promises as reports
from config.reports.breaches import AGAINST, BY, Breach, breaches, counted, narrowed
from config.reports.order_filters import Moment
from fulfillment.remedies import Endangered, options_for
from fulfillment.states import RemedyKind, Stage
from orders.promise_policy import PromisePolicy, policy_from

SEE: Final = (Permission.ORDERS_VIEW, Permission.API_ORDERS_READ)
NEEDS: Final = {
    RemedyKind.REROUTE: Permission.ORDERS_REROUTE,
    RemedyKind.UPGRADE: Permission.ORDERS_REROUTE,
    RemedyKind.SPLIT: Permission.ORDERS_REROUTE,
    RemedyKind.ASK: Permission.ORDERS_NOTE,
    RemedyKind.CANCEL: Permission.ORDERS_CANCEL,
}
_MOST: Final = 250
_USUAL: Final = 50
_UTC: Final = ZoneInfo("UTC")


class SlackShape(serializers.Serializer[Any]):
    group_id = serializers.UUIDField()
    order_id = serializers.UUIDField()
    number = serializers.CharField()
    channel = serializers.CharField()
    node = serializers.CharField(allow_null=True)
    carrier = serializers.CharField(source="carrier_code")
    stage = serializers.ChoiceField(choices=Stage.choices)
    since = serializers.DateTimeField()
    target_at = serializers.DateTimeField()
    promised_at = serializers.DateTimeField()
    level = serializers.CharField(help_text="Empty, `low`, `medium`, `high` or `certain`.")
    slack_seconds = serializers.IntegerField(help_text="Below zero at the usual pace too late.")


class JeopardyShape(serializers.Serializer[Any]):
    results = SlackShape(many=True)
    next_cursor = serializers.CharField(allow_null=True)


class OptionShape(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=RemedyKind.choices)
    possible = serializers.BooleanField()
    why_not = serializers.CharField()
    cost_minor = serializers.IntegerField(allow_null=True)
    ship_by = serializers.DateTimeField(allow_null=True)
    deliver_by = serializers.DateTimeField(allow_null=True)
    in_time = serializers.BooleanField()
    said = serializers.CharField()


class OptionsShape(serializers.Serializer[Any]):
    group_id = serializers.UUIDField()
    currency = serializers.CharField()
    level = serializers.CharField()
    stage = serializers.CharField()
    options = OptionShape(many=True)


class RemedyInput(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=RemedyKind.choices)
    at_most_minor = serializers.IntegerField(
        required=False, help_text="Refused when it costs more by now."
    )


class RemedyShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    group_id = serializers.UUIDField()
    kind = serializers.CharField()
    cost_minor = serializers.IntegerField()
    currency = serializers.CharField()
    automatic = serializers.BooleanField()
    at = serializers.DateTimeField()
    undone_at = serializers.DateTimeField(allow_null=True)


class BreachCountShape(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    count = serializers.IntegerField()


class BreachShape(serializers.Serializer[Any]):
    group_id = serializers.UUIDField()
    number = serializers.CharField()
    kind = serializers.CharField()
    stage = serializers.CharField()
    overrun_seconds = serializers.IntegerField()
    late_seconds = serializers.IntegerField()
    due_at = serializers.DateTimeField()
    happened_at = serializers.DateTimeField(allow_null=True)
    node = serializers.CharField()
    carrier = serializers.CharField()
    channel = serializers.CharField()
    consented = serializers.BooleanField()


class BreachReportShape(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    by = serializers.DictField(child=BreachCountShape(many=True))
    results = BreachShape(many=True, help_text="The first 250.")


class PromisePolicyShape(serializers.Serializer[Any]):
    ask = serializers.BooleanField(required=False)
    silence_days = serializers.IntegerField(required=False)
    answer_days = serializers.IntegerField(required=False)
    cancel_on_silence = serializers.BooleanField(required=False)
    report_from = serializers.CharField(required=False)
    automatic = serializers.ListField(child=serializers.CharField(), required=False)
    most_per_order_minor = serializers.IntegerField(required=False)
    most_per_day_minor = serializers.IntegerField(required=False)


class JeopardyView(APIView):
    """Open promises by the slack that they have left."""

    permission_classes = (needs(*SEE),)

    @extend_schema(
        operation_id="promises_jeopardy",
        parameters=[
            OpenApiParameter("level", str, description="`risk` is high or certain."),
            *(OpenApiParameter(name, str) for name in ("stage", "node", "channel", "carrier")),
            OpenApiParameter("limit", int),
            OpenApiParameter("cursor", str),
        ],
        responses=JeopardyShape,
    )
    def get(self, request: Request) -> Response:
        """Promises still to be kept, the least slack first; by default those in jeopardy."""
        query = request.query_params
        chosen = {name: query.get(name, "")[:64] for name in reports.FILTERS}
        chosen["level"] = query.get("level", reports.AT_RISK)
        chosen["channel_id"] = str(channel_of_key(request) or "")
        limit = _limit(query.get("limit", ""))
        cursor = query.get("cursor", "")
        found = reports.open_promises(
            scope=reach_of(request),
            nodes=nodes_in_reach(request),
            moment=Moment(clock.now(), _UTC),
            chosen=chosen,
            after=pagination.decode(cursor, 2) if cursor else None,
            limit=limit + 1,
        )
        further = None
        if len(found) > limit:
            last = found[limit - 1]
            further = pagination.encode([last["high_at"], last["group_id"]])
        return Response(JeopardyShape({"results": found[:limit], "next_cursor": further}).data)


class OptionsView(APIView):
    """The ways out for one delivery group."""

    permission_classes = (needs(*SEE),)

    @extend_schema(operation_id="promises_options", responses=OptionsShape)
    def get(self, request: Request, group_id: UUID) -> Response:
        """What can be done for this promise now: costs, dates, and why not."""
        _require_own(request, group_id)
        return Response(OptionsShape(_body(_found(request, group_id))).data)


class RemediesView(APIView):
    """Doing something for a promise in danger."""

    permission_classes = (needs(*sorted(set(NEEDS.values()))),)

    @extend_schema(operation_id="promises_remedy", request=RemedyInput, responses=RemedyShape)
    @idempotent
    def post(self, request: Request, group_id: UUID) -> Response:
        """Take one of the ways out, as it is offered now."""
        _require_own(request, group_id)
        given = RemedyInput(data=request.data)
        given.is_valid(raise_exception=True)
        kind = RemedyKind(given.validated_data["kind"])
        remedy = fulfillment.services.take_remedy(
            group_id,
            kind,
            at_most_minor=given.validated_data.get("at_most_minor"),
            at=clock.now(),
            actor=actor_of(request, NEEDS[kind]),
        )
        return Response(RemedyShape(remedy).data, status=201)


class UndoView(APIView):
    """Taking a remedy back."""

    permission_classes = (needs(Permission.ORDERS_REROUTE),)

    @extend_schema(operation_id="promises_undo", request=None, responses=RemedyShape)
    @idempotent
    def post(self, request: Request, remedy_id: UUID) -> Response:
        """The group goes from where it went, by the service that it had."""
        actor = actor_of(request)
        remedy = fulfillment.services.undo_remedy(remedy_id, at=clock.now(), actor=actor)
        return Response(RemedyShape(remedy).data)


class BreachesView(APIView):
    """Promises that were broken."""

    permission_classes = (needs(Permission.ORDERS_VIEW),)

    @extend_schema(
        operation_id="promises_breaches",
        parameters=[
            OpenApiParameter("days", int, description="Due in so many last days, at most 90."),
            OpenApiParameter("against", enum=list(AGAINST)),
            *(OpenApiParameter(name, str) for name in BY),
        ],
        responses=BreachReportShape,
    )
    def get(self, request: Request) -> Response:
        """By the stage that ate the slack, and by kind, node, carrier, channel and day."""
        query = request.query_params
        days = query.get("days", "14")
        if not days.isdecimal() or not 0 < int(days) <= 90:
            raise Invalid("Between 1 and 90 days.")
        now = clock.now()
        every = breaches(
            scope=reach_of(request),
            nodes=nodes_in_reach(request),
            since=now - timedelta(days=int(days)),
            until=now,
            now=now,
            against=query.get("against", "first"),
        )
        found = narrowed(every, {name: query.get(name, "") for name in BY})
        return Response(BreachReportShape(_report(found)).data)


class PolicyView(APIView):
    """What an account does when a promise cannot be kept."""

    permission_classes = (needs(Permission.CONFIG_EDIT),)

    @extend_schema(operation_id="promises_policy", responses=PromisePolicyShape)
    def get(self, request: Request, account: str) -> Response:
        """The policy in force."""
        return Response(_policy(policy_from(_account(request, account).settings)))

    @extend_schema(
        operation_id="promises_policy_set", request=PromisePolicyShape, responses=PromisePolicyShape
    )
    def patch(self, request: Request, account: str) -> Response:
        """Change what is named; the rest stays."""
        given = PromisePolicyShape(data=request.data)
        given.is_valid(raise_exception=True)
        policy = orders.services.set_promise_policy(
            _account(request, account).pk,
            dict(given.validated_data),
            at=clock.now(),
            actor=actor_of(request),
        )
        return Response(_policy(policy))


def _account(request: Request, code: str) -> Account:
    found = Account.objects.filter(code=code).first()
    if found is None or not reach_of(request).allows(found.pk):
        raise NotFound("There is no such account.")
    return found


def _policy(policy: PromisePolicy) -> dict[str, Any]:
    return asdict(policy) | {"automatic": list(policy.automatic)}


def _found(request: Request, group_id: UUID) -> Endangered:
    return options_for(group_id, reach_of(request), at=clock.now())


def _require_own(request: Request, group_id: UUID) -> None:
    """A channel's key is told that another channel's group does not exist."""
    channel_id = channel_of_key(request)
    if channel_id is not None and not reports.is_of_channel(group_id, channel_id):
        raise NotFound("No promise of such a group is open.")


def _body(found: Endangered) -> dict[str, Any]:
    return {
        "group_id": found.group.group_id,
        "currency": found.group.currency,
        "level": found.level.value,
        "stage": found.standing.part.stage.value,
        "options": found.options,
    }


def _report(found: list[Breach]) -> dict[str, Any]:
    return {
        "count": len(found),
        "by": {
            name: [
                {"code": code, "name": said, "count": many}
                for code, said, many in counted(found, name)
            ]
            for name in BY
        },
        "results": found[:_MOST],
    }


def _limit(text: str) -> int:
    return min(_MOST, max(1, int(text))) if text.isdecimal() else _USUAL


urlpatterns = [
    path("promises/jeopardy", JeopardyView.as_view(), name="promises-jeopardy"),
    path("promises/breaches", BreachesView.as_view(), name="promises-breaches"),
    path("promises/policy/<slug:account>", PolicyView.as_view(), name="promises-policy"),
    path("promises/<uuid:group_id>/options", OptionsView.as_view(), name="promises-options"),
    path("promises/<uuid:group_id>/remedies", RemediesView.as_view(), name="promises-remedies"),
    path("promises/remedies/<uuid:remedy_id>/undo", UndoView.as_view(), name="promises-undo"),
]
