"""What the orders API answers, as plain values: no serializer is built per row."""

from collections.abc import Callable
from typing import Any, Final

from config.kernel.masking import masked, masked_email, masked_phone
from orders.api.parts import parts_of
from orders.models import Order, OrderLine
from orders.selectors import OrderPage
from orders.sourcing import QUOTE
from orders.states import BUCKETS
from orders.types import AcceptedOrder, CapturedOrder

_MASKS: Final[dict[str, Callable[[str], str]]] = {
    "name": masked,
    "company": masked,
    "line1": masked,
    "line2": masked,
    "email": masked_email,
    "phone": masked_phone,
}


def order_row(order: Order) -> dict[str, Any]:
    """One order of the list; its channel must have been read with it."""
    return {
        "id": str(order.pk),
        "number": order.number,
        "external_id": order.external_id,
        "external_number": order.external_number,
        "channel": order.channel.code,
        "state": str(order.state),
        "progress": order.progress,
        "payment_state": order.payment_state,
        "currency": order.currency,
        "total_minor": order.total_minor,
        "cancelled_minor": order.cancelled_minor,
        "holds_open": order.holds_open,
        "placed_at": order.placed_at,
        "updated_at": order.updated_at,
        "ship_by": order.ship_by,
        "deliver_by": order.deliver_by,
        "tags": order.tags,
        "customer_tags": order.customer_tags,
    }


def page_body(page: OrderPage, *, shown: bool = False) -> dict[str, Any]:
    """One order with everything that belongs to it; people masked unless they are to be shown."""
    body = order_row(page.order)
    body["contacts"] = "shown" if shown else "masked"
    body["groups"] = [_group(page, group, shown=shown) for group in page.groups]
    body["holds"] = [
        {
            "id": str(hold.pk),
            "type": hold.type,
            "scope": hold.scope,
            "state": str(hold.state),
            "blocks": hold.blocks,
            "reason": hold.reason,
            "placed_at": hold.placed_at,
            "until": hold.until,
        }
        for hold in page.holds
    ]
    body["money"] = [
        {
            "kind": kind,
            "state": str(getattr(row, "state", "issued")),
            "amount_minor": row.amount_minor,
        }
        for kind, rows in (
            ("authorization", page.authorizations),
            ("capture", page.captures),
            ("refund", page.refunds),
            ("invoice", page.invoices),
        )
        for row in rows
    ]
    body["tenders"] = [
        {
            "id": str(tender.pk),
            "kind": tender.kind,
            "provider": tender.provider,
            "collected_by": str(tender.collected_by),
            "amount_minor": tender.amount_minor,
            "captured_minor": tender.captured_minor,
            "refunded_minor": tender.refunded_minor,
            "charged_back_minor": tender.charged_back_minor,
        }
        for tender in page.tenders
    ]
    body["disputes"] = [
        {
            "id": str(dispute.id),
            "reference": dispute.reference,
            "state": dispute.state,
            "amount_minor": dispute.amount_minor,
            "reason": dispute.reason,
            "evidence_due_at": dispute.evidence_due_at,
            "opened_at": dispute.opened_at,
            "settled_at": dispute.settled_at,
            "charged_back_minor": dispute.charged_back_minor,
        }
        for dispute in page.disputes
    ]
    body["promises"] = [
        {
            "group_id": str(promise.group_id),
            "version": promise.version,
            "cause": promise.cause,
            "ship_by": promise.ship_by,
            "deliver_earliest": promise.deliver_earliest,
            "deliver_latest": promise.deliver_latest,
            "at": promise.at,
        }
        for promise in page.promises
    ]
    body |= parts_of(page.order.pk)
    if page.buyer is not None:
        body["customer"] = _person(
            {name: getattr(page.buyer, name) for name in ("name", "company", "email", "phone")},
            shown=shown,
        )
    return body


def _person(fields: dict[str, Any], *, shown: bool) -> dict[str, Any]:
    """A person or place as far as it is shown; what routing needs of a place stays readable."""
    if shown:
        return fields
    return {
        name: _MASKS[name](value) if name in _MASKS and value else value
        for name, value in fields.items()
    }


def _group(page: OrderPage, group: Any, *, shown: bool) -> dict[str, Any]:
    body = {
        "id": str(group.pk),
        "method": group.method,
        "fulfilled_by": group.fulfilled_by,
        "region": group.region,
        "postal_code": group.postal_code,
        "country": group.country,
        "pickup_node": group.pickup_node.code if group.pickup_node else None,
        "service_level": group.service_level.code if group.service_level else None,
        "ship_by": group.ship_by,
        "deliver_by": group.deliver_by,
        "quote": _quote(group),
        "lines": [_line(line) for line in page.lines if line.group_id == group.pk],
    }
    address = page.addresses.get(group.pk)
    if address is not None:
        fields = {name: getattr(address, name) for name in address.__dataclass_fields__}
        body["address"] = _person(fields, shown=shown)
    return body


def _quote(group: Any) -> dict[str, Any] | None:
    """What became of the quote that the group was ordered by."""
    if group.quote_id is None:
        return None
    found = group.bounds.get(QUOTE, {})
    missed = found.get("missed", "")
    return {
        "id": str(group.quote_id),
        "option": group.quote_option,
        "outcome": "missed" if missed else "kept" if found else "waits",
        "why": missed,
        "detail": found.get("detail", ""),
    }


def _line(line: OrderLine) -> dict[str, Any]:
    return {
        "id": str(line.pk),
        "external_id": line.external_id,
        "external_sku": line.external_sku,
        "sku": line.sku.code if line.sku else None,
        "kind": line.kind,
        "title": line.title,
        "parent_id": str(line.parent_id) if line.parent_id else None,
        "relation": line.relation,
        "unit_price": str(line.unit_price),
        "total_minor": line.total_minor,
        "quantities": {"ordered": line.ordered}
        | {bucket: getattr(line, bucket) for bucket in BUCKETS},
    }


def taken_order(captured: CapturedOrder, accepted: AcceptedOrder | None) -> dict[str, Any]:
    """The answer to an order sent: what it became."""
    return {
        "id": str(captured.id),
        "number": captured.number,
        "external_id": captured.external_id,
        "state": accepted.state if accepted else captured.state,
        "progress": accepted.progress if accepted else captured.progress,
        "holds": list(captured.holds),
        "warnings": list(captured.warnings),
        "repeated": captured.repeated,
        "reserved": accepted.reserved if accepted else 0,
        "backordered": accepted.backordered if accepted else 0,
        "ship_by": accepted.ship_by if accepted else None,
        "deliver_by": accepted.deliver_by if accepted else None,
    }
