"""The network as planners and pages see it: frozen, and kept per process until it changes."""

from collections.abc import Collection, Mapping
from datetime import date
from uuid import UUID

from config.kernel import versions
from config.kernel.types import Scope
from inventory.models import (
    ChannelNode,
    Node,
    NodeClosure,
    NodeCutoff,
    NodeFunction,
    NodeGrant,
    NodeHours,
    ServiceLevel,
)
from inventory.types import CutoffView, FunctionView, HoursView, NodeView

TOPIC = "network"
"""Whoever changes a node, its calendar, a grant or a channel's network raises this version."""

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
        kept = _networks[account_id] = (current, _views(list(granted)))
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


def nodes(scope: Scope) -> tuple[NodeView, ...]:
    """Every node that the scope may see, by id; read afresh."""
    return _views(list(Node.objects.for_scope(scope).values_list("pk", flat=True)))


def nodes_by_code(codes: Collection[str], scope: Scope) -> dict[str, int]:
    """The ids of the nodes with these codes, of those that the scope may see."""
    found = Node.objects.for_scope(scope).filter(code__in=codes)
    return dict(found.values_list("code", "pk"))


def service_level_ids() -> dict[str, int]:
    """The id of every service level, by code."""
    return dict(ServiceLevel.objects.values_list("code", "pk"))


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


def _current(version: int | None) -> int:
    return versions.read([TOPIC])[TOPIC] if version is None else version


def _views(node_ids: Collection[int]) -> tuple[NodeView, ...]:
    """Five statements, for any number of nodes."""
    hours: dict[int, list[HoursView]] = {}
    for row in NodeHours.objects.filter(node_id__in=node_ids).order_by("weekday"):
        hours.setdefault(row.node_id, []).append(HoursView(row.weekday, row.opens, row.closes))
    cutoffs: dict[int, list[CutoffView]] = {}
    for node_id, service, weekday, at_local in (
        NodeCutoff.objects.filter(node_id__in=node_ids)
        .order_by("weekday", "service_level__code")
        .values_list("node_id", "service_level__code", "weekday", "at_local")
    ):
        cutoffs.setdefault(node_id, []).append(CutoffView(service, weekday, at_local))
    closures: dict[int, set[date]] = {}
    for node_id, on in NodeClosure.objects.filter(node_id__in=node_ids).values_list(
        "node_id", "on"
    ):
        closures.setdefault(node_id, set()).add(on)
    functions: dict[int, list[FunctionView]] = {}
    for known in NodeFunction.objects.filter(node_id__in=node_ids).order_by("function"):
        functions.setdefault(known.node_id, []).append(
            FunctionView(known.function, known.paused, known.paused_until, known.reason)
        )
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
            hours=tuple(hours.get(node.pk, ())),
            cutoffs=tuple(cutoffs.get(node.pk, ())),
            closures=frozenset(closures.get(node.pk, ())),
            functions=tuple(functions.get(node.pk, ())),
        )
        for node in Node._base_manager.filter(pk__in=node_ids).order_by("pk")
    )
