"""What is asked of a simulated WooCommerce, read: filters, times, lists, amounts and its refusals. Pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from integrations.sandbox.box import Refusal
from integrations.sandbox.shop_orders import Document
from integrations.sandbox.shop_woocommerce_wire import SITE_ZONE


def as_asked(refund: Document, asked: Sequence[Mapping[str, Any]]) -> None:
    """The refund's lines are worth what was said of them; the amount stands by itself."""
    told = {str(one.get("id")): one for one in asked}
    for line in refund["lines"]:
        said = told.get(str(line["line"]), {})
        line["subtotal"] = minor(said.get("refund_total", 0))
        line["tax"] = sum(minor(tax.get("refund_total", 0)) for tax in said.get("refund_tax", []))


def wanted(asked: Mapping[str, str]) -> Callable[[Mapping[str, Any]], bool]:
    """Whether an order is asked for. Times are the site's own, unless `dates_are_gmt` or offset."""
    statuses = listed(asked.get("status", "any")) - {"any"}
    ids = listed(asked.get("include", ""))
    bounds = [
        (field, name, _moment(asked[name], gmt=asked.get("dates_are_gmt") in {"true", "1"}))
        for name, field in (
            ("after", "created_at"),
            ("before", "created_at"),
            ("modified_after", "updated_at"),
            ("modified_before", "updated_at"),
        )
        if asked.get(name)
    ]

    def is_wanted(order: Mapping[str, Any]) -> bool:
        if statuses and order["status"] not in statuses:
            return False
        if ids and str(order["id"]) not in ids:
            return False
        return all(
            datetime.fromisoformat(order[field]) > bound
            if name.endswith("after")
            else datetime.fromisoformat(order[field]) < bound
            for field, name, bound in bounds
        )

    return is_wanted


def _moment(said: str, *, gmt: bool) -> datetime:
    try:
        read = datetime.fromisoformat(said.replace(" ", "+"))
    except ValueError:
        raise wrong("rest_invalid_param", "Invalid parameter(s): after") from None
    return read if read.tzinfo else read.replace(tzinfo=UTC if gmt else SITE_ZONE)


def minor(said: object) -> int:
    try:
        return int((Decimal(str(said)) * 100).to_integral_value())
    except InvalidOperation:
        raise wrong("rest_invalid_param", "Invalid parameter(s): amount") from None


def listed(text: str) -> set[str]:
    return {part.strip() for part in text.split(",") if part.strip()}


def wrong(code: str, message: str, status: int = 400) -> Refusal:
    return Refusal(status, {"code": code, "message": message, "data": {"status": status}})
