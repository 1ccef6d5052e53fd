"""What is promised before there is an order: the marketplace's own promise, and what shops ask."""

from datetime import datetime, timedelta
from typing import Any, Final

import routing.services
from config.demo.made import ACTOR, Retailer
from config.kernel.types import Scope
from routing import selectors
from routing.quotes.types import METHODS, QuoteRequest, WantedLine
from routing.services import PledgeDraft

_MARKET, _SHOP, _BEFORE = "agora", "hp-web", timedelta(days=1)
_ASKED: Final[tuple[dict[str, Any], ...]] = (
    {"kind": "product", "lines": ("HP-MUG-SAN", "HP-MUG-INK"), "postal_code": "10013"},
    {"kind": "cart", "lines": ("HP-MUG-SAN", "HP-BWL-OAT"), "postal_code": "60614"},
    {"kind": "checkout", "lines": ("HP-BWL-SLA",), "postal_code": "94110"},
)
_UNITS: Final = 2


def set_up(made: Retailer, at: datetime) -> None:
    """The marketplace promises that orders leave within a working day and arrive within eight."""
    channel_id = made.channel_ids[_MARKET]
    if not selectors.pledges(Scope(frozenset({made.account_id})), channel=_MARKET):
        routing.services.pledge(
            PledgeDraft(made.account_id, channel_id, at, ship_days=1, deliver_days=8),
            at=at,
            actor=ACTOR,
        )


def ask(made: Retailer, at: datetime) -> None:
    """What the web shop's pages ask as the fortnight ends: of a product, of a cart, of a check-out."""
    routing.services.quote_promises(
        [
            QuoteRequest(
                account_id=made.account_id,
                channel_id=made.channel_ids[_SHOP],
                currency="",
                kind=asked["kind"],
                lines=tuple(WantedLine(code, _UNITS) for code in asked["lines"]),
                postal_code=asked["postal_code"],
                country="US",
                methods=METHODS,
            )
            for asked in _ASKED
        ],
        at=at,
        actor=ACTOR,
        explains=True,
    )
