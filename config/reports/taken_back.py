"""What was taken off and given back after it was promised, as those who saw it would lay it beside theirs."""

from dataclasses import dataclass

from config.kernel.types import Scope
from config.reports.sql import reach, rows, within


@dataclass(frozen=True, slots=True)
class CutOrder:
    """An order of a channel of which whole lines were taken off, or kits; by whom, and when it counts.

    `by_channel` and `by_us` say who wanted it; `promised` that its buyer had been given a date before.
    """

    by_channel: bool
    by_us: bool
    promised: bool


def cut_orders(channel: str, *, scope: Scope) -> dict[str, CutOrder]:
    """Sales of one channel by its own ids, of which units were taken off."""
    found = rows(
        f"""
        SELECT o.external_id, bool_or(c.initiator = 'channel') AS by_channel,
            bool_or(c.initiator <> 'channel') AS by_us,
            bool_or(EXISTS (SELECT FROM orders_promise p
                WHERE p.order_id = c.order_id AND p.at < c.at)) AS promised
        FROM orders_linecancellation c JOIN orders_order o ON o.id = c.order_id
        JOIN kernel_channel ch ON ch.id = o.channel_id
        WHERE {within(scope, "o")} AND ch.code = %(channel)s AND o.document_kind = 'sale'
            AND o.mode <> 'history' GROUP BY 1
        """,  # noqa: S608  # own text; values are parameters
        reach(scope) | {"channel": channel},
    )
    return {
        row["external_id"]: CutOrder(row["by_channel"], row["by_us"], row["promised"])
        for row in found
    }


def owed_by_channel(channel: str, *, scope: Scope) -> dict[str, int]:
    """What the channel is to give back of what it collected, in minor units, by its own order ids.

    Credits, but those of its own word; and what parts of kits were worth that never left.
    """
    found = rows(
        f"""
        SELECT o.external_id,
            (SELECT coalesce(sum(n.amount_minor - n.carried_minor), 0) FROM orders_creditnote n
                WHERE n.order_id = o.id AND n.cause_kind <> 'channel_refund')
            + (SELECT coalesce(sum((k.wanted->>'amount_minor')::bigint), 0)
                FROM integrations_channelcopy k
                WHERE k.order_id = o.id AND k.kind = 'refund' AND k.wanted ? 'kits') AS minor
        FROM orders_order o JOIN kernel_channel ch ON ch.id = o.channel_id
        WHERE {within(scope, "o")} AND ch.code = %(channel)s AND o.document_kind = 'sale'
            AND o.mode <> 'history' AND EXISTS (SELECT FROM orders_tender t
                WHERE t.order_id = o.id AND t.collected_by = 'channel')
        """,  # noqa: S608
        reach(scope) | {"channel": channel},
    )
    return {row["external_id"]: int(row["minor"]) for row in found}


def still_told(*, scope: Scope) -> set[str]:
    """The channels' own ids of orders of which something is yet to be told."""
    found = rows(
        f"""
        SELECT DISTINCT o.external_id FROM integrations_channelcopy k
        JOIN orders_order o ON o.id = k.order_id
        WHERE {within(scope, "k")} AND k.state = 'waiting'
        """,  # noqa: S608
        reach(scope),
    )
    return {row["external_id"] for row in found}


def received_by_label(*, scope: Scope) -> dict[str, str]:
    """Returns that were received and travelled under a label of ours: tracking number → number."""
    found = rows(
        f"""
        SELECT r.number, r.tracking_number FROM returns_return r
        WHERE {within(scope, "r")} AND r.kind = 'buyer' AND r.tracking_number <> ''
            AND r.received_at IS NOT NULL
        """,  # noqa: S608
        reach(scope),
    )
    return {row["tracking_number"]: row["number"] for row in found}
