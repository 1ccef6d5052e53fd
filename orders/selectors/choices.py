"""Pickups that their stores gave up, as far as their buyers have not chosen yet."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Q

from config.kernel.models import ChannelKind
from config.kernel.types import ALL_ACCOUNTS
from orders.models import Hold, Order, OrderLine
from orders.promise_policy import DEFAULT, PromisePolicy, policies_of
from orders.selectors.release import opened_address
from orders.states import FulfilledBy, LineKind, Mode, OrderState
from orders.types import Address

BUYER_CHOICE: Final = "buyer_choice"
ASK_THEMSELVES: Final = (ChannelKind.MARKETPLACE, ChannelKind.POS)
MAY_BE_ASKED: Final = Q(order__mode=Mode.LIVE) & ~Q(order__channel__kind__in=ASK_THEMSELVES)
"""Of holds: we ask the buyers ourselves. Marketplaces and tills ask theirs."""


@dataclass(frozen=True, slots=True)
class OpenChoice:
    """What a buyer has to choose about: units of a group by line.

    `codes` are the units by code of their SKU that go elsewhere, with what is reserved of the group
    and was not asked of the store yet. `store_id` is the store that gave them up. `divided` says that part of the group is there still,
    so that nothing goes elsewhere. `address` is where the order names one. `until` is when silence
    cancels; None where it does not. `asks` says whether the account asks its buyers.
    """

    group_id: UUID
    order_id: UUID
    account_id: UUID
    channel_id: UUID
    currency: str
    store_id: int | None
    units: dict[UUID, int]
    codes: dict[str, int]
    divided: bool
    address: Address | None
    asks: bool
    until: datetime | None


def silence_cancels(policy: PromisePolicy) -> bool:
    """Whether silence about a given-up pickup cancels it."""
    return policy.ask and policy.cancel_on_silence


def open_choices(order_ids: Collection[UUID]) -> dict[UUID, OpenChoice]:
    """By group, what its buyer has to choose about. Three statements, one where nothing waits."""
    holds = list(
        Hold.objects.for_scope(ALL_ACCOUNTS)
        .active()
        .filter(
            Q(line__pending__gt=0) | Q(line__backordered__gt=0),
            type=BUYER_CHOICE,
            order_id__in=list(order_ids),
            order__state=OrderState.ACCEPTED,
            line__group__fulfilled_by=FulfilledBy.US,
        )
        .select_related("order__channel", "line__sku", "line__group__contact")
        .order_by("pk")
    )
    if not holds:
        return {}
    by_group: defaultdict[UUID, dict[UUID, OrderLine]] = defaultdict(dict)
    since: dict[UUID, datetime] = {}
    for hold in holds:
        if hold.line is not None:
            by_group[hold.line.group_id][hold.line.pk] = hold.line
            since[hold.line.group_id] = min(
                hold.placed_at, since.get(hold.line.group_id, hold.placed_at)
            )
    beside: defaultdict[UUID, list[OrderLine]] = defaultdict(list)
    for line in (
        OrderLine.objects.for_scope(ALL_ACCOUNTS)
        .filter(Q(reserved__gt=0) | Q(released__gt=0), group_id__in=list(by_group))
        .select_related("sku")
    ):
        beside[line.group_id].append(line)
    orders = {hold.order_id: hold.order for hold in holds}
    policies = policies_of({hold.account_id for hold in holds})
    return {
        group_id: _choice(
            list(lines.values()),
            next(orders[line.order_id] for line in lines.values()),
            policies,
            since[group_id],
            beside[group_id],
        )
        for group_id, lines in by_group.items()
    }


def _choice(
    lines: Sequence[OrderLine],
    order: Order,
    policies: Mapping[UUID, PromisePolicy],
    since: datetime,
    beside: Sequence[OrderLine],
) -> OpenChoice:
    group, policy = lines[0].group, policies.get(order.account_id, DEFAULT)
    codes: defaultdict[str, int] = defaultdict(int)
    for line in lines:
        codes[_code(line)] += line.pending + line.backordered
    for line in beside:
        if line.reserved and line.kind == LineKind.STOCK:
            codes[_code(line)] += line.reserved
    address = opened_address(group.contact)
    asks = policy.ask and order.mode == Mode.LIVE and order.channel.kind not in ASK_THEMSELVES
    return OpenChoice(
        group_id=group.pk,
        order_id=order.pk,
        account_id=order.account_id,
        channel_id=order.channel_id,
        currency=order.currency,
        store_id=group.pickup_node_id,
        units={line.pk: line.pending + line.backordered for line in lines},
        codes=dict(codes),
        divided=any(line.released for line in beside),
        address=address if address is not None and address.line1 else None,
        asks=asks,
        until=since + policy.answer_within if asks and silence_cancels(policy) else None,
    )


def _code(line: OrderLine) -> str:
    return str(line.sku.code if line.sku else line.external_sku)


def lines_to_choose(line_ids: Collection[UUID]) -> set[UUID]:
    """Those of the lines that wait for their buyer's choice."""
    found = Hold.objects.for_scope(ALL_ACCOUNTS).active()
    return set(
        found.filter(type=BUYER_CHOICE, line_id__in=list(line_ids)).values_list(
            "line_id", flat=True
        )
    )
