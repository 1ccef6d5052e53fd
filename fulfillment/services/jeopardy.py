"""Promises that will probably be missed: reported before they are, once per level."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from django.db import connection, transaction

from config.kernel import case_reports, clock
from config.kernel.case_reports import Report
from config.kernel.types import ALL_ACCOUNTS, Actor
from fulfillment.models import PromiseSlack
from fulfillment.slack import Level, level_of
from fulfillment.states import Stage
from orders.promise_policy import DEFAULT, policies_of

AT_RISK: Final = "PROMISE_AT_RISK"


@transaction.atomic
def report_jeopardy(*, limit: int, at: datetime, actor: Actor) -> list[UUID]:
    """Report the groups whose danger has risen to a level that was not reported. Three statements.

    From which level on is the account's policy. Answers the groups.
    """
    del actor
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT s.group_id, s.account_id, s.order_id, s.node_id, s.carrier_code, s.stage,
                s.promised_at, s.low_at, s.medium_at, s.high_at, s.certain_at
            FROM fulfillment_promiseslack s
            WHERE s.low_at <= %s AND (s.reported = ''
                OR s.reported = 'low' AND s.medium_at <= %s
                OR s.reported = 'medium' AND s.high_at <= %s
                OR s.reported = 'high' AND s.certain_at <= %s)
            ORDER BY s.low_at, s.group_id LIMIT %s FOR UPDATE SKIP LOCKED
            """,
            [at, at, at, at, limit],
        )
        found = [_Seen(*row) for row in cursor.fetchall()]
    if not found:
        return []
    policies = policies_of({one.account_id for one in found})
    rows = [(one, one.level(at)) for one in found]
    _note(rows)
    told = [
        (one, level)
        for one, level in rows
        if level.rank >= Level(policies.get(one.account_id, DEFAULT).report_from).rank
    ]
    case_reports.report([_report(one, level) for one, level in told], at=at)
    return [one.group_id for one, _ in told]


class _Seen(NamedTuple):
    """A promise in danger, as it was read."""

    group_id: UUID
    account_id: UUID
    order_id: UUID
    node_id: int | None
    carrier: str
    stage: str
    promised_at: datetime
    low_at: datetime
    medium_at: datetime
    high_at: datetime
    certain_at: datetime

    def level(self, at: datetime) -> Level:
        return level_of(self.low_at, self.medium_at, self.high_at, self.certain_at, at)

    @property
    def cause(self) -> str:
        """What the dangers of one cause have in common: a carrier, a node, or that no node has it."""
        if self.stage == Stage.DELIVER:
            return f"carrier:{self.carrier}"
        return f"node:{self.node_id}" if self.node_id is not None else "stock"


def _note(rows: Sequence[tuple[_Seen, Level]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE fulfillment_promiseslack s SET reported = told.level "
            "FROM unnest(%s::uuid[], %s::text[]) AS told(id, level) WHERE s.group_id = told.id",
            [[one.group_id for one, _ in rows], [level.value for _, level in rows]],
        )


def _report(one: _Seen, level: Level) -> Report:
    return Report(
        AT_RISK,
        "delivery_group",
        one.group_id,
        one.account_id,
        evidence={
            "level": level.value,
            "stage": one.stage,
            "promised": one.promised_at.isoformat(),
            "slack_over": one.high_at.isoformat(),
        },
        cause=one.cause,
        thread_id=one.order_id,
    )


def still_at_risk(group_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the groups whose promise even the slow tenth does not keep now."""
    rows = PromiseSlack.objects.for_scope(ALL_ACCOUNTS).filter(
        pk__in=list(group_ids), low_at__lte=clock.now()
    )
    return set(rows.values_list("pk", flat=True))
