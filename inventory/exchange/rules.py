"""Buffer rules and quotas as files, by their names."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from config.kernel.access import Permission
from config.kernel.errors import Invalid
from config.kernel.types import Actor, Scope
from inventory import selectors, services
from inventory.exchange.cells import Choice, Flag, Moment, Text, Whole
from inventory.exchange.kinds import Column, Key, Kind, Refusal, Row
from inventory.services.quotas import check_quota
from inventory.services.rules import check_rule
from inventory.states import Lifecycle, QuotaKind, RuleState

_LIST: Final = Text(200_000)
_UNITS: Final = Whole()
_PERCENT: Final = Whole(0, 100)
_SELECTED: Final = (
    Column("skus", _LIST, empty="", help="Codes, with spaces between them; empty is all."),
    Column("brand", Text(32), empty="", help="Code of the brand."),
    Column("lifecycle", Choice(["", *Lifecycle.values]), empty=""),
    Column("attribute", Text(64), empty=""),
    Column("value", Text(200), empty="", help="The value that the attribute has."),
    Column("starts_at", Moment(), needed=True),
    Column("ends_at", Moment(), help="Empty: no end."),
)
_LISTS: Final = ("skus", "nodes")


def _current_rules(account_id: UUID, keys: Collection[Key] | None) -> Iterable[Mapping[str, Any]]:
    rows = selectors.buffer_rules(Scope(frozenset({account_id})))
    codes = selectors.node_codes(rows)
    found = [selectors.values_of_rule(row, codes) for row in rows]
    return _named(found, keys)


def _current_quotas(account_id: UUID, keys: Collection[Key] | None) -> Iterable[Mapping[str, Any]]:
    rows = selectors.quota_plans(Scope(frozenset({account_id})))
    return _named([selectors.values_of_quota(row) for row in rows], keys)


def _named(
    found: Sequence[dict[str, Any]], keys: Collection[Key] | None
) -> list[Mapping[str, Any]]:
    """By name, the first of several alike."""
    by_name: dict[str, Mapping[str, Any]] = {}
    for values in sorted(found, key=lambda values: str(values["name"])):
        shown = {
            name: " ".join(value) if name in _LISTS else value for name, value in values.items()
        }
        by_name.setdefault(values["name"], shown)
    wanted = None if keys is None else {key[0] for key in keys}
    return [values for name, values in by_name.items() if wanted is None or name in wanted]


def _write_rules(
    account_id: UUID, rows: Sequence[Row], at: datetime, actor: Actor
) -> Sequence[Refusal | None]:
    known = {values["name"]: values for values in _current_rules(account_id, None)}
    drafts, refused = _drafts(rows, known, selectors.names_of(account_id).rule, check_rule)
    ids = services.define_rules([draft for _, draft in drafts], at=at, actor=actor)
    states = {
        id_: (row["state"], known.get(row["name"], {}).get("state", RuleState.DRAFT.value))
        for id_, (row, _) in zip(ids, drafts, strict=True)
    }
    begun = [id_ for id_, (wished, was) in states.items() if wished == "live" != was]
    ended = [id_ for id_, (wished, was) in states.items() if wished == "draft" != was]
    services.publish_rules(begun, at=at, actor=actor)
    services.withdraw_rules(ended, at=at, actor=actor)
    return refused


def _write_quotas(
    account_id: UUID, rows: Sequence[Row], at: datetime, actor: Actor
) -> Sequence[Refusal | None]:
    known = {values["name"]: values for values in _current_quotas(account_id, None)}
    drafts, refused = _drafts(
        rows,
        known,
        selectors.names_of(account_id).quota,
        lambda draft: check_quota(draft, at),
    )
    services.plan_quotas([draft for _, draft in drafts], at=at, actor=actor)
    return refused


def _drafts(
    rows: Sequence[Row],
    known: Mapping[str, Mapping[str, Any]],
    draft_of: Callable[[Mapping[str, Any]], Any],
    check: Callable[[Any], None],
) -> tuple[list[tuple[Row, Any]], list[Refusal | None]]:
    """The rows that can be, as drafts; and of each row why it cannot be, or None."""
    drafts: list[tuple[Row, Any]] = []
    refused: list[Refusal | None] = []
    for row in rows:
        values = {
            name: value.split() if name in _LISTS else value for name, value in row.values.items()
        }
        try:
            draft = draft_of({**values, "id": known.get(row["name"], {}).get("id")})
            check(draft)
        except Invalid as error:
            pointer = next((one["pointer"] for one in error.extra["errors"]), "/name")
            refused.append(Refusal(pointer.strip("/"), error.code, error.detail))
        else:
            drafts.append((row, draft))
            refused.append(None)
    return drafts, refused


def _end_rules(
    account_id: UUID, rows: Sequence[Row], at: datetime, actor: Actor
) -> Sequence[Refusal | None]:
    known = {values["name"]: values["id"] for values in _current_rules(account_id, None)}
    services.end_rules([known[row["name"]] for row in rows], at=at, actor=actor)
    return [None for _ in rows]


def _end_quotas(
    account_id: UUID, rows: Sequence[Row], at: datetime, actor: Actor
) -> Sequence[Refusal | None]:
    known = {values["name"]: values["id"] for values in _current_quotas(account_id, None)}
    services.end_quotas([known[row["name"]] for row in rows], at=at, actor=actor)
    return [None for _ in rows]


BUFFER_RULES: Final = Kind(
    code="buffer_rules",
    label="Buffer rules",
    about="What is kept back of nodes' stock and of channels' figures; of those that match the "
    "last one counts.",
    columns=(
        Column("name", Text(120), needed=True),
        Column("sequence", Whole(-1_000_000, 1_000_000), needed=True),
        Column("state", Choice(["draft", "live"]), empty="draft"),
        Column("channel", Text(32), empty="", help="With a channel it is a threshold."),
        Column("threshold", _UNITS),
        Column("group", Text(32), empty="", help="Code of a group of nodes."),
        Column("nodes", _LIST, empty="", help="Codes; with no group either, all nodes."),
        Column("safety_units", _UNITS),
        Column("safety_percent", _PERCENT),
        Column("cover_days", Whole(0, 365)),
        Column("cover_over_days", Whole(1, 365), empty=28),
        *_SELECTED,
    ),
    key=("name",),
    current=_current_rules,
    write=_write_rules,
    permission=Permission.INVENTORY_PLAN,
    remove=_end_rules,
)
QUOTAS: Final = Kind(
    code="quotas",
    label="Quotas",
    about="Units of SKUs that are kept for one channel, always or for an event.",
    columns=(
        Column("name", Text(120), needed=True),
        Column("channel", Text(32), needed=True),
        Column("kind", Choice(QuotaKind.values), needed=True),
        Column("units", _UNITS),
        Column("percent", _PERCENT),
        Column("cap", _UNITS, help="Most units of each SKU; empty: as many as are free."),
        Column("spill", Flag(), empty=False, help="Others may have what is not used."),
        Column("spill_at", Moment(), help="From when; empty: at any time."),
        Column("overlay", Flag(), empty=False, help="An event's: above the others."),
        Column("sequence", Whole(-1_000_000, 1_000_000), empty=0),
        *_SELECTED,
    ),
    key=("name",),
    current=_current_quotas,
    write=_write_quotas,
    permission=Permission.INVENTORY_PLAN,
    remove=_end_quotas,
)
