"""Groups of nodes: named, and filled. What rules say of a group, they say of its members."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from config.kernel import versions
from config.kernel.errors import Invalid
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import ALL_ACCOUNTS, Actor
from inventory.models import NodeGrant, NodeGroup, NodeGroupMember
from inventory.services.buffers import rules_due


@dataclass(frozen=True, slots=True)
class GroupDraft:
    """A group as it is wanted: these nodes, and no others."""

    code: str
    name: str
    node_ids: tuple[int, ...]


@transaction.atomic
def define_groups(
    drafts: Sequence[GroupDraft], *, account_id: UUID, at: datetime, actor: Actor
) -> dict[str, int]:
    """Create or change groups by code; returns their ids. Raises Invalid for a node of nobody's.

    The account's buffer rules are applied anew by the next step.
    """
    wanted = {node_id for draft in drafts for node_id in draft.node_ids}
    granted = NodeGrant.objects.filter(account_id=account_id, node_id__in=wanted)
    if wanted - set(granted.values_list("node_id", flat=True)):
        raise Invalid("There is no such node.")
    NodeGroup.objects.bulk_create(
        [NodeGroup(account_id=account_id, code=draft.code, name=draft.name) for draft in drafts],
        update_conflicts=True,
        unique_fields=["account", "code"],
        update_fields=["name"],
    )
    ids = dict(
        NodeGroup.objects.for_scope(ALL_ACCOUNTS)
        .filter(account_id=account_id, code__in=[draft.code for draft in drafts])
        .values_list("code", "pk")
    )
    members = {(ids[draft.code], node_id) for draft in drafts for node_id in draft.node_ids}
    known = NodeGroupMember.objects.filter(group_id__in=ids.values())
    had = {(row.group_id, row.node_id): row.pk for row in known}
    gone = [pk for place, pk in had.items() if place not in members]
    record_history(NodeGroupMember, gone, Change.DELETED, at=at, actor=actor, reason="defined")
    NodeGroupMember.objects.filter(pk__in=gone).delete()
    fresh = NodeGroupMember.objects.bulk_create(
        [
            NodeGroupMember(group_id=group, node_id=node)
            for group, node in sorted(members - set(had))
        ]
    )
    record_history(NodeGroup, ids.values(), Change.CHANGED, at=at, actor=actor, reason="defined")
    record_history(
        NodeGroupMember,
        [row.pk for row in fresh],
        Change.CREATED,
        at=at,
        actor=actor,
        reason="defined",
    )
    rules_due(account_id, at=at)
    versions.bump("network")
    return ids
