"""Changes that a feed tells: each once, in whatever order they come, with what is missing known.

Changes add up, so their order does not matter to the book: each is applied as it comes. Sequence
numbers tell what has not come yet; a gap is a case, and a snapshot is asked for.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from config.kernel import case_reports, events
from config.kernel.errors import Conflict, Invalid
from config.kernel.types import Actor, Outcome
from inventory.models import Feed
from inventory.services.bulk_changes import apply_in_bulk
from inventory.services.changes import as_received, refusals, require_node
from inventory.services.listening import fact, keep, listen
from inventory.services.repeats import each_once
from inventory.services.silence import FEED_GAP
from inventory.states import FeedOrdering, FeedSemantics
from inventory.types import ChangeAnswer, FeedDelta, StockChange, SubjectTag, subject_id

MOST_GAPS = 1_000


@transaction.atomic
def apply_deltas(
    node_id: int, source: str, deltas: Sequence[FeedDelta], *, at: datetime, actor: Actor
) -> list[Outcome[ChangeAnswer]]:
    """Write what a feed says has changed at a node. One outcome per change, in the order given.

    As `record_changes`, for changes of this node and source alone. A number names its change, so
    that it happens once also without an external id. What the feed's last snapshot has in it
    already, by number or by time, leaves no trace in the figures. Raises Conflict for a feed of
    snapshots, Invalid for changes of another place or without the numbers that the feed declares.
    """
    if not deltas:
        return []
    require_node(node_id, actor)
    if any(delta.change.node_id != node_id for delta in deltas):
        raise Invalid("The changes of a feed are of its node.")
    told = _by_account(deltas)
    accounts = [account_id for account_id in told if actor.scope.allows(account_id)]
    feeds = listen(node_id, source, accounts, at=at, actor=actor)
    for account_id, feed in feeds.items():
        _require_deltas(feed, told[account_id])
    by_number = {account_id.int: feed for account_id, feed in feeds.items()}
    changes = as_received(
        [_told(delta, by_number.get(delta.change.account_id.int), source) for delta in deltas]
    )
    outcomes = each_once(
        changes, refusals(changes, actor), lambda fresh: apply_in_bulk(fresh, at=at, actor=actor)
    )
    opened = [feed for account_id, feed in feeds.items() if _follow(feed, told[account_id], at=at)]
    keep(feeds.values(), at=at, actor=actor)
    _tell_gaps(opened, at=at, actor=actor)
    return outcomes


def missing_after(
    highest: int | None, missing: Iterable[Sequence[int]], came: Iterable[int]
) -> tuple[int | None, list[tuple[int, int]]]:
    """The highest number, and the gaps below it, once these numbers have come as well. Pure."""
    gaps = [(int(first), int(last)) for first, last in missing]
    for number in sorted(set(came)):
        if highest is None or number == highest + 1:
            highest = number
        elif number > highest:
            gaps.append((highest + 1, number - 1))
            highest = number
        else:
            gaps = [part for gap in gaps for part in _without(gap, number)]
    return highest, gaps


def _without(gap: tuple[int, int], number: int) -> list[tuple[int, int]]:
    first, last = gap
    if not first <= number <= last:
        return [gap]
    parts = [(first, number - 1), (number + 1, last)]
    return [(low, high) for low, high in parts if low <= high]


def _by_account(deltas: Sequence[FeedDelta]) -> dict[UUID, list[FeedDelta]]:
    # By the number of a UUID: itself it is hashed by Python, and there are thousands.
    told: dict[int, list[FeedDelta]] = {}
    for delta in deltas:
        told.setdefault(delta.change.account_id.int, []).append(delta)
    return {group[0].change.account_id: group for group in told.values()}


def _require_deltas(feed: Feed, deltas: Sequence[FeedDelta]) -> None:
    if feed.semantics == FeedSemantics.SNAPSHOT:
        raise Conflict(f"The feed {feed.source} of this node sends snapshots, not changes.")
    if feed.ordering == FeedOrdering.SEQUENCE and any(delta.sequence is None for delta in deltas):
        raise Invalid("The feed numbers its changes: each needs its sequence.")


def _told(delta: FeedDelta, feed: Feed | None, source: str) -> StockChange:
    """The change under its name, and as of when the last snapshot has it already."""
    change, number = delta.change, delta.sequence
    name = change.external_id or ("" if number is None else f"#{number}")
    if change.source == source and name == change.external_id and number is None:
        return change
    happened_at = change.happened_at
    if (
        feed is not None
        and feed.as_of is not None
        and number is not None
        and feed.covered_sequence is not None
        and number <= feed.covered_sequence
    ):
        before = feed.as_of - timedelta(microseconds=1)
        happened_at = min(happened_at or before, before)
    # Made directly: `dataclasses.replace` takes ten times as long, and there are thousands.
    return StockChange(
        change.node_id,
        change.sku_id,
        change.account_id,
        change.quantity,
        change.kind,
        change.condition,
        change.lot,
        change.owner_id,
        change.cause_kind,
        change.cause_id,
        source,
        name,
        change.note,
        change.expires_on,
        happened_at,
        change.expected_on_hand,
        change.serials,
    )


def _follow(feed: Feed, deltas: Sequence[FeedDelta], *, at: datetime) -> bool:
    """Move the feed's numbers on; True where a gap has opened that was none before."""
    came = [delta.sequence for delta in deltas if delta.sequence is not None]
    if not came:
        return False
    feed.sequence, gaps = missing_after(feed.sequence, feed.missing, came)
    feed.missing = [list(gap) for gap in gaps[-MOST_GAPS:]]
    opened = bool(gaps) and feed.gap_since is None
    if opened:
        feed.gap_since, feed.asked_at = at, feed.asked_at or at
        feed.event_seq += 1
    if not gaps:
        feed.gap_since = None
    return opened


def _tell_gaps(opened: Sequence[Feed], *, at: datetime, actor: Actor) -> None:
    """A snapshot is asked for (`asked_at`), and somebody should know."""
    events.record(
        [fact("feed.gap_opened", feed, missing=feed.missing[:20]) for feed in opened],
        at=at,
        actor=actor,
    )
    case_reports.report(
        [
            case_reports.Report(
                FEED_GAP,
                "feed",
                subject_id(SubjectTag.FEED, feed.pk),
                feed.account_id,
                {"node_id": feed.node_id, "source": feed.source, "missing": feed.missing[:20]},
                cause=f"node:{feed.node_id}",
            )
            for feed in opened
        ],
        at=at,
    )
