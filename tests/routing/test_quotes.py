"""Quotes: what a buyer can be promised before there is an order."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.services import expect_inbound, hold_cart
from inventory.types import CartDraft, ExpectedDraft, ExpectedLine
from routing.quote_models import PromiseQuote
from routing.quotes.types import METHODS, QuoteRequest, WantedLine
from routing.services import quote_promises, sweep_quotes
from tests.factories.routing import MONDAY_NOON, SYSTEM, Network, a_network

pytestmark = pytest.mark.django_db


def asked(network: Network, wanted: Mapping[str, int], **details: object) -> QuoteRequest:
    values: dict[str, object] = {
        "account_id": network.account.pk,
        "channel_id": network.channel.pk,
        "currency": "USD",
        "kind": "checkout",
        "lines": tuple(WantedLine(code, units) for code, units in wanted.items()),
        "postal_code": "10001",
        "country": "US",
        "methods": ("ship",),
    }
    return QuoteRequest(**(values | details))  # type: ignore[arg-type]


def quoted(
    network: Network, wanted: Mapping[str, int], *, at: datetime = MONDAY_NOON, **details: object
) -> PromiseQuote:
    [quote] = quote_promises([asked(network, wanted, **details)], at=at, actor=SYSTEM)
    return quote


def expected(network: Network, sku: str, units: int, eta_at: datetime) -> None:
    """Units that are on their way to Newark."""
    lines = (ExpectedLine(network.skus[sku], units, eta_at),)
    node_id, account_id = network.nodes["NEWARK"], network.account.pk
    draft = ExpectedDraft(account_id, node_id, "PO-1", "po", "erp", lines)
    expect_inbound([draft], at=MONDAY_NOON, actor=SYSTEM)


def test_a_cart_is_offered_the_way_the_policy_would_send_it_with_its_days_and_its_cutoff():
    network = a_network()
    network.stock("TEE", RENO=5, NEWARK=5)

    quote = quoted(network, {"TEE": 2})

    [option] = quote.options
    assert option["nodes"][0].startswith("NEWARK")
    assert (option["id"], option["availability"]) == ("1-ship", "in_stock")
    assert option["deliver_earliest"] <= option["deliver_latest"]
    assert datetime.fromisoformat(option["order_before"]) == datetime(2026, 3, 2, 18, tzinfo=UTC)
    assert option["why"] == [
        "Newark store sends it by Monday, 2 March, 15:00 EST.",
        "It must be ordered before Monday, 2 March, 13:00 EST.",
        "The days are those agreed for standard.",
    ]
    assert (quote.expires_at - quote.at, quote.unavailable) == (timedelta(minutes=60), [])


def test_a_product_page_asks_about_every_line_by_itself_in_the_same_few_statements():
    network = a_network(pickup=("NEWARK",))
    codes = [f"SKU-{number}" for number in range(12)]
    for code in codes:
        network.stock(code, RENO=2, NEWARK=1)
    quoted(network, {codes[0]: 1})  # reference values are read once per process

    def statements(wanted: list[str]) -> int:
        lines = dict.fromkeys(wanted, 1)
        with CaptureQueriesContext(connection) as context:
            quote = quoted(network, lines, kind="product", methods=METHODS)
        assert [o["item"] for o in quote.options if o["method"] == "ship"] == wanted
        return len(context)

    assert statements(codes[1:2]) == statements(codes) <= 12


def test_what_is_not_sold_or_not_there_is_said_with_its_reason():
    network = a_network()
    network.stock("TEE", NEWARK=1)
    network.channel.backorders = False
    network.channel.save()

    pages = quoted(network, {"TEE": 3, "NOPE": 1}, kind="product")
    cart = quoted(network, {"TEE": 1, "NOPE": 1})

    assert [(one["item"], one["code"]) for one in pages.unavailable] == [
        ("NOPE", "unknown_sku"),
        ("TEE", "partly"),
    ]
    assert pages.unavailable[1]["detail"] == "Only 1 of 3 can be had so."
    assert (cart.options, [one["code"] for one in cart.unavailable]) == ([], ["unknown_sku"])


def test_stores_near_the_buyer_are_offered_with_the_distance_and_when_it_is_ready():
    network = a_network(pickup=("NEWARK", "COLUMBUS"))
    network.stock("TEE", NEWARK=1, RENO=1)

    quote = quoted(network, {"TEE": 1}, methods=METHODS)

    by_method = {option["method"]: option for option in quote.options}
    pickup, store = by_method["pickup"], by_method["ship_to_store"]
    assert (pickup["store"]["city"], pickup["store"]["distance_km"]) == ("Newark", 15)
    assert pickup["ready_by"] == "2026-03-02T20:00:00+00:00"
    assert (store["ready_by"], store["nodes"]) == (store["latest_at"], pickup["nodes"])
    far = quoted(network, {"TEE": 1}, methods=("pickup",), postal_code="96801")
    assert [one["code"] for one in far.unavailable] == ["no_store_near"]


def test_by_a_day_only_what_arrives_in_time_is_offered():
    network = a_network()
    network.stock("TEE", RENO=5)

    soon = quoted(network, {"TEE": 1}, needed_by=date(2026, 3, 5))
    later = quoted(network, {"TEE": 1}, needed_by=date(2026, 3, 10))

    assert (soon.options, soon.unavailable[0]["code"]) == ([], "late")
    assert "after Thursday, 5 March" in soon.unavailable[0]["detail"]
    assert later.options[0]["deliver_latest"] <= "2026-03-10"


def test_a_fixed_date_is_planned_backwards_to_when_it_must_leave():
    network = a_network()
    network.stock("TEE", RENO=5)

    quote = quoted(network, {"TEE": 1}, fixed_date=date(2026, 3, 20))

    [option] = quote.options
    assert option["deliver_latest"] == "2026-03-20"
    assert option["ship_by"] == "2026-03-12T22:00:00+00:00"
    assert option["start_at"] == option["order_before"] == "2026-03-12T20:00:00+00:00"
    impossible = quoted(network, {"TEE": 1}, fixed_date=date(2026, 3, 5))
    assert [one["code"] for one in impossible.unavailable] == ["late"]


def test_goods_on_their_way_are_offered_for_when_they_are_there():
    network = a_network()
    network.stock("TEE", NEWARK=1)
    expected(network, "TEE", 5, MONDAY_NOON + timedelta(days=10))

    whole, part = quoted(network, {"TEE": 3}), quoted(network, {"TEE": 1})

    [option] = whole.options
    assert option["availability"] == "partly"
    assert [parcel["units"] for parcel in option["parcels"]] == [{"TEE": 1}, {"TEE": 2}]
    assert option["first_by"] < "2026-03-12" < option["complete_by"]
    assert option["parcels"][1]["waits_until"] == "2026-03-12T17:00:00+00:00"
    assert part.options[0]["availability"] == "in_stock"
    more = quoted(network, {"TEE": 9})
    assert [one["code"] for one in more.unavailable] == ["partly"]


def test_what_its_own_cart_holds_counts_as_free():
    network = a_network()
    network.stock("TEE", NEWARK=1)
    network.channel.backorders = False
    network.channel.save()
    draft = CartDraft(network.channel.pk, "cart-1", ((network.skus["TEE"], 1),))
    hold_cart(draft, at=MONDAY_NOON, actor=SYSTEM)

    assert quoted(network, {"TEE": 1}, cart="cart-1").options
    assert not quoted(network, {"TEE": 1}, cart="cart-2").options


def test_a_quote_is_forgotten_thirty_days_after_it_expired():
    network = a_network()
    network.stock("TEE", NEWARK=1)
    old = quoted(network, {"TEE": 1})
    fresh = quoted(network, {"TEE": 1}, at=MONDAY_NOON + timedelta(hours=2))

    swept = sweep_quotes(at=old.expires_at + timedelta(days=30, seconds=1))

    assert swept == 1
    assert PromiseQuote.objects.for_scope(SYSTEM.scope).get() == fresh
