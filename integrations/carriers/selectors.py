"""What can be asked of the carriers' connections.

Parcels, lateness and scorecards are read across apps: they stand in `config.reports.carriers`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from config.kernel.types import ALL_ACCOUNTS, Scope
from integrations.carriers.directory import ADAPTERS, sells_labels
from integrations.carriers.polling import ASK_EVERY_MINUTES, ROUND
from integrations.connections import ref_of
from integrations.models import Connection, DeliveryEstimate


@dataclass(frozen=True, slots=True)
class CarrierLine:
    """One connection to a carrier: what goes over it, and when it was heard.

    `round_began_at` is when parcels were last begun to be asked about; `overdue` says that a round
    should have begun since, or that news is expected and does not come.
    """

    id: UUID
    code: str
    name: str
    adapter: str
    carrier_code: str
    state: str
    labels: bool
    last_heard_at: datetime | None
    last_failed_at: datetime | None
    failure: str
    round_began_at: datetime | None
    overdue: bool


def carrier_lines(scope: Scope, *, at: datetime) -> list[CarrierLine]:
    """The connections to carriers within the scope, by code."""
    found = Connection.objects.for_scope(scope).filter(adapter__in=ADAPTERS).order_by("code", "pk")
    return [_line(row, at) for row in found]


def _line(row: Connection, at: datetime) -> CarrierLine:
    began = row.cursor.get(ROUND, {}).get("began")
    round_began_at = datetime.fromisoformat(began) if began else None
    ref = ref_of(row)
    return CarrierLine(
        row.pk,
        row.code,
        row.name,
        row.adapter,
        row.carrier_code,
        row.state,
        sells_labels(ref),
        row.last_heard_at,
        row.last_failed_at,
        row.failure,
        round_began_at,
        ref.live and (_silent(row, at) or _unasked(row, round_began_at, at)),
    )


def _silent(row: Connection, at: datetime) -> bool:
    if row.expected_every is None:
        return False
    since = row.last_heard_at or row.changed_at
    return bool(since < at - timedelta(seconds=row.expected_every))


def _unasked(row: Connection, round_began_at: datetime | None, at: datetime) -> bool:
    every = timedelta(minutes=int(row.settings.get("ask_every_minutes", ASK_EVERY_MINUTES)))
    return bool((round_began_at or row.changed_at) < at - 3 * every)


def estimates_of(parcel_ids: Collection[UUID]) -> dict[UUID, DeliveryEstimate]:
    """When carriers expect to deliver these parcels, where they have said."""
    found = DeliveryEstimate.objects.for_scope(ALL_ACCOUNTS).filter(parcel_id__in=list(parcel_ids))
    return {each.parcel_id: each for each in found}
