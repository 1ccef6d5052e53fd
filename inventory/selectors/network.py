"""The network as planners and pages see it: frozen, and kept per process until it changes."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, Prefetch

from config.kernel import versions
from config.kernel.types import Scope
from inventory import quotas
from inventory.models import (
    Carrier,
    ChannelNode,
    Node,
    NodeCapability,
    NodeCapacity,
    NodeClosure,
    NodeCutoff,
    NodeFunction,
    NodeGrant,
    NodeGroup,
    NodeHours,
    NodePickup,
    NodePlan,
    NodeSpecialDay,
    ServiceLevel,
)
from inventory.states import PlanState
from inventory.types import (
    CapacityView,
    ClosureDraft,
    CutoffView,
    FunctionView,
    HoursView,
    NodeView,
    PickupView,
    PlanView,
    SpecialDayView,
)

T = TypeVar("T")

TOPIC = "network"
"""Whoever changes a node, its calendar, a grant or a channel's network raises this version."""

_counted: dict[str, tuple[int, dict[int, NodeView]]] = {}
_networks: dict[UUID, tuple[int, tuple[NodeView, ...]]] = {}
_channels: dict[UUID, tuple[int, dict[int, tuple[bool, bool]]]] = {}


def network(account_id: UUID, *, version: int | None = None) -> tuple[NodeView, ...]:
    """Every node granted to the account, by id. Kept per process under the network's version.

    A planner that has read the version already names it: the call then costs no statement.
    """
    current = _current(version)
    kept = _networks.get(account_id)
    if kept is None or kept[0] != current:
        granted = NodeGrant.objects.filter(account_id=account_id).values_list("node_id", flat=True)
        kept = _networks[account_id] = (current, node_views(list(granted)))
    return kept[1]


def channel_nodes(
    channel_id: UUID, *, version: int | None = None
) -> Mapping[int, tuple[bool, bool]]:
    """The channel's network: node id → (ships, picks up). Kept per process, as `network`."""
    current = _current(version)
    kept = _channels.get(channel_id)
    if kept is None or kept[0] != current:
        rows = ChannelNode.objects.filter(channel_id=channel_id)
        found = {row.node_id: (row.ships, row.picks_up) for row in rows}
        kept = _channels[channel_id] = (current, found)
    return kept[1]


def counted_nodes(*, version: int | None = None) -> Mapping[int, NodeView]:
    """The nodes whose capacity is counted, of whichever account. Kept per process, as `network`."""
    current = _current(version)
    kept = _counted.get(TOPIC)
    if kept is None or kept[0] != current:
        limited = NodeCapacity.objects.values_list("node_id", flat=True).distinct()
        found = {view.id: view for view in node_views(list(limited))}
        kept = _counted[TOPIC] = (current, found)
    return kept[1]


def nodes(scope: Scope) -> tuple[NodeView, ...]:
    """Every node that the scope may see, by id; read afresh."""
    return node_views(list(Node.objects.for_scope(scope).values_list("pk", flat=True)))


def taken_node_codes(codes: Collection[str]) -> set[str]:
    """Those of the codes that nodes have, whoever uses them: nodes are shared, so codes are unique."""
    return set(Node._base_manager.filter(code__in=codes).values_list("code", flat=True))


def nodes_by_code(codes: Collection[str], scope: Scope) -> dict[str, int]:
    """The ids of the nodes with these codes, of those that the scope may see."""
    found = Node.objects.for_scope(scope).filter(code__in=codes)
    return dict(found.values_list("code", "pk"))


def carrier_codes() -> list[tuple[str, str]]:
    """(code, name) of every carrier, by name."""
    return list(Carrier.objects.order_by("name").values_list("code", "name"))


def closures_of(node_ids: Collection[int]) -> dict[int, list[ClosureDraft]]:
    """The days on which each node does not work, with their names, by day."""
    found = NodeClosure.objects.filter(node_id__in=node_ids).order_by("on")
    return _by_node(found.values_list("node_id", "on", "name"), ClosureDraft)


def node_groups(scope: Scope) -> list[NodeGroup]:
    """The groups of these accounts with their nodes, by code. Two statements."""
    found = NodeGroup.objects.for_scope(scope).order_by("code", "pk")
    return list(found.prefetch_related(Prefetch("nodes", Node._base_manager.order_by("code"))))


def groups_of(node_id: int, scope: Scope) -> list[tuple[str, str]]:
    """(code, name) of the groups that the node stands in, of those that the scope may see."""
    found = NodeGroup.objects.for_scope(scope).filter(nodes=node_id).order_by("code")
    return list(found.values_list("code", "name"))


def service_level_ids() -> dict[str, int]:
    """The id of every service level, by code."""
    return dict(ServiceLevel.objects.values_list("code", "pk"))


def service_names() -> dict[str, str]:
    """What every service level is called, by code."""
    return dict(ServiceLevel.objects.values_list("code", "name"))


def nodes_used_by(account_ids: Collection[UUID]) -> dict[UUID, set[int]]:
    """The nodes granted to each account: one statement."""
    found: dict[UUID, set[int]] = {}
    granted = NodeGrant.objects.filter(account_id__in=list(account_ids))
    for account_id, node_id in granted.values_list("account_id", "node_id"):
        found.setdefault(account_id, set()).add(node_id)
    return found


def accounts_of_nodes(node_ids: Collection[int]) -> dict[int, set[UUID]]:
    """The accounts to which each node is granted."""
    found: dict[int, set[UUID]] = {}
    for row in NodeGrant.objects.filter(node_id__in=node_ids):
        found.setdefault(row.node_id, set()).add(row.account_id)
    return found


def forget() -> None:
    """Drop what this process keeps: between tests that start versions anew."""
    _networks.clear()
    _channels.clear()
    _counted.clear()
    quotas.forget()


def _current(version: int | None) -> int:
    return versions.read([TOPIC])[TOPIC] if version is None else version


def node_views(node_ids: Collection[int]) -> tuple[NodeView, ...]:
    """Each node with all that is said of it, by id; read afresh. Ten statements, for any number."""
    parts = _parts(node_ids)
    return tuple(
        NodeView(
            id=node.pk,
            code=node.code,
            name=node.name,
            kind=node.kind,
            state=str(node.state),
            city=node.city,
            region=node.region,
            postal_code=node.postal_code,
            country=node.country,
            latitude=node.latitude,
            longitude=node.longitude,
            timezone=node.timezone,
            has_wms=node.has_wms,
            processing_minutes=node.processing_minutes,
            handling_cost_minor=node.handling_cost_minor,
            pick_cost_minor=node.pick_cost_minor,
            currency=node.currency,
            priority=node.priority,
            hours=tuple(parts.hours.get(node.pk, ())),
            cutoffs=tuple(parts.cutoffs.get(node.pk, ())),
            closures=frozenset(parts.closures.get(node.pk, ())),
            functions=tuple(parts.functions.get(node.pk, ())),
            capabilities=frozenset(parts.capabilities.get(node.pk, ())),
            pickups=tuple(parts.pickups.get(node.pk, ())),
            special_days=tuple(parts.special_days.get(node.pk, ())),
            capacities=tuple(parts.capacities.get(node.pk, ())),
            plans=tuple(parts.plans.get(node.pk, ())),
        )
        for node in Node._base_manager.filter(pk__in=node_ids).order_by("pk")
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    """What is said of nodes in rows of their own, by node."""

    hours: dict[int, list[HoursView]]
    cutoffs: dict[int, list[CutoffView]]
    closures: dict[int, list[date]]
    functions: dict[int, list[FunctionView]]
    capabilities: dict[int, list[str]]
    pickups: dict[int, list[PickupView]]
    special_days: dict[int, list[SpecialDayView]]
    capacities: dict[int, list[CapacityView]]
    plans: dict[int, list[PlanView]]


def _parts(node_ids: Collection[int]) -> _Parts:
    def of(model: type[Model], order: Sequence[str], *columns: str) -> Iterable[tuple[Any, ...]]:
        found = model._base_manager.filter(node_id__in=node_ids).order_by(*order)
        return found.values_list("node_id", *columns)

    return _Parts(
        hours=_by_node(of(NodeHours, ["weekday"], "weekday", "opens", "closes"), HoursView),
        cutoffs=_by_node(
            of(
                NodeCutoff,
                ["weekday", "service_level__code"],
                "service_level__code",
                "weekday",
                "at_local",
            ),
            CutoffView,
        ),
        closures=_by_node(of(NodeClosure, ["on"], "on"), lambda on: on),
        functions=_by_node(
            of(NodeFunction, ["function"], "function", "paused", "paused_until", "reason"),
            FunctionView,
        ),
        capabilities=_by_node(of(NodeCapability, ["code"], "code"), lambda code: code),
        pickups=_by_node(
            of(
                NodePickup,
                ["weekday", "at_local", "pk"],
                "carrier__code",
                "service_level__code",
                "weekday",
                "at_local",
                "most_parcels",
                "dock",
            ),
            PickupView,
        ),
        special_days=_by_node(
            of(NodeSpecialDay, ["on"], "on", "opens", "closes", "name"), SpecialDayView
        ),
        capacities=_by_node(
            of(
                NodeCapacity,
                ["function", "resource", "weekday", "opens"],
                "function",
                "resource",
                "weekday",
                "opens",
                "closes",
                "most",
                "hard",
            ),
            CapacityView,
        ),
        plans=_by_node(
            NodePlan.objects.filter(
                node_id__in=node_ids, state__in=(PlanState.PLANNED, PlanState.LIVE)
            )
            .order_by("starts_at", "pk")
            .values_list(
                "node_id",
                "pk",
                "function",
                "kind",
                "state",
                "starts_at",
                "ends_at",
                "percent",
                "units",
                "reason",
            ),
            PlanView,
        ),
    )


def _by_node(rows: Iterable[tuple[Any, ...]], view: Callable[..., T]) -> dict[int, list[T]]:
    found: dict[int, list[T]] = {}
    for node_id, *columns in rows:
        found.setdefault(node_id, []).append(view(*columns))
    return found
