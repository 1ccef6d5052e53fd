"""What was measured of nodes is kept, and reported where it is worse than it may be."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import transaction

from config.kernel import case_reports
from config.kernel.types import Actor
from inventory.models import Node, NodeSignal
from inventory.selectors.capacity import signals
from inventory.selectors.network import accounts_of_nodes
from inventory.states import SignalCode
from inventory.types import Measured, SignalView, SubjectTag, subject_id

NODE_SLOW: Final = "NODE_SLOW"
NODE_FAILS_PICKS: Final = "NODE_FAILS_PICKS"
NODE_BEHIND: Final = "NODE_BEHIND"
NODE_DOCKS_FULL: Final = "NODE_DOCKS_FULL"

CASES: Final = {
    SignalCode.ACK_LATENCY.value: NODE_SLOW,
    SignalCode.PICK_FAIL_RATE.value: NODE_FAILS_PICKS,
    SignalCode.OPEN_WORK.value: NODE_BEHIND,
    SignalCode.BACKLOG.value: NODE_BEHIND,
    SignalCode.DOCKS.value: NODE_DOCKS_FULL,
}
"""The case that a signal opens; what becomes of a silent feed is the feed's own matter."""


@transaction.atomic
def record_signals(measured: Sequence[Measured], *, at: datetime, actor: Actor) -> int:
    """Keep the measures, and report those that have passed their threshold since the last time.

    What was not measured says so. Five statements. Answers how many were reported.
    """
    del actor
    node_ids = sorted({one.node_id for one in measured})
    list(Node._base_manager.filter(pk__in=node_ids).order_by("pk").select_for_update())
    before = _by_code(node_ids)
    NodeSignal.objects.bulk_create(
        [
            NodeSignal(node_id=one.node_id, code=one.code, value=one.value, as_of=at)
            for one in measured
        ],
        update_conflicts=True,
        unique_fields=["node", "code"],
        update_fields=["value", "as_of"],
    )
    now = _by_code(node_ids)
    passed = [
        signal
        for key, signal in now.items()
        if key[1] in CASES and signal.is_high and not before[key].is_high
    ]
    accounts = accounts_of_nodes({signal.node_id for signal in passed}) if passed else {}
    reports = [
        case_reports.Report(
            kind=CASES[signal.code],
            subject_kind="node",
            subject_id=subject_id(SubjectTag.NODE, signal.node_id),
            account_id=account_id,
            evidence={"signal": signal.code, "value": signal.value, "most": signal.most},
            cause=f"node:{signal.node_id}",
        )
        for signal in passed
        for account_id in sorted(accounts.get(signal.node_id, ()))
    ]
    case_reports.report(reports, at=at)
    return len(passed)


def _by_code(node_ids: Sequence[int]) -> dict[tuple[int, str], SignalView]:
    return {
        (node_id, signal.code): signal
        for node_id, known in signals(node_ids).items()
        for signal in known
    }
