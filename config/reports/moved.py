"""Money that was moved through a payment provider, as a provider would lay it beside its own books."""

from dataclasses import dataclass

from config.kernel.types import Scope
from config.reports.sql import reach, rows, within


@dataclass(frozen=True, slots=True)
class MovedMoney:
    """One tender: its authorisations, and (captured, refunded, charged back) in minor units.

    `under_way`: a capture or refund of it has no answer yet.
    """

    order_number: str
    references: tuple[str, ...]
    amounts: tuple[int, int, int]
    under_way: bool


def through_provider(provider: str, *, scope: Scope) -> list[MovedMoney]:
    """The tenders of a provider that have an authorisation."""
    found = rows(
        f"""
        SELECT o.number,
            (SELECT array_agg(a.reference) FROM orders_authorization a
                WHERE a.tender_id = t.id AND a.reference <> '') AS known,
            (SELECT coalesce(sum(c.amount_minor), 0) FROM orders_capture c
                WHERE c.tender_id = t.id AND c.state = 'succeeded') AS captured,
            (SELECT coalesce(sum(r.amount_minor), 0) FROM orders_refund r
                WHERE r.tender_id = t.id AND r.state = 'succeeded') AS refunded,
            (SELECT coalesce(sum(b.amount_minor), 0) FROM orders_chargeback b
                WHERE b.tender_id = t.id) AS charged_back,
            EXISTS (SELECT FROM orders_capture c
                WHERE c.tender_id = t.id AND c.state IN ('requested', 'unknown'))
            OR EXISTS (SELECT FROM orders_refund r
                WHERE r.tender_id = t.id AND r.state IN ('pending', 'sent')) AS under_way
        FROM orders_tender t JOIN orders_order o ON o.id = t.order_id
        WHERE {within(scope, "t")} AND t.provider = %(provider)s
        """,  # noqa: S608  # own text; values are parameters
        reach(scope) | {"provider": provider},
    )
    return [
        MovedMoney(
            row["number"],
            tuple(row["known"]),
            (int(row["captured"]), int(row["refunded"]), int(row["charged_back"])),
            bool(row["under_way"]),
        )
        for row in found
        if row["known"]
    ]
