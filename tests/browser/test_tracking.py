"""The tracking page as a buyer's phone shows it: readable, reachable by keyboard, without a script."""

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.cache import cache
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from config.kernel import clock
from config.kernel.types import Actor
from fulfillment.services import confirm_shipments, record_packs, record_tracking
from fulfillment.types import Content, Pack, Shipment, TrackingNews
from integrations.buyer import links
from integrations.models import BrandVoice
from orders.models import Order, Promise
from tests.factories import fulfillment as work
from tests.factories.buyers import with_buyer
from tests.factories.inventory import SkuFactory
from tests.factories.kernel import NOON

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(300),
]
BEN = Actor.system("ben")
SHOTS = os.environ.get("TRACK_SHOTS", "")
"""A folder to look at the pages in."""
Reader = Callable[..., Page]


@pytest.fixture
def reader(browser: Browser, live_server: LiveServer) -> Iterator[Reader]:
    opened = []

    def read(path: str, *, width: int = 360) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 780},
            reduced_motion="reduce",  # a colour half way to another is nobody's
            java_script_enabled=True,
            bypass_csp=True,  # axe looks from within
        )
        opened.append(context)
        page = context.new_page()
        page.goto(live_server.url + path)
        return page

    cache.delete_many([f"track:{method}:127.0.0.1" for method in ("GET", "POST")])
    yield read
    for context in opened:
        context.close()


def path_of(order: Order, page: str = "") -> str:
    return urlsplit(links.url_of(order.pk)).path + page


@pytest.fixture
def order() -> Order:
    """Two parcels, one of them late; a brand with a voice; a promise that moved."""
    mug, lamp = SkuFactory(name="Blue mug"), None
    lamp = SkuFactory(name="Desk lamp with a very long name that has to wrap", account=mug.account)
    placed, released = work.released({mug: 2, lamp: 1})
    ordered = with_buyer(placed.order)
    BrandVoice.objects.create(
        brand=ordered.brand,
        account=ordered.account,
        display_name="Mugs & More",
        help_email="help@mugs.example",
        help_phone="+1 212 555 0100",
        imprint="Mugs & More Ltd, 1 Kiln Road, Leeds",
    )
    group = ordered.groups.get()
    for version, days in enumerate((2, 4), start=1):
        Promise.objects.create(
            order=ordered,
            group=group,
            account_id=ordered.account_id,
            version=version,
            ship_by=NOON + timedelta(days=1),
            deliver_earliest=NOON + timedelta(days=1),
            deliver_latest=NOON + timedelta(days=days),
            at=NOON,
        )
    ordered.groups.update(deliver_by=NOON + timedelta(days=4))
    for number, line in enumerate(released.lines.order_by("position"), start=1):
        pack = Pack(released.pk, contents=(Content(line.pk, line.requested),))
        [packed] = record_packs([pack], at=NOON, actor=BEN)
        box = packed.value.parcel_ids[-1]
        confirm_shipments([Shipment(box, f"T-{number}", "acme-post")], at=NOON, actor=BEN)
        places = [("in_transit", 4, "Cologne")] + ([("delivered", 30, "Brooklyn")] * (number == 1))
        record_tracking(
            [
                TrackingNews(
                    status=status,
                    happened_at=NOON + timedelta(hours=hours),
                    source="acme-post",
                    parcel_id=box,
                    place=place,
                )
                for status, hours, place in places
            ],
            at=NOON + timedelta(hours=30),
            actor=BEN,
        )
    clock.set_to(NOON + timedelta(days=3), speed=1e-6)
    return ordered


def findings(page: Page, *, only: str = "") -> list[str]:
    options = {"resultTypes": ["violations"]} | ({"runOnly": [only]} if only else {})
    violations = Axe().run(page, options=options).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:160]}" for each in violations]


def look(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def test_has_nothing_for_axe_and_never_scrolls_sideways(order: Order, reader: Reader) -> None:
    for name, path in {
        "order": path_of(order),
        "problem": path_of(order, "/problem"),
        "return": path_of(order, "/return"),
        "neutral": "/t/wrong",
    }.items():
        page = reader(path, width=320)
        for width in (320, 360, 768, 1366):
            page.set_viewport_size({"width": width, "height": 780})
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, (name, width)
            look(page, f"{name}-{width}")
            if width in {320, 1366}:
                assert findings(page) == [], (name, width)
        page.emulate_media(color_scheme="dark")
        look(page, f"{name}-dark")
        assert findings(page, only="color-contrast") == [], name


def test_a_missing_item_is_reported_in_four_clicks(order: Order, reader: Reader) -> None:
    page = reader(path_of(order))

    page.get_by_role("link", name="Report a problem").click()
    page.get_by_label("An item is missing").check()
    page.get_by_role("button", name="Send").click()

    expect(page.get_by_role("heading", name="Thank you. We have it.")).to_be_visible()


def test_a_return_is_started_with_a_number_and_a_postcode(order: Order, reader: Reader) -> None:
    page = reader(path_of(order))

    page.get_by_role("link", name="Start a return").click()
    page.get_by_label("How many").first.fill("1")
    page.get_by_label("Postcode").fill("11201")
    page.get_by_role("button", name="Ask for the return").click()

    expect(page.get_by_role("heading", name="Your return is registered.")).to_be_visible()


def test_reads_from_right_to_left_without_overlap(order: Order, reader: Reader) -> None:
    page = reader(path_of(order))

    page.evaluate("document.documentElement.dir = 'rtl'")

    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    look(page, "order-rtl")


def test_is_light(order: Order, reader: Reader, live_server: LiveServer) -> None:
    page = reader(path_of(order))
    sizes = page.evaluate(
        "[...performance.getEntriesByType('resource'), "
        "...performance.getEntriesByType('navigation')].map(each => each.decodedBodySize)"
    )

    assert sum(sizes) <= 100_000
