"""The orders API: send orders, read them, cancel, hold and release. One or two commands each."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import clock, idempotency
from config.kernel.access import Permission
from config.kernel.actors import actor_of, reach_of
from config.kernel.errors import Conflict, DomainError, Invalid
from config.kernel.idempotency import Stored, idempotent
from config.kernel.pagination import KeysetPagination
from config.kernel.permissions import needs
from config.kernel.problems import as_body
from config.kernel.types import Outcome
from orders import selectors, services
from orders.api import channels, intake, rendering, shapes
from orders.api.change_verbs import ChangeVerbs
from orders.api.filters import NUMBERS, TEXTS, TIMES, read_filters
from orders.api.intake import Sent, read_one, read_orders
from orders.api.payment_verbs import PaymentVerbs
from orders.api.promise_verbs import PromiseVerbs
from orders.api.requests import (
    allowed_now,
    etag_of,
    holds_to_lift,
    matched,
    order_id_of,
    page_of,
    problem_of,
    read_body,
    refusal_of,
    show_contacts,
)
from orders.api.reserved_verbs import ReservedVerbs
from orders.models import Order
from orders.types import AcceptedOrder, CancelRequest, CapturedOrder, HoldRequest

MOST_ORDERS = 1_000
SEE = (Permission.ORDERS_VIEW, Permission.API_ORDERS_READ)
SEND = (Permission.API_ORDERS_WRITE,)
_VERBS = {
    "create": SEND,
    "bulk": SEND,
    "cancel": (Permission.ORDERS_CANCEL, *SEND),
    "hold": (Permission.ORDERS_HOLD, *SEND),
    "release_hold": (Permission.ORDERS_HOLD, *SEND),
    "retry_capture": (Permission.ORDERS_HOLD, *SEND),
    "retry_refund": (Permission.ORDERS_HOLD, *SEND),
    "look_up_payments": (Permission.ORDERS_HOLD, *SEND),
    "settle_payment": (Permission.PAYMENTS_SETTLE,),
    "ask_for_payment": (Permission.ORDERS_HOLD, *SEND),
    "accept_risk": (Permission.PAYMENTS_SETTLE,),
    "correct_address": (Permission.ORDERS_CHANGE_ADDRESS, *SEND),
    "pickup_choice": (Permission.ORDERS_CHANGE_ADDRESS, *SEND),
    "pin": (Permission.ORDERS_REROUTE, *SEND),
    "notes": (Permission.ORDERS_NOTE, *SEND),
    "authorize": (Permission.ORDERS_HOLD, *SEND),
    "move_units": (Permission.INVENTORY_CLAIM,),
    "free_units": (Permission.INVENTORY_CLAIM,),
    "consent": (Permission.ORDERS_NOTE, *SEND),
}


class OrderViewSet(
    ChangeVerbs, PaymentVerbs, PromiseVerbs, ReservedVerbs, viewsets.GenericViewSet[Order]
):
    """Orders of the caller's accounts, newest first."""

    serializer_class = shapes.OrderShape
    pagination_class = KeysetPagination
    queryset = Order.objects.none()
    lookup_value_regex = "[0-9a-fA-F-]{32,36}"
    keyset_order: tuple[str, ...] = ("-id",)

    def get_permissions(self) -> Sequence[Any]:
        return [needs(*_VERBS.get(self.action, SEE))()]

    def handle_exception(self, exc: Exception) -> Response:
        """A verb that the order's state does not permit is told which ones it does."""
        if type(exc) is Conflict and "pk" in self.kwargs and "allowed" not in exc.extra:
            exc.extra["allowed"] = allowed_now(self.request, self.kwargs["pk"])
        return super().handle_exception(exc)

    @extend_schema(
        parameters=[
            *(OpenApiParameter(name, str) for name in (*TEXTS, "channel", "q")),
            *(
                OpenApiParameter(name, OpenApiTypes.DATETIME)
                for name in TIMES
                if name != "updated_since"
            ),
            *(OpenApiParameter(name, int) for name in NUMBERS),
            OpenApiParameter("late", bool, description="Past their ship-by date and not shipped."),
            OpenApiParameter("node", str, description="Code of a node that sends units of it."),
            OpenApiParameter(
                "updated_since",
                OpenApiTypes.DATETIME,
                description="Changed then or later; the least recently changed first. Changes are "
                "seen when they are committed: ask from a minute before the last one you have.",
            ),
        ],
        responses=shapes.OrderShape(many=True),
    )
    def list(self, request: Request) -> Response:
        scope = reach_of(request)
        filters = read_filters(request)
        if filters.updated_since is not None:
            self.keyset_order = ("updated_at", "id")
        found = selectors.orders_matching(scope, filters).select_related("channel")
        page = self.paginate_queryset(found) or []
        return self.get_paginated_response([rendering.order_row(order) for order in page])

    @extend_schema(
        responses=shapes.OrderPageShape,
        parameters=[
            OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER),
            OpenApiParameter(
                "contacts",
                enum=["masked", "shown"],
                description="Names, streets, e-mail and phone are masked. `shown` needs "
                "`orders.view_contact`; each look is recorded in the order's timeline.",
            ),
        ],
    )
    def retrieve(self, request: Request, pk: str) -> Response:
        """One order with everything that belongs to it; `ETag` is its version."""
        page = page_of(request, pk, with_contacts=True)
        etag = etag_of(page.order)
        if request.query_params.get("contacts") == "shown":
            show_contacts(request, page)
            return Response(rendering.page_body(page, shown=True), headers={"ETag": etag})
        if request.headers.get("If-None-Match") == etag:
            return Response(status=304, headers={"ETag": etag})
        return Response(rendering.page_body(page), headers={"ETag": etag})

    @extend_schema(
        request=shapes.OrderInput,
        responses={201: shapes.TakenOrderShape, 200: shapes.TakenOrderShape},
    )
    def create(self, request: Request) -> HttpResponse:
        """Send one order: 201 when it is new, 200 when it was there, 422 with every error at once."""
        asked, raw = idempotency.asked_of(request), request._request.body
        try:
            channel = channels.channel_or_refusal(request)
            sent = read_one(
                request.data, channel, raw, asked, at=clock.now(), actor=actor_of(request)
            )
        except (DomainError, APIException):
            if asked is not None and (earlier := idempotency.answered(asked)) is not None:
                return idempotency.replay(earlier)
            raise
        answer = intake.take_in_one(sent)
        if isinstance(answer, Stored):
            return idempotency.replay(answer)
        return Response(answer.body, status=answer.status)

    @extend_schema(request=shapes.BulkInput, responses=shapes.ItemsShape)
    @action(detail=False, methods=["post"])
    def bulk(self, request: Request) -> HttpResponse:
        """Send up to 1,000 orders, each with its own outcome; one bad order stops no other."""
        asked = idempotency.asked_of(request)
        given = request.data.get("orders") if isinstance(request.data, Mapping) else None
        if not isinstance(given, list) or not 1 <= len(given) <= MOST_ORDERS:
            raise Invalid(
                f"Send between 1 and {MOST_ORDERS:,} orders.",
                errors=[{"pointer": "/orders", "code": "invalid", "detail": "A list is wanted."}],
            )
        at, actor = clock.now(), actor_of(request)
        read = read_orders(given, channels.channels_of(request, given), at=at, actor=actor)
        sent = [one for one in read if isinstance(one, Sent)]
        if asked is not None:
            asked = replace(asked, ids=tuple(one.draft.id for one in sent if one.draft.id))

        def take_in(made: Collection[UUID]) -> Response:
            answers = iter(intake.take_in(sent, at=at, actor=actor, made=made))
            results = [
                _item(*next(answers)) if isinstance(one, Sent) else _refused(one) for one in read
            ]
            return Response({"results": results})

        return idempotency.several(asked, take_in)

    @extend_schema(request=shapes.CancelInput, responses=shapes.CancelAnswerShape)
    @action(detail=True, methods=["post"])
    @idempotent
    @matched
    def cancel(self, request: Request, pk: str) -> Response:
        """Cancel the order, some lines, or some units of lines."""
        order_id = order_id_of(pk)
        given = read_body(shapes.CancelInput, request)
        shared = {
            "reason": given.get("reason", ""),
            "initiator": given.get("initiator", "merchant"),
        }
        requests = [
            CancelRequest(order_id, line["line_id"], line.get("quantity"), **shared)
            for line in given.get("lines", ())
        ] or [CancelRequest(order_id, **shared)]
        outcomes = services.cancel_units(requests, at=clock.now(), actor=actor_of(request))
        if all(not outcome.ok for outcome in outcomes):
            raise refusal_of(outcomes[0])
        state = next(outcome.value.state for outcome in outcomes if outcome.value is not None)
        return Response(
            {
                "state": str(state),
                "results": [
                    _cancelled(asked, outcome)
                    for asked, outcome in zip(requests, outcomes, strict=True)
                ],
            }
        )

    @extend_schema(request=shapes.HoldInput, responses=shapes.HoldAnswerShape)
    @action(detail=True, methods=["post"])
    @idempotent
    @matched
    def hold(self, request: Request, pk: str) -> Response:
        """Hold the order, a delivery group or a line."""
        order_id = order_id_of(pk)
        given = read_body(shapes.HoldInput, request)
        (outcome,) = services.place_holds(
            [
                HoldRequest(
                    order_id,
                    given.get("type", "manual"),
                    given["reason"],
                    given.get("group_id"),
                    given.get("line_id"),
                    given.get("until"),
                    given.get("handle", ""),
                )
            ],
            at=clock.now(),
            actor=actor_of(request),
        )
        if outcome.value is None:
            raise refusal_of(outcome)
        return Response({"id": str(outcome.value), "outcome": outcome.kind.value}, status=201)

    @extend_schema(request=shapes.ReleaseHoldInput, responses=shapes.ReleaseAnswerShape)
    @action(detail=True, methods=["post"], url_path="release-hold")
    @idempotent
    @matched
    def release_hold(self, request: Request, pk: str) -> Response:
        """Lift holds of the order; what they kept from acceptance is accepted."""
        given = read_body(shapes.ReleaseHoldInput, request)
        wanted = holds_to_lift(request, page_of(request, pk).holds, given.get("hold_ids") or [])
        outcomes = services.release_holds(
            wanted, given.get("reason", ""), at=clock.now(), actor=actor_of(request)
        )
        if all(not outcome.ok for outcome in outcomes):
            raise refusal_of(outcomes[0])
        ended = zip(wanted, outcomes, strict=True)
        return Response({"results": [_lifted(hold_id, outcome) for hold_id, outcome in ended]})


def _item(captured: Outcome[CapturedOrder], accepted: AcceptedOrder | None) -> dict[str, Any]:
    if captured.value is None:
        return {"outcome": captured.kind.value, "problem": problem_of(captured)}
    return {
        "outcome": captured.kind.value,
        "order": rendering.taken_order(captured.value, accepted),
    }


def _refused(refusal: DomainError) -> dict[str, Any]:
    return {"outcome": "refused", "problem": as_body(refusal)}


def _lifted(hold_id: UUID, outcome: Outcome[UUID]) -> dict[str, Any]:
    item: dict[str, Any] = {"id": str(hold_id), "outcome": outcome.kind.value}
    if outcome.problem is not None:
        item["problem"] = problem_of(outcome)
    return item


def _cancelled(asked: CancelRequest, outcome: Outcome[Any]) -> dict[str, Any]:
    item: dict[str, Any] = {"outcome": outcome.kind.value}
    if asked.line_id is not None:
        item["line_id"] = str(asked.line_id)
    if outcome.value is None:
        return item | {"problem": problem_of(outcome)}
    return item | {
        "cancelled": outcome.value.cancelled,
        "asked": outcome.value.asked,
        "refused": outcome.value.refused,
    }
