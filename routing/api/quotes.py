"""What a buyer can be promised: on the product page, in the cart and at the check-out."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.kernel import clock
from config.kernel.access import Permission, allows
from config.kernel.actors import actor_of, channel_of_key, nodes_in_reach, reach_of
from config.kernel.errors import Forbidden, Invalid, NotFound
from config.kernel.idempotency import idempotent
from config.kernel.models import Channel
from config.kernel.permissions import needs
from inventory.api.reading import channel_meant, read_body
from routing import services
from routing.quote_models import PromiseQuote
from routing.quotes.shapes import for_shops, seconds_left
from routing.quotes.types import (
    METHODS,
    PICKUP_KM,
    SORTS,
    QuoteRequest,
    WantedLine,
)
from routing.selectors import quote_of

MOST_LINES: Final = 50
MOST_SERVICES: Final = 10
MOST_KM: Final = 500
MOST_AHEAD: Final = timedelta(days=180)


class QuoteLineInput(serializers.Serializer[object]):
    sku = serializers.CharField(max_length=120, help_text="The channel's code, ours or a barcode.")
    quantity = serializers.IntegerField(min_value=1, max_value=100_000, default=1)


class QuoteDestinationInput(serializers.Serializer[object]):
    postal_code = serializers.CharField(max_length=16, default="", allow_blank=True)
    region = serializers.CharField(max_length=64, default="", allow_blank=True)
    country = serializers.RegexField(r"^([A-Za-z]{2})?$", default="US", allow_blank=True)


class QuoteInput(serializers.Serializer[object]):
    channel = serializers.SlugField(
        default="", allow_blank=True, help_text="Code of the channel; a key's own needs none."
    )
    kind = serializers.ChoiceField(
        choices=["product", "cart", "checkout"],
        default="checkout",
        help_text="`product` asks about every line by itself, the others about all together.",
    )
    currency = serializers.CharField(max_length=3, default="", allow_blank=True)
    destination = QuoteDestinationInput(
        default=None, allow_null=True, help_text="None: where the channel mostly sends to."
    )
    lines = QuoteLineInput(many=True, allow_empty=False, max_length=MOST_LINES)  # type: ignore[call-arg]  # the list's
    methods = serializers.ListField(
        child=serializers.ChoiceField(choices=METHODS), default=list, help_text="None: all."
    )
    service_levels = serializers.ListField(
        child=serializers.CharField(max_length=32),
        default=list,
        max_length=MOST_SERVICES,
        help_text="Codes; none is every level that has lanes.",
    )
    needed_by = serializers.DateField(
        default=None, allow_null=True, help_text="The last day that will do, at the destination."
    )
    fixed_date = serializers.DateField(
        default=None, allow_null=True, help_text="The one day that will: planned backwards."
    )
    cart = serializers.CharField(
        max_length=64, default="", allow_blank=True, help_text="What it holds counts as free."
    )
    pickup_km = serializers.IntegerField(min_value=1, max_value=MOST_KM, default=PICKUP_KM)
    stores = serializers.ListField(
        child=serializers.CharField(max_length=32), default=list, max_length=20
    )
    sort = serializers.ChoiceField(
        choices=SORTS, default="policy", help_text="`policy`: as the channel's policy weighs."
    )
    ship_complete = serializers.BooleanField(default=False)
    customer_tags = serializers.ListField(
        child=serializers.CharField(max_length=48),
        default=list,
        max_length=20,
        help_text="What you say of the customer, as you will with the order.",
    )


# Read with again and again: reading changes nothing of it, and making its fields for each request
# takes 0.3 ms and leaves two hundred containers in cycles, which the collector stops for.
_INPUT: Final = QuoteInput()


def _read(request: Request) -> dict[str, Any]:
    """The body; raises what DRF raises for one that is wrong."""
    try:
        read: dict[str, Any] = _INPUT.run_validation(request.data)
    except serializers.ValidationError:
        return read_body(QuoteInput, request)
    return read


class QuoteParcelShape(serializers.Serializer[object]):
    node = serializers.CharField()
    name = serializers.CharField()
    ship_by = serializers.DateTimeField()
    deliver_earliest = serializers.DateField()
    deliver_latest = serializers.DateField()
    units = serializers.DictField(child=serializers.IntegerField())
    distance_km = serializers.IntegerField()
    waits_until = serializers.DateTimeField(
        allow_null=True, help_text="When its goods are there, where they are still to come."
    )


class QuoteStoreShape(serializers.Serializer[object]):
    node = serializers.CharField()
    name = serializers.CharField()
    city = serializers.CharField()
    region = serializers.CharField()
    postal_code = serializers.CharField()
    distance_km = serializers.IntegerField()


class QuoteOptionShape(serializers.Serializer[object]):
    """One way to have it. Dates are the destination's; `earliest_at`, `latest_at` their instants."""

    id = serializers.CharField(help_text="Named by the order that takes it, with the quote's id.")
    item = serializers.CharField(help_text="On a product page: the code it is about.")
    method = serializers.ChoiceField(choices=METHODS)
    service = serializers.CharField(help_text="Code of the service level; empty for a pickup.")
    availability = serializers.ChoiceField(choices=["in_stock", "partly", "ahead"])
    nodes = serializers.ListField(child=serializers.CharField())
    store = QuoteStoreShape(allow_null=True)
    timezone = serializers.CharField()
    ship_by = serializers.DateTimeField()
    deliver_earliest = serializers.DateField(help_text="The usual day (P50).")
    deliver_latest = serializers.DateField(help_text="Nine in ten have arrived (P90).")
    earliest_at = serializers.DateTimeField()
    latest_at = serializers.DateTimeField()
    ready_by = serializers.DateTimeField(allow_null=True, help_text="Of what is collected.")
    first_by = serializers.DateField(help_text="The first parcel has arrived.")
    complete_by = serializers.DateField(help_text="The last one has.")
    order_before = serializers.DateTimeField(
        allow_null=True, help_text="Until when it can be had so; null where nothing presses."
    )
    seconds_left = serializers.IntegerField(allow_null=True, help_text="Until `order_before`.")
    holds_until = serializers.DateTimeField(help_text="Until when an order is given this promise.")
    start_at = serializers.DateTimeField(
        allow_null=True, help_text="With a fixed date: when work on it begins."
    )
    parcels = QuoteParcelShape(many=True)
    why = serializers.ListField(child=serializers.CharField(), help_text="May be shown to buyers.")
    basis = serializers.DictField(help_text="What the dates rest on, by codes.")
    cost_minor = serializers.IntegerField(
        required=False, help_text="Expected cost; with the permission to see routing only."
    )
    cost_currency = serializers.CharField(required=False)
    decision = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="Why it is sent from there, with costs; likewise.",
    )


class QuoteRefusalShape(serializers.Serializer[object]):
    """What cannot be had, and why."""

    item = serializers.CharField()
    method = serializers.CharField()
    service = serializers.CharField()
    store = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class QuoteShape(serializers.Serializer[object]):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    channel = serializers.CharField()
    currency = serializers.CharField()
    at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(help_text="Orders placed until then are given it.")
    options = QuoteOptionShape(many=True, help_text="The one to be shown first stands first.")
    unavailable = QuoteRefusalShape(many=True)


class QuotePromisesView(APIView):
    """Ask what can be promised. Nothing is reserved: a cart hold does that."""

    permission_classes = [needs(Permission.API_AVAILABILITY, Permission.ROUTING_VIEW)]

    @extend_schema(request=QuoteInput, responses={201: QuoteShape}, operation_id="quote_promises")
    @idempotent
    def post(self, request: Request) -> Response:
        """Every way to have up to 50 lines, kept and honoured until it expires."""
        if nodes_in_reach(request) is not None:
            raise Forbidden("A quote names nodes beyond yours.")
        given = _read(request)
        channel = channel_meant(request, given["channel"])
        at, staff = clock.now(), _is_staff(request, channel.account_id)
        [quote] = services.quote_promises(
            [_request(given, channel, at)], at=at, actor=actor_of(request), explains=staff
        )
        return Response(quote_json(quote, channel.code, at, staff=staff), status=201)


class PromiseQuoteView(APIView):
    """A quote that was given."""

    permission_classes = [needs(Permission.API_AVAILABILITY, Permission.ROUTING_VIEW)]

    @extend_schema(responses=QuoteShape, operation_id="promise_quote")
    def get(self, request: Request, pk: UUID) -> Response:
        """What was offered, with the seconds that are left of it now."""
        quote = quote_of(pk, reach_of(request))
        own = channel_of_key(request)
        if nodes_in_reach(request) is not None or own not in {None, quote.channel_id}:
            raise NotFound("There is no such quote.")
        staff = _is_staff(request, quote.account_id)
        return Response(quote_json(quote, quote.channel.code, clock.now(), staff=staff))


def _is_staff(request: Request, account_id: UUID) -> bool:
    """Whether the caller may see costs and verdicts."""
    return allows(request.user, Permission.ROUTING_VIEW, account_id)


def _request(given: dict[str, Any], channel: Channel, at: datetime) -> QuoteRequest:
    """What is asked for. Raises Invalid, naming every field that makes no sense."""
    errors = []
    for name in ("needed_by", "fixed_date"):
        last = given[name]
        if (
            last is not None
            and not at.date() - timedelta(days=1) <= last <= (at + MOST_AHEAD).date()
        ):
            errors.append(_error(f"/{name}", "A day from today to half a year ahead."))
    if given["needed_by"] is not None and given["fixed_date"] is not None:
        errors.append(_error("/fixed_date", "Either a last day or a fixed one."))
    codes = [line["sku"] for line in given["lines"]]
    if given["kind"] == "product":
        errors += [
            _error(f"/lines/{place}/sku", "Each SKU once.")
            for place, code in enumerate(codes)
            if code in codes[:place]
        ]
    if errors:
        raise Invalid("The request has errors.", errors=errors)
    where = given["destination"] or {"postal_code": "", "region": "", "country": ""}
    return QuoteRequest(
        account_id=channel.account_id,
        channel_id=channel.pk,
        currency=given["currency"] or channel.currency,
        kind=given["kind"],
        lines=tuple(WantedLine(line["sku"], line["quantity"]) for line in given["lines"]),
        postal_code=where["postal_code"],
        region=where["region"].upper(),
        country=where["country"].upper(),
        methods=tuple(given["methods"]) or METHODS,
        services=tuple(dict.fromkeys(given["service_levels"])),
        needed_by=given["needed_by"],
        fixed_date=given["fixed_date"],
        cart=given["cart"],
        pickup_km=given["pickup_km"],
        stores=tuple(given["stores"]),
        sort=given["sort"],
        ship_complete=given["ship_complete"],
        customer_tags=tuple(given["customer_tags"]),
    )


def _error(pointer: str, detail: str) -> dict[str, str]:
    return {"pointer": pointer, "code": "invalid", "detail": detail}


def quote_json(quote: PromiseQuote, channel: str, at: datetime, *, staff: bool) -> dict[str, Any]:
    """The quote as it is answered, with what is left of each option's time."""
    options = quote.options if staff else for_shops(quote.options)
    return {
        "id": str(quote.pk),
        "kind": quote.kind,
        "channel": channel,
        "currency": quote.currency,
        "at": quote.at.isoformat(),
        "expires_at": quote.expires_at.isoformat(),
        "options": [option | {"seconds_left": seconds_left(option, at)} for option in options],
        "unavailable": quote.unavailable,
    }
