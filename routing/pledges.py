"""What channels promise their buyers, worked out for one order."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from config.kernel.types import ALL_ACCOUNTS
from orders.sourcing import Demand
from routing.engine.calendar import DAY, add_working_days
from routing.engine.types import WORKING_WEEK
from routing.quote_models import ChannelPledge

if TYPE_CHECKING:
    from routing.reference import Reference

END_OF_DAY = time(23, 59, 59)


@dataclass(frozen=True, slots=True)
class Pledge:
    """What a channel promises of a service level, or of any (empty). Days are working days."""

    id: UUID
    service: str
    timezone: str
    ship_days: int | None
    deliver_days: int | None
    cutoff: time | None
    holiday_country: str
    starts_at: datetime
    ends_at: datetime | None

    def holds(self, service: str, placed_at: datetime) -> bool:
        """Whether it is in force for an order of this service, placed then."""
        return (
            self.service in {"", service}
            and self.starts_at <= placed_at
            and (self.ends_at is None or placed_at < self.ends_at)
        )

    def last_moment(
        self, days: int | None, placed_at: datetime, holidays: Collection[date]
    ) -> datetime | None:
        """The end of the last day that is promised, in UTC."""
        if days is None:
            return None
        zone = ZoneInfo(self.timezone)
        placed = placed_at.astimezone(zone)
        first = placed.date()
        if self.cutoff is not None and placed.time() >= self.cutoff:
            first += DAY
        while first.weekday() not in WORKING_WEEK or first in holidays:
            first += DAY
        last = add_working_days(first, days, WORKING_WEEK, frozenset(holidays))
        return datetime.combine(last, END_OF_DAY, tzinfo=zone).astimezone(UTC)


def read_pledges(account_id: UUID) -> dict[UUID, tuple[Pledge, ...]]:
    """What the account's channels promise, by channel; ended ones too, for orders that come late."""
    rows = ChannelPledge.objects.for_scope(ALL_ACCOUNTS).filter(account_id=account_id)
    found: dict[UUID, list[Pledge]] = {}
    for row in rows.select_related("channel", "service_level").order_by("pk"):
        found.setdefault(row.channel_id, []).append(
            Pledge(
                row.pk,
                row.service_level.code if row.service_level is not None else "",
                row.channel.timezone,
                row.ship_days,
                row.deliver_days,
                row.cutoff,
                row.holiday_country,
                row.starts_at,
                row.ends_at,
            )
        )
    return {channel_id: tuple(pledges) for channel_id, pledges in found.items()}


def pledged(demand: Demand, known: "Reference", *, at: datetime) -> dict[str, Any]:
    """The tightest dates that the channel promises for the demand; empty where it promises none."""
    placed_at = demand.placed_at or at
    service = known.service_for(demand.service_level)
    holding = [
        pledge
        for pledge in known.pledges(demand.account_id, demand.channel_id)
        if pledge.holds(service, placed_at)
    ]
    if not holding:
        return {}
    rests = {pledge.holiday_country: known.rests(pledge.holiday_country) for pledge in holding}
    ship = _tightest(
        pledge.last_moment(pledge.ship_days, placed_at, rests[pledge.holiday_country])
        for pledge in holding
    )
    deliver = _tightest(
        pledge.last_moment(pledge.deliver_days, placed_at, rests[pledge.holiday_country])
        for pledge in holding
    )
    return {
        "ship_by": ship and ship.isoformat(),
        "deliver_by": deliver and deliver.isoformat(),
        "pledges": [str(pledge.id) for pledge in holding],
    }


def _tightest(moments: Iterable[datetime | None]) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)
