"""What happened to nodes, told to every account that uses them."""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection

from config.kernel import events, versions
from config.kernel.types import Actor
from inventory.selectors.network import TOPIC, accounts_of_nodes
from inventory.types import SubjectTag, subject_id


@dataclass(frozen=True, slots=True)
class NodeNews:
    """One fact about a node."""

    node_id: int
    node_code: str
    topic: str
    data: Mapping[str, object] = field(default_factory=dict)


def tell_nodes(news: Sequence[NodeNews], *, at: datetime, actor: Actor) -> None:
    """Record an event per account that uses each node, each with its own place in the node's sequence.

    Raises the network's version: planners read it anew. The nodes are locked by the caller. Four
    statements.
    """
    if not news:
        return
    versions.bump(TOPIC)
    accounts = {
        node_id: sorted(users)
        for node_id, users in accounts_of_nodes({one.node_id for one in news}).items()
    }
    counts = Counter({one.node_id: 0 for one in news})
    for one in news:
        counts[one.node_id] += len(accounts.get(one.node_id, ()))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE inventory_node n SET event_seq = n.event_seq + told.times "
            "FROM unnest(%s::bigint[], %s::bigint[]) AS told (id, times) WHERE n.id = told.id "
            "RETURNING n.id, n.event_seq",
            [list(counts), list(counts.values())],
        )
        following = {
            node_id: itertools.count(last - counts[node_id] + 1)
            for node_id, last in cursor.fetchall()
        }
    facts = [
        events.Fact(
            one.topic,
            "node",
            subject_id(SubjectTag.NODE, one.node_id),
            next(following[one.node_id]),
            account_id,
            {"node_id": one.node_id, "node_code": one.node_code, **one.data},
        )
        for one in news
        for account_id in accounts.get(one.node_id, ())
    ]
    events.record(facts, at=at, actor=actor)
