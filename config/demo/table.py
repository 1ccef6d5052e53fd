"""The demo in numbers: what our database says, and what the other side's records say of it."""

from config.demo import records, taken_back
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
        ("cases", f"{total['cases']:,} ({total['cases_open']:,} open)"),
    ]


def theirs(counterparts: Counterparts, scope: Scope) -> list[tuple[str, str]]:
    """Counted against the records of the simulated systems."""
    kept = records.promises_kept(counterparts, scope=scope)
    share = 100 * kept.on_time / kept.delivered if kept.delivered else 0
    return [
        ("on the first promise", f"{kept.on_time:,} of {kept.delivered:,} ({share:.1f} %)"),
        ("oversold", f"{records.oversold(counterparts, scope=scope):,}"),
        ("cancelled after promise", _cancelled(counterparts, scope)),
        ("returns", _returned(counterparts, scope)),
        ("refunds", _refunds(counterparts, scope)),
        ("money out of balance", _money(counterparts, scope)),
        ("channel copies that differ", _differing(counterparts, scope)),
    ]


def _refunds(counterparts: Counterparts, scope: Scope) -> str:
    ours, theirs = (
        f"{minor / 100:,.2f}" for minor in records.given_back(counterparts, scope=scope)
    )
    unlike = len(taken_back.refunds(counterparts, scope=scope))
    return (
        f"{ours} given back, {theirs} by the gateway's records; "
        f"{unlike:,} unlike the gateway's and the shops'"
    )


def _money(counterparts: Counterparts, scope: Scope) -> str:
    found = len(records.money_differing(counterparts, scope=scope))
    under_way = records.money_under_way(scope=scope)
    return f"{found:,}" + (f" ({under_way:,} under way, not compared)" if under_way else "")


def _differing(counterparts: Counterparts, scope: Scope) -> str:
    found = records.copies_compared(counterparts, scope=scope)
    known = f" ({len(found.known):,} more with a case)" if found.known else ""
    named = ", ".join(f"{one.system} {one.what}" for one in found.differ[:NAMED])
    return f"{len(found.differ):,} of {found.orders:,} orders{known}" + (named and f": {named}")


def _cancelled(counterparts: Counterparts, scope: Scope) -> str:
    found = summary.cancelled_after_promise(scope=scope)
    why = ", ".join(f"{row['reason'].lower()} {row['orders']}" for row in found)
    checked = taken_back.cancels(counterparts, scope=scope)
    return (
        f"{sum(row['orders'] for row in found):,}"
        + (f" ({why})" if why else "")
        + f"; {checked.theirs:,} by the sellers' records, {len(checked.differ):,} unlike them"
    )


def _returned(counterparts: Counterparts, scope: Scope) -> str:
    total = summary.returned(scope=scope)
    money = f"{total['credited_minor'] / 100:,.2f}"
    checked = taken_back.returns(counterparts, scope=scope)
    return (
        f"{total['returns']:,} ({total['settled']:,} settled, {money} given back); "
        f"{checked.theirs:,} brought by the carrier's records, {len(checked.differ):,} unlike them"
    )
