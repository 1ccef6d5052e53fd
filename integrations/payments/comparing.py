"""The gateway's books beside ours: what pushes lost is found, what differs is a case.

Each connection is gone through from where the last turn ended: its events, as if they had been pushed;
then what it has moved, beside what we asked for; then what we hold to have happened, beside what it
knows. What only was not heard of is healed.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final, Literal
from uuid import UUID

import orders.services
from config.kernel import case_reports
from config.kernel.types import ALL_ACCOUNTS, Actor, OutcomeKind
from integrations import connections, services
from integrations.http import OutcomeUnknown, Unreached
from integrations.payments import gateway
from integrations.payments.directory import ADAPTERS, provider_of
from integrations.payments.gateway_client import GatewayProvider
from integrations.services import Found
from integrations.types import ConnectionRef
from orders.payments import PaymentNews
from orders.selectors import PaymentRow, payments_after, payments_by_key

DIFFERS: Final = "PAYMENT_DIFFERS"
PAGE: Final = 100
PAGES: Final = 5
"""Pages of one kind in one turn."""
ASKED: Final = 100
"""Payments of ours that are looked for in one turn, of each kind."""
SETTLE_MINUTES: Final = 15
"""So long what was moved may be on its way between two books."""
_MOVED: Final = frozenset({"capture", "refund"})


@dataclass(frozen=True, slots=True)
class Compared:
    """What one turn of one connection brought."""

    events: int = 0
    operations: int = 0
    healed: int = 0
    differing: int = 0
    looked_up: int = 0
    reached: bool = True


def compare_all(*, at: datetime, actor: Actor) -> list[Compared]:
    """Take one turn with every live connection. Called with no transaction open."""
    return [
        compare(ref, at=at, actor=actor)
        for ref in connections.of_adapter(*ADAPTERS, live_only=True)
    ]


def compare(ref: ConnectionRef, *, at: datetime, actor: Actor) -> Compared:
    """One turn. A gateway that cannot be asked is asked next turn, from where this one came to."""
    provider = provider_of(ref)
    events = operations = healed = differing = looked_up = 0
    try:
        events = _take_in_events(ref, provider, at=at, actor=actor)
        for page in _pages(ref, provider, "operations"):
            settled = _settled(page, at)
            operations += len(settled)
            news, reports = _judge(ref, settled)
            outcomes = orders.services.record_payment_news(news, at=at, actor=actor)
            healed += sum(outcome.kind is OutcomeKind.DONE for outcome in outcomes)
            case_reports.report(reports, at=at)
            differing += len(reports) + sum(not outcome.ok for outcome in outcomes)
            if settled:
                connections.move_cursor(ref.id, "operations", settled[-1]["n"])
            if len(settled) < len(page):
                break
        for kind in ("capture", "refund"):
            missing, asked = _look_for_ours(ref, provider, kind, at=at)
            case_reports.report(missing, at=at)
            differing += len(missing)
            looked_up += asked
    except (Unreached, OutcomeUnknown, _Unreadable):
        return Compared(events, operations, healed, differing, looked_up, reached=False)
    connections.heard([ref.id], at=at)
    return Compared(events, operations, healed, differing, looked_up)


class _Unreadable(Exception):
    """The gateway answered something else than a page."""


def _pages(
    ref: ConnectionRef, provider: GatewayProvider, collection: Literal["operations", "events"]
) -> Iterator[list[Mapping[str, Any]]]:
    """Pages from where the cursor stands; the caller moves it."""
    after = int(connections.cursor_of(ref.id, collection) or 0)
    for _ in range(PAGES):
        answer = provider.listed(collection, after, PAGE)
        found = answer.body.get(collection)
        if not answer.ok or not isinstance(found, list):
            raise _Unreadable
        if found:
            yield found
            after = int(found[-1]["n"])
        if not answer.body.get("more"):
            return


def _take_in_events(
    ref: ConnectionRef, provider: GatewayProvider, *, at: datetime, actor: Actor
) -> int:
    """What was pushed, or should have been, under the ids it was pushed with."""
    taken = 0
    for page in _pages(ref, provider, "events"):
        kept = services.take_in_all(
            ref,
            [
                Found(str(one["id"])[:64], str(one["type"])[:48], json.dumps(one).encode(), {})
                for one in page
            ],
            at=at,
            actor=actor,
        )
        taken += sum(not one.repeated for one in kept)
        connections.move_cursor(ref.id, "events", page[-1]["n"])
    return taken


def _settled(page: Iterable[Mapping[str, Any]], at: datetime) -> list[Mapping[str, Any]]:
    """The first of the operations that both books have had the time to write."""
    until = at - timedelta(minutes=SETTLE_MINUTES)
    settled = []
    for one in page:
        if datetime.fromisoformat(str(one["created"])) > until:
            break
        settled.append(one)
    return settled


def _judge(
    ref: ConnectionRef, operations: Iterable[Mapping[str, Any]]
) -> tuple[list[PaymentNews], list[case_reports.Report]]:
    """What orders must be told of these operations, and the cases of those that nobody asked for."""
    moved = [one for one in operations if one["kind"] in _MOVED and one["status"] != "pending"]
    ours = payments_by_key([str(one["key"]) for one in moved], ALL_ACCOUNTS)
    news: list[PaymentNews] = []
    reports: list[case_reports.Report] = []
    for one in moved:
        happened = one["status"] == "succeeded"
        row = ours.get(str(one["key"]))
        if row is None or row.account_id != ref.account_id:
            if happened:
                reports.append(_only_theirs(ref, one))
        elif row.happened is not happened or row.amount_minor != one["amount"]:
            news.append(gateway.payment_news(one, ref.account_id, happened=happened))
    return news, reports


def _only_theirs(ref: ConnectionRef, one: Mapping[str, Any]) -> case_reports.Report:
    return case_reports.Report(
        kind=DIFFERS,
        subject_kind="connection",
        subject_id=ref.id,
        account_id=ref.account_id,
        evidence={
            "theirs": f"{one['kind']}, {one['amount']} {one['currency']}",
            "ours": "nobody asked for it",
            "reference": str(one["id"]),
        },
        dedupe_key=f"{DIFFERS}:{ref.id}:{one['id']}",
    )


def _look_for_ours(
    ref: ConnectionRef,
    provider: GatewayProvider,
    kind: Literal["capture", "refund"],
    *,
    at: datetime,
) -> tuple[list[case_reports.Report], int]:
    """Look up what we hold to have happened; the cases of what the gateway has never heard of."""
    name = f"our_{kind}s"
    after = connections.cursor_of(ref.id, name)
    rows = payments_after(
        ref.account_id,
        ref.code,
        kind,
        UUID(after) if after else None,
        asked_before=at - timedelta(minutes=SETTLE_MINUTES),
        limit=ASKED,
    )
    missing = []
    asked = 0
    for row in rows:
        if row.happened and row.state == "succeeded":
            asked += 1
            found = provider.find(row.key)
            if found is None:
                missing.append(_only_ours(row))
            elif found.status == "unknown":
                break
        connections.move_cursor(ref.id, name, str(row.id))
    return missing, asked


def _only_ours(row: PaymentRow) -> case_reports.Report:
    return case_reports.Report(
        kind=DIFFERS,
        subject_kind="order",
        subject_id=row.order_id,
        account_id=row.account_id,
        evidence={
            "key": row.key,
            "ours": f"{row.state}, {row.amount_minor}",
            "theirs": HTTPStatus.NOT_FOUND.phrase.lower(),
            "reference": row.reference,
        },
        thread_id=row.order_id,
        dedupe_key=f"{DIFFERS}:{row.key}",
    )
