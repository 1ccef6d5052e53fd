"""Rows of holds and what they fold to on their order: shared by every command that holds."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from config.kernel import case_reports, ids
from config.kernel.errors import Invalid
from config.kernel.types import ALL_ACCOUNTS
from orders.hold_types import HOLD_TYPES, HoldType
from orders.models import Hold, Order
from orders.states import Blocks, HoldScope, HoldState
from orders.types import HoldRequest

LONGEST_REASON = 200


def hold_type(code: str) -> HoldType:
    """The type of this code. Raises Invalid for one that does not exist."""
    try:
        return HOLD_TYPES[code]
    except KeyError:
        raise Invalid(
            f"There is no hold of type “{code}”; possible are {', '.join(HOLD_TYPES)}."
        ) from None


def check_reason(reason: str) -> None:
    """Hold what a person gives as a reason to a code or a sentence. Raises Invalid beyond that.

    Reasons are kept in the clear, in records, history and logs, and outlive an erasure: what
    speaks of people belongs into a note, which is sealed.
    """
    if len(reason) > LONGEST_REASON:
        raise Invalid(
            f"A reason has at most {LONGEST_REASON} characters; write a note for anything more."
        )


def hold_row(
    account_id: UUID, wanted: HoldRequest, *, placed_by: str, at: datetime
) -> dict[str, Any]:
    """The row of a new hold, with what its type says it blocks and until when stock waits."""
    kind = hold_type(wanted.type)
    hold_id = ids.uuid7()
    scope = (
        HoldScope.LINE
        if wanted.line_id
        else HoldScope.GROUP
        if wanted.group_id
        else HoldScope.ORDER
    )
    blocks = kind.blocks if wanted.blocks is None else wanted.blocks
    return {
        "id": hold_id,
        "order_id": wanted.order_id,
        "account_id": account_id,
        "group_id": wanted.group_id,
        "line_id": wanted.line_id,
        "type": wanted.type,
        "scope": scope.value,
        "blocks": [Blocks(what).value for what in blocks],
        "reason": wanted.reason[:500],
        "owner_team": kind.owner_team,
        "handle": (wanted.handle or str(hold_id))[:160],
        "placed_by": placed_by[:120],
        "placed_at": at,
        "until": wanted.until,
        "deadline_at": at + kind.deadline if kind.deadline else None,
    }


def active_holds(order_ids: Iterable[UUID]) -> dict[UUID, list[Hold]]:
    """The active holds of locked orders, by order: one statement."""
    held: dict[UUID, list[Hold]] = {}
    wanted = list(order_ids)
    if not wanted:
        return held
    rows = Hold.objects.for_scope(ALL_ACCOUNTS).active().filter(order_id__in=wanted)
    for hold in rows.order_by("pk"):
        held.setdefault(hold.order_id, []).append(hold)
    return held


def refold_holds(order: Order, holds: Iterable[Hold]) -> None:
    """Store how many holds stand and what those on the whole order block."""
    standing = [hold for hold in holds if hold.state == HoldState.ACTIVE]
    order.holds_open = len(standing)
    order.blocked = sorted(
        {what for hold in standing if hold.scope == HoldScope.ORDER for what in hold.blocks}
    )


def case_of(row: dict[str, Any]) -> case_reports.Report | None:
    """The case that a hold of this type opens; None when the hold itself is the work."""
    kind = HOLD_TYPES[row["type"]].case_kind
    if not kind:
        return None
    return case_reports.Report(
        kind=kind,
        subject_kind="order",
        subject_id=row["order_id"],
        account_id=row["account_id"],
        evidence={"hold_id": str(row["id"]), "type": row["type"]},
        cause=row["handle"][:160] if row["type"] == "unmapped" else "",
        thread_id=row["order_id"],
        dedupe_key=f"{kind}:{row['order_id']}",
    )
