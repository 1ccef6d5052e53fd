"""Nodes by the API: read in full, changed in parts, planned for; their capacity and signals."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from config.kernel import clock
from config.kernel.access import Permission
from config.kernel.actors import actor_of, nodes_in_reach, reach_of
from config.kernel.errors import Invalid, NotFound
from config.kernel.idempotency import idempotent
from config.kernel.permissions import needs
from inventory import selectors, services
from inventory.api import network_shapes as shapes
from inventory.api.reading import read_body
from inventory.api.serializers import NodeListShape
from inventory.services.plans import check_plan
from inventory.types import (
    CapacityView,
    ClosureDraft,
    CutoffView,
    HoursView,
    NodeEdit,
    NodeView,
    PickupView,
    PlanDraft,
    SpecialDayView,
)

WRITE = (Permission.NETWORK_EDIT, Permission.API_CATALOG_WRITE)
SEE = (
    Permission.INVENTORY_VIEW,
    Permission.API_STOCK_WRITE,
    Permission.FULFILLMENT_VIEW,
    *WRITE,
)
CAPACITY_AHEAD = timedelta(days=8)
_CODE = [OpenApiParameter("code", str, OpenApiParameter.PATH, description="Code of the node.")]
_ROWS = {
    "hours": HoursView,
    "cutoffs": CutoffView,
    "closures": ClosureDraft,
    "special_days": SpecialDayView,
    "pickups": PickupView,
    "capacities": CapacityView,
}


class NodeViewSet(ViewSet):
    """The nodes that the caller's accounts use."""

    lookup_field = "code"
    lookup_value_regex = "[-a-zA-Z0-9_]+"

    def get_permissions(self) -> Sequence[Any]:
        return [needs(*(WRITE if self.action == "partial_update" else SEE))()]

    @extend_schema(responses=NodeListShape)
    def list(self, request: Request) -> Response:
        """Each with what it does and what is paused."""
        found = selectors.nodes(reach_of(request))
        return Response(NodeListShape({"results": found}).data)

    @extend_schema(parameters=_CODE, responses=shapes.NodeInFullShape)
    def retrieve(self, request: Request, code: str) -> Response:
        """One node with its calendar, cutoffs, pickups, abilities, limits and plans."""
        return Response(_in_full(_node(request, code)))

    @extend_schema(parameters=_CODE, request=shapes.NodeInput, responses=shapes.NodeInFullShape)
    @idempotent
    def partial_update(self, request: Request, code: str) -> Response:
        """Change what is named; a list that is named is all of its part."""
        given = read_body(shapes.NodeInput, request)
        view = _node(request, code, writing=True)
        parts: dict[str, Any] = {
            name: tuple(_ROWS[name](**row) for row in given.pop(name))
            for name in _ROWS
            if name in given
        }
        for name in ("functions", "capabilities"):
            if name in given:
                parts[name] = tuple(given.pop(name))
        if "thresholds" in given:
            parts["thresholds"] = given.pop("thresholds")
        services.edit_nodes(
            [NodeEdit(view.id, fields=given, **parts)], at=clock.now(), actor=actor_of(request)
        )
        return Response(_in_full(_node(request, code)))

    @extend_schema(parameters=_CODE, responses=shapes.WindowListShape)
    @action(detail=True)
    def capacity(self, request: Request, code: str) -> Response:
        """The windows of the coming days: their limit, what is used, and what is left over."""
        now = clock.now()
        view = _node(request, code)
        found = selectors.windows_between([view.id], now, now + CAPACITY_AHEAD)
        return Response(shapes.WindowListShape({"as_of": now, "results": found}).data)

    @extend_schema(parameters=_CODE, responses=shapes.SignalListShape)
    @action(detail=True)
    def signals(self, request: Request, code: str) -> Response:
        """How the node is doing; a value of null was not measured."""
        view = _node(request, code)
        found = selectors.signals([view.id])[view.id]
        return Response(shapes.SignalListShape({"results": found}).data)


class NodePlanViewSet(ViewSet):
    """What nodes will do differently for a while: closed, or less or more than usual."""

    def get_permissions(self) -> Sequence[Any]:
        return [needs(*(SEE if self.action == "list" else WRITE))()]

    @extend_schema(
        parameters=[OpenApiParameter("node", str, many=True, description="May be repeated.")],
        responses=shapes.PlanListShape,
    )
    def list(self, request: Request) -> Response:
        """Plans that hold or are to come, by node and start."""
        wanted = set(request.query_params.getlist("node"))
        found = [
            {"node": view.code, **shapes.PlanShape(plan).data}
            for view in selectors.nodes(reach_of(request))
            if not wanted or view.code in wanted
            for plan in view.plans
        ]
        return Response({"results": found})

    @extend_schema(request=shapes.PlansInput, responses=shapes.PlanOutcomesShape)
    @idempotent
    def create(self, request: Request) -> Response:
        """Plan for up to 1,000 nodes, an outcome each; one whose time has come begins at once."""
        rows, at, actor = (
            read_body(shapes.PlansInput, request)["plans"],
            clock.now(),
            actor_of(request),
        )
        known = selectors.nodes_by_code({row["node"] for row in rows}, actor.scope)
        within = nodes_in_reach(request)
        answers: list[dict[str, Any]] = []
        drafts: list[PlanDraft] = []
        for row in rows:
            node_id = known.get(row.pop("node"))
            if node_id is None or (within is not None and node_id not in within):
                answers.append(_refused("unknown-node", "There is no such node."))
                continue
            draft = PlanDraft(node_id, **row)
            try:
                check_plan(draft, at)
            except Invalid as error:
                answers.append(_refused(error.code, error.detail))
            else:
                drafts.append(draft)
                answers.append({"outcome": "done"})
        made = iter(services.plan_nodes(drafts, at=at, actor=actor) if drafts else ())
        for answer in answers:
            if answer["outcome"] == "done":
                answer["id"] = next(made)
        return Response({"results": answers})

    @extend_schema(
        parameters=[OpenApiParameter("id", OpenApiTypes.INT, OpenApiParameter.PATH)],
        responses={204: None},
    )
    def destroy(self, request: Request, pk: str) -> Response:
        """Take a plan back; one that holds ends now."""
        reached = nodes_in_reach(request)
        plans = {
            plan.id
            for view in selectors.nodes(actor_of(request).scope)
            if reached is None or view.id in reached
            for plan in view.plans
        }
        if not pk.isdecimal() or int(pk) not in plans:
            raise NotFound("There is no such plan, or it is over.")
        services.cancel_plans([int(pk)], at=clock.now(), actor=actor_of(request))
        return Response(status=204)


def _node(request: Request, code: str, *, writing: bool = False) -> NodeView:
    """The node, when the caller may see it, or change it. Raises NotFound otherwise."""
    scope = actor_of(request).scope if writing else reach_of(request)
    found = selectors.nodes_by_code([code], scope)
    within = nodes_in_reach(request)
    if code not in found or (within is not None and found[code] not in within):
        raise NotFound("There is no such node.")
    [view] = selectors.node_views([found[code]])
    return view


def _in_full(view: NodeView) -> dict[str, Any]:
    shown: dict[str, Any] = dict(shapes.NodeInFullShape(view).data)
    closures = selectors.closures_of([view.id]).get(view.id, [])
    shown["closures"] = shapes.ClosureShape(closures, many=True).data
    return shown


def _refused(code: str, detail: str) -> dict[str, Any]:
    return {"outcome": "refused", "problem": {"code": code, "detail": detail}}
