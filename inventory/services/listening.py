"""What a feed declares, and where it stands after it has spoken."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from config.kernel import events, versions
from config.kernel.errors import Conflict, Invalid, NotFound
from config.kernel.history import Change, record
from config.kernel.types import ALL_ACCOUNTS, Actor
from inventory.models import Feed
from inventory.selectors.network import TOPIC
from inventory.services.changes import nodes_in_scope
from inventory.states import Degrade, FeedOrdering, FeedSemantics, FeedState
from inventory.types import FeedTerms, SubjectTag, subject_id

DECLARED = (
    "semantics",
    "nets_committed",
    "nets_picked",
    "nets_held",
    "ordering",
    "expected_every",
    "silent_after",
    "degrade",
    "haircut_percent",
    "heal_units",
    "heal_percent",
    "heal_value_minor",
    "heal_sensitive",
    "reconcile_every",
)
"""What a feed's owner says of it; the rest is its own news."""


@transaction.atomic
def declare_feeds(terms: Sequence[FeedTerms], *, at: datetime, actor: Actor) -> list[int]:
    """Make feeds, or change what they declare; returns their ids in the order given.

    Raises NotFound for a node or account out of reach, Invalid for terms that contradict.
    """
    for wanted in terms:
        check_terms(wanted)
    nodes = nodes_in_scope({wanted.node_id for wanted in terms}, actor)
    if any(
        wanted.node_id not in nodes or not actor.scope.allows(wanted.account_id) for wanted in terms
    ):
        raise NotFound("There is no such node.")
    keys = [(wanted.node_id, wanted.source, wanted.account_id) for wanted in terms]
    feeds = _locked_or_made(keys, at=at, actor=actor)
    changed = []
    for wanted, key in zip(terms, keys, strict=True):
        feed = feeds[key]
        before = [getattr(feed, name) for name in DECLARED]
        for name in DECLARED:
            setattr(feed, name, getattr(wanted, name))
        if before != [getattr(feed, name) for name in DECLARED]:
            changed.append(feed)
    if changed:
        Feed.objects.for_scope(ALL_ACCOUNTS).bulk_update(changed, DECLARED)
        record(Feed, [feed.pk for feed in changed], Change.CHANGED, at=at, actor=actor)
    return [feeds[key].pk for key in keys]


def listen(
    node_id: int, source: str, account_ids: Iterable[UUID], *, at: datetime, actor: Actor
) -> dict[UUID, Feed]:
    """Lock the feeds of a source at a node, by account; one that nobody declared begins here.

    Must run inside the caller's transaction, which ends with `keep`.
    """
    keys = [(node_id, source, account_id) for account_id in sorted(account_ids)]
    return {key[2]: feed for key, feed in _locked_or_made(keys, at=at, actor=actor).items()}


def keep(feeds: Iterable[Feed], *, at: datetime, actor: Actor) -> None:
    """Put feeds down that have just spoken: they are fresh, whatever they were."""
    spoken = list(feeds)
    restored = [feed for feed in spoken if feed.state != FeedState.FRESH]
    for feed in spoken:
        feed.seen_at = at if feed.seen_at is None else max(feed.seen_at, at)
    for feed in restored:
        feed.speak(at=at)
        feed.event_seq += 1
    _write(spoken)
    tell_planners(restored)
    record(Feed, [feed.pk for feed in restored], Change.CHANGED, at=at, actor=actor)
    events.record([fact("feed.restored", feed) for feed in restored], at=at, actor=actor)


def require_snapshots(feed: Feed, as_of: datetime) -> None:
    """Raise Conflict for a feed of changes alone, or a figure older than its last."""
    if feed.semantics == FeedSemantics.DELTA:
        raise Conflict(f"The feed {feed.source} of this node sends changes, not snapshots.")
    if feed.as_of is not None and as_of < feed.as_of:
        raise Conflict(
            "A newer snapshot of this feed has been applied already.",
            watermark=feed.as_of.isoformat(),
        )


def see_snapshot(feed: Feed, as_of: datetime, sequence: int | None) -> None:
    """A snapshot stands: what was told, or missing, before it is in its figures."""
    feed.as_of, feed.asked_at = as_of, None
    covered = feed.sequence if sequence is None else sequence
    if covered is not None:
        feed.covered_sequence = max(covered, feed.covered_sequence or covered)
        feed.sequence = max(covered, feed.sequence or covered)
    feed.missing = [gap for gap in feed.missing if covered is not None and gap[1] > covered]
    feed.gap_since = feed.gap_since if feed.missing else None


def tell_planners(changed: Iterable[Feed]) -> None:
    """Planners keep the network until it changes: which nodes promise the same day is part of it."""
    if any(feed.degrade == Degrade.NO_SAME_DAY for feed in changed):
        versions.bump(TOPIC)


def fact(topic: str, feed: Feed, **data: object) -> events.Fact:
    """An event about a feed."""
    shown = {"node_id": feed.node_id, "source": feed.source} | data
    subject = subject_id(SubjectTag.FEED, feed.pk)
    return events.Fact(topic, "feed", subject, feed.event_seq, feed.account_id, shown)


def _write(feeds: Sequence[Feed]) -> None:
    """Put down what feeds have told. One statement, for it is half of a small message."""
    if not feeds:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE inventory_feed f
            SET state = now.state, state_since = now.state_since, as_of = now.as_of,
                seen_at = now.seen_at, sequence = now.sequence,
                covered_sequence = now.covered_sequence, missing = now.missing,
                gap_since = now.gap_since, asked_at = now.asked_at,
                reconciled_at = now.reconciled_at, event_seq = now.event_seq
            FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::timestamptz[],
                %s::timestamptz[], %s::bigint[], %s::bigint[], %s::jsonb[], %s::timestamptz[],
                %s::timestamptz[], %s::timestamptz[], %s::bigint[])
                AS now (id, state, state_since, as_of, seen_at, sequence, covered_sequence,
                    missing, gap_since, asked_at, reconciled_at, event_seq)
            WHERE f.id = now.id
            """,
            [
                [feed.pk for feed in feeds],
                [str(feed.state) for feed in feeds],
                [feed.state_since for feed in feeds],
                [feed.as_of for feed in feeds],
                [feed.seen_at for feed in feeds],
                [feed.sequence for feed in feeds],
                [feed.covered_sequence for feed in feeds],
                [Jsonb(feed.missing) for feed in feeds],
                [feed.gap_since for feed in feeds],
                [feed.asked_at for feed in feeds],
                [feed.reconciled_at for feed in feeds],
                [feed.event_seq for feed in feeds],
            ],
        )


def _locked_or_made(
    keys: Sequence[tuple[int, str, UUID]], *, at: datetime, actor: Actor
) -> dict[tuple[int, str, UUID], Feed]:
    found = _locked(keys)
    lacking = sorted(set(keys) - set(found))
    if not lacking:
        return found
    Feed.objects.bulk_create(
        [Feed(node_id=key[0], source=key[1], account_id=key[2], begun_at=at) for key in lacking],
        ignore_conflicts=True,
    )
    found = _locked(keys)
    made = [found[key].pk for key in lacking]
    record(Feed, made, Change.CREATED, at=at, actor=actor)
    return found


def _locked(keys: Sequence[tuple[int, str, UUID]]) -> dict[tuple[int, str, UUID], Feed]:
    rows = (
        Feed.objects.for_scope(ALL_ACCOUNTS)
        .filter(
            node_id__in={key[0] for key in keys},
            source__in={key[1] for key in keys},
            account_id__in={key[2] for key in keys},
        )
        .order_by("pk")
        .select_for_update(of=("self",))
    )
    return {(feed.node_id, feed.source, feed.account_id): feed for feed in rows}


def check_terms(wanted: FeedTerms) -> None:
    """Raise Invalid for terms that contradict."""
    wrong = [
        detail
        for holds, detail in [
            (bool(wanted.source), "A feed has a source."),
            (wanted.semantics in FeedSemantics.values, "A feed sends snapshots, deltas or both."),
            (wanted.ordering in FeedOrdering.values, "A feed is ordered by sequence, time or not."),
            (wanted.degrade in Degrade.values, "There is no such policy for a silent feed."),
            (0 <= wanted.haircut_percent <= 100, "A haircut is a share of 0 to 100 percent."),
            (
                wanted.degrade != Degrade.HAIRCUT or wanted.haircut_percent > 0,
                "A haircut needs its share.",
            ),
            (
                wanted.degrade == Degrade.NONE or wanted.silent_after is not None,
                "A policy for silence needs to know when a feed is silent.",
            ),
            (
                wanted.silent_after is None
                or wanted.expected_every is None
                or wanted.silent_after >= wanted.expected_every,
                "A feed is silent after it is late.",
            ),
        ]
        if not holds
    ]
    if wrong:
        raise Invalid(wrong[0])
