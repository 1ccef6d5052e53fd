"""The demo in numbers: what our database says, and what the other side's records say of it."""

from config.demo import records
from config.demo.counterparts import Counterparts
from config.kernel.types import Scope
from config.reports import summary

NAMED = 3
"""So many of the orders that differ are named; what is more is looked for on the pages."""


def ours(scope: Scope) -> list[tuple[str, str]]:
    """Counted by SQL and nothing else."""
    total = summary.totals(scope=scope)
    split = summary.splits(scope=scope)
    causes = ", ".join(f"{row['cause'].replace('_', ' ')} {row['groups']}" for row in split)
    return [
        ("orders captured", f"{total['captured']:,}"),
        ("held for a reason", f"{total['held']:,} ({total['held_now']:,} still)"),
        ("accepted", f"{total['accepted']:,}"),
        ("backordered", f"{total['backordered']:,} ({total['backordered_now']:,} still)"),
        ("groups split", f"{sum(row['groups'] for row in split):,} ({causes})"),
        (
            "released",
            f"{total['released']:,} in {total['fulfillment_orders']:,} fulfillment orders",
        ),
        ("shipped", f"{total['shipped']:,} in {total['parcels']:,} parcels"),
        ("delivered", f"{total['delivered']:,}"),
        ("cancelled", f"{total['cancelled']:,}"),
        ("cancelled after promise", _cancelled(scope)),
        ("returns", _returned(scope)),
        ("cases", f"{total['cases']:,} ({total['cases_open']:,} open)"),
    ]


def theirs(counterparts: Counterparts, scope: Scope) -> list[tuple[str, str]]:
    """Counted against the records of the simulated systems."""
    kept = records.promises_kept(counterparts, scope=scope)
    share = 100 * kept.on_time / kept.delivered if kept.delivered else 0
    return [
        ("on the first promise", f"{kept.on_time:,} of {kept.delivered:,} ({share:.1f} %)"),
        ("oversold", f"{records.oversold(counterparts, scope=scope):,}"),
        ("refunds", _refunds(counterparts, scope)),
        ("money out of balance", _money(counterparts, scope)),
        ("channel copies that differ", _differing(counterparts, scope)),
    ]


def _refunds(counterparts: Counterparts, scope: Scope) -> str:
    ours, theirs = (
        f"{minor / 100:,.2f}" for minor in records.given_back(counterparts, scope=scope)
    )
    return f"{ours} given back, {theirs} by the gateway's records"


def _money(counterparts: Counterparts, scope: Scope) -> str:
    found = len(records.money_differing(counterparts, scope=scope))
    under_way = records.money_under_way(scope=scope)
    return f"{found:,}" + (f" ({under_way:,} under way, not compared)" if under_way else "")


def _differing(counterparts: Counterparts, scope: Scope) -> str:
    found = records.copies_compared(counterparts, scope=scope)
    known = f" ({len(found.known):,} more with a case)" if found.known else ""
    named = ", ".join(f"{one.system} {one.what}" for one in found.differ[:NAMED])
    return f"{len(found.differ):,} of {found.orders:,} orders{known}" + (named and f": {named}")


def _cancelled(scope: Scope) -> str:
    found = summary.cancelled_after_promise(scope=scope)
    why = ", ".join(f"{row['reason'].lower()} {row['orders']}" for row in found)
    return f"{sum(row['orders'] for row in found):,}" + (f" ({why})" if why else "")


def _returned(scope: Scope) -> str:
    total = summary.returned(scope=scope)
    money = f"{total['credited_minor'] / 100:,.2f}"
    return f"{total['returns']:,} ({total['settled']:,} settled, {money} given back)"
