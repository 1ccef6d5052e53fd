"""What carriers say of their numbers: parcels are tracked, and what comes back is on its way."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import fulfillment.services
import orders.services
import returns.services
from config.kernel.types import Actor, Outcome, Scope
from fulfillment import selectors
from fulfillment.types import TrackingNews
from returns.selectors import ReturnAtHand, returns_numbered
from returns.types import ReturnScan


@dataclass(frozen=True, slots=True)
class Heard:
    """What one thing was said of: a parcel, or a return that its label brings back."""

    kind: str
    id: UUID
    thread_id: UUID | None


def record_news(
    news: Sequence[TrackingNews], *, at: datetime, actor: Actor
) -> list[Outcome[Heard]]:
    """Record what carriers told, within the account of each. One outcome per item, in order.

    A number that is no parcel's is looked for among the labels of returns. In the caller's
    transaction: the orders of both are locked before anything below them.
    """
    back = _returns_of(news)
    if back:
        _lock(news, back)
    told = fulfillment.services.record_tracking(news, at=at, actor=actor)
    threads = selectors.orders_of_parcels(
        {outcome.value.parcel_id for outcome in told if outcome.value is not None}
    )
    outcomes: list[Outcome[Heard]] = []
    scans: dict[int, TrackingNews] = {}
    for place, (item, outcome) in enumerate(zip(news, told, strict=True)):
        heard = None
        if (standing := outcome.value) is not None:
            heard = Heard("parcel", standing.parcel_id, threads[standing.parcel_id])
        outcomes.append(Outcome(outcome.kind, heard, outcome.problem))
        missing = outcome.problem is not None and outcome.problem.code == "not-found"
        if missing and (item.account_id, item.tracking_number) in back:
            scans[place] = item
    for place, outcome_of_scan in _scan(scans, back, at=at, actor=actor).items():
        outcomes[place] = outcome_of_scan
    return outcomes


Numbered = dict[tuple[UUID | None, str], ReturnAtHand]


def _returns_of(news: Sequence[TrackingNews]) -> Numbered:
    """Returns by account and the number that their label shows. One statement per account."""
    wanted: dict[UUID, set[str]] = {}
    for item in news:
        if item.account_id is not None and item.tracking_number:
            wanted.setdefault(item.account_id, set()).add(item.tracking_number)
    return {
        (account_id, number): found
        for account_id, numbers in wanted.items()
        for number, found in returns_numbered(account_id, numbers).items()
    }


def _lock(news: Sequence[TrackingNews], back: Numbered) -> None:
    """Lock the orders of parcels and returns at once: what is below them then waits for nobody."""
    wanted: dict[UUID, set[str]] = {}
    for item in news:
        if item.account_id is not None:
            wanted.setdefault(item.account_id, set()).add(item.tracking_number)
    parcels = {
        parcel_id
        for account_id, numbers in wanted.items()
        for parcel_id in selectors.parcels_numbered(account_id, numbers).values()
    }
    orders.services.lock_orders(
        {*selectors.orders_of_parcels(parcels).values(), *(one.order_id for one in back.values())}
    )


def _scan(
    scans: dict[int, TrackingNews], back: Numbered, *, at: datetime, actor: Actor
) -> dict[int, Outcome[Heard]]:
    """Have returns on their way that carriers have scanned; account by account."""
    by_account: dict[UUID, dict[int, TrackingNews]] = {}
    for place, item in scans.items():
        if item.account_id is not None:
            by_account.setdefault(item.account_id, {})[place] = item
    outcomes: dict[int, Outcome[Heard]] = {}
    for account_id, items in by_account.items():
        answered = returns.services.record_scans(
            [
                ReturnScan(item.tracking_number, min(item.happened_at, at), item.carrier_code)
                for item in items.values()
            ],
            at=at,
            actor=replace(actor, scope=Scope(frozenset({account_id}))),
        )
        for (place, item), outcome in zip(items.items(), answered, strict=True):
            found = back[account_id, item.tracking_number]
            heard = Heard("return", found.return_id, found.order_id)
            outcomes[place] = Outcome(
                outcome.kind, None if outcome.problem else heard, outcome.problem
            )
    return outcomes
