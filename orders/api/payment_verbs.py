"""Payment verbs of an order: try a refused capture again, note a new authorisation."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import access, clock
from config.kernel.actors import actor_of
from config.kernel.idempotency import idempotent
from config.kernel.types import Outcome
from orders import services
from orders.api import shapes
from orders.api.requests import check_match, order_id_of, read_body, refusal_of
from orders.models import Order
from orders.types import NewAuthorization


class PaymentVerbs:
    """Part of the order view set."""

    @extend_schema(request=None, responses=shapes.PaymentAnswerShape)
    @action(detail=True, methods=["post"], url_path="retry-capture")
    @idempotent
    def retry_capture(self, request: Request, pk: str) -> Response:
        """Ask the provider again for the money that it refused."""
        order_id = order_id_of(pk)
        check_match(request, order_id)
        outcome = services.retry_capture(order_id, at=clock.now(), actor=actor_of(request))
        return _answer(request, order_id, outcome)

    @extend_schema(request=shapes.AuthorizationInput, responses=shapes.PaymentAnswerShape)
    @action(detail=True, methods=["post"], url_path="authorizations")
    @idempotent
    def authorize(self, request: Request, pk: str) -> Response:
        """Note what the buyer has authorised since: what is owed is asked of it."""
        order_id = order_id_of(pk)
        check_match(request, order_id)
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


def _answer(request: Request, order_id: UUID, outcome: Outcome[UUID]) -> Response:
    if outcome.value is None:
        raise refusal_of(outcome)
    order = Order.objects.for_scope(access.scope_of(request.user)).get(pk=order_id)
    return Response({"payment_state": order.payment_state, "outcome": outcome.kind.value})
