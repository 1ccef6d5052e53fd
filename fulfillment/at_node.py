"""What a node still has: what it may be asked to give back, and what keeps it from closing."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, F, Q, Sum

from config.kernel.types import ALL_ACCOUNTS, Scope
from fulfillment.models import FulfillmentOrder, NodeRequest
from fulfillment.states import OPEN_FULFILLMENT, FulfillmentState, RequestState

_PICKUP = "pickup"
_UNBEGUN = (FulfillmentState.RELEASED, FulfillmentState.ACKNOWLEDGED)


@dataclass(frozen=True, slots=True)
class Unbegun:
    """Work of one account of which nothing is picked: it may go from another node."""

    account_id: UUID
    work_ids: tuple[UUID, ...]
    units: int


@dataclass(frozen=True, slots=True)
class LeftAtNode:
    """Work that is open at a node, of every account, by what it waits for."""

    to_pack: int = 0
    to_hand_over: int = 0
    for_buyers: int = 0
    questions: int = 0

    def __bool__(self) -> bool:
        return bool(self.to_pack or self.to_hand_over or self.for_buyers or self.questions)

    @property
    def in_words(self) -> str:
        """As in: 3 to pick and pack, 1 waiting for buyers. Empty when nothing is left."""
        said = (
            (self.to_pack, "to pick and pack"),
            (self.to_hand_over, "to hand over"),
            (self.for_buyers, "waiting for buyers"),
            (self.questions, "unanswered questions to the node"),
        )
        return ", ".join(f"{count} {what}" for count, what in said if count)


def unbegun_at(node_id: int, scope: Scope) -> list[Unbegun]:
    """What may be asked back of the node, by account: nothing is picked, and no buyer comes for it."""
    found = (
        FulfillmentOrder.objects.for_scope(scope)
        .filter(node_id=node_id, state__in=_UNBEGUN)
        .exclude(method=_PICKUP)
        .annotate(
            units=Sum(F("lines__waiting") + F("lines__accepted")),
            begun=Sum(F("lines__picked") + F("lines__packed")),
        )
        .filter(units__gt=0, begun=0)
        .order_by("account_id", "pk")
    )
    by_account: dict[UUID, list[tuple[UUID, int]]] = {}
    for account_id, work_id, units in found.values_list("account_id", "pk", "units"):
        by_account.setdefault(account_id, []).append((work_id, units))
    return [
        Unbegun(account_id, tuple(one for one, _ in work), sum(units for _, units in work))
        for account_id, work in by_account.items()
    ]


def left_at(node_id: int) -> LeftAtNode:
    """What keeps the node from closing. Counts every account's: a node closes for all of them."""
    open_work = FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS).filter(
        node_id=node_id, state__in=OPEN_FULFILLMENT
    )
    counted = open_work.aggregate(
        to_hand_over=Count("pk", filter=Q(state=FulfillmentState.PACKED)),
        for_buyers=Count("pk", filter=Q(state=FulfillmentState.READY_FOR_PICKUP)),
        every=Count("pk"),
    )
    questions = NodeRequest.objects.for_scope(ALL_ACCOUNTS).filter(
        fulfillment_order__node_id=node_id, state=RequestState.SENT
    )
    return LeftAtNode(
        to_pack=counted["every"] - counted["to_hand_over"] - counted["for_buyers"],
        to_hand_over=counted["to_hand_over"],
        for_buyers=counted["for_buyers"],
        questions=questions.count(),
    )
