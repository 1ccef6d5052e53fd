"""What policies would have done: backtests of recorded decisions, and the orders that they move."""

from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal
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
from inventory.api.reading import account_meant, read_body
from routing import simulation_selectors as selectors
from routing.selectors import policies
from routing.services.simulations import SimulationDraft, start_simulation
from routing.simulating_samples import KINDS, Wanted
from routing.simulating_totals import Figures
from routing.simulation_models import Certificate
from routing.simulation_selectors import MoveView, SimulationView

_ID = [OpenApiParameter("id", OpenApiTypes.UUID, OpenApiParameter.PATH)]
_MOVES = [
    OpenApiParameter("variant", int, description="Its place in `variants`; 1 is the first policy."),
    OpenApiParameter("after", int, description="`next` of the page before."),
]


class SampleInput(serializers.Serializer[Any]):
    """Which recorded decisions. Days begin at midnight UTC; a peak plays the last 7 days anew."""

    kind = serializers.ChoiceField(choices=KINDS)
    starts_at = serializers.DateTimeField(default=None, allow_null=True)
    ends_at = serializers.DateTimeField(default=None, allow_null=True)
    orders = serializers.ListField(child=serializers.UUIDField(), default=list)
    times = serializers.DecimalField(max_digits=3, decimal_places=1, default=Decimal("3.0"))
    seed = serializers.IntegerField(default=1)


class SimulationInput(serializers.Serializer[Any]):
    """`policies` by id or as CODE@VERSION, the one asked about first."""

    account = serializers.CharField(default="", allow_blank=True)
    policies = serializers.ListField(child=serializers.CharField(), min_length=1, max_length=5)
    sample = SampleInput()
    sweep = serializers.BooleanField(
        default=False, help_text="Also other weights of the first policy: the frontier."
    )


class FiguresShape(serializers.Serializer[Figures]):
    """A variant in figures. Money in minor units of `currency`; distance in kilometers."""

    label = serializers.CharField()  # type: ignore[assignment]  # DRF takes it away
    deliveries = serializers.IntegerField(source="groups")
    moved = serializers.IntegerField()
    cost_minor = serializers.IntegerField(help_text="Freight, handling and picking.")
    cost_parts = serializers.DictField(source="parts", child=serializers.IntegerField())
    parcels = serializers.IntegerField()
    split = serializers.IntegerField(help_text="Deliveries of more than one parcel.")
    split_causes = serializers.DictField(source="causes", child=serializers.IntegerField())
    units = serializers.IntegerField()
    unfilled_units = serializers.IntegerField()
    on_time_share = serializers.FloatField(
        help_text="Of deliveries with a day to keep, those that keep it nine times in ten."
    )
    late_days = serializers.FloatField(help_text="Expected, all deliveries together.")
    days_each = serializers.FloatField(help_text="From the order to the usual day of delivery.")
    distance_km = serializers.IntegerField(source="km")
    load = serializers.DictField(help_text="Parcels by node and window (hour, or day).")


class PointShape(serializers.Serializer[Any]):
    """A variant on the chart; `best` where no other is better in one thing and worse in none."""

    label = serializers.CharField()  # type: ignore[assignment]  # DRF takes it away
    cost = serializers.FloatField()
    days = serializers.FloatField()
    parcels = serializers.FloatField()
    late = serializers.FloatField()
    best = serializers.BooleanField()


class SimulationShape(serializers.Serializer[Any]):
    """A simulation as it stands. `reproduced` recorded plans came out as they were, `drifted` not."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    kind = serializers.CharField()
    state = serializers.CharField()
    job = serializers.UUIDField(allow_null=True)
    done = serializers.IntegerField()
    refused = serializers.IntegerField()
    total = serializers.IntegerField()
    sample = serializers.DictField()
    currency = serializers.CharField()
    reproduced = serializers.IntegerField()
    drifted = serializers.IntegerField()
    of_other_channels = serializers.IntegerField()
    variants = FiguresShape(many=True)
    frontier = PointShape(many=True)
    asked_by = serializers.CharField()
    at = serializers.DateTimeField()


class SimulationListShape(serializers.Serializer[Any]):
    results = SimulationShape(many=True)


class MovedOrderShape(serializers.Serializer[Any]):
    """A delivery that the variant sends from elsewhere, with both explanations."""

    order_id = serializers.UUIDField()
    group_id = serializers.UUIDField()
    decision_id = serializers.UUIDField()
    decided_at = serializers.DateTimeField()
    before_from = serializers.CharField()
    after_from = serializers.CharField()
    saved_minor = serializers.IntegerField()
    more_parcels = serializers.IntegerField()
    why_before = serializers.ListField(child=serializers.CharField())
    why_after = serializers.ListField(child=serializers.CharField())


class MovedOrderListShape(serializers.Serializer[Any]):
    results = MovedOrderShape(many=True)
    next = serializers.IntegerField(allow_null=True)


class SimulationViewSet(ViewSet):
    """Policies tried on what was decided."""

    def get_permissions(self) -> Sequence[Any]:
        writes = self.action == "create"
        return [needs(Permission.ROUTING_EDIT if writes else Permission.ROUTING_VIEW)()]

    @extend_schema(responses=SimulationListShape)
    def list(self, request: Request) -> Response:
        """The latest first."""
        found = selectors.simulations(reach_of(request))
        return Response({"results": [as_json(one) for one in found]})

    @extend_schema(request=SimulationInput, responses={201: SimulationShape})
    @idempotent
    def create(self, request: Request) -> Response:
        """Play recorded decisions again under other policies, in the background."""
        if channel_of_key(request) is not None:
            raise Forbidden("Policies reach beyond your channel.")
        given = read_body(SimulationInput, request)
        actor, now = actor_of(request, Permission.ROUTING_EDIT), clock.now()
        account_id = account_meant(request, given["account"])
        said = given["sample"]
        wanted = Wanted(
            said["kind"],
            now,
            said["starts_at"],
            said["ends_at"],
            tuple(said["orders"]),
            round(said["times"] * 10),
            said["seed"],
        )
        named = tuple(policy_named(text, request, account_id) for text in given["policies"])
        draft = SimulationDraft(account_id, named, wanted.sample(), given["sweep"])
        simulation = start_simulation(draft, at=now, actor=actor)
        view = selectors.simulation(simulation.pk, reach_of(request))
        return Response(as_json(view), status=201)

    @extend_schema(parameters=_ID, responses=SimulationShape)
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """How far it is, and what it has counted so far."""
        return Response(as_json(selectors.simulation(pk, reach_of(request))))

    @extend_schema(parameters=[*_ID, *_MOVES], responses=MovedOrderListShape)
    def moved(self, request: Request, pk: UUID) -> Response:
        """The orders that a variant would send from elsewhere, in the order of time."""
        variant, after = _whole(request, "variant", 1), _whole(request, "after", 0)
        found = selectors.moves_of(pk, reach_of(request), variant=variant, after=after)
        more = len(found) > selectors.PAGE
        shown = found[: selectors.PAGE]
        body = {
            "results": [move_as_json(one) for one in shown],
            "next": shown[-1].row.pk if more else None,
        }
        return Response(MovedOrderListShape(body).data)


def policy_named(text: str, request: Request, account_id: UUID) -> UUID:
    """The version that `text` names. Raises Invalid for one that means nothing here."""
    found = [row for row in policies(reach_of(request)) if row.account_id == account_id]
    return version_named(text, found)


def version_named(text: str, found: Sequence[Any]) -> UUID:
    """An id, CODE@VERSION, or CODE for its latest version."""
    code, _, version = text.partition("@")
    for row in found:
        same = row.code == code and (not version or version.lstrip("v") == str(row.version))
        if same or str(row.pk) == text:
            known: UUID = row.pk
            return known
    raise Invalid(
        f"There is no policy {text}.",
        errors=[{"pointer": "/policies", "code": "unknown", "detail": f"No policy is {text}."}],
    )


def as_json(view: SimulationView) -> dict[str, Any]:
    """A simulation as the API and `simulate --json` give it."""
    row = view.row
    return {
        "id": str(row.pk),
        "title": row.title,
        "kind": row.kind,
        "state": view.state,
        "job": str(row.job_id) if row.job_id else None,
        "done": view.done,
        "refused": view.refused,
        "total": view.total,
        "sample": row.sample,
        "currency": view.currency,
        "reproduced": view.reproduced,
        "drifted": view.drifted,
        "of_other_channels": view.others,
        "variants": [dict(FiguresShape(one).data) for one in view.variants],
        "frontier": [asdict(point) for point in view.points],
        "asked_by": row.asked_by,
        "at": row.at.isoformat(),
    }


def certificate_as_json(made: Certificate) -> dict[str, Any]:
    """A certificate as `simulate --certificate --json` gives it."""
    return {
        "starts_at": made.starts_at.isoformat(),
        "ends_at": made.ends_at.isoformat(),
        "currency": made.currency,
        "orders": made.orders,
        "left_out": made.left_out,
        "live_minor": made.live_minor,
        "bound_minor": made.bound_minor,
        "ratio": made.ratio,
        "causes": made.causes,
        "examples": made.examples["orders"],
    }


def move_as_json(move: MoveView) -> dict[str, Any]:
    """A moved order as the API gives it."""
    row = move.row
    return {
        "order_id": row.order_id,
        "group_id": row.group_id,
        "decision_id": row.decision_id,
        "decided_at": row.at,
        "before_from": row.before_from,
        "after_from": row.after_from,
        "saved_minor": row.saved_minor,
        "more_parcels": row.parcels,
        "why_before": list(move.why_before),
        "why_after": list(move.why_after),
    }


def _whole(request: Request, name: str, otherwise: int) -> int:
    text = request.query_params.get(name, "")
    if text and not text.isdecimal():
        raise Invalid(
            "The page means nothing.",
            errors=[{"pointer": f"/{name}", "code": "number", "detail": "Give a whole number."}],
        )
    return int(text) if text else otherwise
