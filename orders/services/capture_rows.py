"""From a judged draft to the rows of an order. No query, no clock: values in, rows out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from config.kernel import ids, vault
from orders.services.capture_lines import line_rows
from orders.services.capture_money import shape_money
from orders.services.capture_people import address_row, shape_people
from orders.services.holding import hold_row
from orders.services.shaped import Judged, Routes, Row, Shaped
from orders.states import (
    Blocks,
    HoldScope,
    Mode,
    OrderState,
    Progress,
)
from orders.types import GroupDraft, HoldRequest
from orders.validators.finding import Finding, Severity


def shape(judged: Judged, key_id: UUID | None, *, placed_by: str, at: datetime) -> Shaped:
    """Every row of the order; personal data is sealed with the key."""
    draft, currency = judged.draft, judged.currency
    shaped = Shaped(draft, _order_row(judged, at))
    shape_people(shaped, key_id, at)
    by_external: dict[str, UUID] = {}
    places: dict[tuple[int, int], tuple[UUID, UUID]] = {}
    for group_at, group in enumerate(draft.groups):
        row = _group_row(shaped, group, group_at, judged.routes, key_id)
        shaped.groups.append(row)
        for line_at, line in enumerate(group.lines):
            lines = line_rows(shaped, row["id"], line, judged)
            by_external.setdefault(line.external_id, lines[0]["id"])
            places[group_at, line_at] = (row["id"], lines[0]["id"])
            shaped.lines += lines
    for (group_at, line_at), (_, line_id) in places.items():
        parent = draft.groups[group_at].lines[line_at].parent_external_id
        if parent is not None and by_external.get(parent, line_id) != line_id:
            next(row for row in shaped.lines if row["id"] == line_id)["parent_id"] = by_external[
                parent
            ]
    _shape_holds(shaped, judged.findings, places, placed_by, at)
    shape_money(shaped, currency, at)
    shaped.warnings = tuple(f.detail for f in judged.findings if f.severity is Severity.WARN)
    return shaped


def _order_row(judged: Judged, at: datetime) -> Row:
    draft = judged.draft
    past = draft.mode == Mode.HISTORY
    return {
        "id": draft.id or ids.uuid7(),
        "account_id": draft.account_id,
        "brand_id": draft.brand_id,
        "channel_id": draft.channel_id,
        "document_kind": draft.document_kind,
        "external_id": draft.external_id,
        "external_number": draft.external_number[:64],
        "mode": draft.mode,
        "state": (OrderState.CLOSED if past else OrderState.CAPTURED).value,
        "progress": (Progress.DELIVERED if past else Progress.WAITING).value,
        "currency": judged.currency,
        "tax_inclusive": draft.tax_inclusive,
        "placed_at": draft.placed_at,
        "captured_at": at,
        "updated_at": at,
        "accepted_at": draft.placed_at if past else None,
        "closed_at": draft.placed_at if past else None,
        "priority": draft.priority,
        "tags": [tag[:48] for tag in draft.tags],
        "customer_tags": [tag[:48] for tag in draft.customer_tags],
        "lookalike_hash": judged.lookalike_hash,
        "inbox_id": draft.inbox_id,
        "cart_hold_id": judged.cart_hold_id,
        "customer_id": None,
        "billing_contact_id": None,
        "event_seq": 1,
        "holds_open": 0,
        "blocked": [],
    }


def _group_row(
    shaped: Shaped, group: GroupDraft, position: int, routes: Routes, key_id: UUID | None
) -> Row:
    contact: Row | None = None
    if group.address is not None and key_id is not None:
        contact = address_row(shaped.draft.account_id, key_id, group.address)
        shaped.contacts.append(contact)
    return {
        "id": ids.uuid7(),
        "order_id": shaped.id,
        "account_id": shaped.draft.account_id,
        "position": position,
        "method": group.method,
        "fulfilled_by": group.fulfilled_by,
        "contact_id": contact["id"] if contact else None,
        "postal_code": contact["postal_code"] if contact else "",
        "region": contact["region"] if contact else "",
        "country": contact["country"] if contact else "",
        "pickup_node_id": routes.nodes.get(group.pickup_node_code or ""),
        "service_level_id": routes.services.get(group.service_level_code or ""),
        "service_code": group.service_level_code
        if group.service_level_code in routes.services
        else "",
        "ship_complete": group.ship_complete,
        "not_before": group.not_before,
        "requested_by": group.requested_by,
        "gift_message": vault.seal(key_id, {"text": group.gift_message})
        if group.gift_message and key_id is not None
        else None,
        "handling_notes": group.handling_notes[:500],
        "quote_id": group.quote_id,
        "quote_option": group.quote_option[:64],
    }


def _shape_holds(
    shaped: Shaped,
    findings: Sequence[Finding],
    places: Mapping[tuple[int, int], tuple[UUID, UUID]],
    placed_by: str,
    at: datetime,
) -> None:
    """One hold per type and place; several findings of one place share its reason."""
    if shaped.draft.mode == Mode.HISTORY:
        return
    reasons: dict[tuple[str, UUID | None, UUID | None], list[str]] = {}
    for finding in findings:
        if finding.severity is not Severity.HOLD:
            continue
        group_id = line_id = None
        if finding.group is not None:
            group_id = shaped.groups[finding.group]["id"]
        if finding.line is not None and finding.group is not None:
            line_id = places[finding.group, finding.line][1]
        reasons.setdefault((finding.hold_type, group_id, line_id), []).append(finding.detail)
    for (kind, group_id, line_id), details in reasons.items():
        shaped.holds.append(
            hold_row(
                shaped.draft.account_id,
                HoldRequest(
                    shaped.id,
                    kind,
                    " ".join(details),
                    group_id=group_id,
                    line_id=line_id,
                    handle=f"{kind}:{line_id or group_id or 'order'}",
                ),
                placed_by=placed_by,
                at=at,
            )
        )
    blocked = {
        what for row in shaped.holds if row["scope"] == HoldScope.ORDER for what in row["blocks"]
    }
    shaped.order["holds_open"] = len(shaped.holds)
    shaped.order["blocked"] = sorted(Blocks(what).value for what in blocked)
    shaped.order["event_seq"] = 1 + len(shaped.holds)
