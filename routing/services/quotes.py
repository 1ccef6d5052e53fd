"""Quotes: what a buyer is offered is worked out, kept, honoured until it expires, and swept."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction

from config.kernel import ids
from config.kernel.errors import NotFound
from config.kernel.models import Channel
from config.kernel.types import ALL_ACCOUNTS, Actor
from routing.quote_models import PromiseQuote
from routing.quotes.asking import read_asked
from routing.quotes.options import Working, sort_of, sorted_options
from routing.quotes.shapes import option_json, unavailable_json
from routing.quotes.types import LASTS, Option, QuoteRequest, Unavailable

KEPT: Final = timedelta(days=30)
"""How long a quote is kept once it has expired: long enough to answer what a buyer was shown."""
MOST_SWEPT: Final = 5_000
USUAL_DESTINATION: Final = "quote_destination"
"""The channel's setting of where it mostly sends to: {postal_code, region, country}."""


@transaction.atomic
def quote_promises(
    requests: Sequence[QuoteRequest], *, at: datetime, actor: Actor, explains: bool = False
) -> list[PromiseQuote]:
    """Work out what each buyer can be offered, and keep it: one quote per request, in order.

    Nothing is reserved. `explains` adds the engine's own sentences, with costs, for staff. The
    statements of one request do not depend on its lines, nor on nodes or options.
    """
    channels = Channel.objects.for_scope(ALL_ACCOUNTS).in_bulk(
        {request.channel_id for request in requests}
    )
    quotes = []
    for request in requests:
        channel = channels.get(request.channel_id)
        if channel is None or not actor.scope.allows(channel.account_id):
            raise NotFound("There is no such channel.")
        meant = replace(request, currency=request.currency or channel.currency)
        quotes.append(_quote(_with_destination(meant, channel), channel, at, explains))
    return PromiseQuote.objects.bulk_create(quotes)


def _quote(request: QuoteRequest, channel: Channel, at: datetime, explains: bool) -> PromiseQuote:  # noqa: FBT001  # what `quote_promises` was told
    asked = read_asked(request, at=at)
    expires_at = at + LASTS[request.kind]
    working = Working(asked, expires_at, channel.backorders, explains)
    answers = working.answers()
    options = sorted_options(
        (one for one in answers if isinstance(one, Option)),
        [basket.item for basket in asked.baskets],
        sort_of(asked),
    )
    unavailable = [*asked.unknown, *(one for one in answers if isinstance(one, Unavailable))]
    return PromiseQuote(
        id=ids.uuid7(),
        account_id=request.account_id,
        channel_id=request.channel_id,
        kind=request.kind,
        currency=request.currency,
        cart=request.cart,
        postal_code=request.postal_code,
        region=request.region,
        country=request.country,
        lines=[
            [code, many, {str(sku): n for sku, n in units.items()}]
            for code, many, units in asked.lines
        ],
        options=[option_json(option) for option in options],
        unavailable=[unavailable_json(one) for one in unavailable],
        policies=sorted({str(option.basis["policy"]) for option in options}),
        versions=dict(asked.snapshot.reference.versions),
        at=at,
        expires_at=expires_at,
    )


def _with_destination(request: QuoteRequest, channel: Channel) -> QuoteRequest:
    """Where nobody has said where it goes, it goes where the channel mostly sends to."""
    usual: dict[str, Any] = channel.settings.get(USUAL_DESTINATION, {})
    if request.has_destination or not usual:
        return request
    return replace(
        request,
        postal_code=str(usual.get("postal_code", "")),
        region=str(usual.get("region", "")),
        country=str(usual.get("country", "")),
    )


@transaction.atomic
def sweep_quotes(*, at: datetime, limit: int = MOST_SWEPT) -> int:
    """Forget quotes that expired long ago. Answers how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM routing_promisequote WHERE id IN (
                SELECT id FROM routing_promisequote WHERE expires_at < %s
                ORDER BY expires_at LIMIT %s FOR UPDATE SKIP LOCKED)
            """,
            [at - KEPT, limit],
        )
        swept: int = cursor.rowcount
    return swept
