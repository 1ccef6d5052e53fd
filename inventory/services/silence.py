"""Silence is a signal: feeds that say nothing fall late, then silent, and what that does."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from config.kernel import case_reports, events
from config.kernel.history import Change, record
from config.kernel.types import ALL_ACCOUNTS, Actor
from inventory.models import Feed
from inventory.services.haircuts import apply_haircuts
from inventory.services.listening import fact, tell_planners
from inventory.states import Degrade, FeedState
from inventory.types import Haircut, SubjectTag, subject_id

FEED_SILENT: Final = "FEED_SILENT"
FEED_GAP: Final = "FEED_GAP"
HAIRCUT_SOURCE: Final = "feed"

_DUE: Final = """
    SELECT feed.id FROM inventory_feed feed
    JOIN inventory_node node ON node.id = feed.node_id
    CROSS JOIN LATERAL (SELECT %(at)s - coalesce(feed.seen_at, feed.begun_at) AS age) AS quiet
    CROSS JOIN LATERAL (SELECT CASE
        WHEN node.state IN ('onboarding', 'closed') THEN 'fresh'
        WHEN quiet.age >= feed.silent_after THEN 'silent'
        WHEN quiet.age >= feed.expected_every THEN 'late'
        ELSE 'fresh' END AS state) AS due
    WHERE feed.state <> due.state
       OR feed.degraded <> (due.state = 'silent' AND feed.degrade <> 'none')
    ORDER BY feed.id LIMIT %(limit)s
"""


def watch_feeds(limit: int, *, at: datetime, actor: Actor) -> int:
    """Move feeds whose time has come to late, silent or fresh; returns how many were looked at.

    A silent one is a case, and its policy is worked into its node's figures afterwards, in
    transactions of their own; one that speaks again takes both back. A worker that is killed in
    between leaves it to the next turn.
    """
    feeds = _move_due(limit, at=at, actor=actor)
    if not feeds:
        return 0
    _cut_back({feed.node_id for feed in feeds}, at=at, actor=actor)
    _mark(feeds)
    return len(feeds)


@transaction.atomic
def _move_due(limit: int, *, at: datetime, actor: Actor) -> list[Feed]:
    with connection.cursor() as cursor:
        cursor.execute(_DUE, {"at": at, "limit": limit})
        due = [row[0] for row in cursor.fetchall()]
    if not due:
        return []
    feeds = list(Feed.objects.for_scope(ALL_ACCOUNTS).select_related("node").locked(due))
    moved = [(feed, topic) for feed in feeds if (topic := _move(feed, at=at))]
    for feed, _ in moved:
        feed.event_seq += 1
    changed = [feed for feed, _ in moved]
    Feed.objects.for_scope(ALL_ACCOUNTS).bulk_update(changed, ["state", "state_since", "event_seq"])
    tell_planners(changed)
    record(Feed, [feed.pk for feed in changed], Change.CHANGED, at=at, actor=actor)
    events.record(
        [fact(topic, feed, effect=effect_of(feed)) for feed, topic in moved], at=at, actor=actor
    )
    _report_silence([feed for feed, topic in moved if topic == "feed.silenced"], at=at)
    return feeds


def effect_of(feed: Feed) -> str:
    """What the feed's silence does to its node's availability now."""
    return str(feed.degrade if feed.state == FeedState.SILENT else Degrade.NONE)


def _is_degrading(feed: Feed) -> bool:
    return effect_of(feed) != Degrade.NONE


def _move(feed: Feed, *, at: datetime) -> str:
    """Take the feed to the state that its silence is due; the topic of that, empty for none."""
    target = _due_state(feed, at)
    if target == feed.state:
        return ""
    if target == FeedState.SILENT:
        feed.fall_silent(at=at)
        return "feed.silenced"
    if target == FeedState.LATE and feed.state == FeedState.FRESH:
        feed.fall_late(at=at)
        return "feed.delayed"
    feed.speak(at=at)
    return "feed.restored"


def _due_state(feed: Feed, at: datetime) -> str:
    if feed.node.state in ("onboarding", "closed"):
        return FeedState.FRESH.value
    age = at - (feed.seen_at or feed.begun_at)
    if feed.silent_after is not None and age >= feed.silent_after:
        return FeedState.SILENT.value
    if feed.expected_every is not None and age >= feed.expected_every:
        return FeedState.LATE.value
    return FeedState.FRESH.value


def _report_silence(feeds: Sequence[Feed], *, at: datetime) -> None:
    case_reports.report(
        [
            case_reports.Report(
                FEED_SILENT,
                "feed",
                subject_id(SubjectTag.FEED, feed.pk),
                feed.account_id,
                {"node_id": feed.node_id, "source": feed.source, "effect": effect_of(feed)}
                | {"last_heard": feed.seen_at.isoformat() if feed.seen_at else None},
                cause=f"node:{feed.node_id}",
            )
            for feed in feeds
        ],
        at=at,
    )


def _cut_back(node_ids: Collection[int], *, at: datetime, actor: Actor) -> None:
    """Keep of each account's stock at a node what its silent feeds say is not to be sold.

    Of several feeds of one account the greatest share counts; another account's stock stays on sale.
    """
    percents: dict[tuple[int, UUID], int] = {}
    for feed in Feed.objects.for_scope(ALL_ACCOUNTS).filter(node_id__in=node_ids):
        place = (feed.node_id, feed.account_id)
        percents[place] = max(percents.get(place, 0), percent_of(feed))
    apply_haircuts(
        [
            Haircut(
                node_id,
                HAIRCUT_SOURCE,
                percent,
                "Its feed is silent." if percent else "",
                account_id,
            )
            for (node_id, account_id), percent in sorted(percents.items())
        ],
        at=at,
        actor=actor,
    )


def percent_of(feed: Feed) -> int:
    """The share of the node's stock that the feed's present effect keeps back."""
    effect = effect_of(feed)
    if effect == Degrade.STOP:
        return 100
    return int(feed.haircut_percent) if effect == Degrade.HAIRCUT else 0


def _mark(feeds: Sequence[Feed]) -> None:
    """Say which silences are in the figures, unless the feed has moved on meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE inventory_feed feed SET degraded = done.degraded
            FROM unnest(%s::bigint[], %s::text[], %s::bool[]) AS done (id, state, degraded)
            WHERE feed.id = done.id AND feed.state = done.state
            """,
            [
                [feed.pk for feed in feeds],
                [feed.state for feed in feeds],
                [_is_degrading(feed) for feed in feeds],
            ],
        )
