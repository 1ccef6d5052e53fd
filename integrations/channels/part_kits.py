"""Parts of kits that will never be sent while other parts have left: what a shop owes its buyer for them.

A shop knows the kit and not its parts: the kit counts as sent with the first of them, so that nothing of
it can be taken off there any more. What the missing parts are worth goes back as an amount alone.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from config.kernel.types import ALL_ACCOUNTS
from integrations.models import ChannelCopy, CopyKind
from orders.billing import value_of
from orders.selectors import LineStanding

KITS = "kits"
"""What a copy's `wanted` names its kits and amounts by."""


@dataclass(frozen=True, slots=True)
class Due:
    """What is due to date of each kit, by the shop's id of its line; minor units, tax included."""

    kits: Mapping[str, int]

    def beyond(self, told: Mapping[str, int]) -> dict[str, int]:
        """What of it was not told yet."""
        return {
            kit: minor - told.get(kit, 0)
            for kit, minor in sorted(self.kits.items())
            if minor > told.get(kit, 0)
        }

    def exceeded(self, told: Mapping[str, int]) -> dict[str, int]:
        """What was told beyond it: a parcel came back, and with it the kit may yet be taken off whole."""
        return {
            kit: minor - self.kits.get(kit, 0)
            for kit, minor in sorted(told.items())
            if minor > self.kits.get(kit, 0)
        }


def due(lines: Sequence[LineStanding], taken_off: Mapping[UUID, tuple[int, int]]) -> Due:
    """What the shop owes for parts of kits that have begun to leave, of what was `taken_off` by us.

    `taken_off` is (units, worth) per line. Parts that may yet go with a whole kit that is taken off are
    not counted: the shop gives that kit back by itself.
    """
    kits: dict[str, int] = {}
    for kit in lines:
        parts = [line for line in lines if line.parent_id == kit.line_id and line.ordered]
        if not parts or not kit.external_id or not kit.ordered:
            continue
        begun = max(-(-part.shipped * kit.ordered // part.ordered) for part in parts)
        off = min(part.cancelled * kit.ordered // part.ordered for part in parts)
        # Each of these may still be taken off whole, with whatever parts of it are missing now.
        undecided = max(0, kit.ordered - begun - off)
        worth = 0
        for part in parts:
            each = part.ordered // kit.ordered
            missing = max(0, part.cancelled - (off + undecided) * each)
            units, minor = taken_off.get(part.line_id, (0, 0))
            worth += value_of(minor, units, min(missing, units))
        if worth:
            kits[kit.external_id] = worth
    return Due(kits)


def told(order_ids: Collection[UUID]) -> dict[UUID, dict[str, int]]:
    """What the shops of these orders were told of their kits' parts so far, less what a kit that was
    taken off whole after that did not bring again. One statement.
    """
    rows = ChannelCopy.objects.for_scope(ALL_ACCOUNTS).filter(
        order_id__in=list(order_ids),
        kind__in=[CopyKind.REFUND, CopyKind.CANCEL],
        wanted__has_key=KITS,
    )
    found: dict[UUID, dict[str, int]] = {}
    for order_id, wanted in rows.values_list("order_id", "wanted"):
        known = found.setdefault(order_id, {})
        for kit, minor in wanted[KITS].items():
            known[kit] = known.get(kit, 0) + int(minor)
    return found
