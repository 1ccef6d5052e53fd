"""Carriers are asked about parcels that they have been silent on: what pushes lost is found.

Each live connection is gone through in rounds, by parcel id, some hundred parcels at a time. A round
begins at most every `ask_every_minutes`; a parcel is asked about when nothing of it happened for
`silent_minutes` that we were told of. What is learnt goes the way of what is pushed and has the same
names, so that nothing counts twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from config.kernel import case_reports
from config.kernel.types import Actor
from fulfillment import selectors
from fulfillment.carriers import Carrier, TrackAnswer
from integrations import connections
from integrations.carriers.cases import NUMBER_UNKNOWN
from integrations.carriers.directory import ADAPTERS, carrier_of
from integrations.carriers.news import of_connection, write_estimates
from integrations.carriers.recording import record_news
from integrations.types import ConnectionRef
from returns.selectors import labels_to_ask_about

ASK_EVERY_MINUTES: Final = 60
SILENT_MINUTES: Final = 240
ASKED_AT_ONCE: Final = 400
FOLLOWED_FOR: Final = timedelta(days=45)
"""A parcel packed longer ago is not asked about any more."""
ROUND: Final = "tracking"


@dataclass(frozen=True, slots=True)
class Asked:
    """What one turn of one connection brought; `parcels` are those that it was asked about."""

    parcels: int = 0
    news: int = 0
    unknown: int = 0
    unasked: int = 0


def ask_silent(*, at: datetime, actor: Actor) -> list[Asked]:
    """Take one turn with every live connection. Called with no transaction open."""
    return [
        ask_connection(ref, at=at, actor=actor)
        for ref in connections.of_adapter(*ADAPTERS, live_only=True)
    ]


def ask_connection(
    ref: ConnectionRef, *, at: datetime, actor: Actor, carrier: Carrier | None = None
) -> Asked:
    """Ask about the next parcels of the round, and labels of returns that wait for a first scan.

    A carrier that cannot be asked is asked next turn.
    """
    kept = connections.cursor_of(ref.id, ROUND) or {}
    after = UUID(kept["after"]) if kept.get("after") else None
    began = _began(kept)
    every = timedelta(minutes=int(ref.settings.get("ask_every_minutes", ASK_EVERY_MINUTES)))
    if after is None and began is not None and began <= at < began + every:
        return Asked()
    rows = selectors.parcels_to_ask_about(
        ref.account_id,
        ref.carrier_code,
        heard_before=at
        - timedelta(minutes=int(ref.settings.get("silent_minutes", SILENT_MINUTES))),
        packed_after=at - FOLLOWED_FOR,
        after=after,
        limit=ASKED_AT_ONCE,
    )
    answer = TrackAnswer()
    room = ASKED_AT_ONCE - len(rows)
    labels = labels_to_ask_about(
        ref.account_id,
        ref.carrier_code,
        after=UUID(kept["label_after"]) if kept.get("label_after") else None,
        limit=room,
    )
    if rows or labels:
        numbers = [number for _, number in (*rows, *labels)]
        answer = (carrier or carrier_of(ref)).track(numbers)
        record_answer(ref, rows, answer, at=at, actor=actor)
    if len(answer.unasked) < max(len(rows), 1):
        turned = len(rows) < ASKED_AT_ONCE
        round_began = began if began is not None and after is not None else at
        connections.move_cursor(
            ref.id,
            ROUND,
            {
                "after": "" if turned else str(rows[-1][0]),
                "label_after": str(labels[-1][0]) if labels and len(labels) == room else "",
                "began": round_began.isoformat(),
            },
        )
    return Asked(len(rows), len(answer.news), len(answer.unknown), len(answer.unasked))


@transaction.atomic
def record_answer(
    ref: ConnectionRef,
    rows: Sequence[tuple[UUID, str]],
    answer: TrackAnswer,
    *,
    at: datetime,
    actor: Actor,
) -> None:
    """Keep what a carrier said of the parcels it was asked about."""
    record_news(of_connection(ref, answer.news), at=at, actor=actor)
    if answer.estimates:
        write_estimates(ref, answer.estimates, at=at)
    _report_unknown(ref, rows, answer, at=at)
    if len(answer.unasked) < len(rows):
        connections.heard([ref.id], at=at)


def _report_unknown(
    ref: ConnectionRef, rows: Sequence[tuple[UUID, str]], answer: TrackAnswer, *, at: datetime
) -> None:
    """A carrier that does not know the number of a parcel it was handed is a case."""
    unknown = set(answer.unknown)
    parcels = selectors.never_scanned([pk for pk, number in rows if number in unknown])
    orders = selectors.orders_of_parcels(parcels)
    case_reports.report(
        [
            case_reports.Report(
                NUMBER_UNKNOWN,
                "parcel",
                parcel_id,
                ref.account_id,
                evidence={"connection": ref.code},
                cause=f"carrier:{ref.carrier_code}",
                thread_id=orders[parcel_id],
            )
            for parcel_id in sorted(parcels)
        ],
        at=at,
    )


def _began(kept: dict[str, Any]) -> datetime | None:
    return datetime.fromisoformat(kept["began"]) if kept.get("began") else None
