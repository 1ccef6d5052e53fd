"""A payment gateway that an account has connected, and orders paid by it."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from config.kernel import ids
from config.kernel.models import Account, Intent
from config.kernel.services.intents import Answer, AnswerKind, LeasedIntent
from config.kernel.types import ALL_ACCOUNTS
from integrations import services
from integrations.sandbox.gateway import GatewaySandbox, new_reference
from integrations.services import ConnectionDraft
from integrations.types import ConnectionRef
from orders.models import Order
from orders.services import move_units, record_shipments, renew, settle
from orders.types import Move, ShippedUnits
from tests.factories.kernel import NOON
from tests.factories.orders import ANNA, Shop, card, line, only_line, send_to_node
from tests.factories.routing import SYSTEM

SECRET = "whsec_canary_of_the_gateway"
CODE = "acme-pay"


def a_gateway(
    account: Account, simulator: GatewaySandbox | None = None, **changes: Any
) -> ConnectionRef:
    """The account's connection to a gateway, live."""
    draft = ConnectionDraft(
        account.pk,
        "payments",
        CODE,
        "gateway",
        "Acme Pay",
        base_url=simulator.url if simulator else "http://127.0.0.1:9",
        secrets={"webhook_secret": SECRET},
        **changes,
    )
    ref = services.define_connection(draft, at=NOON, actor=SYSTEM)
    return services.go_live(ref.id, at=NOON, actor=SYSTEM)


def an_order(web: Shop, units: int = 2, *, behavior: str = "ok", **details: Any) -> Order:
    """Units at 10.00 on a card that the gateway has authorised."""
    reference = new_reference(1000 * units, behavior)
    tender = replace(card(1000 * units, reference=reference, **details), provider=CODE)
    return web.accepted(line(web.sku(9), units), tenders=(tender,))


def ship(order: Order, units: int | None = None, *, delivered: bool = True) -> UUID:
    """Have units leave in a parcel, and arrive; answers the parcel."""
    kept = only_line(order)
    if kept.reserved:
        send_to_node(kept)
    quantity, parcel_id = units or kept.ordered, ids.uuid7()
    with transaction.atomic():
        record_shipments(
            [ShippedUnits(order.id, kept.id, quantity, parcel_id)], at=NOON, actor=ANNA
        )
        if delivered:
            move_units([Move(kept.id, "underway", "delivered", quantity)], at=NOON, actor=ANNA)
    return parcel_id


_PERFORMED = {
    "payment.capture": (settle.perform_capture, settle.record_capture),
    "payment.void": (settle.perform_void, settle.record_void),
    "payment.refund": (settle.perform_refund, settle.record_refund),
    "payment.renew": (renew.perform_renewal, renew.record_renewal),
}


def carry_out(*, at: datetime = NOON) -> list[str]:
    """Ask for everything that is to be asked, once, as the worker does; how each ended."""
    waiting = Intent.objects.for_scope(ALL_ACCOUNTS).filter(state__in=["pending", "unknown"])
    return [_carry_out(intent, at) for intent in waiting.order_by("pk")]


def _carry_out(intent: Intent, at: datetime) -> str:
    perform, record = _PERFORMED[intent.kind]
    leased = LeasedIntent(
        intent.id,
        intent.account_id,
        intent.kind,
        intent.key,
        intent.subject_kind,
        intent.subject_id,
        intent.payload,
        1,
        False,
    )
    answer: Answer | None = settle.find(leased) if intent.state == "unknown" else None
    answer = answer or perform(leased)
    states = {AnswerKind.DONE: "done", AnswerKind.REFUSED: "refused", AnswerKind.RETRY: "pending"}
    state = states.get(answer.kind, "unknown")
    Intent.objects.for_scope(ALL_ACCOUNTS).filter(pk=intent.pk).update(state=state)
    if state in {"done", "refused"}:
        with transaction.atomic():
            record(leased, answer, at=at, actor=ANNA)
    return state
