"""What is kept of the orders that programs send: told by orders, kept by an app above.

A sender that is answered at once repeats its call itself, so its message is not kept before
anything else is tried, as a webhook is, but with its outcome.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from config.kernel.types import Outcome, OutcomeKind
from orders.types import CapturedOrder, OrderDraft


@dataclass(frozen=True, slots=True)
class SentOrder:
    """One order as it was sent, and what became of it.

    `raw` is the JSON of the order: personal data, to be sealed. `fault` marks what failed through
    no refusal of ours.
    """

    account_id: UUID
    channel_id: UUID
    channel_code: str
    raw: bytes
    outcome: OutcomeKind
    code: str = ""
    reason: str = ""
    order_id: UUID | None = None
    fault: bool = False


class Keeper(Protocol):
    def __call__(self, sent: Sequence[SentOrder], *, at: datetime) -> None:
        """Keep them sealed, in a constant number of statements, in the caller's transaction."""


_keepers: list[Keeper] = []


def register(keeper: Keeper) -> None:
    """Say who keeps what was sent; called once, at start-up."""
    if _keepers:
        raise ValueError("two apps want to keep what was sent")
    _keepers.append(keeper)


def keep(sent: Sequence[SentOrder], *, at: datetime) -> None:
    """Have them kept. Where no app keeps messages, none are."""
    for keeper in _keepers:
        if sent:
            keeper(sent, at=at)


def sent_order(
    draft: OrderDraft, channel_code: str, raw: bytes, outcome: Outcome[CapturedOrder] | Exception
) -> SentOrder:
    """What is kept of one draft, of the channel with this code, and its outcome."""

    def became(kind: OutcomeKind, code: str = "", reason: str = "", **more: Any) -> SentOrder:
        return SentOrder(
            draft.account_id, draft.channel_id, channel_code, raw, kind, code, reason, **more
        )

    if isinstance(outcome, Exception):
        why = f"It could not be taken in ({type(outcome).__name__})."
        return became(OutcomeKind.REFUSED, "fault", why, fault=True)
    if outcome.value is None:
        problem = outcome.problem
        code, why = (problem.code, problem.detail) if problem is not None else ("refused", "")
        return became(outcome.kind, code, why)
    order = outcome.value
    if outcome.kind is OutcomeKind.REPEATED:
        why = f"The order {order.number} was captured before."
        return became(outcome.kind, "repeated", why, order_id=order.id)
    return became(outcome.kind, order_id=order.id)
