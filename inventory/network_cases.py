"""The exceptions of nodes: what they are, and how to tell whether they still stand."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from config.kernel.case_reports import CaseKind
from inventory import selectors
from inventory.services.signals import (
    CASES,
    NODE_BEHIND,
    NODE_DOCKS_FULL,
    NODE_FAILS_PICKS,
    NODE_SLOW,
)
from inventory.types import SubjectTag, pk_of, subject_id


def _still_high(kind: str) -> Callable[[Sequence[UUID]], set[UUID]]:
    """Nodes one of whose signals of this case is still above its threshold."""

    def still(subject_ids: Sequence[UUID]) -> set[UUID]:
        known = selectors.signals([pk_of(subject) for subject in subject_ids])
        return {
            subject_id(SubjectTag.NODE, node_id)
            for node_id, found in known.items()
            if any(signal.is_high and CASES.get(signal.code) == kind for signal in found)
        }

    return still


KINDS: Final = (
    CaseKind(
        code=NODE_SLOW,
        label="A node takes long to take work on",
        severity=3,
        due=timedelta(hours=8),
        owner_team="operations",
        playbook="Ask the node what keeps it. Lower its limit, or pause it, until it keeps up.",
        still_true=_still_high(NODE_SLOW),
    ),
    CaseKind(
        code=NODE_FAILS_PICKS,
        label="A node does not find what it is asked for",
        severity=3,
        due=timedelta(hours=24),
        owner_team="inventory",
        playbook="Have the SKUs counted that it reported short most; raise its buffer until it is "
        "right.",
        still_true=_still_high(NODE_FAILS_PICKS),
    ),
    CaseKind(
        code=NODE_BEHIND,
        label="A node has more to do than it can",
        severity=2,
        due=timedelta(hours=4),
        owner_team="operations",
        playbook="Send what is not begun from elsewhere, plan extra capacity, or make its limit hard.",
        still_true=_still_high(NODE_BEHIND),
    ),
    CaseKind(
        code=NODE_DOCKS_FULL,
        label="More comes to a node than its docks can take",
        severity=3,
        due=timedelta(hours=8),
        owner_team="operations",
        playbook="Agree on another time with one of the senders and move its ETA, or plan more docks.",
        still_true=_still_high(NODE_DOCKS_FULL),
    ),
)
