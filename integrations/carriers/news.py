"""What carriers tell, pushed or polled, becomes tracking: the same scan counts once."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection

from config.kernel import case_reports, ids
from config.kernel.types import Actor, Outcome, OutcomeKind
from fulfillment import selectors
from fulfillment.types import TrackingNews
from integrations.appliers import Applied, Ignored, NotYet, Received, Refused, Verdict
from integrations.carriers.cases import FOREIGN_WORD
from integrations.carriers.reading import Reading, UnreadableTracking
from integrations.carriers.recording import Heard, record_news
from integrations.types import ConnectionRef

Read = Callable[[Any, ConnectionRef], list[Reading]]

_NOTHING = Ignored("no-way", "It tells of nothing that happened to a parcel.")


def of_connection(ref: ConnectionRef, news: Iterable[TrackingNews]) -> list[TrackingNews]:
    """News as this connection may tell it: of its own account's parcels alone."""
    return [replace(item, account_id=ref.account_id) for item in news]


@dataclass(frozen=True, slots=True)
class TrackingApplier:
    """Implements `integrations.appliers.Applier` for carriers."""

    read: Read
    concerns: Callable[[str], bool]
    """Whether messages on a topic are about parcels at all."""

    def apply(self, letters: Sequence[Received], *, at: datetime, actor: Actor) -> list[Verdict]:
        verdicts: dict[int, Verdict] = {}
        readings: dict[int, list[Reading]] = {}
        for place, letter in enumerate(letters):
            opened = self._open(letter)
            if isinstance(opened, list):
                readings[place] = opened
            else:
                verdicts[place] = opened
        said = [
            (letters[place].connection, reading)
            for place, found in readings.items()
            for reading in found
        ]
        report_foreign(said, at=at)
        outcomes = _tracked(letters, readings, at=at, actor=actor)
        keep_estimates(said, at=at)
        for place, told in outcomes.items():
            foreign = sorted({word for reading in readings[place] for word in reading.foreign})
            verdicts[place] = _verdict(told, foreign)
        return [verdicts[place] for place in range(len(letters))]

    def _open(self, letter: Received) -> list[Reading] | Verdict:
        if not self.concerns(letter.row.kind):
            return Ignored("other-topic", f"Nothing is done with {letter.row.kind} here.")
        try:
            return self.read(json.loads(letter.letter.raw), letter.connection)
        except (ValueError, RecursionError):
            return Refused("not-json", "The message is not valid JSON.")
        except UnreadableTracking as unreadable:
            return Refused(unreadable.code, unreadable.detail)


def _tracked(
    letters: Sequence[Received],
    readings: Mapping[int, list[Reading]],
    *,
    at: datetime,
    actor: Actor,
) -> dict[int, list[Outcome[Heard]]]:
    """Record the news of all messages at once; the outcomes of each."""
    told = {
        place: of_connection(
            letters[place].connection, (item for reading in found for item in reading.news)
        )
        for place, found in readings.items()
    }
    answers = iter(
        record_news([item for news in told.values() for item in news], at=at, actor=actor)
    )
    return {place: [next(answers) for _ in news] for place, news in told.items()}


def _verdict(outcomes: Sequence[Outcome[Heard]], foreign: Sequence[str]) -> Verdict:
    """One verdict for all the news of one message."""
    if not outcomes:
        if foreign:
            return Refused("foreign-word", f"Nobody has said what {', '.join(foreign)} means.")
        return _NOTHING
    heard = next((outcome.value for outcome in outcomes if outcome.value is not None), None)
    if heard is not None and any(o.kind is OutcomeKind.DONE for o in outcomes):
        return Applied(heard.kind, heard.id, heard.thread_id)
    if heard is not None:
        return Ignored(
            "repeated", "All of it was told before.", heard.kind, heard.id, heard.thread_id
        )
    problems = [o.problem for o in outcomes if o.problem is not None]
    other = next((problem for problem in problems if problem.code != "not-found"), None)
    if other is None:
        return NotYet("no-parcel", "There is no parcel under this number yet.")
    return Ignored(other.code, other.detail)


def keep_estimates(told: Iterable[tuple[ConnectionRef, Reading]], *, at: datetime) -> None:
    """Keep when carriers expect to deliver; three statements at most per connection."""
    by_ref: dict[ConnectionRef, dict[str, datetime]] = {}
    for ref, reading in told:
        if reading.estimate is not None:
            by_ref.setdefault(ref, {})[reading.tracking_number] = reading.estimate
    for ref, estimates in by_ref.items():
        write_estimates(ref, estimates, at=at)


def write_estimates(ref: ConnectionRef, estimates: Mapping[str, datetime], *, at: datetime) -> None:
    """Keep the estimates by tracking number; the first one of a parcel stays."""
    parcels = selectors.parcels_numbered(ref.account_id, list(estimates))
    if not parcels:
        return
    rows = sorted((parcel_id, estimates[number]) for number, parcel_id in parcels.items())
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO integrations_deliveryestimate AS kept
                (id, account_id, parcel_id, first_at, latest_at, told_at)
            SELECT told.id, %s, told.parcel_id, told.by, told.by, %s
            FROM unnest(%s::uuid[], %s::uuid[], %s::timestamptz[]) AS told(id, parcel_id, by)
            ON CONFLICT (parcel_id) DO UPDATE
                SET latest_at = excluded.latest_at, told_at = excluded.told_at
                WHERE kept.latest_at <> excluded.latest_at
            """,
            [
                ref.account_id,
                at,
                [ids.uuid7() for _ in rows],
                [parcel_id for parcel_id, _ in rows],
                [by for _, by in rows],
            ],
        )


def report_foreign(told: Iterable[tuple[ConnectionRef, Reading]], *, at: datetime) -> None:
    """Words that nobody has given a meaning are a case, one per connection: news may be missed."""
    words: dict[ConnectionRef, set[str]] = {}
    for ref, reading in told:
        if reading.foreign:
            words.setdefault(ref, set()).update(reading.foreign)
    case_reports.report(
        [
            case_reports.Report(
                FOREIGN_WORD,
                "connection",
                ref.id,
                ref.account_id,
                evidence={"words": sorted(found)},
                cause=f"carrier:{ref.carrier_code}",
            )
            for ref, found in words.items()
        ],
        at=at,
    )
