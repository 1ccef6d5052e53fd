"""Payment verbs of an order: try a refused capture again, note a new authorisation."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import clock
from config.kernel.actors import actor_of, reach_of
from config.kernel.idempotency import idempotent
from config.kernel.types import Outcome
from orders import selectors, services
from orders.api import shapes
from orders.api.requests import matched, order_id_of, read_body, refusal_of
from orders.models import Order
from orders.types import HandSettlement, NewAuthorization


class PaymentVerbs:
    """Part of the order view set."""

    @extend_schema(request=None, responses=shapes.PaymentAnswerShape)
    @action(detail=True, methods=["post"], url_path="retry-capture")
    @idempotent
    @matched
    def retry_capture(self, request: Request, pk: str) -> Response:
        """Ask the provider again for the money that it refused."""
        order_id = order_id_of(pk)
        outcome = services.retry_capture(order_id, at=clock.now(), actor=actor_of(request))
        return _answer(request, order_id, outcome)

    @extend_schema(request=None, responses=shapes.PaymentAnswerShape)
    @action(detail=True, methods=["post"], url_path="retry-refund")
    @idempotent
    @matched
    def retry_refund(self, request: Request, pk: str) -> Response:
        """Ask the provider again for the refunds that it refused."""
        order_id = order_id_of(pk)
        outcome = services.retry_refund(order_id, at=clock.now(), actor=actor_of(request))
        return _answer(request, order_id, outcome)

    @extend_schema(request=None, responses=shapes.PaymentAnswerShape)
    @action(detail=True, methods=["post"], url_path="look-up-payments")
    @idempotent
    @matched
    def look_up_payments(self, request: Request, pk: str) -> Response:
        """Have the provider asked what became of payments with an unknown outcome."""
        order_id = order_id_of(pk)
        (outcome,) = services.look_up_payments([order_id], at=clock.now(), actor=actor_of(request))
        return _answer(request, order_id, outcome)

    @extend_schema(request=None, responses=shapes.PaymentAnswerShape)
    @action(detail=True, methods=["post"], url_path="ask-for-payment")
    @idempotent
    @matched
    def ask_for_payment(self, request: Request, pk: str) -> Response:
        """Have the buyer asked to pay what is not secured: event `payment.asked_for`."""
        order_id = order_id_of(pk)
        (outcome,) = services.ask_for_payment([order_id], at=clock.now(), actor=actor_of(request))
        return _answer(request, order_id, outcome)

    @extend_schema(request=shapes.RiskInput, responses=shapes.PaymentAnswerShape)
    @action(detail=True, methods=["post"], url_path="accept-risk")
    @idempotent
    @matched
    def accept_risk(self, request: Request, pk: str) -> Response:
        """Send it unpaid: what is not secured is owed on account, and its hold for payment ends."""
        order_id = order_id_of(pk)
        given = read_body(shapes.RiskInput, request)
        (outcome,) = services.accept_risks(
            [order_id], given["reason"], at=clock.now(), actor=actor_of(request)
        )
        return _answer(request, order_id, outcome)

    @extend_schema(request=shapes.SettlementInput, responses=shapes.PaymentAnswerShape)
    @action(detail=True, methods=["post"], url_path="settle-payment")
    @idempotent
    @matched
    def settle_payment(self, request: Request, pk: str) -> Response:
        """Record what a person found out about a refused refund, or a payment of unknown outcome."""
        order_id = order_id_of(pk)
        given = read_body(shapes.SettlementInput, request)
        selectors.require_payment_of(order_id, given["payment_id"])
        said = HandSettlement(given["payment_id"], given["happened"], given["reference"])
        (outcome,) = services.settle_payments_by_hand(
            [said], at=clock.now(), actor=actor_of(request)
        )
        return _answer(request, order_id, outcome)

    @extend_schema(request=shapes.AuthorizationInput, responses=shapes.PaymentAnswerShape)
    @action(detail=True, methods=["post"], url_path="authorizations")
    @idempotent
    @matched
    def authorize(self, request: Request, pk: str) -> Response:
        """Note what the buyer has authorised since: what is owed is asked of it.

        Of a cancelled order it is let go.
        """
        order_id = order_id_of(pk)
        given = read_body(shapes.AuthorizationInput, request)
        (outcome,) = services.record_authorizations(
            [
                NewAuthorization(
                    order_id,
                    given["reference"],
                    given["amount_minor"],
                    given.get("expires_at"),
                    given.get("tender_id"),
                )
            ],
            at=clock.now(),
            actor=actor_of(request),
        )
        return _answer(request, order_id, outcome)


def _answer(request: Request, order_id: UUID, outcome: Outcome[UUID] | Outcome[int]) -> Response:
    if outcome.value is None:
        raise refusal_of(outcome)
    order = Order.objects.for_scope(reach_of(request)).get(pk=order_id)
    return Response({"payment_state": order.payment_state, "outcome": outcome.kind.value})
