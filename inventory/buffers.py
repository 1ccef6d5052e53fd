"""What buffer rules and haircuts come to: worked out in SQL, for what is and for what would be.

A buffer is the safety stock of a position plus its node's haircut. Safety set by hand stands above
every rule; of the rules that match, the last one counts, with the greatest of its units, its share
of what may be sold and its days of cover.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q
from psycopg.types.json import Jsonb

from config.kernel.types import ALL_ACCOUNTS
from inventory.models import BufferRule, NodeGroupMember
from inventory.selections import MEANT, as_rows, selection_of
from inventory.states import RuleState
from inventory.types import RuleDraft

EVERYTHING = 1_000_000_000
"""The haircut of a node that sells nothing: more than any position holds, also later."""

_RULES = f"""
    {MEANT}
    , rules AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(%(rules)s::jsonb) AS rules (place int, rule_id uuid,
            units bigint, percent int, cover int, over int)
    ), classes AS MATERIALIZED (
        SELECT * FROM unnest(%(nodes)s::bigint[], %(classes)s::int[]) AS classes (node_id, class)
    ), said AS MATERIALIZED (
        SELECT * FROM unnest(%(saying)s::int[], %(places)s::int[]) AS said (class, place)
    ), winner AS (
        SELECT m.sku_id, s.class, max(m.place) AS place
        FROM meant m JOIN said s ON s.place = m.place GROUP BY 1, 2
    ), demand AS MATERIALIZED (
        SELECT * FROM unnest(%(sold)s::bigint[], %(over)s::int[], %(units)s::bigint[])
            AS demand (position_id, over, units)
    ), cut AS (
        SELECT node_id, max(percent) AS percent FROM inventory_nodehaircut
        WHERE account_id IS NULL OR account_id = %(account)s GROUP BY 1
    )
"""  # noqa: S608  # own text
_POSITIONS = f"""
    {_RULES}
    , wished AS NOT MATERIALIZED (
        SELECT p.id, p.sku_id, p.node_id, p.account_id, p.sellable, p.buffer, p.haircut,
            p.sellable - p.reserved - p.landed AS net, p.shortfall, p.owner_id,
            hand.position_id IS NOT NULL AS by_hand, kept.rule_id AS had_rule,
            coalesce(kept.units, 0) AS had_units,
            CASE WHEN hand.position_id IS NULL THEN r.rule_id END AS rule_id,
            CASE WHEN hand.position_id IS NOT NULL THEN hand.units ELSE greatest(0, r.units,
                ceil(p.sellable * r.percent / 100.0)::bigint,
                ceil(d.units * r.cover / r.over::numeric)::bigint) END AS safety,
            CASE WHEN cut.percent IS NULL THEN 0 WHEN cut.percent = 100 THEN %(everything)s
                ELSE ceil(p.sellable * cut.percent / 100.0)::bigint END AS cut
        FROM inventory_stockposition p
        LEFT JOIN classes c ON c.node_id = p.node_id
        LEFT JOIN winner w ON w.sku_id = p.sku_id AND w.class = coalesce(c.class, 0)
        LEFT JOIN rules r ON r.place = w.place
        LEFT JOIN demand d ON d.position_id = p.id AND d.over = r.over
        LEFT JOIN inventory_positionsafety kept
          ON kept.position_id = p.id AND kept.rule_id IS NOT NULL
        LEFT JOIN inventory_positionsafety hand
          ON hand.position_id = p.id AND hand.rule_id IS NULL
        LEFT JOIN cut ON cut.node_id = p.node_id
        WHERE p.account_id = %(account)s AND p.sku_id = ANY(%(among)s::bigint[])
    ), changed AS MATERIALIZED (
        SELECT *, safety + cut AS wanted FROM wished
        WHERE buffer <> safety + cut OR haircut <> cut
           OR NOT by_hand AND (had_rule IS DISTINCT FROM rule_id
                OR rule_id IS NOT NULL AND had_units <> safety)
    )
"""  # noqa: S608  # own text
_CHANGED = _POSITIONS + "SELECT id FROM changed ORDER BY id"  # noqa: S608  # own text
_WRITE = f"""
    {_POSITIONS}
    , written AS (
        UPDATE inventory_stockposition p SET buffer = now.wanted, haircut = now.cut
        FROM changed now WHERE p.id = now.id AND p.id = ANY(%(locked)s::bigint[])
        RETURNING p.id, p.sku_id
    ), dropped AS (
        DELETE FROM inventory_positionsafety s USING changed now
        WHERE s.position_id = now.id AND now.id = ANY(%(locked)s::bigint[]) AND NOT now.by_hand
          AND now.rule_id IS NULL
    ), put AS (
        INSERT INTO inventory_positionsafety (position_id, account_id, rule_id, units, at)
        SELECT id, account_id, rule_id, safety, %(at)s FROM changed
        WHERE id = ANY(%(locked)s::bigint[]) AND NOT by_hand AND rule_id IS NOT NULL
        ON CONFLICT (position_id) DO UPDATE
        SET rule_id = excluded.rule_id, units = excluded.units, at = excluded.at
    )
    SELECT DISTINCT sku_id FROM written
"""  # noqa: S608  # own text
_FIGURES = f"""
    {_POSITIONS}
    , placed AS MATERIALIZED (
        SELECT * FROM unnest(%(known)s::bigint[], %(kinds)s::int[]) AS placed (node_id, kind)
    )
    SELECT w.sku_id, k.kind, nullif(w.owner_id, w.account_id),
        sum(CASE WHEN w.shortfall = 0 THEN greatest(0, w.net - w.buffer) ELSE 0 END)::bigint,
        sum(CASE WHEN w.shortfall = 0 THEN greatest(0, w.net - w.safety - w.cut) ELSE 0 END)::bigint,
        sum(w.sellable)::bigint,
        count(*) FILTER (WHERE w.buffer <> w.safety + w.cut)
    FROM wished w JOIN placed k ON k.node_id = w.node_id
    GROUP BY 1, 2, 3
"""  # noqa: S608  # own text
_TERMS = f"""
    WITH {MEANT}
    , rules AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(%(rules)s::jsonb) AS rules (place int, rule_id uuid,
            channel_id uuid, threshold bigint)
    ), wished AS (
        SELECT DISTINCT ON (r.channel_id, m.sku_id) r.channel_id, m.sku_id, r.threshold, r.rule_id
        FROM meant m JOIN rules r ON r.place = m.place
        ORDER BY r.channel_id, m.sku_id, m.place DESC
    )
"""  # noqa: S608  # own text
_TERMS_WISHED = _TERMS + "SELECT channel_id, sku_id, threshold FROM wished"  # noqa: S608  # own text
_TERMS_WRITE = f"""
    {_TERMS}
    , put AS (
        INSERT INTO inventory_channelterm AS known (account_id, channel_id, sku_id, threshold,
            rule_id)
        SELECT %(account)s, w.channel_id, w.sku_id, w.threshold, w.rule_id FROM wished w
        WHERE NOT EXISTS (
            SELECT FROM inventory_channelterm t
            WHERE (t.channel_id, t.sku_id, t.threshold, t.rule_id)
                = (w.channel_id, w.sku_id, w.threshold, w.rule_id))
        ORDER BY w.channel_id, w.sku_id
        ON CONFLICT (channel_id, sku_id) DO UPDATE
        SET threshold = excluded.threshold, rule_id = excluded.rule_id
        RETURNING known.sku_id
    ), dropped AS (
        DELETE FROM inventory_channelterm t
        WHERE t.account_id = %(account)s AND t.sku_id = ANY(%(among)s::bigint[])
          AND NOT EXISTS (SELECT FROM wished w
                WHERE (w.channel_id, w.sku_id) = (t.channel_id, t.sku_id))
        RETURNING t.sku_id
    )
    SELECT sku_id FROM put UNION SELECT sku_id FROM dropped
"""  # noqa: S608  # own text


@dataclass(frozen=True, slots=True)
class RuleBook:
    """The rules in force of one account, in their order, and the nodes that each is for."""

    account_id: UUID
    rules: tuple[RuleDraft, ...]
    members: Mapping[int, frozenset[int]]

    @property
    def of_nodes(self) -> list[RuleDraft]:
        return [rule for rule in self.rules if rule.channel_id is None]

    @property
    def of_channels(self) -> list[RuleDraft]:
        return [rule for rule in self.rules if rule.channel_id is not None]

    def nodes_of(self, rule: RuleDraft) -> frozenset[int] | None:
        """The nodes that the rule is for; None is all of them."""
        if rule.group_id is None and not rule.node_ids:
            return None
        return frozenset(rule.node_ids) | self.members.get(rule.group_id or 0, frozenset())


def rule_book(account_id: UUID, at: datetime) -> RuleBook:
    """What is in force of the account's rules at this time. Two statements."""
    rows = (
        BufferRule.objects.for_scope(ALL_ACCOUNTS)
        .filter(account_id=account_id, state=RuleState.LIVE, starts_at__lte=at)
        .filter(Q(ends_at=None) | Q(ends_at__gt=at))
    )
    return book_of(account_id, [draft_of(row) for row in rows])


def book_of(account_id: UUID, rules: Sequence[RuleDraft]) -> RuleBook:
    """These rules in their order, with the members of their groups. One statement."""
    members: dict[int, set[int]] = {}
    groups = {rule.group_id for rule in rules if rule.group_id is not None}
    for row in NodeGroupMember.objects.filter(group_id__in=groups) if groups else ():
        members.setdefault(row.group_id, set()).add(row.node_id)
    ordered = sorted(rules, key=lambda rule: (rule.sequence, str(rule.id or "~")))
    frozen = {group_id: frozenset(nodes) for group_id, nodes in members.items()}
    return RuleBook(account_id, tuple(ordered), frozen)


def draft_of(row: BufferRule) -> RuleDraft:
    return RuleDraft(
        account_id=row.account_id,
        name=row.name,
        sequence=row.sequence,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        selection=selection_of(row),
        channel_id=row.channel_id,
        group_id=row.group_id,
        node_ids=tuple(row.node_ids),
        safety_units=row.safety_units,
        safety_percent=row.safety_percent,
        cover_days=row.cover_days,
        cover_over_days=row.cover_over_days,
        threshold=row.threshold,
        id=row.pk,
    )


@dataclass(frozen=True, slots=True)
class Demand:
    """Units reserved per position over the last so many days: (position, days, units)."""

    rows: tuple[tuple[int, int, int], ...] = ()


def demand_for(book: RuleBook, at: datetime) -> Demand:
    """What the rules with days of cover need to know. One statement, and none without such rules."""
    days = sorted({rule.cover_over_days for rule in book.of_nodes if rule.cover_days})
    if not days:
        return Demand()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT v.position_id, d.days, sum(v.quantity - v.released)::bigint
            FROM inventory_reservation v
            JOIN unnest(%s::int[], %s::timestamptz[]) AS d (days, since) ON v.at > d.since
            WHERE v.account_id = %s AND v.position_id IS NOT NULL AND v.at <= %s
              AND v.at > %s
            GROUP BY 1, 2
            """,
            [
                days,
                [at - timedelta(days=each) for each in days],
                book.account_id,
                at,
                at - timedelta(days=days[-1]),
            ],
        )
        return Demand(tuple(cursor.fetchall()))


def changed_positions(book: RuleBook, demand: Demand, sku_ids: Collection[int]) -> list[int]:
    """Positions of these SKUs whose buffer is not what it should be, by id. One statement."""
    with connection.cursor() as cursor:
        cursor.execute("WITH " + _CHANGED, _parameters(book, demand, sku_ids))
        return [row[0] for row in cursor.fetchall()]


def write_buffers(
    book: RuleBook,
    demand: Demand,
    sku_ids: Collection[int],
    locked: Sequence[int],
    *,
    at: datetime,
) -> set[int]:
    """Give the locked positions the buffer that they should have; returns the SKUs. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH " + _WRITE,
            _parameters(book, demand, sku_ids) | {"locked": list(locked), "at": at},
        )
        return {row[0] for row in cursor.fetchall()}


def write_terms(book: RuleBook, sku_ids: Collection[int]) -> set[int]:
    """Keep the thresholds of these SKUs equal to the rules; returns those changed. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_TERMS_WRITE, _term_parameters(book, sku_ids))
        return {row[0] for row in cursor.fetchall()}


def thresholds_by(book: RuleBook, sku_ids: Collection[int]) -> dict[tuple[UUID, int], int]:
    """The threshold of each channel and SKU that these rules come to. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_TERMS_WISHED, _term_parameters(book, sku_ids))
        return {(row[0], row[1]): row[2] for row in cursor.fetchall()}


@dataclass(frozen=True, slots=True)
class PlaceFigure:
    """Units of a SKU free at one kind of node now and under other rules, and positions touched.

    `owner_id` names whose they are where they are not the account's own.
    """

    sku_id: int
    kind: int
    owner_id: UUID | None
    before: int
    after: int
    sellable: int
    positions: int


def figures_by(
    book: RuleBook, demand: Demand, sku_ids: Collection[int], kinds: Mapping[int, int]
) -> list[PlaceFigure]:
    """What is free of each SKU by kind of node (node id → kind), now and by these rules. One statement."""
    asked = {"known": list(kinds), "kinds": list(kinds.values())}
    with connection.cursor() as cursor:
        cursor.execute("WITH " + _FIGURES, _parameters(book, demand, sku_ids) | asked)
        return [PlaceFigure(*row) for row in cursor.fetchall()]


def _parameters(book: RuleBook, demand: Demand, sku_ids: Collection[int]) -> dict[str, Any]:
    rules, among = book.of_nodes, sorted(set(sku_ids))
    classes, said = _classes(book, rules)
    return {
        "account": book.account_id,
        "selections": Jsonb(as_rows([rule.selection for rule in rules])),
        "skus": among,
        "among": among,
        "rules": Jsonb(
            [
                {
                    "place": place,
                    "rule_id": str(rule.id) if rule.id else None,
                    "units": rule.safety_units,
                    "percent": rule.safety_percent,
                    "cover": rule.cover_days,
                    "over": rule.cover_over_days,
                }
                for place, rule in enumerate(rules)
            ]
        ),
        "nodes": list(classes),
        "classes": list(classes.values()),
        "saying": [class_ for class_, places in enumerate(said) for _ in places],
        "places": [place for places in said for place in places],
        "sold": [row[0] for row in demand.rows],
        "over": [row[1] for row in demand.rows],
        "units": [row[2] for row in demand.rows],
        "everything": EVERYTHING,
    }


def _classes(
    book: RuleBook, rules: Sequence[RuleDraft]
) -> tuple[dict[int, int], list[tuple[int, ...]]]:
    """Nodes that the same rules are for stand in one class; class 0 is of all other nodes."""
    named = [book.nodes_of(rule) for rule in rules]
    everywhere = tuple(place for place, nodes in enumerate(named) if nodes is None)
    said = [everywhere]
    classes: dict[int, int] = {}
    for node_id in sorted({node_id for nodes in named if nodes for node_id in nodes}):
        places = tuple(
            place for place, nodes in enumerate(named) if nodes is None or node_id in nodes
        )
        if places not in said:
            said.append(places)
        classes[node_id] = said.index(places)
    return classes, said


def _term_parameters(book: RuleBook, sku_ids: Collection[int]) -> dict[str, Any]:
    rules, among = book.of_channels, sorted(set(sku_ids))
    return {
        "account": book.account_id,
        "selections": Jsonb(as_rows([rule.selection for rule in rules])),
        "skus": among,
        "among": among,
        "rules": Jsonb(
            [
                {
                    "place": place,
                    "rule_id": str(rule.id) if rule.id else None,
                    "channel_id": str(rule.channel_id),
                    "threshold": rule.threshold,
                }
                for place, rule in enumerate(rules)
            ]
        ),
    }
