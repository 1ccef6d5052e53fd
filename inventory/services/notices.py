"""A shipping notice and the orders whose units it brings: each unit is expected once."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db.models import F, Q

from config.kernel import case_reports
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import ALL_ACCOUNTS, Actor
from inventory.models import Inbound, InboundLine, Sku
from inventory.states import InboundKind, InboundState
from inventory.types import ExpectedDraft, SubjectTag, subject_id

NOTICE_DIFFERS: Final = "NOTICE_DIFFERS"
OPEN: Final = (InboundState.EXPECTED.value, InboundState.ARRIVING.value)


@dataclass(slots=True)
class Difference:
    """Units of a notice, by SKU, that its orders do not know, or know fewer or more of."""

    over: Counter[int] = field(default_factory=Counter)
    unknown: Counter[int] = field(default_factory=Counter)
    short: Counter[int] = field(default_factory=Counter)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(
            name for name in ("over", "unknown", "short") if getattr(self, name).total() > 0
        )


class Orders:
    """The orders that notices name, locked by ascending id, with their lines."""

    def __init__(self, drafts: Iterable[ExpectedDraft]) -> None:
        wanted = {
            (draft.account_id, line.of_number)
            for draft in drafts
            for line in draft.lines
            if line.of_number
        }
        self._lines: dict[tuple[object, str, int], list[InboundLine]] = defaultdict(list)
        self._changed: dict[int, InboundLine] = {}
        if not wanted:
            return
        found = Inbound.objects.for_scope(ALL_ACCOUNTS).filter(
            account__in={account_id for account_id, _ in wanted},
            number__in={number for _, number in wanted},
            kind=InboundKind.PURCHASE_ORDER,
            state__in=OPEN,
        )
        keys = list(found.values_list("pk", flat=True))
        documents = {row.pk: row for row in Inbound.objects.for_scope(ALL_ACCOUNTS).locked(keys)}
        for line in InboundLine.objects.filter(inbound__in=documents).order_by("pk"):
            row = documents[line.inbound_id]
            if str(row.state) in OPEN:
                self._lines[row.account_id, row.number, line.sku_id].append(line)

    def advise(self, draft: ExpectedDraft, differ: Difference) -> list[InboundLine | None]:
        """Take each line's units over from the order that it names; the order's line, or None."""
        found: list[InboundLine | None] = []
        for line in draft.lines:
            known = self._lines.get((draft.account_id, line.of_number, line.sku_id), [])
            if not line.of_number:
                found.append(None)
                continue
            if not known:
                differ.unknown[line.sku_id] += line.units
                found.append(None)
                continue
            left = line.units
            for one in known:
                part = min(left, one.coming)
                one.expected -= part
                one.advised += part
                left -= part
                self._changed[one.pk] = one
            if left:
                differ.over[line.sku_id] += left
            found.append(known[0])
        if draft.complete:
            for number in {line.of_number for line in draft.lines if line.of_number}:
                self._short(draft, number, differ)
        return found

    def _short(self, draft: ExpectedDraft, number: str, differ: Difference) -> None:
        for (account_id, order, sku_id), lines in self._lines.items():
            if (account_id, order) == (draft.account_id, number):
                differ.short[sku_id] += sum(line.coming for line in lines)

    def write(self) -> None:
        InboundLine.objects.bulk_update(self._changed.values(), ["expected", "advised"])


def report_differences(
    differences: Mapping[int, Difference], rows: Mapping[int, Inbound], *, at: datetime
) -> None:
    """One case per notice that says something else than its orders."""
    differ = {pk: found for pk, found in differences.items() if found.names}
    if not differ:
        return
    skus = {sku_id for found in differ.values() for sku_id in _skus(found)}
    codes = dict(Sku.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=skus).values_list("pk", "code"))
    case_reports.report(
        [
            case_reports.Report(
                NOTICE_DIFFERS,
                "inbound",
                subject_id(SubjectTag.INBOUND, pk),
                rows[pk].account_id,
                {
                    "number": rows[pk].number,
                    **{
                        name: {codes[key]: n for key, n in getattr(found, name).items() if n}
                        for name in found.names
                    },
                },
                cause=f"inbound:{rows[pk].number}",
            )
            for pk, found in differ.items()
        ],
        at=at,
    )


def expect_of_orders(notices: Sequence[Inbound]) -> dict[int, Inbound]:
    """What these notices do not bring is expected of their orders again, where those are open.

    The orders are locked; answers them by id.
    """
    lines = list(
        InboundLine.objects.filter(
            inbound__in=[row.pk for row in notices], of_line__isnull=False
        ).order_by("pk")
    )
    orders = _orders_of(lines)
    of_lines = {
        line.pk: line
        for line in InboundLine.objects.filter(
            pk__in=[line.of_line_id for line in lines], inbound__in=orders
        )
    }
    for line in lines:
        one = of_lines.get(line.of_line_id or 0)
        if one is not None and (part := min(line.coming, one.advised)):
            one.expected += part
            one.advised -= part
            line.expected -= part
            line.advised += part
    InboundLine.objects.bulk_update([*of_lines.values(), *lines], ["expected", "advised"])
    return orders


def finish_orders(notice: Inbound, *, at: datetime, actor: Actor) -> None:
    """Orders of which nothing is expected any more, neither by them nor by a notice, are received."""
    lines = list(InboundLine.objects.filter(inbound=notice, of_line__isnull=False))
    orders = _orders_of(lines)
    still = set(
        InboundLine.objects.filter(
            Q(inbound__in=orders, received__lt=F("expected"))
            | Q(of_line__inbound__in=orders, received__lt=F("expected"), inbound__state__in=OPEN)
        ).values_list("inbound_id", "of_line__inbound_id")
    )
    open_ones = {pk for pair in still for pk in pair}
    ended = [row for pk, row in orders.items() if pk not in open_ones]
    for row in ended:
        row.finish()
    Inbound.objects.for_scope(ALL_ACCOUNTS).bulk_update(ended, ["state"])
    record_history(
        Inbound, [row.pk for row in ended], Change.CHANGED, at=at, actor=actor, reason="received"
    )


def _orders_of(lines: Sequence[InboundLine]) -> dict[int, Inbound]:
    """The open orders that these lines of notices name, locked by ascending id."""
    if not lines:
        return {}
    keys = set(
        InboundLine.objects.filter(pk__in={line.of_line_id for line in lines}).values_list(
            "inbound_id", flat=True
        )
    )
    locked = Inbound.objects.for_scope(ALL_ACCOUNTS).locked(keys)
    return {row.pk: row for row in locked if str(row.state) in OPEN}


def _skus(found: Difference) -> set[int]:
    return {*found.over, *found.unknown, *found.short}
