"""Planned orders are planned again, together, and move where that saves enough and worsens nothing.

A run looks at what an account has reserved and not released, range by range. It works without a
transaction; what it would move is handed to one command, which leaves alone whatever has changed
meanwhile.
"""

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count

import inventory.selectors
import orders.services
from config.kernel import ids
from config.kernel.services import leases
from config.kernel.types import ALL_ACCOUNTS, Actor
from orders.selectors.standing import StandingGroup, accounts_standing, standing_groups
from orders.services.replanning import Replan
from orders.sourcing import Plan
from routing import reference
from routing.matching_models import PriceBook, ReplanMove, ReplanRun, ReplanWish
from routing.replanning import Better, better_plans

RANGE = 2_000
"""Groups that are planned together: ten thousand take five ranges, each with stock as it is then."""

AT_ONCE = 200
"""Groups that move in one transaction."""

QUIET = timedelta(minutes=30)
"""What leaves sooner stays where it is: its node may be at work on it any moment."""

MOST_MOVES_A_DAY = 2
"""How often a group is sent from elsewhere in a day."""

MOST_MOVES_A_RUN = 1_000
RUNS_WITHIN = 300.0


@dataclass(slots=True)
class _Tally:
    """What a run has come to so far."""

    looked_at: int = 0
    moves: list[ReplanMove] = field(default_factory=list)
    saved: int = 0
    freight_saved: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    levels: Counter[str] = field(default_factory=Counter)


def replan_account(account_id: UUID, *, at: datetime, actor: Actor) -> ReplanRun | None:
    """Look at all that the account has reserved and not released; what was moved, and what was not.

    None while another process is at it. What happens meanwhile is looked at the next time.
    """
    with leases.held(f"routing.replan:{account_id}", seconds=RUNS_WITHIN) as lease:
        if lease is None:
            return None
        begun = time.process_time()
        causes = _take_wishes(account_id)
        known = reference.current()
        books = PriceBook.objects.for_scope(ALL_ACCOUNTS).filter(account_id=account_id)
        run = ReplanRun(
            id=ids.uuid7(),
            account_id=account_id,
            book=books.order_by("-made_at", "-pk").first(),
            causes=causes,
            currency=known.rates().currency,
            at=at,
        )
        run.save(force_insert=True)
        tally = _Tally()
        after: UUID | None = None
        while True:
            groups = standing_groups(
                account_id, run.currency, after=after, limit=RANGE, leaves_after=at + QUIET
            )
            groups, more = _whole_orders(groups)
            _replan_range(run, groups, tally, at=at, actor=actor)
            if not more:
                break
            lease.renew()
            after = groups[-1].demand.order_id
        _finish(run, tally, begun)
    return run


def _whole_orders(groups: list[StandingGroup]) -> tuple[list[StandingGroup], bool]:
    """The range without the order that it may have cut in two; and whether there is more."""
    if len(groups) < RANGE:
        return groups, False
    last = groups[-1].demand.order_id
    whole = [group for group in groups if group.demand.order_id != last]
    return whole or groups, True


def _replan_range(
    run: ReplanRun, groups: Sequence[StandingGroup], tally: _Tally, *, at: datetime, actor: Actor
) -> None:
    """One range: who may move, what would be better, and the moves themselves."""
    tally.looked_at += len(groups)
    movable = _movable(groups, tally, at)
    if not movable:
        return
    claims = inventory.selectors.claims_of(
        [line.line_id for group in movable for line in group.demand.lines]
    )
    found = better_plans(movable, claims, at=at)
    tally.levels.update(found.levels)
    tally.refused.update(found.refused)
    moves = sorted(found.better, key=lambda one: (not one.forced, -one.saved))
    room = max(0, MOST_MOVES_A_RUN - len(tally.moves))
    if len(moves) > room:
        tally.refused["enough_for_now"] += len(moves) - room
    for start in range(0, min(room, len(moves)), AT_ONCE):
        _move(run, moves[start : min(room, start + AT_ONCE)], tally, at=at, actor=actor)


def _movable(groups: Sequence[StandingGroup], tally: _Tally, at: datetime) -> list[StandingGroup]:
    """Without those that a person put where they are, and those that have moved enough. Two statements."""
    group_ids = [group.demand.group_id for group in groups]
    if not group_ids:
        return []
    by_hand = _moved_by_hand(group_ids)
    since = at - timedelta(days=1)
    moved = dict(
        ReplanMove.objects.for_scope(ALL_ACCOUNTS)
        .filter(group_id__in=group_ids, at__gt=since)
        .values("group_id")
        .annotate(times=Count("pk"))
        .values_list("group_id", "times")
    )
    movable = []
    for group in groups:
        group_id = group.demand.group_id
        if group_id in by_hand:
            tally.refused["by_hand"] += 1
        elif moved.get(group_id, 0) >= MOST_MOVES_A_DAY:
            tally.refused["moved_enough"] += 1
        else:
            movable.append(group)
    return movable


def _moved_by_hand(group_ids: Sequence[UUID]) -> set[UUID]:
    """Those whose last decision says that a person chose the node."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT group_id FROM (
                SELECT DISTINCT ON (group_id) group_id, record ? 'by' OR pinned AS by_hand
                FROM routing_routingdecision WHERE group_id = ANY(%s)
                ORDER BY group_id, id DESC) last
            WHERE by_hand
            """,
            [list(group_ids)],
        )
        return {row[0] for row in cursor.fetchall()}


@transaction.atomic
def _move(
    run: ReplanRun, chosen: Sequence[Better], tally: _Tally, *, at: datetime, actor: Actor
) -> None:
    """Move what nobody changed meanwhile, and write down that it moved."""
    outcomes = orders.services.replan(
        [
            Replan(
                one.plan.decision.basis.asked.order_id,
                one.plan.decision.basis.asked.plan_version,
                one.plan,
                one.told() | {"run_id": str(run.pk)},
            )
            for one in chosen
        ],
        at=at,
        actor=actor,
    )
    rows = []
    for one, outcome in zip(chosen, outcomes, strict=True):
        if outcome.problem is not None:
            tally.refused[outcome.problem.code] += 1
            continue
        tally.saved += one.saved
        tally.freight_saved += one.was_minor - one.now_minor
        rows.append(_row(run, one, at))
    ReplanMove.objects.bulk_create(rows)
    tally.moves += rows


def _row(run: ReplanRun, one: Better, at: datetime) -> ReplanMove:
    plan: Plan = one.plan
    return ReplanMove(
        id=ids.uuid7(),
        run=run,
        account_id=run.account_id,
        order_id=plan.decision.basis.asked.order_id,
        group_id=plan.group_id,
        was=", ".join(one.was)[:200],
        now=", ".join(one.now)[:200],
        was_minor=one.was_minor,
        now_minor=one.now_minor,
        saved_minor=one.saved,
        at=at,
    )


def _finish(run: ReplanRun, tally: _Tally, begun: float) -> None:
    run.looked_at, run.moved = tally.looked_at, len(tally.moves)
    run.saved_minor, run.freight_saved_minor = tally.saved, tally.freight_saved
    run.refused, run.levels = dict(tally.refused), dict(tally.levels)
    run.took_ms = round(1_000 * (time.process_time() - begun))
    run.save()


def want_replanning(causes: Mapping[UUID, Sequence[str]], *, at: datetime) -> None:
    """Have these accounts looked at soon: what has happened since is looked at once. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO routing_replanwish AS known (account_id, causes, since)
            SELECT wanted.account_id, wanted.causes::jsonb, %s
            FROM unnest(%s::uuid[], %s::text[]) AS wanted (account_id, causes)
            ORDER BY wanted.account_id
            ON CONFLICT (account_id) DO UPDATE SET causes = (
                SELECT jsonb_agg(DISTINCT cause)
                FROM jsonb_array_elements(known.causes || EXCLUDED.causes) AS cause)
            """,
            [
                at,
                list(causes),
                [json.dumps(sorted(set(said))) for said in causes.values()],
            ],
        )


def _take_wishes(account_id: UUID) -> list[str]:
    """What has happened since the last look, which this one answers."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM routing_replanwish WHERE account_id = %s RETURNING causes::text",
            [account_id],
        )
        row = cursor.fetchone()
    return ["cycle"] if row is None else list(json.loads(row[0]))


def due_for_replanning(at: datetime, *, settled: timedelta, every: timedelta) -> list[UUID]:
    """Accounts of which something happened so long ago, or whose last look is that old.

    One that was never looked at is due when an order of it has stood as long. Three statements.
    """
    wishes = ReplanWish.objects.for_scope(ALL_ACCOUNTS).filter(since__lte=at - settled)
    looked_at = ReplanRun.objects.for_scope(ALL_ACCOUNTS).filter(at__gt=at - every)
    standing = accounts_standing(accepted_by=at - every, leaves_after=at + QUIET)
    rested = standing - set(looked_at.values_list("account_id", flat=True))
    return sorted(rested | set(wishes.values_list("account_id", flat=True)))
