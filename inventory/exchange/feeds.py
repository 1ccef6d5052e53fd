"""What feeds declare, as a file, by node and source."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from config.kernel.access import Permission
from config.kernel.errors import Invalid
from config.kernel.types import Actor, Scope
from inventory import selectors, services
from inventory.exchange.cells import Choice, Flag, Text, Whole
from inventory.exchange.kinds import Column, Key, Kind, Refusal, Row
from inventory.services.listening import check_terms
from inventory.states import Degrade, FeedOrdering, FeedSemantics
from inventory.types import FeedTerms

_MINUTES: Final = Whole(1, 60 * 24 * 90)
_SPANS: Final = ("expected_every", "silent_after", "reconcile_every")


def _current(account_id: UUID, keys: Collection[Key] | None) -> Iterable[Mapping[str, Any]]:
    wanted = None if keys is None else set(keys)
    for kept in selectors.feed_terms_of(Scope(frozenset({account_id}))):
        values = dict(kept)
        for name in _SPANS:
            span: timedelta | None = values.pop(name)
            values[f"{name}_minutes"] = None if span is None else int(span.total_seconds() // 60)
        if wanted is None or (values["node"], values["source"]) in wanted:
            yield values


def _write(
    account_id: UUID, rows: Sequence[Row], at: datetime, actor: Actor
) -> Sequence[Refusal | None]:
    scope = Scope(frozenset({account_id}))
    nodes = selectors.nodes_by_code({row["node"] for row in rows}, scope)
    terms: list[FeedTerms] = []
    refused: list[Refusal | None] = []
    for row in rows:
        if row["node"] not in nodes:
            detail = f"There is no node {row['node']}; use its code."
            refused.append(Refusal("node", "unknown-node", detail))
            continue
        wanted = _terms(row, nodes[row["node"]], account_id)
        try:
            check_terms(wanted)
        except Invalid as error:
            refused.append(Refusal("degrade", error.code, error.detail))
        else:
            refused.append(None)
            terms.append(wanted)
    services.declare_feeds(terms, at=at, actor=actor)
    return refused


def _terms(row: Row, node_id: int, account_id: UUID) -> FeedTerms:
    values = {name: value for name, value in row.values.items() if name != "node"}
    for name in _SPANS:
        minutes = values.pop(f"{name}_minutes")
        values[name] = None if minutes is None else timedelta(minutes=minutes)
    return FeedTerms(node_id, account_id=account_id, **values)


FEEDS: Final = Kind(
    code="feeds",
    label="Feeds",
    about="Who tells of stock at which node, and what becomes of it while they are silent.",
    columns=(
        Column("node", Text(32), needed=True),
        Column("source", Text(64), needed=True),
        Column("semantics", Choice(FeedSemantics.values), empty=FeedSemantics.BOTH.value),
        Column("ordering", Choice(FeedOrdering.values), empty=FeedOrdering.NONE.value),
        Column("nets_committed", Flag(), empty=False),
        Column("nets_picked", Flag(), empty=False),
        Column("nets_held", Flag(), empty=True),
        Column("expected_every_minutes", _MINUTES),
        Column("silent_after_minutes", _MINUTES),
        Column("degrade", Choice(Degrade.values), empty=Degrade.NONE.value),
        Column("haircut_percent", Whole(0, 100), empty=0),
        Column("heal_units", Whole(), help="Empty: no limit."),
        Column("heal_percent", Whole(0, 1_000), help="Of the book. Empty: no limit."),
        Column("heal_value_minor", Whole(), help="At the selling price. Empty: no limit."),
        Column("heal_sensitive", Flag(), empty=True, help="Also lots, serials, hazards and laws."),
        Column("reconcile_every_minutes", _MINUTES),
    ),
    key=("node", "source"),
    current=_current,
    write=_write,
    permission=Permission.NETWORK_EDIT,
)
