"""Why an order goes from where it goes."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.kernel.access import Permission
from config.kernel.actors import channel_of_key, reach_of
from config.kernel.errors import NotFound
from config.kernel.permissions import needs
from orders.selectors.numbers import find_by_number
from routing import selectors
from routing.selectors import DecisionView


class VerdictSerializer(serializers.Serializer[Any]):
    """One node of the network and what became of it."""

    node = serializers.CharField()
    verdict = serializers.CharField()
    sentence = serializers.CharField()


class DecisionSerializer(serializers.Serializer[DecisionView]):
    """One routing decision: the latest of a group is the one that stands."""

    id = serializers.UUIDField()
    group_id = serializers.UUIDField()
    plan_version = serializers.IntegerField()
    policy = serializers.CharField()
    level = serializers.CharField(help_text="exact, or gap: a better plan may exist")
    winner = serializers.CharField(help_text="Codes of the chosen nodes.")
    cost_minor = serializers.IntegerField(help_text="Expected freight, handling and picking.")
    currency = serializers.CharField()
    split_cause = serializers.CharField()
    pinned = serializers.BooleanField(help_text="A person had chosen the node.")
    first = serializers.BooleanField(help_text="Whether it is the one made at acceptance.")
    at = serializers.DateTimeField()
    why = serializers.ListField(child=serializers.CharField())
    verdicts = VerdictSerializer(many=True)
    record = serializers.DictField(
        help_text="The decision in codes and numbers: lines, candidates, parcels, costs, runner-up."
    )


class OrderDecisionsView(APIView):
    """`GET /api/v1/orders/{id}/decisions`: every decision about the order, the latest first."""

    permission_classes = (needs(Permission.ROUTING_VIEW, Permission.API_ORDERS_READ),)

    @extend_schema(
        operation_id="orders_decisions", responses=DecisionSerializer(many=True), tags=["orders"]
    )
    def get(self, request: Request, order_id: UUID) -> Response:
        scope = reach_of(request)
        order = find_by_number(str(order_id), scope)
        if order is None or channel_of_key(request) not in {None, order.channel_id}:
            raise NotFound("There is no such order.")
        return Response([as_json(view) for view in selectors.decisions_of(order_id, scope)])


def as_json(view: DecisionView) -> dict[str, Any]:
    """A decision as the API and `explain --json` give it."""
    return {
        "id": str(view.id),
        "group_id": str(view.group_id),
        "plan_version": view.plan_version,
        "policy": view.policy,
        "level": view.level,
        "winner": view.winner,
        "cost_minor": view.cost_minor,
        "currency": view.currency,
        "split_cause": view.split_cause,
        "pinned": view.pinned,
        "first": view.first,
        "at": view.at.isoformat(),
        "why": view.why,
        "verdicts": [
            {"node": node, "verdict": verdict, "sentence": sentence}
            for node, verdict, sentence in view.verdicts
        ],
        "record": asdict(view.record),
    }
