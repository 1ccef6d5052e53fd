"""Goods on their way as files: documents, the times of their lines, what may be sold ahead, suppliers."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from config.kernel.access import Permission
from config.kernel.types import Actor, Outcome, Scope
from inventory import selectors, services
from inventory.exchange.cells import Choice, Flag, Moment, Text, Whole
from inventory.exchange.kinds import Column, Key, Kind, Refusal, Row
from inventory.models import InboundLine
from inventory.states import InboundKind
from inventory.types import CapDraft, ExpectedDraft, ExpectedLine, LaneDraft, LineCap, SlipDraft

_LINE: Final = re.compile(r"(\S+)\s+([1-9][0-9]{0,8})")
_KINDS: Final = (InboundKind.PURCHASE_ORDER.value, InboundKind.ADVANCE_NOTICE.value)
_PERCENT: Final = Whole(0, 100)
_HOURS: Final = Whole(0, 24 * 365)
_SOURCE: Final = "import"


def _scope(account_id: UUID) -> Scope:
    return Scope(frozenset({account_id}))


def _current_documents(
    account_id: UUID, keys: Collection[Key] | None
) -> Iterator[Mapping[str, Any]]:
    """Orders and notices by source and number; transfers tell of their goods themselves."""
    found = selectors.inbounds(_scope(account_id)).filter(kind__in=_KINDS)
    if keys is not None:
        found = found.filter(number__in=[number for _, number in keys])
    rows = list(found.order_by("source", "number"))
    lines = selectors.inbound_lines([row.pk for row in rows])
    wanted = None if keys is None else set(keys)
    for row in rows:
        if wanted is not None and (row.source, row.number) not in wanted:
            continue
        own = lines.get(row.pk, [])
        yield {
            "source": row.source,
            "number": row.number,
            "kind": row.kind,
            "node": row.node.code,
            "supplier": row.supplier,
            "eta_at": max((line.eta_at for line in own), default=row.at),
            "lines": "; ".join(f"{line.sku.code} {line.ordered}" for line in own),
            "of_order": next((line.of_line.inbound.number for line in own if line.of_line), ""),
            "complete": False,
        }


def _write_documents(
    account_id: UUID, rows: Sequence[Row], at: datetime, actor: Actor
) -> Sequence[Refusal | None]:
    wanted = {row.number: _lines(row["lines"]) for row in rows}
    codes = {code for lines in wanted.values() for code, _ in lines}
    skus = selectors.skus_by_code(account_id, None, codes)
    nodes = selectors.nodes_by_code({row["node"] for row in rows}, _scope(account_id))
    refused = [_no_document(row, wanted[row.number], nodes, skus) for row in rows]
    drafts = [
        ExpectedDraft(
            account_id,
            nodes[row["node"]],
            row["number"],
            row["kind"],
            row["source"],
            tuple(
                ExpectedLine(skus[code].id, units, row["eta_at"], of_number=row["of_order"])
                for code, units in wanted[row.number]
            ),
            row["supplier"],
            row["complete"],
        )
        for row, why in zip(rows, refused, strict=True)
        if why is None
    ]
    return _told(refused, services.expect_inbound(drafts, at=at, actor=actor), "number")


def _no_document(
    row: Row,
    lines: Sequence[tuple[str, int]],
    nodes: Mapping[str, int],
    skus: Mapping[str, Any],
) -> Refusal | None:
    if row.known:
        return Refusal("number", "known", "It stands already; its times are a file of their own.")
    if row["node"] not in nodes:
        return Refusal("node", "unknown-node", f"There is no node {row['node']}; use its code.")
    if not lines:
        return Refusal("lines", "invalid", "Write SKUs and units as in: MUG 12; LAMP 3.")
    unknown = next((code for code, _ in lines if code not in skus), None)
    if unknown is not None:
        return Refusal("lines", "unknown-sku", f"There is no SKU {unknown}; use its code.")
    return None


def _lines(text: str) -> list[tuple[str, int]]:
    """(SKU code, units) of each line; empty when one of them cannot be read."""
    found = [_LINE.fullmatch(part.strip()) for part in text.split(";") if part.strip()]
    return [(match[1], int(match[2])) for match in found if match] if all(found) else []


def _open_lines(account_id: UUID) -> Iterator[InboundLine]:
    """Lines of which something is still to come, with their documents."""
    found = selectors.inbounds(_scope(account_id)).filter(state__in=("expected", "arriving"))
    lines = InboundLine.objects.filter(inbound__in=found).select_related("inbound", "sku")
    yield from lines.order_by("inbound__source", "inbound__number", "sku__code", "pk")


def _eta_key(line: InboundLine) -> Key:
    return line.inbound.source, line.inbound.number, line.sku.code


def _current_etas(account_id: UUID, keys: Collection[Key] | None) -> Iterator[Mapping[str, Any]]:
    """Of several lines of a SKU in one document the first."""
    wanted = None if keys is None else set(keys)
    seen: set[Key] = set()
    for line in _open_lines(account_id):
        key = _eta_key(line)
        if key in seen or (wanted is not None and key not in wanted):
            continue
        seen.add(key)
        yield {
            "source": key[0],
            "number": key[1],
            "sku": key[2],
            "eta_at": line.eta_at,
            "ahead_percent": line.ahead_percent,
            "reason": "",
        }


def _write_etas(
    account_id: UUID, rows: Sequence[Row], at: datetime, actor: Actor
) -> Sequence[Refusal | None]:
    lines: dict[Key, InboundLine] = {}
    for line in _open_lines(account_id):
        lines.setdefault(_eta_key(line), line)
    found = [lines.get((row["source"], row["number"], row["sku"])) for row in rows]
    refused: list[Refusal | None] = [
        None
        if line is not None
        else Refusal(
            "number", "not-found", "There is no such line on its way; check number and SKU."
        )
        for line in found
    ]
    by_reason: dict[str, list[tuple[int, SlipDraft]]] = {}
    for place, (row, one) in enumerate(zip(rows, found, strict=True)):
        if one is not None and one.eta_at != row["eta_at"]:
            draft = SlipDraft(one.pk, row["eta_at"])
            by_reason.setdefault(row["reason"], []).append((place, draft))
    for reason, drafts in by_reason.items():
        outcomes = services.slip_inbound(
            [draft for _, draft in drafts], source=_SOURCE, reason=reason, at=at, actor=actor
        )
        for (place, _), outcome in zip(drafts, outcomes, strict=True):
            refused[place] = _refusal(outcome, "eta_at")
    limits = [
        LineCap(one.pk, row["ahead_percent"])
        for row, one in zip(rows, found, strict=True)
        if one is not None and one.ahead_percent != row["ahead_percent"]
    ]
    services.limit_lines(limits, at=at, actor=actor)
    return refused


def _current_caps(account_id: UUID, keys: Collection[Key] | None) -> Iterator[Mapping[str, Any]]:
    wanted = None if keys is None else set(keys)
    for cap in selectors.caps(_scope(account_id)).order_by("channel__code", "sku__code"):
        if wanted is None or (cap.channel.code, cap.sku.code) in wanted:
            yield {
                "channel": cap.channel.code,
                "sku": cap.sku.code,
                "units": cap.units,
                "starts_at": cap.starts_at,
                "ends_at": cap.ends_at,
                "note": cap.note,
            }


def _write_caps(
    account_id: UUID, rows: Sequence[Row], at: datetime, actor: Actor
) -> Sequence[Refusal | None]:
    channels = selectors.names_of(account_id).channels
    skus = selectors.skus_by_code(account_id, None, {row["sku"] for row in rows})
    refused = [_no_cap(row, channels, skus) for row in rows]
    drafts = [
        CapDraft(
            account_id,
            channels[row["channel"]],
            skus[row["sku"]].id,
            row["units"],
            row["starts_at"],
            row["ends_at"],
            row["note"],
        )
        for row, why in zip(rows, refused, strict=True)
        if why is None
    ]
    return _told(refused, services.set_caps(drafts, at=at, actor=actor), "ends_at")


def _no_cap(row: Row, channels: Mapping[str, UUID], skus: Mapping[str, Any]) -> Refusal | None:
    if row["channel"] not in channels:
        return Refusal("channel", "unknown-channel", f"There is no channel {row['channel']}.")
    if row["sku"] not in skus:
        return Refusal("sku", "unknown-sku", f"There is no SKU {row['sku']}; use its code.")
    return None


def _end_caps(
    account_id: UUID, rows: Sequence[Row], at: datetime, actor: Actor
) -> Sequence[Refusal | None]:
    known = {(cap.channel.code, cap.sku.code): cap.pk for cap in selectors.caps(_scope(account_id))}
    keys = [known[row["channel"], row["sku"]] for row in rows]
    services.end_caps(keys, at=at, actor=actor)
    return [None for _ in rows]


def _current_lanes(account_id: UUID, keys: Collection[Key] | None) -> Iterator[Mapping[str, Any]]:
    wanted = None if keys is None else set(keys)
    for lane in selectors.lanes(_scope(account_id)):
        node = lane.node.code if lane.node else ""
        if wanted is None or (lane.supplier, node) in wanted:
            yield {
                "supplier": lane.supplier,
                "node": node,
                "declared_hours": lane.declared_hours,
            }


def _write_lanes(
    account_id: UUID, rows: Sequence[Row], at: datetime, actor: Actor
) -> Sequence[Refusal | None]:
    codes = {row["node"] for row in rows if row["node"]}
    nodes = selectors.nodes_by_code(codes, _scope(account_id))
    refused = [
        Refusal("node", "unknown-node", f"There is no node {row['node']}; use its code.")
        if row["node"] and row["node"] not in nodes
        else None
        for row in rows
    ]
    drafts = [
        LaneDraft(
            account_id,
            row["supplier"],
            nodes[row["node"]] if row["node"] else None,
            row["declared_hours"],
        )
        for row, why in zip(rows, refused, strict=True)
        if why is None
    ]
    return _told(refused, services.declare_lanes(drafts, at=at, actor=actor), "declared_hours")


def _told(
    refused: Sequence[Refusal | None], outcomes: Sequence[Outcome[Any]], column: str
) -> list[Refusal | None]:
    told = iter(outcomes)
    return [why or _refusal(next(told), column) for why in refused]


def _refusal(outcome: Outcome[Any], column: str) -> Refusal | None:
    if outcome.problem is None:
        return None
    return Refusal(column, outcome.problem.code, outcome.problem.detail)


INBOUND: Final = Kind(
    code="inbound",
    label="Purchase orders and shipping notices",
    about="What is on its way to nodes. A notice names the order whose units it brings. A number "
    "of a source counts once.",
    columns=(
        Column("source", Text(64), empty=_SOURCE, help="Who gives out the numbers."),
        Column("number", Text(64), needed=True),
        Column("kind", Choice(_KINDS), empty=_KINDS[0], help="po: an order, asn: a notice."),
        Column("node", Text(32), needed=True),
        Column("supplier", Text(64), empty=""),
        Column("eta_at", Moment(), needed=True),
        Column("lines", Text(20_000), needed=True, help="As in: MUG 12; LAMP 3."),
        Column("of_order", Text(64), empty="", help="Of a notice: the number of its order."),
        Column("complete", Flag(), empty=False, help="Nothing more of the order comes after it."),
    ),
    key=("source", "number"),
    current=_current_documents,
    write=_write_documents,
    permission=Permission.INVENTORY_PLAN,
)
INBOUND_ETAS: Final = Kind(
    code="inbound_etas",
    label="Times of goods on their way",
    about="When lines are expected, and how much of what they bring may be sold ahead.",
    columns=(
        Column("source", Text(64), empty=_SOURCE),
        Column("number", Text(64), needed=True),
        Column("sku", Text(64), needed=True),
        Column("eta_at", Moment(), needed=True),
        Column("ahead_percent", _PERCENT, help="Empty: no limit."),
        Column("reason", Text(200), empty="", help="Why it is another time."),
    ),
    key=("source", "number", "sku"),
    current=_current_etas,
    write=_write_etas,
    permission=Permission.INVENTORY_PLAN,
)
AHEAD_CAPS: Final = Kind(
    code="ahead_caps",
    label="What may be sold ahead",
    about="The most units of a SKU that a channel may sell before they are there.",
    columns=(
        Column("channel", Text(32), needed=True),
        Column("sku", Text(64), needed=True),
        Column("units", Whole(), needed=True),
        Column("starts_at", Moment(), help="Empty: now."),
        Column("ends_at", Moment(), help="Empty: until it is ended."),
        Column("note", Text(200), empty=""),
    ),
    key=("channel", "sku"),
    current=_current_caps,
    write=_write_caps,
    permission=Permission.INVENTORY_PLAN,
    remove=_end_caps,
)
SUPPLY_LANES: Final = Kind(
    code="supply_lanes",
    label="How late suppliers are",
    about="In hours after the time told first, for nine of ten; counts until five receipts tell.",
    columns=(
        Column("supplier", Text(64), needed=True),
        Column("node", Text(32), empty="", help="Empty: at any node."),
        Column("declared_hours", _HOURS),
    ),
    key=("supplier", "node"),
    current=_current_lanes,
    write=_write_lanes,
    permission=Permission.INVENTORY_PLAN,
)
