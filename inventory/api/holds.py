"""Holds for carts: placed, seen, extended and released by the channel that sells. One command each."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from config.kernel import clock
from config.kernel.access import Permission
from config.kernel.actors import actor_of, nodes_in_reach
from config.kernel.errors import Forbidden, NotFound
from config.kernel.idempotency import idempotent
from config.kernel.models import Channel
from config.kernel.permissions import needs
from inventory import selectors, services
from inventory.api.reading import channel_meant, nodes_meant, read_body
from inventory.types import CartDraft, CartHeld

MOST_LINES: Final = 200
_CHANNEL = "Code of the channel; a key's own needs none."


class CartLineInput(serializers.Serializer[object]):
    sku = serializers.CharField(max_length=120)
    quantity = serializers.IntegerField(min_value=1, max_value=1_000_000)


class CartInput(serializers.Serializer[object]):
    channel = serializers.SlugField(default="", allow_blank=True, help_text=_CHANNEL)
    cart = serializers.RegexField(r"^[^/]+$", max_length=64, help_text="The shop's own id.")
    lines = CartLineInput(many=True, max_length=MOST_LINES, allow_empty=False)  # type: ignore[call-arg]  # the list's
    node = serializers.CharField(
        default="", allow_blank=True, help_text="Where the buyer collects; none is shipped."
    )
    minutes = serializers.IntegerField(
        allow_null=True, default=None, min_value=1, help_text="Null: as long as the channel lets."
    )


class CartLineShape(serializers.Serializer[object]):
    sku = serializers.CharField(help_text="The code as it was asked for.")
    quantity = serializers.IntegerField()
    outcome = serializers.ChoiceField(choices=["held", "refused"])
    free = serializers.IntegerField(help_text="Units that were to be had before this line.")


class CartShape(serializers.Serializer[object]):
    cart = serializers.CharField()
    expires_at = serializers.DateTimeField(allow_null=True, help_text="Null: nothing is held.")
    extensions_left = serializers.IntegerField()
    lines = CartLineShape(many=True)


class CartClaimShape(serializers.Serializer[object]):
    sku = serializers.CharField(help_text="Our code; of a kit its components.")
    quantity = serializers.IntegerField()


class CartClaimsShape(serializers.Serializer[object]):
    cart = serializers.CharField()
    expires_at = serializers.DateTimeField()
    extended = serializers.IntegerField()
    claims = CartClaimShape(many=True)


class CartExtensionShape(serializers.Serializer[object]):
    cart = serializers.CharField()
    expires_at = serializers.DateTimeField()
    extensions_left = serializers.IntegerField()


class ChannelInput(serializers.Serializer[object]):
    channel = serializers.SlugField(default="", allow_blank=True, help_text=_CHANNEL)


_PARAMETERS = [
    OpenApiParameter("id", str, OpenApiParameter.PATH, description="The cart's id."),
    OpenApiParameter("channel", str, description=_CHANNEL),
]


class HoldViewSet(ViewSet):
    """Units that carts hold until a time; named by the shop's own id of the cart."""

    permission_classes = [needs(Permission.API_AVAILABILITY)]
    lookup_value_regex = "[^/]+"

    @extend_schema(request=CartInput, responses=CartShape)
    @idempotent
    def create(self, request: Request) -> Response:
        """Hold what a cart wants, each line whole or refused; an earlier hold of it is replaced."""
        given = read_body(CartInput, request)
        channel = _channel(request, given["channel"])
        codes = [line["sku"] for line in given["lines"]]
        skus = selectors.skus_by_code(channel.account_id, channel.pk, codes)
        if unknown := sorted(set(codes) - skus.keys()):
            raise NotFound(f"There is no SKU {unknown[0]}.")
        draft = CartDraft(
            channel.pk,
            given["cart"],
            tuple((skus[line["sku"]].id, line["quantity"]) for line in given["lines"]),
            _node(request, given["node"], channel.account_id),
            given["minutes"],
        )
        held = services.hold_cart(draft, at=clock.now(), actor=actor_of(request))
        return Response(CartShape(_shown(held, given["lines"])).data)

    @extend_schema(parameters=_PARAMETERS, responses=CartClaimsShape)
    def retrieve(self, request: Request, pk: str) -> Response:
        """What a cart holds, and until when."""
        channel = _channel(request, request.query_params.get("channel", ""))
        hold = selectors.cart_hold(channel.pk, pk)
        if hold is None or hold.expires_at <= clock.now():
            raise NotFound("Nothing is held for this cart.")
        claims = [{"sku": sku, "quantity": units} for sku, units in selectors.held_for(hold)]
        return Response(
            CartClaimsShape(
                {
                    "cart": hold.cart,
                    "expires_at": hold.expires_at,
                    "extended": hold.extended,
                    "claims": claims,
                }
            ).data
        )

    @extend_schema(parameters=_PARAMETERS[:1], request=ChannelInput, responses=CartExtensionShape)
    @action(detail=True, methods=["post"])
    @idempotent
    def extend(self, request: Request, pk: str) -> Response:
        """Hold the cart as long again, from now; only so often."""
        channel = _channel(request, read_body(ChannelInput, request)["channel"])
        held = services.extend_cart(channel.pk, pk, at=clock.now(), actor=actor_of(request))
        return Response(CartExtensionShape(held).data)

    @extend_schema(parameters=_PARAMETERS, responses={204: None})
    @idempotent
    def destroy(self, request: Request, pk: str) -> Response:
        """Give back what the cart holds."""
        channel = _channel(request, request.query_params.get("channel", ""))
        services.release_cart(channel.pk, pk, at=clock.now(), actor=actor_of(request))
        return Response(status=204)


def _channel(request: Request, code: str) -> Channel:
    """The channel that is meant. Carts are served from every node: not for who sees only some."""
    if nodes_in_reach(request) is not None:
        raise Forbidden("Carts are served from nodes beyond yours.")
    return channel_meant(request, code)


def _node(request: Request, code: str, account_id: UUID) -> int | None:
    if not code:
        return None
    known = nodes_meant(request, {code}, account_id)
    if code not in known:
        raise NotFound(f"There is no node {code}.")
    return known[code]


def _shown(held: CartHeld, lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "cart": held.cart,
        "expires_at": held.expires_at,
        "extensions_left": held.extensions_left,
        "lines": [
            {
                "sku": asked["sku"],
                "quantity": line.quantity,
                "outcome": "held" if line.held else "refused",
                "free": line.free,
            }
            for asked, line in zip(lines, held.lines, strict=True)
        ],
    }
