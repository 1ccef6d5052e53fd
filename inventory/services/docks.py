"""Appointments at the docks: what is on its way is entered into the windows of receiving.

Windows, entries and backlog are those of all capacity (`services.capacity`). Nobody who writes an
inbound needs to know of docks: a step looks at what is due and enters what differs.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from config.kernel.types import Actor
from inventory.selectors.network import node_views
from inventory.services.capacity import AHEAD, use_capacity
from inventory.states import CapacityResource, Function
from inventory.types import NodeView, SubjectTag, WorkAtNode, subject_id
from inventory.windows import window_of

BEHIND: Final = timedelta(days=8)
"""How long ago something may have been due whose coming, or not coming, still counts."""

_DUE: Final = """
    SELECT i.id, i.node_id, i.state, min(l.eta_at), sum(l.expected)::bigint
    FROM inventory_inbound i JOIN inventory_inboundline l ON l.inbound_id = i.id
    WHERE i.node_id = ANY(%s)
    GROUP BY i.id HAVING min(l.eta_at) > %s AND min(l.eta_at) < %s
    ORDER BY i.id
"""
_BOOKED: Final = """
    SELECT cause_id, starts_at FROM inventory_capacityentry
    WHERE cause_id = ANY(%s) AND function = 'receiving'
    GROUP BY cause_id, node_id, resource, starts_at HAVING sum(used) > sum(done)
"""


@dataclass(frozen=True, slots=True)
class _Due:
    """One document that comes: an appointment at its node, and the units that it brings.

    What an order expects has gone over to its notices where these have told of it.
    """

    cause_id: UUID
    node: NodeView
    state: str
    eta_at: datetime
    units: int

    @property
    def work(self) -> dict[str, int]:
        return {
            CapacityResource.APPOINTMENTS.value: int(self.units > 0),
            CapacityResource.UNITS.value: self.units,
        }

    def windows(self) -> set[datetime]:
        """When the windows begin into which it falls, of whatever is counted there."""
        found = (
            window_of(self.node, Function.RECEIVING, resource, self.eta_at)
            for resource in self.work
        )
        return {window.starts_at for window in found if window is not None}

    def entered(self, at: datetime) -> WorkAtNode:
        came = self.state == "received"
        return WorkAtNode(
            self.node.id,
            Function.RECEIVING,
            "inbound",
            self.cause_id,
            at if came else self.eta_at,
            self.work,
            self.work if came else {},
        )


@transaction.atomic
def count_docks(*, at: datetime, actor: Actor) -> int:
    """Enter what is due at nodes whose docks are limited; answers how many entries were made.

    What was put off leaves its window and enters another one; what came is done; what does not come
    gives its place back. A dozen statements at most, one while no docks are limited.
    """
    nodes = _limited()
    if not nodes:
        return 0
    due = _due(nodes, at)
    booked = _booked([one.cause_id for one in due])
    moved = {
        one.cause_id
        for one in due
        if one.state == "cancelled" or not booked.get(one.cause_id, set()) <= one.windows()
    } & booked.keys()
    made = use_capacity([], about=moved, at=at, actor=actor)
    coming = [one.entered(at) for one in due if one.state != "cancelled"]
    return made + use_capacity(coming, at=at, actor=actor)


def _limited() -> dict[int, NodeView]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT node_id FROM inventory_nodecapacity WHERE function = 'receiving'"
        )
        node_ids = [row[0] for row in cursor.fetchall()]
    return {node.id: node for node in node_views(node_ids)} if node_ids else {}


def _due(nodes: dict[int, NodeView], at: datetime) -> list[_Due]:
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [list(nodes), at - BEHIND, at + AHEAD])
        return [
            _Due(subject_id(SubjectTag.INBOUND, pk), nodes[node_id], state, eta_at, units)
            for pk, node_id, state, eta_at, units in cursor.fetchall()
        ]


def _booked(causes: Collection[UUID]) -> dict[UUID, set[datetime]]:
    """By cause, the windows in which something of it is still to be done."""
    found: dict[UUID, set[datetime]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_BOOKED, [list(causes)])
        for cause_id, starts_at in cursor.fetchall():
            found.setdefault(cause_id, set()).add(starts_at)
    return found
