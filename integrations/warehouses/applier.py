"""Messages of warehouses, applied: each event once by its own id, one verdict per message.

What they tell of work goes to fulfillment's commands kind by kind, in the order in which work is
done. What cannot be is kept as one case per order and kind of fact, with as much of it recorded as is
possible. What names an order, parcel, question or SKU that we do not have yet waits for it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

import fulfillment.services
import inventory.selectors
from config.kernel import case_reports, external_keys
from config.kernel.external_keys import Claim
from config.kernel.types import Actor, Scope
from fulfillment import nodework
from integrations.appliers import Applied, Ignored, NotYet, Received, Refused, Verdict
from integrations.warehouses import stock_told, work_told
from integrations.warehouses.cases import DISAGREES
from integrations.warehouses.reports import Answered, Report, UnreadableReport
from integrations.warehouses.telling import Came, Told

SCOPE: Final = "warehouse.event"

Read = Callable[[str, bytes], list[Report]]


@dataclass(frozen=True, slots=True)
class WarehouseApplier:
    """Implements `integrations.appliers.Applier` for warehouses; `read` is the adapter's own."""

    read: Read

    def apply(self, letters: Sequence[Received], *, at: datetime, actor: Actor) -> list[Verdict]:
        verdicts: dict[int, Verdict] = {}
        told: list[Told] = []
        for place, letter in enumerate(letters):
            found = self._open(place, letter)
            if isinstance(found, list):
                told += found
            else:
                verdicts[place] = found
        fresh = _fresh(told)
        acting = replace(actor, scope=_scope_of(fresh))
        _find_work(fresh)
        work_told.apply(fresh, at=at, actor=acting)
        stock_told.apply(fresh, at=at, actor=acting)
        _claim(fresh)
        _report(fresh, at=at)
        by_place: dict[int, list[Told]] = {}
        for one in told:
            by_place.setdefault(one.place, []).append(one)
        return [
            verdicts.get(place) or _verdict(letter, by_place.get(place, []))
            for place, letter in enumerate(letters)
        ]

    def _open(self, place: int, letter: Received) -> list[Told] | Verdict:
        node_id = letter.connection.node_id
        if node_id is None:
            return Refused("no-node", "The connection names no node.")
        try:
            reports = self.read(letter.row.kind, letter.letter.raw)
        except UnreadableReport as unreadable:
            return Refused(unreadable.code, unreadable.detail)
        return [Told(place, letter.connection, node_id, report) for report in reports]


def _fresh(told: Sequence[Told]) -> list[Told]:
    """Those whose id has not counted before, each once. One statement per connection."""
    named: dict[UUID, list[str]] = {}
    for one in told:
        if one.report.id:
            named.setdefault(one.ref.id, []).append(one.report.id)
    counted = {
        (ref_id, key)
        for ref_id, keys in named.items()
        for key in external_keys.owners_of(SCOPE, str(ref_id), keys)
    }
    fresh = []
    for one in told:
        key = (one.ref.id, one.report.id)
        if one.report.id and key in counted:
            one.become(Came.SAME)
            continue
        counted.add(key)
        fresh.append(one)
    return fresh


def _scope_of(told: Iterable[Told]) -> Scope:
    """A warehouse may speak for every account that works there, and for no other."""
    granted = inventory.selectors.accounts_of_nodes({one.node_id for one in told})
    return Scope(frozenset(account for accounts in granted.values() for account in accounts))


def _find_work(told: Sequence[Told]) -> None:
    """Lock what the reports are about, then read it: nothing of it moves until the end."""
    orders = {(one.node_id, number) for one in told if (number := _order_of(one.report))}
    asked: dict[UUID, nodework.Asked] = {}
    for node_id in {one.node_id for one in told if isinstance(one.report, Answered)}:
        wanted = {
            one.report.request
            for one in told
            if isinstance(one.report, Answered) and one.node_id == node_id
        }
        asked |= nodework.requests_named(wanted, node_id)
    known = nodework.work_of(orders) if orders else {}
    fulfillment.services.lock_work(
        {work.id for work in known.values()} | {one.fulfillment_order_id for one in asked.values()}
    )
    work = nodework.work_of(known)
    for one in told:
        one.work = work.get((one.node_id, _order_of(one.report)))
        if one.work is not None:
            one.thread_id = one.work.order_id
        elif isinstance(one.report, Answered) and one.report.request in asked:
            question = asked[one.report.request]
            one.thread_id, one.of_change = question.order_id, question.is_change


def _order_of(report: Report) -> str:
    return str(getattr(report, "order", ""))


def _claim(told: Sequence[Told]) -> None:
    """What had its effect, or can never have it, counts as told; what waits may come again."""
    external_keys.claim(
        SCOPE,
        [
            Claim(str(one.ref.id), one.report.id, one.work.id if one.work else one.ref.id)
            for one in told
            if one.report.id and one.came is not Came.WAITS
        ],
    )


def _report(told: Sequence[Told], *, at: datetime) -> None:
    """One case per order and kind of fact, however often it is told."""
    case_reports.report(
        [
            case_reports.Report(
                DISAGREES,
                "fulfillment_order" if one.work else "connection",
                one.work.id if one.work else one.ref.id,
                one.work.account_id if one.work else one.ref.account_id,
                evidence={
                    "said": type(one.report).__name__,
                    "code": one.code,
                    "why": one.detail,
                    **one.evidence,
                },
                cause=f"node:{one.node_id}",
                thread_id=one.thread_id,
                dedupe_key=_dedupe(one),
            )
            for one in told
            if one.came is Came.DISAGREES
        ],
        at=at,
    )


def _dedupe(one: Told) -> str:
    subject = one.work.id if one.work else f"{one.ref.id}:{getattr(one.report, 'request', '')}"
    return f"{DISAGREES}:{subject}:{type(one.report).__name__}"


def _verdict(letter: Received, told: Sequence[Told]) -> Verdict:
    """One verdict for all that one message tells."""
    waiting = next((one for one in told if one.came is Came.WAITS), None)
    if waiting is not None:
        return NotYet(waiting.code, waiting.detail)
    done = next((one for one in told if one.came is Came.DONE or one.partly), None)
    if done is not None:
        kind, subject_id = _subject(done, letter)
        return Applied(kind, subject_id, done.thread_id)
    odd = next((one for one in told if one.came is Came.DISAGREES), None)
    if odd is not None:
        kind, subject_id = _subject(odd, letter)
        return Ignored(odd.code, odd.detail, kind, subject_id, odd.thread_id)
    if not told:
        return Ignored("nothing", "It tells of nothing.")
    kind, subject_id = _subject(told[0], letter)
    return Ignored("repeated", "All of it was told before.", kind, subject_id, told[0].thread_id)


def _subject(one: Told, letter: Received) -> tuple[str, UUID]:
    if one.work is not None:
        return "fulfillment_order", one.work.id
    if one.thread_id is not None:
        return "order", one.thread_id
    return "connection", letter.connection.id
