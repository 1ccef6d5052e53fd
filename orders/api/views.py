"""The orders API: send orders, read them, cancel, hold and release. One or two commands each."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import access, clock
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import Conflict, DomainError, Invalid, NotFound
from config.kernel.idempotency import idempotent
from config.kernel.models import Channel
from config.kernel.pagination import KeysetPagination
from config.kernel.permissions import needs
from config.kernel.types import Actor, Outcome
from orders import selectors, services
from orders.api import rendering, shapes
from orders.api.parsing import read_order
from orders.api.payment_verbs import PaymentVerbs
from orders.api.requests import (
    NUMBERS,
    TEXTS,
    TIMES,
    check_match,
    etag_of,
    order_id_of,
    read_body,
    read_filters,
    refusal_of,
)
from orders.models import Order
from orders.types import AcceptedOrder, CancelRequest, CapturedOrder, HoldRequest, OrderDraft

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
    "authorize": (Permission.ORDERS_HOLD, *SEND),
}


class OrderViewSet(PaymentVerbs, viewsets.GenericViewSet[Order]):
    """Orders of the caller's accounts, newest first."""

    serializer_class = shapes.OrderShape
    pagination_class = KeysetPagination
    queryset = Order.objects.none()
    lookup_value_regex = "[0-9a-fA-F-]{32,36}"
    keyset_order: tuple[str, ...] = ("-id",)

    def get_permissions(self) -> Sequence[Any]:
        return [needs(*_VERBS.get(self.action, SEE))()]

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
        scope = access.scope_of(request.user)
        filters = read_filters(request)
        if filters.updated_since is not None:
            self.keyset_order = ("updated_at", "id")
        found = selectors.orders_matching(scope, filters).select_related("channel")
        page = self.paginate_queryset(found) or []
        return self.get_paginated_response([rendering.order_row(order) for order in page])

    @extend_schema(
        responses=shapes.OrderPageShape,
        parameters=[OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER)],
    )
    def retrieve(self, request: Request, pk: str) -> Response:
        """One order with everything that belongs to it; `ETag` is its version."""
        page = selectors.order_page(
            order_id_of(pk),
            access.scope_of(request.user),
            with_contacts=access.allows(request.user, Permission.ORDERS_VIEW_CONTACT),
        )
        etag = etag_of(page.order)
        if request.headers.get("If-None-Match") == etag:
            return Response(status=304, headers={"ETag": etag})
        return Response(rendering.page_body(page), headers={"ETag": etag})

    @extend_schema(
        request=shapes.OrderInput,
        responses={201: shapes.TakenOrderShape, 200: shapes.TakenOrderShape},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Send one order: 201 when it is new, 200 when it was there, 422 with every error at once."""
        at, actor = clock.now(), actor_of(request)
        draft = read_order(request.data, _channel_of(request), at=at)
        ((captured, accepted),) = take_in([draft], at=at, actor=actor)
        if captured.value is None:
            raise refusal_of(captured)
        status = 200 if captured.value.repeated else 201
        return Response(rendering.taken_order(captured.value, accepted), status=status)

    @extend_schema(request=shapes.BulkInput, responses=shapes.ItemsShape)
    @action(detail=False, methods=["post"])
    @idempotent
    def bulk(self, request: Request) -> Response:
        """Send up to 1,000 orders, each with its own outcome; one bad order stops no other."""
        given = request.data.get("orders") if isinstance(request.data, Mapping) else None
        if not isinstance(given, list) or not 1 <= len(given) <= MOST_ORDERS:
            raise Invalid(
                f"Send between 1 and {MOST_ORDERS:,} orders.",
                errors=[{"pointer": "/orders", "code": "invalid", "detail": "A list is wanted."}],
            )
        at, actor = clock.now(), actor_of(request)
        drafts: list[OrderDraft | DomainError] = []
        for position, (body, channel) in enumerate(
            zip(given, _channels(request, given), strict=True)
        ):
            drafts.append(_draft_or_refusal(body, channel, position, at))
        wanted = [draft for draft in drafts if isinstance(draft, OrderDraft)]
        answers = iter(take_in(wanted, at=at, actor=actor))
        return Response(
            {
                "results": [
                    _item(*next(answers)) if isinstance(draft, OrderDraft) else _refused(draft)
                    for draft in drafts
                ]
            }
        )

    @extend_schema(request=shapes.CancelInput, responses=shapes.CancelAnswerShape)
    @action(detail=True, methods=["post"])
    @idempotent
    def cancel(self, request: Request, pk: str) -> Response:
        """Cancel the order, some lines, or some units of lines."""
        order_id = order_id_of(pk)
        check_match(request, order_id)
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
        return Response({"state": str(state), "results": [_cancelled(one) for one in outcomes]})

    @extend_schema(request=shapes.HoldInput, responses=shapes.HoldAnswerShape)
    @action(detail=True, methods=["post"])
    @idempotent
    def hold(self, request: Request, pk: str) -> Response:
        """Hold the order, a delivery group or a line."""
        order_id = order_id_of(pk)
        check_match(request, order_id)
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
    def release_hold(self, request: Request, pk: str) -> Response:
        """Lift holds of the order; what they kept from acceptance is accepted."""
        order_id = order_id_of(pk)
        check_match(request, order_id)
        given = read_body(shapes.ReleaseHoldInput, request)
        page = selectors.order_page(order_id, access.scope_of(request.user))
        own = [hold.pk for hold in page.holds if hold.state == "active"]
        wanted = given.get("hold_ids") or own
        if not wanted:
            raise Conflict("Nothing holds the order.")
        if not set(wanted) <= {hold.pk for hold in page.holds}:
            raise NotFound("The order has no such hold.")
        outcomes = services.release_holds(
            wanted, given.get("reason", ""), at=clock.now(), actor=actor_of(request)
        )
        return Response(
            {
                "results": [
                    {"id": str(hold_id), "outcome": outcome.kind.value}
                    for hold_id, outcome in zip(wanted, outcomes, strict=True)
                ]
            }
        )


def take_in(
    drafts: Sequence[OrderDraft], *, at: datetime, actor: Actor
) -> list[tuple[Outcome[CapturedOrder], AcceptedOrder | None]]:
    """Capture, then accept what is new: two commands, two commits.

    A crash between them leaves captured orders, which the sweeper accepts.
    """
    captured = services.capture_orders(drafts, at=at, actor=actor)
    fresh = [
        outcome.value.id
        for outcome in captured
        if outcome.value is not None and not outcome.value.repeated and outcome.value.accepts
    ]
    accepted: dict[UUID, AcceptedOrder] = {}
    if fresh:
        for order_id, outcome in zip(
            fresh, services.accept_orders(fresh, at=at, actor=actor), strict=True
        ):
            if outcome.value is not None:
                accepted[order_id] = outcome.value
    return [
        (outcome, accepted.get(outcome.value.id) if outcome.value is not None else None)
        for outcome in captured
    ]


def _channel_of(request: Request) -> Channel:
    """The channel of the one order sent. Raises Invalid when the key may not send for it."""
    (channel,) = _channels(request, [request.data])
    if channel is None:
        raise _no_channel()
    return channel


def _channels(request: Request, bodies: Sequence[Any]) -> list[Channel | None]:
    """The channel of each order: the key's own, or the one it names. One statement."""
    own = getattr(request.user, "channel_id", None)
    named = [body.get("channel") if isinstance(body, Mapping) else None for body in bodies]
    reachable = Channel.objects.for_scope(access.scope_of(request.user)).filter(active=True)
    if own is not None:
        reachable = reachable.filter(pk=own)
    else:
        reachable = reachable.filter(code__in=[name for name in named if isinstance(name, str)])
    found = {channel.code: channel for channel in reachable}
    fallback = next(iter(found.values()), None) if own is not None else None
    return [found.get(name) if isinstance(name, str) else fallback for name in named]


def _no_channel(pointer: str = "/channel") -> Invalid:
    return Invalid(
        "Name a channel that your key may send for.",
        errors=[{"pointer": pointer, "code": "unknown-channel", "detail": "No such channel."}],
    )


def _draft_or_refusal(
    body: Any, channel: Channel | None, position: int, at: datetime
) -> OrderDraft | DomainError:
    if channel is None:
        return _no_channel(f"/orders/{position}/channel")
    try:
        return read_order(body, channel, at=at, pointer=f"/orders/{position}")
    except Invalid as refusal:
        return refusal


def _item(captured: Outcome[CapturedOrder], accepted: AcceptedOrder | None) -> dict[str, Any]:
    if captured.value is None:
        return {"outcome": captured.kind.value, "problem": rendering.problem_of(captured)}
    return {
        "outcome": captured.kind.value,
        "order": rendering.taken_order(captured.value, accepted),
    }


def _refused(refusal: DomainError) -> dict[str, Any]:
    problem = {"code": refusal.code, "detail": refusal.detail, **refusal.extra}
    return {"outcome": "refused", "problem": problem}


def _cancelled(outcome: Outcome[Any]) -> dict[str, Any]:
    if outcome.value is None:
        return {"outcome": outcome.kind.value, "problem": rendering.problem_of(outcome)}
    return {
        "outcome": outcome.kind.value,
        "cancelled": outcome.value.cancelled,
        "asked": outcome.value.asked,
        "refused": outcome.value.refused,
    }
